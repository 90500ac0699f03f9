/** The sandbox as a server of OpenAI's Chat Completions API. */

import * as v from 'valibot'
import { fail, ok } from '../../domain/result.ts'
import { decode } from '../../wire/decode.ts'
import { renderSse } from '../../wire/sse.ts'
import { lastMessage, messagesSchema, misfitWords, textOf, tokensOf } from './content.ts'
import type { Dialect, SandboxReply } from './dialect.ts'
import type { Refusal } from './keys.ts'

const limit = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1)))
const requestSchema = v.looseObject({
  model: v.string(),
  max_tokens: limit,
  max_completion_tokens: limit,
  stream: v.nullish(v.boolean()),
  stream_options: v.nullish(v.looseObject({ include_usage: v.optional(v.boolean()) })),
  messages: messagesSchema,
})

export const OPENAI: Dialect = {
  requestIdHeader: 'x-request-id',
  idPrefix: 'chatcmpl-sandbox-',

  parse(body) {
    const read = decode(requestSchema, body)
    if (!read.ok) return fail(misfitWords(read.fault))
    const { model, stream, messages } = read.value
    return ok({
      model,
      stream: stream ?? false,
      message: lastMessage(messages),
      inputTokens: tokensOf(messages.map(({ content }) => textOf(content))),
      maxTokens: read.value.max_completion_tokens ?? read.value.max_tokens ?? Infinity,
      withUsage: read.value.stream_options?.include_usage ?? false,
    })
  },

  whole: (reply) => ({
    ...head(reply, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: reply.pieces.join(''), refusal: null },
        logprobs: null,
        finish_reason: finishReason(reply),
      },
    ],
    usage: usage(reply),
  }),

  opening: (reply) => [chunk(reply, { role: 'assistant', content: '' }, null)],
  word: (reply, piece) => chunk(reply, { content: piece }, null),
  closing: (reply) => [
    chunk(reply, {}, finishReason(reply)),
    ...(reply.request.withUsage ? [usageChunk(reply)] : []),
    renderSse({ data: '[DONE]' }),
  ],

  limitHeaders: () => ({
    'x-ratelimit-limit-requests': '1000',
    'x-ratelimit-remaining-requests': '999',
    'x-ratelimit-reset-requests': '1m0s',
  }),
  refusal: errorBody,
  errorFrame: (refusal) => renderSse({ data: JSON.stringify(errorBody(refusal)) }),
}

function head(reply: SandboxReply, object: string): Readonly<Record<string, unknown>> {
  return { id: reply.id, object, created: reply.createdSeconds, model: reply.request.model }
}

function chunk(reply: SandboxReply, delta: unknown, finish: string | null): string {
  return renderSse({
    data: JSON.stringify({
      ...head(reply, 'chat.completion.chunk'),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      ...(reply.request.withUsage && { usage: null }),
    }),
  })
}

function usageChunk(reply: SandboxReply): string {
  return renderSse({
    data: JSON.stringify({
      ...head(reply, 'chat.completion.chunk'),
      choices: [],
      usage: usage(reply),
    }),
  })
}

function usage(reply: SandboxReply): Readonly<Record<string, number>> {
  const input = reply.request.inputTokens
  const output = reply.pieces.length
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}

function finishReason(reply: SandboxReply): string {
  return reply.truncated ? 'length' : 'stop'
}

function errorBody(refusal: Refusal): Readonly<Record<string, unknown>> {
  const { message, anthropicType: type, openaiCode: code } = refusal
  return { error: { message, type, param: null, code } }
}
