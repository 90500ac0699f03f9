/** Where each login stands, found by its grant or its refresh token. Profiles of one login stand side by side in it. */

import { markOf, ownGrantId } from '../domain/grant.ts'
import type { AgentId, ProfileId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { Profile } from '../domain/profile.ts'

export interface LoginPlace {
  readonly agent: AgentId
  readonly profile: ProfileId
}

export interface LoginIndex {
  put(agent: AgentId, profile: Profile): void
  /** Forgets all places of that name that hold this login. */
  drop(profile: Profile): void
  /** Where the login of this profile stands under a name other than `except`. */
  find(profile: Profile, except?: ProfileId): LoginPlace | undefined
}

export function createLoginIndex(): LoginIndex {
  const places = new Map<string, LoginPlace[]>()
  return {
    put(agent, profile) {
      for (const key of loginKeys(profile)) {
        const there = places.get(key)
        const place = { agent, profile: profile.id }
        if (there) there.push(place)
        else places.set(key, [place])
      }
    },
    drop(profile) {
      for (const key of loginKeys(profile)) {
        const rest = places.get(key)?.filter((place) => place.profile !== profile.id) ?? []
        if (rest.length > 0) places.set(key, rest)
        else places.delete(key)
      }
    },
    find(profile, except) {
      for (const key of loginKeys(profile)) {
        const place = places.get(key)?.find((other) => other.profile !== except)
        if (place) return place
      }
      return undefined
    },
  }
}

/** Digests cost, and a plan asks for those of one profile many times. */
const known = new WeakMap<Profile, readonly string[]>()

/** What a login is known by: two profiles with one of these in common hold one login. Empty: it cannot be renewed. */
export function loginKeys(profile: Profile): readonly string[] {
  const before = known.get(profile)
  if (before) return before
  const { id, credential } = profile
  if (credential.type !== 'oauth') return []
  const grant = ownGrantId(providerOf(id), credential)
  const keys = [
    ...(grant === undefined ? [] : [`grant ${grant}`]),
    ...(credential.refresh ? [`refresh ${markOf(credential.refresh)}`] : []),
  ]
  known.set(profile, keys)
  return keys
}
