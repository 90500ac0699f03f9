/**
 * Serves one request: rank, send, record; the next candidate is tried until the first byte, never after it.
 *
 * What a failure teaches is recorded before the next candidate is tried, so `models status` knows it too.
 */

import type { Publish } from '../domain/event.ts'
import type { Barred, Fault } from '../domain/fault.ts'
import type { ResolvedModel } from '../domain/models.ts'
import type { ModelKey, ProfileId, ProviderId, SessionId } from '../domain/names.ts'
import { formatModelKey, providerOf } from '../domain/names.ts'
import type { Catalogue } from '../domain/ports.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Payer, Ranked } from '../domain/rotation.ts'
import { unknownProvider } from '../domain/unknown.ts'
import type { World } from '../domain/world.ts'
import type { Answered, AttemptDeps, Outcome, Progress, Trial } from './attempt.ts'
import { acquireAndAttempt } from './attempt.ts'
import type { Wait } from './choice.ts'
import { looksElsewhere, MOST_ATTEMPTS, pinOf, rankTurn, waitAfter } from './choice.ts'
import { mayFit } from './context-fit.ts'
import { createCredentialHappenings } from './credential-happenings.ts'
import { hasFailed, isToldToWait, restsWithOthers } from './futile.ts'
import { hostOf } from './hearing.ts'
import type { Outgoing } from './outgoing.ts'
import { createRequestHappenings } from './request-happenings.ts'
import { createRetries } from './retries.ts'
import type { LoadWorld } from './world.ts'
import { lookAgain } from './second-look.ts'
import { pauseAfterOverload } from './second-try.ts'

export interface DispatchRequest {
  /** As it is now; the caller has just read it. */
  readonly world: World
  /** Tried in this order; the first is what was asked for. */
  readonly models: readonly ResolvedModel[]
  /** A user's pin of the session; a pin typed with the model wins over it. */
  readonly pin?: ProfileId
  /** Served the session before: it goes first while it can serve. */
  readonly keep?: ProfileId
  /** Whose request it is, for those who are told of it. */
  readonly session?: SessionId
  /** The request in the dialect of this provider, or why it cannot be put so. */
  readonly encode: (facts: ProviderFacts, model: ModelKey) => Result<Outgoing, Fault>
  readonly signal: AbortSignal
  /** Told before the request waits for somebody to be rested. */
  readonly onWait?: (wait: Wait) => void
  /** The model as the caller named it, for the record. */
  readonly asked?: string
  /** Who asked, for the record. */
  readonly client?: string
}

/** A request that was meant for a subscription and costs money by use. */
export interface LaneCrossing {
  readonly from: Payer
  readonly to: Payer
}

/** An answer whose first byte has come. */
export interface Served extends Answered {
  /** The model that was asked for; a fallback may have served. */
  readonly wanted: ModelKey
  readonly crossed?: LaneCrossing
}

/** @faults `EQ_CREDENTIAL_NONE`, `EQ_CREDENTIAL_RESTING`, `EQ_PIN_UNUSABLE`, `EQ_UPSTREAM_REJECTED`, `EQ_UPSTREAM_FAILED`, `EQ_REQUEST_CANCELLED`, and those of `encode` */
export type Dispatch = (request: DispatchRequest) => Promise<Result<Served, Fault>>

export interface DispatchDeps extends Omit<AttemptDeps, 'publish' | 'told'> {
  /** Absent: nobody wants to hear. */
  readonly publish?: Publish
  /** How much fits into a model; absent: what config says of it is all that is known. */
  readonly catalogue?: Catalogue
  /** Looks at everything anew, after a wait and between attempts; absent: what the request began with is all that is known. */
  readonly loadWorld?: LoadWorld
  /** A number from 0 to 1, so that not everybody comes back at once; absent: always in the middle. */
  readonly random?: () => number
}

type Tools = AttemptDeps & Pick<DispatchDeps, 'catalogue' | 'loadWorld' | 'random'>

export function createDispatch(given: DispatchDeps): Dispatch {
  const retries = createRetries(given.clock)
  const publish = given.publish ?? (() => undefined)
  const deps: Tools = { ...given, publish, told: createCredentialHappenings(publish) }
  const tell = createRequestHappenings(deps)
  return async function dispatch(request) {
    const progress: Progress = {
      world: request.world,
      attempts: [],
      roundFrom: 0,
      found: request.world,
      unreachable: new Set(),
      untried: [],
      tooSmall: [],
      retries,
    }
    let patienceMs = request.world.settings.auth.waitForRestMs
    for (;;) {
      const outcome = await serveRound(deps, progress, request)
      if (outcome.kind === 'served') return ok(tell.served(request, progress, outcome.served))
      if (outcome.kind === 'ended') return fail(outcome.fault)
      const fitting = await modelsThatFit(deps, progress, request.models)
      const wait = waitAfter(progress, request, fitting, outcome.fault)
      if (wait) tell.resting(request, wait)
      const waitMs = wait
        ? Math.max(0, wait.until - deps.clock.now())
        : pauseAfterOverload(progress, deps.random?.() ?? 0.5)
      if (waitMs === undefined || waitMs > patienceMs) return fail(outcome.fault)
      patienceMs -= waitMs
      if (wait && waitMs > 0) request.onWait?.(wait)
      await deps.clock.sleep(waitMs, request.signal)
      if (request.signal.aborted) return fail({ code: 'EQ_REQUEST_CANCELLED' })
      await lookAgain(deps, progress)
    }
  }
}

type Round =
  | Exclude<Outcome, { kind: 'next_model' }>
  | { readonly kind: 'failed'; readonly fault: Fault }

/** All models once, each with whoever may serve it. */
async function serveRound(
  deps: Tools,
  progress: Progress,
  request: DispatchRequest,
): Promise<Round> {
  let firstFault: Fault | undefined
  const barred: Barred[] = []
  for (const [index, model] of request.models.entries()) {
    if (!(await mayFit(deps.catalogue, progress, model))) continue
    const outcome = await serveModel(deps, progress, request, { model, index, barred })
    if (outcome.kind !== 'next_model') return outcome
    firstFault ??= outcome.fault
  }
  const { attempts, heldBack, untried } = progress
  if (attempts.length > 0 && firstFault?.code !== 'EQ_UPSTREAM_REJECTED') {
    const fault: Fault = {
      code: 'EQ_UPSTREAM_FAILED',
      attempts,
      ...(barred.length > 0 && { barred }),
      ...(heldBack && { heldBack }),
      ...(untried.length > 0 && { untried }),
    }
    return { kind: 'failed', fault }
  }
  const nothing: Fault = { code: 'EQ_INTERNAL', detail: 'a request named no model' }
  return { kind: 'failed', fault: firstFault ?? nothing }
}

async function modelsThatFit(
  { catalogue }: Tools,
  progress: Progress,
  models: readonly ResolvedModel[],
): Promise<readonly ResolvedModel[]> {
  const fits = await Promise.all(models.map((model) => mayFit(catalogue, progress, model)))
  return models.filter((_, index) => fits[index])
}

interface Turn {
  readonly model: ResolvedModel
  readonly index: number
  /** Those that the user's own limits keep from serving. */
  readonly barred: Barred[]
}

async function serveModel(
  deps: Tools,
  progress: Progress,
  request: DispatchRequest,
  { model, index, barred }: Turn,
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

  const ranked = rankTurn(progress, request, model, index)
  barred.push(...barredIn(ranked))
  const candidates = ranked.filter(({ taken }) => taken)
  if (candidates.length === 0) {
    const pin = pinOf(request, model)
    return { kind: 'next_model', fault: nobodyToTry(world, facts, ranked, pin) }
  }
  for (const [place, entry] of candidates.entries()) {
    const trial: Trial = { request, facts, model, candidate: entry.candidate }
    if (progress.unreachable.has(hostOf(facts))) break
    if (hasFailed(progress, trial) || restsWithOthers(progress.world, trial)) continue
    if (attempts.length >= MOST_ATTEMPTS) {
      leaveUntried(progress, trial)
      continue
    }
    if (looksElsewhere(progress, request, entry, { model, index })) break
    if (attempts.length > 0 && (await isToldToWait(deps.loadWorld, progress, trial))) continue
    if (!isWithinBudget(progress, model.provider)) break
    const hasRivals = place < candidates.length - 1
    const outcome = await acquireAndAttempt(deps, progress, trial, outgoing.value, hasRivals)
    if (outcome) return outcome
    const failed = attempts.at(-1)
    if (failed?.reason === 'overloaded') {
      // All keys of a provider share it.
      progress.overloaded ??= { provider: model.provider, failed }
      break
    }
  }
  return { kind: 'next_model' }
}

/** The same model may stand in a chain twice. */
function leaveUntried({ untried }: Progress, { candidate, model }: Trial): void {
  const left = { profile: candidate.id, model: formatModelKey(model) }
  const isKnown = untried.some(
    ({ profile, model: other }) => profile === left.profile && other === left.model,
  )
  if (!isKnown) untried.push(left)
}

/** Counts the attempt that is about to be made, unless the provider may be given no more of this request. */
function isWithinBudget(progress: Progress, provider: ProviderId): boolean {
  const { retries, attempts } = progress
  const isExtra = attempts.some(({ profile, fault }) => !fault && providerOf(profile) === provider)
  if (isExtra && !retries.allows(provider)) {
    progress.heldBack = provider
    return false
  }
  retries.note(provider, isExtra ? 'extra' : 'request')
  return true
}

function barredIn(ranked: readonly Ranked[]): readonly Barred[] {
  return ranked.flatMap(({ candidate, why }) =>
    why.code === 'lane_denied' || why.code === 'budget_spent'
      ? [{ profile: candidate.id, why }]
      : [],
  )
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
