/** One candidate's attempt at a request: access that serves, one question to the provider, and what its answer teaches. */

import { blamesProfile, mayFailOver } from '../domain/cooldown.ts'
import type { UpstreamFailure } from '../domain/cooldown.ts'
import type { Publish } from '../domain/event.ts'
import { explain } from '../domain/explain.ts'
import type { FailedAttempt, Fault, Untried } from '../domain/fault.ts'
import type { ModelKey, ProviderId } from '../domain/names.ts'
import { formatModelKey } from '../domain/names.ts'
import type {
  Log,
  QuotaReader,
  Upstream,
  UpstreamAnswer,
  UpstreamRequest,
} from '../domain/ports.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import type { QuotaWindow } from '../domain/quota.ts'
import type { Candidate, Payer } from '../domain/rotation.ts'
import type { EpochMs } from '../domain/time.ts'
import type { World } from '../domain/world.ts'
import type { Credentials } from './credentials.ts'
import type { Change, CredentialHappenings } from './credential-happenings.ts'
import type { DispatchRequest } from './dispatch.ts'
import type { HearingDeps, Judged } from './hearing.ts'
import { hear, hostOf } from './hearing.ts'
import type { Lesson, Lessons } from './lessons.ts'
import type { Outgoing } from './outgoing.ts'
import { upstreamRequest } from './outgoing.ts'
import type { Retries } from './retries.ts'

export interface AttemptDeps extends HearingDeps {
  readonly upstream: Upstream
  readonly lessons: Lessons
  readonly readQuota: QuotaReader
  readonly credentials: Credentials
  readonly log: Log
  readonly publish: Publish
  readonly told: CredentialHappenings
}

/** An answer whose first byte has come. */
export interface Answered {
  readonly answer: UpstreamAnswer
  readonly model: ModelKey
  readonly facts: ProviderFacts
  readonly candidate: Candidate
  /** Those that failed before this one. */
  readonly attempts: readonly FailedAttempt[]
  /**
   * To be told of the error that the provider puts into the answer after its first word, if it does.
   *
   * @param body in the form of an error answer
   */
  readonly lateError: (body: string) => void
}

export type Outcome =
  | { readonly kind: 'served'; readonly served: Answered }
  | { readonly kind: 'ended'; readonly fault: Fault }
  /** Nobody served this model; the next one may do better. */
  | { readonly kind: 'next_model'; readonly fault?: Fault }

/** What one request knows: the world as it found it, and what its own failures have taught since. */
export interface Progress {
  world: World
  readonly attempts: FailedAttempt[]
  /** Those before it belong to an earlier round, before a wait. */
  roundFrom: number
  /** The world as this round found it. */
  found: World
  /** Hosts that could not be reached: no credential changes that. */
  readonly unreachable: Set<string>
  /** Those that were left when no further attempt was allowed. */
  readonly untried: Untried[]
  /** Models whose context the request does not fit into. */
  readonly tooSmall: ModelKey[]
  readonly retries: Retries
  /** The first trial that met an overload. */
  overloaded?: { readonly provider: ProviderId; readonly failed: FailedAttempt }
  /** It was made once more. */
  hasTriedAgain?: boolean
  /** A provider that may not be given more of this request now. */
  heldBack?: ProviderId
  /** Whom the request means first in this round; known once it is asked for. */
  meant?: Payer | undefined
}

/** How long a host may take to be reached when another could not be, ms. */
const LATE_CONNECT_MS = 1_500

/** An access token that has ended is renewed first; one that is refused is renewed once, if that gives another. */
export async function acquireAndAttempt(
  deps: AttemptDeps,
  progress: Progress,
  trial: Trial,
  outgoing: Outgoing,
  hasRivals: boolean,
): Promise<Outcome | undefined> {
  const { world } = progress
  const acquired = await deps.credentials.acquire(world.agent, trial.candidate, hasRivals)
  if (!acquired.ok) {
    const failed = failedRenewal(trial, acquired.fault, deps.clock.now())
    deps.log.write('warn', 'attempt.failed', { ...attemptFields(failed), agent: world.agent })
    progress.attempts.push(failed)
    return undefined
  }
  const first = { ...trial, candidate: acquired.value }
  const outcome = await attempt(deps, progress, first, outgoing)
  if (outcome || progress.attempts.at(-1)?.reason !== 'auth') return outcome
  const better = await deps.credentials.afterRefusal(world.agent, first.candidate)
  if (!better) return undefined
  progress.retries.note(trial.model.provider, 'extra')
  return attempt(deps, progress, { ...trial, candidate: better }, outgoing)
}

/** One candidate for one model of one request. */
export interface Trial {
  readonly request: DispatchRequest
  readonly facts: ProviderFacts
  readonly model: ModelKey
  readonly candidate: Candidate
}

/** Undefined: this candidate failed in a way that another may not. */
async function attempt(
  deps: AttemptDeps,
  progress: Progress,
  trial: Trial,
  outgoing: Outgoing,
): Promise<Outcome | undefined> {
  const { request, facts, model, candidate } = trial
  if (request.signal.aborted) return { kind: 'ended', fault: { code: 'EQ_REQUEST_CANCELLED' } }
  const { attempts } = progress
  const upstream = hurried(
    upstreamRequest(progress.world, facts, candidate, outgoing),
    progress.unreachable.size > 0,
  )
  const stalled = new AbortController()
  const signal = AbortSignal.any([request.signal, stalled.signal])
  const sentAt = deps.clock.now()
  const sent = await deps.upstream.send(upstream, signal)
  const quota = sent.ok ? deps.readQuota(sent.value.headers, deps.clock.now()) : []
  const heard = sent.ok
    ? await hear(deps, facts, sent.value, { upstream, request: request.signal, stalled })
    : { failure: sent.fault, body: '' }
  if ('answer' in heard) {
    const lesson = deps.lessons.learnSuccess(candidate, model, quota, sentAt)
    deps.told.success(learn(deps, progress, trial, lesson), deps.clock.now())
    const { provider, model: id } = model
    const served = {
      answer: heard.answer,
      model: { provider, model: id },
      facts,
      candidate,
      attempts,
      lateError: (text: string) => lateError(deps, progress, trial, heard.judged(text)),
    }
    return { kind: 'served', served }
  }
  const { failure, body } = heard
  if (failure.reason === 'cancelled' || request.signal.aborted) {
    return { kind: 'ended', fault: { code: 'EQ_REQUEST_CANCELLED' } }
  }
  learnFailure(deps, progress, trial, failure, quota)
  const failed = failedAttempt(trial, failure)
  deps.log.write('warn', 'attempt.failed', { ...attemptFields(failed), agent: request.world.agent })
  attempts.push(failed)
  if (failure.unreachable) progress.unreachable.add(hostOf(facts))
  if (mayFailOver(failure.reason)) return undefined
  return rejected(failed, body, progress, model)
}

/** What another credential would not change: another model may, where it has not this one's limits. */
function rejected(
  failed: FailedAttempt,
  body: string,
  progress: Progress,
  model: ModelKey,
): Outcome {
  const fault: Fault = { code: 'EQ_UPSTREAM_REJECTED', attempt: failed, body }
  if (failed.reason === 'context_overflow') {
    progress.tooSmall.push(model)
    return { kind: 'next_model', fault }
  }
  return failed.reason === 'not_found' ? { kind: 'next_model', fault } : { kind: 'ended', fault }
}

/** When one host could not be reached, the next must show soon that it can be: whoever waits is told within ten seconds. */
function hurried(request: UpstreamRequest, isLate: boolean): UpstreamRequest {
  if (!isLate) return request
  const connectTimeoutMs = Math.min(request.timeouts.connectTimeoutMs, LATE_CONNECT_MS)
  return { ...request, timeouts: { ...request.timeouts, connectTimeoutMs } }
}

function learnFailure(
  deps: AttemptDeps,
  progress: Progress,
  trial: Trial,
  failure: UpstreamFailure,
  quota: readonly QuotaWindow[],
): void {
  const lesson = deps.lessons.learnFailure(trial.candidate, trial.model, failure, quota)
  deps.told.failure(learn(deps, progress, trial, lesson), failure)
}

/** The rest of this request goes by what its own answers have taught. */
function learn(
  deps: AttemptDeps,
  progress: Progress,
  { request, candidate, model }: Trial,
  lesson: Lesson,
): Change {
  const { world } = progress
  const now = Math.max(world.now, deps.clock.now())
  progress.world = { ...world, now, state: lesson(world.state) }
  const seenAt = request.world.now
  return { candidate, model, before: world.state, after: progress.world.state, seenAt }
}

/** An error after the first word cuts the reply; what it says of the credential or the provider holds all the same. */
function lateError(deps: AttemptDeps, progress: Progress, trial: Trial, { failure }: Judged): void {
  const { request, candidate, model } = trial
  const fields = { profile: candidate.id, model: formatModelKey(model), ...failure }
  deps.log.write('warn', 'reply.failed', { ...fields, agent: request.world.agent })
  if (!blamesProfile(failure.reason) && failure.reason !== 'overloaded') return
  learnFailure(deps, progress, trial, failure, [])
}

export function failedAttempt(
  { facts, model, candidate }: Pick<Trial, 'facts' | 'model' | 'candidate'>,
  failure: UpstreamFailure,
): FailedAttempt {
  return {
    profile: candidate.id,
    model: formatModelKey(model),
    host: hostOf(facts),
    reason: failure.reason,
    ...(failure.status !== undefined && { status: failure.status }),
    words: failure.words,
    ...(candidate.credential?.type === 'oauth' && { login: candidate.origin }),
    ...(failure.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }),
  }
}

/** Nothing was sent to the provider: there was no access to send it with. */
function failedRenewal(trial: Trial, fault: Fault, now: EpochMs): FailedAttempt {
  const reason = RENEWAL_REASONS[fault.code] ?? 'auth'
  return { ...failedAttempt(trial, { reason, words: explain(fault, now).message }), fault }
}

export const RENEWAL_REASONS: Readonly<Partial<Record<Fault['code'], FailedAttempt['reason']>>> = {
  EQ_RENEWAL_NOT_SENT: 'network',
  EQ_RENEWAL_PUT_OFF: 'server_error',
  EQ_RENEWAL_LOST: 'network',
  EQ_RENEWAL_BUSY: 'timeout',
  EQ_RENEWAL_KEPT: 'server_error',
  EQ_RENEWAL_HELPER: 'server_error',
}

function attemptFields({ fault, ...failed }: FailedAttempt): Readonly<Record<string, unknown>> {
  return { ...failed, ...(fault && { code: fault.code }) }
}
