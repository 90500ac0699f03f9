/**
 * How much extra load a provider may be given: further attempts of requests that it has failed already.
 *
 * Without such a limit a provider that is in trouble would get a multiple of its load from us, and stay in trouble.
 */

import type { EpochMs } from './time.ts'
import { SECOND_MS } from './time.ts'

/** Share of the requests that may be sent once more. */
export const RETRY_SHARE = 0.1
/** So many in any case: one person's requests are too few to have a share. */
export const RETRY_FLOOR = 10
/** How far back requests count, ms. */
export const RETRY_WINDOW_MS: number = 60 * SECOND_MS

const SLOT_MS: number = 5 * SECOND_MS

interface Slot {
  readonly begin: EpochMs
  readonly requests: number
  readonly extras: number
}

/** What was sent to one provider of late. */
export type RetryWindow = readonly Slot[]

export const NOTHING_SENT: RetryWindow = []

/** Whether one more attempt is within the budget. */
export function mayRetry(window: RetryWindow, now: EpochMs): boolean {
  let requests = 0
  let extras = 0
  for (const slot of recent(window, now)) {
    requests += slot.requests
    extras += slot.extras
  }
  return extras < Math.max(RETRY_FLOOR, RETRY_SHARE * requests)
}

/** The window with one more attempt: the first of a request to this provider, or a further one. */
export function withAttempt(
  window: RetryWindow,
  kind: 'request' | 'extra',
  now: EpochMs,
): RetryWindow {
  const slots = recent(window, now)
  const begin = Math.floor(now / SLOT_MS) * SLOT_MS
  const last = slots.at(-1)
  const current = last?.begin === begin ? last : { begin, requests: 0, extras: 0 }
  const counted =
    kind === 'request'
      ? { ...current, requests: current.requests + 1 }
      : { ...current, extras: current.extras + 1 }
  return [...(last?.begin === begin ? slots.slice(0, -1) : slots), counted]
}

/** A clock that was set back leaves nothing behind that would count for ever. */
function recent(window: RetryWindow, now: EpochMs): RetryWindow {
  return window.filter(({ begin }) => begin <= now && now - begin < RETRY_WINDOW_MS)
}
