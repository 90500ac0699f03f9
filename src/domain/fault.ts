/**
 * Everything that can go wrong and be told to a user, as plain data: a stable code and the values, never a secret and
 * never prose. Codes are not reused or renamed. Prose stands in `explain.ts`.
 */

import type { FailureReason } from './cooldown.ts'
import type { ClientFault } from './fault-client.ts'
import type { Origin } from './profile.ts'
import type { SwitchedOffBy } from './foreign.ts'
import type { NotSentReason } from './grant.ts'
import type { AgentId, ProfileId, ProviderId, SessionId } from './names.ts'
import type { Protocol } from './provider.ts'
import type { PassedOver } from './rotation.ts'
import type { EpochMs } from './time.ts'

/** What was typed is not a name of this kind, or names nothing. */
export type NameFault =
  /** `command`: what was typed up to the mistake, whose help says more. */
  | { readonly code: 'EQ_USAGE'; readonly detail: string; readonly command?: string }
  | {
      readonly code: 'EQ_NAME_INVALID'
      readonly what:
        | 'provider'
        | 'profile'
        | 'agent'
        | 'session'
        | 'client'
        | 'model'
        | 'configured model'
        | 'alias'
      readonly text: string
    }
  | { readonly code: 'EQ_DURATION_INVALID'; readonly text: string }
  | {
      readonly code: 'EQ_PROVIDER_UNKNOWN'
      readonly provider: string
      readonly nearest?: string
      readonly known: readonly string[]
    }
  | {
      readonly code: 'EQ_PROFILE_UNKNOWN'
      readonly profile: string
      readonly agent: AgentId
      readonly nearest?: string
      readonly known: readonly string[]
    }
  | {
      readonly code: 'EQ_PROFILE_FOREIGN'
      readonly profile: ProfileId
      readonly provider: ProviderId
    }
  | { readonly code: 'EQ_PROFILE_RESERVED'; readonly profile: ProfileId }
  | {
      readonly code: 'EQ_PROFILE_INHERITED'
      readonly profile: ProfileId
      readonly agent: AgentId
      readonly home: AgentId
    }
  | {
      readonly code: 'EQ_AGENT_UNKNOWN'
      readonly agent: string
      readonly nearest?: string
      readonly known: readonly string[]
    }
  | { readonly code: 'EQ_AGENT_EXISTS'; readonly agent: AgentId }
  | { readonly code: 'EQ_AGENT_FIXED'; readonly agent: AgentId }
  | {
      readonly code: 'EQ_SESSION_UNKNOWN'
      readonly session: string
      readonly agent: AgentId
      readonly nearest?: string
    }
  /** Several known models may be meant. */
  | {
      readonly code: 'EQ_MODEL_AMBIGUOUS'
      readonly model: string
      readonly matches: readonly { readonly model: string; readonly score: number }[]
    }
  | {
      readonly code: 'EQ_MODEL_UNKNOWN'
      readonly model: string
      readonly nearest: readonly string[]
    }
  | {
      readonly code: 'EQ_MODEL_NOT_ALLOWED'
      readonly model: string
      readonly allowed: readonly string[]
    }
  | { readonly code: 'EQ_MODEL_NO_DEFAULT'; readonly provider: ProviderId }
  | { readonly code: 'EQ_ALIAS_TAKEN'; readonly alias: string; readonly model: string }
  | { readonly code: 'EQ_ALIAS_UNKNOWN'; readonly alias: string; readonly known: readonly string[] }
  | {
      readonly code: 'EQ_FALLBACK_UNKNOWN'
      readonly model: string
      readonly known: readonly string[]
    }
  | { readonly code: 'EQ_ORDER_EMPTY'; readonly provider: ProviderId }
  | { readonly code: 'EQ_CONFIRM_NEEDED'; readonly what: string }

/** A pasted secret that cannot be one. */
export type SecretFault =
  | { readonly code: 'EQ_SECRET_EMPTY' }
  | { readonly code: 'EQ_SECRET_CHARACTERS'; readonly position: number }
  | {
      readonly code: 'EQ_SECRET_TRUNCATED'
      readonly length: number
      readonly minLength: number
      readonly prefix: string
    }
  | { readonly code: 'EQ_SECRET_PLACEHOLDER' }
  | {
      readonly code: 'EQ_SECRET_FOREIGN'
      readonly provider: ProviderId
      readonly owner: ProviderId
      readonly prefix: string
    }
  /** An API key where only a token serves. */
  | { readonly code: 'EQ_SECRET_KEY'; readonly provider: ProviderId; readonly prefix: string }
  | { readonly code: 'EQ_SECRET_TOO_LONG'; readonly maxLength: number }
  | { readonly code: 'EQ_PROMPT_NO_TTY'; readonly instead: string }
  | { readonly code: 'EQ_INTERRUPTED' }

/** A file of the state folder. `path` is always the file's own. */
export type StoreFault =
  | { readonly code: 'EQ_HOME_MISSING' }
  | { readonly code: 'EQ_STORE_UNREADABLE'; readonly path: string; readonly errno: string }
  | {
      readonly code: 'EQ_STORE_SYNTAX'
      readonly path: string
      readonly line: number
      readonly column: number
      readonly previous?: string
      /** Whose book it is, where `previous` can be put back by a command. */
      readonly agent?: AgentId
    }
  | {
      readonly code: 'EQ_STORE_FIELD'
      readonly path: string
      readonly field: string
      readonly expected: string
      readonly previous?: string
      /** Whose book it is, where `previous` can be put back by a command. */
      readonly agent?: AgentId
    }
  | {
      readonly code: 'EQ_STORE_NEWER'
      readonly path: string
      readonly version: number
      readonly supported: number
    }
  | { readonly code: 'EQ_STORE_LOCKED'; readonly path: string; readonly waitedMs: number }
  | { readonly code: 'EQ_STORE_UNWRITABLE'; readonly path: string; readonly errno: string }
  | {
      readonly code: 'EQ_STORE_UNSAFE'
      readonly path: string
      readonly problem: 'symlink' | 'not_a_file' | 'hard_links' | 'other_owner' | 'not_ours'
    }
  | { readonly code: 'EQ_STORE_NO_PREVIOUS'; readonly path: string }
  | { readonly code: 'EQ_LOCK_UNAVAILABLE'; readonly detail: string }

/** The record of requests. */
export type LedgerFault =
  | StoreFault
  /** Neither the package nor Node brings a database that runs here. */
  | { readonly code: 'EQ_LEDGER_UNAVAILABLE'; readonly detail: string }
  | { readonly code: 'EQ_LEDGER_DAMAGED'; readonly path: string }

/** The settings file. */
export type ConfigFault =
  | {
      readonly code: 'EQ_CONFIG_SYNTAX'
      readonly path: string
      readonly line: number
      readonly column: number
      readonly detail: string
    }
  | {
      readonly code: 'EQ_CONFIG_FIELD'
      readonly path: string
      readonly field: string
      readonly problem: string
      readonly line?: number
      readonly nearest?: string
      /** It was to be written and does not stand in the file. */
      readonly refused?: true
    }
  | { readonly code: 'EQ_CONFIG_KEY_UNSET'; readonly path: string; readonly field: string }
  | { readonly code: 'EQ_CONFIG_SECRET'; readonly path: string; readonly field: string }

/** A login in the home of another program that cannot be taken over as it stands. The last good copy is kept. */
export type ForeignFault = ForeignTrouble & {
  /** None was ever taken over. */
  readonly noCopy?: true
}

type ForeignTrouble =
  /** Its owner has blanked it: logged out there. */
  | { readonly code: 'EQ_FOREIGN_BLANK'; readonly origin: Origin; readonly place: string }
  | {
      readonly code: 'EQ_FOREIGN_SYNTAX'
      readonly origin: Origin
      readonly place: string
      readonly line: number
      readonly column: number
    }
  | {
      readonly code: 'EQ_FOREIGN_FIELD'
      readonly origin: Origin
      readonly place: string
      readonly field: string
      readonly expected: string
    }
  | {
      readonly code: 'EQ_FOREIGN_UNREADABLE'
      readonly origin: Origin
      readonly place: string
      readonly errno: string
    }
  /** Others may write it (it is not used), or read it (it is used, and told). */
  | {
      readonly code: 'EQ_FOREIGN_OPEN'
      readonly origin: Origin
      readonly place: string
      readonly mode: number
      readonly writable: boolean
    }
  | { readonly code: 'EQ_FOREIGN_LINK'; readonly origin: Origin; readonly place: string }
  | { readonly code: 'EQ_FOREIGN_KIND'; readonly origin: Origin; readonly place: string }
  | { readonly code: 'EQ_FOREIGN_OWNER'; readonly origin: Origin; readonly place: string }
  /** It holds an API key and no login. */
  | { readonly code: 'EQ_FOREIGN_KEY_ONLY'; readonly origin: Origin; readonly place: string }
  /** It is fine, and the book cannot take it. */
  | {
      readonly code: 'EQ_FOREIGN_NOT_STORED'
      readonly origin: Origin
      readonly place: string
      readonly because: StoreFault
    }
  | { readonly code: 'EQ_KEYCHAIN_LOCKED'; readonly origin: Origin; readonly place: string }
  | {
      readonly code: 'EQ_KEYCHAIN_DENIED'
      readonly origin: Origin
      readonly place: string
      /** It was denied earlier, and is not asked again by itself. */
      readonly remembered: boolean
    }
  | {
      readonly code: 'EQ_KEYCHAIN_SILENT'
      readonly origin: Origin
      readonly place: string
      readonly waitedMs: number
    }
  | {
      readonly code: 'EQ_KEYCHAIN_FAILED'
      readonly origin: Origin
      readonly place: string
      readonly exit: number
    }

/** An access token that could not be renewed. */
export type RenewalFault =
  /** The provider's verdict. `lostAt`: an earlier answer about this login never arrived. */
  | {
      readonly code: 'EQ_GRANT_DEAD'
      readonly profile: ProfileId
      readonly origin: Origin
      readonly error: string
      readonly words: string
      readonly at: EpochMs
      readonly lostAt?: EpochMs
    }
  | {
      readonly code: 'EQ_GRANT_SPENT'
      readonly profile: ProfileId
      readonly origin: Origin
      readonly spentAt: EpochMs
    }
  | {
      readonly code: 'EQ_GRANT_NONE'
      readonly profile: ProfileId
      readonly origin: Origin
      /** It is no login at all: nothing ever renews it. */
      readonly type?: 'api_key' | 'token'
    }
  | {
      readonly code: 'EQ_RENEWAL_NOT_SENT'
      readonly profile: ProfileId
      readonly reason: NotSentReason
      readonly words: string
      readonly againAt?: EpochMs
    }
  | {
      readonly code: 'EQ_RENEWAL_PUT_OFF'
      readonly profile: ProfileId
      readonly status: number
      readonly words: string
      readonly againAt?: EpochMs
    }
  | {
      readonly code: 'EQ_RENEWAL_CONFIG'
      readonly profile: ProfileId
      readonly error: string
      readonly words: string
    }
  | {
      readonly code: 'EQ_RENEWAL_LOST'
      readonly profile: ProfileId
      readonly words: string
      readonly lostAt: EpochMs
      readonly againAt?: EpochMs
      /** An answer came, and what it says is of no use. */
      readonly answered?: true
      /** A person has just asked for it. */
      readonly asked?: true
    }
  | {
      readonly code: 'EQ_RENEWAL_ACCOUNT'
      readonly profile: ProfileId
      readonly expected: string
      readonly got: string
    }
  | { readonly code: 'EQ_RENEWAL_KEPT'; readonly profile: ProfileId; readonly words: string }
  /** Another process is at it, longer than we wait. It goes on. */
  | {
      readonly code: 'EQ_RENEWAL_BUSY'
      readonly profile: ProfileId
      readonly waitedMs: number
      /** The process is one that we have started. */
      readonly ours?: true
    }
  /** The person did not want to wait for it. */
  | { readonly code: 'EQ_RENEWAL_GOES_ON'; readonly profile: ProfileId }
  | {
      readonly code: 'EQ_RENEWAL_OWNERS'
      readonly profile: ProfileId
      readonly origin: Origin
      /** Access serves until then; absent: it has ended. */
      readonly usableUntil?: EpochMs
    }
  /** Config or environment leaves the logins from there out. */
  | {
      readonly code: 'EQ_RENEWAL_LEFT_OUT'
      readonly profile: ProfileId
      readonly origin: Origin
      readonly by: SwitchedOffBy
    }
  | { readonly code: 'EQ_RENEWAL_HELPER'; readonly profile: ProfileId; readonly detail: string }

/** A login that did not come about. */
export type LoginFault = LoginTrouble & {
  /** Which login it was, to be started again. */
  readonly again?: LoginAgain
}

/** What a login was asked for with. */
export interface LoginAgain {
  readonly provider: ProviderId
  readonly profile?: ProfileId
  readonly agent?: AgentId
  readonly pasted?: true
}

type LoginTrouble =
  | { readonly code: 'EQ_LOGIN_UNSUPPORTED'; readonly provider: ProviderId; readonly lacks: string }
  | { readonly code: 'EQ_LOGIN_UNSAFE_URL'; readonly provider: ProviderId; readonly field: string }
  | { readonly code: 'EQ_LOGIN_TIMEOUT'; readonly waitedMs: number }
  | { readonly code: 'EQ_LOGIN_STATE' }
  | { readonly code: 'EQ_LOGIN_ANSWER'; readonly expected: string }
  | { readonly code: 'EQ_LOGIN_DENIED'; readonly error: string; readonly words: string }
  | {
      readonly code: 'EQ_LOGIN_FAILED'
      readonly host: string
      readonly words: string
      readonly status?: number
    }
  /** The provider takes issue with the client or the scopes, and not with the person. */
  | {
      readonly code: 'EQ_LOGIN_CONFIG'
      readonly provider: ProviderId
      readonly host: string
      readonly error: string
      readonly words: string
    }
  /** So many logins of late that it takes no more now. */
  | {
      readonly code: 'EQ_LOGIN_LIMITED'
      readonly host: string
      readonly words: string
      readonly retryAfterMs?: number
    }
  | {
      readonly code: 'EQ_LOGIN_OTHER_ACCOUNT'
      readonly profile: ProfileId
      readonly was: string
      readonly is: string
    }
  | {
      readonly code: 'EQ_PROGRAM_MISSING'
      readonly program: string
      readonly instead: string
    }
  | {
      readonly code: 'EQ_PROGRAM_FAILED'
      readonly program: string
      readonly exit: number
      readonly instead: string
    }
  | { readonly code: 'EQ_IMPORT_MISSING'; readonly path: string }
  | { readonly code: 'EQ_IMPORT_NOTHING'; readonly path: string; readonly looked: string }
  | { readonly code: 'EQ_IMPORT_SELF'; readonly path: string }
  | { readonly code: 'EQ_IMPORT_NOT_ONE'; readonly logins: readonly ProfileId[] }
  | { readonly code: 'EQ_PROFILE_BORROWED'; readonly profile: ProfileId; readonly origin: Origin }

/** The gateway's own life and its callers. */
export type GatewayFault =
  | { readonly code: 'EQ_GATEWAY_RUNNING'; readonly pid: number; readonly port: number }
  | {
      readonly code: 'EQ_GATEWAY_PORT'
      readonly bind: string
      readonly port: number
      readonly errno: string
    }
  | { readonly code: 'EQ_GATEWAY_DOWN'; readonly stateDir: string }
  | {
      readonly code: 'EQ_GATEWAY_SILENT'
      readonly pid: number
      readonly port: number
      readonly detail: string
    }
  | { readonly code: 'EQ_GATEWAY_READERS'; readonly most: number }
  | { readonly code: 'EQ_CALLER_UNKNOWN' }
  | { readonly code: 'EQ_CALLER_HOST'; readonly host: string }
  | { readonly code: 'EQ_CALLER_ORIGIN'; readonly origin: string }
  | { readonly code: 'EQ_ROUTE_UNKNOWN'; readonly method: string; readonly path: string }
  | {
      readonly code: 'EQ_ROUTE_METHOD'
      readonly method: string
      readonly path: string
      readonly allowed: readonly string[]
    }
  | { readonly code: 'EQ_REQUEST_BODY'; readonly field: string; readonly problem: string }
  | { readonly code: 'EQ_REQUEST_TOO_LARGE'; readonly maxBytes: number }
  | { readonly code: 'EQ_REQUEST_ENCODING'; readonly encoding: string }
  | {
      readonly code: 'EQ_REQUEST_PROTOCOL'
      readonly model: string
      readonly asked: string
      readonly spoken: string
      readonly path: string
    }
  | { readonly code: 'EQ_GATEWAY_STOPPING' }
  /** A running gateway answered with a fault of its own, which it explained; `exit` and `http` are its too. */
  | {
      readonly code: 'EQ_GATEWAY_ANSWER'
      readonly faultCode: string
      readonly message: string
      readonly hint: string
      readonly exit: number
      readonly http: number
    }

/** One candidate's part in a request that nobody could serve. */
export interface FailedAttempt {
  readonly profile: ProfileId
  readonly model: string
  readonly host: string
  readonly reason: FailureReason
  readonly status?: number
  readonly words: string
  readonly retryAfterMs?: number
  /** Whose login it is, where the credential is one. */
  readonly login?: Origin
  /** Nothing was sent: access had ended and could not be renewed. */
  readonly fault?: Fault
}

/** A request that could not be served. */
/** What has become of a pin's profile. */
export type LostPin =
  | { readonly code: 'gone' }
  /** It is another account's by now. */
  | { readonly code: 'other_account'; readonly email?: string }

/** A credential that could serve, and that a setting keeps from it. */
export interface Barred {
  readonly profile: ProfileId
  readonly why: Extract<PassedOver, { code: 'lane_denied' | 'budget_spent' }>
}

/** Somebody who could have been asked. */
export interface Untried {
  readonly profile: ProfileId
  readonly model: string
}

export type DispatchFault =
  | {
      readonly code: 'EQ_CREDENTIAL_NONE'
      readonly provider: ProviderId
      readonly variables: readonly string[]
      readonly passedOver: readonly { readonly profile: ProfileId; readonly why: PassedOver }[]
    }
  | {
      readonly code: 'EQ_CREDENTIAL_RESTING'
      readonly provider: ProviderId
      readonly until: EpochMs
      readonly passedOver: readonly { readonly profile: ProfileId; readonly why: PassedOver }[]
    }
  | {
      readonly code: 'EQ_PIN_UNUSABLE'
      readonly profile: ProfileId
      readonly why: PassedOver | LostPin
    }
  | {
      readonly code: 'EQ_UPSTREAM_REJECTED'
      readonly attempt: FailedAttempt
      /** The provider's answer to the request itself, for a caller of the same protocol; secrets taken out. */
      readonly body: string
    }
  | {
      readonly code: 'EQ_UPSTREAM_FAILED'
      readonly attempts: readonly FailedAttempt[]
      /** Others that could have served, were it not for the user's own limits. */
      readonly barred?: readonly Barred[]
      /** A provider that has failed so many requests of late that it was not asked again. */
      readonly heldBack?: ProviderId
      /** Candidates that were left when the request had made as many attempts as one may. */
      readonly untried?: readonly Untried[]
    }
  | {
      readonly code: 'EQ_UPSTREAM_CUT'
      readonly profile: ProfileId
      readonly model: string
      readonly detail: string
    }
  | { readonly code: 'EQ_REQUEST_CANCELLED' }
  | { readonly code: 'EQ_SESSION_BUSY'; readonly session: SessionId }

/** Between a client and a model that speak different protocols. */
export type TranslationFault =
  /** A field of the request that the model's protocol has no equal for. */
  | { readonly code: 'EQ_REQUEST_UNCARRIED'; readonly field: string; readonly protocol: Protocol }
  /** A whole reply that the client's protocol cannot tell. `problem` is the rest of a sentence about it. */
  | {
      readonly code: 'EQ_UPSTREAM_UNREADABLE'
      readonly profile: ProfileId
      readonly model: string
      readonly problem: string
    }

/** Something typed after a slash in a chat. */
export type SlashFault =
  | { readonly code: 'EQ_SLASH_UNKNOWN'; readonly command: string; readonly nearest?: string }
  | { readonly code: 'EQ_SLASH_ARGUMENT'; readonly command: string; readonly text: string }
  | { readonly code: 'EQ_SLASH_NUMBER'; readonly number: number; readonly count: number }

export type InternalFault = { readonly code: 'EQ_INTERNAL'; readonly detail: string }

export type Fault =
  | NameFault
  | SecretFault
  | LedgerFault
  | ConfigFault
  | ForeignFault
  | RenewalFault
  | LoginFault
  | GatewayFault
  | ClientFault
  | TranslationFault
  | DispatchFault
  | SlashFault
  | InternalFault

export type FaultCode = Fault['code']
