import type { AgentState, UpstreamFailure } from '../../src/domain/cooldown.ts'
import type { Fault } from '../../src/domain/fault.ts'
import type {
  ReplyJudge,
  SessionStore,
  UpstreamAnswer,
  UpstreamRequest,
} from '../../src/domain/ports.ts'
import type { ProfileBook } from '../../src/domain/profile.ts'
import type { Result } from '../../src/domain/result.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { MINUTE_MS } from '../../src/domain/time.ts'
import type { Agents } from '../../src/services/agents.ts'
import { createAgents } from '../../src/services/agents.ts'
import type { Dispatch, DispatchRequest } from '../../src/services/dispatch.ts'
import { createDispatch } from '../../src/services/dispatch.ts'
import type { Login } from '../../src/services/login.ts'
import { createLogin } from '../../src/services/login.ts'
import type { ModelSettings } from '../../src/services/model-settings.ts'
import { createModelSettings } from '../../src/services/model-settings.ts'
import type { Orders } from '../../src/services/order.ts'
import { createOrders } from '../../src/services/order.ts'
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
  fakeLoginFlow,
  fakeUpstream,
  memoryEnvironment,
  memoryProfileStore,
  memorySessionStore,
  memorySettingsStore,
  memoryStateStore,
  plainFingerprint,
  silentLog,
} from '../../src/testing.ts'
import type {
  MemoryProfileStore,
  MemorySettingsStore,
  MemoryStateStore,
} from '../../src/testing.ts'
import { judgeReply } from '../../src/wire/upstream-reply.ts'
import { decodeSettings } from '../settings-from.ts'

export interface Furnishing {
  /** Content of `equabot.json`. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly books?: Readonly<Record<string, ProfileBook>>
  readonly states?: Readonly<Record<string, AgentState>>
  readonly variables?: Readonly<Record<string, string>>
  readonly logins?: Parameters<typeof fakeLoginFlow>[0]
  readonly upstream?: (
    request: UpstreamRequest,
    index: number,
    signal: AbortSignal,
  ) => UpstreamAnswer | UpstreamFailure | Promise<UpstreamAnswer | UpstreamFailure>
}

export interface House {
  readonly logins: FakeLoginFlow
  readonly login: Login
  readonly clock: FakeClock
  readonly profiles: MemoryProfileStore
  readonly states: MemoryStateStore
  readonly settings: MemorySettingsStore
  readonly sessions: SessionStore
  readonly upstream: FakeUpstream
  readonly log: SilentLog
  readonly loadWorld: LoadWorld
  readonly dispatch: Dispatch
  readonly report: Report
  readonly vault: Vault
  readonly orders: Orders
  readonly modelSettings: ModelSettings
  readonly agents: Agents
}

const judge: ReplyJudge = (protocol, status, headers, body, now) =>
  judgeReply(protocol, status, headers, body, now)

/** All services over stores in memory and an upstream that answers 200 unless told otherwise. */
export function house(furnishing: Furnishing = {}): House {
  const clock = fakeClock()
  const profiles = memoryProfileStore(furnishing.books)
  const states = memoryStateStore(furnishing.states)
  const settings = memorySettingsStore({
    decode: decodeSettings,
    ...(furnishing.config && { raw: furnishing.config }),
  })
  const sessions = memorySessionStore()
  const upstream = fakeUpstream(furnishing.upstream ?? (() => anAnswer(200)))
  const log = silentLog()
  const environment = memoryEnvironment(furnishing.variables)
  const fingerprint = plainFingerprint
  const loadWorld = createLoadWorld({ clock, settings, environment, profiles, states, fingerprint })
  const sandboxGrant: Parameters<typeof createVault>[0]['sandboxGrant'] = (now) => ({
    type: 'oauth',
    access: new Secret('sandbox-grant-fake'),
    refresh: new Secret('sandbox-refresh-fake'),
    expiresAt: now + MINUTE_MS,
  })
  const logins = fakeLoginFlow(furnishing.logins)
  return {
    logins,
    login: createLogin({ loadWorld, profiles, settings, states, clock, fingerprint, logins }),
    clock,
    profiles,
    states,
    settings,
    sessions,
    upstream,
    log,
    loadWorld,
    dispatch: createDispatch({ upstream, states, judge, clock, log }),
    report: createReport({
      catalogue: async () => [],
      checkFiles: async () => [],
      loadWorld,
      settings,
      profiles,
      sessions,
    }),
    vault: createVault({
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
    orders: createOrders({ loadWorld, profiles }),
    modelSettings: createModelSettings({ loadWorld, settings }),
    agents: createAgents({ loadWorld, settings, profiles, sessions }),
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
