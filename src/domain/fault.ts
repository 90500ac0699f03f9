/**
 * Everything that can go wrong and be told to a user, as plain data: a stable code and the values, never a secret and
 * never prose. Codes are not reused or renamed. Prose stands in `explain.ts`.
 */

import type { FailureReason } from './cooldown.ts'
import type { AgentId, ProfileId, ProviderId, SessionId } from './names.ts'
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
      readonly problem: 'symlink' | 'not_a_file' | 'hard_links' | 'other_owner'
    }
  | { readonly code: 'EQ_STORE_NO_PREVIOUS'; readonly path: string }
  | { readonly code: 'EQ_LOCK_UNAVAILABLE'; readonly detail: string }

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
    }
  | { readonly code: 'EQ_CONFIG_KEY_UNSET'; readonly path: string; readonly field: string }
  | { readonly code: 'EQ_CONFIG_SECRET'; readonly path: string; readonly field: string }

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
}

/** A request that could not be served. */
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
      readonly why: PassedOver | { readonly code: 'gone' }
    }
  | {
      readonly code: 'EQ_UPSTREAM_REJECTED'
      readonly attempt: FailedAttempt
      /** The provider's answer to the request itself, for a caller of the same protocol; secrets taken out. */
      readonly body: string
    }
  | { readonly code: 'EQ_UPSTREAM_FAILED'; readonly attempts: readonly FailedAttempt[] }
  | {
      readonly code: 'EQ_UPSTREAM_CUT'
      readonly profile: ProfileId
      readonly model: string
      readonly detail: string
    }
  | { readonly code: 'EQ_REQUEST_CANCELLED' }
  | { readonly code: 'EQ_SESSION_BUSY'; readonly session: SessionId }

/** Something typed after a slash in a chat. */
export type SlashFault =
  | { readonly code: 'EQ_SLASH_UNKNOWN'; readonly command: string; readonly nearest?: string }
  | { readonly code: 'EQ_SLASH_ARGUMENT'; readonly command: string; readonly text: string }
  | { readonly code: 'EQ_SLASH_NUMBER'; readonly number: number; readonly count: number }

export type InternalFault = { readonly code: 'EQ_INTERNAL'; readonly detail: string }

export type Fault =
  | NameFault
  | SecretFault
  | StoreFault
  | ConfigFault
  | GatewayFault
  | DispatchFault
  | SlashFault
  | InternalFault

export type FaultCode = Fault['code']
