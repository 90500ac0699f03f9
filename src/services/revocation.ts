/** The end of a grant at its provider. Best effort: what is forgotten here is forgotten, whatever the provider says. */

import type { LoginFault } from '../domain/fault.ts'
import type { OauthCredential } from '../domain/credential.ts'
import { bearerOf } from '../domain/credential.ts'
import type { ForeignOrigin } from '../domain/foreign.ts'
import { ownGrantId } from '../domain/grant.ts'
import type { ProfileId, ProviderId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { ProfileStore } from '../domain/ports.ts'
import type { GrantStore, LoginFlow } from '../domain/renewal-ports.ts'
import type { Profile } from '../domain/profile.ts'
import type { ProviderTable } from '../domain/provider.ts'
import { clientOf } from '../domain/renewal-rules.ts'

export type Revocation =
  | { readonly kind: 'revoked' }
  /** The provider has no place where a login can be revoked. */
  | { readonly kind: 'not_offered' }
  /** The login is another program's, which goes on with it. */
  | { readonly kind: 'borrowed'; readonly origin: ForeignOrigin }
  /** Another profile lives by the same login. */
  | { readonly kind: 'shared'; readonly sharedWith: ProfileId }
  | { readonly kind: 'failed'; readonly fault: LoginFault }

export interface RevocationDeps {
  readonly profiles: ProfileStore
  readonly logins: Pick<LoginFlow, 'revoke'>
  readonly grants: Pick<GrantStore, 'forget'>
}

/**
 * @param profile as it was in its book, which it has left by now
 * @returns undefined for a key or a token that was pasted: it is not ours to end
 */
export async function revokeGrant(
  deps: RevocationDeps,
  providers: ProviderTable,
  { id, origin, credential }: Profile,
): Promise<Revocation | undefined> {
  if (origin !== 'equabot') return { kind: 'borrowed', origin }
  if (credential.type !== 'oauth') return undefined
  const provider = providerOf(id)
  const oauth = providers.get(provider)?.oauth
  const clientId = oauth && clientOf(oauth, credential)
  if (oauth?.revokeUrl === undefined || clientId === undefined) return { kind: 'not_offered' }
  const sharedWith = await otherHolder(deps.profiles, provider, credential)
  if (sharedWith) return { kind: 'shared', sharedWith }
  // Who ends the refresh token ends its access tokens with it. RFC 7009 2.1
  const { refresh, access } = credential
  const revoked = await deps.logins.revoke(
    provider,
    { ...oauth, clientId },
    refresh ?? access,
    refresh ? 'refresh_token' : 'access_token',
  )
  return revoked.ok ? { kind: 'revoked' } : { kind: 'failed', fault: revoked.fault }
}

/** Removes what the journal holds of a grant that nobody lives by any more. */
export async function forgetGrant(
  { profiles, grants }: RevocationDeps,
  { id, origin, credential }: Profile,
): Promise<void> {
  if (origin !== 'equabot' || credential.type !== 'oauth') return
  const provider = providerOf(id)
  const grant = ownGrantId(provider, credential)
  if (grant && !(await otherHolder(profiles, provider, credential))) await grants.forget(grant)
}

/** A profile, of whichever agent, that lives by this login. A copy of it may not say which grant it is of. */
async function otherHolder(
  profiles: ProfileStore,
  provider: ProviderId,
  login: OauthCredential,
): Promise<ProfileId | undefined> {
  const grant = ownGrantId(provider, login)
  for (const agent of await profiles.agents()) {
    const stored = await profiles.read(agent)
    if (!stored.ok) continue
    for (const { id, credential } of stored.value.book.profiles.values()) {
      if (bearerOf(credential).equals(login.access)) return id
      if (credential.type !== 'oauth') continue
      if (grant !== undefined && ownGrantId(providerOf(id), credential) === grant) return id
      if (login.refresh && credential.refresh?.equals(login.refresh)) return id
    }
  }
  return undefined
}
