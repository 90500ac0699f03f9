/** OpenAI's Chat Completions dialect: a chat turn to its request, its stream to reply events. */

import * as v from 'valibot'
import type { ChatRequest, ReplyEvent } from '../domain/chat.ts'
import { errorEvent, parseEvent, replyCut } from './reply-event.ts'
import type { SseEvent } from './sse.ts'

/** OpenAI's newer families refuse `max_tokens`; most servers that copy its dialect know nothing else. */
const TAKES_COMPLETION_TOKENS = /^(?:openai\/)?(?:o\d|gpt-[5-9])/

/** Name of the field that bears the longest reply for this model. */
export function limitField(model: string): 'max_completion_tokens' | 'max_tokens' {
  return TAKES_COMPLETION_TOKENS.test(model) ? 'max_completion_tokens' : 'max_tokens'
}

/** Stop reasons in the words that the rest of the program uses. */
const STOP_REASONS: ReadonlyMap<string, string> = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['content_filter', 'refusal'],
])

/** Body of `POST /chat/completions` for a streamed reply with its usage. */
export function encodeOpenaiRequest(request: ChatRequest): string {
  const system = request.system === undefined ? [] : [{ role: 'system', content: request.system }]
  return JSON.stringify({
    model: request.model,
    [limitField(request.model)]: request.maxTokens,
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      ...system,
      ...request.messages
        .filter(({ text }) => text !== '')
        .map(({ role, text }) => ({ role, content: text })),
    ],
  })
}

const chunk = v.object({
  choices: v.optional(
    v.array(
      v.object({
        delta: v.nullish(
          v.object({ content: v.nullish(v.string()), refusal: v.nullish(v.string()) }),
        ),
        finish_reason: v.nullish(v.string()),
        error: v.nullish(v.unknown()),
      }),
    ),
  ),
  usage: v.nullish(v.object({ prompt_tokens: v.number(), completion_tokens: v.number() })),
  error: v.nullish(v.unknown()),
})

/**
 * The reply as it streams; stop reasons in the words of `anthropic-messages.ts`.
 *
 * Ends with the stop, which comes after the usage, or an error. Throws when the stream ends before either: the reply
 * was cut.
 */
export async function* decodeOpenaiStream(
  events: AsyncIterable<SseEvent>,
): AsyncGenerator<ReplyEvent, void> {
  let reason = 'end_turn'
  for await (const { data } of events) {
    if (data.trim() === '[DONE]') {
      yield { type: 'stop', reason }
      return
    }
    const event = parseEvent(chunk, data)
    if (event?.error || event?.choices?.[0]?.error) {
      yield errorEvent('openai-chat', data)
      return
    }
    if (!event) continue
    yield* chunkEvents(event)
    const finish = event.choices?.[0]?.finish_reason
    if (finish) reason = STOP_REASONS.get(finish) ?? finish
  }
  throw replyCut()
}

function* chunkEvents(event: v.InferOutput<typeof chunk>): Generator<ReplyEvent, void> {
  const choice = event.choices?.[0]
  const text = choice?.delta?.content || choice?.delta?.refusal
  if (text) yield { type: 'text', text }
  if (event.usage) {
    const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = event.usage
    yield { type: 'usage', usage: { inputTokens, outputTokens } }
  }
}
