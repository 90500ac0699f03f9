/** A reply of Chat Completions, whole or as it streams, understood. */

import * as v from 'valibot'
import type { NeutralEvent, NeutralReply, ReplyPart, StopReason } from '../../domain/neutral.ts'
import { fail, ok } from '../../domain/result.ts'
import { decode, decodeOrDrop, parseJson } from '../decode.ts'
import { parseEvent, replyCut } from '../reply-event.ts'
import type { SseEvent } from '../sse.ts'
import { createCallOrder } from './call-order.ts'
import { given } from './decoded.ts'
import type { DecodeReply } from './replies.ts'
import { failed, neutralUsage, unreadable } from './replies.ts'

const STOPS: ReadonlyMap<string, StopReason> = new Map([
  ['stop', 'end'],
  ['length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['function_call', 'tool_use'],
  ['content_filter', 'refusal'],
])

const text = v.nullish(v.string())
/** What has been said; thoughts stand under either name where a server shows them. */
const said = {
  content: text,
  refusal: text,
  reasoning_content: text,
  reasoning: text,
}
const head = { id: text, model: text, error: v.nullish(v.unknown()) }

const replySchema = v.object({
  ...head,
  choices: v.array(
    v.object({
      message: v.object({
        ...said,
        tool_calls: v.nullish(
          v.array(
            v.object({ id: text, function: v.object({ name: v.string(), arguments: text }) }),
          ),
        ),
      }),
      finish_reason: text,
    }),
  ),
})

const chunkSchema = v.object({
  ...head,
  choices: v.nullish(
    v.array(
      v.object({
        delta: v.nullish(
          v.object({
            ...said,
            tool_calls: v.nullish(
              v.array(
                v.object({
                  index: v.nullish(v.number()),
                  id: text,
                  function: v.nullish(v.object({ name: text, arguments: text })),
                }),
              ),
            ),
          }),
        ),
        finish_reason: text,
        error: v.nullish(v.unknown()),
      }),
    ),
  ),
})
type Chunk = v.InferOutput<typeof chunkSchema>
type Delta = NonNullable<NonNullable<NonNullable<Chunk['choices']>[number]>['delta']>

export const decodeChatReply: DecodeReply = (body) => {
  const parsed = parseJson(body)
  if (!parsed.ok) return fail(unreadable('is not JSON'))
  const read = decode(replySchema, parsed.value)
  if (decodeOrDrop(v.object(head), parsed.value)?.error)
    return fail({ kind: 'failed', failure: failed('openai-chat', body) })
  if (!read.ok) return fail(unreadable(`has no ${read.fault.expected} in ${read.fault.field}`))
  const [choice] = read.value.choices
  if (!choice) return fail(unreadable('has no choice'))
  const { message } = choice
  const thinking = message.reasoning_content || message.reasoning
  const words = [message.content, message.refusal].flatMap((piece) => piece || [])
  const calls = (message.tool_calls ?? []).map((call, index): ReplyPart => ({
    type: 'call',
    id: call.id || spareId(read.value.id, index),
    name: call.function.name,
    input: call.function.arguments ?? '',
  }))
  const reply: NeutralReply = {
    ...given('id', read.value.id),
    ...given('model', read.value.model),
    parts: [
      ...(thinking ? [{ type: 'thinking', text: thinking } as const] : []),
      ...words.map((piece) => ({ type: 'text', text: piece }) as const),
      ...calls,
    ],
    stop: stopOf(choice.finish_reason, calls.length > 0, !!message.refusal),
    ...given('usage', neutralUsage(parsed.value)),
  }
  return ok(reply)
}

/** Throws when the stream ends before the stop or an error: the reply was cut. */
export async function* decodeChatStream(
  events: AsyncIterable<SseEvent>,
): AsyncGenerator<NeutralEvent, void> {
  const order = createCallOrder()
  let id: string | undefined
  let started = false
  let finish: string | undefined
  let refused = false
  let ended = false
  for await (const { data } of events) {
    // What comes after the end is read out, so that the connection can serve again.
    if (ended) continue
    if (data.trim() === '[DONE]') {
      ended = true
      yield* order.rest()
      yield { type: 'stop', reason: stopOf(finish, order.hasCalls(), refused) }
      continue
    }
    const chunk = parseEvent(chunkSchema, data)
    if (!chunk) continue
    const [choice] = chunk.choices ?? []
    if (chunk.error || choice?.error) {
      yield { type: 'error', failure: failed('openai-chat', data) }
      return
    }
    if (!started) {
      started = true
      id = chunk.id ?? undefined
      yield { type: 'start', ...given('id', id), ...given('model', chunk.model) }
    }
    if (choice?.delta) yield* deltaEvents(choice.delta, order, id)
    refused ||= !!choice?.delta?.refusal
    finish = choice?.finish_reason ?? finish
    // Most chunks carry words alone.
    const usage = data.includes('"usage"') ? usageOf(data) : undefined
    if (usage) yield usage
  }
  if (ended) return
  if (finish === undefined) throw replyCut()
  yield* order.rest()
  yield { type: 'stop', reason: stopOf(finish, order.hasCalls(), refused) }
}

function* deltaEvents(
  delta: Delta,
  order: ReturnType<typeof createCallOrder>,
  replyId: string | undefined,
): Generator<NeutralEvent, void> {
  const thinking = delta.reasoning_content || delta.reasoning
  if (thinking) yield* order.say('thinking', thinking)
  const words = delta.content || delta.refusal
  if (words) yield* order.say('text', words)
  for (const [place, call] of (delta.tool_calls ?? []).entries()) {
    const slot = call.index ?? place
    const { name, arguments: json } = call.function ?? {}
    if (name) {
      const callId = call.id || spareId(replyId, order.count())
      yield* order.call(slot, callId, name)
    }
    if (json) yield* order.input(slot, json)
  }
}

function usageOf(data: string): NeutralEvent | undefined {
  const parsed = parseJson(data)
  const usage = parsed.ok ? neutralUsage(parsed.value) : undefined
  return usage && { type: 'usage', usage }
}

/** Servers that finish a call as any other reply do exist. */
function stopOf(
  finish: string | null | undefined,
  hasCalls: boolean,
  refused: boolean,
): StopReason {
  const stop = STOPS.get(finish ?? 'stop') ?? 'end'
  if (stop !== 'end') return stop
  if (hasCalls) return 'tool_use'
  return refused ? 'refusal' : 'end'
}

/** The id of a call that came without one: other than those of other replies of the conversation. */
function spareId(replyId: string | null | undefined, index: number): string {
  return `call_${(replyId ?? 'reply').replace(/[^\w-]/g, '_')}_${index}`
}
