/**
 * One more try of a model whose provider was overloaded, when nothing else is left to try: an overload passes soon, and
 * all keys of a provider share it.
 */

import { SECOND_MS } from '../domain/time.ts'
import type { AttemptDeps, Outcome, Progress } from './attempt.ts'
import { acquireAndAttempt } from './attempt.ts'
import { MOST_ATTEMPTS } from './choice.ts'

/** Shortest and longest wait before it, ms. */
const SOONEST_MS: number = SECOND_MS / 2
const LATEST_MS: number = SECOND_MS

export interface SecondTryDeps extends AttemptDeps {
  /** A number from 0 to 1; absent: the middle. */
  readonly random?: () => number
}

/** Undefined: there is nothing to try again, or it has failed again. */
export async function tryOverloadedAgain(
  deps: SecondTryDeps,
  progress: Progress,
): Promise<Outcome | undefined> {
  const { overloaded, retries, attempts } = progress
  if (!overloaded || progress.hasTriedAgain || attempts.length >= MOST_ATTEMPTS) return undefined
  progress.hasTriedAgain = true
  const { trial, outgoing, failed } = overloaded
  const { provider } = trial.model
  if ((failed.retryAfterMs ?? 0) > SOONEST_MS || !retries.allows(provider)) return undefined
  const { signal } = trial.request
  const waitMs = SOONEST_MS + (LATEST_MS - SOONEST_MS) * (deps.random?.() ?? 0.5)
  await deps.clock.sleep(Math.round(waitMs), signal)
  if (signal.aborted) return { kind: 'ended', fault: { code: 'EQ_REQUEST_CANCELLED' } }
  retries.note(provider, 'extra')
  return acquireAndAttempt(deps, progress, trial, outgoing, false)
}
