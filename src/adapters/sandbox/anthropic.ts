/** The sandbox as a server of Anthropic's Messages API. */

import * as v from 'valibot'
import { fail, ok } from '../../domain/result.ts'
import { decode } from '../../wire/decode.ts'
import { renderSse } from '../../wire/sse.ts'
import {
  contentSchema,
  lastMessage,
  messagesSchema,
  misfitWords,
  textOf,
  tokensOf,
} from './content.ts'
import type { Dialect, SandboxReply } from './dialect.ts'
import type { Refusal } from './keys.ts'

const requestSchema = v.looseObject({
  model: v.string(),
  /** Absent when tokens are only counted. */
  max_tokens: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  stream: v.nullish(v.boolean()),
  system: v.optional(contentSchema),
  messages: messagesSchema,
})

export const ANTHROPIC: Dialect = {
  requestIdHeader: 'request-id',
  idPrefix: 'msg_sandbox_',

  parse(body) {
    const read = decode(requestSchema, body)
    if (!read.ok) return fail(misfitWords(read.fault))
    const { model, max_tokens: maxTokens, stream, system, messages } = read.value
    return ok({
      model,
      stream: stream ?? false,
      message: lastMessage(messages),
      inputTokens: tokensOf([textOf(system), ...messages.map(({ content }) => textOf(content))]),
      maxTokens: maxTokens ?? Infinity,
      withUsage: true,
    })
  },

  whole: (reply) => ({
    ...message(reply),
    content: [{ type: 'text', text: reply.pieces.join('') }],
    stop_reason: stopReason(reply),
    usage: { ...inputUsage(reply), output_tokens: reply.pieces.length },
  }),

  opening: (reply) => [
    frame('message_start', { message: message(reply) }),
    frame('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    frame('ping', {}),
  ],

  word: (_reply, piece) =>
    frame('content_block_delta', { index: 0, delta: { type: 'text_delta', text: piece } }),

  closing: (reply) => [
    frame('content_block_stop', { index: 0 }),
    frame('message_delta', {
      delta: { stop_reason: stopReason(reply), stop_sequence: null },
      usage: { output_tokens: reply.pieces.length },
    }),
    frame('message_stop', {}),
  ],

  limitHeaders: (resetsAt) => ({
    'anthropic-ratelimit-requests-limit': '1000',
    'anthropic-ratelimit-requests-remaining': '999',
    'anthropic-ratelimit-requests-reset': new Date(resetsAt).toISOString(),
  }),
  refusal: errorBody,
  errorFrame: (refusal, requestId) =>
    renderSse({ event: 'error', data: JSON.stringify(errorBody(refusal, requestId)) }),
}

function message(reply: SandboxReply): Readonly<Record<string, unknown>> {
  return {
    id: reply.id,
    type: 'message',
    role: 'assistant',
    model: reply.request.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...inputUsage(reply), output_tokens: 1 },
  }
}

function inputUsage(reply: SandboxReply): Readonly<Record<string, number>> {
  return {
    input_tokens: reply.request.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  }
}

function stopReason(reply: SandboxReply): string {
  return reply.truncated ? 'max_tokens' : 'end_turn'
}

function errorBody(refusal: Refusal, requestId: string): Readonly<Record<string, unknown>> {
  return {
    type: 'error',
    error: { type: refusal.anthropicType, message: refusal.message },
    request_id: requestId,
  }
}

function frame(type: string, fields: Readonly<Record<string, unknown>>): string {
  return renderSse({ event: type, data: JSON.stringify({ type, ...fields }) })
}
