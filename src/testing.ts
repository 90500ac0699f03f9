/**
 * Doubles for tests of programs that are built on Equabot, and for our own: a clock that is moved by hand, stores in
 * memory, an upstream that answers by script. No test framework, no disk, no network, no time of its own.
 */

import type { UpstreamFailure } from './domain/cooldown.ts'
import { EMPTY_STATE } from './domain/cooldown.ts'
import type { LoginFault } from './domain/fault.ts'
import type { ProviderId } from './domain/names.ts'
import { MAIN_AGENT, parseProfileId } from './domain/names.ts'
import type {
  Clock,
  Fingerprint,
  Log,
  Upstream,
  UpstreamAnswer,
  UpstreamRequest,
} from './domain/ports.ts'
import type { IssuedTokens, Stopwatch, LoginFlow } from './domain/renewal-ports.ts'
import type { Profile, ProfileBook } from './domain/profile.ts'
import { effectiveBook, EMPTY_BOOK } from './domain/profile.ts'
import { providerTable } from './domain/provider.ts'
import type { Result } from './domain/result.ts'
import { fail, ok } from './domain/result.ts'
import { Secret } from './domain/secret.ts'
import { DEFAULT_SETTINGS } from './domain/settings.ts'
import type { EpochMs } from './domain/time.ts'
import type { Environment, World } from './domain/world.ts'

export type { MemoryForeignSource } from './testing/foreign-source.ts'
export { aForeignLogin, memoryForeignSource } from './testing/foreign-source.ts'
export type {
  MemoryProfileStore,
  MemorySettings,
  MemorySettingsStore,
  MemoryStateStore,
} from './testing/memory-stores.ts'
export type { MemoryClientKeys } from './testing/memory-clients.ts'
export { memoryClientKeys, memoryClientStore } from './testing/memory-clients.ts'
export type { MemoryLedger } from './testing/memory-ledger.ts'
export { memoryLedger } from './testing/memory-ledger.ts'
export { memoryGrantStore } from './testing/memory-grants.ts'
export type { MemoryGrantStore } from './testing/memory-grants.ts'
export {
  memoryEnvironment,
  memoryProfileStore,
  memorySessionStore,
  memorySettingsStore,
  memoryStateStore,
} from './testing/memory-stores.ts'

/** Where fake clocks and worlds begin: 2026-01-01T00:00:00Z. */
export const FAKE_NOW: EpochMs = 1_767_225_600_000

export interface FakeClock extends Clock {
  /** Moves time on by `ms` and wakes every sleeper whose time has come, earliest first. */
  advance(ms: number): void
}

/** A clock that stands still until `advance` is called. */
export function fakeClock(start: EpochMs = FAKE_NOW): FakeClock {
  let now = start
  let sleepers: { readonly at: EpochMs; readonly wake: () => void }[] = []
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (ms <= 0 || signal?.aborted) return resolve()
        const wake = (): void => {
          sleepers = sleepers.filter((entry) => entry !== sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper = { at: now + ms, wake }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', wake)
      }),
    advance(ms) {
      now += ms
      const due = sleepers.filter((entry) => entry.at <= now).sort((a, b) => a.at - b.at)
      sleepers = sleepers.filter((entry) => entry.at > now)
      for (const sleeper of due) sleeper.wake()
    },
  }
}

export interface FakeUpstream extends Upstream {
  /** What was sent, in order. Secrets stand in `secretHeaders` only, and are shown by `reveal()` only. */
  readonly requests: readonly UpstreamRequest[]
}

/** An upstream whose answers the script decides. An abort while the script thinks is a failure with reason `cancelled`. */
export function fakeUpstream(
  script: (
    request: UpstreamRequest,
    index: number,
    signal: AbortSignal,
  ) => UpstreamAnswer | UpstreamFailure | Promise<UpstreamAnswer | UpstreamFailure>,
): FakeUpstream {
  const requests: UpstreamRequest[] = []
  return {
    requests,
    async send(request, signal) {
      if (signal.aborted) return fail(CANCELLED)
      requests.push(request)
      const aborted = new Promise<UpstreamFailure>((resolve) => {
        signal.addEventListener('abort', () => resolve(CANCELLED), { once: true })
      })
      const outcome = await Promise.race([script(request, requests.length - 1, signal), aborted])
      return 'reason' in outcome ? fail(outcome) : ok(outcome)
    },
  }
}

const CANCELLED: UpstreamFailure = { reason: 'cancelled', words: 'cancelled' }

/** An HTTP answer whose body is this text; of a good one, unless told, a JSON that says nothing. */
export function anAnswer(
  status: number = 200,
  headers: UpstreamAnswer['headers'] = {},
  text: string = status === 200 ? '{}' : '',
): UpstreamAnswer {
  async function* body(): AsyncIterable<Uint8Array> {
    if (text !== '') yield new TextEncoder().encode(text)
  }
  return { status, headers, body: body() }
}

export interface FakeLoginFlow extends LoginFlow {
  /** What was revoked, in order; secrets are shown by `reveal()` only. */
  readonly revocations: readonly { readonly provider: ProviderId; readonly token: Secret }[]
  /** How many attempts were begun and not closed. */
  open(): number
}

/**
 * A login flow without a network: whatever is pasted gives the tokens of the script, and a browser brings `an answer` at
 * once. Revoking works unless the script has a fault for it.
 */
export function fakeLoginFlow(
  script: {
    readonly tokens?: (answer: string) => Result<IssuedTokens, LoginFault>
    readonly begin?: LoginFault
    readonly revoke?: LoginFault
  } = {},
): FakeLoginFlow {
  const revocations: FakeLoginFlow['revocations'][number][] = []
  let open = 0
  return {
    revocations,
    open: () => open,
    async begin(provider, _oauth, { redirect, onExchange }) {
      if (script.begin) return fail(script.begin)
      open += 1
      return ok({
        url: `https://login.example.com/${provider}`,
        ...(redirect === 'loopback' && { arrived: Promise.resolve(ok('an answer')) }),
        async finish(answer) {
          onExchange?.()
          return (
            script.tokens?.(answer) ?? ok({ access: new Secret('fake-access'), lifetimeMs: 60_000 })
          )
        },
        close: async () => void (open -= 1),
      })
    },
    async revoke(provider, _oauth, token) {
      revocations.push({ provider, token })
      return script.revoke ? fail(script.revoke) : ok()
    },
  }
}

export interface SilentLog extends Log {
  readonly lines: readonly {
    readonly level: Parameters<Log['write']>[0]
    readonly event: string
    readonly fields: Readonly<Record<string, unknown>>
  }[]
}

/** A log that prints nothing and remembers everything. */
export function silentLog(): SilentLog {
  const lines: SilentLog['lines'][number][] = []
  return {
    lines,
    write: (level, event, fields = {}) => void lines.push({ level, event, fields }),
  }
}

/** Tells fake secrets apart; far too weak for real ones. */
export const plainFingerprint: Fingerprint = (secret) => {
  let hash = 2_166_136_261
  for (const byte of new TextEncoder().encode(secret.reveal())) {
    hash = Math.imul(hash ^ byte, 16_777_619) >>> 0
  }
  return hash.toString(16).padStart(8, '0')
}

/** A profile with a made-up API key, unless `overrides` say otherwise. Throws when `id` is not `provider:name`. */
export function aProfile(id: string, overrides: Partial<Profile> = {}): Profile {
  const parsed = parseProfileId(id)
  if (!parsed) throw new TypeError(`"${id}" is not a profile id`)
  return {
    id: parsed,
    credential: { type: 'api_key', key: new Secret(`fake-key-of-${parsed}`) },
    origin: 'equabot',
    ...overrides,
  }
}

/** A stopwatch that runs with a clock, within one boot. */
export function fakeStopwatch(clock: Clock): Stopwatch {
  return () => ({ at: clock.now(), boot: 'boot', upMs: clock.now() })
}

/** A book with these profiles and no order. */
export function aBook(...profiles: readonly Profile[]): ProfileBook {
  return { profiles: new Map(profiles.map((profile) => [profile.id, profile])), order: new Map() }
}

/** Variables of this process. */
export function anEnvironment(values: Readonly<Record<string, string>>): Environment {
  return new Map(
    Object.entries(values).map(([name, value]) => [
      name,
      { value: new Secret(value), from: { kind: 'process' } },
    ]),
  )
}

/** The world of agent `main` with an empty book and default settings, unless `overrides` say otherwise. */
export function aWorld(
  overrides: Partial<World> & { readonly profiles?: readonly Profile[] } = {},
): World {
  const { profiles = [], ...given } = overrides
  const agent = given.agent ?? MAIN_AGENT
  const settings = given.settings ?? DEFAULT_SETTINGS
  return {
    agent,
    now: FAKE_NOW,
    settings,
    providers: providerTable(settings.models.providers),
    book: effectiveBook(agent, aBook(...profiles), EMPTY_BOOK),
    bookPath: (id) => `/state/agents/${id}/agent/auth-profiles.json`,
    environment: new Map(),
    state: EMPTY_STATE,
    moment: { at: given.now ?? FAKE_NOW, boot: 'boot', upMs: given.now ?? FAKE_NOW },
    grants: new Map(),
    foreign: [],
    foreignOff: false,
    fingerprint: plainFingerprint,
    ...given,
  }
}
