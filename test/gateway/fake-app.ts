/** A gateway on a free port, over services with stores in memory, an upstream of its own and a clock moved by hand. */

import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import { request as httpRequest } from 'node:http'
import { createUpstream } from '../../src/adapters/upstream-http.ts'
import type { ProviderId } from '../../src/domain/names.ts'
import type { SessionHead } from '../../src/domain/ports.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { Settings } from '../../src/domain/settings.ts'
import { DEFAULT_SETTINGS } from '../../src/domain/settings.ts'
import type { Limits } from '../../src/gateway/limits.ts'
import { USUAL_LIMITS } from '../../src/gateway/limits.ts'
import { createGatewayFace } from '../../src/gateway/server.ts'
import { createAgents } from '../../src/services/agents.ts'
import type { App } from '../../src/services/app.ts'
import { createClients } from '../../src/services/clients.ts'
import type { Conversation } from '../../src/services/conversation.ts'
import type { Credentials } from '../../src/services/credentials.ts'
import { createDispatch } from '../../src/services/dispatch.ts'
import { createLessons } from '../../src/services/lessons.ts'
import { createEvents } from '../../src/services/events.ts'
import { createRefusals } from '../../src/services/refusals.ts'
import { createReport } from '../../src/services/report.ts'
import { createLoadWorld } from '../../src/services/world.ts'
import type { FakeClock, MemoryLedger, SilentLog } from '../../src/testing.ts'
import {
  aBook,
  aProfile,
  fakeClock,
  fakeStopwatch,
  memoryClientKeys,
  memoryClientStore,
  memoryEnvironment,
  memoryGrantStore,
  memoryLedger,
  memoryProfileStore,
  memorySessionStore,
  memorySettingsStore,
  memoryStateStore,
  plainFingerprint,
  silentLog,
} from '../../src/testing.ts'
import { readQuota } from '../../src/wire/rate-headers.ts'
import { BEGINNINGS } from '../../src/wire/reply-beginning.ts'
import { judgeReply } from '../../src/wire/upstream-reply.ts'
import { startLoopback } from '../adapters/loopback.ts'

export const TOKEN = 'fake-gateway-token-0123456789abcdef'
export const KEY = 'fake-key-of-anthropic:work'

export interface FakeAppOptions {
  readonly profiles?: readonly Profile[]
  /** Where providers are, by id. */
  readonly baseUrls?: Readonly<Record<string, string>>
  readonly gateway?: Partial<Settings['gateway']>
  readonly agents?: Partial<Settings['agents']['defaults']>
  readonly sessions?: readonly SessionHead[]
  readonly turn?: Conversation['turn']
  readonly ledger?: MemoryLedger
  readonly limits?: Partial<Limits>
}

export interface FakeApp {
  readonly app: App
  readonly clock: FakeClock
  readonly log: SilentLog
}

/** Nothing is renewed here. */
const AS_THEY_STAND: Credentials = {
  acquire: async (_agent, candidate) => ok(candidate),
  afterRefusal: async () => undefined,
}

const unused = (() => {
  throw new Error('the gateway has no use for this')
}) as never

export function fakeApp(options: FakeAppOptions = {}): FakeApp {
  const clock = fakeClock()
  const log = silentLog()
  const settings = memorySettingsStore({ settings: settingsOf(options) })
  const profiles = memoryProfileStore({
    main: aBook(...(options.profiles ?? [aProfile('anthropic:work')])),
  })
  const states = memoryStateStore()
  const sessions = memorySessionStore(options.sessions)
  const loadWorld = createLoadWorld({
    clock,
    settings,
    environment: memoryEnvironment(),
    profiles,
    states,
    fingerprint: plainFingerprint,
    grants: memoryGrantStore(),
    stopwatch: fakeStopwatch(clock),
    foreign: async () => [],
  })
  const upstream = createUpstream({ userAgent: 'equabot/test' })
  const ledger = options.ledger ?? memoryLedger()
  const app: App = {
    version: '0.0.0-test',
    pid: 4242,
    events: createEvents({ clock, random: () => 0.5 }),
    clock,
    log,
    stateDir: '/state',
    show: (path) => path,
    loadWorld,
    settings,
    profiles,
    sessions,
    report: createReport({
      catalogue: async () => [],
      checkFiles: async () => [],
      loadWorld,
      resolveWorld: loadWorld,
      settings,
      profiles,
      sessions,
    }),
    agents: createAgents({ loadWorld, settings, profiles, sessions }),
    conversation: { turn: options.turn ?? unused },
    dispatch: createDispatch({
      upstream,
      lessons: createLessons({ states, clock, random: () => 0 }),
      judge: judgeReply,
      beginnings: BEGINNINGS,
      readQuota,
      credentials: AS_THEY_STAND,
      clock,
      log,
    }),
    refused: createRefusals({ ledger, clock, newId: () => 'x'.repeat(10), safe: (text) => text }),
    probe: unused,
    ledger,
    openSetups: unused,
    clients: createClients({
      store: memoryClientStore(),
      keys: memoryClientKeys((key) => createHash('sha256').update(key).digest('hex')),
      ledger,
      loadWorld,
      clock,
    }),
    usage: unused,
    vault: unused,
    renewals: unused,
    keeper: { beat: async () => undefined, run: async () => undefined },
    resolveWorld: loadWorld,
    foreign: unused,
    setupTokens: unused,
    login: unused,
    browser: unused,
    imports: unused,
    orders: unused,
    cooldowns: unused,
    modelSettings: unused,
    openDoctor: unused,
    gatewayFiles: unused,
    startGateway: unused,
    gatewayClient: unused,
    sandboxKeys: [],
    async close() {
      await upstream.close()
      return states.flush()
    },
  }
  return { app, clock, log }
}

function settingsOf({ baseUrls, gateway, agents }: FakeAppOptions): Settings {
  const providers = Object.entries(baseUrls ?? {}).map(
    ([id, baseUrl]) => [id as ProviderId, { baseUrl }] as const,
  )
  return {
    ...DEFAULT_SETTINGS,
    models: { providers: new Map(providers) },
    agents: {
      ...DEFAULT_SETTINGS.agents,
      defaults: { ...DEFAULT_SETTINGS.agents.defaults, ...agents },
    },
    gateway: { ...DEFAULT_SETTINGS.gateway, ...gateway },
  }
}

export interface TestGateway extends FakeApp {
  readonly port: number
  stop(): Promise<void>
}

export async function startGateway(options: FakeAppOptions = {}): Promise<TestGateway> {
  const fake = fakeApp(options)
  const listening = await createGatewayFace({ ...USUAL_LIMITS, ...options.limits }).listen(
    fake.app,
    {
      port: 0,
      bind: '127.0.0.1',
      token: new Secret(TOKEN),
    },
  )
  if (!listening.ok) throw new Error(listening.fault.code)
  const { port, stop } = listening.value
  return {
    ...fake,
    port,
    async stop() {
      await stop()
      await fake.app.close()
    },
  }
}

/** Runs `work` with a gateway whose Anthropic provider is this listener. */
export async function withUpstream(
  listener: RequestListener,
  work: (gateway: TestGateway) => Promise<void>,
  options: FakeAppOptions = {},
): Promise<void> {
  const upstream = await startLoopback(listener)
  const gateway = await startGateway({
    baseUrls: { anthropic: upstream.origin, openai: `${upstream.origin}/v1` },
    ...options,
  })
  try {
    await work(gateway)
  } finally {
    await gateway.stop()
    await upstream.close()
  }
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Whether the body came to its proper end. */
  readonly whole: boolean
}

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
  readonly signal?: AbortSignal
  /** Called with each piece of the body. */
  readonly onData?: (text: string) => void
}

/** With the right token, unless `headers` say otherwise. */
export function call(port: number, path: string, given: Call = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        method: given.method ?? (given.body === undefined ? 'GET' : 'POST'),
        headers: { authorization: `Bearer ${TOKEN}`, ...given.headers } as Record<string, string>,
        ...(given.signal && { signal: given.signal }),
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          given.onData?.(chunk.toString())
        })
        incoming.on('error', () => undefined)
        incoming.on('close', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString(),
            whole: incoming.complete,
          }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(given.body)
  })
}

export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
}

/** A promise that the test itself keeps. */
export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((keep) => {
    resolve = keep
  })
  return { promise, resolve }
}
