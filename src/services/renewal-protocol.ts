/**
 * Renews one grant once. The only code that sends a refresh token; it runs in the helper process, under the grant's lock.
 *
 * Order is everything here. Room for the answer is made before the send, the send is noted before it happens, the
 * answer is on the disk before anybody looks at it, and the new login is in its home before the note is cleared.
 * Wherever this ends, the next one finds what it needs to go on.
 */

import type { OauthCredential } from '../domain/credential.ts'
import type { Moment, RenewalOutcome, TokenMark, Verdict } from '../domain/grant.ts'
import { elapsedMs, holdMs, markOf } from '../domain/grant.ts'
import type {
  Attempt,
  Clock,
  IssuedTokens,
  Journal,
  JournalPage,
  RawAnswer,
  Stopwatch,
  TokenEndpoint,
  TokenJudge,
  TokenVerdict,
} from '../domain/ports.ts'
import type { OauthFacts } from '../domain/provider.ts'
import {
  againAfterMs,
  configMark,
  isTooSoon,
  LONGEST_PAUSE_MS,
  replayAfterMs,
  spacingMs,
} from '../domain/renewal-rules.ts'
import type { Secret } from '../domain/secret.ts'
import type { EpochMs } from '../domain/time.ts'
import { HOUR_MS, SECOND_MS } from '../domain/time.ts'
import type { ReadyHome, TokenHome } from './token-home.ts'

export interface RenewalJob {
  readonly home: TokenHome
  readonly journal: Journal
  readonly facts: OauthFacts
  readonly unwanted: TokenMark
  /** `use`: a request needs it. `refused`: the provider answered 401 to it. `user`: a person asks for it. */
  readonly urge: 'use' | 'refused' | 'user'
}

export interface ProtocolDeps {
  readonly clock: Clock
  readonly stopwatch: Stopwatch
  readonly endpoint: TokenEndpoint
  readonly judge: TokenJudge
  /** From 0 to 1. */
  readonly random: () => number
  readonly newId: () => string
  readonly pid: number
  readonly connectTimeoutMs: number
}

/** What came of it; the verdict in the journal says more. */
export type RenewalEnd = 'nothing_to_do' | 'renewed' | 'held_off' | 'failed'

/** From the first byte sent to the last one read, ms. */
const ANSWER_MS: number = 30 * SECOND_MS
/** A replay that is due within this time is made by the same helper, ms. */
const PATIENCE_MS: number = 5 * SECOND_MS

export async function renewOnce(deps: ProtocolDeps, job: RenewalJob): Promise<RenewalEnd> {
  for (let replays = 0; ; replays += 1) {
    const step = await attemptRenewal(deps, job)
    if (step.end !== 'again' || replays === 2) return step.end === 'again' ? 'failed' : step.end
    await deps.clock.sleep(step.afterMs)
  }
}

type Step = { readonly end: RenewalEnd } | { readonly end: 'again'; readonly afterMs: number }

/** A login that has a refresh token. */
type Refreshable = OauthCredential & { readonly refresh: Secret }

async function attemptRenewal(deps: ProtocolDeps, job: RenewalJob): Promise<Step> {
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
    return await attemptWith(deps, job, ready.value, login)
  } finally {
    await ready.value.release()
  }
}

async function attemptWith(
  deps: ProtocolDeps,
  job: RenewalJob,
  home: ReadyHome,
  login: Refreshable,
): Promise<Step> {
  const token = markOf(login.refresh)
  const page = await job.journal.read()
  if (!page.ok) return unstorable(deps, job, token)
  const recovered = await recover(deps, job, home, login, page.value)
  if (recovered) return recovered

  const decided = await decide(deps, job, login, page.value)
  if (decided) return { end: decided }
  return send(deps, job, home, login, lostBefore(page.value, token))
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
    return lost(deps, job, login, page, freshAttempt(deps, token, page), TORN)
  }
  const { phase, attempt } = noted
  if (attempt.token !== token) {
    // A newer login stands here. The old token may have served; nobody needs it any more.
    if (phase === 'sent') await job.journal.noteSpent(attempt.token, deps.stopwatch())
    await job.journal.clear()
    return undefined
  }
  if (phase === 'reserved') {
    // Not sent this time. If it was before, that is still so.
    if (attempt.lostAt === undefined) await job.journal.clear()
    else await job.journal.markSent(beforeReplay(attempt))
    return undefined
  }
  if (answer?.attempt === attempt.id) {
    const verdict = deps.judge(answer.answer, answer.at.at)
    if (verdict.kind !== 'ambiguous') {
      return settle(deps, job, home, login, attempt, verdict, answer.at)
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
  if (markOf(login.access) !== job.unwanted) {
    await job.home.publish(login)
    return 'nothing_to_do'
  }
  const token = markOf(login.refresh)
  const spent = page.spent.get(token)
  if (spent) {
    await conclude(deps, job, token, { kind: 'spent', spentAt: spent.at })
    return 'failed'
  }
  const verdict = verdictFor(page, token, job.facts, clientOf(job.facts, login))
  const now = deps.stopwatch()
  // Repeated refusals of what was only just issued would make a storm of renewals.
  if (job.urge !== 'user' && isTooSoon(verdict, now)) return 'held_off'
  if (verdict?.outcome.kind === 'rejected') return 'failed'
  const isHeld = job.urge === 'use' && holdMs(verdict, now) > 0
  return isHeld ? 'held_off' : undefined
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
  const isVoid = verdict.outcome.kind === 'config' && verdict.config !== configMark(facts, clientId)
  return isVoid ? undefined : verdict
}

async function send(
  deps: ProtocolDeps,
  job: RenewalJob,
  home: ReadyHome,
  login: Refreshable,
  before: Pick<Attempt, 'replays' | 'lostAt'>,
): Promise<Step> {
  const token = markOf(login.refresh)
  const attempt: Attempt = {
    id: deps.newId(),
    token,
    begun: deps.stopwatch(),
    pid: deps.pid,
    ...before,
  }
  const reserved = await job.journal.reserve(attempt)
  if (!reserved.ok) return unstorable(deps, job, token)

  let heldBack: Extract<RenewalOutcome, { kind: 'not_sent' }> | undefined
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
      return notServed(deps, job, login, attempt, { kind: 'not_sent', reason, words })
    }
    case 'lost':
      return unanswered(deps, job, login, attempt, exchange.words)
    case 'answered': {
      // Where the disk refuses even this, the answer in memory is still used; nothing is parsed before it was tried.
      await job.journal.keepAnswer(attempt, exchange.answer, at)
      return judged(deps, job, home, login, attempt, exchange.answer, at)
    }
    default:
      return exchange satisfies never
  }
}

async function judged(
  deps: ProtocolDeps,
  job: RenewalJob,
  home: ReadyHome,
  login: Refreshable,
  attempt: Attempt,
  answer: RawAnswer,
  at: Moment,
): Promise<Step> {
  const verdict = withoutToken(deps.judge(answer, at.at), login.refresh)
  return verdict.kind === 'ambiguous'
    ? unanswered(deps, job, login, attempt, verdict.words)
    : settle(deps, job, home, login, attempt, verdict, at)
}

/** Carries out a verdict that leaves nothing open. */
async function settle(
  deps: ProtocolDeps,
  job: RenewalJob,
  home: ReadyHome,
  login: Refreshable,
  attempt: Attempt,
  verdict: Exclude<TokenVerdict, { kind: 'ambiguous' }>,
  at: Moment,
): Promise<Step> {
  const { token } = attempt
  switch (verdict.kind) {
    case 'tokens':
      return store(deps, job, home, login, attempt, verdict.tokens, at)
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
  attempt: Attempt,
  tokens: IssuedTokens,
  at: Moment,
): Promise<Step> {
  const { token } = attempt
  const known = login.accountId
  if (known !== undefined && tokens.accountId !== undefined && tokens.accountId !== known) {
    await job.journal.quarantine()
    await job.journal.clear()
    const outcome = { kind: 'quarantined', expected: known, got: tokens.accountId } as const
    await conclude(deps, job, token, outcome)
    return { end: 'failed' }
  }
  const next = renewedLogin(login, tokens, at.at)
  const put = await home.put(token, next)
  if (!put.ok) {
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

/** This sending did not use the token up. An earlier one whose answer was lost still may have. */
async function notServed(
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
  const before = beforeReplay(attempt)
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

function beforeReplay(attempt: Attempt): Attempt {
  return { ...attempt, replays: Math.max(0, attempt.replays - 1) }
}

/** Sent, and nothing came that decides it. The note stays: whoever comes next knows that the token may have served. */
async function unanswered(
  deps: ProtocolDeps,
  job: RenewalJob,
  login: Refreshable,
  attempt: Attempt,
  words: string,
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
    outcome: { kind: 'ambiguous', words, lostAt, replays },
  })
  return waitMs <= PATIENCE_MS ? { end: 'again', afterMs: waitMs } : { end: 'failed' }
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

async function unstorable(deps: ProtocolDeps, job: RenewalJob, token: TokenMark): Promise<Step> {
  const words = 'the answer could not be stored'
  await conclude(deps, job, token, { kind: 'not_sent', reason: 'storage', words })
  return { end: 'failed' }
}

interface ConclusionDetails {
  readonly retryAfterMs?: number | undefined
  readonly config?: string
}

/** Writes the verdict down. Failing to is no failure: a verdict tells, it does not decide. */
async function conclude(
  deps: ProtocolDeps,
  job: RenewalJob,
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

function freshAttempt(deps: ProtocolDeps, token: TokenMark, page: JournalPage): Attempt {
  const begun = page.verdict?.token === token ? page.verdict.moment : deps.stopwatch()
  return { id: deps.newId(), token, begun, pid: deps.pid, replays: 0 }
}

/** How often this token was sent in vain so far, and since when. */
function lostBefore(page: JournalPage, token: TokenMark): Pick<Attempt, 'replays' | 'lostAt'> {
  const outcome = page.verdict?.token === token ? page.verdict.outcome : undefined
  return outcome?.kind === 'ambiguous'
    ? { replays: outcome.replays + 1, lostAt: outcome.lostAt }
    : { replays: 0 }
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

/** A refresh token serves the client that it was given to. */
function clientOf(facts: OauthFacts, login: OauthCredential): string | undefined {
  return login.clientId ?? facts.clientId ?? facts.grantsClientId
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

/** A server that repeats what it was sent must not make us repeat it. */
function withoutToken<V extends TokenVerdict>(verdict: V, token: Secret): V {
  if (!('words' in verdict)) return verdict
  return { ...verdict, words: verdict.words.replaceAll(token.reveal(), '[secret]') }
}

function isRefreshable(login: OauthCredential | undefined): login is Refreshable {
  return login?.refresh !== undefined
}
