/** What the reply codecs of all protocols share. */

import type { UpstreamFailure } from '../../domain/cooldown.ts'
import type {
  NeutralEvent,
  NeutralReply,
  NeutralUsage,
  ReplyPart,
  ReplyWish,
} from '../../domain/neutral.ts'
import { isRecord, valueAt } from '../../domain/plain-data.ts'
import type { Protocol } from '../../domain/provider.ts'
import type { Result } from '../../domain/result.ts'
import { parseJson } from '../decode.ts'
import type { JsonObject } from '../decode.ts'
import { judgeReply } from '../upstream-reply.ts'
import { mergedUsage, usageFrom } from '../usage-fields.ts'

/** What a reply is told with beside itself. */
export interface ReplyContext {
  /** Serves where the provider gave the reply none; letters, digits, `-` and `_`. */
  readonly id: string
  /** Serves where the provider named none. */
  readonly model: string
  /** Seconds since 1970. */
  readonly createdSeconds: number
  readonly wish: ReplyWish
}

/** A reply that cannot be told in another protocol. `problem` is the rest of a sentence about it. */
export type ReplyProblem =
  | { readonly kind: 'unreadable'; readonly problem: string }
  /** The provider's own error where a reply should be. */
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure }

export type DecodeReply = (text: string) => Result<NeutralReply, ReplyProblem>
/** @faults `unreadable`: the caller's protocol has no way to hold it */
export type EncodeReply = (
  reply: NeutralReply,
  context: ReplyContext,
) => Result<JsonObject, ReplyProblem>
/** Gives the text of the caller's events; keeps what it must of those before. */
export type EncodeEvent = (event: NeutralEvent) => string

export function unreadable(problem: string): ReplyProblem {
  return { kind: 'unreadable', problem }
}

/** A provider's error judged as an answer with the same body is. */
export function failed(protocol: Protocol, data: string): UpstreamFailure {
  return judgeReply(protocol, 200, {}, data, 0)
}

const THOUGHT_TOKENS: readonly (readonly string[])[] = [
  ['usage', 'output_tokens_details', 'thinking_tokens'],
  ['usage', 'completion_tokens_details', 'reasoning_tokens'],
  ['usage', 'output_tokens_details', 'reasoning_tokens'],
]

/** The counts that stand in `usage` of a body or an event; undefined when there are none. */
export function neutralUsage(holder: unknown): NeutralUsage | undefined {
  const usage = usageFrom({ usage: valueAt(holder, ['usage']) })
  const thinkingTokens = THOUGHT_TOKENS.map((path) => valueAt(holder, path)).find(
    (count) => typeof count === 'number',
  )
  return usage && { ...usage, ...(typeof thinkingTokens === 'number' && { thinkingTokens }) }
}

export function laterUsage(before: NeutralUsage | undefined, later: NeutralUsage): NeutralUsage {
  const thinkingTokens = later.thinkingTokens ?? before?.thinkingTokens
  return {
    ...(mergedUsage(before, later) ?? later),
    ...(thinkingTokens !== undefined && { thinkingTokens }),
  }
}

/** The input of a call as an object; undefined when it is none. No text at all is an empty one. */
export function inputObject(text: string): JsonObject | undefined {
  if (text.trim() === '') return {}
  const parsed = parseJson(text)
  return parsed.ok && isRecord(parsed.value) ? parsed.value : undefined
}

/** The events of a reply that has come whole. */
export function* eventsOf(reply: NeutralReply): Generator<NeutralEvent, void> {
  yield {
    type: 'start',
    ...(reply.id !== undefined && { id: reply.id }),
    ...(reply.model !== undefined && { model: reply.model }),
  }
  for (const part of reply.parts) {
    if (part.type === 'call') {
      yield { type: 'call', id: part.id, name: part.name }
      yield { type: 'input', json: part.input }
    } else yield part
  }
  if (reply.usage) yield { type: 'usage', usage: reply.usage }
  const { stop: reason, stopSequence } = reply
  yield { type: 'stop', reason, ...(stopSequence !== undefined && { stopSequence }) }
}

/**
 * The whole of a reply that streams.
 *
 * Throws when `events` does.
 */
export async function wholeOf(
  events: AsyncIterable<NeutralEvent>,
): Promise<Result<NeutralReply, ReplyProblem>> {
  let reply: NeutralReply = { parts: [], stop: 'end' }
  const parts: ReplyPart[] = []
  for await (const event of events) {
    switch (event.type) {
      case 'start': {
        const { type: _type, ...named } = event
        reply = { ...reply, ...named }
        break
      }
      case 'text':
      case 'thinking':
      case 'input':
      case 'call':
        addPart(parts, event)
        break
      case 'usage':
        reply = { ...reply, usage: laterUsage(reply.usage, event.usage) }
        break
      case 'stop': {
        const { type: _type, reason: stop, ...sequence } = event
        reply = { ...reply, stop, ...sequence }
        break
      }
      case 'error':
        return { ok: false, fault: { kind: 'failed', failure: event.failure } }
      case 'ping':
        break
      default:
        event satisfies never
    }
  }
  return { ok: true, value: { ...reply, parts } }
}

function addPart(
  parts: ReplyPart[],
  event: Extract<NeutralEvent, { type: 'text' | 'thinking' | 'input' | 'call' }>,
): void {
  const last = parts.at(-1)
  const before = parts.length - 1
  if (event.type === 'call') {
    parts.push({ ...event, input: '' })
  } else if (event.type === 'input') {
    if (last?.type === 'call') parts[before] = { ...last, input: last.input + event.json }
  } else if (last?.type === event.type) {
    parts[before] = { ...last, text: last.text + event.text }
  } else parts.push(event)
}
