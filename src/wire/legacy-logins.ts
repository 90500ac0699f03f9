/**
 * Files in which other tools keep logins: `auth-profiles.json`, `auth.json` and `credentials/oauth.json` of older tools,
 * `auth.json` of opencode. Which one it is shows in what it holds. Nothing is guessed of an entry that does not fit.
 */

import type { CredentialType } from '../domain/credential.ts'
import type { LegacyEntry, LegacyLogins, NotImported } from '../domain/legacy.ts'
import { FOREIGN_ORIGINS, FOREIGN_PROFILES } from '../domain/foreign.ts'
import type { ProfileId, ProviderId } from '../domain/names.ts'
import { parseProfileId, parseProviderId, profileId, providerOf } from '../domain/names.ts'
import { isRecord } from '../domain/plain-data.ts'
import type { Origin, Profile } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { JsonObject } from './decode.ts'
import { parseJson } from './decode.ts'
import { parseProfileEntry } from './profile-entry.ts'
import type { ProfileFileFault } from './profile-file.ts'
import { parseProfileFile } from './profile-file.ts'
import { safeWords } from './safe-words.ts'

/** @faults as those of an `auth-profiles.json`, without its path */
export function parseLegacyLogins(text: string): Result<LegacyLogins, ProfileFileFault> {
  const parsed = parseJson(text)
  if (!parsed.ok) return fail({ code: 'EQ_STORE_SYNTAX', ...parsed.fault })
  const document = parsed.value
  if (!isRecord(document)) {
    return fail({ code: 'EQ_STORE_FIELD', field: 'the whole file', expected: 'an object' })
  }
  if (isRecord(document.profiles)) {
    const file = parseProfileFile(text)
    if (!file.ok) return file
    const entries = Object.entries(document.profiles)
    return ok({
      entries: entries.map(([name, raw]) => entryOf(name, profileEntry(name, raw))),
      order: file.value.book.order,
    })
  }
  return ok({ entries: ownersEntries(document) ?? providerEntries(document), order: new Map() })
}

function entryOf(name: string, login: LegacyEntry['login']): LegacyEntry {
  return { name: safeWords(name, 80), login }
}

/** An entry of `profiles`, by the profile's name. */
function profileEntry(name: string, raw: unknown): LegacyEntry['login'] {
  const id = parseProfileId(name)
  if (!id) return fail({ code: 'unnameable' })
  const owner = FOREIGN_ORIGINS.find((origin) => FOREIGN_PROFILES[origin] === id)
  // Older tools have copied it from its owner, who has gone on renewing it.
  if (owner && isRecord(raw) && typeOf(raw) === 'oauth') {
    return fail({ code: 'foreign', origin: owner })
  }
  return loginOf(id, raw)
}

/** Entries by the provider's name: all of them are called `default` here. */
function providerEntries(document: JsonObject): readonly LegacyEntry[] {
  return Object.entries(document).map(([name, raw]) => {
    const provider = parseProviderId(name)
    if (!provider) return entryOf(name, fail({ code: 'unnameable' }))
    if (!isRecord(raw)) return entryOf(name, loginOf(profileId(provider, 'default'), raw))
    const home = (typeOf(raw) === 'oauth' && OAUTH_HOMES.get(provider)) || provider
    return entryOf(name, loginOf(profileId(home, 'default'), { ...raw, provider: home }))
  })
}

/** Where a provider's logins belong, if not where its keys do: opencode keeps a ChatGPT login under `openai`. */
const OAUTH_HOMES: ReadonlyMap<string, ProviderId> = new Map([
  ['openai', providerOf(FOREIGN_PROFILES['codex-cli'])],
])

/** The files of Claude Code and of Codex themselves; their logins are borrowed, not imported. */
function ownersEntries(document: JsonObject): readonly LegacyEntry[] | undefined {
  const lent = (name: string, origin: Origin): LegacyEntry =>
    entryOf(name, fail({ code: 'foreign', origin }))
  if ('claudeAiOauth' in document) return [lent('claudeAiOauth', 'claude-code')]
  const { OPENAI_API_KEY: key, tokens } = document
  if (!('auth_mode' in document) && key === undefined) return undefined
  const keyEntry = { type: 'api_key', provider: 'openai', key }
  const id = parseProfileId('openai:default')
  return [
    ...(typeof key === 'string' && id ? [entryOf('OPENAI_API_KEY', loginOf(id, keyEntry))] : []),
    ...(isRecord(tokens) ? [lent('tokens', 'codex-cli')] : []),
  ]
}

function loginOf(id: ProfileId, raw: unknown): Result<Profile, NotImported> {
  if (!isRecord(raw)) return fail({ code: 'unreadable', field: '', expected: 'an object' })
  const owner = FOREIGN_ORIGINS.find((origin) => origin === raw.origin)
  if (owner) return fail({ code: 'foreign', origin: owner })
  const type = typeOf(raw)
  if (type === undefined) {
    const shown = typeof raw.type === 'string' ? safeWords(raw.type, 40) : 'none'
    return fail({ code: 'unknown_type', type: shown })
  }
  const secret = raw[SECRET_FIELDS[type]]
  if (typeof secret === 'string' && secret.trim() === '') return fail({ code: 'blank' })
  const entry = parseProfileEntry(id, { ...raw, type, provider: raw.provider ?? providerOf(id) })
  return entry.ok ? entry : fail({ code: 'unreadable', ...entry.fault })
}

const TYPES: Readonly<Record<string, CredentialType>> = {
  api_key: 'api_key',
  'api-key': 'api_key',
  api: 'api_key',
  token: 'token',
  // opencode: `key` names a variable there, `token` is its value.
  wellknown: 'token',
  oauth: 'oauth',
}

const SECRET_FIELDS: Readonly<Record<CredentialType, string>> = {
  api_key: 'key',
  token: 'token',
  oauth: 'access',
}

/** `credentials/oauth.json` says no type; what stands there tells. */
function typeOf(raw: JsonObject): CredentialType | undefined {
  if (typeof raw.type === 'string') {
    return Object.hasOwn(TYPES, raw.type) ? TYPES[raw.type] : undefined
  }
  const types: readonly CredentialType[] = ['oauth', 'token', 'api_key']
  return types.find((type) => SECRET_FIELDS[type] in raw)
}
