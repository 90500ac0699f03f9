/** What becomes of the stored copy of another program's login when that login is looked at. Pure; nothing is written here. */

import type { Credential, OauthCredential } from './credential.ts'
import { bearerOf, expiresAtOf, isExpired } from './credential.ts'
import type { ForeignFault } from './fault.ts'
import type { ForeignLogin, ForeignOrigin } from './foreign.ts'
import { FOREIGN_PROFILES } from './foreign.ts'
import { markOf } from './grant.ts'
import type { ProfileId } from './names.ts'
import type { Profile } from './profile.ts'
import type { EpochMs } from './time.ts'

export type Adoption =
  | { readonly kind: 'add' | 'update'; readonly profile: Profile }
  | { readonly kind: 'same' }
  | { readonly kind: 'keep'; readonly because: KeptBecause }

export type KeptBecause =
  /** The stored copy ends later. */
  | 'stored_newer'
  /** A person has stored a credential of their own under this id. */
  | 'own_token'
  /** The stored copy can be renewed by its owner, and the login there cannot. */
  | 'no_downgrade'

/** What came of adopting from one source. */
export interface SyncedSource {
  readonly origin: ForeignOrigin
  readonly place: string
  readonly profile: ProfileId
  /**
   * `added`, `updated`: the book has what the source has. `same`: it had that already. `kept`: the stored copy stays.
   * `absent`: there is no login. `off`: not looked at. `fault`: it cannot be taken over as it is.
   */
  readonly outcome: 'added' | 'updated' | 'same' | 'kept' | 'absent' | 'off' | 'fault'
  readonly because?: KeptBecause | 'config' | 'environment'
  /** What is wrong; with `absent`, why there is no login. */
  readonly fault?: ForeignFault
  /** It works, and should not stay so. */
  readonly remark?: ForeignFault
  readonly login?: Pick<ForeignLogin, 'type' | 'expiresAt' | 'email' | 'accountId'>
  /** With `absent`: what was taken over from there before. Nothing renews it. */
  readonly copy?: { readonly expiresAt?: EpochMs }
}

/**
 * The newest wins, and what has ended never stands in the way of what has not.
 *
 * @param stored what the book of `main` holds under the login's id
 * @param login as it stands in its owner's home
 */
export function adoption(stored: Profile | undefined, login: ForeignLogin, now: EpochMs): Adoption {
  const adopted = adoptedProfile(login, stored)
  if (!stored) return { kind: 'add', profile: adopted }
  if (stored.origin === 'equabot') return overOwn(stored, login, adopted, now)
  if (stored.origin !== login.origin || isOtherAccount(stored, login)) {
    return { kind: 'update', profile: adopted }
  }
  return overBorrowed(stored, login, adopted, now)
}

function overBorrowed(
  stored: Profile,
  login: ForeignLogin,
  adopted: Profile,
  now: EpochMs,
): Adoption {
  const { credential } = stored
  if (isSame(stored, login)) return { kind: 'same' }
  const update: Adoption = { kind: 'update', profile: adopted }
  if (credential.type === 'token' && login.type === 'oauth') return update
  const isDowngrade = credential.type === 'oauth' && login.type === 'token'
  if (isDowngrade && !isExpired(credential, now)) return { kind: 'keep', because: 'no_downgrade' }
  // Ending alike, it is the owner's home that knows.
  const isAsLate = endOf(login.expiresAt) === endOf(expiresAtOf(credential))
  return isAsLate || wins(login, credential, now)
    ? update
    : { kind: 'keep', because: 'stored_newer' }
}

/** Over what stands under this id as our own: put there by a person, or by an older tool that copied the same login. */
function overOwn(stored: Profile, login: ForeignLogin, adopted: Profile, now: EpochMs): Adoption {
  const { credential } = stored
  const update: Adoption = { kind: 'update', profile: adopted }
  const newer: Adoption = wins(login, credential, now)
    ? update
    : { kind: 'keep', because: 'stored_newer' }
  switch (credential.type) {
    case 'api_key':
      return { kind: 'keep', because: 'own_token' }
    case 'token':
      if (stored.storedAt !== undefined) {
        return isExpired(credential, now) ? newer : { kind: 'keep', because: 'own_token' }
      }
      return login.type === 'oauth' || bearerOf(credential).equals(login.access) ? update : newer
    case 'oauth':
      if (isSameGrant(credential, login))
        return { kind: 'update', profile: disowned(stored, adopted) }
      if (login.type === 'token' && !isExpired(credential, now)) {
        return { kind: 'keep', because: 'no_downgrade' }
      }
      return newer
    default:
      return credential satisfies never
  }
}

function wins(login: ForeignLogin, credential: Credential, now: EpochMs): boolean {
  const isValid = endOf(login.expiresAt) > now
  return (
    endOf(login.expiresAt) > endOf(expiresAtOf(credential)) ||
    (isExpired(credential, now) && isValid)
  )
}

/** No end known counts as the latest of all. */
function endOf(expiresAt: EpochMs | undefined): number {
  return expiresAt ?? Infinity
}

/** Its owner has logged in as somebody else. A leftover in a lesser place says nothing of that kind. */
function isOtherAccount({ credential }: Profile, login: ForeignLogin): boolean {
  const stored = accountOf(credential)
  return (
    !login.fallback &&
    stored !== undefined &&
    login.accountId !== undefined &&
    stored !== login.accountId
  )
}

function accountOf(credential: Credential): string | undefined {
  return credential.type === 'oauth' ? credential.accountId : undefined
}

/** A copy of the owner's grant: sending its refresh token would log the owner out. */
function isSameGrant({ access, refresh }: OauthCredential, login: ForeignLogin): boolean {
  return (
    access.equals(login.access) || (refresh !== undefined && markOf(refresh) === login.refreshMark)
  )
}

/** The copy without its refresh token; its access token stays where it is the newer one. */
function disowned(stored: Profile, adopted: Profile): Profile {
  const [own, owners] = [stored.credential, adopted.credential]
  if (own.type !== 'oauth' || owners.type !== 'oauth') return adopted
  const { expiresAt } = own
  if (expiresAt === undefined || expiresAt <= endOf(owners.expiresAt)) return adopted
  return { ...adopted, credential: { ...owners, access: own.access, expiresAt } }
}

/** Whether the stored copy says all that the login says. It may know more: what a renewal has shown. */
function isSame({ credential, place }: Profile, login: ForeignLogin): boolean {
  return (
    credential.type === login.type &&
    bearerOf(credential).equals(login.access) &&
    expiresAtOf(credential) === login.expiresAt &&
    place === login.place &&
    !(credential.type === 'oauth' && credential.refresh) &&
    (login.email === undefined || credential.email === login.email) &&
    (login.accountId === undefined ||
      credential.type !== 'oauth' ||
      credential.accountId === login.accountId)
  )
}

/** The profile for a login. Its refresh token stays where it is; who it belongs to is not forgotten for the same account. */
function adoptedProfile(login: ForeignLogin, stored: Profile | undefined): Profile {
  const known =
    stored && login.accountId !== undefined && accountOf(stored.credential) === login.accountId
      ? stored.credential.email
      : undefined
  const email = login.email ?? known
  const more = {
    ...(login.expiresAt !== undefined && { expiresAt: login.expiresAt }),
    ...(email !== undefined && { email }),
  }
  return {
    id: FOREIGN_PROFILES[login.origin],
    origin: login.origin,
    place: login.place,
    credential:
      login.type === 'token'
        ? { type: 'token', token: login.access, ...more }
        : {
            type: 'oauth',
            access: login.access,
            ...more,
            ...(login.accountId !== undefined && { accountId: login.accountId }),
          },
  }
}
