/** Copies of logins: those that stand in several of our books, and those of logins that other programs keep. */

import type { GrantPlace } from '../../domain/finding-fact.ts'
import type { ForeignLogin, ForeignOrigin } from '../../domain/foreign.ts'
import { FOREIGN_PROFILES } from '../../domain/foreign.ts'
import { isDead, markOf, ownGrantId } from '../../domain/grant.ts'
import type { ProviderId } from '../../domain/names.ts'
import { MAIN_AGENT, providerOf } from '../../domain/names.ts'
import type { HeldProfile } from '../../domain/profile.ts'
import type { World } from '../../domain/world.ts'

/** A login of ours with the refresh token that it holds. */
interface OwnGrant extends GrantPlace {
  readonly dead: boolean
  readonly renewedAt: number
  readonly storedAt: number
}

export interface Duplicate {
  readonly keep: GrantPlace
  readonly others: readonly GrantPlace[]
}

export interface Twin {
  readonly place: GrantPlace
  readonly origin: ForeignOrigin
  /** Where its owner keeps it. */
  readonly owner: string
}

export function duplicatesIn(worlds: readonly World[]): readonly Duplicate[] {
  return groups(ownGrants(worlds)).flatMap((group) => {
    const [keep, ...others] = group.toSorted(byWorth)
    return keep && others.length > 0 ? [{ keep: placeOf(keep), others: others.map(placeOf) }] : []
  })
}

export function twinsIn(worlds: readonly World[]): readonly Twin[] {
  const owners = new Map<string, ForeignLogin>()
  for (const { reading } of worlds.flatMap(({ foreign }) => foreign)) {
    const login = reading.ok ? reading.value : undefined
    if (login?.refreshMark !== undefined) owners.set(login.refreshMark, login)
  }
  return ownGrants(worlds).flatMap((grant) => {
    const login = owners.get(grant.token)
    return login ? [{ place: placeOf(grant), origin: login.origin, owner: login.place }] : []
  })
}

/** Providers of owners whose home could not be looked into: any login of theirs may be a copy of what lies there. */
export function unreadProviders(worlds: readonly World[]): ReadonlySet<ProviderId> {
  const unread = worlds
    .flatMap(({ foreign }) => foreign)
    .filter(({ reading }) =>
      reading.ok ? reading.value?.fallback === true : reading.fault.code !== 'EQ_FOREIGN_KEY_ONLY',
    )
  return new Set(unread.map(({ origin }) => providerOf(FOREIGN_PROFILES[origin])))
}

/** The profiles that stand in the agent's own book. */
export function heldBy(world: World): readonly HeldProfile[] {
  return [...world.book.profiles.values()].filter(({ home }) => home === world.agent)
}

function ownGrants(worlds: readonly World[]): readonly OwnGrant[] {
  return worlds.flatMap((world) =>
    heldBy(world).flatMap(({ id: profile, origin, credential, storedAt }) => {
      if (origin !== 'equabot' || credential.type !== 'oauth' || !credential.refresh) return []
      const grant = ownGrantId(providerOf(profile), credential)
      const token = markOf(credential.refresh)
      const dead = isDead(world.grants.get(profile))
      const times = { renewedAt: credential.renewedAt ?? 0, storedAt: storedAt ?? 0 }
      return grant ? [{ agent: world.agent, profile, grant, token, dead, ...times }] : []
    }),
  )
}

/** Those that share a grant, or the refresh token itself. */
function groups(grants: readonly OwnGrant[]): readonly (readonly OwnGrant[])[] {
  let joined: (readonly OwnGrant[])[] = []
  for (const grant of grants) {
    const isSame = (other: OwnGrant): boolean =>
      other.grant === grant.grant || other.token === grant.token
    const touching = joined.filter((group) => group.some(isSame))
    joined = [...joined.filter((group) => !touching.includes(group)), [...touching.flat(), grant]]
  }
  return joined
}

/**
 * The copy to keep comes first. Of two generations of one login the newer one is the living one, wherever it stands; of
 * equal copies that of `main`, which every agent can use, else the one that was stored last.
 */
function byWorth(a: OwnGrant, b: OwnGrant): number {
  if (a.dead !== b.dead) return a.dead ? 1 : -1
  if (a.token !== b.token && a.renewedAt !== b.renewedAt) return b.renewedAt - a.renewedAt
  if (a.agent !== b.agent && (a.agent === MAIN_AGENT || b.agent === MAIN_AGENT))
    return a.agent === MAIN_AGENT ? -1 : 1
  return b.storedAt - a.storedAt
}

function placeOf({ agent, profile, grant, token }: OwnGrant): GrantPlace {
  return { agent, profile, grant, token }
}
