/** Checks of grants: whether each lives, stands in one home only, and is named by a profile. */

import { isExpired } from '../../domain/credential.ts'
import type { Finding } from '../../domain/finding.ts'
import { finding } from '../../domain/finding.ts'
import type { GrantId } from '../../domain/grant.ts'
import { borrowedGrantId, isDead, ownGrantId, parseGrantId } from '../../domain/grant.ts'
import { providerOf } from '../../domain/names.ts'
import type { HeldProfile } from '../../domain/profile.ts'
import type { World } from '../../domain/world.ts'
import { faultOf } from '../renewal.ts'
import { duplicatesIn, heldBy, twinsIn } from './copies.ts'
import type { Sight } from './sight.ts'
import { isEveryBookRead, loadedWorlds } from './sight.ts'

/** One login in two homes: the next renewal of either ends the other. */
export function duplicatesCheck(sight: Sight): readonly Finding[] {
  return duplicatesIn(loadedWorlds(sight)).map(({ keep, others }) =>
    finding({ code: 'DR_GRANT_TWICE', keep, others }),
  )
}

/** Copies of a login that its owner keeps in its own home. */
export function twinsCheck(sight: Sight): readonly Finding[] {
  return twinsIn(loadedWorlds(sight)).map(({ place, origin, owner }) =>
    finding({ code: 'DR_GRANT_TWIN', place, origin, owner }),
  )
}

/** What the renewals that were made just now have shown. */
export function renewalsCheck({ renewals }: Sight): readonly Finding[] {
  return renewals.map(({ agent, profile, fault }) => {
    if (!fault) return finding({ code: 'DR_GRANT_RENEWED', agent, profile })
    return fault.code === 'EQ_GRANT_DEAD' || fault.code === 'EQ_GRANT_SPENT'
      ? finding({ code: 'DR_GRANT_DEAD', agent, fault })
      : finding({ code: 'DR_GRANT_STUCK', agent, fault })
  })
}

/** What earlier renewals have shown of the grants that were not tried just now. */
export function grantsCheck(sight: Sight): readonly Finding[] {
  const tried = new Set(sight.renewals.map(({ agent, profile }) => `${agent} ${profile}`))
  return loadedWorlds(sight).flatMap((world) =>
    heldBy(world)
      .filter(({ id }) => !tried.has(`${world.agent} ${id}`))
      .flatMap((profile) => verdictFindings(world, profile)),
  )
}

function verdictFindings(world: World, profile: HeldProfile): readonly Finding[] {
  const view = world.grants.get(profile.id)
  if (!view?.verdict || view.verdict.outcome.kind === 'renewed') return []
  const fault = faultOf(profile.id, profile.origin, view.verdict, world.moment.upMs)
  const { agent } = world
  if (isDead(view)) return [finding({ code: 'DR_GRANT_DEAD', agent, fault })]
  const isTriedAgain = 'againAt' in fault && fault.againAt !== undefined
  return isTriedAgain && !isExpired(profile.credential, world.now)
    ? [finding({ code: 'DR_GRANT_WAITING', agent, fault })]
    : [finding({ code: 'DR_GRANT_STUCK', agent, fault })]
}

/** Journals that no profile names, and answers that were kept aside. With a book unread, nobody can say so. */
export function journalsCheck(sight: Sight): readonly Finding[] {
  const { state, now } = sight
  const prefix = `${state.root}/grants/`
  const named = namedGrants(sight)
  const folders = new Map<GrantId, { path: string; changedAt: number; names: string[] }>()
  for (const { path, kind, modifiedAt } of state.entries) {
    if (!path.startsWith(prefix)) continue
    const [folder = '', name] = path.slice(prefix.length).split('/')
    const grant = parseGrantId(folder)
    if (!grant || (name === undefined && kind !== 'folder')) continue
    const known = folders.get(grant) ?? { path: `${prefix}${folder}`, changedAt: 0, names: [] }
    known.changedAt = Math.max(known.changedAt, modifiedAt)
    if (name !== undefined) known.names.push(name)
    folders.set(grant, known)
  }
  const all = isEveryBookRead(sight)
  return [...folders].flatMap(([grant, { path, changedAt, names }]) => {
    const aside = names.filter((name) => name.includes('quarantine'))
    const orphan = all && !named.has(grant)
    const unfinished = names.some((name) => name.startsWith('answer'))
    const ageMs = Math.max(0, now - changedAt)
    return [
      ...aside.map((name) => finding({ code: 'DR_GRANT_ASIDE', path: `${path}/${name}` })),
      ...(orphan ? [finding({ code: 'DR_GRANT_ORPHAN', path, grant, ageMs, unfinished })] : []),
    ]
  })
}

function namedGrants(sight: Sight): ReadonlySet<GrantId> {
  const named = new Set<GrantId>()
  for (const world of loadedWorlds(sight)) {
    for (const { grant } of world.foreign) named.add(grant)
    for (const { id, credential, origin, place } of world.book.profiles.values()) {
      if (place !== undefined) named.add(borrowedGrantId(origin, place))
      const own = credential.type === 'oauth' ? ownGrantId(providerOf(id), credential) : undefined
      if (own) named.add(own)
    }
  }
  return named
}
