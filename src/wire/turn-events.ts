/** A chat turn as it travels between the gateway and whoever chats through it: the request, and the events of the reply. */

import * as v from 'valibot'
import type { ChatUsage, TurnEvent, TurnRequest } from '../domain/chat.ts'
import type { FailureReason } from '../domain/cooldown.ts'
import { FAILURE_REASONS } from '../domain/cooldown.ts'
import type { FailedAttempt, Fault } from '../domain/fault.ts'
import type { ProfileId } from '../domain/names.ts'
import {
  formatModelKey,
  parseAgentId,
  parseModelKey,
  parseProfileId,
  parseSessionId,
} from '../domain/names.ts'
import type { Lane } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { EpochMs } from '../domain/time.ts'
import { decode, parseJson } from './decode.ts'
import type { FaultJson } from './fault-json.ts'
import { answeredFault, faultJson } from './fault-json.ts'
import type { SseEvent } from './sse.ts'
import { renderSse } from './sse.ts'

export interface TurnRequestJson {
  /** Absent: the default agent. */
  readonly agent?: string
  readonly session: string
  readonly message: string
  /** For this turn alone: an alias, `provider/model`, either with `@provider:name`. */
  readonly model?: string
}

export interface AttemptJson {
  readonly profile: string
  readonly model: string
  readonly host: string
  readonly reason: FailureReason
  readonly status?: number
  readonly words: string
  readonly retryAfterMs?: number
}

export type TurnEventJson =
  | {
      readonly type: 'started'
      /** `provider/model`. */
      readonly model: string
      readonly profile: string
      readonly lane: Lane
      readonly attempts: readonly AttemptJson[]
    }
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'command'; readonly text: string }
  | { readonly type: 'finished'; readonly stopReason: string; readonly usage?: ChatUsage }
  | { readonly type: 'failed'; readonly fault: FaultJson }

export const FAULT: v.GenericSchema<unknown, FaultJson> = v.object({
  code: v.string(),
  message: v.string(),
  hint: v.string(),
  exit: v.number(),
  http: v.number(),
})

export const TURN_REQUEST: v.GenericSchema<unknown, TurnRequestJson> = v.strictObject({
  agent: v.exactOptional(v.string()),
  session: v.string(),
  message: v.string(),
  model: v.exactOptional(v.string()),
})

const ATTEMPT: v.GenericSchema<unknown, AttemptJson> = v.object({
  profile: v.string(),
  model: v.string(),
  host: v.string(),
  reason: v.picklist(FAILURE_REASONS),
  status: v.exactOptional(v.number()),
  words: v.string(),
  retryAfterMs: v.exactOptional(v.number()),
})

export const TURN_EVENT: v.GenericSchema<unknown, TurnEventJson> = v.variant('type', [
  v.object({
    type: v.literal('started'),
    model: v.string(),
    profile: v.string(),
    lane: v.picklist(['subscription', 'metered', 'free']),
    attempts: v.array(ATTEMPT),
  }),
  v.object({ type: v.literal('notice'), text: v.string() }),
  v.object({ type: v.literal('text'), text: v.string() }),
  v.object({ type: v.literal('command'), text: v.string() }),
  v.object({
    type: v.literal('finished'),
    stopReason: v.string(),
    usage: v.exactOptional(v.object({ inputTokens: v.number(), outputTokens: v.number() })),
  }),
  v.object({ type: v.literal('failed'), fault: FAULT }),
])

/**
 * A turn as a caller asks for it.
 *
 * @faults `EQ_REQUEST_BODY` names the field; `EQ_NAME_INVALID`
 */
export function parseTurnRequest(body: string): Result<TurnRequest, Fault> {
  const parsed = parseJson(body)
  if (!parsed.ok) return badBody('body', 'must be JSON')
  const decoded = decode(TURN_REQUEST, parsed.value)
  if (!decoded.ok) {
    const { field, expected } = decoded.fault
    return badBody(field || 'body', `must be ${expected}`)
  }
  const { agent, session, message, model } = decoded.value
  if (message.trim() === '') return badBody('message', 'must not be empty')
  const agentId = agent === undefined ? undefined : parseAgentId(agent)
  if (agent !== undefined && !agentId) {
    return fail({ code: 'EQ_NAME_INVALID', what: 'agent', text: agent })
  }
  const sessionId = parseSessionId(session)
  if (!sessionId) return fail({ code: 'EQ_NAME_INVALID', what: 'session', text: session })
  return ok({
    ...(agentId && { agent: agentId }),
    session: sessionId,
    message,
    ...(model !== undefined && { model }),
  })
}

export function renderTurnRequest({ agent, session, message, model }: TurnRequest): string {
  const json: TurnRequestJson = {
    ...(agent !== undefined && { agent }),
    session,
    message,
    ...(model !== undefined && { model }),
  }
  return JSON.stringify(json)
}

/** The event as one server-sent event, named by its type. */
export function renderTurnEvent(event: TurnEvent, now?: EpochMs): string {
  return renderSse({ event: event.type, data: JSON.stringify(turnEventJson(event, now)) })
}

/** The event that a server-sent event holds, or undefined when it holds none that is known here. */
export function parseTurnEvent(sent: SseEvent): TurnEvent | undefined {
  const parsed = parseJson(sent.data)
  const decoded = parsed.ok ? decode(TURN_EVENT, parsed.value) : parsed
  return decoded.ok ? turnEventFrom(decoded.value) : undefined
}

/** @param now for ages in the words of a fault */
export function turnEventJson(event: TurnEvent, now?: EpochMs): TurnEventJson {
  switch (event.type) {
    case 'started':
      return {
        type: event.type,
        model: formatModelKey(event.model),
        profile: event.profile,
        lane: event.lane,
        attempts: event.attempts.map(attemptJson),
      }
    case 'failed':
      return { type: event.type, fault: faultJson(event.fault, now) }
    case 'notice':
    case 'text':
    case 'command':
    case 'finished':
      return event
    default:
      return event satisfies never
  }
}

function turnEventFrom(json: TurnEventJson): TurnEvent | undefined {
  switch (json.type) {
    case 'started': {
      const model = parseModelKey(json.model)
      const profile = parseProfileId(json.profile)
      if (!model || !profile) return undefined
      const { type, lane } = json
      return { type, model, profile, lane, attempts: json.attempts.flatMap(attemptFrom) }
    }
    case 'failed':
      return { type: json.type, fault: answeredFault(json.fault) }
    case 'notice':
    case 'text':
    case 'command':
    case 'finished':
      return json
    default:
      return json satisfies never
  }
}

function attemptJson({ status, retryAfterMs, fault: _, ...attempt }: FailedAttempt): AttemptJson {
  return {
    profile: attempt.profile,
    model: attempt.model,
    host: attempt.host,
    reason: attempt.reason,
    ...(status !== undefined && { status }),
    words: attempt.words,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

function attemptFrom(json: AttemptJson): readonly FailedAttempt[] {
  const profile: ProfileId | undefined = parseProfileId(json.profile)
  return profile ? [{ ...json, profile }] : []
}

function badBody(field: string, problem: string): Result<never, Fault> {
  return fail({ code: 'EQ_REQUEST_BODY', field, problem })
}
