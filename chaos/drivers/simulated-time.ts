/** Time that passes when everybody sleeps: a day takes seconds. */

import type { Clock } from '../../src/domain/ports.ts'
import type { EpochMs } from '../../src/domain/time.ts'

export interface SimulatedTime extends Clock {
  /** Wakes sleepers, earliest first, until this has happened. */
  run(until: Promise<unknown>): Promise<void>
}

export function createTime(start: EpochMs): SimulatedTime {
  let now = start
  const asleep = new Set<{ readonly at: number; readonly wake: () => void }>()
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const wake = (): void => {
          signal?.removeEventListener('abort', wake)
          asleep.delete(sleeper)
          resolve()
        }
        const sleeper = { at: now + Math.max(0, ms), wake }
        asleep.add(sleeper)
        signal?.addEventListener('abort', wake)
      }),
    async run(until) {
      let isOver = false
      void until.finally(() => (isOver = true))
      while (!isOver) {
        await new Promise((resolve) => setImmediate(resolve))
        const [next] = [...asleep].toSorted((a, b) => a.at - b.at)
        if (!next) continue
        now = Math.max(now, next.at)
        next.wake()
      }
    },
  }
}
