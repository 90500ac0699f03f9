/** Choices about models that are kept in the config: the default, aliases, fallbacks. */

import type { Fault } from '../domain/fault.ts'
import { aliasesOf, aliasList, findModel } from '../domain/models.ts'
import type { ModelKey } from '../domain/names.ts'
import { formatModelKey, parseAlias, parseModelRef, sameModel } from '../domain/names.ts'
import { valueAt } from '../domain/plain-data.ts'
import type { SettingsEdit, SettingsStore } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Settings } from '../domain/settings.ts'
import type { LoadWorld } from './world.ts'

export interface ModelSettings {
  /** Sets the default model; gives it in full. Keeps the fallbacks. */
  setDefault(
    text: string,
  ): Promise<Result<{ readonly model: string; readonly configPath: string }, Fault>>
  aliases(): Promise<Result<readonly { readonly alias: string; readonly model: string }[], Fault>>
  addAlias(
    alias: string,
    text: string,
  ): Promise<
    Result<{ readonly alias: string; readonly model: string; readonly configPath: string }, Fault>
  >
  removeAlias(
    alias: string,
  ): Promise<Result<{ readonly alias: string; readonly model: string }, Fault>>
  fallbacks(): Promise<Result<readonly string[], Fault>>
  addFallback(text: string): Promise<Result<readonly string[], Fault>>
  removeFallback(text: string): Promise<Result<readonly string[], Fault>>
  clearFallbacks(): Promise<Result<readonly string[], Fault>>
}

export interface ModelSettingsDeps {
  readonly loadWorld: LoadWorld
  readonly settings: SettingsStore
}

const DEFAULTS = ['agents', 'defaults']

export function createModelSettings(deps: ModelSettingsDeps): ModelSettings {
  return {
    async setDefault(text) {
      const model = await resolve(deps, text)
      if (!model.ok) return model
      const full = formatModelKey(model.value)
      const edited = await deps.settings.edit(({ settings, raw }) => [
        primaryEdit(raw, full),
        ...listedEdit(settings, full),
      ])
      return edited.ok ? ok({ model: full, configPath: deps.settings.path() }) : edited
    },

    async aliases() {
      const loaded = await deps.settings.read()
      return loaded.ok ? ok(aliasList(loaded.value.settings)) : loaded
    },

    async addAlias(name, text) {
      const alias = parseAlias(name)
      if (!alias) return fail({ code: 'EQ_NAME_INVALID', what: 'alias', text: name })
      const model = await resolve(deps, text)
      if (!model.ok) return model
      const full = formatModelKey(model.value)
      const loaded = await deps.settings.read()
      if (!loaded.ok) return loaded
      const taken = aliasesOf(loaded.value.settings).get(alias.toLowerCase())
      if (taken && !sameModel(taken.model, model.value)) {
        return fail({
          code: 'EQ_ALIAS_TAKEN',
          alias: taken.alias,
          model: formatModelKey(taken.model),
        })
      }
      const edited = taken
        ? ok()
        : await deps.settings.edit(() => [{ path: [...DEFAULTS, 'aliases', alias], value: full }])
      return edited.ok ? ok({ alias, model: full, configPath: deps.settings.path() }) : edited
    },

    async removeAlias(text) {
      const loaded = await deps.settings.read()
      if (!loaded.ok) return loaded
      const aliases = aliasesOf(loaded.value.settings)
      const found = aliases.get(text.toLowerCase())
      if (!found) {
        const known = [...aliases.values()].map((entry) => entry.alias)
        return fail({ code: 'EQ_ALIAS_UNKNOWN', alias: text, known })
      }
      const model = formatModelKey(found.model)
      const edited = await deps.settings.edit(({ settings }) => [
        ...(settings.agents.defaults.aliases.has(found.alias)
          ? [{ path: [...DEFAULTS, 'aliases', found.alias], value: undefined }]
          : []),
        ...(settings.agents.defaults.models.get(model)?.alias === found.alias
          ? [{ path: [...DEFAULTS, 'models', model, 'alias'], value: undefined }]
          : []),
      ])
      return edited.ok ? ok({ alias: found.alias, model }) : edited
    },

    async fallbacks() {
      const loaded = await deps.settings.read()
      return loaded.ok ? ok(loaded.value.settings.agents.defaults.model.fallbacks ?? []) : loaded
    },

    async addFallback(text) {
      const model = await resolve(deps, text)
      if (!model.ok) return model
      const full = formatModelKey(model.value)
      return editFallbacks(deps, (before) => ok([...new Set([...before, full])]), full)
    },

    async removeFallback(text) {
      const model = await resolve(deps, text)
      const full = model.ok ? formatModelKey(model.value) : text
      return editFallbacks(deps, (before) =>
        before.includes(full) || before.includes(text)
          ? ok(before.filter((entry) => entry !== full && entry !== text))
          : fail({ code: 'EQ_FALLBACK_UNKNOWN', model: text, known: before }),
      )
    },

    clearFallbacks: () => editFallbacks(deps, () => ok([])),
  }
}

/** The model in full. The allow-list does not stop the user from choosing what it shall hold. */
async function resolve(deps: ModelSettingsDeps, text: string): Promise<Result<ModelKey, Fault>> {
  const loaded = await deps.loadWorld()
  if (!loaded.ok) return loaded
  const ref = parseModelRef(text)
  if (!ref || ref.profile) {
    return fail({ code: 'EQ_NAME_INVALID', what: 'configured model', text })
  }
  return findModel(loaded.value, ref)
}

async function editFallbacks(
  deps: ModelSettingsDeps,
  change: (before: readonly string[]) => Result<readonly string[], Fault>,
  listed?: string,
): Promise<Result<readonly string[], Fault>> {
  const loaded = await deps.settings.read()
  if (!loaded.ok) return loaded
  const after = change(loaded.value.settings.agents.defaults.model.fallbacks ?? [])
  if (!after.ok) return after
  const edited = await deps.settings.edit(({ settings, raw }) => [
    ...fallbackEdits(raw, after.value),
    ...(listed === undefined ? [] : listedEdit(settings, listed)),
  ])
  return edited.ok ? after : edited
}

/** `model: "a/b"` on disk means the primary alone; it becomes an object when fallbacks join it. */
function fallbackEdits(
  raw: Readonly<Record<string, unknown>>,
  fallbacks: readonly string[],
): readonly SettingsEdit[] {
  const model = valueAt(raw, [...DEFAULTS, 'model'])
  if (typeof model === 'string') {
    return [{ path: [...DEFAULTS, 'model'], value: { primary: model, fallbacks } }]
  }
  return [{ path: [...DEFAULTS, 'model', 'fallbacks'], value: fallbacks }]
}

function primaryEdit(raw: Readonly<Record<string, unknown>>, full: string): SettingsEdit {
  return typeof valueAt(raw, [...DEFAULTS, 'model']) === 'string'
    ? { path: [...DEFAULTS, 'model'], value: full }
    : { path: [...DEFAULTS, 'model', 'primary'], value: full }
}

/** Where an allow-list is kept, a chosen model joins it. */
function listedEdit(settings: Settings, full: string): readonly SettingsEdit[] {
  const { models } = settings.agents.defaults
  return models.size === 0 || models.has(full)
    ? []
    : [{ path: [...DEFAULTS, 'models', full], value: {} }]
}
