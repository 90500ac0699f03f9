/** A chat from the first message to the farewell. Knows no terminal: lines come in, a screen shows what happens. */

import type { Fault } from '../domain/fault.ts'
import { parseSlash } from '../domain/slash.ts'
import type { Chat } from './chat-client.ts'
import type { ChatInput } from './chat-input.ts'
import type { ChosenChat } from './chat-options.ts'
import type { ChatScreen } from './chat-screen.ts'
import { playTurn } from './chat-turn.ts'

export interface ChatParts {
  readonly chat: Chat
  readonly input: ChatInput
  readonly screen: ChatScreen
  readonly chosen: ChosenChat
  /** Model aliases: `/opus` chooses a model as `/model opus` does. */
  readonly aliases: readonly string[]
  /** Ends the chat and the turn that runs. */
  readonly signal: AbortSignal
}

export interface ChatEnd {
  /** Messages that were sent. */
  readonly messages: number
  /** How the last of them failed. */
  readonly lastFault?: Fault
  /** `over`: the input ended, or the process was told to end. `left`: the user said so; `interrupted`: with Ctrl-C. */
  readonly how: 'over' | 'left' | 'interrupted'
}

const FAREWELLS = ['/exit', '/quit']
const HOW_TO_LEAVE = 'Leave with Ctrl-D or /exit; a second Ctrl-C leaves too.'

/** Sends each message and shows its reply until the input ends. A turn that fails does not end the chat. */
export async function holdChat(parts: ChatParts): Promise<ChatEnd> {
  let { chosen } = parts
  let end: ChatEnd = { messages: 0, how: 'over' }
  let asked = false
  while (!parts.signal.aborted) {
    const typed = await parts.input.next()
    if (typed.kind === 'end') break
    if (typed.kind === 'interrupt') {
      if (asked) return { ...end, how: 'interrupted' }
      parts.screen.notice(HOW_TO_LEAVE)
      asked = true
      continue
    }
    asked = false
    const message = typed.text.trim()
    if (FAREWELLS.includes(message.toLowerCase())) return { ...end, how: 'left' }
    if (message === '') continue
    const fault = await turn(parts, chosen, message)
    end = { messages: end.messages + 1, ...(fault && { lastFault: fault }), how: 'over' }
    // What was chosen in the chat wins over what was chosen at its start.
    if (!fault && choosesModel(message, parts.aliases)) chosen = withoutModel(chosen)
  }
  return end
}

/** Gives the fault that was shown; a reply that the user stopped is none. */
async function turn(
  { chat, input, screen, signal }: ChatParts,
  chosen: ChosenChat,
  message: string,
): Promise<Fault | undefined> {
  const stopped = new AbortController()
  const either = AbortSignal.any([signal, stopped.signal])
  const events = chat.turn({ ...chosen, message }, either)
  const { fault } = await input.during(playTurn(events, screen), () => stopped.abort())
  if (fault && either.aborted) screen.notice('stopped')
  else if (fault) screen.fault(fault)
  return stopped.signal.aborted ? undefined : fault
}

function choosesModel(message: string, aliases: readonly string[]): boolean {
  const command = parseSlash(message, aliases)
  return (
    command?.ok === true && ['model_set', 'model_pick', 'model_unpin'].includes(command.value.name)
  )
}

function withoutModel({ model: _model, ...rest }: ChosenChat): ChosenChat {
  return rest
}
