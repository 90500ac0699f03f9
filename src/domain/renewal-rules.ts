/**
 * When access is renewed, how soon after a failure it is tried again, and what no renewal may do.
 *
 * The wall clock is a hint here: it can make us renew early once, never send twice and never call a login dead.
 */

import { createHash } from 'node:crypto'

import type { OauthCredential } from './credential.ts'
import type {
  GrantView,
  Moment,
  NotSentReason,
  RenewalOutcome,
  RenewalWay,
  Verdict,
} from './grant.ts'
import { elapsedMs, holdMs } from './grant.ts'
import type { OauthFacts } from './provider.ts'
import type { EpochMs } from './time.ts'
import { MINUTE_MS, SECOND_MS } from './time.ts'

/** Use it less long before its end than this, ms: a request takes a while. */
const STALE_MS: number = MINUTE_MS
/** Renew it in the background when less than this is left, ms. */
const DUE_MS: number = 10 * MINUTE_MS
/** Between two renewals of one grant, ms. */
const SPACING_MS: number = MINUTE_MS
/** A helper that took longer from its decision to the send was paused or slept: it decides anew. */
export const LONGEST_PAUSE_MS: number = 10 * SECOND_MS

const BACKOFF_MS: readonly number[] = [2, 8, 30, 120, 600].map((seconds) => seconds * SECOND_MS)
/** The first two lie within the replay windows that servers are known to have. */
const REPLAYS_MS: readonly number[] = [1, 4, 30, 120, 600].map((seconds) => seconds * SECOND_MS)

/** `fresh`: use it. `due`: use it and renew behind it. `stale`: renew before use. */
export type Freshness = 'fresh' | 'due' | 'stale'

/**
 * How soon an access token must be renewed.
 *
 * @param early a number from 0 to 1 that spreads the renewals of many processes over time
 */
export function freshness(credential: OauthCredential, now: EpochMs, early = 0): Freshness {
  const { expiresAt, renewedAt } = credential
  if (expiresAt === undefined) return 'fresh'
  const leftMs = expiresAt - now
  const lifetimeMs = renewedAt === undefined ? undefined : Math.max(0, expiresAt - renewedAt)
  const staleMs = lifetimeMs === undefined ? STALE_MS : Math.min(STALE_MS, lifetimeMs / 10)
  if (leftMs <= staleMs) return 'stale'
  const quarterMs = lifetimeMs === undefined ? DUE_MS : lifetimeMs * (0.25 + early * 0.1)
  const dueMs = Math.max(quarterMs, Math.min(DUE_MS, (lifetimeMs ?? Infinity) / 2))
  return leftMs <= dueMs ? 'due' : 'fresh'
}

/** How long no renewal follows one that gave a token of this lifetime, ms. */
export function spacingMs(lifetimeMs: number): number {
  return Math.max(SECOND_MS, Math.min(SPACING_MS, lifetimeMs))
}

/** Whether the last renewal is so recent that another would be a storm. */
export function isTooSoon(verdict: Verdict | undefined, now: Moment): boolean {
  if (verdict?.outcome.kind !== 'renewed') return false
  return elapsedMs(verdict.moment, now) < verdict.outcome.spacingMs
}

/**
 * How long after this outcome it is tried again, ms; undefined: not by itself.
 *
 * @param tries outcomes of this kind in a row, this one included
 * @param random a number from 0 to 1
 */
export function againAfterMs(
  outcome: RenewalOutcome,
  tries: number,
  random: number,
  retryAfterMs?: number,
): number | undefined {
  const jitter = 0.8 + 0.4 * random
  switch (outcome.kind) {
    case 'renewed':
      return 0
    case 'not_sent':
      // Two who renew one login log each other out: only the user can say whose it is.
      if (outcome.reason === 'owners_token') return undefined
      return step(BACKOFF_MS, tries) * jitter
    case 'kept':
      return step(BACKOFF_MS, tries) * jitter
    case 'not_consumed':
      return Math.max(retryAfterMs ?? 0, step(BACKOFF_MS, tries) * jitter)
    case 'ambiguous':
      return step(REPLAYS_MS, tries)
    case 'config':
    case 'rejected':
    case 'quarantined':
    case 'spent':
      return undefined
    default:
      return outcome satisfies never
  }
}

/**
 * The wait before a token is sent again whose answer was lost, ms.
 *
 * A server that is known to end the whole login at a second sending gets it only when there is nothing left to lose.
 */
export function replayAfterMs(
  facts: Pick<OauthFacts, 'replay'>,
  credential: OauthCredential,
  replays: number,
  now: EpochMs,
): number {
  const soonMs = step(REPLAYS_MS, replays + 1)
  if (facts.replay !== 'strict' || credential.expiresAt === undefined) return soonMs
  return Math.max(soonMs, credential.expiresAt - STALE_MS - now)
}

/**
 * How long this verdict still holds a renewal up, ms.
 *
 * A person is not held up. Access that was refused may replay a lost renewal earlier than the schedule says, for there is
 * nothing left to lose, but not with every request; a time that the provider named is kept.
 */
export function heldMs(
  verdict: Verdict | undefined,
  urge: 'use' | 'refused' | 'user',
  now: Moment,
): number {
  if (urge === 'user' || !verdict) return 0
  if (urge === 'refused' && verdict.outcome.kind === 'ambiguous') {
    const waitMs = step(REPLAYS_MS, verdict.outcome.replays + 1)
    return Math.max(0, waitMs - elapsedMs(verdict.moment, now))
  }
  return holdMs(verdict, now)
}

/** A refresh token serves the client that it was given to. */
export function clientOf(facts: OauthFacts, login: OauthCredential): string | undefined {
  return login.clientId ?? facts.clientId ?? facts.grantsClientId
}

/** Stands for the facts that a complaint about client or request depends on. */
export function configMark(facts: OauthFacts, clientId: string | undefined): string {
  const parts = [facts.tokenUrl, facts.body, clientId ?? '', ...facts.scopes]
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16)
}

/** Why its owner's program did not renew a login says nothing where it is renewed otherwise now, and the reverse. */
export function isOfAnotherWay(outcome: RenewalOutcome, way: RenewalWay): boolean {
  if (outcome.kind !== 'not_sent') return false
  if (outcome.reason === 'owner_program') return way !== 'owner'
  return way === 'owner' && NEIGHBOURS_REASONS.has(outcome.reason)
}

const NEIGHBOURS_REASONS: ReadonlySet<NotSentReason> = new Set<NotSentReason>([
  'owner_busy',
  'owner_unwritable',
  'owner_unreadable',
])

/** Whether anybody here can get new access with this grant. What its last renewal has shown is another question. */
export function canRenew(view: GrantView | undefined): boolean {
  return view !== undefined && view.way !== 'none' && view.way !== 'never'
}

function step(ladder: readonly number[], tries: number): number {
  return ladder[Math.min(Math.max(tries, 1), ladder.length) - 1] ?? 0
}
