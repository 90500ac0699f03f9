/** Four facts about a credential, never one word: access, grant, quota, policy. And what `--check` makes of them. */

import type { Rest } from './cooldown.ts'
import { restOf, runningRest } from './cooldown.ts'
import { bearerOf, expiresAtOf, isExpired } from './credential.ts'
import type { SwitchedOffBy } from './foreign.ts'
import type { RenewalOutcome, RenewalWay } from './grant.ts'
import { holdMs, isDead } from './grant.ts'
import type { ProviderId } from './names.ts'
import { providerOf } from './names.ts'
import type { Origin } from './profile.ts'
import type { QuotaWindow } from './quota.ts'
import { inForce } from './quota.ts'
import { canRenew } from './renewal-rules.ts'
import type { Candidate, PassedOver, Ranked } from './rotation.ts'
import { usageOf } from './rotation.ts'
import type { EpochMs } from './time.ts'
import type { World } from './world.ts'

/** Can it open the door now? */
export type Access =
  /** `issuedAt`: when its provider issued it, for a token whose term is long. */
  | { readonly state: 'usable'; readonly until?: EpochMs; readonly issuedAt?: EpochMs }
  | { readonly state: 'expired'; readonly at: EpochMs }
  /** The provider answered 401 to exactly this secret. */
  | { readonly state: 'rejected'; readonly at: EpochMs; readonly words: string }
  | { readonly state: 'missing'; readonly variable?: string }

/** Can new access be had without the user? `provenAt`: the last good answer, or the last renewal. */
export type Grant =
  | { readonly state: 'static'; readonly provenAt?: EpochMs }
  | { readonly state: 'renewable'; readonly provenAt?: EpochMs }
  /** Its refresh token stays with its owner; `way` says who renews it. */
  | {
      readonly state: 'borrowed'
      readonly owner: Origin
      readonly way: RenewalWay
      readonly provenAt?: EpochMs
    }
  /** Its source is switched off, so nobody has looked at what its owner has. */
  | {
      readonly state: 'left_out'
      readonly owner: Origin
      readonly by: SwitchedOffBy
      readonly provenAt?: EpochMs
    }
  /** The last renewal failed in a way that says nothing about the grant itself. */
  | {
      readonly state: 'unsettled'
      readonly outcome: RenewalOutcome
      readonly at: EpochMs
      readonly againAt?: EpochMs
      readonly provenAt?: EpochMs
    }
  | {
      readonly state: 'dead'
      readonly outcome: RenewalOutcome
      readonly at: EpochMs
      readonly provenAt?: EpochMs
    }
  | { readonly state: 'none_needed'; readonly provenAt?: EpochMs }

/** How much of its limits is left, as far as its provider's answers told. */
export type Quota = {
  /** Those that have not begun anew since they were seen. */
  readonly windows: readonly QuotaWindow[]
  /** Models that it may not use now, though others it may. */
  readonly models: readonly { readonly model: string; readonly rest: Rest }[]
} & (
  | { readonly state: 'unknown' }
  | { readonly state: 'known' }
  | { readonly state: 'resting'; readonly rest: Rest }
)

export type Policy =
  | { readonly state: 'unknown' }
  | { readonly state: 'allowed'; readonly at: EpochMs }
  | { readonly state: 'refused'; readonly at: EpochMs; readonly words: string }

/** The seed's words for a quick look; the four facts are the truth. */
export type Summary =
  | 'ok'
  | 'static'
  | 'expiring'
  | 'expired'
  | 'missing'
  | 'cooldown'
  | 'disabled'
  | 'refused'

export interface Health {
  readonly access: Access
  readonly grant: Grant
  readonly quota: Quota
  readonly policy: Policy
  readonly summary: Summary
}

export function assess(candidate: Candidate, world: World): Health {
  const usage = usageOf(candidate, world.state)
  const facts = {
    access: accessOf(candidate, world),
    grant: grantOf(candidate, usage?.lastGoodAt, world),
    quota: quotaOf(candidate, world),
    policy: usage?.refusedPolicy
      ? ({ state: 'refused', ...usage.refusedPolicy } as const)
      : usage?.lastGoodAt === undefined
        ? ({ state: 'unknown' } as const)
        : ({ state: 'allowed', at: usage.lastGoodAt } as const),
  }
  return { ...facts, summary: summarise(facts, candidate, world) }
}

function quotaOf(candidate: Candidate, { state, now }: World): Quota {
  const usage = usageOf(candidate, state)
  const rest = restOf(candidate, providerOf(candidate.id), state, now)
  const windows = (usage?.quota ?? []).filter((window) => inForce(window, now))
  const models = [...(usage?.models ?? [])].flatMap(([model, own]) => {
    const running = runningRest(own, now)
    return running ? [{ model, rest: running }] : []
  })
  if (rest) return { state: 'resting', rest, windows, models }
  return { state: windows.length + models.length > 0 ? 'known' : 'unknown', windows, models }
}

function accessOf(candidate: Candidate, world: World): Access {
  const { credential, missingVariable } = candidate
  if (missingVariable !== undefined) return { state: 'missing', variable: missingVariable }
  if (!credential) return { state: 'usable' }
  if (bearerOf(credential).length === 0 || candidate.unusable) return { state: 'missing' }
  const at = expiresAtOf(credential)
  if (at !== undefined && isExpired(credential, world.now)) return { state: 'expired', at }
  const failure = usageOf(candidate, world.state)?.lastFailure
  if (failure?.reason === 'auth') return { state: 'rejected', at: failure.at, words: failure.words }
  const issuedAt = credential.type === 'token' ? credential.issuedAt : undefined
  return {
    state: 'usable',
    ...(at !== undefined && { until: at }),
    ...(issuedAt !== undefined && { issuedAt }),
  }
}

function grantOf(candidate: Candidate, goodAt: EpochMs | undefined, world: World): Grant {
  const { credential, grant, origin, leftOut } = candidate
  const verdict = grant?.verdict
  const renewedAt = verdict?.outcome.kind === 'renewed' ? verdict.moment.at : undefined
  const provenAt = Math.max(goodAt ?? 0, renewedAt ?? 0)
  const proven = provenAt > 0 ? { provenAt } : {}
  if (!credential) return { state: 'none_needed', ...proven }
  if (leftOut) return { state: 'left_out', owner: origin, by: leftOut, ...proven }
  if (credential.type !== 'oauth') return { state: 'static', ...proven }
  if (verdict && verdict.outcome.kind !== 'renewed') {
    const { outcome, moment } = verdict
    if (isDead(grant)) return { state: 'dead', outcome, at: moment.at, ...proven }
    // It was left to its owner since: nothing is tried again here.
    if (!canRenew(grant)) return byRenewer(candidate, proven)
    const waitMs = holdMs(verdict, world.moment)
    const again = Number.isFinite(waitMs) ? { againAt: world.now + waitMs } : {}
    return { state: 'unsettled', outcome, at: moment.at, ...again, ...proven }
  }
  return byRenewer(candidate, proven)
}

/** A login by who renews it. */
function byRenewer({ grant, origin }: Candidate, proven: { readonly provenAt?: EpochMs }): Grant {
  if (origin !== 'equabot') {
    return { state: 'borrowed', owner: origin, way: grant?.way ?? 'none', ...proven }
  }
  return { state: canRenew(grant) ? 'renewable' : 'static', ...proven }
}

function summarise(facts: Omit<Health, 'summary'>, candidate: Candidate, world: World): Summary {
  if (facts.policy.state === 'refused') return 'refused'
  switch (facts.access.state) {
    case 'missing':
      return 'missing'
    case 'rejected':
      return 'refused'
    case 'expired':
      // The next request renews it first: nothing is wrong.
      if (!isRenewedOnUse(candidate, world)) return 'expired'
      break
    case 'usable':
      break
    default:
      return facts.access satisfies never
  }
  if (facts.quota.state === 'resting') {
    return facts.quota.rest.reason === 'billing' ? 'disabled' : 'cooldown'
  }
  if (endsSoon(facts, world)) return 'expiring'
  if (facts.access.state === 'expired') return 'ok'
  return !candidate.credential || expiresAtOf(candidate.credential) === undefined ? 'static' : 'ok'
}

/** Ends within the warning time and cannot renew itself. */
function endsSoon(facts: Omit<Health, 'summary'>, world: World): boolean {
  if (facts.access.state !== 'usable' || facts.access.until === undefined) return false
  if (renewsItself(facts.grant)) return false
  return facts.access.until - world.now <= world.settings.auth.warnWithinMs
}

/** Why `--check` does not say 0, one per credential or provider in use. */
export interface CheckFinding {
  readonly provider: ProviderId
  readonly candidate?: Candidate
  readonly problem:
    | 'none'
    | 'expired'
    | 'dead'
    | 'rejected'
    | 'refused'
    | 'missing'
    | 'expiring'
    /** Expired, and its renewal did not go through yet; of serving only. */
    | 'waiting'
    /** Of serving only. */
    | 'resting'
}

/** A model in use: its provider and who would be tried for it. */
export interface InUse {
  readonly provider: ProviderId
  readonly ranked: readonly Ranked[]
  /** Serving without a credential does not count. */
  readonly needsOwn: boolean
}

/**
 * Judges every credential that may serve a model in use. Offline.
 *
 * A provider in use without any credential, or one of whose credentials is expired, rejected or refused and cannot
 * renew itself, is bad, also where another still serves: an alarm must not turn green by expiring.
 */
export function check(
  inUse: readonly InUse[],
  world: World,
): { readonly exit: 0 | 1 | 2; readonly findings: readonly CheckFinding[] } {
  const findings = inUse.flatMap(({ provider, ranked, needsOwn }) => {
    const judged = ranked.filter((entry) => entry.taken || !isExcluded(entry.why))
    const own = judged.filter(({ candidate }) => candidate.source.kind !== 'none_needed')
    if (needsOwn ? own.length === 0 : judged.length === 0)
      return [{ provider, problem: 'none' as const }]
    return judged.flatMap(({ candidate }) => findingFor(provider, candidate, world))
  })
  const bad = findings.some(({ problem }) => problem !== 'expiring')
  return { exit: bad ? 1 : findings.length > 0 ? 2 : 0, findings }
}

/** Whether serving needs a usable credential only: `--check --serving`. */
export function checkServing(inUse: readonly InUse[]): {
  readonly exit: 0 | 1
  readonly findings: readonly CheckFinding[]
} {
  const findings = inUse
    .filter(({ ranked, needsOwn }) =>
      ranked.every(
        (entry) => !entry.taken || (needsOwn && entry.candidate.source.kind === 'none_needed'),
      ),
    )
    .flatMap(({ provider, ranked }) => {
      const known = ranked.flatMap((entry) => notServing(provider, entry))
      return known.length > 0 ? known : [{ provider, problem: 'none' as const }]
    })
  return { exit: findings.length > 0 ? 1 : 0, findings }
}

/** Models in use that nobody can serve now, or only one that rests by our own guess and is tried as the last resort. */
export function unserved(inUse: readonly InUse[]): readonly CheckFinding[] {
  const hopeful = inUse.filter(({ ranked }) => ranked.some(({ taken }) => taken))
  const doubtful = hopeful.filter(({ ranked }) =>
    ranked.every(({ taken, why }) => !taken || why.code === 'last_resort'),
  )
  return [
    ...checkServing(inUse).findings,
    ...doubtful.flatMap(({ provider, ranked }) =>
      ranked.flatMap(({ taken, candidate }): readonly CheckFinding[] =>
        taken ? [{ provider, candidate, problem: 'resting' }] : [],
      ),
    ),
  ]
}

/** Why a credential that there is does not serve. */
function notServing(
  provider: ProviderId,
  { taken, candidate, why }: Ranked,
): readonly CheckFinding[] {
  if (taken || candidate.source.kind === 'none_needed') return []
  const problem = PROBLEMS[why.code]
  return problem === undefined ? [] : [{ provider, candidate, problem }]
}

const PROBLEMS: Readonly<Partial<Record<PassedOver['code'], CheckFinding['problem']>>> = {
  missing_variable: 'missing',
  blank: 'missing',
  placeholder: 'missing',
  malformed: 'missing',
  expired: 'expired',
  awaiting_renewal: 'waiting',
  awaiting_owner: 'expired',
  grant_dead: 'dead',
  policy_refused: 'refused',
  resting: 'resting',
}

function findingFor(
  provider: ProviderId,
  candidate: Candidate,
  world: World,
): readonly CheckFinding[] {
  const health = assess(candidate, world)
  if (health.policy.state === 'refused') return [{ provider, candidate, problem: 'refused' }]
  if (health.access.state === 'missing' || health.access.state === 'rejected') {
    return [{ provider, candidate, problem: health.access.state }]
  }
  if (health.grant.state === 'dead') return [{ provider, candidate, problem: 'dead' }]
  if (health.access.state === 'expired') {
    // While its renewal must wait, it serves nobody: that is what an alarm is for.
    return isRenewedOnUse(candidate, world) ? [] : [{ provider, candidate, problem: 'expired' }]
  }
  return endsSoon(health, world) ? [{ provider, candidate, problem: 'expiring' }] : []
}

/** Left out by the user's own choice, so nothing to be alarmed about. */
function isExcluded(why: PassedOver | { readonly code: string }): boolean {
  return (
    why.code === 'not_in_order' ||
    why.code === 'not_for_client' ||
    why.code === 'another_pinned' ||
    why.code === 'mode_mismatch' ||
    why.code === 'left_out'
  )
}

/** Whether somebody renews it without the user: we, or its owner. */
function renewsItself(grant: Grant): boolean {
  switch (grant.state) {
    case 'renewable':
      return true
    case 'borrowed':
      return grant.way !== 'none' && grant.way !== 'never'
    case 'unsettled':
      return grant.againAt !== undefined
    default:
      return false
  }
}

/** Whether the next request renews it and is served then. */
function isRenewedOnUse(candidate: Candidate, world: World): boolean {
  return canRenew(candidate.grant) && holdMs(candidate.grant?.verdict, world.moment) === 0
}
