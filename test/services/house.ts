import type { Spent } from '../../src/domain/budget.ts'
import type { AgentState, UpstreamFailure } from '../../src/domain/cooldown.ts'
import type { Happening } from '../../src/domain/event.ts'
import type { Fault, RenewalFault } from '../../src/domain/fault.ts'
import type { ForeignView } from '../../src/domain/foreign.ts'
import type { Verdict } from '../../src/domain/grant.ts'
import type {
  Catalogue,
  ReplyJudge,
  SessionStore,
  UpstreamAnswer,
  UpstreamRequest,
} from '../../src/domain/ports.ts'
import type { RenewalOrder, ForeignSource, Stopwatch } from '../../src/domain/renewal-ports.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import type { ProfileBook } from '../../src/domain/profile.ts'
import { withProfile } from '../../src/domain/profile.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts'
import type { Agents } from '../../src/services/agents.ts'
import { createAgents } from '../../src/services/agents.ts'
import { createCredentials } from '../../src/services/credentials.ts'
import type { Dispatch, DispatchRequest } from '../../src/services/dispatch.ts'
import { createDispatch } from '../../src/services/dispatch.ts'
import type { Foreign } from '../../src/services/foreign.ts'
import { createForeign } from '../../src/services/foreign.ts'
import { createLessons } from '../../src/services/lessons.ts'
import type { Login } from '../../src/services/login.ts'
import { createLogin } from '../../src/services/login.ts'
import type { ModelSettings } from '../../src/services/model-settings.ts'
import { createModelSettings } from '../../src/services/model-settings.ts'
import type { Orders } from '../../src/services/order.ts'
import { createOrders } from '../../src/services/order.ts'
import type { Renewals } from '../../src/services/renewal.ts'
import { createRenewals } from '../../src/services/renewal.ts'
import type { Report } from '../../src/services/report.ts'
import { createReport } from '../../src/services/report.ts'
import type { Vault } from '../../src/services/vault.ts'
import { createVault } from '../../src/services/vault.ts'
import type { LoadWorld } from '../../src/services/world.ts'
import { createLoadWorld } from '../../src/services/world.ts'
import type { FakeClock, FakeLoginFlow, FakeUpstream, SilentLog } from '../../src/testing.ts'
import {
  anAnswer,
  fakeClock,
  fakeStopwatch,
  fakeLoginFlow,
  fakeUpstream,
  memoryEnvironment,
  memoryGrantStore,
  memoryProfileStore,
  memorySessionStore,
  memorySettingsStore,
  memoryStateStore,
  plainFingerprint,
  silentLog,
} from '../../src/testing.ts'
import type {
  MemoryGrantStore,
  MemoryProfileStore,
  MemorySettingsStore,
  MemoryStateStore,
} from '../../src/testing.ts'
import { readQuota } from '../../src/wire/rate-headers.ts'
import { BEGINNINGS } from '../../src/wire/reply-beginning.ts'
import { judgeReply } from '../../src/wire/upstream-reply.ts'
import { decodeSettings } from '../settings-from.ts'

export interface Furnishing {
  /** Content of `equabot.json`. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly books?: Readonly<Record<string, ProfileBook>>
  readonly states?: Readonly<Record<string, AgentState>>
  readonly variables?: Readonly<Record<string, string>>
  /** Absent: one that stands at `FAKE_NOW`. */
  readonly clock?: FakeClock
  /** Absent: of the clock, whose jumps it shares. */
  readonly stopwatch?: Stopwatch
  /** Absent: always 0. */
  readonly random?: () => number
  /** By the id of the grant. */
  readonly verdicts?: Readonly<Record<string, Verdict>>
  readonly foreign?: readonly ForeignView[]
  /** Stands for the process that renews. */
  readonly helper?: Helper
  /** Homes of other programs' logins; none unless told. */
  readonly sources?: readonly ForeignSource[]
  /** `EQUABOT_FOREIGN_LOGINS=0` */
  readonly foreignOff?: boolean
  /** What the profiles with a budget have used of it. */
  readonly spent?: Spent
  readonly logins?: Parameters<typeof fakeLoginFlow>[0]
  /** Context windows by `provider/model`, tokens. */
  readonly windows?: Readonly<Record<string, number>>
  readonly upstream?: (
    request: UpstreamRequest,
    index: number,
    signal: AbortSignal,
  ) => UpstreamAnswer | UpstreamFailure | Promise<UpstreamAnswer | UpstreamFailure>
}

/** What a helper process finds when it is started. */
export interface HelperRoom {
  readonly profiles: MemoryProfileStore
  readonly grants: MemoryGrantStore
  readonly clock: FakeClock
}

type Helper = (order: RenewalOrder, room: HelperRoom) => Promise<Result<void, RenewalFault>>

const noHelper: Helper = async ({ profile }) =>
  fail({ code: 'EQ_RENEWAL_HELPER', profile, detail: 'no helper in this house' })

/** What `renewingHelper` gives a profile. */
export function renewedAccess(profile: ProfileId): Secret {
  return new Secret(`renewed-access-of-${profile}`)
}

/** A helper that has done its work: new access, for an hour. */
export const renewingHelper: Helper = async ({ agent, profile }, { profiles, clock }) => {
  await profiles.transact<void, never>(agent, async (book) => {
    const entry = book.profiles.get(profile)
    if (entry?.credential.type !== 'oauth') return ok({ book, value: undefined })
    const now = clock.now()
    const credential = {
      ...entry.credential,
      access: renewedAccess(profile),
      renewedAt: now,
      expiresAt: now + HOUR_MS,
    }
    return ok({ book: withProfile(book, { ...entry, credential }), value: undefined })
  })
  return ok()
}

export interface House {
  readonly renewals: Renewals
  readonly grants: MemoryGrantStore
  readonly logins: FakeLoginFlow
  readonly login: Login
  readonly clock: FakeClock
  readonly profiles: MemoryProfileStore
  readonly states: MemoryStateStore
  readonly settings: MemorySettingsStore
  readonly sessions: SessionStore
  readonly upstream: FakeUpstream
  readonly log: SilentLog
  /** What was published, in order. */
  readonly happenings: readonly Happening[]
  readonly loadWorld: LoadWorld
  /** After the logins of the sources have been taken over, as each request has it. */
  readonly resolveWorld: LoadWorld
  readonly dispatch: Dispatch
  readonly report: Report
  readonly vault: Vault
  readonly foreign: Foreign
  readonly orders: Orders
  readonly modelSettings: ModelSettings
  readonly agents: Agents
}

const judge: ReplyJudge = (protocol, status, headers, body, now) =>
  judgeReply(protocol, status, headers, body, now)

/** All services over stores in memory and an upstream that answers 200 unless told otherwise. */
export function house(furnishing: Furnishing = {}): House {
  const clock = furnishing.clock ?? fakeClock()
  const profiles = memoryProfileStore(furnishing.books)
  const states = memoryStateStore(furnishing.states)
  const settings = memorySettingsStore({
    decode: decodedOnce(),
    ...(furnishing.config && { raw: furnishing.config }),
  })
  const sessions = memorySessionStore()
  const upstream = fakeUpstream(furnishing.upstream ?? (() => anAnswer(200)))
  const log = silentLog()
  const happenings: Happening[] = []
  const catalogue: Catalogue = async (provider) =>
    Object.entries(furnishing.windows ?? {}).flatMap(([name, contextWindow]) =>
      name.startsWith(`${provider}/`)
        ? [{ id: name.slice(provider.length + 1), contextWindow }]
        : [],
    )
  const environment = memoryEnvironment(furnishing.variables)
  const fingerprint = plainFingerprint
  const grants = memoryGrantStore(furnishing.verdicts)
  const stopwatch = furnishing.stopwatch ?? fakeStopwatch(clock)
  const foreign = createForeign({
    sources: furnishing.sources ?? [],
    profiles,
    settings,
    clock,
    log,
    switchedOff: furnishing.foreignOff ?? false,
  })
  const loadWorld = createLoadWorld({
    clock,
    settings,
    environment,
    profiles,
    states,
    fingerprint,
    grants,
    stopwatch,
    foreign: async () => furnishing.foreign ?? foreign.views(),
    foreignOff: furnishing.foreignOff ?? false,
    spentNow: async () => furnishing.spent ?? new Map(),
  })
  const resolveWorld: LoadWorld = async (agent) => {
    if (furnishing.sources) await foreign.adopt()
    return loadWorld(agent)
  }
  const renewals = createRenewals({
    loadWorld,
    profiles,
    grants,
    stopwatch,
    helper: { run: (order) => (furnishing.helper ?? noHelper)(order, { profiles, grants, clock }) },
    adopt: () => foreign.adopt(),
  })
  const credentials = createCredentials({ renewals, clock, fingerprint })
  const sandboxGrant: Parameters<typeof createVault>[0]['sandboxGrant'] = (now) => ({
    type: 'oauth',
    access: new Secret('sandbox-grant-fake'),
    refresh: new Secret('sandbox-refresh-fake'),
    expiresAt: now + MINUTE_MS,
  })
  const logins = fakeLoginFlow(furnishing.logins)
  const lessons = createLessons({ states, clock, random: furnishing.random ?? (() => 0) })
  return {
    logins,
    login: createLogin({
      loadWorld,
      profiles,
      settings,
      states,
      clock,
      fingerprint,
      logins,
      grants,
    }),
    clock,
    profiles,
    states,
    settings,
    sessions,
    upstream,
    log,
    happenings,
    loadWorld,
    resolveWorld,
    dispatch: createDispatch({
      upstream,
      lessons,
      judge,
      beginnings: BEGINNINGS,
      readQuota,
      credentials,
      clock,
      log,
      catalogue,
      loadWorld: resolveWorld,
      publish: (happening) => void happenings.push(happening),
    }),
    renewals,
    grants,
    report: createReport({
      catalogue: async () => [],
      checkFiles: async () => [],
      loadWorld,
      resolveWorld,
      settings,
      profiles,
      sessions,
    }),
    vault: createVault({
      grants,
      loadWorld,
      profiles,
      states,
      settings,
      sessions,
      clock,
      fingerprint,
      logins,
      sandboxGrant,
    }),
    foreign,
    orders: createOrders({ loadWorld, profiles }),
    modelSettings: createModelSettings({ loadWorld, settings }),
    agents: createAgents({ loadWorld, settings, profiles, sessions }),
  }
}

/** What the same data means is worked out once. */
function decodedOnce(): typeof decodeSettings {
  let last:
    | { readonly raw: unknown; readonly settings: ReturnType<typeof decodeSettings> }
    | undefined
  return (raw) => {
    if (last?.raw !== raw) last = { raw, settings: decodeSettings(raw) }
    return last.settings
  }
}

/** A request in the dialect of the fake upstream. */
export const encode: DispatchRequest['encode'] = (_, model) =>
  ok({ path: '/v1/messages', headers: {}, body: JSON.stringify({ model: model.model }) })

/** The secret that a request carried. */
export function sentKey(request: UpstreamRequest | undefined): string | undefined {
  const { 'x-api-key': key, authorization } = request?.secretHeaders ?? {}
  return key?.reveal() ?? authorization?.reveal().replace('Bearer ', '')
}

/** The value, or the code of the fault. */
export function outcome(result: Result<unknown, Fault>): unknown {
  return result.ok ? result.value : result.fault.code
}
