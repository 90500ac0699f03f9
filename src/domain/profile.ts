/** Profiles and the book that holds them. Every edit gives a new book. */

import type { Credential } from './credential.ts'
import type { AgentId, ProfileId, ProviderId } from './names.ts'
import { MAIN_AGENT, providerOf } from './names.ts'
import type { EpochMs } from './time.ts'

/** Who owns the grant behind a profile. Only `equabot`'s may be renewed freely; the others are borrowed. */
export type Origin = 'equabot' | 'claude-code' | 'codex-cli'

export interface Profile {
  readonly id: ProfileId
  readonly credential: Credential
  readonly origin: Origin
  /** Where a borrowed login stands in its owner's home: a path, or a keychain item. */
  readonly place?: string
  /** When this credential was put into the book; absent in files of older tools. */
  readonly storedAt?: EpochMs
}

/** The content of one `auth-profiles.json`. */
export interface ProfileBook {
  readonly profiles: ReadonlyMap<ProfileId, Profile>
  /** The agent's explicit order per provider. */
  readonly order: ReadonlyMap<ProviderId, readonly ProfileId[]>
}

/** A profile together with the agent whose file it stands in. */
export interface HeldProfile extends Profile {
  readonly home: AgentId
}

/** What an agent can use: its own profiles and, by reference, those of `main`. The order is its own alone. */
export interface EffectiveBook {
  readonly profiles: ReadonlyMap<ProfileId, HeldProfile>
  readonly order: ReadonlyMap<ProviderId, readonly ProfileId[]>
}

export const EMPTY_BOOK: ProfileBook = { profiles: new Map(), order: new Map() }

export function withProfile(book: ProfileBook, profile: Profile): ProfileBook {
  return { ...book, profiles: new Map(book.profiles).set(profile.id, profile) }
}

/** Without the profile, also in the orders; an order that held nothing else is gone too. */
export function withoutProfile(book: ProfileBook, id: ProfileId): ProfileBook {
  const profiles = new Map(book.profiles)
  profiles.delete(id)
  const order = new Map<ProviderId, readonly ProfileId[]>()
  for (const [provider, ids] of book.order) {
    const rest = ids.filter((entry) => entry !== id)
    if (rest.length > 0) order.set(provider, rest)
  }
  return { profiles, order }
}

/** With this order for the provider; repeated ids count once. */
export function withOrder(
  book: ProfileBook,
  provider: ProviderId,
  ids: readonly ProfileId[],
): ProfileBook {
  return { ...book, order: new Map(book.order).set(provider, [...new Set(ids)]) }
}

export function withoutOrder(book: ProfileBook, provider: ProviderId): ProfileBook {
  const order = new Map(book.order)
  order.delete(provider)
  return { ...book, order }
}

/** The view of one agent. Nothing is copied: each profile says in whose file it stands. */
export function effectiveBook(agent: AgentId, own: ProfileBook, main: ProfileBook): EffectiveBook {
  const profiles = new Map<ProfileId, HeldProfile>()
  if (agent !== MAIN_AGENT) {
    for (const profile of main.profiles.values())
      profiles.set(profile.id, { ...profile, home: MAIN_AGENT })
  }
  for (const profile of own.profiles.values()) profiles.set(profile.id, { ...profile, home: agent })
  return { profiles, order: own.order }
}

export function profilesOf(book: EffectiveBook, provider: ProviderId): readonly HeldProfile[] {
  return [...book.profiles.values()].filter((profile) => providerOf(profile.id) === provider)
}
