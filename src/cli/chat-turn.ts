/** One turn on a screen: its events are shown as they come and gathered into what happened. */

import type { ChatUsage, TurnEvent } from '../domain/chat.ts'
import type { Fault } from '../domain/fault.ts'
import type { ChatScreen } from './chat-screen.ts'

/** What one turn came to. */
export interface PlayedTurn {
  /** Everything that was answered, a slash command's answer included. */
  readonly reply: string
  /** Who answered; absent when no model did. */
  readonly started?: Extract<TurnEvent, { type: 'started' }>
  readonly stopReason?: string
  readonly usage?: ChatUsage
  /** Why it did not end well. It has not been shown. */
  readonly fault?: Fault
}

export async function playTurn(
  events: AsyncIterable<TurnEvent>,
  screen: ChatScreen,
): Promise<PlayedTurn> {
  let played: PlayedTurn = { reply: '' }
  for await (const event of events) {
    show(screen, event)
    played = withEvent(played, event)
  }
  screen.endReply()
  if (played.fault || played.stopReason !== undefined) return played
  return { ...played, fault: { code: 'EQ_INTERNAL', detail: 'a turn stopped without an end' } }
}

function show(screen: ChatScreen, event: TurnEvent): void {
  if (event.type === 'text') screen.reply(event.text)
  if (event.type === 'notice') screen.notice(event.text)
  if (event.type === 'command') {
    screen.reply(event.text)
    screen.endReply()
  }
}

function withEvent(played: PlayedTurn, event: TurnEvent): PlayedTurn {
  switch (event.type) {
    case 'started':
      return { ...played, started: event }
    case 'text':
      return { ...played, reply: played.reply + event.text }
    case 'command':
      return { ...played, reply: `${played.reply}${event.text}\n` }
    case 'finished':
      return {
        ...played,
        stopReason: event.stopReason,
        ...(event.usage && { usage: event.usage }),
      }
    case 'failed':
      return { ...played, fault: event.fault }
    case 'notice':
      return played
    default:
      return event satisfies never
  }
}
