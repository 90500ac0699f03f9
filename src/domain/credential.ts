/** What opens a provider's door, and how long it does. */

import type { GrantId } from './grant.ts'
import type { Secret } from './secret.ts'
import type { EpochMs } from './time.ts'

export interface ApiKeyCredential {
  readonly type: 'api_key'
  readonly key: Secret
  readonly email?: string
}

/** A static bearer, such as a setup-token. Nothing renews it. */
export interface TokenCredential {
  readonly type: 'token'
  readonly token: Secret
  /** Absent: no end is known. */
  readonly expiresAt?: EpochMs
  /** When its provider issued it, where that is known. */
  readonly issuedAt?: EpochMs
  readonly email?: string
}

export interface OauthCredential {
  readonly type: 'oauth'
  readonly access: Secret
  /** Absent for a borrowed grant: its refresh token stays in its owner's home. */
  readonly refresh?: Secret
  readonly expiresAt?: EpochMs
  /** When the access token was issued; with `expiresAt` it gives its lifetime. */
  readonly renewedAt?: EpochMs
  readonly email?: string
  readonly accountId?: string
  /** The grant behind it, the same through every rotation; absent in files of older tools. */
  readonly grantId?: GrantId
  /** The OAuth client that the grant was given to; absent: the provider's usual one. */
  readonly clientId?: string
}

export type Credential = ApiKeyCredential | TokenCredential | OauthCredential
export type CredentialType = Credential['type']

/** The part that is sent to the provider. */
export function bearerOf(credential: Credential): Secret {
  switch (credential.type) {
    case 'api_key':
      return credential.key
    case 'token':
      return credential.token
    case 'oauth':
      return credential.access
    default:
      return credential satisfies never
  }
}

export function expiresAtOf(credential: Credential): EpochMs | undefined {
  return credential.type === 'api_key' ? undefined : credential.expiresAt
}

export function isExpired(credential: Credential, now: EpochMs): boolean {
  const at = expiresAtOf(credential)
  return at !== undefined && at <= now
}

/** Whether new access tokens can be had without the user. */
export function isRenewable(credential: Credential): boolean {
  return credential.type === 'oauth' && credential.refresh !== undefined
}

/**
 * Whether two logins are one account's: by its id where both tell it, else by its address.
 *
 * @returns undefined when they do not say enough
 */
export function isSameAccount(a: OauthCredential, b: OauthCredential): boolean | undefined {
  if (a.accountId !== undefined && b.accountId !== undefined) return a.accountId === b.accountId
  if (a.email !== undefined && b.email !== undefined) {
    return a.email.toLowerCase() === b.email.toLowerCase()
  }
  return undefined
}
