/** What an import does to a book. Decided here without any I/O, so that a rehearsal says exactly what the import does. */

import type { Credential, CredentialType } from '../domain/credential.ts'
import { bearerOf } from '../domain/credential.ts'
import { markOf, ownGrantId } from '../domain/grant.ts'
import type { KeptBecause, LegacyEntry, LegacyLogins, NotImported } from '../domain/legacy.ts'
import type { AgentId, ProfileId, ProviderId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { Profile, ProfileBook } from '../domain/profile.ts'
import { withOrder, withProfile } from '../domain/profile.ts'
import type { Secret } from '../domain/secret.ts'
import { unusableSecret } from '../domain/secret-text.ts'
import type { World } from '../domain/world.ts'
import { isReserved } from '../domain/world.ts'

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
  readonly foreignMarks: ReadonlySet<string>
  readonly files: readonly { readonly path: string; readonly logins: LegacyLogins }[]
  readonly replace: boolean
}

/**
 * A replacement may take a login out of the book that an entry before it was passed over for, so the files are gone
 * through until nothing changes: another import of them has nothing to do.
 */
export function planImport(input: ImportInput): ImportPlan {
  let plan = goThrough(input)
  for (let rounds = plan.entries.length; rounds > 0; rounds -= 1) {
    const next = goThrough({ ...input, book: plan.book })
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

function goThrough(input: ImportInput): ImportPlan {
  let { book } = input
  const entries: ImportedEntry[] = []
  const brought = new Set<ProfileId>()
  for (const { path, logins } of input.files) {
    for (const entry of logins.entries) {
      const profile = entry.login.ok ? named(entry.login.value, input.world.now) : undefined
      const outcome = judge(input, book, brought, entry, profile)
      entries.push(entryReport(input.world, path, entry, profile, outcome))
      if (!profile || outcome.kind === 'skipped' || outcome.kind === 'kept') continue
      brought.add(profile.id)
      if (isTaken(outcome)) book = withProfile(book, profile)
    }
  }
  return { ...withOrders(input, book), entries }
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
  book: ProfileBook,
  brought: ReadonlySet<ProfileId>,
  { login }: LegacyEntry,
  profile: Profile | undefined,
): Outcome {
  if (!login.ok) return { kind: 'skipped', why: login.fault }
  if (!profile) return { kind: 'skipped', why: { code: 'blank' } }
  const { world } = input
  const { id, credential } = profile
  const unfit = unfitness(world, id, credential)
  if (unfit) return { kind: 'skipped', why: unfit }

  const refresh = refreshOf(credential)
  if (refresh && input.foreignMarks.has(markOf(refresh))) {
    return { kind: 'skipped', why: { code: 'foreign' } }
  }
  const held = book.profiles.get(id)
  const inherited = world.book.profiles.get(id)
  const known = held ?? (inherited?.home === world.agent ? undefined : inherited)
  if (known && sameLogin(known, profile)) return { kind: 'same' }
  const elsewhere = refresh && standsElsewhere(input, book, profile)
  if (elsewhere) return { kind: 'skipped', why: elsewhere }

  if (input.unreadable(id)) return { kind: 'kept', why: { code: 'ours_unreadable' } }
  if (!held) return { kind: 'added' }
  if (held.origin !== 'equabot') {
    return { kind: 'kept', why: { code: 'borrowed', origin: held.origin } }
  }
  if (brought.has(id)) return { kind: 'kept', why: { code: 'came_before' } }
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

/** The profile of another name, here or with another agent, that already is the home of this refresh token. */
function standsElsewhere(
  { world, elsewhere }: ImportInput,
  book: ProfileBook,
  profile: Profile,
): NotImported | undefined {
  for (const { agent, book: there } of [{ agent: world.agent, book }, ...elsewhere]) {
    for (const other of there.profiles.values()) {
      const isItself = agent === world.agent && other.id === profile.id
      if (!isItself && sameGrant(other, profile)) {
        return { code: 'stands_elsewhere', profile: other.id, agent }
      }
    }
  }
  return undefined
}

function sameLogin(a: Profile, b: Profile): boolean {
  const isOneSecret =
    a.credential.type === b.credential.type && bearerOf(a.credential).equals(bearerOf(b.credential))
  return (isOneSecret && sameRefresh(a.credential, b.credential)) || sameGrant(a, b)
}

/** One grant, whichever of its refresh tokens each of them holds. */
function sameGrant(a: Profile, b: Profile): boolean {
  if (a.credential.type !== 'oauth' || b.credential.type !== 'oauth') return false
  const grant = ownGrantId(providerOf(a.id), a.credential)
  if (grant !== undefined && grant === ownGrantId(providerOf(b.id), b.credential)) return true
  return a.credential.refresh !== undefined && sameRefresh(a.credential, b.credential)
}

function sameRefresh(a: Credential, b: Credential): boolean {
  const [one, other] = [refreshOf(a), refreshOf(b)]
  return one && other ? one.equals(other) : one === other
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
    const fresh = added.filter((id) => providerOf(id) === provider && !ids.includes(id))
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
