/**
 * What the answer to one request teaches, and where it is kept.
 *
 * A request and a probe learn through here alike, so that `models status` knows what either of them met.
 */

import { accountKeys } from '../domain/account.ts'
import type { AgentState, Rest, UpstreamFailure } from '../domain/cooldown.ts'
import { grantOf, nextRest, restScope, usageKey } from '../domain/cooldown.ts'
import type { Circumstances } from '../domain/learning.ts'
import { afterFailure, afterSuccess, recentRests, sinceThen } from '../domain/learning.ts'
import type { AgentId, ModelKey } from '../domain/names.ts'
import { formatModelKey, MAIN_AGENT } from '../domain/names.ts'
import type { Clock, StateStore } from '../domain/ports.ts'
import type { QuotaWindow } from '../domain/quota.ts'
import type { Candidate } from '../domain/rotation.ts'
import type { EpochMs } from '../domain/time.ts'

/** The same change for the state that the caller works with. */
export type Lesson = (state: AgentState) => AgentState

export interface Lessons {
  /**
   * A good answer: it clears what it disproves.
   *
   * @param sentAt when its request was sent: a rest that began later is not disproved. Absent: now
   */
  learnSuccess(
    candidate: Candidate,
    model: ModelKey,
    quota: readonly QuotaWindow[],
    sentAt?: EpochMs,
  ): Lesson
  /** An answer that is none. What it says about the request alone leaves no mark on the credential. */
  learnFailure(
    candidate: Candidate,
    model: ModelKey,
    failure: UpstreamFailure,
    quota: readonly QuotaWindow[],
  ): Lesson
}

export interface LessonsDeps {
  readonly states: StateStore
  readonly clock: Pick<Clock, 'now'>
  /** A number from 0 to 1. */
  readonly random: () => number
}

export function createLessons({ states, clock, random }: LessonsDeps): Lessons {
  function keep(ofProfile: Lesson, candidate: Candidate, ofAll: Lesson | undefined): Lesson {
    states.update(stateHome(candidate), ofProfile)
    if (!ofAll) return ofProfile
    states.update(MAIN_AGENT, ofAll)
    return (state) => ofAll(ofProfile(state))
  }

  return {
    learnSuccess(candidate, model, quota, sentAt = clock.now()) {
      const now = clock.now()
      const circumstances = { ...circumstancesOf(candidate, model), quota, sentAt }
      return keep(
        (state) => {
          const before = state.profiles.get(usageKey(candidate))
          const usage = afterSuccess(candidate.fingerprint, now, circumstances, before)
          return { ...state, profiles: new Map(state.profiles).set(usageKey(candidate), usage) }
        },
        candidate,
        (state) => disproved(state, candidate, model, sentAt),
      )
    },

    learnFailure(candidate, model, failure, quota) {
      const now = clock.now()
      const chance = random()
      const circumstances = { ...circumstancesOf(candidate, model), quota, random: chance }
      const scope = restScope(failure, circumstances.accountKnown)
      return keep(
        (state) => {
          const before = state.profiles.get(usageKey(candidate))
          const usage = afterFailure(before, failure, candidate.fingerprint, now, circumstances)
          return { ...state, profiles: new Map(state.profiles).set(usageKey(candidate), usage) }
        },
        candidate,
        sharedRest(candidate, model, { failure, scope, now, random: chance }),
      )
    },
  }
}

function circumstancesOf(
  candidate: Candidate,
  model: ModelKey,
): Circumstances & { readonly accountKnown: boolean } {
  const grant = grantOf(candidate)
  return {
    ...(grant !== undefined && { grant }),
    model: formatModelKey(model),
    accountKnown: accountKeys(candidate).length > 0,
  }
}

/** The rest that everybody here shares, if this failure asks for one. */
function sharedRest(
  candidate: Candidate,
  model: ModelKey,
  given: {
    readonly failure: UpstreamFailure
    readonly scope: Rest['scope'] | undefined
    readonly now: EpochMs
    readonly random: number
  },
): Lesson | undefined {
  const { failure, scope, now, random } = given
  const after = (
    rests: ReadonlyMap<string, Rest> | undefined,
    keys: readonly string[],
    wide: Rest['scope'],
  ): ReadonlyMap<string, Rest> =>
    recentRests(
      [
        ...(rests ?? []),
        ...keys.map((key) => [key, nextRest(rests?.get(key), failure, wide, now, random)] as const),
      ],
      now,
    )
  if (scope === 'account') {
    const keys = accountKeys(candidate)
    return (state) => ({ ...state, accounts: after(state.accounts, keys, scope) })
  }
  if (scope === 'provider') {
    return (state) => ({ ...state, providers: after(state.providers, [model.provider], scope) })
  }
  if (failure.reason !== 'overloaded') return undefined
  return (state) => ({
    ...state,
    models: after(state.models, [formatModelKey(model)], 'model'),
  })
}

/** The state without the shared rests that a good answer disproves. */
function disproved(
  state: AgentState,
  candidate: Candidate,
  model: ModelKey,
  sentAt: EpochMs,
): AgentState {
  const models = without(state.models, [formatModelKey(model)], sentAt)
  const accounts = without(state.accounts, accountKeys(candidate), sentAt)
  const providers = without(state.providers, [model.provider], sentAt)
  if (models === state.models && accounts === state.accounts && providers === state.providers) {
    return state
  }
  return { ...state, models, ...(accounts && { accounts }), ...(providers && { providers }) }
}

/** The same map where nothing is taken out. */
function without<M extends ReadonlyMap<string, Rest> | undefined>(
  rests: M,
  keys: readonly string[],
  sentAt: EpochMs,
): M | ReadonlyMap<string, Rest> {
  const gone = keys.filter((key) => rests?.has(key) && !sinceThen(rests.get(key), sentAt))
  return rests === undefined || gone.length === 0
    ? rests
    : new Map([...rests].filter(([key]) => !gone.includes(key)))
}

/** Usage is kept beside the book that holds the profile; what is outside the books is main's. */
function stateHome(candidate: Candidate): AgentId {
  return candidate.source.kind === 'store' ? candidate.source.agent : MAIN_AGENT
}
