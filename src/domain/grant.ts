/**
 * A grant: what gets new access tokens, and what its last renewal has shown.
 *
 * A grant keeps its id through every rotation. Which of its refresh tokens is meant is said by a mark, a digest of the
 * token: journal, verdict and compare-and-swap all name tokens so, and never hold one.
 */

import { createHash } from 'node:crypto'

import type { OauthCredential } from './credential.ts'
import type { ProviderId } from './names.ts'
import type { Secret } from './secret.ts'
import type { EpochMs } from './time.ts'

declare const kind: unique symbol
/** 32 hex digits; safe as a folder name. */
export type GrantId = string & { readonly [kind]: 'grant' }
/** 32 hex digits that stand for one token and do not give it away. */
export type TokenMark = string & { readonly [kind]: 'mark' }

const GRANT_ID = /^[0-9a-f]{32}$/

export function parseGrantId(text: string): GrantId | undefined {
  return GRANT_ID.test(text) ? (text as GrantId) : undefined
}

export function parseTokenMark(text: string): TokenMark | undefined {
  return GRANT_ID.test(text) ? (text as TokenMark) : undefined
}

export function markOf(token: Secret): TokenMark {
  return digest('token mark', token.reveal()) as TokenMark
}

/**
 * The id of a grant of our own. One that was stored without an id, as older tools do, gets it from its refresh token, so
 * that two copies of one login have one id, one lock and one journal.
 */
export function ownGrantId(provider: ProviderId, credential: OauthCredential): GrantId | undefined {
  if (credential.grantId) return credential.grantId
  return credential.refresh && newGrantId(provider, credential.refresh)
}

/** The id for a login that has just been made. @param refresh its first refresh token */
export function newGrantId(provider: ProviderId, refresh: Secret): GrantId {
  return digest('grant', provider, refresh.reveal()) as GrantId
}

/** The id of a borrowed grant: there is one in each home of its owner. */
export function borrowedGrantId(origin: string, place: string): GrantId {
  return digest('borrowed grant', origin, place) as GrantId
}

function digest(purpose: string, ...parts: readonly string[]): string {
  const hash = createHash('sha256').update(`equabot ${purpose} 1`)
  for (const part of parts) hash.update('\0').update(part)
  return hash.digest('hex').slice(0, 32)
}

/** An instant that survives a wrong clock: the wall clock's word, and how long this boot had been up. */
export interface Moment {
  readonly at: EpochMs
  /** Tells one boot of the machine from another; empty where the system does not say. */
  readonly boot: string
  /** Since boot, sleep included, ms. */
  readonly upMs: number
}

/** How long ago a moment was, ms; never negative. Within one boot the wall clock has no say. */
export function elapsedMs(since: Moment, now: Moment): number {
  const sameBoot = since.boot !== '' && since.boot === now.boot
  return Math.max(0, sameBoot ? now.upMs - since.upMs : now.at - since.at)
}

/** Why a renewal ended before anything was sent. */
export type NotSentReason =
  | 'storage'
  | 'network'
  | 'slept'
  | 'owner_busy'
  | 'owner_unwritable'
  | 'owner_unreadable'
  | 'owners_token'
  | 'owner_program'
  | 'unsafe_url'

/** How a renewal ended. Only `rejected` means that the grant is dead, and only for the token that it names. */
export type RenewalOutcome =
  /** `spacingMs`: no renewal for so long after this one, ms: what it gave serves for longer */
  | { readonly kind: 'renewed'; readonly spacingMs: number }
  /** Nothing left this machine; the login is as it was. */
  | { readonly kind: 'not_sent'; readonly reason: NotSentReason; readonly words: string }
  /** Answered, but the token was not looked at: a limit, a firewall page. */
  | { readonly kind: 'not_consumed'; readonly status: number; readonly words: string }
  /** The provider takes issue with client or request, not with the login. */
  | { readonly kind: 'config'; readonly error: string; readonly words: string }
  /** The provider's own verdict about exactly this token. `lostAt`: an earlier answer about it never arrived. */
  | {
      readonly kind: 'rejected'
      readonly error: string
      readonly words: string
      readonly lostAt?: EpochMs
    }
  /** Sent, and no answer that could be read: the token may have served or not. */
  | {
      readonly kind: 'ambiguous'
      readonly words: string
      readonly lostAt: EpochMs
      readonly replays: number
      /** An answer came, and what it says is of no use. */
      readonly answered?: true
    }
  /** The answer was for somebody else's account; it is kept aside, the login is as it was. */
  | { readonly kind: 'quarantined'; readonly expected: string; readonly got: string }
  /** The provider's answer is safe in the journal but could not be put into the login's home yet. */
  | { readonly kind: 'kept'; readonly words: string }
  /** The token had served before, by our own record: a copy of an older state. It is never sent. */
  | { readonly kind: 'spent'; readonly spentAt: EpochMs }

/** The last outcome for one refresh token, as it lies in `grants/<id>/verdict`. */
export interface Verdict {
  readonly token: TokenMark
  readonly moment: Moment
  readonly outcome: RenewalOutcome
  /** Outcomes of this kind in a row. */
  readonly tries: number
  /** Not tried again by itself for so long after `moment`, ms; absent: not by itself. */
  readonly againAfterMs?: number
  /** Under which provider facts it came about, for verdicts that a change of config voids. */
  readonly config?: string
}

/** How new access is had for a profile. */
export type RenewalWay =
  /** By us: the grant is ours. */
  | 'ours'
  /** By us as a neighbour of its owner, under the owner's own locks. */
  | 'neighbour'
  /** By running its owner's program. */
  | 'owner'
  /** By its owner alone, when it pleases. */
  | 'never'
  /** Not at all: there is no refresh token. */
  | 'none'

/** What is known of the grant behind a profile, at one instant. */
export interface GrantView {
  readonly way: RenewalWay
  /** About the refresh token that is current; absent: none was tried, or a newer login has come since. */
  readonly verdict?: Verdict
}

export function isDead(view: GrantView | undefined): boolean {
  const outcome = view?.verdict?.outcome.kind
  return outcome === 'rejected' || outcome === 'spent'
}

/** Nothing that is tried with this token can come to anything good, whoever asks. */
export function isFinal({ kind: outcome }: RenewalOutcome): boolean {
  return outcome === 'rejected' || outcome === 'quarantined'
}

/** How long a renewal must still wait, ms; 0: it may go now; Infinity: only the user can change something. */
export function holdMs(verdict: Verdict | undefined, now: Moment): number {
  if (!verdict || verdict.outcome.kind === 'renewed') return 0
  if (verdict.againAfterMs === undefined || isFinal(verdict.outcome)) return Infinity
  return Math.max(0, verdict.againAfterMs - elapsedMs(verdict.moment, now))
}
