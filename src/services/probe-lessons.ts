/** Keeps what an answer to a probe teaches where a request keeps it. */

import { afterFailure, afterOverload, afterSuccess } from '../domain/cooldown.ts'
import type { AgentId } from '../domain/names.ts'
import { formatModelKey, MAIN_AGENT } from '../domain/names.ts'
import type { Clock, StateStore } from '../domain/ports.ts'
import type { Candidate } from '../domain/rotation.ts'
import type { ProbeLessons } from './probe.ts'

export function createProbeLessons({
  states,
  clock,
}: {
  readonly states: StateStore
  readonly clock: Clock
}): ProbeLessons {
  return {
    learnSuccess(candidate, model) {
      const usage = afterSuccess(candidate.fingerprint, clock.now())
      states.update(stateHome(candidate), (state) => ({
        ...state,
        profiles: new Map(state.profiles).set(candidate.id, usage),
      }))
      states.update(MAIN_AGENT, (state) => {
        const models = new Map(state.models)
        return models.delete(formatModelKey(model)) ? { ...state, models } : state
      })
    },
    learnFailure(candidate, model, failure) {
      const now = clock.now()
      const key = formatModelKey(model)
      states.update(stateHome(candidate), (state) => {
        const before = state.profiles.get(candidate.id)
        const usage = afterFailure(before, failure, candidate.fingerprint, now)
        return { ...state, profiles: new Map(state.profiles).set(candidate.id, usage) }
      })
      if (failure.reason !== 'overloaded') return
      states.update(MAIN_AGENT, (state) => {
        const rest = afterOverload(state.models.get(key), failure, now)
        return { ...state, models: new Map(state.models).set(key, rest) }
      })
    },
  }
}

function stateHome({ source }: Candidate): AgentId {
  return source.kind === 'store' ? source.agent : MAIN_AGENT
}
