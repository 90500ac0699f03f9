/** Time that passes only when it is told to: the wall clock, which can be set wrong, and one that nobody can set. */

import type { Stopwatch } from '../../src/domain/renewal-ports.ts'
import type { EpochMs } from '../../src/domain/time.ts'
import type { FakeClock } from '../../src/testing.ts'

export interface ModelClock extends FakeClock {
  readonly stopwatch: Stopwatch
  /** Somebody sets the wall clock; nobody's sleep is shorter or longer for it. */
  jump(ms: number): void
  /** When the next sleeper is to wake, by the wall clock. */
  next(): EpochMs | undefined
  /** Moves time on to an instant and wakes nobody yet. */
  moveTo(at: EpochMs): void
  /** Wakes those whose time has come, earliest first. */
  wake(): void
}

interface Sleeper {
  readonly atMs: number
  readonly wake: () => void
}

export function createModelClock(start: EpochMs): ModelClock {
  let upMs = 0
  let setBy = start
  const asleep = new Set<Sleeper>()
  const now = (): EpochMs => setBy + upMs
  const wake = (): void => {
    const due = [...asleep].filter(({ atMs }) => atMs <= upMs).toSorted((a, b) => a.atMs - b.atMs)
    for (const sleeper of due) sleeper.wake()
  }
  return {
    now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (ms <= 0 || signal?.aborted) return resolve()
        const rise = (): void => {
          signal?.removeEventListener('abort', rise)
          asleep.delete(sleeper)
          resolve()
        }
        // In whole milliseconds: what is not quite there would never wake.
        const sleeper = { atMs: Math.ceil(upMs + ms), wake: rise }
        asleep.add(sleeper)
        signal?.addEventListener('abort', rise)
      }),
    stopwatch: () => ({ at: now(), boot: 'boot', upMs }),
    jump: (ms) => void (setBy += ms),
    next() {
      let soonest: number | undefined
      for (const { atMs } of asleep) soonest = Math.min(soonest ?? atMs, atMs)
      return soonest === undefined ? undefined : setBy + soonest
    },
    moveTo: (at) => void (upMs = Math.max(upMs, at - setBy)),
    wake,
    advance(ms) {
      upMs += ms
      wake()
    },
  }
}

/** Until all that can go on without time passing has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
