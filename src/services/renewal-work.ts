/** What the helper process does with its order: find the login's home, renew it there, or let its owner do it. */

import { ownerProgramWords } from '../domain/explain-foreign.ts'
import type { Fault } from '../domain/fault.ts'
import type { RenewalOutcome } from '../domain/grant.ts'
import { markOf } from '../domain/grant.ts'
import { providerOf } from '../domain/names.ts'
import type { ProfileStore } from '../domain/ports.ts'
import type {
  ForeignSource,
  GrantStore,
  OwnerHome,
  OwnerProgram,
  RenewalOrder,
} from '../domain/renewal-ports.ts'
import type { HeldProfile } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { freshness } from '../domain/renewal-rules.ts'
import { MINUTE_MS } from '../domain/time.ts'
import type { World } from '../domain/world.ts'
import { grantOf } from './grant-views.ts'
import type { ProtocolDeps, RenewalEnd } from './renewal-job.ts'
import { conclude } from './renewal-outcomes.ts'
import { renewOnce } from './renewal-protocol.ts'
import { bookHome, borrowedHome, ownedAlone } from './token-home.ts'
import type { LoadWorld } from './world.ts'

export interface RenewalWorkDeps extends ProtocolDeps {
  readonly loadWorld: LoadWorld
  readonly profiles: ProfileStore
  readonly grants: GrantStore
  /** The logins of other programs, also of those that config leaves alone. */
  readonly sources: readonly ForeignSource[]
  readonly owners: readonly OwnerHome[]
  readonly programs: readonly OwnerProgram[]
  /** Takes over what other programs have renewed by themselves. */
  readonly adopt: () => Promise<unknown>
}

/** How long an owner's program may take to renew its login, ms. */
const OWNER_PATIENCE_MS: number = 2 * MINUTE_MS

/** Runs under the grant's lock. */
export async function carryOut(
  deps: RenewalWorkDeps,
  order: RenewalOrder,
): Promise<Result<RenewalEnd, Fault>> {
  const loaded = await deps.loadWorld(order.agent)
  if (!loaded.ok) return loaded
  const world = loaded.value
  const profile = world.book.profiles.get(order.profile)
  if (!profile) return ok('nothing_to_do')
  const grant = grantOf(profile, world.settings, world.foreign)
  // The login was replaced since the order was given: another grant, another lock.
  if (grant?.id !== order.grant) return ok('nothing_to_do')
  const facts = world.providers.get(providerOf(profile.id))?.oauth
  if (!facts) return ok('nothing_to_do')

  const journal = deps.grants.journal(order.grant)
  const common = { journal, facts, unwanted: order.unwanted, urge: order.urge }
  switch (grant.way) {
    case 'ours': {
      const home = bookHome(deps.profiles, profile.home, profile.id, (login) => ({
        ...login,
        grantId: order.grant,
      }))
      const alone = ownedAlone(home, deps.sources, profile.id)
      return ok(await renewOnce(deps, { ...common, home: alone }))
    }
    case 'neighbour': {
      const owner = deps.owners.find(({ origin }) => origin === profile.origin)
      if (!owner) return ok('nothing_to_do')
      const home = borrowedHome(deps.profiles, owner)
      return ok(await renewOnce(deps, { ...common, home }))
    }
    case 'owner':
      return ok(await letOwnerRenew(deps, order, world, profile))
    case 'never':
    case 'none':
      return ok('nothing_to_do')
    default:
      return grant.way satisfies never
  }
}

/** Its owner's program renews the login when it needs it; what it has stored then is taken over. */
async function letOwnerRenew(
  deps: RenewalWorkDeps,
  order: RenewalOrder,
  world: World,
  profile: HeldProfile,
): Promise<RenewalEnd> {
  const program = deps.programs.find(({ origin }) => origin === profile.origin)
  if (!program) return 'nothing_to_do'
  const ran = await program.run(OWNER_PATIENCE_MS)
  await deps.adopt()
  const read = await deps.profiles.read(profile.home)
  const now = read.ok ? read.value.book.profiles.get(profile.id)?.credential : undefined
  const isOther = now?.type === 'oauth' && markOf(now.access) !== order.unwanted
  // What its owner holds may have ended too: then it has not renewed it.
  if (isOther && freshness(now, deps.clock.now()) !== 'stale') return 'renewed'
  const token = grantOf(profile, world.settings, world.foreign)?.token
  if (!token) return 'failed'
  const outcome: RenewalOutcome = {
    kind: 'not_sent',
    reason: 'owner_program',
    words: ownerProgramWords(program.origin, ran, OWNER_PATIENCE_MS),
  }
  await conclude(deps, { journal: deps.grants.journal(order.grant) }, token, outcome)
  return 'failed'
}
