/** Where each login stands, found by its grant or its refresh token. Profiles of one login stand side by side in it. */

import type { Credential } from '../domain/credential.ts'
import { bearerOf } from '../domain/credential.ts'
import { markOf, ownGrantId } from '../domain/grant.ts'
import type { AgentId, ProfileId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { Profile } from '../domain/profile.ts'
import type { Secret } from '../domain/secret.ts'

export interface LoginPlace {
  readonly agent: AgentId
  readonly profile: ProfileId
}

export interface LoginIndex {
  put(agent: AgentId, profile: Profile): void
  /** Forgets all places of that name that hold this login. */
  drop(profile: Profile): void
  /** The first place of this profile's login whose name `fits`. */
  find(profile: Profile, fits?: (id: ProfileId) => boolean): LoginPlace | undefined
}

/** @param keysOf what a login is found by; two that have one in common are one */
export function createLoginIndex(
  keysOf: (profile: Profile) => readonly string[] = loginKeys,
): LoginIndex {
  const places = new Map<string, LoginPlace[]>()
  return {
    put(agent, profile) {
      for (const key of keysOf(profile)) {
        const there = places.get(key)
        const place = { agent, profile: profile.id }
        if (there) there.push(place)
        else places.set(key, [place])
      }
    },
    drop(profile) {
      for (const key of keysOf(profile)) {
        const rest = places.get(key)?.filter((place) => place.profile !== profile.id) ?? []
        if (rest.length > 0) places.set(key, rest)
        else places.delete(key)
      }
    },
    find(profile, fits = () => true) {
      for (const key of keysOf(profile)) {
        const place = places.get(key)?.find((other) => fits(other.profile))
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

const knownSecrets = new WeakMap<Profile, readonly string[]>()

/** As `loginKeys`; what cannot be renewed is known by its secret, within its provider. */
export function loginOrSecretKeys(profile: Profile): readonly string[] {
  const keys = loginKeys(profile)
  if (keys.length > 0) return keys
  const before = knownSecrets.get(profile)
  if (before) return before
  const { id, credential } = profile
  const secret = [`secret ${providerOf(id)} ${credential.type} ${markOf(bearerOf(credential))}`]
  knownSecrets.set(profile, secret)
  return secret
}

/** One secret, or one grant, whichever of its refresh tokens each of the two holds. */
export function isSameLogin(a: Profile, b: Profile): boolean {
  const [one, other] = [a.credential, b.credential]
  const isOneSecret = one.type === other.type && bearerOf(one).equals(bearerOf(other))
  if (isOneSecret && isSameRefresh(refreshOf(one), refreshOf(other))) return true
  const keys = loginKeys(b)
  return loginKeys(a).some((key) => keys.includes(key))
}

function isSameRefresh(one: Secret | undefined, other: Secret | undefined): boolean {
  return one && other ? one.equals(other) : one === other
}

export function refreshOf(credential: Credential): Secret | undefined {
  return credential.type === 'oauth' ? credential.refresh : undefined
}
