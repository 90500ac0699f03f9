/** Tells of requests that somebody else pays for than was meant, and of providers of whom everybody rests. */

import type { Payer } from '../domain/rotation.ts'
import { crosses } from '../domain/rotation.ts'
import type { EpochMs } from '../domain/time.ts'
import type { Answered, AttemptDeps, Progress } from './attempt.ts'
import type { Wait } from './choice.ts'
import { meantBy } from './choice.ts'
import type { DispatchRequest, Served } from './dispatch.ts'

/** Tells who pays instead of whom, and who rests; the same news of the same people once. */
export function createRequestHappenings({ publish, log }: Pick<AttemptDeps, 'publish' | 'log'>): {
  served(request: DispatchRequest, progress: Progress, answered: Answered): Served
  resting(request: DispatchRequest, wait: Wait): void
} {
  const crossings = new Map<string, string>()
  const rests = new Map<string, EpochMs>()
  return {
    served({ world, session, ...request }, progress, answered) {
      const { candidate, model } = answered
      const { agent } = world
      const served: Served = { ...answered, wanted: request.models[0] ?? model }
      const key = `${agent}/${session ?? ''}/${model.provider}`
      const from = candidate.lane === 'metered' ? meantBy(request, progress) : undefined
      if (!crosses(from, candidate)) {
        crossings.delete(key)
        return served
      }
      const to: Payer = { profile: candidate.id, lane: candidate.lane }
      log.write('warn', 'request.crossed', {
        agent,
        ...(session && { session }),
        from: from.profile,
        to: to.profile,
      })
      const news = `${from.profile} ${to.profile}`
      if (crossings.get(key) !== news) {
        if (crossings.size >= MOST_REMEMBERED) crossings.clear()
        crossings.set(key, news)
        publish({ kind: 'lane.crossed', agent, ...(session && { session }), from, to })
      }
      return { ...served, crossed: { from, to } }
    },

    resting({ world: { agent } }, { provider, until }) {
      const key = `${agent}/${provider}`
      if (rests.get(key) === until) return
      rests.set(key, until)
      publish({ kind: 'all.resting', agent, provider, until })
    },
  }
}

/** Sessions of which it is remembered who paid, so that it is told once. */
const MOST_REMEMBERED = 1_000
