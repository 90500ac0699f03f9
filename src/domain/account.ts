/** Which account stands behind a login, so that logins of one account share what its provider says about it. */

import type { Credential } from './credential.ts'
import type { ProfileId } from './names.ts'
import { providerOf } from './names.ts'
import type { Lane } from './provider.ts'

interface Login {
  readonly id: ProfileId
  readonly credential?: Credential
  readonly lane: Lane
}

/**
 * The names under which a limit of this login's account is kept, the surest first. None for a metered key: whose it is
 * is not known, and what it is limited to is its own.
 */
export function accountKeys({ id, credential, lane }: Login): readonly string[] {
  if (lane !== 'subscription' || !credential || credential.type === 'api_key') return []
  const provider = providerOf(id)
  const accountId = credential.type === 'oauth' ? credential.accountId : undefined
  return [
    ...(accountId === undefined ? [] : [`${provider}:${accountId}`]),
    ...(credential.email === undefined ? [] : [`${provider}:${credential.email.toLowerCase()}`]),
  ]
}

/** The one name under which to look: two accounts may have one address, but not one id. */
export function accountKey(login: Login): string | undefined {
  return accountKeys(login)[0]
}
