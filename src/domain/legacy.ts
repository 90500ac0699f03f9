/** Logins as other tools keep them, read and not yet ours. */

import type { CredentialType } from './credential.ts'
import type { ForeignOrigin } from './foreign.ts'
import type { AgentId, ProfileId, ProviderId } from './names.ts'
import type { Origin, Profile } from './profile.ts'
import type { Result } from './result.ts'

/** What one file of another tool holds. */
export interface LegacyLogins {
  readonly entries: readonly LegacyEntry[]
  /** The order that it says its profiles have. */
  readonly order: ReadonlyMap<ProviderId, readonly ProfileId[]>
}

export interface LegacyEntry {
  /** As it stands there, safe to print: `anthropic`, `anthropic:work`. */
  readonly name: string
  readonly login: Result<Profile, NotImported>
}

/** Why an entry does not become a profile of ours. */
export type NotImported =
  | { readonly code: 'unreadable'; readonly field: string; readonly expected: string }
  | { readonly code: 'unknown_type'; readonly type: string }
  | { readonly code: 'blank' }
  | { readonly code: 'placeholder' }
  | { readonly code: 'malformed' }
  /** What it is called there cannot be the name of a profile. */
  | { readonly code: 'unnameable' }
  | { readonly code: 'reserved' }
  | { readonly code: 'unknown_provider'; readonly provider: ProviderId }
  /** A login of another program on this machine, which stays its own. */
  | { readonly code: 'foreign'; readonly origin?: Origin }
  /** The home of that program's login cannot be read, so this may be its own. */
  | { readonly code: 'owner_unknown'; readonly origin: ForeignOrigin }
  /** By our own records its refresh token has served: a newer one has taken its place. */
  | { readonly code: 'spent' }
  /** One refresh token, one home: it stands in this profile already. */
  | {
      readonly code: 'stands_elsewhere'
      readonly profile: ProfileId
      readonly agent: AgentId
    }

/** Why the profile of that name was left as it is. */
export type KeptBecause =
  /** That is what stands here. */
  | {
      readonly code: 'another_credential'
      readonly type: CredentialType
      readonly fingerprint: string
    }
  | { readonly code: 'borrowed'; readonly origin: Origin }
  /** The name that was given to it is that of another login of the same import. */
  | { readonly code: 'came_before' }
  /** It may be another state of the grant that the same import has brought under this name. */
  | { readonly code: 'maybe_older'; readonly profile: ProfileId }
  /** What our own file holds under that name cannot be read. */
  | { readonly code: 'ours_unreadable' }
