/** The cheapest request of each dialect, and the events of its answer. Only probes speak so. */

import * as v from 'valibot'
import type { ReplyEvent } from '../domain/chat.ts'
import type { ChatCodec } from '../domain/ports.ts'
import type { ProbeRequest } from '../domain/probe.ts'
import type { Protocol } from '../domain/provider.ts'
import { decodeAnthropicStream, encodeAnthropicRequest } from './anthropic-messages.ts'
import { decodeOpenaiStream, encodeOpenaiRequest } from './openai-chat.ts'
import { errorEvent, parseEvent, replyCut } from './reply-event.ts'
import type { SseEvent } from './sse.ts'
import { sseEvents } from './sse.ts'

interface ProbeDialect extends Pick<ChatCodec, 'path' | 'decode'> {
  readonly encode: (provider: string, model: string) => string
}

const MESSAGES = [{ role: 'user', text: 'ping' }] as const
/** OpenAI's Responses API and those that pass requests on to it take no less, tokens. */
const SMALLEST_RESPONSE = 16

export const PROBE_DIALECTS: Readonly<Record<Protocol, ProbeDialect>> = {
  'anthropic-messages': {
    path: '/v1/messages',
    encode: (_, model) => encodeAnthropicRequest({ model, messages: MESSAGES, maxTokens: 1 }),
    decode: (body) => decodeAnthropicStream(sseEvents(body)),
  },
  'openai-chat': {
    path: '/chat/completions',
    encode: (provider, model) => {
      const maxTokens = provider === 'openrouter' ? SMALLEST_RESPONSE : 1
      return encodeOpenaiRequest({ model, messages: MESSAGES, maxTokens })
    },
    decode: (body) => decodeOpenaiStream(sseEvents(body)),
  },
  'openai-responses': {
    path: '/responses',
    encode: encodeResponsesRequest,
    decode: (body) => decodeResponsesStream(sseEvents(body)),
  },
}

export const probeRequest: ProbeRequest = ({ id, protocol }, model) => {
  const { path, encode } = PROBE_DIALECTS[protocol]
  return { path, body: encode(id, model) }
}

/** A ChatGPT login is answered on other terms than a key: it wants instructions and takes no limit. */
function encodeResponsesRequest(provider: string, model: string): string {
  return JSON.stringify({
    model,
    instructions: 'Answer with one word.',
    input: [{ role: 'user', content: [{ type: 'input_text', text: 'ping' }] }],
    stream: true,
    store: false,
    ...(provider !== 'openai-codex' && { max_output_tokens: SMALLEST_RESPONSE }),
  })
}

const ended = v.object({
  usage: v.nullish(v.object({ input_tokens: v.number(), output_tokens: v.number() })),
})
const responseEvent = v.variant('type', [
  v.object({ type: v.literal('response.completed'), response: ended }),
  v.object({ type: v.literal('response.incomplete'), response: ended }),
  v.object({ type: v.literal('response.failed') }),
  v.object({ type: v.literal('error') }),
])

async function* decodeResponsesStream(
  events: AsyncIterable<SseEvent>,
): AsyncGenerator<ReplyEvent, void> {
  for await (const { data } of events) {
    const event = parseEvent(responseEvent, data)
    if (!event) continue
    switch (event.type) {
      case 'response.completed':
      case 'response.incomplete': {
        const { usage } = event.response
        if (usage) {
          const { input_tokens: inputTokens, output_tokens: outputTokens } = usage
          yield { type: 'usage', usage: { inputTokens, outputTokens } }
        }
        yield {
          type: 'stop',
          reason: event.type === 'response.completed' ? 'end_turn' : 'max_tokens',
        }
        return
      }
      case 'response.failed':
      case 'error':
        yield errorEvent('openai-responses', data)
        return
      default:
        event satisfies never
    }
  }
  throw replyCut()
}
