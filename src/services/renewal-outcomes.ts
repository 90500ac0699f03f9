/** Renewals that gave no new tokens: what is noted in the journal, so that whoever comes next knows. */

import type { RenewalOutcome, TokenMark } from '../domain/grant.ts'
import type { Attempt, JournalPage } from '../domain/renewal-ports.ts'
import { againAfterMs, replayAfterMs } from '../domain/renewal-rules.ts'
import { SECOND_MS } from '../domain/time.ts'
import type { ProtocolDeps, Refreshable, RenewalJob, Step } from './renewal-job.ts'

/** A replay that is due within this time is made by the same helper, ms. */
const PATIENCE_MS: number = 5 * SECOND_MS

/** This sending did not use the token up. An earlier one whose answer was lost still may have. */
export async function notServed(
  deps: ProtocolDeps,
  job: RenewalJob,
  login: Refreshable,
  attempt: Attempt,
  outcome: Extract<RenewalOutcome, { kind: 'not_sent' | 'not_consumed' | 'config' }>,
  more: ConclusionDetails = {},
): Promise<Step> {
  if (attempt.lostAt === undefined) {
    await job.journal.clear()
    await conclude(deps, job, attempt.token, outcome, more)
    return { end: 'failed' }
  }
  // Under another name: the answer that lies there has been dealt with, and is no answer to the sending that was lost.
  const before = { ...beforeReplay(attempt), id: deps.newId() }
  await job.journal.markSent(before)
  const now = deps.stopwatch()
  const waitMs = Math.max(
    againAfterMs(outcome, attempt.replays, deps.random(), more.retryAfterMs) ?? 0,
    replayAfterMs(job.facts, login, before.replays, now.at),
  )
  await job.journal.putVerdict({
    token: attempt.token,
    moment: now,
    tries: attempt.replays,
    againAfterMs: waitMs,
    outcome: {
      kind: 'ambiguous',
      words: outcome.words,
      lostAt: attempt.lostAt,
      replays: before.replays,
    },
  })
  return { end: 'failed' }
}

export function beforeReplay(attempt: Attempt): Attempt {
  return { ...attempt, replays: Math.max(0, attempt.replays - 1) }
}

/**
 * Sent, and nothing came that decides it. The note stays: whoever comes next knows that the token may have served.
 *
 * @param answered something came, and was of no use
 */
export async function unanswered(
  deps: ProtocolDeps,
  job: RenewalJob,
  login: Refreshable,
  attempt: Attempt,
  words: string,
  answered: boolean = false,
): Promise<Step> {
  const { token, replays } = attempt
  const now = deps.stopwatch()
  const lostAt = attempt.lostAt ?? attempt.begun.at
  const waitMs = replayAfterMs(job.facts, login, replays, now.at)
  await job.journal.putVerdict({
    token,
    moment: now,
    tries: replays + 1,
    againAfterMs: waitMs,
    outcome: { kind: 'ambiguous', words, lostAt, replays, ...(answered && { answered }) },
  })
  return waitMs <= PATIENCE_MS ? { end: 'again', afterMs: waitMs } : { end: 'failed' }
}

export async function unstorable(
  deps: ProtocolDeps,
  job: RenewalJob,
  token: TokenMark,
): Promise<Step> {
  const words = 'the answer could not be stored'
  await conclude(deps, job, token, { kind: 'not_sent', reason: 'storage', words })
  return { end: 'failed' }
}

interface ConclusionDetails {
  readonly retryAfterMs?: number | undefined
  readonly config?: string
}

/** Writes the verdict down. Failing to is no failure: a verdict tells, it does not decide. */
export async function conclude(
  deps: Pick<ProtocolDeps, 'random' | 'stopwatch'>,
  job: Pick<RenewalJob, 'journal'>,
  token: TokenMark,
  outcome: RenewalOutcome,
  { retryAfterMs, config }: ConclusionDetails = {},
): Promise<void> {
  const page = await job.journal.read()
  const before = page.ok && page.value.verdict?.token === token ? page.value.verdict : undefined
  const tries = before?.outcome.kind === outcome.kind ? before.tries + 1 : 1
  const waitMs = againAfterMs(outcome, tries, deps.random(), retryAfterMs)
  await job.journal.putVerdict({
    token,
    moment: deps.stopwatch(),
    tries,
    outcome,
    ...(waitMs !== undefined && { againAfterMs: waitMs }),
    ...(config !== undefined && { config }),
  })
}

export function freshAttempt(deps: ProtocolDeps, token: TokenMark, page: JournalPage): Attempt {
  const begun = page.verdict?.token === token ? page.verdict.moment : deps.stopwatch()
  return { id: deps.newId(), token, begun, replays: 0 }
}

/** How often this token was sent in vain so far, and since when. */
export function lostBefore(
  page: JournalPage,
  token: TokenMark,
): Pick<Attempt, 'replays' | 'lostAt'> {
  const outcome = page.verdict?.token === token ? page.verdict.outcome : undefined
  return outcome?.kind === 'ambiguous'
    ? { replays: outcome.replays + 1, lostAt: outcome.lostAt }
    : { replays: 0 }
}
