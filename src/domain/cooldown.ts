/**
 * What one success or failure teaches about a profile and a model.
 *
 * A rest is data: whom it concerns, why, until when, and who said so. Every rest ends. A failure that is the
 * request's own fault, or the caller's, teaches nothing about a credential.
 */

import type { QuotaWindow } from './quota.ts'
import type { EpochMs } from './time.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts'

export const FAILURE_REASONS = [
  'auth',
  'permission',
  'billing',
  'rate_limit',
  'overloaded',
  'timeout',
  'network',
  'server_error',
  'invalid_request',
  'not_found',
  'content_policy',
  'context_overflow',
  'conflict',
  'cancelled',
] as const
export type FailureReason = (typeof FAILURE_REASONS)[number]

/** How an upstream failed, judged once at the wire. */
export interface UpstreamFailure {
  readonly reason: FailureReason
  /** HTTP status; absent when no answer came. */
  readonly status?: number
  /** The provider's own words, made safe to print, at most 300 characters. */
  readonly words: string
  /** How long the provider asks to wait, ms. */
  readonly retryAfterMs?: number
  /** The provider forbids this kind of use of the credential; waiting will not help. */
  readonly policyRefused?: boolean
  /** The host itself could not be reached, whoever asks. */
  readonly unreachable?: boolean
}

export interface Rest {
  readonly scope: 'profile' | 'model'
  readonly reason: FailureReason
  readonly since: EpochMs
  readonly until: EpochMs
  /** `provider`: it named the time. `ladder`: our own step. */
  readonly source: 'provider' | 'ladder'
}

/** What is known of one profile from use. It concerns the secret with this fingerprint and no other. */
export interface ProfileUsage {
  readonly fingerprint?: string
  readonly lastUsedAt?: EpochMs
  readonly lastGoodAt?: EpochMs
  readonly rest?: Rest
  /** Failures in a row with the same reason. */
  readonly failures?: number
  /** The last failure, until a success. */
  readonly lastFailure?: {
    readonly at: EpochMs
    readonly reason: FailureReason
    readonly words: string
  }
  /** The provider's refusal to let this credential be used this way. */
  readonly refusedPolicy?: { readonly at: EpochMs; readonly words: string }
  /** Its limits, as its last answers told them. */
  readonly quota?: readonly QuotaWindow[]
}

/** The content of one `auth-state.json`: losing it loses no login. */
export interface AgentState {
  readonly profiles: ReadonlyMap<string, ProfileUsage>
  /** Rests of a model for all keys of its provider, by `provider/model`. */
  readonly models: ReadonlyMap<string, Rest>
}

export const EMPTY_STATE: AgentState = { profiles: new Map(), models: new Map() }

/** Longest rest that a provider's own word is believed for. */
const LONGEST_REST_MS = DAY_MS

const LADDERS: Readonly<Partial<Record<FailureReason, readonly number[]>>> = {
  auth: [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS],
  permission: [10 * MINUTE_MS, HOUR_MS],
  billing: [HOUR_MS, 5 * HOUR_MS, DAY_MS],
  rate_limit: [30 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS],
  overloaded: [10 * SECOND_MS, 30 * SECOND_MS, MINUTE_MS],
}

/** The usage after a good answer: rests and failures are forgotten. */
export function afterSuccess(fingerprint: string, now: EpochMs): ProfileUsage {
  return { fingerprint, lastUsedAt: now, lastGoodAt: now }
}

/**
 * The usage after a failure.
 *
 * An overload rests the model for all keys (`afterOverload`), so it leaves the profile alone. Attempts during a rest
 * do not extend it. A failure of the line does not hide an earlier one of the credential.
 */
export function afterFailure(
  before: ProfileUsage | undefined,
  failure: UpstreamFailure,
  fingerprint: string,
  now: EpochMs,
): ProfileUsage {
  const known = currentUsage(before, fingerprint)
  const used: ProfileUsage = { ...known, fingerprint, lastUsedAt: now }
  const base: ProfileUsage = {
    ...used,
    lastFailure: { at: now, reason: failure.reason, words: failure.words },
  }
  if (!blamesProfile(failure.reason)) {
    const blamed = known?.lastFailure && blamesProfile(known.lastFailure.reason)
    return mayFailOver(failure.reason) && !blamed ? base : used
  }
  const failures = known?.lastFailure?.reason === failure.reason ? (known.failures ?? 0) + 1 : 1
  const refused = failure.policyRefused && { refusedPolicy: { at: now, words: failure.words } }
  const running = runningRest(known?.rest, now)
  if (running && !(running.source === 'ladder' && failure.retryAfterMs !== undefined)) {
    return { ...base, ...refused, failures }
  }
  return { ...base, ...refused, failures, rest: restAfter(failure, 'profile', failures, now) }
}

/** The rest of a model that its provider cannot serve now, whoever asks. One that runs already is not extended. */
export function afterOverload(
  before: Rest | undefined,
  failure: UpstreamFailure,
  now: EpochMs,
): Rest {
  const running = runningRest(before, now)
  if (running) return running
  const lately = before && now - before.until < 10 * MINUTE_MS ? 2 : 1
  return restAfter(failure, 'model', lately, now)
}

/** Usage that still concerns this secret; a new secret has no history. */
export function currentUsage(
  usage: ProfileUsage | undefined,
  fingerprint: string,
): ProfileUsage | undefined {
  if (!usage) return undefined
  return usage.fingerprint === undefined || usage.fingerprint === fingerprint ? usage : undefined
}

/** The rest that is still running, if any. A rest that claims more than its longest length is over. */
export function runningRest(rest: Rest | undefined, now: EpochMs): Rest | undefined {
  if (!rest || rest.until <= now) return undefined
  return rest.until - now <= LONGEST_REST_MS * 1.1 ? rest : undefined
}

/** Whether a failure says something about the credential rather than about the request, the caller or the line. */
export function blamesProfile(reason: FailureReason): boolean {
  return (
    reason === 'auth' || reason === 'permission' || reason === 'billing' || reason === 'rate_limit'
  )
}

/** Whether another candidate may do better. */
export function mayFailOver(reason: FailureReason): boolean {
  return (
    blamesProfile(reason) ||
    reason === 'overloaded' ||
    reason === 'timeout' ||
    reason === 'network' ||
    reason === 'server_error'
  )
}

function restAfter(
  failure: UpstreamFailure,
  scope: Rest['scope'],
  failures: number,
  now: EpochMs,
): Rest {
  const told = failure.retryAfterMs
  const ladder = LADDERS[failure.reason] ?? [MINUTE_MS]
  const step = ladder[Math.min(failures, ladder.length) - 1] ?? MINUTE_MS
  const ms = told === undefined ? step : Math.min(told, LONGEST_REST_MS)
  return {
    scope,
    reason: failure.reason,
    since: now,
    until: now + ms,
    source: told === undefined ? 'ladder' : 'provider',
  }
}
