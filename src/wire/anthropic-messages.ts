/** Anthropic's Messages dialect: a chat turn to its request, its stream to reply events. */

import * as v from 'valibot'
import type { ChatRequest, ReplyEvent } from '../domain/chat.ts'
import { errorEvent, parseEvent, replyCut } from './reply-event.ts'
import type { SseEvent } from './sse.ts'

/** Body of `POST /v1/messages` for a streamed reply. */
export function encodeAnthropicRequest(request: ChatRequest): string {
  return JSON.stringify({
    model: request.model,
    max_tokens: request.maxTokens,
    stream: true,
    ...(request.system !== undefined && { system: request.system }),
    // A reply that was stopped before its first word has no text, and an empty message is refused.
    messages: request.messages
      .filter(({ text }) => text !== '')
      .map(({ role, text }) => ({ role, content: text })),
  })
}

const count = v.optional(v.nullable(v.number()))
const usage = v.object({
  input_tokens: count,
  cache_creation_input_tokens: count,
  cache_read_input_tokens: count,
  output_tokens: count,
})

/** Only what is needed of each event; blocks other than text, and events yet to be invented, are passed over. */
const streamEvent = v.union([
  v.object({ type: v.literal('message_start'), message: v.object({ usage }) }),
  v.object({
    type: v.literal('content_block_delta'),
    delta: v.object({ type: v.literal('text_delta'), text: v.string() }),
  }),
  v.object({
    type: v.literal('message_delta'),
    delta: v.object({ stop_reason: v.nullish(v.string()) }),
    usage: v.optional(usage),
  }),
  v.object({ type: v.literal('message_stop') }),
  v.object({ type: v.literal('error') }),
])

/**
 * The reply as it streams. Stop reasons are Anthropic's own words; input tokens include cached ones.
 *
 * Ends with the stop or an error. Throws when the stream ends before either: the reply was cut.
 */
export async function* decodeAnthropicStream(
  events: AsyncIterable<SseEvent>,
): AsyncGenerator<ReplyEvent, void> {
  let reason = 'end_turn'
  for await (const { data } of events) {
    const event = parseEvent(streamEvent, data)
    if (!event) continue
    switch (event.type) {
      case 'message_start':
        yield* usageEvents(event.message.usage)
        break
      case 'content_block_delta':
        if (event.delta.text !== '') yield { type: 'text', text: event.delta.text }
        break
      case 'message_delta':
        if (event.usage) yield* usageEvents(event.usage)
        reason = event.delta.stop_reason ?? reason
        break
      case 'message_stop':
        yield { type: 'stop', reason }
        return
      case 'error':
        yield errorEvent('anthropic-messages', data)
        return
      default:
        event satisfies never
    }
  }
  throw replyCut()
}

function* usageEvents(counts: v.InferOutput<typeof usage>): Generator<ReplyEvent, void> {
  const input = counts.input_tokens
  const cached = (counts.cache_creation_input_tokens ?? 0) + (counts.cache_read_input_tokens ?? 0)
  yield {
    type: 'usage',
    usage: {
      ...(typeof input === 'number' && { inputTokens: input + cached }),
      ...(typeof counts.output_tokens === 'number' && { outputTokens: counts.output_tokens }),
    },
  }
}
