/** A neutral reply as one of OpenAI's Chat Completions, whole or as it streams. */

import type { CallPart, NeutralReply, NeutralUsage, StopReason } from '../../domain/neutral.ts'
import { ok } from '../../domain/result.ts'
import type { JsonObject } from '../decode.ts'
import { renderSse } from '../sse.ts'
import type { EncodeEvent, EncodeReply, ReplyContext } from './replies.ts'
import { laterUsage } from './replies.ts'

const FINISHES: Readonly<Record<StopReason, string>> = {
  end: 'stop',
  max_tokens: 'length',
  stop_sequence: 'stop',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
  pause: 'stop',
}

export const encodeChatReply: EncodeReply = (reply, context) => {
  const texts = reply.parts.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  const thoughts = reply.parts.flatMap((part) => (part.type === 'thinking' ? [part.text] : []))
  const calls = reply.parts.filter((part): part is CallPart => part.type === 'call')
  return ok({
    ...head(reply, context, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: texts.length > 0 ? texts.join('') : null,
          refusal: null,
          ...(context.wish.thinking &&
            thoughts.length > 0 && { reasoning_content: thoughts.join('\n\n') }),
          ...(calls.length > 0 && { tool_calls: calls.map(callOf) }),
        },
        logprobs: null,
        finish_reason: FINISHES[reply.stop],
      },
    ],
    ...(reply.usage && { usage: usageOf(reply.usage) }),
  })
}

export function createChatEncoder(context: ReplyContext): EncodeEvent {
  let named: Pick<NeutralReply, 'id' | 'model'> | undefined
  let calls = 0
  let usage: NeutralUsage | undefined

  function chunk(choices: readonly JsonObject[], counts: JsonObject | null = null): string {
    return renderSse({
      data: JSON.stringify({
        ...head(named ?? {}, context, 'chat.completion.chunk'),
        choices,
        ...(context.wish.usage && { usage: counts }),
      }),
    })
  }

  function delta(fields: JsonObject, finish: string | null = null): string {
    return chunk([{ index: 0, delta: fields, logprobs: null, finish_reason: finish }])
  }

  function start(by: Pick<NeutralReply, 'id' | 'model'>): string {
    if (named) return ''
    named = by
    return delta({ role: 'assistant', content: '' })
  }

  return (event) => {
    switch (event.type) {
      case 'start':
        return start(event)
      case 'text':
        return start({}) + delta({ content: event.text })
      case 'thinking':
        return context.wish.thinking ? start({}) + delta({ reasoning_content: event.text }) : ''
      case 'call': {
        const described = { name: event.name, arguments: '' }
        const call = { index: calls, id: event.id, type: 'function', function: described }
        calls += 1
        return start({}) + delta({ tool_calls: [call] })
      }
      case 'input':
        return delta({ tool_calls: [{ index: calls - 1, function: { arguments: event.json } }] })
      case 'usage':
        usage = laterUsage(usage, event.usage)
        return ''
      case 'ping':
        return ': ping\n\n'
      case 'stop': {
        const counts = usage && context.wish.usage ? chunk([], usageOf(usage)) : ''
        const done = renderSse({ data: '[DONE]' })
        return start({}) + delta({}, FINISHES[event.reason]) + counts + done
      }
      case 'error':
        return ''
      default:
        return event satisfies never
    }
  }
}

function head(
  named: Pick<NeutralReply, 'id' | 'model'>,
  context: ReplyContext,
  object: string,
): JsonObject {
  const id = named.id ?? context.id
  return {
    id: id.startsWith('chatcmpl-') ? id : `chatcmpl-${id}`,
    object,
    created: context.createdSeconds,
    model: named.model ?? context.model,
  }
}

function callOf({ id, name, input }: CallPart): JsonObject {
  return { id, type: 'function', function: { name, arguments: input } }
}

function usageOf(usage: NeutralUsage): JsonObject {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cacheReadTokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage.thinkingTokens ?? 0 },
  }
}
