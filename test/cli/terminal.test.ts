import { spawn } from '@lydell/node-pty'
import { buildSync } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'

const folder = fileURLToPath(new URL(`../../.scratch/terminal-${process.pid}/`, import.meta.url))
const program = `${folder}terminal-program.mjs`
buildSync({
  entryPoints: [fileURLToPath(new URL('terminal-program.ts', import.meta.url))],
  outfile: program,
  bundle: true,
  platform: 'node',
  format: 'esm',
  logLevel: 'error',
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Seen {
  type(text: string): void
  kill(signal: string): void
  /** Everything on the screen so far, once it matches. */
  until(pattern: RegExp): Promise<string>
}

function onTerminal(
  words: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Seen {
  const child = spawn(process.execPath, [program, ...words], {
    cols: 100,
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', ...variables },
  })
  let screen = ''
  const waiting = new Set<() => void>()
  child.onData((data) => {
    screen += data
    for (const look of waiting) look()
  })
  onTestFinished(() => child.kill())
  return {
    type: (text) => child.write(text),
    kill: (signal) => child.kill(signal),
    until: (pattern) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!pattern.test(screen)) return
          waiting.delete(look)
          resolve(screen)
        }
        waiting.add(look)
        look()
      }),
  }
}

const RESULT = /result (.*?)\r?\n/
const resultOf = (screen: string): unknown => JSON.parse(RESULT.exec(screen)?.[1] ?? 'null')

describe('a hidden prompt', () => {
  it('never shows what is typed, and takes a wrapped paste whole', async () => {
    const terminal = onTerminal(['secret'])
    await terminal.until(/Paste it: /)
    terminal.type('\u001b[200~sk-fake-made-up\r-second-line\u001b[201~')
    terminal.type('\r')
    const screen = await terminal.until(RESULT)
    expect(resultOf(screen)).toBe([...'sk-fake-made-up\r-second-line'].toReversed().join(''))
    expect(screen).not.toMatch(/fake|made|second/)
    expect(screen).toContain('28 characters')
  })

  it.each([
    ['Ctrl-C', (terminal: Seen) => terminal.type('half a secret\u0003')],
    ['SIGTERM', (terminal: Seen) => terminal.kill('SIGTERM')],
  ])('is interrupted by %s and shows nothing', async (_, interrupt) => {
    const terminal = onTerminal(['secret'])
    await terminal.until(/Paste it: /)
    interrupt(terminal)
    const screen = await terminal.until(RESULT)
    expect(resultOf(screen)).toEqual({ code: 'EQ_INTERRUPTED' })
    expect(screen).not.toContain('half')
  })
})

describe('a question', () => {
  it('is answered with yes', async () => {
    const terminal = onTerminal(['confirm'])
    await terminal.until(/Sure\?/)
    terminal.type('y')
    expect(resultOf(await terminal.until(RESULT))).toEqual({ ok: true, value: true })
  })

  it('is answered with the arrow keys', async () => {
    const terminal = onTerminal(['choose'])
    await terminal.until(/second/)
    terminal.type('\u001b[B')
    terminal.type('\r')
    expect(resultOf(await terminal.until(RESULT))).toEqual({ ok: true, value: 'second' })
  })

  it.each(['confirm', 'choose'])('(%s) is interrupted by Ctrl-C', async (job) => {
    const terminal = onTerminal([job])
    await terminal.until(/\?/)
    terminal.type('\u0003')
    expect(resultOf(await terminal.until(RESULT))).toMatchObject({
      fault: { code: 'EQ_INTERRUPTED' },
    })
  })
})

describe('colour', () => {
  it.each([
    [[], {}, true],
    [['--no-color'], {}, false],
    [[], { NO_COLOR: '1' }, false],
    [[], { TERM: 'dumb' }, false],
  ] as const)('with %j and %j is %s', async (words, variables, colour) => {
    const screen = await onTerminal(['facts', ...words], variables).until(RESULT)
    expect(resultOf(screen)).toMatchObject({ colour, interactive: true, width: 100 })
  })
})

describe('without a terminal', () => {
  const piped = (job: string, input = '') =>
    resultOf(spawnSync(process.execPath, [program, job], { input, encoding: 'utf8' }).stdout)

  it('nobody is asked, and what to do instead is said', () => {
    expect(piped('choose')).toMatchObject({
      fault: { code: 'EQ_PROMPT_NO_TTY', instead: 'Name it' },
    })
    expect(piped('secret')).toMatchObject({ code: 'EQ_PROMPT_NO_TTY', instead: 'Pipe it in' })
  })

  it('there is no colour, and 80 columns', () => {
    expect(piped('facts')).toEqual({
      interactive: false,
      inputIsTerminal: false,
      outputIsTerminal: false,
      colour: false,
      width: 80,
    })
  })

  it('all of standard input is read, whatever its letters', () => {
    expect(piped('input', 'zoë\nsecond\n')).toEqual({ ok: true, value: 'zoë\nsecond\n' })
  })
})
