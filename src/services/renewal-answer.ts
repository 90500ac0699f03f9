/** An answer that leaves nothing open is carried out: tokens go home, a refusal is noted. */

import type { Moment } from '../domain/grant.ts'
import { markOf } from '../domain/grant.ts'
import type { Attempt, IssuedTokens, RawAnswer, TokenVerdict } from '../domain/renewal-ports.ts'
import type { Result } from '../domain/result.ts'
import { clientOf, configMark, spacingMs } from '../domain/renewal-rules.ts'
import type { EpochMs } from '../domain/time.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../domain/time.ts'
import type { HomeTrouble, ReadyHome } from './token-home.ts'
import type { ProtocolDeps, Refreshable, RenewalJob, Step } from './renewal-job.ts'
import { conclude, notServed, unanswered } from './renewal-outcomes.ts'

/** How long new tokens that no disk takes are kept in memory for one that does, ms. The helper's life is longer. */
const MEMORY_MS: number = 2 * MINUTE_MS
const RETRY_MS: number = SECOND_MS

/** An answer and when it came. */
export interface Received {
  readonly attempt: Attempt
  readonly at: Moment
  /** Tries to put it into the journal, unless it lies there. Gives whether it does. */
  readonly keep: () => Promise<boolean>
}

export async function judged(
  deps: ProtocolDeps,
  job: RenewalJob,
  home: ReadyHome,
  login: Refreshable,
  received: Received,
  answer: RawAnswer,
): Promise<Step> {
  const verdict = deps.judge(answer, received.at.at, login.refresh)
  return verdict.kind === 'ambiguous'
    ? unanswered(deps, job, login, received.attempt, verdict.words, true)
    : settle(deps, job, home, login, received, verdict)
}

/** Carries out a verdict that leaves nothing open. */
export async function settle(
  deps: ProtocolDeps,
  job: RenewalJob,
  home: ReadyHome,
  login: Refreshable,
  received: Received,
  verdict: Exclude<TokenVerdict, { kind: 'ambiguous' }>,
): Promise<Step> {
  const { attempt } = received
  const { token } = attempt
  switch (verdict.kind) {
    case 'tokens':
      return store(deps, job, home, login, received, verdict.tokens)
    case 'not_consumed': {
      const { status, words, retryAfterMs } = verdict
      const outcome = { kind: 'not_consumed', status, words } as const
      return notServed(deps, job, login, attempt, outcome, { retryAfterMs })
    }
    case 'config': {
      const { error, words } = verdict
      const config = configMark(job.facts, clientOf(job.facts, login))
      return notServed(deps, job, login, attempt, { kind: 'config', error, words }, { config })
    }
    case 'rejected': {
      // Somebody may have logged in anew meanwhile; the verdict is about the token that was sent, and no other.
      if ((await job.home.mark()) === token) {
        const lostAt = attempt.lostAt
        const { error, words } = verdict
        const outcome = { kind: 'rejected', error, words } as const
        await conclude(deps, job, token, { ...outcome, ...(lostAt !== undefined && { lostAt }) })
      }
      await job.journal.clear()
      return { end: 'failed' }
    }
    default:
      return verdict satisfies never
  }
}

async function store(
  deps: ProtocolDeps,
  job: RenewalJob,
  home: ReadyHome,
  login: Refreshable,
  received: Received,
  tokens: IssuedTokens,
): Promise<Step> {
  const { attempt, at } = received
  const { token } = attempt
  const known = login.accountId
  if (known !== undefined && tokens.accountId !== undefined && tokens.accountId !== known) {
    // Whosever the new tokens are, the old one has been exchanged for them.
    const isExchanged = tokens.refresh !== undefined && markOf(tokens.refresh) !== token
    if (isExchanged) await job.journal.noteSpent(token, at)
    await job.journal.quarantine()
    await job.journal.clear()
    const outcome = { kind: 'quarantined', expected: known, got: tokens.accountId } as const
    await conclude(deps, job, token, outcome)
    return { end: 'failed' }
  }
  const next = renewedLogin(login, tokens, at.at)
  const put = await putOrKeep(deps, home, received, next)
  if (!put.ok) {
    if (!(await received.keep())) return unanswered(deps, job, login, attempt, UNSTORED, true)
    await conclude(deps, job, token, { kind: 'kept', words: put.fault.words })
    return { end: 'failed' }
  }
  const nextToken = markOf(next.refresh)
  if (nextToken !== token) await job.journal.noteSpent(token, at)
  if (put.value) {
    await job.journal.putVerdict({
      token: nextToken,
      moment: at,
      tries: 1,
      againAfterMs: 0,
      outcome: { kind: 'renewed', spacingMs: spacingMs(lifetimeOf(tokens)) },
    })
  }
  await job.journal.clear()
  return { end: put.value ? 'renewed' : 'nothing_to_do' }
}

const UNSTORED = 'nothing on this machine could store it'

/** The tokens exist nowhere else, so they are held until their home or the journal takes them. */
async function putOrKeep(
  deps: ProtocolDeps,
  home: ReadyHome,
  { attempt, keep }: Received,
  next: Refreshable,
): Promise<Result<boolean, HomeTrouble>> {
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    const put = await home.put(attempt.token, next)
    if (put.ok || (await keep()) || waitedMs >= MEMORY_MS) return put
    await deps.clock.sleep(RETRY_MS)
  }
}

function renewedLogin(login: Refreshable, tokens: IssuedTokens, at: EpochMs): Refreshable {
  const email = login.email ?? tokens.email
  const accountId = login.accountId ?? tokens.accountId
  return {
    ...login,
    access: tokens.access,
    refresh: tokens.refresh ?? login.refresh,
    expiresAt: at + lifetimeOf(tokens),
    renewedAt: at,
    ...(email !== undefined && { email }),
    ...(accountId !== undefined && { accountId }),
  }
}

/** Of tokens without a known end it is assumed that they have one: the next renewal finds out. */
function lifetimeOf({ lifetimeMs }: IssuedTokens): number {
  return Number.isFinite(lifetimeMs) ? lifetimeMs : HOUR_MS
}
