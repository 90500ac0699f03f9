/**
 * Who is tried in which order, and why each other candidate is passed over.
 *
 * Requests, `models status` and `models auth explain` all end here, so they cannot disagree.
 */

import type { BudgetReached } from './budget.ts'
import type { Candidate } from './candidate.ts'
import { usageOf } from './candidate.ts'
import type { AgentState, Rest } from './cooldown.ts'
import { restFor } from './cooldown.ts'
import type { CredentialType } from './credential.ts'
import { bearerOf, expiresAtOf, isExpired, isRenewable } from './credential.ts'
import type { SwitchedOffBy } from './foreign.ts'
import type { Moment, RenewalOutcome } from './grant.ts'
import { holdMs, isDead } from './grant.ts'
import type { ModelKey, ProfileId } from './names.ts'
import type { Origin } from './profile.ts'
import type { Lane } from './provider.ts'
import type { QuotaWindow } from './quota.ts'
import { nearWall } from './quota.ts'
import { acceptsType } from './settings.ts'
import type { Sorting, Strategy } from './strategy.ts'
import { keptFirst, sorted, strategyOf } from './strategy.ts'
import type { EpochMs } from './time.ts'

export type { Candidate, CredentialSource, VariableSource } from './candidate.ts'
export { usageOf } from './candidate.ts'

export type Taken =
  | { readonly code: 'pinned' }
  /** It served this session before, whose prompt is in its cache. */
  | { readonly code: 'kept' }
  /** It served last, and the strategy is `sticky`. */
  | { readonly code: 'sticky' }
  | { readonly code: 'agent_order' | 'config_order' | 'kind_order'; readonly strategy: Strategy }
  /** So much of a limit is used that it is spared. */
  | { readonly code: 'near_wall'; readonly window: QuotaWindow }
  | { readonly code: 'near_budget'; readonly budget: BudgetReached }
  | { readonly code: 'last_resort'; readonly rest: Rest }

export type PassedOver =
  | { readonly code: 'another_pinned'; readonly pin: ProfileId }
  | { readonly code: 'not_in_order'; readonly order: 'agent' | 'config' }
  /** The caller's key is limited to other profiles. */
  | { readonly code: 'not_for_client' }
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
  | { readonly code: 'budget_spent'; readonly budget: BudgetReached }
  /** It is paid by use, and `auth.lanes.crossing` forbids to move to it from what is not. */
  | { readonly code: 'lane_denied'; readonly from: Payer }

export type Ranked =
  | { readonly candidate: Candidate; readonly taken: true; readonly why: Taken }
  | { readonly candidate: Candidate; readonly taken: false; readonly why: PassedOver }

export interface ExplicitOrder {
  readonly from: 'agent' | 'config'
  readonly ids: readonly ProfileId[]
}

/** A credential as somebody who pays. */
export interface Payer {
  readonly profile: ProfileId
  readonly lane: Lane
}

export interface RankInput {
  readonly candidates: readonly Candidate[]
  readonly order?: ExplicitOrder
  /** The only profiles that the caller may use; absent: any. */
  readonly only?: ReadonlySet<ProfileId>
  /** A user's pin is strict: nothing else is tried. */
  readonly pin?: ProfileId
  /** Served this session before: it goes first while it can serve, and yields when it cannot. */
  readonly keep?: ProfileId
  /** Absent: the order as it is, else the least recently used of a kind. */
  readonly strategy?: Strategy
  /** Used share of a limit from which a profile is spared; absent: none is. */
  readonly quotaThreshold?: number
  /** Whether a request may move to a credential that is paid by use; absent: it may. */
  readonly crossing?: 'announce' | 'deny'
  /** Whom the request meant first, where that was with another model. */
  readonly meant?: Payer
  readonly model: ModelKey
  readonly state: AgentState
  readonly now: EpochMs
  /** `now` by a clock that nobody can set; absent: the wall clock is all there is. */
  readonly moment?: Moment
}

/**
 * Every candidate exactly once: those that will be tried, in order, then those passed over.
 *
 * First those that are well; then those near a wall or over a soft budget; then those that rest. One whose provider
 * named the end of the rest is not tried before it; one that rests by our own guess is the last resort.
 */
export function rank(input: RankInput): readonly Ranked[] {
  const { judged, sorting } = judgeAll(input)
  const well: Ranked[] = []
  const spared: Ranked[] = []
  const resting: Ranked[] = []
  const passedOver: Ranked[] = []
  const taken = [well, spared, resting] as const
  for (const entry of judged) {
    const place = entry.taken ? taken[standing(entry.why)] : passedOver
    place.push(entry)
  }
  const kept = keptFirst(
    well.map(({ candidate }) => candidate),
    input.keep,
    sorting,
  )
  const first = well.find(({ candidate }) => candidate === kept)
  return [
    ...(first ? [first.why.code === 'pinned' ? first : asKept(first.candidate, input.keep)] : []),
    ...(first ? well.filter((entry) => entry !== first) : well),
    ...spared,
    ...resting.toSorted((a, b) => restEnd(a) - restEnd(b)),
    ...passedOver,
  ]
}

function asKept(candidate: Candidate, keep: ProfileId | undefined): Ranked {
  return { candidate, taken: true, why: { code: candidate.id === keep ? 'kept' : 'sticky' } }
}

/** The candidates that will be tried, in order. */
export function tried(ranked: readonly Ranked[]): readonly Candidate[] {
  return ranked.filter((entry) => entry.taken).map((entry) => entry.candidate)
}

/** Who would serve if every login were alive and nothing rested: whom the user means to pay. */
export function firstMeant(input: RankInput): Payer | undefined {
  return judgeAll(input).meant
}

/** Whether a request that was meant for `from` costs money by use when `to` serves it. */
export function crosses(from: Payer | undefined, to: Candidate): from is Payer {
  return from?.lane === 'subscription' && to.lane === 'metered'
}

/** Why nobody else may stand in: what fails and mends says whom the user means; what is wrong in itself does not. */
const MEANT: ReadonlySet<PassedOver['code']> = new Set<PassedOver['code']>([
  'expired',
  'awaiting_renewal',
  'awaiting_owner',
  'grant_dead',
  'policy_refused',
  'resting',
  'budget_spent',
])

/** Everybody's verdict in the order of preference, before the state of the day moves anybody back. */
function judgeAll(input: RankInput): {
  readonly judged: readonly Ranked[]
  readonly sorting: Sorting
  readonly meant: Payer | undefined
} {
  const sorting: Sorting = {
    ...(input.order && { ids: input.order.ids }),
    ...(input.strategy && { strategy: input.strategy }),
    state: input.state,
  }
  const rules: Rules = {
    strategy: strategyOf(sorting),
    ...(input.order && { listed: new Set(input.order.ids) }),
  }
  const judged = sorted(input.candidates, sorting).map((entry) => judge(entry, input, rules))
  const first = judged.find((entry) => entry.taken || MEANT.has(entry.why.code))?.candidate
  const meant = input.meant ?? (first && { profile: first.id, lane: first.lane })
  if (input.crossing !== 'deny') return { judged, sorting, meant }
  // A pin says who is meant, but not where its model only stands in for another one.
  const isMeant = ({ why }: Ranked): boolean => why.code === 'pinned' && !input.meant
  return {
    judged: judged.map((entry) =>
      entry.taken && !isMeant(entry) && crosses(meant, entry.candidate)
        ? { candidate: entry.candidate, taken: false, why: { code: 'lane_denied', from: meant } }
        : entry,
    ),
    sorting,
    meant,
  }
}

/** What holds for every candidate of one ranking. */
interface Rules {
  readonly strategy: Strategy
  readonly listed?: ReadonlySet<ProfileId>
}

function judge(candidate: Candidate, input: RankInput, { strategy, listed }: Rules): Ranked {
  const { order, pin, now, state } = input
  const passOver = (why: PassedOver): Ranked => ({ candidate, taken: false, why })
  const take = (why: Taken): Ranked => ({ candidate, taken: true, why })
  const pinned = pin === candidate.id

  if (input.only && !input.only.has(candidate.id)) return passOver({ code: 'not_for_client' })
  if (pin && !pinned) return passOver({ code: 'another_pinned', pin })
  if (!pinned && order && !listed?.has(candidate.id)) {
    return passOver({ code: 'not_in_order', order: order.from })
  }
  const unfit = unfitness(candidate, now, input.moment ?? { at: now, boot: '', upMs: 0 })
  if (unfit) return passOver(unfit)

  const usage = usageOf(candidate, state)
  if (usage?.refusedPolicy) return passOver({ code: 'policy_refused', ...usage.refusedPolicy })
  const rest = restFor(candidate, input.model, state, now)
  if (rest?.source === 'provider') return passOver({ code: 'resting', rest })
  const { budget } = candidate
  const isOver = budget && budget.until > now
  if (isOver && budget.limit === 'hard') return passOver({ code: 'budget_spent', budget })
  if (pinned) return take({ code: 'pinned' })
  if (rest) return take({ code: 'last_resort', rest })
  const window =
    input.quotaThreshold !== undefined && usage?.quota
      ? nearWall(usage.quota, input.quotaThreshold, now)
      : undefined
  if (window) return take({ code: 'near_wall', window })
  if (isOver) return take({ code: 'near_budget', budget })
  return take({ code: order ? `${order.from}_order` : 'kind_order', strategy })
}

/** 0: well. 1: spared. 2: rests. */
function standing(why: Ranked['why']): 0 | 1 | 2 {
  if (why.code === 'last_resort') return 2
  return why.code === 'near_wall' || why.code === 'near_budget' ? 1 : 0
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

function restEnd(entry: Ranked): EpochMs {
  return entry.why.code === 'last_resort' ? entry.why.rest.until : 0
}
