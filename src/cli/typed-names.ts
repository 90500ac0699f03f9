/** Names as they were typed on the command line, made into names of the domain. */

import type { Fault } from '../domain/fault.ts'
import type { AgentId, ProfileId, ProviderId, SessionId } from '../domain/names.ts'
import { parseAgentId, parseProfileId, parseSessionId, profileId } from '../domain/names.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import { findProvider } from '../services/lookup.ts'

/** @faults `EQ_NAME_INVALID` */
export function typedAgent(text: string | undefined): Result<AgentId | undefined, Fault> {
  return typed(text, 'agent', parseAgentId)
}

/** @faults `EQ_NAME_INVALID` */
export function typedSession(text: string | undefined): Result<SessionId | undefined, Fault> {
  return typed(text, 'session', parseSessionId)
}

/** A provider that there is; undefined where none was typed. @faults `EQ_NAME_INVALID`, `EQ_PROVIDER_UNKNOWN` */
export async function typedProvider(
  app: Pick<App, 'loadWorld'>,
  agent: AgentId | undefined,
  text: string | undefined,
): Promise<Result<ProviderId | undefined, Fault>> {
  if (text === undefined) return ok(undefined)
  const found = await findProvider(app.loadWorld, agent, text)
  return found.ok ? ok(found.value.facts.id) : found
}

/** A whole profile id, or only the part after the colon. @faults `EQ_NAME_INVALID` */
export function typedProfile(
  text: string | undefined,
  provider: ProviderId,
): Result<ProfileId | undefined, Fault> {
  return text === undefined ? ok(undefined) : givenProfile(text, provider)
}

/** As `typedProfile`, of a text that is there. @faults `EQ_NAME_INVALID` */
export function givenProfile(text: string, provider: ProviderId): Result<ProfileId, Fault> {
  const id = parseProfileId(text.includes(':') ? text : profileId(provider, text.trim()))
  return id ? ok(id) : fail({ code: 'EQ_NAME_INVALID', what: 'profile', text })
}

function typed<Name extends string>(
  text: string | undefined,
  what: Extract<Fault, { code: 'EQ_NAME_INVALID' }>['what'],
  parse: (text: string) => Name | undefined,
): Result<Name | undefined, Fault> {
  if (text === undefined) return ok(undefined)
  const name = parse(text)
  return name === undefined ? fail({ code: 'EQ_NAME_INVALID', what, text }) : ok(name)
}
