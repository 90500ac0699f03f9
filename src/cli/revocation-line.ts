/** What became of a login at its provider, for a screen and for programs. */

import { explain } from '../domain/explain.ts'
import { loginFailureWords } from '../domain/explain-login.ts'
import type { LoginFault } from '../domain/fault.ts'
import type { EpochMs } from '../domain/time.ts'
import { dateText } from '../domain/time.ts'
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
    case 'failed':
      return [
        `${login} is removed here and still valid at ${provider}: revoking it failed (${failedWords(revocation.fault)}). ${untilWords(revocation.accessEndsAt)}`,
        `End it there, in the settings of your account at ${provider}.`,
      ]
    case 'lives_on': {
      const { type, keysPage, expiresAt } = revocation
      const end = expiresAt === undefined ? '' : ` until ${dateText(expiresAt)}`
      return [
        `The ${type === 'api_key' ? 'API key' : 'token'} itself goes on living at ${provider}${end}.`,
        `To end it there: ${keysPage ?? `the settings of your account at ${provider}`}`,
      ]
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

function untilWords(accessEndsAt: EpochMs | undefined): string {
  return accessEndsAt === undefined
    ? 'When it ends by itself is not known.'
    : `Its access ends ${dateText(accessEndsAt)}; the login itself may go on.`
}

/** That nothing was changed is true of a login that failed, and not of this one. */
function failedWords(fault: LoginFault): string {
  return fault.code === 'EQ_LOGIN_FAILED' ? loginFailureWords(fault) : explain(fault).message
}

export function revocationJson(revocation: Revocation): unknown {
  if (revocation.kind !== 'failed') return revocation
  const { code } = faultJson(revocation.fault)
  const { kind, fault, accessEndsAt } = revocation
  return {
    kind,
    error: { code, message: failedWords(fault) },
    ...(accessEndsAt !== undefined && { accessEndsAt }),
  }
}
