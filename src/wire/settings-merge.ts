/** The settings that a checked file stands for: names in their one spelling, hours as milliseconds, defaults filled in. */

import type { AgentId } from '../domain/names.ts'
import { parseAgentId, parseModelKey, parseProfileId, parseProviderId } from '../domain/names.ts'
import { formatModelKey } from '../domain/names.ts'
import type { ConfiguredProvider } from '../domain/provider.ts'
import { DEFAULT_SETTINGS } from '../domain/settings.ts'
import type { AgentSettings, ModelChoice, Settings } from '../domain/settings.ts'
import { HOUR_MS } from '../domain/time.ts'
import type {
  FileAgent,
  FileEnvironment,
  FileModelChoice,
  FileProvider,
  SettingsFile,
} from './settings-schema.ts'

export function settingsOf(file: SettingsFile): Settings {
  const defaults = DEFAULT_SETTINGS
  const { auth, agents } = file
  return {
    env: environmentOf(file.env ?? {}),
    auth: {
      profiles: mapped(auth?.profiles, parseProfileId, (profile) => {
        const provider = parseProviderId(profile.provider)
        return provider && { ...profile, provider }
      }),
      order: mapped(auth?.order, parseProviderId, (ids) => [
        ...new Set(ids.flatMap((id) => parseProfileId(id) ?? [])),
      ]),
      warnWithinMs:
        auth?.warnWithinHours === undefined
          ? defaults.auth.warnWithinMs
          : auth.warnWithinHours * HOUR_MS,
      foreign: {
        'claude-code': { ...defaults.auth.foreign['claude-code'], ...auth?.foreign?.claudeCode },
        'codex-cli': { ...defaults.auth.foreign['codex-cli'], ...auth?.foreign?.codexCli },
      },
      strategy: strategyOf(auth?.strategy),
      quotaThreshold: auth?.quotaThreshold ?? defaults.auth.quotaThreshold,
      lanes: { ...defaults.auth.lanes, ...auth?.lanes },
      waitForRestMs: auth?.waitForRestMs ?? defaults.auth.waitForRestMs,
    },
    models: { providers: mapped(file.models?.providers, parseProviderId, providerOf) },
    agents: {
      defaults: {
        model: choiceOf(agents?.defaults?.model),
        models: mapped(agents?.defaults?.models, modelText, (entry) => entry),
        aliases: mapped(agents?.defaults?.aliases, (alias) => alias, modelText),
        ...(agents?.defaults?.system !== undefined && { system: agents.defaults.system }),
      },
      list: (agents?.list ?? []).flatMap((agent) => {
        const id = parseAgentId(agent.id)
        return id ? [agentOf(agent, id)] : []
      }),
    },
    gateway: { ...defaults.gateway, ...file.gateway },
    upstream: { ...defaults.upstream, ...file.upstream },
    ledger: { ...defaults.ledger, ...file.ledger },
  }
}

function environmentOf({ shellEnv, vars, ...inline }: FileEnvironment): Settings['env'] {
  const named = Object.entries({ ...inline, ...vars })
  return {
    vars: new Map(
      named.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
    ),
    shellEnv: { ...DEFAULT_SETTINGS.env.shellEnv, ...shellEnv },
  }
}

function strategyOf(
  strategy: NonNullable<SettingsFile['auth']>['strategy'],
): Settings['auth']['strategy'] {
  return typeof strategy === 'object'
    ? { byProvider: mapped(strategy, parseProviderId, (entry) => entry) }
    : { ...(strategy !== undefined && { usual: strategy }), byProvider: new Map() }
}

/** Without what nothing reads yet: how much a model may write. */
function providerOf({ models, ...provider }: FileProvider): ConfiguredProvider {
  return {
    ...provider,
    ...(models && { models: models.map(({ maxTokens: _, ...model }) => model) }),
  }
}

function agentOf({ model, ...agent }: FileAgent, id: AgentId): AgentSettings {
  return { ...agent, id, ...(model !== undefined && { model: choiceOf(model) }) }
}

function choiceOf(model: string | FileModelChoice | undefined): ModelChoice {
  return typeof model === 'string' ? { primary: model } : (model ?? {})
}

function modelText(text: string): string | undefined {
  const key = parseModelKey(text)
  return key && formatModelKey(key)
}

/** A map of the entries of an object, keys and values parsed; the schema has made sure that both can be. */
function mapped<K, V, T>(
  entries: Readonly<Record<string, V>> | undefined,
  parseKey: (text: string) => K | undefined,
  valueOf: (value: V) => T | undefined,
): ReadonlyMap<K, T> {
  const map = new Map<K, T>()
  for (const [text, entry] of Object.entries(entries ?? {})) {
    const key = parseKey(text)
    const value = valueOf(entry)
    if (key !== undefined && value !== undefined) map.set(key, value)
  }
  return map
}
