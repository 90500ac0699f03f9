/** What an import does to a book. Decided here without any I/O, so that a rehearsal says exactly what the import does. */

import type { Credential, CredentialType } from '../domain/credential.ts'
import { bearerOf } from '../domain/credential.ts'
import type { ForeignOrigin, OwnerMarks } from '../domain/foreign.ts'
import { FOREIGN_PROFILES } from '../domain/foreign.ts'
import type { TokenMark } from '../domain/grant.ts'
import { markOf, ownGrantId } from '../domain/grant.ts'
import type { KeptBecause, LegacyEntry, LegacyLogins, NotImported } from '../domain/legacy.ts'
import type { AgentId, ProfileId, ProviderId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { Profile, ProfileBook } from '../domain/profile.ts'
import { withOrder } from '../domain/profile.ts'
import type { Secret } from '../domain/secret.ts'
import { unusableSecret } from '../domain/secret-text.ts'
import type { World } from '../domain/world.ts'
import { isReserved } from '../domain/world.ts'
import type { LoginIndex } from './login-index.ts'
import { createLoginIndex, loginKeys } from './login-index.ts'

/** What became of one entry of a file. */
export type Outcome =
  | { readonly kind: 'added' }
  | { readonly kind: 'replaced' }
  /** It stands here already, or a newer generation of it does. */
  | { readonly kind: 'same' }
  | { readonly kind: 'kept'; readonly why: KeptBecause }
  | { readonly kind: 'skipped'; readonly why: NotImported }

export interface ImportedEntry {
  /** Path of the file. */
  readonly from: string
  /** As it is called there. */
  readonly name: string
  readonly profile?: ProfileId
  readonly type?: CredentialType
  readonly fingerprint?: string
  /** It has a refresh token, which may have only one owner. */
  readonly renewable: boolean
  readonly outcome: Outcome
}

export interface ImportPlan {
  /** The very same book when nothing changes. */
  readonly book: ProfileBook
  readonly entries: readonly ImportedEntry[]
  /** Providers whose order was taken over. */
  readonly orders: readonly ProviderId[]
}

export interface ImportInput {
  readonly world: World
  readonly book: ProfileBook
  /** The books of all other agents. */
  readonly elsewhere: readonly { readonly agent: AgentId; readonly book: ProfileBook }[]
  /** Names in our own file whose entries cannot be read. */
  readonly unreadable: (id: ProfileId) => boolean
  /** Marks of refresh tokens that belong to other programs. */
  readonly foreignMarks: ReadonlyMap<ForeignOrigin, OwnerMarks>
  /** Marks of refresh tokens of ours that have served. */
  readonly spentMarks: ReadonlySet<string>
  readonly files: readonly { readonly path: string; readonly logins: LegacyLogins }[]
  readonly replace: boolean
}

/**
 * A replacement may take a login out of the book that an entry before it was passed over for, so the files are gone
 * through until nothing changes: another import of them has nothing to do.
 */
export function planImport(input: ImportInput): ImportPlan {
  const room = roomOf(input)
  let plan = goThrough(input, room)
  for (let rounds = plan.entries.length; rounds > 0; rounds -= 1) {
    const next = goThrough({ ...input, book: plan.book }, room)
    if (next.book === plan.book) break
    const { entries, orders } = plan
    plan = {
      book: next.book,
      entries: entries.map((entry, index) =>
        isTaken(entry.outcome) ? entry : (next.entries[index] ?? entry),
      ),
      orders: [...orders, ...next.orders],
    }
  }
  return plan
}

function isTaken({ kind }: Outcome): boolean {
  return kind === 'added' || kind === 'replaced'
}

/** What stays the same however often the files are gone through. */
interface Room {
  readonly candidates: readonly Candidate[]
  readonly elsewhere: LoginIndex
}

interface Candidate {
  readonly path: string
  readonly entry: LegacyEntry
  readonly profile?: Profile
}

function roomOf({ world, files, elsewhere }: ImportInput): Room {
  const index = createLoginIndex()
  for (const { agent, book } of elsewhere) {
    for (const profile of book.profiles.values()) index.put(agent, profile)
  }
  const candidates = files.flatMap(({ path, logins }) =>
    logins.entries.map((entry): Candidate => {
      const { login } = entry
      return { path, entry, ...(login.ok && { profile: named(login.value, world.now) }) }
    }),
  )
  return { candidates, elsewhere: index }
}

function goThrough(input: ImportInput, room: Room): ImportPlan {
  const { world } = input
  const profiles = new Map(input.book.profiles)
  const here = createLoginIndex()
  for (const profile of profiles.values()) here.put(world.agent, profile)
  const shelf: Shelf = { profiles, here, elsewhere: room.elsewhere, brought: new Set() }
  const entries: ImportedEntry[] = []
  let changes = false
  for (const { path, entry, profile } of room.candidates) {
    const outcome = judge(input, shelf, entry, profile)
    entries.push(entryReport(world, path, entry, profile, outcome))
    if (!profile || outcome.kind === 'skipped' || outcome.kind === 'kept') continue
    shelf.brought.add(profile.id)
    if (!isTaken(outcome)) continue
    const held = profiles.get(profile.id)
    if (held) here.drop(held)
    here.put(world.agent, profile)
    profiles.set(profile.id, profile)
    changes = true
  }
  return { ...withOrders(input, changes ? { ...input.book, profiles } : input.book), entries }
}

/** The book as it is filled. */
interface Shelf {
  readonly profiles: Map<ProfileId, Profile>
  readonly here: LoginIndex
  readonly elsewhere: LoginIndex
  /** Names that an earlier entry has brought. */
  readonly brought: Set<ProfileId>
}

/** As it will stand in our book. The grant gets its name now, so that later generations of it are known as the same. */
function named(profile: Profile, now: number): Profile {
  const { credential } = profile
  const grantId =
    credential.type === 'oauth' ? ownGrantId(providerOf(profile.id), credential) : undefined
  return {
    ...profile,
    storedAt: now,
    ...(credential.type === 'oauth' && grantId && { credential: { ...credential, grantId } }),
  }
}

function judge(
  input: ImportInput,
  shelf: Shelf,
  { login }: LegacyEntry,
  profile: Profile | undefined,
): Outcome {
  if (!login.ok) return { kind: 'skipped', why: login.fault }
  if (!profile) return { kind: 'skipped', why: { code: 'blank' } }
  const { world } = input
  const { id, credential } = profile
  const unfit = unfitness(world, id, credential)
  if (unfit) return { kind: 'skipped', why: unfit }

  const mark = markIn(credential)
  if (mark !== undefined && isForeign(input, mark)) {
    return { kind: 'skipped', why: { code: 'foreign' } }
  }
  const held = shelf.profiles.get(id)
  const inherited = world.book.profiles.get(id)
  const known = held ?? (inherited?.home === world.agent ? undefined : inherited)
  if (known && sameLogin(known, profile)) return { kind: 'same' }
  if (mark !== undefined) {
    const why = standsElsewhere(shelf, profile) ?? notOurs(input, id, mark)
    if (why) return { kind: 'skipped', why }
  }

  if (input.unreadable(id)) return { kind: 'kept', why: { code: 'ours_unreadable' } }
  if (!held) return { kind: 'added' }
  if (held.origin !== 'equabot') {
    return { kind: 'kept', why: { code: 'borrowed', origin: held.origin } }
  }
  if (shelf.brought.has(id)) return { kind: 'kept', why: { code: 'came_before' } }
  return input.replace
    ? { kind: 'replaced' }
    : { kind: 'kept', why: { code: 'another_credential' } }
}

function unfitness(world: World, id: ProfileId, credential: Credential): NotImported | undefined {
  const provider = providerOf(id)
  if (!world.providers.has(provider)) return { code: 'unknown_provider', provider }
  if (isReserved(id)) return { code: 'reserved' }
  const problem = unusableSecret(bearerOf(credential))
  return problem && { code: problem }
}

function isForeign({ foreignMarks }: ImportInput, mark: TokenMark): boolean {
  return [...foreignMarks.values()].some((marks) => marks !== 'unknown' && marks.has(mark))
}

/** A refresh token that nobody here holds, and that may nevertheless serve somebody already. */
function notOurs(
  { foreignMarks, spentMarks }: ImportInput,
  id: ProfileId,
  mark: TokenMark,
): NotImported | undefined {
  if (spentMarks.has(mark)) return { code: 'spent' }
  for (const [origin, marks] of foreignMarks) {
    const isOfOwner = providerOf(FOREIGN_PROFILES[origin]) === providerOf(id)
    if (isOfOwner && marks === 'unknown') return { code: 'owner_unknown', origin }
  }
  return undefined
}

/** The profile of another name, here or with another agent, that already is the home of this refresh token. */
function standsElsewhere({ here, elsewhere }: Shelf, profile: Profile): NotImported | undefined {
  const other = here.find(profile, profile.id) ?? elsewhere.find(profile)
  return other && { code: 'stands_elsewhere', ...other }
}

function sameLogin(a: Profile, b: Profile): boolean {
  const isOneSecret =
    a.credential.type === b.credential.type && bearerOf(a.credential).equals(bearerOf(b.credential))
  return (isOneSecret && sameRefresh(a.credential, b.credential)) || sameGrant(a, b)
}

/** One grant, whichever of its refresh tokens each of them holds. */
function sameGrant(a: Profile, b: Profile): boolean {
  const keys = loginKeys(b)
  return loginKeys(a).some((key) => keys.includes(key))
}

function sameRefresh(a: Credential, b: Credential): boolean {
  const [one, other] = [refreshOf(a), refreshOf(b)]
  return one && other ? one.equals(other) : one === other
}

function markIn(credential: Credential): TokenMark | undefined {
  const refresh = refreshOf(credential)
  return refresh && markOf(refresh)
}

function refreshOf(credential: Credential): Secret | undefined {
  return credential.type === 'oauth' ? credential.refresh : undefined
}

function entryReport(
  world: World,
  from: string,
  { name }: LegacyEntry,
  profile: Profile | undefined,
  outcome: Outcome,
): ImportedEntry {
  return {
    from,
    name,
    ...(profile && {
      profile: profile.id,
      type: profile.credential.type,
      fingerprint: world.fingerprint(bearerOf(profile.credential)),
    }),
    renewable: profile !== undefined && refreshOf(profile.credential) !== undefined,
    outcome,
  }
}

/**
 * What came goes last where an order is set. Where none is, that of the files is taken, with our own profiles behind
 * those it names: an order leaves out what it does not name.
 */
function withOrders(
  { world, book: before, files }: ImportInput,
  after: ProfileBook,
): Pick<ImportPlan, 'book' | 'orders'> {
  let book = after
  const added = [...after.profiles.keys()].filter((id) => !before.profiles.has(id))
  for (const [provider, ids] of before.order) {
    const listed = new Set(ids)
    const fresh = added.filter((id) => providerOf(id) === provider && !listed.has(id))
    if (fresh.length > 0) book = withOrder(book, provider, [...ids, ...fresh])
  }
  const orders: ProviderId[] = []
  const usable = new Set([...world.book.profiles.keys(), ...after.profiles.keys()])
  for (const { logins } of files) {
    for (const [provider, ids] of logins.order) {
      const named = ids.filter((id) => usable.has(id))
      const isSet = book.order.has(provider) || world.settings.auth.order.has(provider)
      if (isSet || named.length === 0) continue
      const rest = [...usable].filter((id) => providerOf(id) === provider)
      book = withOrder(book, provider, [...named, ...rest])
      orders.push(provider)
    }
  }
  return { book, orders }
}
