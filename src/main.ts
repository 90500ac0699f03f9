/**
 * The program `equabot`: one process, one command line.
 */

import { fileURLToPath } from 'node:url'

import type { Fault } from './domain/fault.ts'
import type { Result } from './domain/result.ts'
import type { App } from './services/app.ts'
import { run } from './cli/run.ts'
import { createTerminal } from './cli/terminal.ts'
import { explain } from './domain/explain.ts'
import { VERSION } from './version.ts'

process.umask(0o077)
// Without a listener, Node opens its debugger to any program of this user that sends this signal.
process.on('SIGUSR1', () => undefined)

const argv = process.argv.slice(2)
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted && signal === 'SIGINT') process.exit(130)
    stopping.abort()
  })
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read our output has heard enough: `equabot … | head`.
    if (error.code !== 'EPIPE') {
      process.exitCode = 1
      if (stream === process.stdout)
        process.stderr.write(`Cannot write the output (${error.code})\n`)
    }
    stopping.abort()
  })
}

const terminal = createTerminal(process, {
  plain: argv.includes('--no-color'),
  signal: stopping.signal,
})
const HELPER = fileURLToPath(new URL('./renew.js', import.meta.url))
let opened: Promise<Result<App, Fault>> | undefined
const openApp = (): Promise<Result<App, Fault>> =>
  (opened ??= import('./compose.ts').then(({ compose }) => compose(HELPER)))

process.exitCode = await run(argv, {
  terminal,
  version: VERSION,
  openApp,
  signal: stopping.signal,
})
// A program that could not be put together has been told of by `run`.
const app = await opened?.catch(() => undefined)
const closed = app?.ok ? await app.value.close() : undefined
if (closed && !closed.ok) terminal.err(`${explain(closed.fault).message}\n`)
