/** The dialects in which a chat turn can be put. */

import type { ChatCodec } from '../domain/ports.ts'
import type { Protocol } from '../domain/provider.ts'
import { decodeAnthropicStream, encodeAnthropicRequest } from './anthropic-messages.ts'
import { decodeOpenaiStream, encodeOpenaiRequest } from './openai-chat.ts'
import { sseEvents } from './sse.ts'

export const CHAT_CODECS: Readonly<Partial<Record<Protocol, ChatCodec>>> = {
  'anthropic-messages': {
    path: '/v1/messages',
    encode: encodeAnthropicRequest,
    decode: (body) => decodeAnthropicStream(sseEvents(body)),
  },
  'openai-chat': {
    path: '/chat/completions',
    encode: encodeOpenaiRequest,
    decode: (body) => decodeOpenaiStream(sseEvents(body)),
  },
}
