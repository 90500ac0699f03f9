import type { AgentId, ClientName, ProfileId, ProviderId, SessionId } from '../src/domain/names.ts'
import {
  parseAgentId,
  parseClientName,
  parseProfileId,
  parseProviderId,
  parseSessionId,
} from '../src/domain/names.ts'

function parsed<T>(text: string, value: T | undefined): T {
  if (value === undefined) throw new TypeError(`"${text}" is not such a name`)
  return value
}

export const provider = (text: string): ProviderId => parsed(text, parseProviderId(text))
export const profile = (text: string): ProfileId => parsed(text, parseProfileId(text))
export const agent = (text: string): AgentId => parsed(text, parseAgentId(text))
export const client = (text: string): ClientName => parsed(text, parseClientName(text))
export const session = (text: string): SessionId => parsed(text, parseSessionId(text))
