/** `equabot gateway`: runs the gateway in the foreground, and asks a running one how it is. */

import type { Command } from 'commander'
import { explain } from '../domain/explain.ts'
import type { Fault } from '../domain/fault.ts'
import { HIGHEST_PORT, parsePort } from '../domain/gateway-address.ts'
import { printableLine } from '../domain/printable.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { dateText, inWords } from '../domain/time.ts'
import type { App, RunningGateway } from '../services/app.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout } from './layout.ts'

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
      .action(appAction(context, (app, options: RunOptions) => run(context, app, options))),
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
      .action(appAction(context, (app) => status(app, createLayout(context.terminal)))),
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
  const port = parsePort(text)
  if (port !== undefined) return ok(port)
  const detail = `--port takes a whole number from 0 to ${HIGHEST_PORT}, not "${printableLine(text)}"`
  return fail({ code: 'EQ_USAGE', detail, command })
}

/** Resolves when the process is told to end. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function run(
  context: CommandContext,
  app: App,
  options: RunOptions,
): Promise<Result<Output, Fault>> {
  const port = typedPort(options.port, 'equabot gateway run')
  if (!port.ok) return port
  const started = await app.startGateway({
    ...(port.value !== undefined && { port: port.value }),
    ...(options.bind !== undefined && { bind: options.bind }),
    // A person reads the log file; a service manager collects what comes here.
    logToStderr: !context.terminal.outputIsTerminal,
  })
  if (!started.ok) return started
  context.terminal.out(`${await listeningLine(app, started.value)}\n`)
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
      `token in ${tokenPlace(app)}`,
      answering.ok ? answererText(answering.value) : explain(answering.fault).message,
    ].join(' · '),
  )
}

/** As a person looks for it: a path, or the name of a variable. */
function tokenPlace({ gatewayFiles, show }: App): string {
  const source = gatewayFiles.tokenSource()
  return source.kind === 'file' ? show(source.path) : source.name
}

async function status(app: App, layout: Layout): Promise<Result<Output, Fault>> {
  const client = await app.gatewayClient()
  if (!client.ok) return client
  const health = await client.value.health()
  if (!health.ok) return health
  const { record, url } = client.value
  const { version, uptimeMs, ready } = health.value
  const source = app.gatewayFiles.tokenSource()
  return ok({
    text: layout.facts([
      ['Gateway', url],
      ['Answers', ready ? layout.paint('good', 'ready') : layout.paint('warn', 'not ready yet')],
      ['Process', `${record.pid}`],
      ['Version', version],
      ['Started', `${dateText(record.startedAt)}, ${inWords(uptimeMs)} ago`],
      ['State', app.show(app.stateDir)],
      ['Token', tokenPlace(app)],
    ]),
    json: {
      url,
      ...record,
      version,
      uptimeMs,
      ready,
      stateDir: app.stateDir,
      ...(source.kind === 'file' ? { tokenPath: source.path } : { tokenVariable: source.name }),
    },
  })
}
