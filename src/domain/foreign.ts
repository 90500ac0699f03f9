/** Logins that belong to other programs. We may use what they hold; their refresh tokens stay in their homes. */

import type { ForeignFault } from './fault.ts'
import type { GrantId } from './grant.ts'
import type { ProfileId } from './names.ts'
import type { Origin, Profile, ProfileBook } from './profile.ts'
import type { Result } from './result.ts'
import type { Secret } from './secret.ts'
import type { EpochMs } from './time.ts'

export type ForeignOrigin = Exclude<Origin, 'equabot'>

export const FOREIGN_ORIGINS: readonly ForeignOrigin[] = ['claude-code', 'codex-cli']

/** What switches the logins of another program off. */
export type SwitchedOffBy = 'config' | 'environment'

/** The profile that stands for a foreign login. */
export const FOREIGN_PROFILES: Readonly<Record<ForeignOrigin, ProfileId>> = {
  'claude-code': 'anthropic:claude-cli' as ProfileId,
  'codex-cli': 'openai-codex:codex-cli' as ProfileId,
}

/** A login as it stands in its owner's home now. */
export interface ForeignLogin {
  readonly origin: ForeignOrigin
  /** Where it stands: a path, or `Keychain item "…"`. */
  readonly place: string
  readonly access: Secret
  /** `oauth`: there is a refresh token, which is not shown here. `token`: nothing renews it. */
  readonly type: 'oauth' | 'token'
  /** Mark of the owner's refresh token; absent for a `token`. */
  readonly refreshMark?: string
  readonly expiresAt?: EpochMs
  readonly email?: string
  readonly accountId?: string
  /** The place that its owner prefers was not looked into, so this may be a leftover. */
  readonly fallback?: true
  /** Works, and should not stay so. */
  readonly remark?: ForeignFault
}

/** What a look into the owner's home gave. */
export type ForeignReading = Result<ForeignLogin | undefined, ForeignFault>

/** Marks of an owner's refresh tokens. Unknown: its home cannot be read as it is, so that any token may be its own. */
export type OwnerMarks = ReadonlySet<string> | 'unknown'

/** What is known of a foreign login at one instant. */
export interface ForeignView {
  readonly origin: ForeignOrigin
  readonly grant: GrantId
  readonly place: string
  readonly reading: ForeignReading
}

/** The stored copy of the login from there, if there is one. */
export function copyOf(origin: Origin, book: ProfileBook): Profile | undefined {
  if (origin === 'equabot') return undefined
  const held = book.profiles.get(FOREIGN_PROFILES[origin])
  return held?.origin === origin ? held : undefined
}

/** The fault, and whether it leaves us with anything. */
export function besideCopy(fault: ForeignFault, book: ProfileBook): ForeignFault {
  return copyOf(fault.origin, book) ? fault : { ...fault, noCopy: true }
}
