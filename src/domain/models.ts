/** From what a user typed to a model: aliases, allow-list, fallbacks, and the default where nothing was chosen. */

import type { Fault, NameFault } from './fault.ts'
import type { AgentId, ModelKey, ModelRef, ProfileId } from './names.ts'
import { formatModelKey, parseModelKey, parseModelRef, providerOf, sameModel } from './names.ts'
import { nearestOf } from './nearest.ts'
import { providerByModelPrefix, SANDBOX } from './provider.ts'
import type { ProviderFacts } from './provider.ts'
import { agentsOf, modelChoice } from './settings.ts'
import type { Settings } from './settings.ts'
import type { Result } from './result.ts'
import { fail, ok } from './result.ts'
import { unknownProfile, unknownProvider } from './unknown.ts'
import type { World } from './world.ts'
import { candidatesFor, hasCredential } from './world.ts'

export interface ResolvedModel extends ModelKey {
  /** A pin that was typed with the model. */
  readonly profile?: ProfileId
  /** The alias that was typed, if it was one. */
  readonly alias?: string
}

export interface ModelChain {
  readonly primary: ResolvedModel
  readonly fallbacks: readonly ResolvedModel[]
  /** `settings`: the user chose it. `credential`: the first provider with one. `sandbox`: there is no credential at all. */
  readonly chosenBy: 'settings' | 'credential' | 'sandbox'
}

/** Models known by name, with where the name comes from: for lists, pickers and guesses. */
export interface ListedModel extends ModelKey {
  readonly aliases: readonly string[]
  readonly tags: readonly ('default' | 'fallback' | 'configured' | 'provider-default')[]
}

/**
 * The model that a reference names.
 *
 * Without a provider: an alias, else a configured model of that id, else the provider whose model names begin so.
 * `default` is the agent's default.
 *
 * @faults `EQ_PROVIDER_UNKNOWN`, `EQ_MODEL_UNKNOWN`, `EQ_MODEL_NOT_ALLOWED`, those of `heldTo`
 */
export function resolveModel(world: World, ref: ModelRef): Result<ResolvedModel, Fault> {
  const isDefault = !ref.provider && ref.model.toLowerCase() === 'default'
  const found = isDefault ? defaultModel(world) : findModel(world, ref)
  if (!found.ok) return found
  const model = found.value
  const allowed = allowedModels(world)
  if (
    allowed &&
    !isDefault &&
    !allowed.some((entry) => sameModel(entry, model)) &&
    model.provider !== SANDBOX
  ) {
    return fail({
      code: 'EQ_MODEL_NOT_ALLOWED',
      model: formatModelKey(model),
      allowed: allowed.map(formatModelKey),
    })
  }
  return ref.profile ? heldTo(world, model, ref.profile) : ok(model)
}

/**
 * The model held to one credential.
 *
 * @faults `EQ_PROFILE_FOREIGN`, `EQ_PROFILE_UNKNOWN`; the book's, where it may hold the profile
 */
export function heldTo(
  world: World,
  model: ResolvedModel,
  profile: ProfileId,
): Result<ResolvedModel, Fault> {
  if (providerOf(profile) !== model.provider) {
    return fail({ code: 'EQ_PROFILE_FOREIGN', profile, provider: model.provider })
  }
  const facts = world.providers.get(model.provider)
  const known = facts ? candidatesFor(world, facts).map((candidate) => candidate.id) : []
  if (known.includes(profile)) return ok({ ...model, profile })
  if (world.bookFault) return fail(world.bookFault)
  return fail(unknownProfile(world.agent, profile, known))
}

/**
 * The model that a request names; empty text means the agent's default.
 *
 * Where no credential was ever given, a bare name goes to the sandbox, so that a program written for some model gets an
 * answer, which says where it comes from.
 *
 * @faults those of `resolveModel`, `EQ_NAME_INVALID`; the book's, where the sandbox would stand in for it
 */
export function resolveText(world: World, text: string): Result<ResolvedModel, Fault> {
  if (text === '') return defaultModel(world)
  const ref = parseModelRef(text)
  if (!ref) return fail({ code: 'EQ_NAME_INVALID', what: 'model', text })
  return standIn(world, ref) ?? resolveModel(world, ref)
}

/**
 * The default model of an agent and its fallbacks.
 *
 * @faults those of finding a model, `EQ_MODEL_NO_DEFAULT`; the book's, when only it could say whose default serves
 */
export function modelChain(world: World): Result<ModelChain, Fault> {
  const choice = modelChoice(world.settings, world.agent)
  const fallbacks: ResolvedModel[] = []
  for (const text of choice.fallbacks ?? []) {
    const ref = parseModelRef(text)
    const found = ref ? findModel(world, ref) : fail(invalidModel(text))
    if (!found.ok) return found
    fallbacks.push(found.value)
  }
  if (choice.primary !== undefined) {
    const ref = parseModelRef(choice.primary)
    const found = ref ? findModel(world, ref) : fail(invalidModel(choice.primary))
    return found.ok ? ok({ primary: found.value, fallbacks, chosenBy: 'settings' }) : found
  }
  const facts = firstWithCredential(world)
  if (facts?.defaultModel !== undefined) {
    const primary = { provider: facts.id, model: facts.defaultModel }
    return ok({ primary, fallbacks, chosenBy: 'credential' })
  }
  if (facts) return fail({ code: 'EQ_MODEL_NO_DEFAULT', provider: facts.id })
  if (world.bookFault) return fail(world.bookFault)
  return ok({ primary: sandboxModel(world), fallbacks, chosenBy: 'sandbox' })
}

function defaultModel(world: World): Result<ResolvedModel, Fault> {
  const chain = modelChain(world)
  return chain.ok ? ok(chain.value.primary) : chain
}

/** The pin as far as it concerns this model: a session's pin binds only models of its own provider. */
export function pinFor(model: ModelKey, pin: ProfileId | undefined): ProfileId | undefined {
  return pin && providerOf(pin) === model.provider ? pin : undefined
}

/** The models that may be used; undefined means any. */
export function allowedModels(world: World): readonly ModelKey[] | undefined {
  const listed = [...world.settings.agents.defaults.models.keys()].flatMap(keyOf)
  if (listed.length === 0) return undefined
  return unique([
    ...listed,
    ...chosenModels(world.settings).flatMap((text) => findKey(world, text)),
  ])
}

/** Alias, in lower case, to the model it stands for. */
export function aliasesOf(
  settings: Settings,
): ReadonlyMap<string, { alias: string; model: ModelKey }> {
  const aliases = new Map<string, { alias: string; model: ModelKey }>()
  for (const [alias, text] of settings.agents.defaults.aliases) {
    for (const model of keyOf(text)) aliases.set(alias.toLowerCase(), { alias, model })
  }
  for (const [text, { alias }] of settings.agents.defaults.models) {
    if (alias === undefined) continue
    for (const model of keyOf(text)) aliases.set(alias.toLowerCase(), { alias, model })
  }
  return aliases
}

/** The aliases with their models in full. */
export function aliasList(settings: Settings): readonly { alias: string; model: string }[] {
  return [...aliasesOf(settings).values()].map(({ alias, model }) => ({
    alias,
    model: formatModelKey(model),
  }))
}

/** The models a person may pick from: the default, fallbacks, configured ones, and each usable provider's own default. */
export function listModels(world: World): readonly ListedModel[] {
  const chain = modelChain(world)
  const entries: Named[] = []
  if (chain.ok) {
    entries.push({ key: chain.value.primary, tag: 'default' })
    for (const key of chain.value.fallbacks) entries.push({ key, tag: 'fallback' })
  }
  entries.push(...namedModels(world))
  const allowed = allowedModels(world)
  const shown = entries.filter(
    ({ key }) =>
      !allowed || key.provider === SANDBOX || allowed.some((entry) => sameModel(entry, key)),
  )
  return unique(shown.map(({ key }) => key)).map((key) => ({
    ...key,
    aliases: [...aliasesOf(world.settings).values()]
      .filter((entry) => sameModel(entry.model, key))
      .map((entry) => entry.alias),
    tags: [
      ...new Set(shown.filter((entry) => sameModel(entry.key, key)).map((entry) => entry.tag)),
    ],
  }))
}

interface Named {
  readonly key: ModelKey
  readonly tag: ListedModel['tags'][number]
}

/** Models that config names in full, and the own default of each provider that is set up. */
function namedModels(world: World): readonly Named[] {
  const entries: Named[] = []
  for (const text of world.settings.agents.defaults.models.keys()) {
    for (const key of keyOf(text)) entries.push({ key, tag: 'configured' })
  }
  for (const { model } of aliasesOf(world.settings).values())
    entries.push({ key: model, tag: 'configured' })
  for (const [provider, configured] of world.settings.models.providers) {
    for (const { id } of configured.models ?? [])
      entries.push({ key: { provider, model: id }, tag: 'configured' })
  }
  for (const facts of world.providers.values()) {
    if (facts.defaultModel === undefined) continue
    if (facts.id !== SANDBOX && !hasCredential(world, facts)) continue
    entries.push({
      key: { provider: facts.id, model: facts.defaultModel },
      tag: 'provider-default',
    })
  }
  return entries
}

/** Every model in use by any agent, as typed: defaults and fallbacks. */
export function chosenModels(settings: Settings): readonly string[] {
  return agentsOf(settings).flatMap(({ id }) => choiceTexts(settings, id))
}

function choiceTexts(settings: Settings, agent: AgentId): readonly string[] {
  const { primary, fallbacks } = modelChoice(settings, agent)
  return [...(primary === undefined ? [] : [primary]), ...(fallbacks ?? [])]
}

/** The model that the config may hold by this reference: no allow-list, no pin, no stand-in. */
export function findModel(world: World, ref: ModelRef): Result<ResolvedModel, NameFault> {
  if (ref.provider) {
    if (world.providers.has(ref.provider)) return ok({ provider: ref.provider, model: ref.model })
    return fail(unknownProvider(ref.provider, [...world.providers.keys()]))
  }
  const chosen = chosenByName(world, ref.model)
  if (chosen) return ok(chosen)
  const facts = providerByModelPrefix(world.providers, ref.model)
  if (facts) return ok({ provider: facts.id, model: ref.model })
  return fail({ code: 'EQ_MODEL_UNKNOWN', model: ref.model, nearest: nearModels(world, ref.model) })
}

/** The sandbox, for a bare name that config does not know while there is no credential; a book that cannot be read may hold one. */
function standIn(world: World, ref: ModelRef): Result<ResolvedModel, Fault> | undefined {
  if (ref.provider || ref.profile || ref.model.toLowerCase() === 'default') return undefined
  if (chosenByName(world, ref.model) || firstWithCredential(world)) return undefined
  if (providerByModelPrefix(world.providers, ref.model)?.id === SANDBOX) return undefined
  return world.bookFault ? fail(world.bookFault) : ok(sandboxModel(world))
}

/** The model that the config means by a bare name. */
function chosenByName(world: World, name: string): ResolvedModel | undefined {
  const alias = aliasesOf(world.settings).get(name.toLowerCase())
  return alias ? { ...alias.model, alias: alias.alias } : listedByName(world, name)
}

function listedByName(world: World, name: string): ModelKey | undefined {
  for (const text of [
    ...world.settings.agents.defaults.models.keys(),
    ...chosenModels(world.settings),
  ]) {
    for (const key of keyOf(text)) if (key.model === name) return key
  }
  for (const [provider, { models }] of world.settings.models.providers) {
    if (models?.some((model) => model.id === name)) return { provider, model: name }
  }
  return undefined
}

/** Looks at full names alone: a chosen model may itself be one that nobody knows. */
function nearModels(world: World, text: string): readonly string[] {
  const chosen = chosenModels(world.settings).flatMap(keyOf)
  const named = [...chosen, ...namedModels(world).map(({ key }) => key)]
  const names = [
    ...[...aliasesOf(world.settings).values()].map((entry) => entry.alias),
    ...named.map(formatModelKey),
  ]
  const lower = text.toLowerCase()
  const containing = names.filter((name) => name.toLowerCase().includes(lower))
  const nearest = nearestOf(text, names)
  return [...new Set([...containing, ...(nearest === undefined ? [] : [nearest])])].slice(0, 5)
}

function firstWithCredential(world: World): ProviderFacts | undefined {
  return [...world.providers.values()].find(
    (facts) => facts.id !== SANDBOX && !facts.onlyWhenNamed && hasCredential(world, facts),
  )
}

function sandboxModel(world: World): ModelKey {
  return { provider: SANDBOX, model: world.providers.get(SANDBOX)?.defaultModel ?? 'sandbox-echo' }
}

function findKey(world: World, text: string): readonly ModelKey[] {
  const ref = parseModelRef(text)
  const found = ref && findModel(world, ref)
  return found?.ok ? [{ provider: found.value.provider, model: found.value.model }] : []
}

function keyOf(text: string): readonly ModelKey[] {
  const key = parseModelKey(text)
  return key ? [key] : []
}

function invalidModel(text: string): NameFault {
  return { code: 'EQ_NAME_INVALID', what: 'model', text }
}

function unique(keys: readonly ModelKey[]): readonly ModelKey[] {
  return [
    ...new Map(
      keys.map((key) => [formatModelKey(key), { provider: key.provider, model: key.model }]),
    ).values(),
  ]
}
