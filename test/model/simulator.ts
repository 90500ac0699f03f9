/**
 * A day of a gateway in simulated time: the real router among providers in trouble, beside an oracle that knows all.
 *
 * Requests come through the gateway's own doors, from chats, from programs that name a session, and from programs that
 * do not. The oracle says of each whether somebody could serve it at that instant.
 */

import { Secret } from '../../src/domain/secret.ts'
import type { Fault } from '../../src/domain/fault.ts'
import type { ProfileId, SessionId } from '../../src/domain/names.ts'
import { MAIN_AGENT, providerOf } from '../../src/domain/names.ts'
import type { Pin } from '../../src/domain/pins.ts'
import type { Result } from '../../src/domain/result.ts'
import { ok } from '../../src/domain/result.ts'
import type { EpochMs } from '../../src/domain/time.ts'
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../src/domain/time.ts'
import { withProfile } from '../../src/domain/profile.ts'
import type { Served } from '../../src/services/dispatch.ts'
import { aBook, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { session } from '../names-from.ts'
import type { Furnishing } from '../services/house.ts'
import { house, sentKey } from '../services/house.ts'
import type { Doors, Watch } from './doors.ts'
import { openDoors } from './doors.ts'
import { createModelClock, settled } from './model-clock.ts'
import type { ModelClock } from './model-clock.ts'
import type { Random } from './outages.ts'
import {
  ACME_ONE,
  ACME_TWO,
  BACKUP,
  CHAIN,
  dayOfTroubles,
  HOME,
  KEY,
  LARGE,
  PROFILES,
  SPARE,
  WORK,
} from './outages.ts'
import type { Providers } from './simulated-providers.ts'
import { createProviders } from './simulated-providers.ts'

/** What came of a day. Shares are from 0 to 1. */
export interface DayFigures {
  readonly requests: number
  readonly served: number
  /** Requests that somebody could serve at the instant when they came. */
  readonly servable: number
  readonly servableServed: number
  readonly success: number
  readonly attempts: number
  /** Attempts by requests. */
  readonly amplification: number
  /** Attempts by requests that anybody was asked for: moves to those who stand in count here too. */
  readonly attemptsPerSent: number
  /** Requests: those that this provider was asked for. */
  readonly byProvider: Readonly<
    Record<string, { readonly attempts: number; readonly requests: number }>
  >
  readonly insideRetryAfter: number
  readonly silentSwitches: number
  readonly keepable: number
  readonly kept: number
  readonly keeping: number
  readonly crossings: number
  readonly silentCrossings: number
  /** Of those that were served, ms. */
  readonly medianMs: number
  readonly slowestMs: number
  /** The first requests that somebody could have served and nobody did. */
  readonly lost: readonly string[]
}

/** How many requests a day has. */
export const REQUESTS_A_DAY = 10_000

/** What one or several days must hold, and do not. */
export function breaches(
  day: Pick<
    DayFigures,
    | 'success'
    | 'insideRetryAfter'
    | 'amplification'
    | 'byProvider'
    | 'silentSwitches'
    | 'keeping'
    | 'silentCrossings'
  >,
): readonly string[] {
  const rules: readonly (readonly [string, boolean])[] = [
    ['success is at least 99.9 % of the oracle’s', day.success >= 0.999],
    ['nobody is asked inside the wait that its provider named', day.insideRetryAfter === 0],
    ['the load is at most 1.10 of what was asked', day.amplification <= 1.1],
    ...Object.entries(day.byProvider).map(
      // Of a handful of requests one more is a great share.
      ([name, { attempts, requests }]) =>
        [
          `the load of ${name} is at most 1.10`,
          requests < 100 || attempts <= requests * 1.1,
        ] as const,
    ),
    ['no pin of a person is left silently', day.silentSwitches === 0],
    ['99 % of the requests stay where their prompt is cached', day.keeping >= 0.99],
    ['no money is spent silently', day.silentCrossings === 0],
  ]
  return rules.flatMap(([rule, holds]) => (holds ? [] : [rule]))
}

/**
 * Lives through one day.
 *
 * @param random the same numbers give the same day
 * @param broken what is taken out of each request, for controls
 */
export async function simulateDay(
  random: Random,
  requests: number = REQUESTS_A_DAY,
  broken?: Watch['broken'],
): Promise<DayFigures> {
  const town = openTown(random, broken)
  await moveIn(town)
  const arrivals = arrivalsOf(requests, random)
  const running: Promise<void>[] = []
  let next = 0
  for (;;) {
    await settled()
    const arrival = arrivals[next]
    const at = Math.min(arrival ?? Infinity, town.clock.next() ?? Infinity)
    if (at === Infinity) break
    town.clock.moveTo(at)
    if (arrival !== undefined && arrival <= at) {
      running.push(visit(town))
      next += 1
    } else town.clock.wake()
  }
  await Promise.all(running)
  return figuresOf(town)
}

/** Most come one by one; every fifth comes with seven others within a second, as those of parallel agents do. */
function arrivalsOf(requests: number, random: Random): readonly EpochMs[] {
  const burst = 8
  const any = (): EpochMs => Math.floor(BEGIN + random() * DAY_MS)
  const bursts = Array.from({ length: Math.floor(requests / 5 / burst) }, () => {
    const at = any()
    return Array.from({ length: burst }, () => at + Math.floor(random() * SECOND_MS))
  }).flat()
  const others = Array.from({ length: requests - bursts.length }, any)
  return [...bursts, ...others].toSorted((a, b) => a - b)
}

/** The day begins at six in the morning, so that a midnight lies in it. */
const BEGIN: EpochMs = FAKE_NOW + 6 * HOUR_MS
const FIRST_BYTE_MS: number = 30 * SECOND_MS

interface Customer {
  readonly door: 'chat' | 'api'
  /** Absent: a program that names none. */
  readonly session?: SessionId
  /** Whom a person has pinned it to. */
  readonly pin?: ProfileId
  /** A chat waits for its answer before it says more. */
  isBusy: boolean
}

/** One request and what came of it. */
interface Visit {
  readonly at: EpochMs
  readonly customer: Customer
  readonly isServable: boolean
  /** The profile that its session is kept on, if it would serve now. */
  readonly healthyKeep?: ProfileId
  readonly outcome: Result<Served, Fault>
  readonly tookMs: number
  readonly isTold: boolean
}

interface Town {
  readonly at: ReturnType<typeof house>
  readonly clock: ModelClock
  readonly doors: Doors
  readonly providers: Providers
  readonly customers: readonly Customer[]
  readonly visits: Visit[]
  readonly random: Random
  /** What the dispatcher said of the chat that is going on in a session. */
  readonly outcomes: Map<SessionId | undefined, Result<Served, Fault>>
}

function openTown(random: Random, broken: Watch['broken']): Town {
  const clock = createModelClock(BEGIN)
  const owners = new Map<string, ProfileId>()
  const day = dayOfTroubles(BEGIN, random)
  const providers = createProviders({
    day,
    clock,
    random,
    firstByteMs: FIRST_BYTE_MS,
    ownerOf: (request) => owners.get(sentKey(request) ?? '') ?? stranger(),
  })
  const at = house({
    ...furnishing(clock, random, owners),
    upstream: (request) => providers.answer(request),
  })
  const outcomes = new Map<SessionId | undefined, Result<Served, Fault>>()
  const doors = openDoors(at, {
    seen: (outcome, { session: id }) => void outcomes.set(id, outcome),
    ...(broken && { broken }),
  })
  return { at, clock, doors, providers, customers: customers(), visits: [], random, outcomes }
}

function stranger(): never {
  throw new Error("a secret of nobody's")
}

function furnishing(clock: ModelClock, random: Random, owners: Map<string, ProfileId>): Furnishing {
  const strategy = ['ordered', 'sticky', undefined][Math.floor(random() * 3)]
  const login = (id: ProfileId, account: string) =>
    aProfile(id, {
      credential: {
        type: 'oauth',
        access: new Secret(`fake-access-of-${id}`),
        refresh: new Secret(`fake-refresh-of-${id}`),
        accountId: account,
        renewedAt: BEGIN,
        expiresAt: BEGIN + 8 * HOUR_MS,
      },
    })
  for (const id of PROFILES) {
    owners.set(`fake-key-of-${id}`, id)
    owners.set(`fake-access-of-${id}`, id)
    owners.set(`fake-token-of-${id}`, id)
  }
  let renewals = 0
  return {
    clock,
    stopwatch: clock.stopwatch,
    random,
    books: {
      main: aBook(
        login(WORK, 'acc_work'),
        login(HOME, 'acc_home'),
        aProfile(SPARE, {
          credential: { type: 'token', token: new Secret(`fake-token-of-${SPARE}`) },
        }),
        ...[KEY, ACME_ONE, ACME_TWO, BACKUP].map((id) => aProfile(id)),
      ),
    },
    config: {
      upstream: { firstByteTimeoutMs: FIRST_BYTE_MS },
      ...(strategy !== undefined && { auth: { strategy } }),
      agents: { defaults: { model: { primary: LARGE, fallbacks: CHAIN.slice(1) } } },
      models: {
        providers: {
          anthropic: { oauth: { tokenUrl: 'https://login.invalid/token', clientId: 'client' } },
          acme: { baseUrl: 'https://acme.invalid', protocol: 'anthropic-messages' },
          backup: { baseUrl: 'https://backup.invalid', protocol: 'anthropic-messages' },
        },
      },
    },
    helper: async ({ agent, profile }, { profiles }) => {
      await clock.sleep(400)
      renewals += 1
      const access = new Secret(`fake-access-${renewals}-of-${profile}`)
      owners.set(access.reveal(), profile)
      const now = clock.now()
      await profiles.transact<void, never>(agent, async (book) => {
        const entry = book.profiles.get(profile)
        if (entry?.credential.type !== 'oauth') return ok({ book, value: undefined })
        const credential = {
          ...entry.credential,
          access,
          renewedAt: now,
          expiresAt: now + 8 * HOUR_MS,
        }
        return ok({ book: withProfile(book, { ...entry, credential }), value: undefined })
      })
      return ok()
    },
  }
}

/** Chats and programs: some pinned by a person, some kept by themselves, and one that names no session. */
function customers(): readonly Customer[] {
  const pins = [WORK, WORK, WORK, HOME, HOME, KEY, KEY, SPARE]
  const pinned = pins.map((pin, index): Customer => ({
    door: index % 2 === 0 ? 'chat' : 'api',
    session: session(`pinned-${index}`),
    pin,
    isBusy: false,
  }))
  const kept = Array.from({ length: 14 }, (_, index): Customer => ({
    door: index % 2 === 0 ? 'chat' : 'api',
    session: session(`kept-${index}`),
    isBusy: false,
  }))
  return [...pinned, ...kept, ...Array.from({ length: 8 }, (): Customer => PASSER_BY)]
}

const PASSER_BY: Customer = { door: 'api', isBusy: false }

async function moveIn({ at, doors, customers: all }: Town): Promise<void> {
  for (const { session: id, pin } of all) {
    if (id === undefined) continue
    await at.sessions.update(MAIN_AGENT, id, () => ({
      id,
      agent: MAIN_AGENT,
      createdAt: BEGIN,
      updatedAt: BEGIN,
      turns: 0,
    }))
    if (pin) await doors.say(`/model ${LARGE}@${pin}`, { agent: MAIN_AGENT, session: id })
  }
}

async function visit(town: Town): Promise<void> {
  const { at, clock, customers: all, doors, outcomes, providers, random, visits } = town
  const asked = all[Math.floor(random() * all.length)] ?? PASSER_BY
  const customer = asked.isBusy ? PASSER_BY : asked
  const { door, session: id, pin } = customer
  const begun = clock.now()
  const head = id === undefined ? undefined : await at.sessions.read(MAIN_AGENT, id)
  const tie: Pin | undefined = head?.ok ? head.value?.pin : undefined
  const isHealthy =
    tie?.source === 'auto' &&
    providers.serves(tie.profile, LARGE) &&
    !providers.isNearWall(tie.profile)
  const isServable = pin
    ? providers.serves(pin, LARGE)
    : CHAIN.some((model) =>
        PROFILES.some(
          (entry) => model.startsWith(`${providerOf(entry)}/`) && providers.serves(entry, model),
        ),
      )
  const place = { agent: MAIN_AGENT, ...(id !== undefined && { session: id }) }
  let outcome: Result<Served, Fault> | undefined
  if (door === 'chat' && id !== undefined) {
    customer.isBusy = true
    const said = await doors.say('hello', { agent: MAIN_AGENT, session: id })
    customer.isBusy = false
    outcome = said.ok ? outcomes.get(id) : said
  } else outcome = await doors.api({ ...place, model: 'default' })
  if (!outcome) throw new Error('a chat that was given to nobody')
  visits.push({
    at: begun,
    customer,
    isServable,
    ...(isHealthy && { healthyKeep: tie.profile }),
    outcome,
    tookMs: clock.now() - begun,
    isTold: isTold(town, customer, outcome),
  })
}

/** Whether somebody who pays instead of a subscription has been told of: to the caller, and as an event. */
function isTold(
  { at }: Town,
  { session: id, pin }: Customer,
  outcome: Result<Served, Fault>,
): boolean {
  if (!outcome.ok || pin !== undefined || outcome.value.candidate.lane !== 'metered') return true
  const { candidate, crossed, model } = outcome.value
  const last = at.happenings.findLast(
    (entry) =>
      entry.kind === 'lane.crossed' &&
      entry.session === id &&
      providerOf(entry.to.profile) === model.provider,
  )
  return crossed !== undefined && last?.kind === 'lane.crossed' && last.to.profile === candidate.id
}

function figuresOf({ visits, providers }: Town): DayFigures {
  const { counts } = providers
  const served = visits.filter(({ outcome }) => outcome.ok)
  const servable = visits.filter(({ isServable }) => isServable)
  const lost = servable.filter(({ outcome }) => !outcome.ok)
  const keepable = visits.filter(({ healthyKeep }) => healthyKeep !== undefined)
  const kept = keepable.filter((entry) => servedBy(entry) === entry.healthyKeep)
  const asked = new Map<string, number>()
  for (const { outcome } of visits) {
    for (const name of providersAsked(outcome)) asked.set(name, (asked.get(name) ?? 0) + 1)
  }
  const times = served.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b)
  return {
    requests: visits.length,
    served: served.length,
    servable: servable.length,
    servableServed: servable.length - lost.length,
    success: (servable.length - lost.length) / servable.length,
    attempts: counts.sends,
    amplification: counts.sends / visits.length,
    attemptsPerSent:
      counts.sends / visits.filter(({ outcome }) => providersAsked(outcome).size > 0).length,
    byProvider: Object.fromEntries(
      [...counts.byProvider].map(([name, attempts]) => [
        name,
        { attempts, requests: asked.get(name) ?? 0 },
      ]),
    ),
    insideRetryAfter: counts.tooEarly,
    silentSwitches: served.filter(
      (entry) => entry.customer.pin !== undefined && servedBy(entry) !== entry.customer.pin,
    ).length,
    keepable: keepable.length,
    kept: kept.length,
    keeping: kept.length / keepable.length,
    crossings: served.filter(({ outcome }) => outcome.ok && outcome.value.crossed).length,
    silentCrossings: visits.filter(({ isTold: is }) => !is).length,
    medianMs: times[times.length >> 1] ?? 0,
    slowestMs: times.at(-1) ?? 0,
    lost: lost.slice(0, 5).map(lossOf),
  }
}

function servedBy({ outcome }: Visit): ProfileId | undefined {
  return outcome.ok ? outcome.value.candidate.id : undefined
}

/** The providers that were sent this request. */
function providersAsked(outcome: Result<Served, Fault>): ReadonlySet<string> {
  const failed = outcome.ok
    ? outcome.value.attempts
    : outcome.fault.code === 'EQ_UPSTREAM_FAILED'
      ? outcome.fault.attempts
      : outcome.fault.code === 'EQ_UPSTREAM_REJECTED'
        ? [outcome.fault.attempt]
        : []
  const all = failed.filter(({ fault }) => !fault).map(({ profile }) => profile)
  return new Set([...all, ...(outcome.ok ? [outcome.value.candidate.id] : [])].map(providerOf))
}

function lossOf({ at, customer, outcome }: Visit): string {
  const hours = ((at - BEGIN) / HOUR_MS).toFixed(3)
  return `after ${hours} h, ${customer.session ?? 'no session'}: ${JSON.stringify(outcome)}`
}
