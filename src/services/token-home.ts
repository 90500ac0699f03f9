/** Where a refresh token lives: in a book of ours, or in its owner's home. The protocol sees both alike. */

import type { OauthCredential } from '../domain/credential.ts'
import type { ForeignOrigin } from '../domain/foreign.ts'
import { FOREIGN_PROFILES } from '../domain/foreign.ts'
import type { NotSentReason, TokenMark } from '../domain/grant.ts'
import { markOf } from '../domain/grant.ts'
import type { AgentId, ProfileId } from '../domain/names.ts'
import { MAIN_AGENT, providerOf } from '../domain/names.ts'
import type { ProfileStore } from '../domain/ports.ts'
import type { ForeignSource, OwnerHome } from '../domain/renewal-ports.ts'
import { withProfile } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'

/** What keeps a home from being used; nothing was changed. */
export interface HomeTrouble {
  readonly reason: NotSentReason
  readonly words: string
}

export interface TokenHome {
  /** Everything that putting a new login here will need is had now: room, rights, the owner's locks. */
  prepare(): Promise<Result<ReadyHome, HomeTrouble>>
  /** Mark of the refresh token that stands here now; undefined when there is none, or none that can be read. */
  mark(): Promise<TokenMark | undefined>
  /** Shows a login that its owner has renewed by itself to those who read the book. Failing to is no failure. */
  publish(login: OauthCredential): Promise<void>
}

export interface ReadyHome {
  /** As it stands now, with nobody else allowed to change it; undefined: there is none. */
  readonly login: OauthCredential | undefined
  /** Whether that is still so. */
  stillHeld(): boolean
  /** Compare-and-swap. Gives false when another login stands here by now. */
  put(expected: TokenMark, next: OauthCredential): Promise<Result<boolean, HomeTrouble>>
  release(): Promise<void>
}

/** A login of our own, in the book of its agent. */
export function bookHome(
  profiles: ProfileStore,
  agent: AgentId,
  profile: ProfileId,
  nameGrant: (login: OauthCredential) => OauthCredential,
): TokenHome {
  async function stored(): Promise<Result<OauthCredential | undefined, HomeTrouble>> {
    const read = await profiles.read(agent)
    if (!read.ok) return fail(STORAGE_UNREADABLE)
    const entry = read.value.book.profiles.get(profile)
    const isOurs = entry?.origin === 'equabot' && entry.credential.type === 'oauth'
    return ok(isOurs && entry.credential.type === 'oauth' ? entry.credential : undefined)
  }

  return {
    async prepare() {
      const room = await profiles.probe(agent)
      if (!room.ok) return fail(STORAGE_REFUSES)
      const login = await stored()
      if (!login.ok) return login
      return ok({
        login: login.value,
        stillHeld: () => true,
        put: (expected, next) => swap(profiles, agent, profile, expected, nameGrant(next)),
        release: async () => undefined,
      })
    },
    async mark() {
      const login = await stored()
      return login.ok && login.value?.refresh ? markOf(login.value.refresh) : undefined
    },
    publish: async () => undefined,
  }
}

const STORAGE_UNREADABLE: HomeTrouble = { reason: 'storage', words: 'the book cannot be read' }
const STORAGE_REFUSES: HomeTrouble = {
  reason: 'storage',
  words: 'the book could not be written, so the answer would have no place',
}

/**
 * A login of our own, unless another program holds its refresh token as well: a copy that somebody made by hand, or an
 * import while that program was nowhere to be seen. Whoever renews it logs the other out.
 *
 * Also a program whose login we leave alone is looked at, and nothing is sent while its login cannot be read.
 */
export function ownedAlone(
  home: TokenHome,
  owners: readonly Pick<ForeignSource, 'origin' | 'place' | 'read'>[],
  profile: ProfileId,
): TokenHome {
  async function trouble(): Promise<HomeTrouble | undefined> {
    const token = await home.mark()
    if (!token) return undefined
    for (const owner of owners) {
      const reading = await owner.read()
      if (reading.ok) {
        if (reading.value?.refreshMark !== token) continue
        return { reason: 'owners_token', words: `its refresh token is the one in ${owner.place()}` }
      }
      const isRelated = providerOf(FOREIGN_PROFILES[owner.origin]) === providerOf(profile)
      if (!isRelated || HOLDS_NO_GRANT.has(reading.fault.code)) continue
      const words = `whether it is the one in ${owner.place()} could not be read`
      return { reason: 'owner_unreadable', words }
    }
    return undefined
  }

  return {
    ...home,
    async prepare() {
      const found = await trouble()
      return found ? fail(found) : home.prepare()
    },
  }
}

/** What stands there is no login with a refresh token. */
const HOLDS_NO_GRANT: ReadonlySet<string> = new Set(['EQ_FOREIGN_BLANK', 'EQ_FOREIGN_KEY_ONLY'])

/** Puts the new login in the place of the one that holds the token `expected`. */
async function swap(
  profiles: ProfileStore,
  agent: AgentId,
  profile: ProfileId,
  expected: TokenMark,
  next: OauthCredential,
): Promise<Result<boolean, HomeTrouble>> {
  const saved = await profiles.transact<boolean, never>(agent, async (book) => {
    const entry = book.profiles.get(profile)
    const refresh = entry?.credential.type === 'oauth' ? entry.credential.refresh : undefined
    if (!entry || !refresh || markOf(refresh) !== expected) return ok({ book, value: false })
    return ok({ book: withProfile(book, { ...entry, credential: next }), value: true })
  })
  return saved.ok ? saved : fail({ reason: 'storage', words: 'the book could not be written' })
}

/** A login in its owner's home, renewed under the owner's own locks. */
export function borrowedHome(profiles: ProfileStore, owner: OwnerHome): TokenHome {
  return {
    async prepare() {
      const held = await owner.hold()
      if (!held.ok) return held
      const { login, stillHeld, reserve, writeBack, release } = held.value
      const room = await reserve()
      if (!room.ok) {
        await release()
        return room
      }
      return ok({
        login,
        stillHeld,
        async put(expected, next) {
          const written = await writeBack(expected, next)
          if (written.ok && written.value) await publishBorrowed(profiles, owner.origin, next)
          return written
        },
        release,
      })
    },
    mark: () => owner.mark(),
    publish: (login) => publishBorrowed(profiles, owner.origin, login),
  }
}

/** The access token alone: the refresh token stays with its owner. */
async function publishBorrowed(
  profiles: ProfileStore,
  origin: ForeignOrigin,
  login: OauthCredential,
): Promise<void> {
  const id = FOREIGN_PROFILES[origin]
  await profiles.transact<void, never>(MAIN_AGENT, async (book) => {
    const entry = book.profiles.get(id)
    if (entry?.origin !== origin || entry.credential.type !== 'oauth') {
      return ok({ book, value: undefined })
    }
    const { refresh: _, grantId: __, clientId: ___, ...credential } = login
    return ok({ book: withProfile(book, { ...entry, credential }), value: undefined })
  })
}
