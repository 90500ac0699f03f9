/** Counts what is sent to each provider, so that what fails there is not answered with more of it. */

import type { ProviderId } from '../domain/names.ts'
import type { Clock } from '../domain/ports.ts'
import type { RetryWindow } from '../domain/retry-budget.ts'
import { mayRetry, NOTHING_SENT, withAttempt } from '../domain/retry-budget.ts'

export interface Retries {
  /** Whether this provider may be asked once more by a request that it has failed already. */
  allows(provider: ProviderId): boolean
  note(provider: ProviderId, kind: 'request' | 'extra'): void
}

/** Counts in this process alone; a restart forgets. */
export function createRetries(clock: Pick<Clock, 'now'>): Retries {
  const windows = new Map<ProviderId, RetryWindow>()
  return {
    allows: (provider) => mayRetry(windows.get(provider) ?? NOTHING_SENT, clock.now()),
    note(provider, kind) {
      windows.set(provider, withAttempt(windows.get(provider) ?? NOTHING_SENT, kind, clock.now()))
    },
  }
}
