/** The end of a grant at its provider. Best effort: what is forgotten here is forgotten, whatever the provider says. */

import type { LoginFault } from '../domain/fault.ts'
import type { Credential, OauthCredential } from '../domain/credential.ts'
import { bearerOf, expiresAtOf } from '../domain/credential.ts'
import type { ForeignOrigin } from '../domain/foreign.ts'
import { ownGrantId } from '../domain/grant.ts'
import type { ProfileId, ProviderId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { ProfileStore } from '../domain/ports.ts'
import type { GrantStore, LoginFlow } from '../domain/renewal-ports.ts'
import type { Profile } from '../domain/profile.ts'
import type { ProviderFacts, ProviderTable } from '../domain/provider.ts'
import { clientOf } from '../domain/renewal-rules.ts'
import type { EpochMs } from '../domain/time.ts'

export type Revocation =
  | { readonly kind: 'revoked' }
  /** The provider has no place where a login can be revoked. */
  | { readonly kind: 'not_offered' }
  /** The login is another program's, which goes on with it. */
  | { readonly kind: 'borrowed'; readonly origin: ForeignOrigin }
  /** Another profile lives by the same login. */
  | { readonly kind: 'shared'; readonly sharedWith: ProfileId }
  /** Access goes on until then, where that is known; the login itself until it is ended there. */
  | { readonly kind: 'failed'; readonly fault: LoginFault; readonly accessEndsAt?: EpochMs }
  /** It was pasted, and is not ours to end. */
  | {
      readonly kind: 'lives_on'
      readonly type: 'api_key' | 'token'
      readonly expiresAt?: EpochMs
      /** Where keys are made and revoked. */
      readonly keysPage?: string
    }

export interface RevocationDeps {
  readonly profiles: ProfileStore
  readonly logins: Pick<LoginFlow, 'revoke'>
  readonly grants: Pick<GrantStore, 'forget'>
}

/**
 * @param profile as it was in its book, which it has left by now
 * @returns undefined where nothing lives on anywhere: a key of the sandbox
 */
export async function revokeGrant(
  deps: RevocationDeps,
  providers: ProviderTable,
  { id, origin, credential }: Profile,
): Promise<Revocation | undefined> {
  if (origin !== 'equabot') return { kind: 'borrowed', origin }
  const provider = providerOf(id)
  const facts = providers.get(provider)
  if (credential.type !== 'oauth') return livingOn(credential, facts)
  const oauth = facts?.oauth
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
  if (revoked.ok) return { kind: 'revoked' }
  const { expiresAt } = credential
  return {
    kind: 'failed',
    fault: revoked.fault,
    ...(expiresAt !== undefined && { accessEndsAt: expiresAt }),
  }
}

function livingOn(
  credential: Exclude<Credential, OauthCredential>,
  facts: ProviderFacts | undefined,
): Revocation | undefined {
  const { type } = credential
  const expiresAt = expiresAtOf(credential)
  if (facts?.keyless === 'sandbox') return undefined
  return {
    kind: 'lives_on',
    type,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(type === 'api_key' && facts?.keysPage !== undefined && { keysPage: facts.keysPage }),
  }
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
