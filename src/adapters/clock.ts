/** The real time. The only place that asks the machine for it. */

import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

import type { Clock } from '../domain/ports.ts'
import type { Stopwatch } from '../domain/renewal-ports.ts'
import { SECOND_MS } from '../domain/time.ts'

export function createClock(): Clock {
  return { now: () => Date.now(), sleep }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, ms)
    signal?.addEventListener('abort', wake)
  })
}

/** Beside the wall clock, which anybody can set, the time since the machine booted, sleep included. */
export function createStopwatch(): Stopwatch {
  let boot: string | undefined
  return () => {
    boot ??= bootId()
    return { at: Date.now(), boot, upMs: Math.round(uptime() * SECOND_MS) }
  }
}

/** Empty where the system has no name for a boot; then the wall clock is all there is. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
