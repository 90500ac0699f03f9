/** A gateway in one of the random worlds: its doors, its own report, and an upstream that remembers whose secret it saw. */

import { bearerOf } from '../../src/domain/credential.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { ProfileId, ProviderId } from '../../src/domain/names.ts'
import { providerOf } from '../../src/domain/names.ts'
import type { SessionHead, SessionStore, UpstreamRequest } from '../../src/domain/ports.ts'
import type { ForeignReading } from '../../src/domain/foreign.ts'
import type { Fault } from '../../src/domain/fault.ts'
import type { RenewalOutcome } from '../../src/domain/grant.ts'
import { markOf } from '../../src/domain/grant.ts'
import { withProfile } from '../../src/domain/profile.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts'
import type { World } from '../../src/domain/world.ts'
import type { Served } from '../../src/services/dispatch.ts'
import type { Report } from '../../src/services/report.ts'
import { createReport } from '../../src/services/report.ts'
import type { LoadWorld } from '../../src/services/world.ts'
import {
  aBook,
  aForeignLogin,
  FAKE_NOW,
  memoryForeignSource,
  plainFingerprint,
} from '../../src/testing.ts'
import { agent, profile, provider, session } from '../names-from.ts'
import type { Furnishing, House, HelperRoom } from '../services/house.ts'
import { house, sentKey } from '../services/house.ts'
import { answerOf } from './answers.ts'
import type { Doors } from './doors.ts'
import { openDoors } from './doors.ts'
import type { ModelClock } from './model-clock.ts'
import { createModelClock } from './model-clock.ts'
import type { ModelWorld } from './worlds.ts'
import { ALL_IDS, PRIMARY, refreshOf } from './worlds.ts'

const WORK = agent('work')
const CLAUDE = profile('anthropic:claude-cli')
const ANTHROPIC = provider('anthropic')
const RENEWED = 'renewed-access-'
const FOREIGN_ACCESS = 'fake-access-of-claude-code'

/** What the report is told instead of the world as it is; for controls. */
export interface Distort {
  readonly world?: (world: World) => World
  readonly head?: (head: SessionHead) => SessionHead
}

/** One question to a provider. */
export interface Sent {
  readonly profile: ProfileId
  /** `provider/model`. */
  readonly model: string
  readonly fingerprint: string
  /** Access that was got while the world was running. */
  readonly isRenewed: boolean
}

export interface TruthGateway extends Doors {
  readonly at: House
  readonly clock: ModelClock
  readonly report: Report
  readonly sent: readonly Sent[]
  readonly outcomes: readonly Result<Served, Fault>[]
  /** A login that takes the place of the profile's credential. */
  logIn(id: ProfileId, account: string): Promise<void>
}

export const sessionName = (index: number): string => `s${index}`

export async function openTruthGateway(
  world: ModelWorld,
  distort: Distort = {},
): Promise<TruthGateway> {
  const clock = createModelClock(FAKE_NOW)
  const outcomes: Result<Served, Fault>[] = []
  const sent: Sent[] = []
  const asked = new Map<ProfileId, number>()
  const owners = secretsOf(world)
  const at = house({
    ...furnishingOf(world, clock),
    upstream(request) {
      const text = sentKey(request) ?? ''
      const id = ownerOf(text, owners)
      const turn = asked.get(id) ?? 0
      asked.set(id, turn + 1)
      const { model } = JSON.parse(textOf(request)) as { readonly model: string }
      sent.push({
        profile: id,
        model: `${providerOf(id)}/${model}`,
        fingerprint: plainFingerprint(new Secret(text)),
        isRenewed: text.startsWith(RENEWED),
      })
      const script = world.answers.get(id) ?? []
      clock.advance(world.answerMs)
      return answerOf(script[turn % Math.max(1, script.length)] ?? 'ok', clock.now())
    },
  })
  for (const id of [MAIN_AGENT, WORK]) {
    for (const [index, { model, pin }] of world.sessions.entries()) {
      const head: SessionHead = {
        id: session(sessionName(index)),
        agent: id,
        createdAt: FAKE_NOW,
        updatedAt: FAKE_NOW,
        turns: 0,
        ...(model !== undefined && { model }),
        ...(pin && { pin }),
      }
      await at.sessions.update(id, head.id, () => head)
    }
  }
  const distorted =
    (load: LoadWorld): LoadWorld =>
    async (id) => {
      const loaded = await load(id)
      return loaded.ok && distort.world ? ok(distort.world(loaded.value)) : loaded
    }
  const sessions: SessionStore = {
    ...at.sessions,
    async read(id, name) {
      const head = await at.sessions.read(id, name)
      return head.ok && head.value && distort.head ? ok(distort.head(head.value)) : head
    },
  }
  return {
    ...openDoors(at, { seen: (outcome) => void outcomes.push(outcome) }),
    at,
    clock,
    sent,
    outcomes,
    report: createReport({
      catalogue: async () => [],
      checkFiles: async () => [],
      loadWorld: distorted(at.loadWorld),
      resolveWorld: distorted(at.resolveWorld),
      settings: at.settings,
      profiles: at.profiles,
      sessions,
    }),
    async logIn(id, account) {
      const access = new Secret(`fake-login-of-${account}-as-${id}`)
      owners.set(access.reveal(), id)
      await at.profiles.transact<void, never>(MAIN_AGENT, async (book) => ({
        ok: true,
        value: {
          value: undefined,
          book: withProfile(book, {
            id,
            origin: 'equabot',
            credential: { type: 'oauth', access, accountId: account },
          }),
        },
      }))
    },
  }
}

function textOf({ body }: UpstreamRequest): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body)
}

/** Whose secret it is; a text of nobody's is a mistake of this test. */
function ownerOf(text: string, owners: ReadonlyMap<string, ProfileId>): ProfileId {
  const owner =
    owners.get(text) ?? ALL_IDS.find((id) => text.startsWith(RENEWED) && text.endsWith(` ${id}`))
  if (!owner) throw new Error(`a secret of nobody's: ${text}`)
  return owner
}

/** Where each variable's value comes to be a candidate. */
const BY_VARIABLE: Readonly<Record<string, ProfileId>> = {
  ANTHROPIC_API_KEY: profile('anthropic:env'),
  CLAUDE_CODE_OAUTH_TOKEN: profile('anthropic:env-token'),
  BACKUP_KEY: profile('backup:config'),
}

/** Everybody's secret at the beginning. */
function secretsOf(world: ModelWorld): Map<string, ProfileId> {
  const owners = new Map<string, ProfileId>([[FOREIGN_ACCESS, CLAUDE]])
  for (const { id, credential } of [...world.main, ...world.own]) {
    owners.set(bearerOf(credential).reveal(), id)
  }
  for (const [name, value] of Object.entries(world.variables)) {
    const id = BY_VARIABLE[name]
    if (id) owners.set(value, id)
  }
  return owners
}

function furnishingOf(world: ModelWorld, clock: ModelClock): Furnishing {
  return {
    clock,
    stopwatch: clock.stopwatch,
    random: () => world.random,
    books: {
      main: { ...aBook(...world.main), order: orderOf(world.mainOrder) },
      work: { ...aBook(...world.own), order: orderOf(world.workOrder) },
    },
    states: { main: world.state, work: world.state },
    variables: world.variables,
    verdicts: world.verdicts,
    helper: helperOf(world),
    ...(world.foreign !== 'none' && {
      sources: [memoryForeignSource('claude-code', readingOf(world.foreign))],
    }),
    spent: new Map(
      [...world.budgets].map(([id, { share }]) => {
        const used = { usd: 0, tokens: share * 100 }
        return [id, { daily: used, monthly: used }]
      }),
    ),
    config: configOf(world),
  }
}

function orderOf(
  ids: readonly ProfileId[] | undefined,
): ReadonlyMap<ProviderId, readonly ProfileId[]> {
  return new Map(ids ? [[ANTHROPIC, ids]] : [])
}

function configOf(world: ModelWorld): Readonly<Record<string, unknown>> {
  const profiles: Record<string, Record<string, unknown>> = {}
  for (const [id, { hard }] of world.budgets) {
    const type = [...world.main, ...world.own].find((held) => held.id === id)?.credential.type
    profiles[id] = {
      provider: providerOf(id),
      mode: type ?? 'api_key',
      budget: { daily: { tokens: 100, hard } },
    }
  }
  for (const [id, mode] of world.modes) {
    profiles[id] = { ...profiles[id], provider: providerOf(id), mode }
  }
  return {
    auth: {
      profiles,
      ...(world.configOrder && { order: { anthropic: world.configOrder } }),
      ...(world.strategy && { strategy: world.strategy }),
      lanes: { crossing: world.crossing },
      quotaThreshold: world.quotaThreshold,
      waitForRestMs: world.waitForRestMs,
      foreign: { claudeCode: { renew: world.renew } },
    },
    agents: {
      defaults: { model: { primary: PRIMARY, fallbacks: world.fallbacks } },
      list: [{ id: 'main' }, { id: 'work' }],
    },
    models: {
      providers: {
        anthropic: {
          oauth: { tokenUrl: 'https://api.anthropic.invalid/token', clientId: 'client' },
        },
        backup: {
          baseUrl: 'https://backup.invalid',
          protocol: 'anthropic-messages',
          apiKey: '${BACKUP_KEY}',
          models: [{ id: 'm' }],
          oauth: { tokenUrl: 'https://backup.invalid/token', clientId: 'client' },
        },
      },
    },
  }
}

function readingOf(foreign: Exclude<ModelWorld['foreign'], 'none'>): ForeignReading {
  const { place } = aForeignLogin()
  if (foreign === 'blank') return fail({ code: 'EQ_FOREIGN_BLANK', origin: 'claude-code', place })
  if (foreign === 'unreadable') {
    return fail({ code: 'EQ_FOREIGN_UNREADABLE', origin: 'claude-code', place, errno: 'EACCES' })
  }
  return ok(
    aForeignLogin({
      access: new Secret(FOREIGN_ACCESS),
      refreshMark: markOf(refreshOf(CLAUDE)),
      expiresAt: FAKE_NOW + (foreign === 'fresh' ? 2 * HOUR_MS : -MINUTE_MS),
      accountId: 'acc_1',
    }),
  )
}

/** What a renewal comes to in this world. Each one that succeeds gives another token, for an hour. */
function helperOf({ helper }: ModelWorld): NonNullable<Furnishing['helper']> {
  let count = 0
  return async (order, { profiles, grants, clock }: HelperRoom) => {
    const id = order.profile
    if (helper === 'fails') return fail({ code: 'EQ_RENEWAL_HELPER', profile: id, detail: 'gone' })
    const before = await grants.verdict(order.grant)
    const moment = { at: clock.now(), boot: '', upMs: 0 }
    const token = before?.token ?? markOf(refreshOf(id))
    if (helper !== 'renews') {
      const outcome: RenewalOutcome =
        helper === 'refused'
          ? { kind: 'rejected', error: 'invalid_grant', words: 'no' }
          : { kind: 'not_consumed', status: 429, words: 'later' }
      const again = helper === 'put_off' ? { againAfterMs: 5_000 } : {}
      await grants.journal(order.grant).putVerdict({ token, moment, tries: 1, outcome, ...again })
      return ok()
    }
    count += 1
    const access = new Secret(`${RENEWED}${count} ${id}`)
    await profiles.transact<void, never>(order.agent, async (book) => {
      const entry = book.profiles.get(id)
      if (entry?.credential.type !== 'oauth') return ok({ book, value: undefined })
      const now = clock.now()
      const credential = { ...entry.credential, access, renewedAt: now, expiresAt: now + HOUR_MS }
      return ok({ book: withProfile(book, { ...entry, credential }), value: undefined })
    })
    return ok()
  }
}
