/** `equabot gateway`: runs the gateway in the foreground, and asks a running one how it is. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import { explain } from '../domain/explain.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { dateText, inWords } from '../domain/time.ts'
import type { App, RunningGateway } from '../services/app.ts'
import type { CommandContext, Output } from './command.ts'
import { action } from './command.ts'
import { examples } from './help.ts'
import { createLayout } from './layout.ts'
import { printableLine } from './printable.ts'

interface RunOptions {
  readonly port?: string
  readonly bind?: string
}

export function addGatewayCommands(program: Command, context: CommandContext): void {
  const gateway = program.command('gateway').description('Run the gateway, or see how it is')
  examples(
    gateway
      .command('run', { isDefault: true })
      .description('Run the gateway in the foreground until Ctrl-C or SIGTERM')
      .option('--port <number>', 'port to listen on; 0 takes any free one')
      .option('--bind <address>', 'address to listen on (default: 127.0.0.1)')
      .action(action(context, (options: RunOptions) => run(context, options))),
    [
      ['equabot gateway', 'the same as gateway run'],
      ['equabot gateway run --port 0', 'on any free port'],
    ],
  )
  examples(
    gateway
      .command('status')
      .description('Show the running gateway: where it listens, since when, and whether it answers')
      .option('--json', 'print JSON')
      .action(action(context, () => status(context))),
    [
      ['equabot gateway status'],
      ['equabot gateway status --json', 'for scripts; exits 69 when none is running'],
    ],
  )
}

/**
 * @param command whose help says more
 * @faults `EQ_USAGE`
 */
export function typedPort(
  text: string | undefined,
  command: string,
): Result<number | undefined, Fault> {
  if (text === undefined) return ok(undefined)
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return ok(port)
  const detail = `--port takes a whole number from 0 to 65535, not "${printableLine(text)}"`
  return fail({ code: 'EQ_USAGE', detail, command })
}

/** Resolves when the process is told to end. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function run(context: CommandContext, options: RunOptions): Promise<Result<Output, Fault>> {
  const port = typedPort(options.port, 'equabot gateway run')
  if (!port.ok) return port
  const app = await context.openApp()
  if (!app.ok) return app
  const started = await app.value.startGateway({
    ...(port.value !== undefined && { port: port.value }),
    ...(options.bind !== undefined && { bind: options.bind }),
    logToStderr: true,
  })
  if (!started.ok) return started
  context.terminal.out(`${await listeningLine(app.value, started.value)}\n`)
  await untilAborted(context.signal)
  await started.value.stop()
  return ok({ text: '', json: {} })
}

async function listeningLine(app: App, gateway: RunningGateway): Promise<string> {
  const { answererText } = await import('./chat-run.ts')
  const answering = await app.report.explain({})
  return printableLine(
    [
      `Gateway at ${gateway.url}`,
      `state in ${app.show(app.stateDir)}`,
      `token in ${app.show(app.gatewayFiles.tokenPath())}`,
      answering.ok ? answererText(answering.value) : explain(answering.fault).message,
    ].join(' · '),
  )
}

async function status(context: CommandContext): Promise<Result<Output, Fault>> {
  const app = await context.openApp()
  if (!app.ok) return app
  const client = await app.value.gatewayClient()
  if (!client.ok) return client
  const health = await client.value.health()
  if (!health.ok) return health
  const { record, url } = client.value
  const { version, uptimeMs, ready } = health.value
  const tokenPath = app.value.gatewayFiles.tokenPath()
  const layout = createLayout(context.terminal)
  return ok({
    text: layout.facts([
      ['Gateway', url],
      ['Answers', ready ? layout.paint('good', 'ready') : layout.paint('warn', 'not ready yet')],
      ['Process', `${record.pid}`],
      ['Version', version],
      ['Started', `${dateText(record.startedAt)}, ${inWords(uptimeMs)} ago`],
      ['State', app.value.show(app.value.stateDir)],
      ['Token', app.value.show(tokenPath)],
    ]),
    json: { url, ...record, version, uptimeMs, ready, stateDir: app.value.stateDir, tokenPath },
  })
}
