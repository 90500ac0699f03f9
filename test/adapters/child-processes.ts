/** Runs `child-program.ts` in processes of its own. */

import { buildSync } from 'esbuild'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, onTestFinished } from 'vitest'

export interface Child {
  readonly process: ChildProcess
  /** The next line that it prints. */
  line(): Promise<string>
  /** Everything that it has printed so far and was not taken by `line`. */
  readonly lines: readonly string[]
  readonly exit: Promise<unknown>
}

/** Compiles the program; gives a function that starts it. Inside the repository, so that it finds its packages. */
export function compileChildProgram(
  name: string,
  program = 'child-program.ts',
): (...words: readonly string[]) => Child {
  const folder = fileURLToPath(new URL(`../../.scratch/${name}-${process.pid}/`, import.meta.url))
  const outfile = `${folder}child-program.mjs`
  buildSync({
    entryPoints: [fileURLToPath(new URL(program, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['fs-native-extensions', '@photostructure/sqlite'],
    logLevel: 'error',
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  return (...words) => {
    const child = spawn(process.execPath, [outfile, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines: string[] = []
    const waiting: ((line: string) => void)[] = []
    createInterface({ input: child.stdout }).on('line', (line) => {
      const taker = waiting.shift()
      if (taker) taker(line)
      else lines.push(line)
    })
    return {
      process: child,
      lines,
      line: () => {
        const line = lines.shift()
        return line === undefined
          ? new Promise((resolve) => waiting.push(resolve))
          : Promise.resolve(line)
      },
      exit: once(child, 'close'),
    }
  }
}
