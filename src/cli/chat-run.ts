/** A chat on this process's terminal or standard input, from its first lines to its exit code. */

import type { Fault, FaultCode } from '../domain/fault.ts'
import { formatModelKey } from '../domain/names.ts'
import { aliasesOf } from '../domain/models.ts'
import { printable } from '../domain/printable.ts'
import type { ExplainReport } from '../domain/report.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import type { Chat } from './chat-client.ts'
import { openChat } from './chat-client.ts'
import type { OpenChatInput } from './chat-input.ts'
import { openChatInput } from './chat-input.ts'
import type { ChatEnd } from './chat-loop.ts'
import { holdChat } from './chat-loop.ts'
import type { ChosenChat } from './chat-options.ts'
import type { ChatScreen } from './chat-screen.ts'
import { createPersonScreen, createScriptScreen } from './chat-screen.ts'
import type { CommandContext } from './command.ts'
import { createLayout } from './layout.ts'
import type { Terminal } from './terminal.ts'

/** How many earlier messages the arrow keys reach. */
const HISTORY_LENGTH = 200

/** What a `/model` typed in the chat mends. */
const MENDABLE: readonly FaultCode[] = [
  'EQ_PIN_UNUSABLE',
  'EQ_MODEL_UNKNOWN',
  'EQ_MODEL_NOT_ALLOWED',
  'EQ_MODEL_NO_DEFAULT',
  'EQ_PROVIDER_UNKNOWN',
  'EQ_PROFILE_FOREIGN',
]

/** A person types and reads here; otherwise lines come in and replies go out. */
export function isPerson(terminal: Terminal): boolean {
  return terminal.inputIsTerminal && terminal.outputIsTerminal
}

/**
 * Chats until the user leaves or the input ends.
 *
 * @param openInput where the messages come from
 * @faults those of reaching the gateway, of the settings, and of a model that was named wrongly
 */
export async function runChat(
  { terminal, signal }: Pick<CommandContext, 'terminal' | 'signal'>,
  app: App,
  chosen: ChosenChat,
  openInput: OpenChatInput = openChatInput,
): Promise<Result<ChatEnd, Fault>> {
  const chat = await openChat(app)
  if (!chat.ok) return chat
  const answering = await whoAnswers(app, chosen)
  const mendable = chosen.model === undefined && !answering.ok && isMendable(answering.fault)
  if (!answering.ok && !mendable) return answering
  const loaded = await app.settings.read()
  if (!loaded.ok) return loaded

  const person = isPerson(terminal)
  const screen = (person ? createPersonScreen : createScriptScreen)(terminal, app.clock.now)
  greet(screen, chat.value, chosen, answering, person)
  const prompt = `${createLayout(terminal).paint('strong', 'you ›')} `
  const input = openInput({
    ...(person && { person: { prompt, history: await earlierMessages(app, chosen) } }),
    signal,
  })
  try {
    const aliases = [...aliasesOf(loaded.value.settings).values()].map(({ alias }) => alias)
    return ok(await holdChat({ chat: chat.value, input, screen, chosen, aliases, signal }))
  } finally {
    input.close()
  }
}

/** The exit code of a chat: a person leaves with 0, a script learns how its last message went. */
export function exitOf(end: ChatEnd, terminal: Terminal): number {
  if (end.how === 'interrupted') return 130
  return end.lastFault && !isPerson(terminal) ? 1 : 0
}

/**
 * The model and credential that the next message meets; a session that is not there yet uses the default.
 *
 * @faults those of `Report.explain` but `EQ_SESSION_UNKNOWN`
 */
export async function whoAnswers(
  app: App,
  { agent, session, model }: ChosenChat,
): Promise<Result<ExplainReport, Fault>> {
  const asked = { ...(agent && { agent }), ...(model !== undefined && { model }) }
  const report = await app.report.explain({ ...asked, session })
  const unborn = !report.ok && report.fault.code === 'EQ_SESSION_UNKNOWN'
  return unborn ? app.report.explain(asked) : report
}

/** `anthropic/claude-sonnet-5-5 by anthropic:work`. */
export function answererText({ model, next }: ExplainReport): string {
  const name = formatModelKey(model)
  return next ? `${name} by ${next.profile}` : `${name}, for which no credential is usable`
}

function greet(
  screen: ChatScreen,
  chat: Chat,
  { session }: ChosenChat,
  answering: Result<ExplainReport, Fault>,
  person: boolean,
): void {
  const way =
    chat.via === 'gateway'
      ? `through the gateway at ${chat.url}`
      : 'in this process; no gateway is running'
  if (answering.ok) screen.notice(`${answererText(answering.value)} · session ${session} · ${way}`)
  else screen.notice(`Session ${session} · ${way}`)
  if (!answering.ok && person) screen.fault(answering.fault)
  if (person) screen.notice('/help lists commands. Ctrl-C stops a reply; Ctrl-D or /exit leaves.')
}

function isMendable(fault: Fault): boolean {
  return MENDABLE.includes(fault.code)
}

/** What the user said in this session before; a transcript that cannot be read is told by the first turn. */
async function earlierMessages(app: App, chosen: ChosenChat): Promise<readonly string[]> {
  const world = await app.loadWorld(chosen.agent)
  if (!world.ok) return []
  const entries = await app.sessions.transcript(world.value.agent, chosen.session)
  if (!entries.ok) return []
  return entries.value
    .filter(({ role, text }) => role === 'user' && !text.includes('\n'))
    .slice(-HISTORY_LENGTH)
    .map(({ text }) => printable(text))
}
