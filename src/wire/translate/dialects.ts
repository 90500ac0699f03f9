/** The protocols between which requests and replies are translated. */

import type { NeutralEvent, NeutralRequest, ReplyWish } from '../../domain/neutral.ts'
import type { Protocol, ProviderFacts } from '../../domain/provider.ts'
import type { JsonObject } from '../decode.ts'
import type { SseEvent } from '../sse.ts'
import { decodeChatReply, decodeChatStream } from './chat-reply-in.ts'
import { createChatEncoder, encodeChatReply } from './chat-reply-out.ts'
import { decodeChatRequest } from './chat-request-in.ts'
import { encodeChatRequest } from './chat-request-out.ts'
import type { DecodeRequest } from './decoded.ts'
import { decodeMessagesReply, decodeMessagesStream } from './messages-reply-in.ts'
import { createMessagesEncoder, encodeMessagesReply } from './messages-reply-out.ts'
import { decodeMessagesRequest } from './messages-request-in.ts'
import { encodeMessagesRequest } from './messages-request-out.ts'
import type { DecodeReply, EncodeEvent, EncodeReply, ReplyContext } from './replies.ts'
import { decodeResponsesReply, decodeResponsesStream } from './responses-reply-in.ts'
import { encodeResponsesReply } from './responses-reply-out.ts'
import { decodeResponsesRequest } from './responses-request-in.ts'
import { encodeResponsesRequest } from './responses-request-out.ts'
import { createResponsesEncoder } from './responses-stream-out.ts'

export interface TranslationDialect {
  /** Under a provider's base URL. */
  readonly path: string
  /** Headers that a request of this protocol must bear. */
  readonly headers: Readonly<Record<string, string>>
  readonly decodeRequest: DecodeRequest
  readonly encodeRequest: (
    request: NeutralRequest,
    facts: Pick<ProviderFacts, 'id'>,
    wish: Pick<ReplyWish, 'thinking'>,
  ) => JsonObject
  readonly decodeReply: DecodeReply
  /** The last event is the stop or an error. Throws when the stream ends before either, or cannot be understood. */
  readonly decodeStream: (events: AsyncIterable<SseEvent>) => AsyncIterable<NeutralEvent>
  readonly encodeReply: EncodeReply
  readonly createEncoder: (context: ReplyContext) => EncodeEvent
}

export const TRANSLATION_DIALECTS: Readonly<Record<Protocol, TranslationDialect>> = {
  'anthropic-messages': {
    path: '/v1/messages',
    // The newer version refuses sampling fields that callers of other protocols send.
    headers: { 'anthropic-version': '2023-06-01' },
    decodeRequest: decodeMessagesRequest,
    encodeRequest: encodeMessagesRequest,
    decodeReply: decodeMessagesReply,
    decodeStream: decodeMessagesStream,
    encodeReply: encodeMessagesReply,
    createEncoder: createMessagesEncoder,
  },
  'openai-chat': {
    path: '/chat/completions',
    headers: {},
    decodeRequest: decodeChatRequest,
    encodeRequest: encodeChatRequest,
    decodeReply: decodeChatReply,
    decodeStream: decodeChatStream,
    encodeReply: encodeChatReply,
    createEncoder: createChatEncoder,
  },
  'openai-responses': {
    path: '/responses',
    headers: {},
    decodeRequest: decodeResponsesRequest,
    encodeRequest: encodeResponsesRequest,
    decodeReply: decodeResponsesReply,
    decodeStream: decodeResponsesStream,
    encodeReply: encodeResponsesReply,
    createEncoder: createResponsesEncoder,
  },
}
