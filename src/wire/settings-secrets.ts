/** Which values of `equabot.json` are secrets in the open: none belongs there, for config is read, copied and shared. */

import { isRecord, valueAt } from '../domain/plain-data.ts'
import { BUILT_IN_PROVIDERS } from '../domain/provider.ts'
import { referencedNames } from '../domain/world.ts'

export interface SecretField {
  /** Keys from the root to the value. */
  readonly path: readonly string[]
  readonly value: string
}

const SECRET_NAME = /(?:^|[^a-z])(?:key|token|secret|password|passwd|authorization|cookie)$/i
const KNOWN_PREFIX = /^(?:sk-|pk-|gsk_|xai-|AIza|ghp_|github_pat_|hf_|eyJ)[^\s]{12,}$/
/** The sandbox's keys open nothing. */
const HARMLESS_PREFIX = 'sandbox-'

/** Dotted fields that hold a secret's own text instead of a `${VAR}` reference. */
export function secretFields(raw: unknown): string[] {
  return secretsIn(raw).map((field) => field.path.join('.'))
}

/** The same with paths and values, for comparing before and after an edit. */
export function secretsIn(raw: unknown): readonly SecretField[] {
  const fields: SecretField[] = [
    ...texts(valueAt(raw, ['env']), ['env']).filter(isNamedSecret),
    ...texts(valueAt(raw, ['env', 'vars']), ['env', 'vars']).filter(isNamedSecret),
  ]
  const providers = Object.entries(record(valueAt(raw, ['models', 'providers'])))
  for (const [id, provider] of providers) {
    const path = ['models', 'providers', id]
    fields.push(
      ...texts({ apiKey: valueAt(provider, ['apiKey']) }, path).filter(isNamedSecret),
      ...texts(valueAt(provider, ['headers']), [...path, 'headers']).filter(isNamedSecret),
    )
  }
  return fields
}

/** A name that says "secret" with anything but a plain word, or any name with the text of a key. */
function isNamedSecret({ path, value }: SecretField): boolean {
  if (referencedNames(value).length > 0 || value.startsWith(HARMLESS_PREFIX)) return false
  const named = SECRET_NAME.test(spaced(path.at(-1) ?? ''))
  return looksLikeKey(value) || (named && !isPlainWord(value))
}

/** Addresses may hold long ids, so they are left out. */
function looksLikeKey(text: string): boolean {
  if (/^https?:\/\//i.test(text)) return false
  const bare = text.trim().replace(/^bearer\s+/i, '')
  if (KNOWN_PREFIX.test(bare)) return true
  const shaped = BUILT_IN_PROVIDERS.flatMap((facts) => facts.shapes).some(
    ({ prefix, minLength }) => bare.startsWith(prefix) && bare.length >= minLength,
  )
  return shaped || (bare.match(/[A-Za-z0-9]{24,}/g) ?? []).some(mixesLettersAndDigits)
}

function mixesLettersAndDigits(text: string): boolean {
  return /[A-Za-z]/.test(text) && /\d/.test(text)
}

/** What people write where a server wants no key: `none`, `ollama`, `lm-studio`. */
function isPlainWord(text: string): boolean {
  return /^[a-z-]{0,16}$/i.test(text.trim())
}

/** `apiKey` as `api Key`, so that a word in camel case is seen. */
function spaced(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1 $2')
}

function texts(holder: unknown, path: readonly string[]): readonly SecretField[] {
  return Object.entries(record(holder)).flatMap(([key, value]) =>
    typeof value === 'string' ? [{ path: [...path, key], value }] : [],
  )
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}
