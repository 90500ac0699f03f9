/**
 * Asks providers, with one real request for each credential, whether they take it.
 *
 * It never goes through `dispatch`: there a dead credential is served by its neighbour, and would look alive.
 */

import type { Fault } from '../domain/fault.ts'
import type { AgentId, ModelKey, ProfileId, ProviderId } from '../domain/names.ts'
import { formatModelKey } from '../domain/names.ts'
import type { RequestRecord } from '../domain/ledger.ts'
import type { Clock, QuotaReader, Upstream, UpstreamRequest } from '../domain/ports.ts'
import type {
  HearProbe,
  ProbeHeard,
  ProbeReport,
  ProbeRequest,
  ProbeResult,
} from '../domain/probe.ts'
import { modelWithin, notProbed, probeModel, probeStatus } from '../domain/probe.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { Candidate } from '../domain/rotation.ts'
import type { EpochMs } from '../domain/time.ts'
import type { World } from '../domain/world.ts'
import type { Credentials } from './credentials.ts'
import { RENEWAL_REASONS } from './attempt.ts'
import { withoutSecrets } from './hearing.ts'
import { upstreamRequest } from './outgoing.ts'
import type { Subject } from './probe-subjects.ts'
import { subjectsOf } from './probe-subjects.ts'
import type { Lessons } from './lessons.ts'
import type { LoadWorld } from './world.ts'

export interface ProbeOptions {
  readonly agent?: AgentId
  /** Exactly these; absent: every credential of the providers. */
  readonly profiles?: readonly ProfileId[]
  /** Absent: those that are set up. */
  readonly providers?: readonly ProviderId[]
  /** As typed; it is asked of every credential here. Without profiles and providers it names its provider, too. */
  readonly model?: string
  /** After so long a credential is reported as it is known by then, ms. */
  readonly timeoutMs: number
  /** How many are asked at once. */
  readonly concurrency: number
  /** Ends it: what is known by then is reported. */
  readonly signal: AbortSignal
  /** Told before the first and after each. */
  readonly onProgress?: (done: number, of: number) => void
}

export interface Probe {
  /**
   * One result for each credential, in the order of the providers. What answers teach is recorded.
   *
   * @faults `EQ_PROFILE_UNKNOWN`, `EQ_PROFILE_FOREIGN`, those of finding a model and of loading the world; the book's,
   *   where it may hold a named profile
   */
  run(options: ProbeOptions): Promise<Result<ProbeReport, Fault>>
}

export interface ProbeDeps {
  readonly resolveWorld: LoadWorld
  readonly credentials: Credentials
  readonly upstream: Upstream
  readonly request: ProbeRequest
  readonly hear: HearProbe
  readonly lessons: Lessons
  readonly readQuota: QuotaReader
  /** Resolves when what was learnt is where a gateway beside us finds it. */
  readonly settle: () => Promise<unknown>
  /** Keeps a record of every request; absent: nobody does. */
  readonly record?: (record: Omit<RequestRecord, 'id'>) => void
  readonly clock: Clock
}

export function createProbe(deps: ProbeDeps): Probe {
  return {
    async run(options) {
      const loaded = await deps.resolveWorld(options.agent)
      if (!loaded.ok) return loaded
      const world = loaded.value
      const subjects = subjectsOf(world, options)
      if (!subjects.ok) return subjects
      const results = await probeAll(deps, world, subjects.value, options)
      await deps.settle()
      const { timeoutMs } = options
      return ok({ agent: world.agent, now: deps.clock.now(), timeoutMs, results })
    },
  }
}

/** So many at once, each with its own deadline from the moment it is begun. */
async function probeAll(
  deps: ProbeDeps,
  world: World,
  subjects: readonly Subject[],
  options: ProbeOptions,
): Promise<readonly ProbeResult[]> {
  const results: ProbeResult[] = []
  const waiting = subjects.entries()
  let done = 0
  options.onProgress?.(0, subjects.length)
  const work = async (): Promise<void> => {
    for (const [index, subject] of waiting) {
      results[index] = await probeOne(deps, world, subject, options)
      options.onProgress?.((done += 1), subjects.length)
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, work))
  return results
}

async function probeOne(
  deps: ProbeDeps,
  world: World,
  subject: Subject,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const { facts, candidate, named } = subject
  const id =
    options.model === undefined
      ? probeModel(world, facts)
      : modelWithin(world, facts, options.model)
  const model: ModelKey = { provider: facts.id, model: id ?? '' }
  const base = { provider: facts.id, candidate, named, host: hostOf(facts) }
  const passedOver = notProbed(world, model, candidate, named)
  if (passedOver) return { ...base, status: 'skipped', passedOver }
  if (id === undefined) return { ...base, status: 'no_model' }
  if (options.signal.aborted) return { ...base, model, status: 'cancelled' }

  const { clock } = deps
  const dueAt = clock.now() + options.timeoutMs
  const over = new AbortController()
  const late = new AbortController()
  void clock.sleep(options.timeoutMs, over.signal).then(() => late.abort())
  const signal = AbortSignal.any([options.signal, late.signal])
  const leftMs = (): number => Math.max(1, dueAt - clock.now())
  try {
    const { timeoutMs } = options
    const trial: Trial = { world, facts, candidate, model, signal, timeoutMs, leftMs }
    const outcome = await Promise.race([ask(deps, trial), whenAborted(signal)])
    const isOver = signal.aborted && outcome.status !== 'ok'
    if (!isOver) return { ...base, model, ...outcome }
    return { ...base, model, status: options.signal.aborted ? 'cancelled' : 'timeout' }
  } finally {
    over.abort()
  }
}

interface Trial {
  readonly world: World
  readonly facts: ProviderFacts
  readonly candidate: Candidate
  readonly model: ModelKey
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** Until the deadline, at least 1 ms. */
  readonly leftMs: () => number
}

type Outcome = Pick<ProbeResult, 'status'> &
  Partial<
    Pick<
      ProbeResult,
      'candidate' | 'http' | 'latencyMs' | 'words' | 'retryAfterMs' | 'fault' | 'renewed' | 'usage'
    >
  >

/** Access that has ended is renewed first; access that is refused is renewed once. Never another credential. */
async function ask(deps: ProbeDeps, trial: Trial): Promise<Outcome> {
  const { world, candidate } = trial
  const acquired = await deps.credentials.acquire(world.agent, candidate, false, trial.leftMs())
  if (!acquired.ok) {
    const { fault } = acquired
    return { status: probeStatus({ reason: RENEWAL_REASONS[fault.code] ?? 'auth' }), fault }
  }
  const isNew = acquired.value.fingerprint !== candidate.fingerprint
  const first = await send(deps, { ...trial, candidate: acquired.value })
  const outcome: Outcome = isNew ? { ...first, renewed: true } : first
  if (first.status !== 'auth' || trial.signal.aborted) return outcome
  const better = await deps.credentials.afterRefusal(world.agent, acquired.value, trial.leftMs())
  if (!better || trial.signal.aborted) return outcome
  return { ...(await send(deps, { ...trial, candidate: better })), renewed: true }
}

/** Whoever is no longer waited for teaches nothing: it was our patience that ended. */
async function send(deps: ProbeDeps, trial: Trial): Promise<Outcome> {
  const { world, facts, candidate, model, signal } = trial
  const { clock, lessons } = deps
  const outgoing = { ...deps.request(facts, model.model), headers: {} }
  const request = withinTime(upstreamRequest(world, facts, candidate, outgoing), trial.timeoutMs)
  const sentAt = clock.now()
  const sent = await deps.upstream.send(request, signal)
  const clean = (text: string): string => withoutSecrets(text, request)
  const heard: ProbeHeard = sent.ok
    ? await deps.hear(facts, sent.value, clean, clock.now())
    : { kind: 'failed', failure: sent.fault }
  const isGivenUp = signal.aborted && heard.kind !== 'ok'
  const latencyMs = Math.max(0, clock.now() - sentAt)
  deps.record?.(recordOf(trial, sentAt, latencyMs, isGivenUp ? undefined : heard))
  if (isGivenUp) return { status: 'cancelled' }

  const quota = sent.ok ? deps.readQuota(sent.value.headers, clock.now()) : []
  const met = { candidate, latencyMs, ...(sent.ok && { http: sent.value.status }) }
  if (heard.kind !== 'failed') {
    // What breaks off after a good beginning says something of the line, not of the credential.
    lessons.learnSuccess(candidate, model, quota, sentAt)
    if (heard.kind === 'cut') return { ...met, status: 'network' }
    return { ...met, status: 'ok', ...(heard.usage && { usage: heard.usage }) }
  }
  const { failure } = heard
  lessons.learnFailure(candidate, model, failure, quota)
  const { words, retryAfterMs } = failure
  return {
    ...met,
    status: probeStatus(failure),
    words,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

/** That no connection came about tells more than that time ran out, so it must be known before. */
function withinTime(request: UpstreamRequest, timeoutMs: number): UpstreamRequest {
  const { timeouts } = request
  const connectTimeoutMs = Math.min(timeouts.connectTimeoutMs, Math.ceil(timeoutMs * 0.75))
  return { ...request, timeouts: { ...timeouts, connectTimeoutMs } }
}

/** @param heard absent: nobody waited for it any longer */
function recordOf(
  { world, model, candidate }: Trial,
  at: EpochMs,
  totalMs: number,
  heard: ProbeHeard | undefined,
): Omit<RequestRecord, 'id'> {
  const ends = { ok: 'served', cut: 'cut', failed: 'failed' } as const
  const key = formatModelKey(model)
  return {
    at,
    agent: world.agent,
    client: 'probe',
    asked: key,
    model: key,
    profile: candidate.id,
    lane: candidate.lane,
    outcome: heard ? ends[heard.kind] : 'cancelled',
    attempts: 1,
    totalMs,
    ...(heard?.kind === 'failed' && { reason: heard.failure.reason }),
    ...(heard?.kind === 'ok' && heard.usage && { usage: heard.usage }),
  }
}

function whenAborted(signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const end = (): void => resolve({ status: 'cancelled' })
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

function hostOf({ keyless, baseUrl }: ProviderFacts): string {
  if (keyless === 'sandbox') return 'the sandbox'
  return URL.canParse(baseUrl) ? new URL(baseUrl).host : baseUrl
}
