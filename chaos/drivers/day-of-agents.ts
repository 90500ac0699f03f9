/**
 * A day of many agents on one login, in simulated time: `node day-of-agents.mjs <options as JSON>`.
 *
 * Each agent has services of its own, as a process has; they share the stores, as processes share a disk. Requests come
 * at random, and all at one moment when the access token nears its end. The login service is `strict`: a second send of one token ends the
 * login. Prints one line of JSON.
 */

import type { Upstream } from '../../src/domain/ports.ts'
import type { RenewalHelper, RenewalOrder, TokenEndpoint } from '../../src/domain/renewal-ports.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { AgentId } from '../../src/domain/names.ts'
import { MAIN_AGENT, parseAgentId, parseProfileId, providerOf } from '../../src/domain/names.ts'
import { withProfile } from '../../src/domain/profile.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { DAY_MS, MINUTE_MS } from '../../src/domain/time.ts'
import { createCredentials } from '../../src/services/credentials.ts'
import { createDispatch } from '../../src/services/dispatch.ts'
import { createKeeper } from '../../src/services/keeper.ts'
import { createLessons } from '../../src/services/lessons.ts'
import { createRenewals } from '../../src/services/renewal.ts'
import { carryOut } from '../../src/services/renewal-work.ts'
import { createLoadWorld } from '../../src/services/world.ts'
import {
  anAnswer,
  FAKE_NOW,
  memoryEnvironment,
  memoryGrantStore,
  memoryProfileStore,
  memorySettingsStore,
  memoryStateStore,
  plainFingerprint,
  silentLog,
} from '../../src/testing.ts'
import { parseSettings } from '../../src/wire/settings-file.ts'
import { judgeTokenAnswer } from '../../src/wire/token-response.ts'
import { readQuota } from '../../src/wire/rate-headers.ts'
import { judgeReply } from '../../src/wire/upstream-reply.ts'
import { randomFrom } from '../random.mjs'
import { createFamilies } from '../token-families.mjs'
import { createTime } from './simulated-time.ts'

interface Options {
  readonly seed: string
  readonly agents: number
  readonly lifetimeMs: number
  /** A gateway runs and renews ahead of need. */
  readonly keeper: boolean
  /** So often in the day the provider ends an access token before its time. */
  readonly revocations: number
}

const options = JSON.parse(process.argv[2] ?? '') as Options
const random = randomFrom('day of agents', JSON.stringify(options))
const EVERY_MS: number = 4 * MINUTE_MS
const CONNECT_MS = 80
const ANSWER_MS = 350
const POLL_MS = 60
/** An access token with less than this left is not used, ms; a bit less than the program's own figure. */
const STALE_MS: number = MINUTE_MS - 1000
const PROFILE = parseProfileId('acme:me') ?? missing()
const AGENTS = Array.from({ length: options.agents }, (_, index) =>
  index === 0 ? MAIN_AGENT : (parseAgentId(`a${index}`) ?? missing()),
)

function missing(): never {
  throw new Error('a name that is none')
}

const time = createTime(FAKE_NOW)
const families = createFamilies({ now: time.now })
const login = families.login({ mode: 'strict', lifetimeMs: options.lifetimeMs })
const stopwatch = () => ({ at: time.now(), boot: 'one', upMs: time.now() - FAKE_NOW })
const day = { requests: 0, served: 0, sends: 0, repeated: 0, needless: 0, failures: [] as string[] }

const profiles = memoryProfileStore()
const grants = memoryGrantStore()
const states = memoryStateStore()
const log = silentLog()
const settings = memorySettingsStore({
  decode: (raw) => {
    const parsed = parseSettings(JSON.stringify(raw), '/state/equabot.json')
    return parsed.ok ? ok(parsed.value.settings) : parsed
  },
  raw: {
    agents: { list: AGENTS.map((id) => ({ id })) },
    models: {
      providers: {
        acme: {
          baseUrl: 'https://acme.invalid/v1',
          protocol: 'anthropic-messages',
          models: [{ id: 'm' }],
          oauth: { tokenUrl: 'https://acme.invalid/oauth/token', clientId: 'c' },
        },
      },
    },
  },
})

/** When the access token that is current now was issued. */
let issuedAt = time.now()

const endpoint: TokenEndpoint = {
  async redeem(request, beforeSend) {
    await time.sleep(CONNECT_MS)
    if (!(await beforeSend())) return { kind: 'held_back' }
    const refresh = request.fields['refresh_token']
    const current = families.current(login.family)
    const ageMs = time.now() - issuedAt
    const isWanted = !families.accepts(current.access) || ageMs >= soonestMs()
    day.sends += 1
    if (!isWanted) day.needless += 1
    const redeemed = families.redeem(refresh instanceof Secret ? refresh.reveal() : '')
    if (redeemed.kind !== 'rotated') day.repeated += 1
    issuedAt = time.now()
    await time.sleep(ANSWER_MS)
    const body = redeemed.issued
      ? {
          access_token: redeemed.issued.access,
          refresh_token: redeemed.issued.refresh,
          expires_in: options.lifetimeMs / 1000,
        }
      : { error: 'invalid_grant' }
    const answer = {
      status: redeemed.issued ? 200 : 400,
      headers: {},
      body: new TextEncoder().encode(JSON.stringify(body)),
      complete: true,
    }
    return { kind: 'answered', answer }
  },
}

/** The age from which on an access token may be replaced: near its end, or from two thirds of its life on by a keeper. */
function soonestMs(): number {
  const { lifetimeMs, keeper } = options
  return keeper
    ? Math.min(lifetimeMs * 0.65, Math.max(lifetimeMs - 10 * MINUTE_MS, lifetimeMs / 2))
    : lifetimeMs - Math.min(MINUTE_MS, lifetimeMs / 10) - 1000
}

const upstream: Upstream = {
  async send({ secretHeaders }) {
    await time.sleep(200 + random() * 2000)
    const header = secretHeaders['x-api-key'] ?? secretHeaders['authorization']
    const isAccepted = families.accepts(header?.reveal().replace('Bearer ', '') ?? '')
    const error = { type: 'error', error: { type: 'authentication_error', message: 'no' } }
    return ok(isAccepted ? anAnswer(200) : anAnswer(401, {}, JSON.stringify(error)))
  },
}

function loadWorldOf() {
  return createLoadWorld({
    clock: time,
    settings,
    environment: memoryEnvironment(),
    profiles,
    states,
    fingerprint: plainFingerprint,
    grants,
    stopwatch,
    foreign: async () => [],
  })
}

const held = new Set<string>()

/** Does what the helper process does, under a lock that all share. */
async function help(order: RenewalOrder): Promise<void> {
  held.add(order.grant)
  try {
    orThrow(
      await carryOut(
        {
          clock: time,
          stopwatch,
          endpoint,
          judge: judgeTokenAnswer,
          random,
          newId: () => String(day.sends),
          connectTimeoutMs: 5000,
          loadWorld: loadWorldOf(),
          profiles,
          grants,
          sources: [],
          owners: [],
          programs: [],
          adopt: async () => undefined,
        },
        order,
      ),
    )
  } finally {
    held.delete(order.grant)
  }
}

const helper: RenewalHelper = {
  async run(order, waitMs, isDone) {
    for (let waitedMs = 0; ; waitedMs += POLL_MS) {
      if (await isDone()) return ok()
      if (!held.has(order.grant)) {
        const work = help(order)
        if (waitMs > 0) {
          await work
          return ok()
        }
      }
      if (waitedMs >= waitMs) {
        return fail({ code: 'EQ_RENEWAL_BUSY', profile: order.profile, waitedMs })
      }
      await time.sleep(POLL_MS)
    }
  },
}

/** What one process has to itself. */
function createProcess() {
  const loadWorld = loadWorldOf()
  const adopt = async () => undefined
  const renewals = createRenewals({ loadWorld, profiles, grants, helper, stopwatch, adopt })
  const credentials = createCredentials({ renewals, clock: time, fingerprint: plainFingerprint })
  const judge = judgeReply
  const lessons = createLessons({ states, clock: time, random: () => 0 })
  const dispatch = createDispatch({
    upstream,
    lessons,
    judge,
    readQuota,
    credentials,
    clock: time,
    log,
  })
  return { loadWorld, renewals, dispatch, adopt }
}

async function live(agent: AgentId): Promise<void> {
  const { loadWorld, dispatch } = createProcess()
  const end = FAKE_NOW + DAY_MS
  for (;;) {
    const now = time.now()
    const untilStaleMs = families.current(login.family).expiresAt - STALE_MS - now
    const pauseMs = -Math.log(1 - random()) * EVERY_MS
    await time.sleep(untilStaleMs > 0 ? Math.min(untilStaleMs, pauseMs) : pauseMs)
    if (time.now() >= end) return
    day.requests += 1
    const served = await dispatch({
      world: orThrow(await loadWorld(agent)),
      models: [{ provider: providerOf(PROFILE), model: 'm' }],
      encode: () => ok({ path: '/messages', headers: {}, body: '{}' }),
      signal: new AbortController().signal,
    })
    if (served.ok) day.served += 1
    else day.failures.push(`${agent} at ${time.now() - FAKE_NOW} ms: ${served.fault.code}`)
  }
}

async function revokeAtTimes(): Promise<void> {
  for (let done = 0; done < options.revocations; done += 1) {
    await time.sleep(DAY_MS / (options.revocations + 1))
    families.expire(login.family)
  }
}

orThrow(
  await profiles.transact<void, never>(MAIN_AGENT, async (book) => {
    const credential = {
      type: 'oauth' as const,
      access: new Secret(login.access),
      refresh: new Secret(login.refresh),
      expiresAt: login.expiresAt,
      renewedAt: time.now(),
    }
    const entry = { id: PROFILE, credential, origin: 'equabot' as const }
    return ok({ book: withProfile(book, entry), value: undefined })
  }),
)
const evening = new AbortController()
const { loadWorld, renewals, adopt } = createProcess()
const clock = time
const keeper = createKeeper({
  loadWorld,
  settings,
  adopt,
  renewals,
  watch: { look: () => undefined },
  clock,
  stopwatch,
  log,
  random,
})
if (options.keeper) void keeper.run(evening.signal)
await time.run(Promise.all([...AGENTS.map(live), revokeAtTimes()]))
evening.abort()
const { alive } = families.get(login.family)
process.stdout.write(`${JSON.stringify({ ...day, alive })}\n`, () => process.exit(0))
