/** What becomes of one entry of an import, and under which name. No I/O. */

import type { Credential } from '../domain/credential.ts'
import { bearerOf, isSameAccount } from '../domain/credential.ts'
import type { ForeignOrigin, OwnerMarks } from '../domain/foreign.ts'
import { FOREIGN_PROFILES } from '../domain/foreign.ts'
import type { TokenMark } from '../domain/grant.ts'
import { markOf } from '../domain/grant.ts'
import type { KeptBecause, LegacyEntry, NotImported } from '../domain/legacy.ts'
import type { ProfileId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { Profile } from '../domain/profile.ts'
import { unusableSecret } from '../domain/secret-text.ts'
import type { World } from '../domain/world.ts'
import { isReserved } from '../domain/world.ts'
import { isNameFor, nameNumber } from './import-names.ts'
import type { LoginIndex } from './login-index.ts'
import { isSameLogin, refreshOf } from './login-index.ts'

/** What became of one entry of a file. */
export type Outcome =
  | { readonly kind: 'added' }
  | { readonly kind: 'replaced' }
  /** It stands here already, or a newer generation of it does. */
  | { readonly kind: 'same' }
  | { readonly kind: 'kept'; readonly why: KeptBecause }
  | { readonly kind: 'skipped'; readonly why: NotImported }

/** What the verdict about an entry depends on, apart from the book as it is filled. */
export interface Circumstances {
  readonly world: World
  /** Names in our own file whose entries cannot be read. */
  readonly unreadable: (id: ProfileId) => boolean
  /** Marks of refresh tokens that belong to other programs. */
  readonly foreignMarks: ReadonlyMap<ForeignOrigin, OwnerMarks>
  /** Marks of refresh tokens of ours that have served. */
  readonly spentMarks: ReadonlySet<string>
  readonly replace: boolean
  /** The name that a person has given to the one login that comes; it gets no other. */
  readonly givenName?: ProfileId
}

/** The book as it is filled. */
export interface Shelf {
  readonly profiles: ReadonlyMap<ProfileId, Profile>
  /** The book before the import. */
  readonly before: ReadonlyMap<ProfileId, Profile>
  /** Logins and secrets that the agent can use, its own and inherited. */
  readonly here: LoginIndex
  /** Logins in the books of all other agents. */
  readonly elsewhere: LoginIndex
  /** Names that logins of this import have. */
  readonly brought: ReadonlySet<ProfileId>
}

export interface Verdict {
  readonly outcome: Outcome
  /** Under which name it stands or would stand here. */
  readonly id: ProfileId
}

/** Why an entry can never come, whatever the book holds. */
export function unfitness(
  { world, foreignMarks }: Circumstances,
  { login }: LegacyEntry,
): NotImported | undefined {
  if (!login.ok) return login.fault
  const { id, credential } = login.value
  const provider = providerOf(id)
  if (!world.providers.has(provider)) return { code: 'unknown_provider', provider }
  if (isReserved(id)) return { code: 'reserved' }
  const problem = unusableSecret(bearerOf(credential))
  if (problem) return { code: problem }
  const mark = markIn(credential)
  return mark !== undefined && isForeign(foreignMarks, mark) ? { code: 'foreign' } : undefined
}

/** @param profile a login that is fit */
export function judge(at: Circumstances, shelf: Shelf, profile: Profile): Verdict {
  const { id: wanted, credential } = profile
  const standing = standsHere(at, shelf, profile)
  if (standing !== undefined) return { outcome: { kind: 'same' }, id: standing }
  const mark = markIn(credential)
  if (mark !== undefined) {
    const why = standsElsewhere(shelf, profile) ?? notOurs(at, wanted, mark)
    if (why) return { outcome: { kind: 'skipped', why }, id: wanted }
  }
  for (let nth = 1; ; nth += 1) {
    const id = nameNumber(nth, wanted, credential.type)
    if (!shelf.brought.has(id)) return { outcome: placing(at, shelf, id), id }
    const why = whyNoOtherName(at, knownAs(at, shelf, id), profile)
    if (why) return { outcome: { kind: 'kept', why }, id: wanted }
  }
}

/**
 * Under which of the names that this login may have come under it stands here.
 *
 * These names are left to it: what comes under the same name has to take another.
 */
export function ownPlace(at: Circumstances, shelf: Shelf, profile: Profile): ProfileId | undefined {
  const { id: wanted, credential } = profile
  const stands = (id: ProfileId): boolean => {
    const known = knownAs(at, shelf, id)
    return known !== undefined && isSameLogin(known, profile)
  }
  if (stands(wanted)) return wanted
  const isIts = (id: ProfileId): boolean => isNameFor(id, wanted, credential.type) && stands(id)
  return shelf.here.find(profile, isIts)?.profile
}

function standsHere(at: Circumstances, shelf: Shelf, profile: Profile): ProfileId | undefined {
  const own = ownPlace(at, shelf, profile)
  if (own !== undefined || markIn(profile.credential) !== undefined) return own
  // A key under two names of one import comes twice; one that is here already does not come again under another name.
  const isTaken = shelf.brought.has(profile.id) || knownAs(at, shelf, profile.id) !== undefined
  return shelf.here.find(profile, (id) => {
    const known = knownAs(at, shelf, id)
    if (!known || !isSameLogin(known, profile)) return false
    return isTaken || !shelf.profiles.has(id) || shelf.before.get(id) === known
  })?.profile
}

/** What the agent has under that name: its own, else inherited. */
function knownAs({ world }: Circumstances, shelf: Shelf, id: ProfileId): Profile | undefined {
  const inherited = world.book.profiles.get(id)
  return shelf.profiles.get(id) ?? (inherited?.home === world.agent ? undefined : inherited)
}

/** @param other the login of this import that has the name */
function whyNoOtherName(
  { givenName }: Circumstances,
  other: Profile | undefined,
  { id, credential }: Profile,
): KeptBecause | undefined {
  if (id === givenName) return { code: 'came_before' }
  if (!other || !mayBeOneGrant(other.credential, credential)) return undefined
  return { code: 'maybe_older', profile: other.id }
}

/**
 * Older tools copy logins from agent to agent, and renew only one of the copies: the other ones are older states of the
 * same grant, and a provider that is shown one of those ends it.
 *
 * @source RFC 9700 4.14.2
 */
function mayBeOneGrant(a: Credential, b: Credential): boolean {
  if (a.type !== 'oauth' || b.type !== 'oauth' || !a.refresh || !b.refresh) return false
  return isSameAccount(a, b) !== false
}

function placing(at: Circumstances, shelf: Shelf, id: ProfileId): Outcome {
  if (at.unreadable(id)) return { kind: 'kept', why: { code: 'ours_unreadable' } }
  const held = shelf.profiles.get(id)
  if (!held) return { kind: 'added' }
  if (held.origin !== 'equabot') {
    return { kind: 'kept', why: { code: 'borrowed', origin: held.origin } }
  }
  if (at.replace) return { kind: 'replaced' }
  const { credential } = held
  const fingerprint = at.world.fingerprint(bearerOf(credential))
  return { kind: 'kept', why: { code: 'another_credential', type: credential.type, fingerprint } }
}

function isForeign(foreignMarks: Circumstances['foreignMarks'], mark: TokenMark): boolean {
  return [...foreignMarks.values()].some((marks) => marks !== 'unknown' && marks.has(mark))
}

/** A refresh token that nobody here holds, and that may nevertheless serve somebody already. */
function notOurs(
  { foreignMarks, spentMarks }: Circumstances,
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
  const other = here.find(profile, (id) => id !== profile.id) ?? elsewhere.find(profile)
  return other && { code: 'stands_elsewhere', ...other }
}

function markIn(credential: Credential): TokenMark | undefined {
  const refresh = refreshOf(credential)
  return refresh && markOf(refresh)
}
