/**
 * Rests: whom a failure makes rest, for how long, and who rests now.
 *
 * A rest is data: whom it concerns, why, until when, and who said so. Every rest ends. A failure that is the
 * request's own fault, or the caller's, teaches nothing about a credential.
 */

import { accountKey } from './account.ts'
import type { Credential } from './credential.ts'
import type { ModelKey, ProfileId } from './names.ts'
import { formatModelKey, isReserved } from './names.ts'
import type { Lane } from './provider.ts'
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

/** Whom a failure concerns beside the request itself, from the few to the many. */
export const REST_SCOPES = ['model', 'profile', 'account', 'provider'] as const
export type RestScope = (typeof REST_SCOPES)[number]

/** How an upstream failed, judged once at the wire. */
export interface UpstreamFailure {
  readonly reason: FailureReason
  /** Whom it concerns, where the reply tells more than its reason does. */
  readonly scope?: RestScope
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
  /** `model`: of one credential, or where the provider is overloaded, for all of them. */
  readonly scope: RestScope
  readonly reason: FailureReason
  readonly since: EpochMs
  readonly until: EpochMs
  /** `provider`: it named the time. `ladder`: our own step. */
  readonly source: 'provider' | 'ladder'
  /** Which rest in a row this is; absent: the first. */
  readonly step?: number
}

/** What is known of one profile from use. It concerns the secret with this fingerprint and no other. */
export interface ProfileUsage {
  readonly fingerprint?: string
  /** The login behind that secret, which stays the same when access is renewed. */
  readonly grant?: string
  readonly lastUsedAt?: EpochMs
  readonly lastGoodAt?: EpochMs
  readonly rest?: Rest
  /** Rests of this credential for one model alone, by `provider/model`. */
  readonly models?: ReadonlyMap<string, Rest>
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
  /** Its limits, as the provider's answers told them. */
  readonly quota?: readonly QuotaWindow[]
}

/** The content of one `auth-state.json`: losing it loses no login. */
export interface AgentState {
  readonly profiles: ReadonlyMap<string, ProfileUsage>
  /** Rests of a model for all keys of its provider, by `provider/model`. */
  readonly models: ReadonlyMap<string, Rest>
  /** Rests of an account for every login of it, by `accountKey`; absent: none. */
  readonly accounts?: ReadonlyMap<string, Rest>
  /** Rests of a provider for everybody here; absent: none. */
  readonly providers?: ReadonlyMap<string, Rest>
  /** What a newer version keeps in the same file; it is not ours to lose. */
  readonly others?: Readonly<Record<string, unknown>>
}

export const EMPTY_STATE: AgentState = { profiles: new Map(), models: new Map() }

/** Longest rest that a provider's own word is believed for: money comes back with the month, a plan's limit with the week. */
const LONGEST_REST_MS = DAY_MS
const LONGEST_BILLING_MS = 32 * DAY_MS
const LONGEST_PLAN_MS = 8 * DAY_MS

/** What is put on top of a time that the provider named, so that not everybody comes back at once. */
const MOST_JITTER = 0.1
const LONGEST_JITTER_MS = 10 * SECOND_MS

/** A clock that is set right moves about this much; a rest from further ahead was written by a wrong one. */
const CLOCK_STEP_MS = MINUTE_MS

const LADDERS: Readonly<Partial<Record<FailureReason, readonly number[]>>> = {
  auth: [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS],
  permission: [10 * MINUTE_MS, HOUR_MS],
  billing: [HOUR_MS, 5 * HOUR_MS, DAY_MS],
  rate_limit: [30 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS],
  overloaded: [10 * SECOND_MS, 30 * SECOND_MS, MINUTE_MS],
}

const USUAL_SCOPES: Readonly<Partial<Record<FailureReason, RestScope>>> = {
  auth: 'profile',
  permission: 'model',
  billing: 'profile',
  rate_limit: 'profile',
  overloaded: 'model',
}

/** Whom a failure makes rest. Undefined: nobody. */
export function restScope(failure: UpstreamFailure, accountKnown: boolean): RestScope | undefined {
  if (failure.policyRefused) return undefined
  const usual = USUAL_SCOPES[failure.reason]
  if (usual === undefined || failure.reason === 'overloaded') return usual
  const scope = failure.scope ?? usual
  return scope === 'account' && !accountKnown ? 'profile' : scope
}

/**
 * The rest after a failure; one that runs already is not extended, but the provider's word corrects our guess.
 *
 * @param before the last rest of the same kind, over or not: a failure soon after it rests longer
 * @param random a number from 0 to 1
 */
export function nextRest(
  before: Rest | undefined,
  failure: UpstreamFailure,
  scope: RestScope,
  now: EpochMs,
  random: number,
): Rest {
  const running = runningRest(before, now)
  const told = failure.retryAfterMs
  if (running && !(running.source === 'ladder' && told !== undefined)) return running
  const { reason } = failure
  const step = stepAfter(before, reason, now)
  const kept = { scope, reason, since: now, ...(step > 1 && { step }) }
  if (told !== undefined) {
    const ms = Math.min(told, longestRestMs(reason, scope))
    const jitterMs = Math.min(ms * MOST_JITTER, LONGEST_JITTER_MS) * random
    return { ...kept, until: now + Math.ceil(ms + jitterMs), source: 'provider' }
  }
  const ladder = LADDERS[reason] ?? [MINUTE_MS]
  const ms = ladder[Math.min(step, ladder.length) - 1] ?? MINUTE_MS
  return { ...kept, until: now + ms, source: 'ladder' }
}

/** An overload of long ago says nothing; a key that was refused yesterday does. */
function stepAfter(before: Rest | undefined, reason: FailureReason, now: EpochMs): number {
  if (!before || before.reason !== reason || before.since > now) return 1
  if (runningRest(before, now)) return before.step ?? 1
  const memoryMs = reason === 'overloaded' ? 10 * MINUTE_MS : DAY_MS
  return now - before.until < memoryMs ? (before.step ?? 1) + 1 : 1
}

function longestRestMs(reason: FailureReason, scope: RestScope): number {
  if (reason === 'billing') return LONGEST_BILLING_MS
  return scope === 'account' ? LONGEST_PLAN_MS : LONGEST_REST_MS
}

/**
 * Usage that still concerns this secret.
 *
 * A new secret has no history. Renewed access of the same login has all of it but the refusal of its old token.
 */
export function currentUsage(
  usage: ProfileUsage | undefined,
  fingerprint: string,
  grant?: string,
): ProfileUsage | undefined {
  if (!usage) return undefined
  if (usage.fingerprint === undefined || usage.fingerprint === fingerprint) return usage
  if (grant === undefined || usage.grant !== grant) return undefined
  const { rest, lastFailure, failures, ...kept } = usage
  return {
    ...kept,
    ...(rest && rest.reason !== 'auth' && { rest }),
    ...(lastFailure &&
      lastFailure.reason !== 'auth' && {
        lastFailure,
        ...(failures !== undefined && { failures }),
      }),
  }
}

/** The rest that is still running, if any. One that claims more than its longest length, or that began in the future, is over. */
export function runningRest(rest: Rest | undefined, now: EpochMs): Rest | undefined {
  if (!rest || rest.until <= now || rest.since - now > CLOCK_STEP_MS) return undefined
  const longestMs = longestRestMs(rest.reason, rest.scope)
  return rest.until - now <= longestMs + LONGEST_JITTER_MS + CLOCK_STEP_MS ? rest : undefined
}

/** What `restFor` needs of a candidate. */
export interface Restable {
  readonly id: ProfileId
  readonly fingerprint: string
  readonly credential?: Credential
  readonly lane: Lane
}

/** Why a credential rests now for this model, whatever rests: it, its account, the model or the whole provider. */
export function restFor(
  candidate: Restable,
  model: ModelKey,
  state: AgentState,
  now: EpochMs,
): Rest | undefined {
  const key = formatModelKey(model)
  const usage = usageFor(candidate, state)
  return [usage?.models?.get(key), state.models.get(key)].reduce(
    (rest, other) => graver(rest, runningRest(other, now)),
    restOf(candidate, model.provider, state, now),
  )
}

/** Why a credential rests now whatever the model. */
export function restOf(
  candidate: Restable,
  provider: string,
  state: AgentState,
  now: EpochMs,
): Rest | undefined {
  return sharedRests(candidate, provider, state, now).reduce(
    graver,
    runningRest(usageFor(candidate, state)?.rest, now),
  )
}

/** The rests of its account and of its provider, which it has whatever it did itself. */
export function sharedRests(
  candidate: Restable,
  provider: string,
  state: AgentState,
  now: EpochMs,
): readonly Rest[] {
  const account = state.accounts && accountKey(candidate)
  const rests = [
    account === undefined ? undefined : state.accounts?.get(account),
    state.providers?.get(provider),
  ]
  return rests.flatMap((rest) => runningRest(rest, now) ?? [])
}

/** What is known of the secret that a candidate holds now. */
export function usageFor(candidate: Restable, state: AgentState): ProfileUsage | undefined {
  const { id, fingerprint } = candidate
  const usage = state.profiles.get(usageKey(candidate)) ?? state.profiles.get(id)
  return currentUsage(usage, fingerprint, grantOf(candidate))
}

/**
 * Under what the usage of a candidate is kept: its id, and for what stands outside the book its secret as well, since
 * each shell and each gateway may have another one there.
 */
export function usageKey({ id, fingerprint }: Pick<Restable, 'id' | 'fingerprint'>): string {
  return isReserved(id) ? `${id}#${fingerprint}` : id
}

/** The login behind an oauth credential, where it has a name. */
export function grantOf({ credential }: Pick<Restable, 'credential'>): string | undefined {
  return credential?.type === 'oauth' ? credential.grantId : undefined
}

/** Of two rests: a provider's word before our guess, then the one that lasts longer. */
function graver(a: Rest | undefined, b: Rest | undefined): Rest | undefined {
  if (!a || !b) return a ?? b
  if (a.source !== b.source) return a.source === 'provider' ? a : b
  return a.until >= b.until ? a : b
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
