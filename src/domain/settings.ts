/** Settings with their defaults. Units stand in the names. How they look on disk is `wire/settings-file.ts`'s matter. */

import type { Budget } from './budget.ts'
import type { CredentialType } from './credential.ts'
import type { ForeignOrigin } from './foreign.ts'
import type { AgentId, ProfileId, ProviderId } from './names.ts'
import { MAIN_AGENT } from './names.ts'
import type { ConfiguredProvider } from './provider.ts'
import type { Strategy } from './strategy.ts'
import { DAY_MS } from './time.ts'

/** What config says of a profile; the secret itself is never there. */
export interface ProfileSettings {
  readonly provider: ProviderId
  /** Which credential types are accepted. `oauth` accepts `oauth` and `token`. */
  readonly mode: CredentialType
  readonly email?: string
  readonly budget?: Budget
}

export interface ModelChoice {
  /** As the user wrote it: an alias or `provider/model`. */
  readonly primary?: string
  readonly fallbacks?: readonly string[]
}

export interface AgentSettings {
  readonly id: AgentId
  readonly name?: string
  readonly default?: boolean
  readonly model?: ModelChoice
}

/** Whether the login of another program is taken over, and who renews it. */
export interface ForeignSettings {
  readonly enabled: boolean
  /** `neighbour`: we, under its owner's locks. `owner`: by running its program. `never`: its owner alone. */
  readonly renew: 'neighbour' | 'owner' | 'never'
}

/** How the credentials of a provider take turns. Absent: by the explicit order, else the least recently used of a kind. */
export interface StrategySettings {
  readonly usual?: Strategy
  readonly byProvider: ReadonlyMap<ProviderId, Strategy>
}

/** How long requests are kept in the ledger. */
export interface LedgerSettings {
  readonly keepDays: number
  /** Of single requests; the sums of their days stay for `keepDays`. Bytes on disk. */
  readonly maxBytes: number
}

export interface Settings {
  readonly env: {
    readonly vars: ReadonlyMap<string, string>
    readonly shellEnv: { readonly enabled: boolean; readonly timeoutMs: number }
  }
  readonly auth: {
    readonly profiles: ReadonlyMap<ProfileId, ProfileSettings>
    readonly order: ReadonlyMap<ProviderId, readonly ProfileId[]>
    /** A login that ends within this time and cannot renew itself is "expiring". */
    readonly warnWithinMs: number
    readonly foreign: Readonly<Record<ForeignOrigin, ForeignSettings>>
    readonly strategy: StrategySettings
    /** Used share of a limit, 0 to 1, from which a profile is spared until the limit resets. */
    readonly quotaThreshold: number
    readonly lanes: {
      /** Whether a request that was meant for a subscription may move to a credential that is paid by use. */
      readonly crossing: 'announce' | 'deny'
    }
    /** How long a request waits for the first credential to be rested, ms. */
    readonly waitForRestMs: number
  }
  readonly models: { readonly providers: ReadonlyMap<ProviderId, ConfiguredProvider> }
  readonly agents: {
    readonly defaults: {
      readonly model: ModelChoice
      /** Listed models by `provider/model`. Not empty: only these, the default and the fallbacks may be used. */
      readonly models: ReadonlyMap<string, { readonly alias?: string }>
      /** Alias to `provider/model`; restricts nothing. */
      readonly aliases: ReadonlyMap<string, string>
      readonly system?: string
    }
    readonly list: readonly AgentSettings[]
  }
  readonly gateway: {
    readonly port: number
    readonly bind: string
    /** Host header values accepted beside the loopback names. */
    readonly allowedHosts: readonly string[]
    /** Origins of pages that may call; none by default. */
    readonly allowedOrigins: readonly string[]
    /** Largest request body, bytes. */
    readonly maxBodyBytes: number
    /** How long running replies may take to end after SIGTERM, ms. */
    readonly drainTimeoutMs: number
  }
  readonly upstream: {
    /** How long a connection may take, ms. */
    readonly connectTimeoutMs: number
    /** How long the first byte of an answer may take, ms. */
    readonly firstByteTimeoutMs: number
    /** How long an answer may pause, ms. */
    readonly idleTimeoutMs: number
  }
  readonly ledger: LedgerSettings
}

export const DEFAULT_SETTINGS: Settings = {
  env: { vars: new Map(), shellEnv: { enabled: false, timeoutMs: 5_000 } },
  auth: {
    profiles: new Map(),
    order: new Map(),
    warnWithinMs: DAY_MS,
    foreign: {
      'claude-code': { enabled: true, renew: 'neighbour' },
      // Codex keeps no lock that another process could take.
      'codex-cli': { enabled: true, renew: 'never' },
    },
    strategy: { byProvider: new Map() },
    quotaThreshold: 0.98,
    lanes: { crossing: 'announce' },
    waitForRestMs: 10_000,
  },
  models: { providers: new Map() },
  agents: { defaults: { model: {}, models: new Map(), aliases: new Map() }, list: [] },
  gateway: {
    port: 18_789,
    bind: '127.0.0.1',
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 32 * 1024 * 1024,
    drainTimeoutMs: 10_000,
  },
  upstream: { connectTimeoutMs: 8_000, firstByteTimeoutMs: 600_000, idleTimeoutMs: 300_000 },
  ledger: { keepDays: 400, maxBytes: 512 * 1024 * 1024 },
}

/** The strategy that was set for a provider, or for all. */
export function strategyFor(settings: Settings, provider: ProviderId): Strategy | undefined {
  const { usual, byProvider } = settings.auth.strategy
  return byProvider.get(provider) ?? usual
}

/** The agents there are: those of config, and `main`, which always is. */
export function agentsOf(settings: Settings): readonly AgentSettings[] {
  const listed = settings.agents.list
  return listed.some((agent) => agent.id === MAIN_AGENT) ? listed : [{ id: MAIN_AGENT }, ...listed]
}

/** The agent that serves when none is named: the one marked default, else `main`. */
export function defaultAgent(settings: Settings): AgentId {
  return settings.agents.list.find((agent) => agent.default)?.id ?? MAIN_AGENT
}

/** Whether config's mode for a profile accepts a credential of this type. */
export function acceptsType(mode: CredentialType, type: CredentialType): boolean {
  return mode === type || (mode === 'oauth' && type === 'token')
}

/** The model choice of an agent: its own where it says something, else the defaults. */
export function modelChoice(settings: Settings, agent: AgentId): ModelChoice {
  const own = settings.agents.list.find((entry) => entry.id === agent)?.model
  const defaults = settings.agents.defaults.model
  const primary = own?.primary ?? defaults.primary
  const fallbacks = own?.fallbacks ?? (own?.primary ? undefined : defaults.fallbacks)
  return { ...(primary !== undefined && { primary }), ...(fallbacks && { fallbacks }) }
}
