/** Recorded conversations: what a client asked, what the model was sent, what it answered and what the client was told. */

import chatOnMessages from '../../fixtures/translate/chat-on-messages.json' with { type: 'json' }
import messagesOnChat from '../../fixtures/translate/messages-on-chat.json' with { type: 'json' }
import responses from '../../fixtures/translate/responses.json' with { type: 'json' }
import type { UpstreamAnswer } from '../../../src/domain/ports.ts'
import type { Protocol } from '../../../src/domain/provider.ts'
import { provider } from '../../names-from.ts'

type Json = Readonly<Record<string, unknown>>

export interface Recorded {
  readonly title: string
  readonly source: Protocol
  readonly target: Protocol
  /** Of the model; absent: one of no particular kind. */
  readonly provider?: string
  readonly model: string
  readonly request: Json
  readonly sent: Json
  readonly dropped: readonly string[]
  readonly reply: Json
  readonly told: Json
  /** Data of the events in which the same reply streams. */
  readonly stream: readonly (string | Json)[]
}

export const RECORDED = [...messagesOnChat, ...chatOnMessages, ...responses] as readonly Recorded[]

export function factsOf({ provider: id = 'mine', target }: Recorded): {
  readonly id: ReturnType<typeof provider>
  readonly protocol: Protocol
} {
  return { id: provider(id), protocol: target }
}

export function bytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

/** The stream as its provider sends it. */
export function streamText({ target, stream }: Pick<Recorded, 'target' | 'stream'>): string {
  return stream
    .map((data) => {
      const text = typeof data === 'string' ? data : JSON.stringify(data)
      const named = target !== 'openai-chat' && typeof data !== 'string'
      return `${named ? `event: ${String(data['type'])}\n` : ''}data: ${text}\n\n`
    })
    .join('')
}

export function answer(body: AsyncIterable<Uint8Array>, type: string): UpstreamAnswer {
  return { status: 200, headers: { 'content-type': type }, body }
}
