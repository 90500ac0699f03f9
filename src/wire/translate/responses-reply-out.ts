/** A neutral reply as one of OpenAI's Responses API. */

import type { NeutralReply, NeutralUsage, ReplyPart, StopReason } from '../../domain/neutral.ts'
import { ok } from '../../domain/result.ts'
import type { JsonObject } from '../decode.ts'
import type { EncodeReply, ReplyContext } from './replies.ts'

export const encodeResponsesReply: EncodeReply = (reply, context) => {
  const shown = reply.parts.filter(({ type }) => type !== 'thinking' || context.wish.thinking)
  const id = responseId(reply, context)
  return ok(
    responseOf(reply, context, {
      output: shown.map((part, index) => itemOf(part, itemId(id, part.type, index), 'completed')),
      ...endingOf(reply.stop),
      usage: reply.usage ? responsesUsage(reply.usage) : null,
    }),
  )
}

/** A response in whatever state `fields` say. */
export function responseOf(
  named: Pick<NeutralReply, 'id' | 'model'>,
  context: ReplyContext,
  fields: JsonObject,
): JsonObject {
  return {
    id: responseId(named, context),
    object: 'response',
    created_at: context.createdSeconds,
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    ...context.wish.echo,
    model: named.model ?? context.model,
    output: [],
    usage: null,
    ...fields,
  }
}

export function responseId(named: Pick<NeutralReply, 'id'>, context: ReplyContext): string {
  const id = named.id ?? context.id
  return id.startsWith('resp_') ? id : `resp_${id}`
}

const ID_BEGINNINGS: Readonly<Record<ReplyPart['type'], string>> = {
  text: 'msg',
  call: 'fc',
  thinking: 'rs',
}

export function itemId(responseId_: string, type: ReplyPart['type'], index: number): string {
  return `${ID_BEGINNINGS[type]}_${responseId_.slice('resp_'.length)}_${index}`
}

/** A part as an item of the output; one in progress holds nothing yet. */
export function itemOf(
  part: ReplyPart,
  id: string,
  status: 'in_progress' | 'completed',
): JsonObject {
  const isDone = status === 'completed'
  switch (part.type) {
    case 'text': {
      const content = isDone ? [textPart(part.text)] : []
      return { id, type: 'message', status, role: 'assistant', content }
    }
    case 'call': {
      const { id: call_id, name, input } = part
      const text = isDone ? input || '{}' : ''
      return { id, type: 'function_call', status, call_id, name, arguments: text }
    }
    case 'thinking':
      return { id, type: 'reasoning', summary: isDone ? [summaryPart(part.text)] : [] }
    default:
      return part satisfies never
  }
}

export function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] }
}

export function summaryPart(text: string): JsonObject {
  return { type: 'summary_text', text }
}

export function endingOf(stop: StopReason): JsonObject & { readonly status: string } {
  if (stop === 'max_tokens') {
    return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
  }
  return stop === 'refusal'
    ? { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }
    : { status: 'completed', incomplete_details: null }
}

export function responsesUsage(usage: NeutralUsage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cacheReadTokens ?? 0,
      cache_write_tokens: usage.cacheWriteTokens ?? 0,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.thinkingTokens ?? 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
  }
}
