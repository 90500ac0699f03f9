/**
 * What the answer to one request teaches, and where it is kept.
 *
 * A request and a probe learn through here alike, so that `models status` knows what either of them met.
 */

import type { AgentState, UpstreamFailure } from '../domain/cooldown.ts'
import { afterFailure, afterOverload, afterSuccess } from '../domain/cooldown.ts'
import type { AgentId, ModelKey } from '../domain/names.ts'
import { formatModelKey, MAIN_AGENT } from '../domain/names.ts'
import type { Clock, StateStore } from '../domain/ports.ts'
import type { QuotaWindow } from '../domain/quota.ts'
import type { Candidate } from '../domain/rotation.ts'

/** The same change for the state that the caller works with. */
export type Lesson = (state: AgentState) => AgentState

export interface Lessons {
  /** A good answer: it clears what it disproves. */
  learnSuccess(candidate: Candidate, model: ModelKey, quota: readonly QuotaWindow[]): Lesson
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

export function createLessons({ states, clock }: LessonsDeps): Lessons {
  function keep(changes: readonly (readonly [AgentId, Lesson])[]): Lesson {
    for (const [agent, change] of changes) states.update(agent, change)
    return (state) => changes.reduce((before, [, change]) => change(before), state)
  }

  return {
    learnSuccess(candidate, model) {
      const now = clock.now()
      return keep([
        [
          stateHome(candidate),
          (state) => ({
            ...state,
            profiles: new Map(state.profiles).set(
              candidate.id,
              afterSuccess(candidate.fingerprint, now),
            ),
          }),
        ],
        [MAIN_AGENT, (state) => withoutModelRest(state, model)],
      ])
    },

    learnFailure(candidate, model, failure) {
      const now = clock.now()
      const ofProfile: Lesson = (state) => ({
        ...state,
        profiles: new Map(state.profiles).set(
          candidate.id,
          afterFailure(state.profiles.get(candidate.id), failure, candidate.fingerprint, now),
        ),
      })
      const ofModel: Lesson = (state) => {
        const key = formatModelKey(model)
        const rest = afterOverload(state.models.get(key), failure, now)
        return { ...state, models: new Map(state.models).set(key, rest) }
      }
      return keep([
        [stateHome(candidate), ofProfile],
        ...(failure.reason === 'overloaded' ? [[MAIN_AGENT, ofModel] as const] : []),
      ])
    },
  }
}

function withoutModelRest(state: AgentState, model: ModelKey): AgentState {
  if (!state.models.has(formatModelKey(model))) return state
  const models = new Map(state.models)
  models.delete(formatModelKey(model))
  return { ...state, models }
}

/** Usage is kept beside the book that holds the profile; what is outside the books is main's. */
function stateHome(candidate: Candidate): AgentId {
  return candidate.source.kind === 'store' ? candidate.source.agent : MAIN_AGENT
}
