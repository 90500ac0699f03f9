/** Finds what a user named, or says what is nearest to it. */

import type { Fault } from '../domain/fault.ts'
import type { AgentId, ProfileId } from '../domain/names.ts'
import { parseProfileId, parseProviderId } from '../domain/names.ts'
import { nearestOf } from '../domain/nearest.ts'
import type { HeldProfile } from '../domain/profile.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { World } from '../domain/world.ts'
import type { LoadWorld } from './world.ts'

export async function findProvider(
  loadWorld: LoadWorld,
  agent: AgentId | undefined,
  text: string,
): Promise<Result<{ readonly world: World; readonly facts: ProviderFacts }, Fault>> {
  const loaded = await loadWorld(agent)
  if (!loaded.ok) return loaded
  const id = parseProviderId(text)
  if (!id) return fail({ code: 'EQ_NAME_INVALID', what: 'provider', text })
  const facts = loaded.value.providers.get(id)
  if (facts) return ok({ world: loaded.value, facts })
  const known = [...loaded.value.providers.keys()]
  const nearest = nearestOf(id, known)
  return fail({
    code: 'EQ_PROVIDER_UNKNOWN',
    provider: id,
    known,
    ...(nearest !== undefined && { nearest }),
  })
}

/** A profile in the agent's own book; one that it inherits is removed where it lives. */
export async function findProfile(
  loadWorld: LoadWorld,
  agent: AgentId | undefined,
  text: string,
): Promise<Result<{ readonly world: World; readonly profile: HeldProfile }, Fault>> {
  const loaded = await loadWorld(agent)
  if (!loaded.ok) return loaded
  const world = loaded.value
  if (world.bookFault) return fail(world.bookFault)
  const id = parseProfileId(text)
  if (!id) return fail({ code: 'EQ_NAME_INVALID', what: 'profile', text })
  const profile = world.book.profiles.get(id)
  if (!profile) return fail(unknownProfile(world.agent, id, [...world.book.profiles.keys()]))
  if (profile.home !== world.agent) {
    return fail({
      code: 'EQ_PROFILE_INHERITED',
      profile: id,
      agent: world.agent,
      home: profile.home,
    })
  }
  return ok({ world, profile })
}

export function unknownProfile(
  agent: AgentId,
  profile: ProfileId,
  known: readonly ProfileId[],
): Fault {
  const nearest = nearestOf(profile, known)
  return {
    code: 'EQ_PROFILE_UNKNOWN',
    profile,
    agent,
    known,
    ...(nearest !== undefined && { nearest }),
  }
}
