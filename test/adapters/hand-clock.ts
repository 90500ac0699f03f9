/** A clock on which no time passes but what a test lets pass. Sleepers wake when their instant is reached. */

import type { Clock } from '../../src/domain/ports.ts'

export interface HandClock extends Clock {
  advance(ms: number): void
  /** How many are asleep. */
  sleepers(): number
}

export function createHandClock(start = 1_800_000_000_000): HandClock {
  let now = start
  const asleep = new Set<{ readonly at: number; readonly wake: () => void }>()
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = {
          at: now + ms,
          wake: () => {
            asleep.delete(sleeper)
            resolve()
          },
        }
        asleep.add(sleeper)
        if (ms <= 0 || signal?.aborted) sleeper.wake()
        else signal?.addEventListener('abort', sleeper.wake)
      }),
    advance(ms) {
      now += ms
      for (const sleeper of asleep) if (sleeper.at <= now) sleeper.wake()
    },
    sleepers: () => asleep.size,
  }
}
