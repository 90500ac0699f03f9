/** What can go wrong with the keys of the gateway's callers, as plain data. */

import type { BudgetUse } from './budget.ts'
import type { AgentId, ClientName } from './names.ts'
import type { EpochMs } from './time.ts'

/** Whose secret somebody has sent in the place of a key of ours. */
export type MistakenSecret =
  /** An access or refresh token of a Claude login. */
  | 'claude_login'
  | 'anthropic_key'
  | 'openai_key'
  /** A signed token, such as those of a ChatGPT login. */
  | 'signed_token'
  | 'other_key'

export type ClientFault =
  | {
      readonly code: 'EQ_CLIENT_UNKNOWN'
      readonly client: string
      readonly nearest?: string
      readonly known: readonly string[]
    }
  | { readonly code: 'EQ_CLIENT_EXISTS'; readonly client: ClientName }
  /** Its key was shown once, and no copy was kept. */
  | { readonly code: 'EQ_CLIENT_KEY_ABSENT'; readonly client: ClientName }
  | {
      readonly code: 'EQ_CLIENT_AGENT'
      readonly client: ClientName
      readonly agent: AgentId
      readonly bound: AgentId
    }
  | {
      readonly code: 'EQ_CLIENT_MODEL'
      readonly client: ClientName
      readonly model: string
      readonly allowed: readonly string[]
    }
  | { readonly code: 'EQ_CLIENT_RATE'; readonly client: ClientName; readonly waitMs: number }
  | { readonly code: 'EQ_CLIENT_BUDGET'; readonly client: ClientName; readonly budget: BudgetUse }
  | { readonly code: 'EQ_CLIENT_ADMIN_ONLY'; readonly client: ClientName }
  | { readonly code: 'EQ_CLIENT_EXPIRED'; readonly client: ClientName; readonly at: EpochMs }
  /** Revoked, or replaced by another key, while a reply was under way. */
  | { readonly code: 'EQ_CLIENT_ENDED'; readonly client: ClientName }
  | { readonly code: 'EQ_CLIENTS_UNREADABLE' }
  | { readonly code: 'EQ_CALLER_SECRET'; readonly what: MistakenSecret }
  | { readonly code: 'EQ_CALLER_TRIES'; readonly waitMs: number }
  /** The caller stopped in the middle of its request. */
  | { readonly code: 'EQ_REQUEST_IDLE'; readonly waitedMs: number }
  /** Another program's settings, which stay as they are. */
  | {
      readonly code: 'EQ_SETUP_UNSAFE'
      readonly path: string
      readonly problem: 'syntax' | 'shape' | 'in_the_way' | 'several_lines' | 'several_files'
      readonly field?: string
    }
