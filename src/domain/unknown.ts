/** What is said of a name that nothing bears: the fault, with what is nearest to it. */

import type { NameFault } from './fault.ts'
import type { AgentId, ProfileId } from './names.ts'
import { nearestOf } from './nearest.ts'

export function unknownProvider(provider: string, known: readonly string[]): NameFault {
  return { code: 'EQ_PROVIDER_UNKNOWN', provider, known, ...near(provider, known) }
}

export function unknownProfile(
  agent: AgentId,
  profile: ProfileId,
  known: readonly ProfileId[],
): NameFault {
  return { code: 'EQ_PROFILE_UNKNOWN', profile, agent, known, ...near(profile, known) }
}

export function unknownAgent(agent: AgentId, known: readonly AgentId[]): NameFault {
  return { code: 'EQ_AGENT_UNKNOWN', agent, known, ...near(agent, known) }
}

function near(text: string, known: readonly string[]): { readonly nearest?: string } {
  const nearest = nearestOf(text, known)
  return nearest === undefined ? {} : { nearest }
}
