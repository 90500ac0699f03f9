/**
 * The codec of `auth-profiles.json`.
 *
 * What we do not understand is not ours to lose: unknown fields survive at every level, and an entry that cannot be
 * read stays in the file as it is, is reported, and takes no part. Only entries that an edit changed are touched.
 */

import type { AgentState } from '../domain/cooldown.ts'
import { EMPTY_STATE } from '../domain/cooldown.ts'
import type { ProfileId, ProviderId } from '../domain/names.ts'
import { parseProfileId, parseProviderId, providerOf } from '../domain/names.ts'
import { isRecord } from '../domain/plain-data.ts'
import type { FileProblem } from '../domain/ports.ts'
import type { Profile, ProfileBook } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { JsonObject, Misfit } from './decode.ts'
import { parseJson } from './decode.ts'
import { legacyStateFrom } from './legacy-usage.ts'
import { parseProfileEntry, renderProfileEntry, sameProfile } from './profile-entry.ts'

export interface ProfileFile {
  readonly book: ProfileBook
  readonly problems: readonly FileProblem[]
  /** Usage that older tools kept in this file. */
  readonly legacyState: AgentState
  readonly source: ProfileFileSource
}

/** What `renderProfileFile` builds on: the file as plain data, and under which key of it each part of the book stands. */
interface ProfileFileSource {
  readonly document: JsonObject
  readonly profileKeys: ReadonlyMap<ProfileId, string>
  readonly orderKeys: ReadonlyMap<ProviderId, string>
}

/** Why the file as a whole cannot be used. */
export type ProfileFileFault =
  | { readonly code: 'EQ_STORE_SYNTAX'; readonly line: number; readonly column: number }
  | { readonly code: 'EQ_STORE_FIELD'; readonly field: string; readonly expected: string }
  | { readonly code: 'EQ_STORE_NEWER'; readonly version: number; readonly supported: number }

const VERSION = 1

/** The file of an agent that has none yet. */
export const NO_PROFILE_FILE: ProfileFile = {
  book: { profiles: new Map(), order: new Map() },
  problems: [],
  legacyState: EMPTY_STATE,
  source: { document: {}, profileKeys: new Map(), orderKeys: new Map() },
}

export function parseProfileFile(text: string): Result<ProfileFile, ProfileFileFault> {
  const parsed = parseJson(text)
  if (!parsed.ok) return fail({ code: 'EQ_STORE_SYNTAX', ...parsed.fault })
  const document = parsed.value
  if (!isRecord(document)) return wrong('the whole file', 'an object')

  const { version = VERSION, profiles = {}, order = {} } = document
  if (typeof version !== 'number') return wrong('version', 'a number')
  if (version > VERSION) return fail({ code: 'EQ_STORE_NEWER', version, supported: VERSION })
  if (!isRecord(profiles)) return wrong('profiles', 'an object')
  if (!isRecord(order)) return wrong('order', 'an object')

  const entries = readMembers('profiles', profiles, readProfile)
  const orders = readMembers('order', order, readOrder)
  return ok({
    book: { profiles: entries.found, order: orders.found },
    problems: [...entries.problems, ...orders.problems],
    legacyState: legacyStateFrom(document.usageStats),
    source: { document, profileKeys: entries.keys, orderKeys: orders.keys },
  })
}

/** The text of the file once it holds this book. */
export function renderProfileFile({ book, source }: ProfileFile, next: ProfileBook): string {
  const { document, profileKeys, orderKeys } = source
  const profiles = editMembers(document.profiles, profileKeys, {
    removed: [...book.profiles.keys()].filter((id) => !next.profiles.has(id)),
    changed: [...next.profiles].filter(([id, profile]) => {
      const old = book.profiles.get(id)
      return !old || !sameProfile(old, profile)
    }),
    render: renderProfileEntry,
  })
  const order = editMembers(document.order, orderKeys, {
    removed: [...book.order.keys()].filter((provider) => !next.order.get(provider)?.length),
    changed: [...next.order].filter(
      ([provider, ids]) => ids.length > 0 && !sameIds(book.order.get(provider), ids),
    ),
    render: (ids) => ids,
  })
  const hasOrder = document.order !== undefined || Object.keys(order).length > 0
  const result = { version: VERSION, ...document, profiles, ...(hasOrder && { order }) }
  return `${JSON.stringify(result, null, 2)}\n`
}

/** Whether two books have the same content; an empty order is none. */
export function sameBook(a: ProfileBook, b: ProfileBook): boolean {
  const ids = new Set([...a.profiles.keys(), ...b.profiles.keys()])
  const providers = new Set([...a.order.keys(), ...b.order.keys()])
  return (
    [...ids].every((id) => {
      const [one, other] = [a.profiles.get(id), b.profiles.get(id)]
      return one !== undefined && other !== undefined && sameProfile(one, other)
    }) &&
    [...providers].every((provider) => sameIds(a.order.get(provider), b.order.get(provider) ?? []))
  )
}

/** One member as a value of the book. A value may come with a misfit: the part of it that fits. */
interface Reading<K, T> {
  readonly key?: K
  readonly value?: T
  readonly misfit?: Misfit
}

interface Members<K, T> {
  readonly found: ReadonlyMap<K, T>
  readonly keys: ReadonlyMap<K, string>
  readonly problems: readonly FileProblem[]
}

function readMembers<K, T>(
  parent: string,
  members: JsonObject,
  readMember: (name: string, raw: unknown) => Reading<K, T>,
): Members<K, T> {
  const found = new Map<K, T>()
  const keys = new Map<K, string>()
  const problems: FileProblem[] = []
  for (const [name, raw] of Object.entries(members)) {
    const { key, value, misfit } = readMember(name, raw)
    const isRepeated = key !== undefined && found.has(key)
    const told = isRepeated ? { field: '', expected: 'the only entry of this name' } : misfit
    if (told) problems.push(problemAt(`${parent}.${name}`, told))
    if (key === undefined || value === undefined || isRepeated) continue
    found.set(key, value)
    keys.set(key, name)
  }
  return { found, keys, problems }
}

function readProfile(name: string, raw: unknown): Reading<ProfileId, Profile> {
  const key = parseProfileId(name)
  if (!key) return { misfit: { field: '', expected: 'a name such as anthropic:work' } }
  const entry = parseProfileEntry(key, raw)
  return entry.ok ? { key, value: entry.value } : { key, misfit: entry.fault }
}

function readOrder(name: string, raw: unknown): Reading<ProviderId, readonly ProfileId[]> {
  const key = parseProviderId(name)
  if (!key) return { misfit: { field: '', expected: 'the name of a provider' } }
  if (!Array.isArray(raw)) return { key, misfit: { field: '', expected: 'a list of profiles' } }
  const ids = raw
    .map((item: unknown) => (typeof item === 'string' ? parseProfileId(item) : undefined))
    .filter((id): id is ProfileId => id !== undefined && providerOf(id) === key)
  return {
    key,
    ...(ids.length > 0 && { value: [...new Set(ids)] }),
    ...(ids.length < raw.length && {
      misfit: { field: '', expected: `a list of profiles of ${key}` },
    }),
  }
}

/** The members with an edit applied; each keeps its place and spelling. */
function editMembers<K extends string, T>(
  members: unknown,
  keys: ReadonlyMap<K, string>,
  edit: {
    readonly removed: readonly K[]
    readonly changed: readonly (readonly [K, T])[]
    readonly render: (value: T, raw: unknown) => unknown
  },
): JsonObject {
  const entries = new Map(isRecord(members) ? Object.entries(members) : [])
  for (const id of edit.removed) entries.delete(keys.get(id) ?? id)
  for (const [id, value] of edit.changed) {
    const key = keys.get(id) ?? id
    entries.set(key, edit.render(value, entries.get(key)))
  }
  return Object.fromEntries(entries)
}

function sameIds(a: readonly ProfileId[] = [], b: readonly ProfileId[] = []): boolean {
  return a.length === b.length && b.every((id, index) => a[index] === id)
}

function problemAt(entry: string, { field, expected }: Misfit): FileProblem {
  return { field: field === '' ? entry : `${entry}.${field}`, problem: `expected ${expected}` }
}

/** The entries that a damaged file seems to hold, by their names alone. */
export function profilesNamedIn(text: string): readonly ProfileId[] {
  const names = [...text.matchAll(/"([^"\\\n]{3,200})"\s*:\s*\{/g)]
  return [...new Set(names.flatMap(([, name = '']) => parseProfileId(name) ?? []))]
}

function wrong(field: string, expected: string): Result<never, ProfileFileFault> {
  return fail({ code: 'EQ_STORE_FIELD', field, expected })
}
