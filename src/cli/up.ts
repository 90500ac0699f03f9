/** `equabot up`: a gateway and a chat in it. What `npm start` runs. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import { printable } from '../domain/printable.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { credentialCommand } from '../domain/wording.ts'
import type { App, RunningGateway } from '../services/app.ts'
import type { OpenChatInput } from './chat-input.ts'
import type { ChatOptions, ChosenChat } from './chat-options.ts'
import { chosenChat, withChatOptions } from './chat-options.ts'
import type { CommandContext, Output } from './command.ts'
import { action } from './command.ts'
import { typedPort, untilAborted } from './gateway.ts'
import { examples } from './help.ts'
import { quoted } from './shell-word.ts'

interface UpOptions extends ChatOptions {
  readonly port?: string
}

/** @param openInput where the messages come from; this process's standard input when left out */
export function addUpCommands(
  program: Command,
  context: CommandContext,
  openInput?: OpenChatInput,
): void {
  examples(
    withChatOptions(program.command('up'))
      .description(
        'Start the gateway, or join the one that is running, and chat through it. Leaving the chat stops a gateway started here',
      )
      .option('--port <number>', 'port to listen on; 0 takes any free one')
      .action(action(context, (options: UpOptions) => up(context, options, openInput))),
    [
      ['equabot up', 'gateway and chat in one terminal'],
      ['equabot up --port 0', 'on any free port'],
      ['equabot up < /dev/null', 'the gateway alone, until SIGTERM'],
    ],
  )
}

async function up(
  context: CommandContext,
  options: UpOptions,
  openInput: OpenChatInput | undefined,
): Promise<Result<Output, Fault>> {
  const chosen = chosenChat(options)
  if (!chosen.ok) return chosen
  const port = typedPort(options.port, 'equabot up')
  if (!port.ok) return port
  const opened = await context.openApp()
  if (!opened.ok) return opened
  const gateway = await joinOrStart(context, opened.value, port.value)
  if (!gateway.ok) return gateway
  const { own, url } = gateway.value
  try {
    await announce(context, opened.value, chosen.value, own ? 'started here' : 'was running', url)
    return await chatOrServe(context, opened.value, chosen.value, own, openInput)
  } finally {
    await own?.stop()
  }
}

interface UpGateway {
  readonly url: string
  /** Absent: another process runs it. */
  readonly own?: RunningGateway
}

async function joinOrStart(
  context: CommandContext,
  app: App,
  port: number | undefined,
): Promise<Result<UpGateway, Fault>> {
  const running = await app.gatewayClient()
  if (running.ok) return ok({ url: running.value.url })
  if (running.fault.code !== 'EQ_GATEWAY_DOWN') return running
  const started = await startSomewhere(context, app, port)
  if (started.ok) return ok({ url: started.value.url, own: started.value })
  if (started.fault.code !== 'EQ_GATEWAY_RUNNING') return started
  // Another process was faster; its gateway is as good as ours.
  const faster = await app.gatewayClient()
  return faster.ok ? ok({ url: faster.value.url }) : faster
}

/** A port that another program holds is no reason to give up, unless the user asked for that port. */
async function startSomewhere(
  context: CommandContext,
  app: App,
  port: number | undefined,
): Promise<Result<RunningGateway, Fault>> {
  if (port !== undefined) return app.startGateway({ port })
  const started = await app.startGateway({})
  if (started.ok || started.fault.code !== 'EQ_GATEWAY_PORT') return started
  if (started.fault.errno !== 'EADDRINUSE') return started
  const elsewhere = await app.startGateway({ port: 0 })
  if (elsewhere.ok) {
    const taken = `Port ${started.fault.port} is taken by another program`
    context.terminal.err(`${taken}; using port ${elsewhere.value.record.port} this time\n`)
  }
  return elsewhere
}

/** Where the gateway is, how a program reaches it, and that nobody real answers when that is so. */
async function announce(
  { terminal }: CommandContext,
  app: App,
  chosen: ChosenChat,
  how: string,
  url: string,
): Promise<void> {
  const { isPerson, whoAnswers } = await import('./chat-run.ts')
  const answering = await whoAnswers(app, chosen)
  const told = [
    `Equabot ${app.version}, gateway at ${url} (${how})`,
    'A program that uses an SDK reaches it with:',
    `  export ANTHROPIC_BASE_URL=${url} ANTHROPIC_AUTH_TOKEN="${tokenExpansion(app)}"`,
    ...(answering.ok && answering.value.modelBecause === 'sandbox'
      ? [
          'No real provider has a credential yet, so the built-in sandbox answers. For a real model:',
          `  ${credentialCommand('anthropic')}`,
        ]
      : []),
  ]
  const print = isPerson(terminal) ? terminal.out : terminal.err
  print(printable(`${told.join('\n')}\n\n`))
}

async function chatOrServe(
  context: CommandContext,
  app: App,
  chosen: ChosenChat,
  own: RunningGateway | undefined,
  openInput: OpenChatInput | undefined,
): Promise<Result<Output, Fault>> {
  const { exitOf, isPerson, runChat } = await import('./chat-run.ts')
  const end = await runChat(context, app, chosen, openInput)
  if (!end.ok) return end
  const silent = end.value.how === 'over' && end.value.messages === 0
  if (own && silent && !isPerson(context.terminal)) await untilAborted(context.signal)
  // Told to end is how a gateway ends well.
  const exit = context.signal.aborted ? 0 : exitOf(end.value, context.terminal)
  return ok({ text: '', json: {}, exit })
}

/** What a shell puts the token in the place of, inside double quotes. */
function tokenExpansion({ gatewayFiles, show }: App): string {
  const source = gatewayFiles.tokenSource()
  if (source.kind === 'variable') return `$${source.name}`
  const shown = show(source.path)
  return `$(cat ${/^[~\w./+-]+$/.test(shown) ? shown : quoted(source.path)})`
}
