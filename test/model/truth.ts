/**
 * Whether what is reported is what the next request meets.
 *
 * Before each request, and again when one has waited, `models auth explain`, `models status` and `/model status` say who
 * is tried in which order, and why nobody is. Whoever is asked then, with whose secret, and whatever the fault says must
 * have been said before.
 */

import { isDeepStrictEqual } from 'node:util'
import { accountKey } from '../../src/domain/account.ts'
import type { FailureReason } from '../../src/domain/cooldown.ts'
import { mayFailOver } from '../../src/domain/cooldown.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { FailedAttempt, Fault } from '../../src/domain/fault.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import { formatModelKey, providerOf } from '../../src/domain/names.ts'
import type { CandidateReport, ExplainReport } from '../../src/domain/report.ts'
import { allCandidates } from '../../src/domain/resting.ts'
import type { Result } from '../../src/domain/result.ts'
import { MINUTE_MS } from '../../src/domain/time.ts'
import type { EpochMs } from '../../src/domain/time.ts'
import type { World } from '../../src/domain/world.ts'
import type { Served } from '../../src/services/dispatch.ts'
import { agent, session } from '../names-from.ts'
import { settled } from './model-clock.ts'
import type { Distort, TruthGateway } from './truth-gateway.ts'
import { openTruthGateway, sessionName } from './truth-gateway.ts'
import type { ModelWorld, Step } from './worlds.ts'

export interface Truth {
  readonly requests: number
  readonly sends: number
  /** Requests that waited for somebody to be rested. */
  readonly waits: number
  /** Requests that nobody was asked for. */
  readonly unserved: number
}

/** Something that was reported is not so. */
export class Disagreement extends Error {}

type Ask = Extract<Step, { readonly agent: unknown }>

/** What is said of a request before it, and when. */
interface Forecast {
  readonly at: EpochMs
  readonly primary: Result<ExplainReport, Fault>
  readonly others: ReadonlyMap<string, Result<ExplainReport, Fault>>
  /** How much had been tried by then. */
  readonly from: number
}

/** One candidate's turn, as the log has it. */
interface Try {
  readonly profile: ProfileId
  readonly model: string
  /** Absent: it served. */
  readonly reason?: FailureReason
  readonly words?: string
  /** Nothing was sent. */
  readonly code?: string
}

/**
 * Lives through one world.
 *
 * @param distort what the report is told instead of the truth
 * @throws Disagreement
 */
export async function liveThrough(world: ModelWorld, distort?: Distort): Promise<Truth> {
  const gateway = await openTruthGateway(world, distort)
  const extras: EpochMs[] = []
  const truth = { requests: 0, sends: 0, waits: 0, unserved: 0 }
  for (const step of world.steps) {
    if ('ms' in step) {
      if (step.kind === 'wait') gateway.clock.advance(step.ms)
      else gateway.clock.jump(step.ms)
    } else if (step.kind === 'login') await gateway.logIn(step.profile, step.account)
    else if (step.kind === 'command') {
      const turn = { agent: agent('main'), session: session(sessionName(step.session)) }
      await gateway.say(step.text, turn)
    } else {
      const sentFrom = gateway.sent.length
      const waits = await compare(gateway, world, step, extras)
      truth.requests += 1
      truth.sends += gateway.sent.length - sentFrom
      if (waits > 0) truth.waits += 1
      if (gateway.sent.length === sentFrom) truth.unserved += 1
    }
  }
  return truth
}

/** Compares one request with what was said of it. Gives how often it waited. */
async function compare(
  gateway: TruthGateway,
  world: ModelWorld,
  step: Ask,
  extras: EpochMs[],
): Promise<number> {
  const { clock, outcomes, sent } = gateway
  const begun = {
    at: clock.now(),
    log: gateway.at.log.lines.length,
    sent: sent.length,
    outcomes: outcomes.length,
  }
  const forecasts = [await forecast(gateway, world, step, 0)]
  await compareReports(gateway, step, forecasts[0])

  let answer: Result<unknown, Fault> | undefined
  const bugs: Error[] = []
  ask(gateway, step).then(
    (given) => (answer = given),
    (cause: unknown) => bugs.push(cause instanceof Error ? cause : new Error(String(cause))),
  )
  for (let idle = 0; !answer; idle += 1) {
    await settled()
    for (const bug of bugs) throw bug
    const next = clock.next()
    if (answer || (next === undefined && idle < 50)) continue
    if (next === undefined) throw new Disagreement('a request has no end')
    clock.moveTo(next)
    const from = triesIn(gateway, begun.log).length
    forecasts.push(await forecast(gateway, world, step, from))
    clock.wake()
    idle = 0
  }

  const outcome = outcomes[begun.outcomes] ?? failureOf(answer)
  const tries: readonly Try[] = [
    ...triesIn(gateway, begun.log),
    ...(outcome.ok
      ? [{ profile: outcome.value.candidate.id, model: formatModelKey(outcome.value.model) }]
      : []),
  ]
  const told: Told = {
    world: orThrow(await gateway.at.loadWorld(agent(step.agent))),
    begunAt: begun.at,
    forecasts,
    tries,
    outcome,
    extras,
    patienceMs: world.waitForRestMs,
    isDenying: world.crossing === 'deny',
    isSlow: world.answerMs > 0,
  }
  checkSends(told, sent.slice(begun.sent))
  try {
    for (const [index, said] of forecasts.entries()) checkRound(told, said, index)
    checkOutcome(told)
  } catch (cause) {
    if (!(cause instanceof Disagreement)) throw cause
    throw new Disagreement([cause.message, line(step), ...story(told)].join('\n'))
  }
  countExtras(tries, clock.now(), extras)
  return forecasts.length - 1
}

interface Told {
  /** As it is afterwards. */
  readonly world: World
  readonly begunAt: EpochMs
  readonly forecasts: readonly Forecast[]
  readonly tries: readonly Try[]
  readonly outcome: Result<Served, Fault>
  /** When providers were given more of a request that they had failed. */
  readonly extras: readonly EpochMs[]
  readonly patienceMs: number
  readonly isDenying: boolean
  /** Answers take time. */
  readonly isSlow: boolean
}

function ask(gateway: TruthGateway, step: Ask): Promise<Result<unknown, Fault>> {
  const place = step.session === undefined ? {} : { session: session(sessionName(step.session)) }
  const asked = { agent: agent(step.agent), ...place }
  if (step.kind === 'api') return gateway.api({ ...asked, model: step.model })
  return gateway.say('hello', {
    ...asked,
    session: session(sessionName(step.session)),
    ...(step.model !== undefined && { model: step.model }),
  })
}

function failureOf(answer: Result<unknown, Fault>): Result<Served, Fault> {
  if (answer.ok) throw new Disagreement('an answer that nobody gave')
  return answer
}

async function forecast(
  { report, clock }: TruthGateway,
  world: ModelWorld,
  step: Ask,
  from: number,
): Promise<Forecast> {
  const asked = {
    agent: agent(step.agent),
    ...(step.session !== undefined && { session: session(sessionName(step.session)) }),
  }
  const others = new Map<string, Result<ExplainReport, Fault>>()
  for (const model of world.fallbacks) {
    others.set(model, await report.explain({ ...asked, model }))
  }
  const primary = await report.explain({
    ...asked,
    ...(step.model !== undefined && { model: step.model }),
  })
  return { at: clock.now(), primary, others, from }
}

/** What failed since then, in order. */
function triesIn({ at }: TruthGateway, from: number): readonly Try[] {
  return at.log.lines
    .slice(from)
    .flatMap(({ event, fields }) => (event === 'attempt.failed' ? [fields as unknown as Try] : []))
}

/** The three who say it say the same. */
async function compareReports(
  gateway: TruthGateway,
  step: Ask,
  said: Forecast | undefined,
): Promise<void> {
  if (!said) return
  const explained = said.primary.ok ? said.primary.value.next?.profile : undefined
  if (step.kind === 'api' && step.model === 'default' && step.session === undefined) {
    const status = orThrow(await gateway.report.status({ agent: agent(step.agent) }))
    const provider = said.primary.ok ? said.primary.value.model.provider : undefined
    const effective = status.providers.find((entry) => entry.provider === provider)?.effective
    same('models status and models auth explain', effective?.profile, explained)
  }
  if (step.kind !== 'chat' || step.model !== undefined) return
  const shown = await gateway.say('/model status', {
    agent: agent(step.agent),
    session: session(sessionName(step.session)),
  })
  const text = shown.ok ? JSON.stringify(shown.value) : ''
  const next = /\\n {2}next +([^:\\]+:[^:\\]+): /.exec(text)?.[1]
  same('/model status and models auth explain', next, explained)
}

/** Whose secrets were seen: those of whoever was tried, as they were told or renewed since. */
function checkSends({ forecasts, tries }: Told, sent: TruthGateway['sent']): void {
  const asked = tries.filter(({ code }) => code === undefined)
  same(
    'who was tried and whose secrets were seen',
    sent.map(({ profile, model }) => `${profile} ${model}`),
    asked.map(({ profile, model }) => `${profile} ${model}`),
  )
  for (const { profile, fingerprint, isRenewed } of sent) {
    const told = forecasts
      .flatMap(({ primary, others }) => [primary, ...others.values()])
      .flatMap((report) => (report.ok ? report.value.candidates : []))
      .filter((candidate) => candidate.profile === profile)
    const isTold = told.some((candidate) => candidate.fingerprint === fingerprint)
    const mayBeRenewed = isRenewed && told.some(({ type }) => type === 'oauth')
    if (!isTold && !mayBeRenewed) {
      throw new Disagreement(`${profile} was asked with a secret that nobody had told of`)
    }
  }
}

/** From one forecast to the next: everybody who was told is tried in that order, or there is a reason not to. */
function checkRound(told: Told, said: Forecast, index: number): void {
  const end = told.forecasts[index + 1]?.from ?? told.tries.length
  const round = told.tries.slice(said.from, end)
  if (!said.primary.ok) {
    same('who is tried though it was said that nobody can be', round.map(nameOf), [])
    return
  }
  const primary = formatModelKey(said.primary.value.model)
  checkModel(told, said.primary.value.candidates, {
    first: said.from,
    tries: round.filter(({ model }) => model === primary),
  })
  for (const model of new Set(round.map((entry) => entry.model))) {
    if (model === primary) continue
    const other = said.others.get(model)
    if (!other?.ok) throw new Disagreement(`${model} was tried, and nothing was said of it`)
    const tries = round.filter((entry) => entry.model === model)
    // Whom the request meant, what its first attempts taught about the same credentials, and the time they took: nobody
    // could know before.
    if (
      told.isDenying ||
      told.isSlow ||
      model.startsWith(`${said.primary.value.model.provider}/`)
    ) {
      const known = other.value.candidates.map(({ profile }) => profile)
      const stranger = tries.find(({ profile }) => !known.includes(profile))
      if (stranger) throw new Disagreement(`${nameOf(stranger)} was not told`)
      continue
    }
    checkModel(told, other.value.candidates, {
      first: said.from + round.findIndex((entry) => entry.model === model),
      tries,
    })
  }
  if (round.length === 0) checkWait(told, said, index)
}

interface Turn {
  /** Place of its first attempt among all. */
  readonly first: number
  readonly tries: readonly Try[]
}

function checkModel(
  told: Told,
  candidates: readonly CandidateReport[],
  { first, tries }: Turn,
): void {
  const taken = candidates.filter(({ place }) => place !== undefined)
  let place = 0
  let before = first
  let last: ProfileId | undefined
  for (const { profile } of tries) {
    // The same one again, with renewed access.
    if (profile !== last) {
      while (place < taken.length && taken[place]?.profile !== profile) {
        mayBeSkipped(told, taken[place], before, tries[0]?.model)
        place += 1
      }
      if (!taken[place]) throw new Disagreement(`${profile} was tried out of turn: ${line(taken)}`)
      place += 1
    }
    last = profile
    before += 1
  }
  const end = tries.at(-1)
  if (end && (end.reason === undefined || !mayFailOver(end.reason))) return
  for (const candidate of taken.slice(place)) {
    mayBeSkipped(told, candidate, before, tries[0]?.model)
  }
}

/** Why somebody who was told is not tried after all: what this request itself has met before. */
function mayBeSkipped(
  { forecasts, tries, world, begunAt, extras }: Told,
  candidate: CandidateReport | undefined,
  before: number,
  model: string | undefined,
): void {
  if (!candidate) return
  const earlier = tries.slice(0, before)
  const provider = providerOf(candidate.profile)
  const isOut = earlier.some(
    ({ profile, words }) => providerOf(profile) === provider && words === 'could not find the host',
  )
  const held = allCandidates(world, provider).find(({ id }) => id === candidate.profile)
  const account = held && accountKey(held)
  const shared = [
    world.state.providers?.get(provider),
    account === undefined ? undefined : world.state.accounts?.get(account),
  ]
  const rests = shared.some((rest) => rest !== undefined && rest.since >= begunAt)
  // All keys of a provider share an overload.
  const isOverloaded = earlier.some(
    (entry) => entry.reason === 'overloaded' && entry.model === model,
  )
  const isHeldBack = earlier.length > 0 && extras.length + earlier.length > 10
  const sent = earlier.filter((entry) => !entry.code && providerOf(entry.profile) === provider)
  const isRest = candidate.ranked.why.code === 'last_resort'
  // With somebody ready who stands in: one that rests is enough, and so are two failures of the provider's own.
  if (forecasts[0]?.others.size && (sent.length > 1 || (isRest && sent.length > 0))) return
  // Nothing is known of how much fits into these models.
  const isTooLong = earlier.some(({ reason }) => reason === 'context_overflow')
  if (
    earlier.length >= 5 ||
    isTooLong ||
    isOverloaded ||
    isOut ||
    (rests && earlier.length > 0) ||
    isHeldBack
  )
    return
  throw new Disagreement(`${candidate.profile} was told and not tried; tried: ${line(earlier)}`)
}

/** Nobody can be tried: the request waits for the first to be rested, or says that nobody is. */
function checkWait(told: Told, said: Forecast, index: number): void {
  const next = told.forecasts[index + 1]
  const reports = [said.primary, ...(isChained(told) ? said.others.values() : [])]
  const ends = reports.flatMap((report) =>
    report.ok
      ? report.value.candidates.flatMap(({ ranked: { why } }) =>
          why.code === 'resting' ? [why.rest.until] : [],
        )
      : [],
  )
  const soonest = Math.min(...ends)
  const spentMs = told.forecasts
    .slice(0, index)
    .reduce((sum, { at }, place) => sum + ((told.forecasts[place + 1]?.at ?? at) - at), 0)
  if (next) {
    if (!ends.includes(next.at)) throw new Disagreement(`waited until ${next.at}: ${line(ends)}`)
    return
  }
  if (!isChained(told) && index === 0 && soonest - said.at <= told.patienceMs - spentMs) {
    throw new Disagreement(`did not wait until ${soonest}, ${soonest - said.at} ms ahead`)
  }
}

/** Fallbacks take part in who is waited for. */
function isChained({ forecasts }: Told): boolean {
  return (forecasts[0]?.others.size ?? 0) > 0
}

function checkOutcome(told: Told): void {
  const { forecasts, tries, outcome } = told
  const said = forecasts.at(-1)
  if (!said) return
  if (outcome.ok) {
    const { candidate, model } = outcome.value
    const name = formatModelKey(model)
    const report = [said.primary, said.others.get(name)].find(
      (entry) => entry?.ok && formatModelKey(entry.value.model) === name,
    )
    const lane = report?.ok
      ? report.value.candidates.find(({ profile }) => profile === candidate.id)?.lane
      : undefined
    same('who pays', candidate.lane, lane)
    if (told.isDenying) same('who pays instead of whom', outcome.value.crossed, undefined)
    return
  }
  const { fault } = outcome
  if (!said.primary.ok) {
    same('the fault', fault, said.primary.fault)
    return
  }
  if (tries.length > 0) {
    checkFailure(fault, tries)
    return
  }
  const passedOver = said.primary.value.candidates.map(({ profile, ranked }) => ({
    profile,
    why: ranked.why,
  }))
  switch (fault.code) {
    case 'EQ_CREDENTIAL_RESTING':
    case 'EQ_CREDENTIAL_NONE':
      same('why nobody serves', fault.passedOver, passedOver)
      return
    case 'EQ_PIN_UNUSABLE':
      same(
        'why the pin does not serve',
        fault.why,
        passedOver.find(({ profile }) => profile === fault.profile)?.why,
      )
      return
    default:
      same('the fault', fault, told.world.bookFault)
  }
}

/** Everybody's failure is named, or the one that ended the request. */
function checkFailure(fault: Fault, tries: readonly Try[]): void {
  const named: readonly FailedAttempt[] =
    fault.code === 'EQ_UPSTREAM_FAILED'
      ? fault.attempts
      : fault.code === 'EQ_UPSTREAM_REJECTED'
        ? [fault.attempt]
        : []
  const all = tries.map(nameOf)
  const isOne = fault.code === 'EQ_UPSTREAM_REJECTED'
  same(
    'whose failures are named',
    named.map(nameOf),
    isOne ? all.filter((name) => name === nameOf(named[0])).slice(0, 1) : all,
  )
}

function countExtras(tries: readonly Try[], now: EpochMs, extras: EpochMs[]): void {
  const recent = extras.filter((at) => Math.abs(now - at) <= MINUTE_MS + 5_000)
  extras.splice(0, extras.length, ...recent, ...tries.slice(1).map(() => now))
}

/** What was said, and what came of it, one line each. */
function story({ forecasts, tries, outcome }: Told): readonly string[] {
  const said = ({ primary, others }: Forecast): string =>
    [primary, ...others.values()]
      .map((report) =>
        report.ok
          ? report.value.candidates
              .map(({ profile, place, ranked }) => `${place ?? '-'} ${profile} ${ranked.why.code}`)
              .join(', ')
          : report.fault.code,
      )
      .join(' | ')
  return [
    ...forecasts.map((entry) => `at ${entry.at}, after ${entry.from}: ${said(entry)}`),
    ...tries.map((entry) => `${nameOf(entry)}: ${entry.reason ?? 'served'} ${entry.words ?? ''}`),
    outcome.ok ? 'served' : outcome.fault.code,
  ]
}

function nameOf(entry: Pick<Try, 'profile' | 'model'> | undefined): string {
  return entry ? `${entry.profile} ${entry.model}` : 'nobody'
}

function same(what: string, one: unknown, other: unknown): void {
  if (isDeepStrictEqual(one, other)) return
  throw new Disagreement(`${what}: ${line(one)} is not ${line(other)}`)
}

function line(value: unknown): string {
  return JSON.stringify(value)
}
