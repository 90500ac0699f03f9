/**
 * One more round after an overload, when nothing else is left to try: it passes soon, and all keys of a provider share it.
 */

import { SECOND_MS } from '../domain/time.ts'
import type { Progress } from './attempt.ts'
import { MOST_ATTEMPTS } from './choice.ts'

/** Shortest and longest pause before it, ms. */
const SOONEST_MS: number = SECOND_MS / 2
const LATEST_MS: number = SECOND_MS

/**
 * The pause before that round, ms. Undefined: there is nothing to try again, or it has been tried again.
 *
 * @param random a number from 0 to 1, so that not everybody comes back at once
 */
export function pauseAfterOverload(progress: Progress, random: number): number | undefined {
  const { overloaded, retries, attempts } = progress
  if (!overloaded || progress.hasTriedAgain || attempts.length >= MOST_ATTEMPTS) return undefined
  progress.hasTriedAgain = true
  const isAskedToWait = (overloaded.failed.retryAfterMs ?? 0) > SOONEST_MS
  if (isAskedToWait || !retries.allows(overloaded.provider)) return undefined
  return Math.round(SOONEST_MS + (LATEST_MS - SOONEST_MS) * random)
}
