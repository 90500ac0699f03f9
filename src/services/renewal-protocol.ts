/**
 * Renews one grant once. The only code that sends a refresh token; it runs in the helper process, under the grant's lock.
 *
 * Order is everything here. Room for the answer is made before the send, the send is noted before it happens, the
 * answer is on the disk before anybody looks at it, and the new login is in its home before the note is cleared.
 * Wherever this ends, the next one finds what it needs to go on.
 */

import type { Moment, RenewalOutcome, TokenMark, Verdict } from '../domain/grant.ts'
import { elapsedMs, isFinal, markOf } from '../domain/grant.ts'
import type { Attempt, JournalPage, RawAnswer } from '../domain/renewal-ports.ts'
import type { OauthFacts } from '../domain/provider.ts'
import {
  clientOf,
  configMark,
  freshness,
  heldMs,
  isOfAnotherWay,
  isTooSoon,
  LONGEST_PAUSE_MS,
} from '../domain/renewal-rules.ts'
import type { Secret } from '../domain/secret.ts'
import { SECOND_MS } from '../domain/time.ts'
import type { ReadyHome } from './token-home.ts'
import type { ProtocolDeps, Refreshable, RenewalEnd, RenewalJob, Step } from './renewal-job.ts'
import { isRefreshable } from './renewal-job.ts'
import {
  beforeReplay,
  conclude,
  freshAttempt,
  lostBefore,
  notServed,
  unanswered,
  unstorable,
} from './renewal-outcomes.ts'
import { judged, settle } from './renewal-answer.ts'

/** From the first byte sent to the last one read, ms. */
const ANSWER_MS: number = 30 * SECOND_MS
/** An answer that has begun and pauses for so long has broken off, ms. Servers that repeat theirs may do so for ten seconds only. */
const STALLED_MS: number = 4 * SECOND_MS
const MOST_ROUNDS = 3

export async function renewOnce(deps: ProtocolDeps, job: RenewalJob): Promise<RenewalEnd> {
  for (let round = 1; ; round += 1) {
    const isLast = round === MOST_ROUNDS
    const step = await attemptRenewal(deps, job, isLast)
    if (step.end !== 'again') return step.end
    if (isLast) return 'failed'
    await deps.clock.sleep(step.afterMs)
  }
}

async function attemptRenewal(deps: ProtocolDeps, job: RenewalJob, isLast: boolean): Promise<Step> {
  const ready = await job.home.prepare()
  if (!ready.ok) {
    // What is known of the login is not lost: the verdict is about the token that stands there, as far as it can be read.
    const token = await job.home.mark()
    if (token) await conclude(deps, job, token, { kind: 'not_sent', ...ready.fault })
    return { end: 'failed' }
  }
  try {
    const { login } = ready.value
    if (!isRefreshable(login)) return { end: 'nothing_to_do' }
    return await attemptWith(deps, job, ready.value, login, isLast)
  } finally {
    await ready.value.release()
  }
}

async function attemptWith(
  deps: ProtocolDeps,
  job: RenewalJob,
  home: ReadyHome,
  login: Refreshable,
  isLast: boolean,
): Promise<Step> {
  const token = markOf(login.refresh)
  const page = await job.journal.read()
  if (!page.ok) return unstorable(deps, job, token)
  const recovered = await recover(deps, job, home, login, page.value)
  if (recovered) return recovered

  const decided = await decide(deps, job, login, page.value)
  if (decided) return { end: decided }
  const step = await send(deps, job, home, login, lostBefore(page.value, token))
  if (!('heldBack' in step)) return step
  const { attempt, outcome } = step.heldBack
  // Before the next decision all is as if this one had not been made.
  const isDecidedAnew = outcome.reason === 'slept' && !isLast
  return isDecidedAnew ? withdraw(job, attempt) : notServed(deps, job, login, attempt, outcome)
}

/** Takes up what an earlier helper left. Undefined: there is nothing that stands in the way. */
async function recover(
  deps: ProtocolDeps,
  job: RenewalJob,
  home: ReadyHome,
  login: Refreshable,
  page: JournalPage,
): Promise<Step | undefined> {
  const token = markOf(login.refresh)
  const { attempt: noted, answer } = page
  if (!noted) return undefined
  if (noted === 'torn') {
    // It may have been about this token, and it may have been sent.
    const attempt = freshAttempt(deps, token, page)
    await job.journal.markSent(attempt)
    return lost(deps, job, login, page, attempt, TORN)
  }
  const { phase, attempt } = noted
  if (attempt.token !== token) {
    // A newer login stands here. The old token may have served; nobody needs it any more.
    if (phase === 'sent') await job.journal.noteSpent(attempt.token, deps.stopwatch())
    await job.journal.clear()
    return undefined
  }
  if (phase === 'reserved') {
    await withdraw(job, attempt)
    return undefined
  }
  if (answer?.attempt === attempt.id) {
    const verdict = deps.judge(answer.answer, answer.at.at, login.refresh)
    if (verdict.kind !== 'ambiguous') {
      const received = { attempt, at: answer.at, keep: async () => true }
      return settle(deps, job, home, login, received, verdict)
    }
  }
  const isToldAlready = page.verdict?.token === token && page.verdict.outcome.kind === 'ambiguous'
  return isToldAlready ? undefined : lost(deps, job, login, page, attempt, ENDED)
}

const TORN = 'the note about it was not finished'
const ENDED = 'the process that sent it ended before the answer came'

/** Whether something speaks against sending now. Undefined: nothing does. */
async function decide(
  deps: ProtocolDeps,
  job: RenewalJob,
  login: Refreshable,
  page: JournalPage,
): Promise<RenewalEnd | undefined> {
  const token = markOf(login.refresh)
  const verdict = verdictFor(page, token, job.facts, clientOf(job.facts, login))
  const now = deps.stopwatch()
  if (markOf(login.access) !== job.unwanted) {
    // Another's work is ours, unless what it left has ended too. What was issued just now is good, whatever a clock says.
    if (freshness(login, now.at) !== 'stale' || isTooSoon(verdict, now)) {
      await job.home.publish(login)
      return 'nothing_to_do'
    }
  }
  if (verdict && isFinal(verdict.outcome)) return 'failed'
  const spent = page.spent.get(token)
  if (spent) {
    await conclude(deps, job, token, { kind: 'spent', spentAt: spent.at })
    return 'failed'
  }
  // Repeated refusals of what was only just issued would make a storm of renewals.
  if (job.urge !== 'user' && isTooSoon(verdict, now)) return 'held_off'
  return heldMs(verdict, job.urge, now) > 0 ? 'held_off' : undefined
}

/** The verdict about this token, if config has not been changed since in a way that voids it. */
function verdictFor(
  page: JournalPage,
  token: TokenMark,
  facts: OauthFacts,
  clientId: string | undefined,
): Verdict | undefined {
  const { verdict } = page
  if (verdict?.token !== token) return undefined
  const isVoid =
    isOfAnotherWay(verdict.outcome, 'ours') ||
    (verdict.outcome.kind === 'config' && verdict.config !== configMark(facts, clientId))
  return isVoid ? undefined : verdict
}

type NotSent = Extract<RenewalOutcome, { kind: 'not_sent' }>

/** Nothing left this machine. */
interface HeldBack {
  readonly heldBack: { readonly attempt: Attempt; readonly outcome: NotSent }
}

async function send(
  deps: ProtocolDeps,
  job: RenewalJob,
  home: ReadyHome,
  login: Refreshable,
  before: Pick<Attempt, 'replays' | 'lostAt'>,
): Promise<Step | HeldBack> {
  const token = markOf(login.refresh)
  const attempt: Attempt = {
    id: deps.newId(),
    token,
    begun: deps.stopwatch(),
    ...before,
  }
  const reserved = await job.journal.reserve(attempt)
  if (!reserved.ok) return unstorable(deps, job, token)

  let heldBack: NotSent | undefined
  const holdBack = (reason: 'slept' | 'owner_busy' | 'storage', words: string): boolean => {
    heldBack = { kind: 'not_sent', reason, words }
    return false
  }
  const exchange = await deps.endpoint.redeem(
    {
      oauth: job.facts,
      fields: fieldsOf(job.facts, login),
      connectTimeoutMs: deps.connectTimeoutMs,
      totalTimeoutMs: ANSWER_MS,
      stallTimeoutMs: STALLED_MS,
    },
    async () => {
      if (elapsedMs(attempt.begun, deps.stopwatch()) > LONGEST_PAUSE_MS) {
        return holdBack('slept', 'this machine slept or was very busy in between')
      }
      if (!home.stillHeld()) return holdBack('owner_busy', 'its owner took its lock back')
      const marked = await job.journal.markSent(attempt)
      if (!marked.ok) return holdBack('storage', 'the journal could not be written')
      return home.stillHeld() || holdBack('owner_busy', 'its owner took its lock back')
    },
  )
  const at = deps.stopwatch()
  switch (exchange.kind) {
    case 'held_back':
    case 'not_sent': {
      const { reason, words } =
        exchange.kind === 'not_sent'
          ? exchange
          : (heldBack ?? { reason: 'slept' as const, words: '' })
      return { heldBack: { attempt, outcome: { kind: 'not_sent', reason, words } } }
    }
    case 'lost':
      return unanswered(deps, job, login, attempt, exchange.words)
    case 'answered': {
      // Where the disk refuses even this, the answer in memory is still used; nothing is parsed before it was tried.
      const keep = keeping(job, attempt, exchange.answer, at)
      await keep()
      return judged(deps, job, home, login, { attempt, at, keep }, exchange.answer)
    }
    default:
      return exchange satisfies never
  }
}

/** Puts an answer into the room made for it, once it can be had. */
function keeping(
  { journal }: RenewalJob,
  attempt: Attempt,
  answer: RawAnswer,
  at: Moment,
): () => Promise<boolean> {
  let isKept = false
  return async function keep() {
    isKept ||= (await journal.keepAnswer(attempt, answer, at)).ok
    return isKept
  }
}

/** Not sent this time. If it was before, that is still so. */
async function withdraw({ journal }: RenewalJob, attempt: Attempt): Promise<Step> {
  if (attempt.lostAt === undefined) await journal.clear()
  else await journal.markSent(beforeReplay(attempt))
  return { end: 'again', afterMs: 0 }
}

/** An earlier helper ended between the send and the answer. */
async function lost(
  deps: ProtocolDeps,
  job: RenewalJob,
  login: Refreshable,
  page: JournalPage,
  attempt: Attempt,
  words: string,
): Promise<Step> {
  const before = lostBefore(page, attempt.token)
  const lostAt = attempt.lostAt ?? before.lostAt
  const replays = Math.max(attempt.replays, before.replays - 1)
  return unanswered(
    deps,
    job,
    login,
    { ...attempt, replays, ...(lostAt !== undefined && { lostAt }) },
    words,
  )
}

function fieldsOf(
  facts: OauthFacts,
  login: Refreshable,
): Readonly<Record<string, string | Secret>> {
  const clientId = clientOf(facts, login)
  return {
    grant_type: 'refresh_token',
    refresh_token: login.refresh,
    ...(clientId !== undefined && { client_id: clientId }),
  }
}
