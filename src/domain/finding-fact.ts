/** The facts that doctor can find, one code each. `finding.ts` says how grave each is. */

import type { Rest } from './cooldown.ts'
import type { CredentialType } from './credential.ts'
import type { ConfigFault, Fault, ForeignFault, RenewalFault, StoreFault } from './fault.ts'
import type { ForeignOrigin } from './foreign.ts'
import type { GrantId, TokenMark } from './grant.ts'
import type { FileSystemKind, SeenLock } from './inspection.ts'
import type { AgentId, ProfileId, ProviderId } from './names.ts'
import type { Origin } from './profile.ts'
import type { EpochMs } from './time.ts'

/** The state folder, the disk and the clock. */
export type DiskFact =
  | { readonly code: 'DR_STATE_MISSING'; readonly path: string }
  | {
      readonly code: 'DR_STATE_UNWRITABLE'
      readonly path: string
      readonly errno: string
      /** It does not exist, and the folder that it should stand in lets nobody make it. */
      readonly missing?: true
    }
  /** It is the user's home, or holds it: the files of others lie in it. */
  | { readonly code: 'DR_STATE_SHARED'; readonly path: string }
  | { readonly code: 'DR_STATE_LARGE'; readonly path: string; readonly entries: number }
  | { readonly code: 'DR_FOLDER_UNREADABLE'; readonly path: string; readonly errno: string }
  /** Others may read or write it. */
  | {
      readonly code: 'DR_FILE_OPEN'
      readonly path: string
      readonly kind: 'file' | 'folder'
      readonly mode: number
      readonly secret: boolean
      /** It has several names, to which its mode belongs as well. */
      readonly linked: boolean
    }
  /** Not even its owner may read it, or enter the folder. */
  | {
      readonly code: 'DR_FILE_CLOSED'
      readonly path: string
      readonly kind: 'file' | 'folder'
      readonly mode: number
      readonly linked: boolean
    }
  | { readonly code: 'DR_FILE_OWNER'; readonly path: string }
  | { readonly code: 'DR_FILE_KIND'; readonly path: string }
  /** A link out of the state folder, or to nowhere. */
  | {
      readonly code: 'DR_FILE_LINK'
      readonly path: string
      readonly leadsTo?: string
      /** Settings may live elsewhere, such as among dotfiles: edits follow the link. */
      readonly settings: boolean
    }
  | { readonly code: 'DR_FILE_NAMES'; readonly path: string; readonly names: number }
  | { readonly code: 'DR_FILE_STRAY'; readonly path: string; readonly modifiedAt: EpochMs }
  | { readonly code: 'DR_DISK_FULL'; readonly path: string; readonly freeBytes: number }
  | { readonly code: 'DR_DISK_LOW'; readonly path: string; readonly freeBytes: number }
  | { readonly code: 'DR_DISK_KIND'; readonly path: string; readonly kind: FileSystemKind }
  | { readonly code: 'DR_CLOCK_BEHIND'; readonly now: EpochMs }
  | {
      readonly code: 'DR_CLOCK_FUTURE'
      readonly path: string
      readonly modifiedAt: EpochMs
      readonly files: number
    }

/** What stands in the files. */
export type StoreFact =
  | { readonly code: 'DR_BOOK_UNREADABLE'; readonly agent: AgentId; readonly fault: StoreFault }
  | {
      readonly code: 'DR_BOOK_ENTRY'
      readonly agent: AgentId
      readonly path: string
      readonly field: string
      readonly problem: string
      /** There is an earlier copy that can be put back. */
      readonly restorable: boolean
    }
  | { readonly code: 'DR_CONFIG_INVALID'; readonly fault: ConfigFault | StoreFault }
  | { readonly code: 'DR_CONFIG_OLDER'; readonly path: string; readonly fields: readonly string[] }
  | { readonly code: 'DR_CONFIG_SECRET'; readonly path: string; readonly field: string }
  | {
      readonly code: 'DR_ENV_LINE'
      readonly path: string
      readonly line: number
      readonly problem: string
    }
  | { readonly code: 'DR_AGENT_UNREADABLE'; readonly agent: AgentId; readonly fault: Fault }
  /** `agent` absent: it stands in `auth.order` of the config. */
  | {
      readonly code: 'DR_ORDER_UNKNOWN'
      readonly agent?: AgentId
      readonly provider: ProviderId
      readonly profiles: readonly ProfileId[]
    }
  | { readonly code: 'DR_CHECK_FAILED'; readonly check: string; readonly detail: string }

/** A profile in the book of an agent, with the refresh token that it held when it was seen. */
export interface GrantPlace {
  readonly agent: AgentId
  readonly profile: ProfileId
  readonly grant: GrantId
  readonly token: TokenMark
}

/** Logins: whose they are, and whether they live. */
export type LoginFact =
  | { readonly code: 'DR_FOREIGN_LOGIN'; readonly fault: ForeignFault }
  | { readonly code: 'DR_FOREIGN_ADOPTION'; readonly fault: Fault }
  | { readonly code: 'DR_FOREIGN_LOCK'; readonly lock: SeenLock }
  /** One refresh token in two homes: the first renewal ends the other, or the whole login. */
  | {
      readonly code: 'DR_GRANT_TWICE'
      readonly keep: GrantPlace
      readonly others: readonly GrantPlace[]
    }
  /** A copy of the login that another program keeps. */
  | {
      readonly code: 'DR_GRANT_TWIN'
      readonly place: GrantPlace
      readonly origin: ForeignOrigin
      readonly owner: string
    }
  | { readonly code: 'DR_GRANT_DEAD'; readonly agent: AgentId; readonly fault: RenewalFault }
  /** Tried again by itself, and access is usable meanwhile. */
  | { readonly code: 'DR_GRANT_WAITING'; readonly agent: AgentId; readonly fault: RenewalFault }
  | { readonly code: 'DR_GRANT_STUCK'; readonly agent: AgentId; readonly fault: Fault }
  | { readonly code: 'DR_GRANT_RENEWED'; readonly agent: AgentId; readonly profile: ProfileId }
  /** A journal that no profile names. `unfinished`: an answer lies in it. */
  | {
      readonly code: 'DR_GRANT_ORPHAN'
      readonly path: string
      readonly grant: GrantId
      readonly ageMs: number
      readonly unfinished: boolean
    }
  | { readonly code: 'DR_GRANT_ASIDE'; readonly path: string }

/** Credentials and their use. */
export type CredentialFact =
  | {
      readonly code: 'DR_ACCESS_ENDED'
      readonly agent: AgentId
      readonly profile: ProfileId
      readonly type: CredentialType
      readonly origin: Origin
      readonly at: EpochMs
    }
  /** Its owner alone renews it. */
  | {
      readonly code: 'DR_ACCESS_OWNERS'
      readonly agent: AgentId
      readonly profile: ProfileId
      readonly origin: Origin
    }
  | {
      readonly code: 'DR_ACCESS_ENDING'
      readonly agent: AgentId
      readonly profile: ProfileId
      readonly type: CredentialType
      readonly origin: Origin
      readonly at: EpochMs
    }
  | {
      readonly code: 'DR_ACCESS_REJECTED'
      readonly agent: AgentId
      readonly profile: ProfileId
      readonly at: EpochMs
      readonly words: string
      /** The variable or config field that holds it, where it is no profile of the book. */
      readonly outside?: string
    }
  | {
      readonly code: 'DR_SECRET_UNUSABLE'
      readonly agent: AgentId
      readonly profile: ProfileId
      readonly outside?: string
      /** The variable that config refers to and that is not set. */
      readonly variable?: string
    }
  | {
      readonly code: 'DR_POLICY_REFUSED'
      readonly agent: AgentId
      readonly profile: ProfileId
      readonly at: EpochMs
      readonly words: string
    }
  | {
      readonly code: 'DR_RESTING'
      readonly agent: AgentId
      readonly profile: ProfileId
      readonly rest: Rest
    }
  | { readonly code: 'DR_CREDENTIAL_NONE' }
  | {
      readonly code: 'DR_PROFILE_UNORDERED'
      readonly agent: AgentId
      readonly profile: ProfileId
      readonly order: 'agent' | 'config'
    }
  | {
      readonly code: 'DR_PROFILE_MODE'
      readonly agent: AgentId
      readonly profile: ProfileId
      readonly mode: CredentialType
      readonly type: CredentialType
    }
  | {
      readonly code: 'DR_PROFILE_UNUSED'
      readonly agent: AgentId
      readonly profile: ProfileId
      /** Last used, or stored when it was never used. */
      readonly since: EpochMs
    }

export type FindingFact = DiskFact | StoreFact | LoginFact | CredentialFact
export type FindingCode = FindingFact['code']
