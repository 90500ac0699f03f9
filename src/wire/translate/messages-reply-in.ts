/** A reply of Anthropic's Messages API, whole or as it streams, understood. */

import * as v from 'valibot'
import type { NeutralEvent, ReplyPart, StopReason } from '../../domain/neutral.ts'
import { valueAt } from '../../domain/plain-data.ts'
import { fail, ok } from '../../domain/result.ts'
import { decode, parseJson } from '../decode.ts'
import { parseEvent, replyCut } from '../reply-event.ts'
import type { SseEvent } from '../sse.ts'
import { anyObject, given } from './decoded.ts'
import type { DecodeReply } from './replies.ts'
import { failed, neutralUsage, unreadable } from './replies.ts'

const STOPS: ReadonlyMap<string, StopReason> = new Map([
  ['end_turn', 'end'],
  ['max_tokens', 'max_tokens'],
  ['model_context_window_exceeded', 'max_tokens'],
  ['stop_sequence', 'stop_sequence'],
  ['tool_use', 'tool_use'],
  ['refusal', 'refusal'],
  ['pause_turn', 'pause'],
])

const text = v.nullish(v.string())
const head = { id: text, model: text }
const stopped = { stop_reason: text, stop_sequence: text }

/** Blocks of other kinds are of tools that Anthropic runs, which no translated request asks for. */
const blockSchema = v.union([
  v.object({ type: v.literal('text'), text: v.string() }),
  v.object({ type: v.literal('thinking'), thinking: v.string() }),
  v.object({
    type: v.literal('tool_use'),
    id: v.string(),
    name: v.string(),
    input: v.nullish(anyObject),
  }),
  v.object({ type: v.string() }),
])
type Block = v.InferOutput<typeof blockSchema>

const replySchema = v.object({ ...head, ...stopped, content: v.array(blockSchema) })

export const decodeMessagesReply: DecodeReply = (body) => {
  const parsed = parseJson(body)
  if (!parsed.ok) return fail(unreadable('is not JSON'))
  if (valueAt(parsed.value, ['type']) === 'error') {
    return fail({ kind: 'failed', failure: failed('anthropic-messages', body) })
  }
  const read = decode(replySchema, parsed.value)
  if (!read.ok) return fail(unreadable(`has no ${read.fault.expected} in ${read.fault.field}`))
  const { id, model, content, stop_reason: reason, stop_sequence: sequence } = read.value
  return ok({
    ...given('id', id),
    ...given('model', model),
    parts: content.flatMap(partsOf),
    stop: STOPS.get(reason ?? 'end_turn') ?? 'end',
    ...given('stopSequence', sequence),
    ...given('usage', neutralUsage(parsed.value)),
  })
}

function partsOf(block: Block): readonly ReplyPart[] {
  if ('thinking' in block) {
    return block.thinking === '' ? [] : [{ type: 'thinking', text: block.thinking }]
  }
  if ('text' in block) return block.text === '' ? [] : [{ type: 'text', text: block.text }]
  if (!('name' in block)) return []
  const { id, name, input } = block
  return [{ type: 'call', id, name, input: JSON.stringify(input ?? {}) }]
}

const deltaSchema = v.union([
  v.object({ type: v.literal('text_delta'), text: v.string() }),
  v.object({ type: v.literal('thinking_delta'), thinking: v.string() }),
  v.object({ type: v.literal('input_json_delta'), partial_json: v.string() }),
])
const eventSchema = v.union([
  v.object({ type: v.literal('content_block_delta'), delta: deltaSchema }),
  v.object({ type: v.literal('content_block_start'), content_block: blockSchema }),
  v.object({ type: v.literal('content_block_stop') }),
  v.object({ type: v.literal('message_start'), message: v.object(head) }),
  v.object({ type: v.literal('message_delta'), delta: v.object(stopped) }),
  v.object({ type: v.literal('message_stop') }),
  v.object({ type: v.literal('ping') }),
  v.object({ type: v.literal('error') }),
])

/** Throws when the stream ends before the stop or an error: the reply was cut. */
export async function* decodeMessagesStream(
  events: AsyncIterable<SseEvent>,
): AsyncGenerator<NeutralEvent, void> {
  let stop: Extract<NeutralEvent, { type: 'stop' }> = { type: 'stop', reason: 'end' }
  /** The call that has begun and has no input yet; a call without any is still one of `{}`. */
  let emptyCall = false
  let ended = false
  for await (const { data } of events) {
    // What comes after the end is read out, so that the connection can serve again.
    const event = ended ? undefined : parseEvent(eventSchema, data)
    if (!event) continue
    switch (event.type) {
      case 'message_start':
        yield {
          type: 'start',
          ...given('id', event.message.id),
          ...given('model', event.message.model),
        }
        yield* usageEvents(data, ['message'])
        break
      case 'content_block_start':
        for (const begun of blockEvents(event.content_block)) {
          yield begun
          emptyCall = begun.type === 'call'
        }
        break
      case 'content_block_delta':
        if (event.delta.type === 'input_json_delta' && event.delta.partial_json !== '') {
          emptyCall = false
        }
        yield* deltaEvents(event.delta)
        break
      case 'content_block_stop':
        if (emptyCall) yield { type: 'input', json: '{}' }
        emptyCall = false
        break
      case 'message_delta': {
        yield* usageEvents(data, [])
        const { stop_reason: reason, stop_sequence: sequence } = event.delta
        if (!reason) break
        stop = {
          type: 'stop',
          reason: STOPS.get(reason) ?? 'end',
          ...given('stopSequence', sequence),
        }
        break
      }
      case 'ping':
        yield { type: 'ping' }
        break
      case 'message_stop':
        yield stop
        ended = true
        break
      case 'error':
        yield { type: 'error', failure: failed('anthropic-messages', data) }
        return
      default:
        event satisfies never
    }
  }
  if (!ended) throw replyCut()
}

/** Some servers put all of a block into its first event. */
function blockEvents(block: Block): readonly NeutralEvent[] {
  return partsOf(block).flatMap((part): readonly NeutralEvent[] => {
    if (part.type !== 'call') return [part]
    const begun: NeutralEvent = { type: 'call', id: part.id, name: part.name }
    return part.input === '{}' ? [begun] : [begun, { type: 'input', json: part.input }]
  })
}

function* deltaEvents(delta: v.InferOutput<typeof deltaSchema>): Generator<NeutralEvent, void> {
  if (delta.type === 'text_delta') {
    if (delta.text !== '') yield { type: 'text', text: delta.text }
  } else if (delta.type === 'thinking_delta') {
    if (delta.thinking !== '') yield { type: 'thinking', text: delta.thinking }
  } else if (delta.partial_json !== '') yield { type: 'input', json: delta.partial_json }
}

function* usageEvents(data: string, place: readonly string[]): Generator<NeutralEvent, void> {
  const parsed = parseJson(data)
  const usage = parsed.ok ? neutralUsage(valueAt(parsed.value, place)) : undefined
  if (usage) yield { type: 'usage', usage }
}
