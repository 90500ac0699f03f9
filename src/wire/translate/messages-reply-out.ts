/** A neutral reply as one of Anthropic's Messages API, whole or as it streams. */

import type { NeutralEvent, NeutralReply, NeutralUsage, StopReason } from '../../domain/neutral.ts'
import { fail, ok } from '../../domain/result.ts'
import type { JsonObject } from '../decode.ts'
import { renderSse } from '../sse.ts'
import type { EncodeEvent, EncodeReply, ReplyContext } from './replies.ts'
import { inputObject, laterUsage, unreadable } from './replies.ts'

const STOPS: Readonly<Record<StopReason, string>> = {
  end: 'end_turn',
  max_tokens: 'max_tokens',
  stop_sequence: 'stop_sequence',
  tool_use: 'tool_use',
  refusal: 'refusal',
  pause: 'pause_turn',
}

export const encodeMessagesReply: EncodeReply = (reply, context) => {
  const content: JsonObject[] = []
  for (const part of reply.parts) {
    switch (part.type) {
      case 'text':
        content.push({ type: 'text', text: part.text })
        break
      case 'thinking':
        if (context.wish.thinking) content.push(thought(part.text))
        break
      case 'call': {
        const input = inputObject(part.input)
        if (!input)
          return fail(unreadable(`calls ${part.name} with an input that is no JSON object`))
        content.push({ type: 'tool_use', id: part.id, name: part.name, input })
        break
      }
      default:
        part satisfies never
    }
  }
  return ok({
    ...message(reply, context),
    content,
    stop_reason: STOPS[reply.stop],
    stop_sequence: reply.stopSequence ?? null,
    usage: usageOf(reply.usage),
  })
}

export function createMessagesEncoder(context: ReplyContext): EncodeEvent {
  let started = false
  let index = -1
  let open: 'text' | 'thinking' | 'call' | undefined
  let usage: NeutralUsage | undefined

  function start(named: Pick<NeutralReply, 'id' | 'model'>): string {
    if (started) return ''
    started = true
    const empty = {
      ...message(named, context),
      content: [],
      stop_reason: null,
      stop_sequence: null,
    }
    return frame('message_start', { message: { ...empty, usage: usageOf(usage) } })
  }

  function close(): string {
    if (!open) return ''
    open = undefined
    return frame('content_block_stop', { index })
  }

  function begin(kind: NonNullable<typeof open>, block: JsonObject): string {
    const closed = close()
    open = kind
    index += 1
    return closed + frame('content_block_start', { index, content_block: block })
  }

  const delta = (fields: JsonObject): string =>
    frame('content_block_delta', { index, delta: fields })

  function end({ reason, stopSequence }: Extract<NeutralEvent, { type: 'stop' }>): string {
    return [
      close(),
      frame('message_delta', {
        delta: { stop_reason: STOPS[reason], stop_sequence: stopSequence ?? null },
        usage: usageOf(usage),
      }),
      frame('message_stop', {}),
    ].join('')
  }

  function rest(event: Exclude<NeutralEvent, { type: 'start' | 'error' }>): string {
    switch (event.type) {
      case 'text': {
        const begun = open === 'text' ? '' : begin('text', { type: 'text', text: '' })
        return begun + delta({ type: 'text_delta', text: event.text })
      }
      case 'thinking': {
        if (!context.wish.thinking) return ''
        const begun = open === 'thinking' ? '' : begin('thinking', thought(''))
        return begun + delta({ type: 'thinking_delta', thinking: event.text })
      }
      case 'call':
        return begin('call', { type: 'tool_use', id: event.id, name: event.name, input: {} })
      case 'input':
        return delta({ type: 'input_json_delta', partial_json: event.json })
      case 'usage':
        usage = laterUsage(usage, event.usage)
        return ''
      case 'ping':
        return frame('ping', {})
      case 'stop':
        return end(event)
      default:
        return event satisfies never
    }
  }

  return (event) => {
    if (event.type === 'start') return start(event)
    if (event.type === 'error') return ''
    if (event.type === 'usage') return rest(event)
    const begun = start({})
    return begun + rest(event)
  }
}

/** A thought of another model's bears no seal that Anthropic would know. */
function thought(text: string): JsonObject {
  return { type: 'thinking', thinking: text, signature: '' }
}

function message(named: Pick<NeutralReply, 'id' | 'model'>, context: ReplyContext): JsonObject {
  const id = named.id ?? context.id
  return {
    id: id.startsWith('msg_') ? id : `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model: named.model ?? context.model,
  }
}

/** Anthropic counts what goes through its cache apart from the rest of the input. */
function usageOf(usage: NeutralUsage | undefined): JsonObject {
  const read = usage?.cacheReadTokens ?? 0
  const written = usage?.cacheWriteTokens ?? 0
  return {
    input_tokens: Math.max(0, (usage?.inputTokens ?? 0) - read - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    output_tokens: usage?.outputTokens ?? 0,
  }
}

function frame(type: string, fields: JsonObject): string {
  return renderSse({ event: type, data: JSON.stringify({ type, ...fields }) })
}
