/** What doctor finds, as plain data: a stable code and the values. Words stand in `finding-words.ts`, never a secret. */

import type { Rest } from './cooldown.ts'
import type { CredentialType } from './credential.ts'
import type { ConfigFault, Fault, ForeignFault, RenewalFault, StoreFault } from './fault.ts'
import type { ForeignOrigin } from './foreign.ts'
import type { GrantId, TokenMark } from './grant.ts'
import type { FileSystemKind, SeenLock } from './inspection.ts'
import type { AgentId, ProfileId, ProviderId } from './names.ts'
import type { Origin } from './profile.ts'
import type { EpochMs } from './time.ts'
import { DAY_MS } from './time.ts'

/** `error`: something does not work, or a secret is open. `warn`: it will, or may. `info`: worth knowing, nothing wrong. */
export type Severity = 'error' | 'warn' | 'info'

/** The state folder, the disk and the clock. */
export type DiskFact =
  | { readonly code: 'DR_STATE_MISSING'; readonly path: string }
  | { readonly code: 'DR_STATE_UNWRITABLE'; readonly path: string; readonly errno: string }
  | { readonly code: 'DR_STATE_LARGE'; readonly path: string; readonly entries: number }
  | { readonly code: 'DR_FOLDER_UNREADABLE'; readonly path: string; readonly errno: string }
  /** Others may read or write it. */
  | {
      readonly code: 'DR_FILE_OPEN'
      readonly path: string
      readonly kind: 'file' | 'folder'
      readonly mode: number
      readonly secret: boolean
    }
  /** Not even its owner may read and write it. */
  | {
      readonly code: 'DR_FILE_CLOSED'
      readonly path: string
      readonly kind: 'file' | 'folder'
      readonly mode: number
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

export type Finding = FindingFact & {
  readonly severity: Severity
  /** `doctor --fix` can do something about it. */
  readonly fixable: boolean
}

/** A journal that nobody names goes after this long. */
const ORPHAN_LIFE_MS: number = 30 * DAY_MS

export function finding(fact: FindingFact): Finding {
  return { ...fact, severity: severityOf(fact), fixable: isFixable(fact) }
}

/** Whether doctor's answer is that nothing is wrong. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ severity }) => severity === 'info')
}

/** What makes two findings the same one, in whatever words and numbers. */
export function findingKey(fact: FindingFact): string {
  switch (fact.code) {
    case 'DR_FOREIGN_LOCK':
      return `${fact.code} ${fact.lock.path}`
    case 'DR_GRANT_TWICE':
      return `${fact.code} ${[fact.keep, ...fact.others].map(placeKey).toSorted().join(' ')}`
    case 'DR_GRANT_TWIN':
      return `${fact.code} ${placeKey(fact.place)}`
    default:
      return [
        fact.code,
        'agent' in fact ? fact.agent : '',
        'profile' in fact ? fact.profile : '',
        'provider' in fact ? fact.provider : '',
        'path' in fact ? fact.path : '',
        'field' in fact ? fact.field : '',
        'line' in fact ? fact.line : '',
        'fault' in fact ? faultKey(fact.fault) : '',
        'check' in fact ? fact.check : '',
      ].join(' ')
  }
}

function placeKey({ agent, profile }: GrantPlace): string {
  return `${agent}/${profile}`
}

function faultKey(fault: Fault): string {
  const place = 'place' in fault ? fault.place : ''
  const profile = 'profile' in fault ? fault.profile : ''
  return `${fault.code} ${place} ${profile}`
}

const SEVERITIES: Readonly<Record<FindingCode, Severity>> = {
  DR_STATE_MISSING: 'info',
  DR_STATE_UNWRITABLE: 'error',
  DR_STATE_LARGE: 'info',
  DR_FOLDER_UNREADABLE: 'error',
  DR_FILE_OPEN: 'warn',
  DR_FILE_CLOSED: 'error',
  DR_FILE_OWNER: 'error',
  DR_FILE_KIND: 'error',
  DR_FILE_LINK: 'warn',
  DR_FILE_NAMES: 'error',
  DR_FILE_STRAY: 'warn',
  DR_DISK_FULL: 'error',
  DR_DISK_LOW: 'warn',
  DR_DISK_KIND: 'warn',
  DR_CLOCK_BEHIND: 'warn',
  DR_CLOCK_FUTURE: 'warn',
  DR_BOOK_UNREADABLE: 'error',
  DR_BOOK_ENTRY: 'warn',
  DR_CONFIG_INVALID: 'error',
  DR_CONFIG_OLDER: 'warn',
  DR_CONFIG_SECRET: 'warn',
  DR_ENV_LINE: 'warn',
  DR_AGENT_UNREADABLE: 'error',
  DR_ORDER_UNKNOWN: 'warn',
  DR_CHECK_FAILED: 'error',
  DR_FOREIGN_LOGIN: 'warn',
  DR_FOREIGN_ADOPTION: 'warn',
  DR_FOREIGN_LOCK: 'warn',
  DR_GRANT_TWICE: 'error',
  DR_GRANT_TWIN: 'error',
  DR_GRANT_DEAD: 'error',
  DR_GRANT_WAITING: 'info',
  DR_GRANT_STUCK: 'warn',
  DR_GRANT_RENEWED: 'info',
  DR_GRANT_ORPHAN: 'info',
  DR_GRANT_ASIDE: 'warn',
  DR_ACCESS_ENDED: 'error',
  DR_ACCESS_OWNERS: 'warn',
  DR_ACCESS_ENDING: 'warn',
  DR_ACCESS_REJECTED: 'error',
  DR_SECRET_UNUSABLE: 'error',
  DR_POLICY_REFUSED: 'warn',
  DR_RESTING: 'info',
  DR_CREDENTIAL_NONE: 'warn',
  DR_PROFILE_UNORDERED: 'info',
  DR_PROFILE_MODE: 'info',
  DR_PROFILE_UNUSED: 'info',
}

/** The usual severity of the code, but where the values say otherwise. */
function severityOf(fact: FindingFact): Severity {
  const usual = SEVERITIES[fact.code]
  switch (fact.code) {
    case 'DR_FILE_OPEN':
      return fact.secret ? 'error' : usual
    case 'DR_FILE_LINK':
      return fact.settings && fact.leadsTo !== undefined ? 'info' : usual
    case 'DR_DISK_KIND':
      // Locks and renames hold there; it only ends with its container.
      return fact.kind === 'overlay' ? 'info' : usual
    case 'DR_FOREIGN_LOGIN':
      return fact.fault.code === 'EQ_FOREIGN_KEY_ONLY' ? 'info' : usual
    default:
      return usual
  }
}

function isFixable(fact: FindingFact): boolean {
  switch (fact.code) {
    case 'DR_FILE_OPEN':
    case 'DR_FILE_CLOSED':
    case 'DR_FILE_STRAY':
    case 'DR_CONFIG_OLDER':
    case 'DR_ORDER_UNKNOWN':
    case 'DR_FOREIGN_LOCK':
    case 'DR_GRANT_TWICE':
    case 'DR_GRANT_TWIN':
      return true
    case 'DR_BOOK_UNREADABLE':
      return 'previous' in fact.fault && fact.fault.previous !== undefined
    case 'DR_GRANT_ORPHAN':
      return !fact.unfinished && fact.ageMs > ORPHAN_LIFE_MS
    default:
      return false
  }
}
