/** Finds what a user named, or says what is nearest to it. */

import type { Fault } from '../domain/fault.ts'
import type { AgentId } from '../domain/names.ts'
import { parseProfileId, parseProviderId } from '../domain/names.ts'
import type { HeldProfile } from '../domain/profile.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { World } from '../domain/world.ts'
import type { LoadWorld } from './world.ts'
import { unknownProfile, unknownProvider } from '../domain/unknown.ts'

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
  return fail(unknownProvider(id, [...loaded.value.providers.keys()]))
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
