/** What is wrong with a settings file whose shape is right: fields that contradict each other. */

import {
  nameOf,
  parseAgentId,
  parseProfileId,
  parseProviderId,
  providerOf,
} from '../domain/names.ts'
import { nearestOf } from '../domain/nearest.ts'
import { BUILT_IN_PROVIDERS } from '../domain/provider.ts'
import { isReserved } from '../domain/world.ts'
import type { SettingsFile } from './settings-schema.ts'
import { VARIABLE_NAME, VARIABLE_NAME_PROBLEM } from './settings-schema.ts'
import type { SettingsProblem } from './settings-shape.ts'

/** The first problem that concerns several fields of a file whose shape is right. */
export function meaningProblem(file: SettingsFile): SettingsProblem | undefined {
  return (
    variableProblem(file) ??
    sameNameProblem(Object.keys(file.auth?.profiles ?? {}), parseProfileId, ['auth', 'profiles']) ??
    sameNameProblem(Object.keys(file.auth?.order ?? {}), parseProviderId, ['auth', 'order']) ??
    sameNameProblem(strategyKeys(file), parseProviderId, ['auth', 'strategy']) ??
    sameNameProblem(Object.keys(file.models?.providers ?? {}), parseProviderId, [
      'models',
      'providers',
    ]) ??
    addressProblem(file) ??
    profileProblem(file) ??
    orderProblem(file) ??
    aliasProblem(file) ??
    agentProblem(file)
  )
}

function strategyKeys({ auth }: SettingsFile): readonly string[] {
  return typeof auth?.strategy === 'object' ? Object.keys(auth.strategy) : []
}

function variableProblem(file: SettingsFile): SettingsProblem | undefined {
  const wrong = Object.keys(file.env ?? {}).find((name) => !VARIABLE_NAME.test(name))
  return wrong === undefined ? undefined : { path: ['env', wrong], problem: VARIABLE_NAME_PROBLEM }
}

/** Two spellings of one name, such as `Anthropic` and `anthropic`. */
function sameNameProblem(
  keys: readonly string[],
  parse: (text: string) => string | undefined,
  path: readonly string[],
): SettingsProblem | undefined {
  const seen = new Map<string | undefined, string>()
  for (const key of keys) {
    const other = seen.get(parse(key))
    if (other !== undefined) return { path: [...path, key], problem: `is the same as "${other}"` }
    seen.set(parse(key), key)
  }
  return undefined
}

/** A provider that is not built in has no address but the one that the file gives it. */
function addressProblem(file: SettingsFile): SettingsProblem | undefined {
  const known: readonly string[] = BUILT_IN_PROVIDERS.map((facts) => facts.id)
  for (const [key, { baseUrl }] of Object.entries(file.models?.providers ?? {})) {
    const id = parseProviderId(key)
    if (!id || baseUrl !== undefined || known.includes(id)) continue
    const nearest = nearestOf(id, known)
    const problem = 'needs a "baseUrl", for it is no built-in provider'
    return {
      path: ['models', 'providers', key],
      problem,
      ...(nearest !== undefined && { nearest }),
    }
  }
  return undefined
}

function profileProblem(file: SettingsFile): SettingsProblem | undefined {
  for (const [key, profile] of Object.entries(file.auth?.profiles ?? {})) {
    const path = ['auth', 'profiles', key]
    const id = parseProfileId(key)
    if (id && isReserved(id)) {
      return { path, problem: `cannot be used: "${nameOf(id)}" is a reserved name` }
    }
    if (id && parseProviderId(profile.provider) !== providerOf(id)) {
      const problem = `must be "${providerOf(id)}", as in the profile's id`
      return { path: [...path, 'provider'], problem }
    }
  }
  return undefined
}

function orderProblem(file: SettingsFile): SettingsProblem | undefined {
  for (const [key, ids] of Object.entries(file.auth?.order ?? {})) {
    const place = ids.findIndex((text) => {
      const id = parseProfileId(text)
      return id && providerOf(id) !== parseProviderId(key)
    })
    if (place < 0) continue
    const problem = `is a profile of another provider than "${key}"`
    return { path: ['auth', 'order', key, place], problem }
  }
  return undefined
}

function aliasProblem(file: SettingsFile): SettingsProblem | undefined {
  const defaults = ['agents', 'defaults']
  const named = [
    ...Object.keys(file.agents?.defaults?.aliases ?? {}).map((alias) => ({
      alias,
      path: [...defaults, 'aliases', alias],
    })),
    ...Object.entries(file.agents?.defaults?.models ?? {}).flatMap(([model, { alias }]) =>
      alias === undefined ? [] : [{ alias, path: [...defaults, 'models', model, 'alias'] }],
    ),
  ]
  const seen = new Set<string>()
  for (const { alias, path } of named) {
    if (seen.has(alias.toLowerCase())) return { path, problem: 'is an alias already' }
    seen.add(alias.toLowerCase())
  }
  return undefined
}

function agentProblem(file: SettingsFile): SettingsProblem | undefined {
  const list = file.agents?.list ?? []
  const ids = list.map((agent) => parseAgentId(agent.id))
  const again = ids.findIndex((id, place) => ids.indexOf(id) < place)
  if (again >= 0) return { path: ['agents', 'list', again, 'id'], problem: 'is listed already' }
  const second = list.findIndex(
    (agent, place) => agent.default && list.findIndex((other) => other.default) < place,
  )
  if (second < 0) return undefined
  return {
    path: ['agents', 'list', second, 'default'],
    problem: 'is true for another agent already; only one can be the default',
  }
}
