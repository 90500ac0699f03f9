/** A reply of OpenAI's Responses API, whole or as it streams, understood. */

import * as v from 'valibot'
import type { NeutralEvent, ReplyPart, StopReason } from '../../domain/neutral.ts'
import { valueAt } from '../../domain/plain-data.ts'
import { fail, ok } from '../../domain/result.ts'
import { decode, parseJson } from '../decode.ts'
import { parseEvent, replyCut } from '../reply-event.ts'
import type { SseEvent } from '../sse.ts'
import { createCallOrder } from './call-order.ts'
import { given } from './decoded.ts'
import type { DecodeReply } from './replies.ts'
import { failed, neutralUsage, unreadable } from './replies.ts'

const text = v.nullish(v.string())
const texts = v.nullish(v.array(v.object({ text, refusal: text })), [])
const ended = {
  status: text,
  incomplete_details: v.nullish(v.object({ reason: text })),
}

/** Items of other kinds are of tools that OpenAI runs, which no translated request asks for. */
const itemSchema = v.union([
  v.object({
    type: v.literal('message'),
    content: texts,
  }),
  v.object({
    type: v.literal('function_call'),
    call_id: v.string(),
    name: v.string(),
    arguments: text,
  }),
  v.object({ type: v.literal('reasoning'), summary: texts, content: texts }),
  v.object({ type: v.string() }),
])
type Item = v.InferOutput<typeof itemSchema>

const replySchema = v.object({ id: text, model: text, ...ended, output: v.array(itemSchema) })

export const decodeResponsesReply: DecodeReply = (body) => {
  const parsed = parseJson(body)
  if (!parsed.ok) return fail(unreadable('is not JSON'))
  const failedStatus = valueAt(parsed.value, ['status']) === 'failed'
  if (failedStatus || valueAt(parsed.value, ['error'])) {
    return fail({ kind: 'failed', failure: failed('openai-responses', body) })
  }
  const read = decode(replySchema, parsed.value)
  if (!read.ok) return fail(unreadable(`has no ${read.fault.expected} in ${read.fault.field}`))
  const { id, model, output } = read.value
  const parts = output.flatMap(partsOf)
  return ok({
    ...given('id', id),
    ...given('model', model),
    parts,
    stop: stopOf(
      read.value,
      parts.some(({ type }) => type === 'call'),
    ),
    ...given('usage', neutralUsage(parsed.value)),
  })
}

function partsOf(item: Item): readonly ReplyPart[] {
  if ('call_id' in item) {
    return [{ type: 'call', id: item.call_id, name: item.name, input: item.arguments ?? '' }]
  }
  if ('summary' in item) {
    const thoughts = [...item.summary, ...item.content]
    const words = thoughts.flatMap((thought) => thought.text || []).join('\n\n')
    return words === '' ? [] : [{ type: 'thinking', text: words }]
  }
  if (!('content' in item)) return []
  return item.content.flatMap((part): readonly ReplyPart[] => {
    const words = part.text || part.refusal
    return words ? [{ type: 'text', text: words }] : []
  })
}

function stopOf(
  { status, incomplete_details: details }: v.InferOutput<v.ObjectSchema<typeof ended, undefined>>,
  hasCalls: boolean,
): StopReason {
  if (status === 'incomplete') {
    return details?.reason === 'content_filter' ? 'refusal' : 'max_tokens'
  }
  return hasCalls ? 'tool_use' : 'end'
}

const slot = { output_index: v.number() }
const delta = { delta: v.string() }
const eventSchema = v.variant('type', [
  v.object({ type: v.literal('response.created'), response: v.object({ id: text, model: text }) }),
  v.object({ type: v.literal('response.output_item.added'), ...slot, item: itemSchema }),
  v.object({ type: v.literal('response.output_item.done'), ...slot, item: itemSchema }),
  v.object({ type: v.literal('response.output_text.delta'), ...delta }),
  v.object({ type: v.literal('response.refusal.delta'), ...delta }),
  v.object({ type: v.literal('response.reasoning_summary_text.delta'), ...delta }),
  v.object({ type: v.literal('response.reasoning_text.delta'), ...delta }),
  v.object({ type: v.literal('response.function_call_arguments.delta'), ...slot, ...delta }),
  v.object({ type: v.literal('response.completed'), response: v.object(ended) }),
  v.object({ type: v.literal('response.incomplete'), response: v.object(ended) }),
  v.object({ type: v.literal('response.failed') }),
  v.object({ type: v.literal('error') }),
])
type Event = v.InferOutput<typeof eventSchema>

/** Throws when the stream ends before the stop or an error: the reply was cut. */
export async function* decodeResponsesStream(
  events: AsyncIterable<SseEvent>,
): AsyncGenerator<NeutralEvent, void> {
  const order = createCallOrder()
  /** Calls whose input has begun to come. */
  const fed = new Set<number>()
  let ended = false
  for await (const { data } of events) {
    // What comes after the end is read out, so that the connection can serve again.
    const event = ended ? undefined : parseEvent(eventSchema, data)
    if (!event) continue
    switch (event.type) {
      case 'response.created': {
        const { id, model } = event.response
        yield { type: 'start', ...given('id', id), ...given('model', model) }
        break
      }
      case 'response.completed':
      case 'response.incomplete': {
        yield* order.rest()
        yield* usageEvents(data)
        yield { type: 'stop', reason: stopOf(event.response, order.hasCalls()) }
        ended = true
        break
      }
      case 'response.failed':
      case 'error':
        yield { type: 'error', failure: failed('openai-responses', failureBody(data)) }
        return
      default:
        yield* partEvents(event, order, fed)
    }
  }
  if (!ended) throw replyCut()
}

type PartEvent = Extract<Event, { type: `response.${string}.${string}` }>

function* partEvents(
  event: PartEvent,
  order: ReturnType<typeof createCallOrder>,
  fed: Set<number>,
): Generator<NeutralEvent, void> {
  switch (event.type) {
    case 'response.output_text.delta':
    case 'response.refusal.delta':
      if (event.delta !== '') yield* order.say('text', event.delta)
      break
    case 'response.reasoning_summary_text.delta':
    case 'response.reasoning_text.delta':
      if (event.delta !== '') yield* order.say('thinking', event.delta)
      break
    case 'response.function_call_arguments.delta':
      fed.add(event.output_index)
      if (event.delta !== '') yield* order.input(event.output_index, event.delta)
      break
    case 'response.output_item.added':
    case 'response.output_item.done': {
      const { item, output_index: place } = event
      if (!('call_id' in item)) break
      yield* order.call(place, item.call_id, item.name)
      // Some servers tell of a call's input at its end alone.
      const isDone = event.type === 'response.output_item.done'
      if (isDone && !fed.has(place) && item.arguments) yield* order.input(place, item.arguments)
      break
    }
    default:
      event satisfies never
  }
}

function* usageEvents(data: string): Generator<NeutralEvent, void> {
  const parsed = parseJson(data)
  const usage = parsed.ok ? neutralUsage(valueAt(parsed.value, ['response'])) : undefined
  if (usage) yield { type: 'usage', usage }
}

/** A response that failed holds its error inside; a bare error bears it itself. */
function failureBody(data: string): string {
  const parsed = parseJson(data)
  const inside = parsed.ok ? valueAt(parsed.value, ['response', 'error']) : undefined
  return inside === undefined ? data : JSON.stringify({ error: inside })
}
