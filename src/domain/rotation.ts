/**
 * Who is tried in which order, and why each other candidate is passed over.
 *
 * Requests, `models status` and `models auth explain` all end here, so they cannot disagree.
 */

import type { AgentState, ProfileUsage, Rest } from './cooldown.ts'
import { restFor, usageFor } from './cooldown.ts'
import type { Credential, CredentialType } from './credential.ts'
import { bearerOf, expiresAtOf, isExpired, isRenewable } from './credential.ts'
import type { SwitchedOffBy } from './foreign.ts'
import type { GrantView, Moment, RenewalOutcome } from './grant.ts'
import { holdMs, isDead } from './grant.ts'
import type { AgentId, ModelKey, ProfileId } from './names.ts'
import type { Origin } from './profile.ts'
import type { Lane } from './provider.ts'
import { acceptsType } from './settings.ts'
import type { EpochMs } from './time.ts'

/** Where a variable's value was found. */
export type VariableSource =
  | { readonly kind: 'process' }
  | { readonly kind: 'env_file'; readonly path: string; readonly line: number }
  | { readonly kind: 'config'; readonly field: string }
  | { readonly kind: 'shell'; readonly shell: string }

/** Where a candidate's credential comes from. */
export type CredentialSource =
  | { readonly kind: 'store'; readonly agent: AgentId; readonly path: string }
  | { readonly kind: 'variable'; readonly variable: string; readonly from: VariableSource }
  | { readonly kind: 'config'; readonly field: string }
  | { readonly kind: 'none_needed' }

/** A credential considered for a request. Keys that are not profiles have the names `env`, `config`, `local`, `builtin`. */
export interface Candidate {
  readonly id: ProfileId
  /** Absent: the provider needs none, or a variable that config names is not set. */
  readonly credential?: Credential
  readonly fingerprint: string
  readonly source: CredentialSource
  readonly origin: Origin
  /** Where a borrowed login stands in its owner's home. */
  readonly place?: string
  /** Its source is switched off: it is never used, and nobody looks at its owner. */
  readonly leftOut?: SwitchedOffBy
  /** What stands behind an oauth profile. */
  readonly grant?: GrantView
  readonly lane: Lane
  /** What config accepts for this profile; absent: anything. */
  readonly mode?: CredentialType
  /** No provider would take it: text that stands for a secret, or one with characters that no header can hold. */
  readonly unusable?: 'placeholder' | 'malformed'
  /** The variable that config refers to and that is not set. */
  readonly missingVariable?: string
}

export type Taken =
  | { readonly code: 'pinned' }
  | { readonly code: 'agent_order' }
  | { readonly code: 'config_order' }
  | { readonly code: 'kind_order' }
  | { readonly code: 'last_resort'; readonly rest: Rest }

export type PassedOver =
  | { readonly code: 'another_pinned'; readonly pin: ProfileId }
  | { readonly code: 'not_in_order'; readonly order: 'agent' | 'config' }
  | { readonly code: 'mode_mismatch'; readonly mode: CredentialType; readonly type: CredentialType }
  | { readonly code: 'left_out'; readonly origin: Origin; readonly by: SwitchedOffBy }
  | { readonly code: 'missing_variable'; readonly variable: string }
  | { readonly code: 'blank' }
  | { readonly code: 'placeholder' }
  | { readonly code: 'malformed' }
  | { readonly code: 'expired'; readonly at: EpochMs }
  /** Its renewal failed and is tried again: by itself, where an instant is named. */
  | {
      readonly code: 'awaiting_renewal'
      readonly at: EpochMs
      readonly outcome?: RenewalOutcome
      readonly againAt?: EpochMs
    }
  /** Its owner alone renews it. */
  | { readonly code: 'awaiting_owner'; readonly at: EpochMs; readonly owner: Origin }
  /** The provider ended the login. */
  | { readonly code: 'grant_dead'; readonly at: EpochMs; readonly outcome: RenewalOutcome }
  | { readonly code: 'policy_refused'; readonly at: EpochMs; readonly words: string }
  | { readonly code: 'resting'; readonly rest: Rest }

export type Ranked =
  | { readonly candidate: Candidate; readonly taken: true; readonly why: Taken }
  | { readonly candidate: Candidate; readonly taken: false; readonly why: PassedOver }

export interface ExplicitOrder {
  readonly from: 'agent' | 'config'
  readonly ids: readonly ProfileId[]
}

export interface RankInput {
  readonly candidates: readonly Candidate[]
  readonly order?: ExplicitOrder
  /** A user's pin is strict: nothing else is tried. */
  readonly pin?: ProfileId
  readonly model: ModelKey
  readonly state: AgentState
  readonly now: EpochMs
  /** `now` by a clock that nobody can set; absent: the wall clock is all there is. */
  readonly moment?: Moment
}

/**
 * Every candidate exactly once: those that will be tried, in order, then those passed over.
 *
 * Resting candidates go last. One whose provider named the end of the rest is not tried before it; one that rests by
 * our own guess is the last resort.
 */
export function rank(input: RankInput): readonly Ranked[] {
  const sorted = [...input.candidates].sort((a, b) => compare(a, b, input))
  const ranked = sorted.map((candidate) => judge(candidate, input))
  return [
    ...ranked.filter((entry) => entry.taken && entry.why.code !== 'last_resort'),
    ...ranked
      .filter((entry) => entry.taken && entry.why.code === 'last_resort')
      .sort((a, b) => restEnd(a) - restEnd(b)),
    ...ranked.filter((entry) => !entry.taken),
  ]
}

/** The candidates that will be tried, in order. */
export function tried(ranked: readonly Ranked[]): readonly Candidate[] {
  return ranked.filter((entry) => entry.taken).map((entry) => entry.candidate)
}

/** What is known of the secret that a candidate holds now. */
export function usageOf(candidate: Candidate, state: AgentState): ProfileUsage | undefined {
  return usageFor(candidate, state)
}

function judge(candidate: Candidate, input: RankInput): Ranked {
  const { order, pin, now, state, model } = input
  const passOver = (why: PassedOver): Ranked => ({ candidate, taken: false, why })
  const pinned = pin === candidate.id

  if (pin && !pinned) return passOver({ code: 'another_pinned', pin })
  if (!pinned && order && !order.ids.includes(candidate.id)) {
    return passOver({ code: 'not_in_order', order: order.from })
  }
  const unfit = unfitness(candidate, now, input.moment ?? { at: now, boot: '', upMs: 0 })
  if (unfit) return passOver(unfit)

  const usage = usageOf(candidate, state)
  if (usage?.refusedPolicy) return passOver({ code: 'policy_refused', ...usage.refusedPolicy })
  const rest = restFor(candidate, model, state, now)
  if (rest?.source === 'provider') return passOver({ code: 'resting', rest })
  if (pinned) return { candidate, taken: true, why: { code: 'pinned' } }
  if (rest) return { candidate, taken: true, why: { code: 'last_resort', rest } }
  if (order) return { candidate, taken: true, why: { code: `${order.from}_order` } }
  return { candidate, taken: true, why: { code: 'kind_order' } }
}

/** What makes the credential itself unusable, whoever asks. */
function unfitness(candidate: Candidate, now: EpochMs, moment: Moment): PassedOver | undefined {
  const { credential, mode, missingVariable, leftOut, origin } = candidate
  if (leftOut) return { code: 'left_out', origin, by: leftOut }
  if (missingVariable !== undefined) return { code: 'missing_variable', variable: missingVariable }
  if (!credential) return undefined
  if (mode && !acceptsType(mode, credential.type)) {
    return { code: 'mode_mismatch', mode, type: credential.type }
  }
  if (bearerOf(credential).length === 0) return { code: 'blank' }
  if (candidate.unusable) return { code: candidate.unusable }
  if (!isExpired(credential, now)) return undefined
  return notRenewable(candidate, expiresAtOf(credential) ?? now, moment)
}

/** Why access that has ended cannot be renewed for the next request. Undefined: it can. */
function notRenewable(candidate: Candidate, at: EpochMs, moment: Moment): PassedOver | undefined {
  const { credential, grant, origin } = candidate
  if (!grant) {
    const renewable = credential !== undefined && isRenewable(credential)
    return { code: renewable ? 'awaiting_renewal' : 'expired', at }
  }
  const { way, verdict } = grant
  if (way === 'none') return { code: 'expired', at }
  if (way === 'never') return { code: 'awaiting_owner', at, owner: origin }
  if (!verdict) return undefined
  const { outcome } = verdict
  if (isDead(grant)) return { code: 'grant_dead', at: verdict.moment.at, outcome }
  const waitMs = holdMs(verdict, moment)
  if (waitMs === 0) return undefined
  const againAt = Number.isFinite(waitMs) ? { againAt: moment.at + waitMs } : {}
  return { code: 'awaiting_renewal', at, outcome, ...againAt }
}

function compare(a: Candidate, b: Candidate, input: RankInput): number {
  const ids = input.order?.ids
  const byOrder = ids ? place(ids, a.id) - place(ids, b.id) : 0
  if (byOrder !== 0) return byOrder
  const byKind = kindPlace(a) - kindPlace(b)
  if (byKind !== 0) return byKind
  const byUse =
    (usageOf(a, input.state)?.lastUsedAt ?? 0) - (usageOf(b, input.state)?.lastUsedAt ?? 0)
  if (byUse !== 0) return byUse
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function place(ids: readonly ProfileId[], id: ProfileId): number {
  const index = ids.indexOf(id)
  return index < 0 ? ids.length : index
}

/** Logins before keys, profiles before what stands outside the book. */
function kindPlace(candidate: Candidate): number {
  switch (candidate.source.kind) {
    case 'store':
      return { oauth: 0, token: 1, api_key: 2 }[candidate.credential?.type ?? 'api_key']
    case 'variable':
      return candidate.credential?.type === 'token' ? 3 : 4
    case 'config':
      return 5
    case 'none_needed':
      return 6
    default:
      return candidate.source satisfies never
  }
}

function restEnd(entry: Ranked): EpochMs {
  return entry.why.code === 'last_resort' ? entry.why.rest.until : 0
}
