/** What became of a login at its provider, for a screen and for programs. */

import { explain } from '../domain/explain.ts'
import { enabledCommand, OWNER_NAMES } from '../domain/explain-foreign.ts'
import type { Revocation } from '../services/revocation.ts'
import { faultJson } from '../wire/fault-json.ts'

/** Sentences. @param provider where the login was @param login how it is called: `The old login` */
export function revocationLines(
  revocation: Revocation,
  provider: string,
  login = 'The login',
): readonly string[] {
  switch (revocation.kind) {
    case 'revoked':
      return [`${login} was revoked at ${provider}.`]
    case 'not_offered':
      return [`Not revoked: ${provider} does not offer it; the login ends there by itself.`]
    case 'shared':
      return [`Not revoked: ${revocation.sharedWith} lives by the same login.`]
    case 'failed': {
      const { message } = explain(revocation.fault)
      return [`Not revoked at ${provider}: ${message}.`]
    }
    case 'borrowed': {
      const owner = OWNER_NAMES[revocation.origin]
      return [
        `Not revoked: the login is ${owner}'s, and it comes back at the next sync while ${owner} is logged in.`,
        `To leave it out for good: ${enabledCommand(revocation.origin, false)}`,
      ]
    }
    default:
      return revocation satisfies never
  }
}

export function revocationJson(revocation: Revocation): unknown {
  if (revocation.kind !== 'failed') return revocation
  const { code, message } = faultJson(revocation.fault)
  return { kind: revocation.kind, error: { code, message } }
}
