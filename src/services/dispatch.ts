/**
 * Serves one request: rank, send, record; the next candidate is tried until the first byte, never after it.
 *
 * What a failure teaches is recorded before the next candidate is tried, so `models status` knows it too.
 */

import { afterFailure, afterOverload, afterSuccess, mayFailOver } from '../domain/cooldown.ts'
import type { AgentState, UpstreamFailure } from '../domain/cooldown.ts'
import { explain } from '../domain/explain.ts'
import type { FailedAttempt, Fault } from '../domain/fault.ts'
import type { ResolvedModel } from '../domain/models.ts'
import { pinFor } from '../domain/models.ts'
import type { AgentId, ModelKey, ProfileId, SessionId } from '../domain/names.ts'
import { formatModelKey, MAIN_AGENT } from '../domain/names.ts'
import type {
  Clock,
  Log,
  ReplyJudge,
  StateStore,
  Upstream,
  UpstreamAnswer,
  UpstreamRequest,
} from '../domain/ports.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Candidate, Ranked } from '../domain/rotation.ts'
import { tried } from '../domain/rotation.ts'
import type { World } from '../domain/world.ts'
import { rankFor } from '../domain/world.ts'
import type { Credentials } from './credentials.ts'
import type { Outgoing } from './outgoing.ts'
import { upstreamRequest } from './outgoing.ts'
import { unknownProvider } from '../domain/unknown.ts'
import type { EpochMs } from '../domain/time.ts'
import { SECOND_MS } from '../domain/time.ts'

export interface DispatchRequest {
  /** As it is now; the caller has just read it. */
  readonly world: World
  /** Tried in this order; the first is what was asked for. */
  readonly models: readonly ResolvedModel[]
  /** A pin of the session; a pin typed with the model wins over it. */
  readonly pin?: ProfileId
  /** The request in the dialect of this provider, or why it cannot be put so. */
  readonly encode: (facts: ProviderFacts, model: ModelKey) => Result<Outgoing, Fault>
  readonly signal: AbortSignal
  /** The model as the caller named it, for the record. */
  readonly asked?: string
  readonly session?: SessionId
  /** Who asked, for the record. */
  readonly client?: string
}

/** An answer whose first byte has come. */
export interface Served {
  readonly answer: UpstreamAnswer
  readonly model: ModelKey
  readonly facts: ProviderFacts
  readonly candidate: Candidate
  /** Those that failed before this one. */
  readonly attempts: readonly FailedAttempt[]
}

/** @faults `EQ_CREDENTIAL_NONE`, `EQ_CREDENTIAL_RESTING`, `EQ_PIN_UNUSABLE`, `EQ_UPSTREAM_REJECTED`, `EQ_UPSTREAM_FAILED`, `EQ_REQUEST_CANCELLED`, and those of `encode` */
export type Dispatch = (request: DispatchRequest) => Promise<Result<Served, Fault>>

export interface DispatchDeps {
  readonly upstream: Upstream
  readonly states: StateStore
  readonly judge: ReplyJudge
  readonly credentials: Credentials
  readonly clock: Clock
  readonly log: Log
}

/** One request never costs more tries than this, however many profiles there are. */
const MOST_ATTEMPTS = 5
/** Of an error answer no more is read than about this, characters. */
const JUDGED_LENGTH = 64 * 1024
const JUDGING_MS: number = 5 * SECOND_MS

type Outcome =
  | { readonly kind: 'served'; readonly served: Served }
  | { readonly kind: 'ended'; readonly fault: Fault }
  /** Nobody served this model; the next one may do better. */
  | { readonly kind: 'next_model'; readonly fault?: Fault }

export function createDispatch(deps: DispatchDeps): Dispatch {
  return async function dispatch(request) {
    const attempts: FailedAttempt[] = []
    const progress: Progress = { world: request.world, attempts }
    let firstFault: Fault | undefined
    for (const model of request.models) {
      const outcome = await serveModel(deps, progress, request, model)
      if (outcome.kind === 'served') return ok(outcome.served)
      if (outcome.kind === 'ended') return fail(outcome.fault)
      firstFault ??= outcome.fault
    }
    if (attempts.length > 0 && firstFault?.code !== 'EQ_UPSTREAM_REJECTED') {
      return fail({ code: 'EQ_UPSTREAM_FAILED', attempts })
    }
    return fail(firstFault ?? { code: 'EQ_INTERNAL', detail: 'a request named no model' })
  }
}

/** What one request knows: the world as it found it, and what its own failures have taught since. */
interface Progress {
  world: World
  readonly attempts: FailedAttempt[]
}

async function serveModel(
  deps: DispatchDeps,
  progress: Progress,
  request: DispatchRequest,
  model: ResolvedModel,
): Promise<Outcome> {
  const { world, attempts } = progress
  const facts = world.providers.get(model.provider)
  if (!facts)
    return {
      kind: 'next_model',
      fault: unknownProvider(model.provider, [...world.providers.keys()]),
    }
  const outgoing = request.encode(facts, model)
  if (!outgoing.ok) return { kind: 'next_model', fault: outgoing.fault }

  const pin = model.profile ?? pinFor(model, request.pin)
  const ranked = rankFor(world, model, pin)
  const candidates = tried(ranked)
  if (candidates.length === 0) {
    return { kind: 'next_model', fault: nobodyToTry(world, facts, ranked, pin) }
  }
  for (const [index, candidate] of candidates.entries()) {
    if (attempts.length >= MOST_ATTEMPTS) break
    const trial: Trial = { request, facts, model, candidate }
    if (attempts.some((failed) => isSameTrial(failed, trial))) continue
    const hasRivals = index < candidates.length - 1
    const outcome = await acquireAndAttempt(deps, progress, trial, outgoing.value, hasRivals)
    if (outcome) return outcome
  }
  return { kind: 'next_model' }
}

/** An access token that has ended is renewed first; one that is refused is renewed once, if that gives another. */
async function acquireAndAttempt(
  deps: DispatchDeps,
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
  return better && attempt(deps, progress, { ...trial, candidate: better }, outgoing)
}

interface Trial {
  readonly request: DispatchRequest
  readonly facts: ProviderFacts
  readonly model: ModelKey
  readonly candidate: Candidate
}

/** Undefined: this candidate failed in a way that another may not. */
async function attempt(
  deps: DispatchDeps,
  progress: Progress,
  trial: Trial,
  outgoing: Outgoing,
): Promise<Outcome | undefined> {
  const { request, facts, model, candidate } = trial
  if (request.signal.aborted) return { kind: 'ended', fault: { code: 'EQ_REQUEST_CANCELLED' } }
  const { attempts } = progress
  const upstream = upstreamRequest(progress.world, facts, candidate, outgoing)
  const stalled = new AbortController()
  const signal = AbortSignal.any([request.signal, stalled.signal])
  const sent = await deps.upstream.send(upstream, signal)
  if (sent.ok && sent.value.status >= 200 && sent.value.status < 300) {
    recordSuccess(deps, candidate, model)
    const { provider, model: id } = model
    const served = {
      answer: sent.value,
      model: { provider, model: id },
      facts,
      candidate,
      attempts,
    }
    return { kind: 'served', served }
  }
  const body = sent.ok ? withoutSecrets(await errorBody(deps, sent.value, stalled), upstream) : ''
  const failure = sent.ok
    ? deps.judge(facts.protocol, sent.value.status, sent.value.headers, body, deps.clock.now())
    : sent.fault
  if (failure.reason === 'cancelled' || request.signal.aborted) {
    return { kind: 'ended', fault: { code: 'EQ_REQUEST_CANCELLED' } }
  }
  recordFailure(deps, progress, trial, failure)
  const failed = failedAttempt(trial, failure)
  deps.log.write('warn', 'attempt.failed', { ...attemptFields(failed), agent: request.world.agent })
  attempts.push(failed)
  if (mayFailOver(failure.reason)) return undefined
  const fault: Fault = { code: 'EQ_UPSTREAM_REJECTED', attempt: failed, body }
  return failure.reason === 'not_found' ? { kind: 'next_model', fault } : { kind: 'ended', fault }
}

/** A provider that repeats what it was sent must not make us repeat it. */
function withoutSecrets(text: string, { secretHeaders }: UpstreamRequest): string {
  return Object.values(secretHeaders).reduce((cleaned, secret) => {
    const value = secret.reveal()
    const bare = value.replace(/^Bearer /, '')
    return bare === ''
      ? cleaned
      : cleaned.replaceAll(value, '[secret]').replaceAll(bare, '[secret]')
  }, text)
}

/** What an error answer says within a short time: a provider that stalls here must not hold up the next candidate. */
async function errorBody(
  deps: DispatchDeps,
  answer: UpstreamAnswer,
  stalled: AbortController,
): Promise<string> {
  const read = new AbortController()
  void deps.clock.sleep(JUDGING_MS, read.signal).then(() => stalled.abort())
  try {
    return await beginning(answer.body)
  } finally {
    read.abort()
  }
}

/** The first part of a body; one that breaks off has said what it has said. */
async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true })
      if (text.length >= JUDGED_LENGTH) break
    }
  } catch {
    // A broken error body is judged by what came of it.
  }
  return text + decoder.decode()
}

function recordSuccess(deps: DispatchDeps, candidate: Candidate, model: ModelKey): void {
  const now = deps.clock.now()
  deps.states.update(stateHome(candidate), (state) => ({
    ...state,
    profiles: new Map(state.profiles).set(candidate.id, afterSuccess(candidate.fingerprint, now)),
  }))
  deps.states.update(MAIN_AGENT, (state) => {
    if (!state.models.has(formatModelKey(model))) return state
    const models = new Map(state.models)
    models.delete(formatModelKey(model))
    return { ...state, models }
  })
}

function recordFailure(
  deps: DispatchDeps,
  progress: Progress,
  { candidate, model }: Trial,
  failure: UpstreamFailure,
): void {
  const now = deps.clock.now()
  const record = (agent: AgentId, change: (state: AgentState) => AgentState): void => {
    deps.states.update(agent, change)
    progress.world = { ...progress.world, state: change(progress.world.state) }
  }
  record(stateHome(candidate), (state) => ({
    ...state,
    profiles: new Map(state.profiles).set(
      candidate.id,
      afterFailure(state.profiles.get(candidate.id), failure, candidate.fingerprint, now),
    ),
  }))
  if (failure.reason !== 'overloaded') return
  record(MAIN_AGENT, (state) => {
    const key = formatModelKey(model)
    const rest = afterOverload(state.models.get(key), failure, now)
    return { ...state, models: new Map(state.models).set(key, rest) }
  })
}

/** Usage is kept beside the book that holds the profile; what is outside the books is main's. */
function stateHome(candidate: Candidate): AgentId {
  return candidate.source.kind === 'store' ? candidate.source.agent : MAIN_AGENT
}

function isSameTrial(failed: FailedAttempt, { candidate, model }: Trial): boolean {
  return failed.profile === candidate.id && failed.model === formatModelKey(model)
}

function failedAttempt(
  { facts, model, candidate }: Trial,
  failure: UpstreamFailure,
): FailedAttempt {
  return {
    profile: candidate.id,
    model: formatModelKey(model),
    host: facts.keyless === 'sandbox' ? 'the sandbox' : new URL(facts.baseUrl).host,
    reason: failure.reason,
    ...(failure.status !== undefined && { status: failure.status }),
    words: failure.words,
    ...(failure.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }),
  }
}

/** Nothing was sent to the provider: there was no access to send it with. */
function failedRenewal(trial: Trial, fault: Fault, now: EpochMs): FailedAttempt {
  const reason = RENEWAL_REASONS[fault.code] ?? 'auth'
  return { ...failedAttempt(trial, { reason, words: explain(fault, now).message }), fault }
}

const RENEWAL_REASONS: Readonly<Partial<Record<Fault['code'], FailedAttempt['reason']>>> = {
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

function nobodyToTry(
  world: World,
  facts: ProviderFacts,
  ranked: readonly Ranked[],
  pin: ProfileId | undefined,
): Fault {
  const passedOver = ranked.flatMap((entry) =>
    entry.taken ? [] : [{ profile: entry.candidate.id, why: entry.why }],
  )
  const pinned = passedOver.find((entry) => entry.profile === pin)
  if (world.bookFault && !pinned) return world.bookFault
  if (pin) return { code: 'EQ_PIN_UNUSABLE', profile: pin, why: pinned?.why ?? { code: 'gone' } }
  const ends = passedOver.flatMap(({ why }) => (why.code === 'resting' ? [why.rest.until] : []))
  if (ends.length > 0) {
    return {
      code: 'EQ_CREDENTIAL_RESTING',
      provider: facts.id,
      until: Math.min(...ends),
      passedOver,
    }
  }
  return { code: 'EQ_CREDENTIAL_NONE', provider: facts.id, variables: facts.variables, passedOver }
}

/** A reply that broke off after its first byte. */
export function cutFault({ candidate, model }: Served, detail: string): Fault {
  return { code: 'EQ_UPSTREAM_CUT', profile: candidate.id, model: formatModelKey(model), detail }
}
