/** A credential that may serve a request: what it is, where it stands, who pays for it. */

import type { BudgetReached } from './budget.ts'
import type { AgentState, ProfileUsage } from './cooldown.ts'
import { usageFor } from './cooldown.ts'
import type { Credential, CredentialType } from './credential.ts'
import type { ForeignFault } from './fault.ts'
import type { SwitchedOffBy } from './foreign.ts'
import type { GrantView } from './grant.ts'
import type { AgentId, ProfileId } from './names.ts'
import type { Origin } from './profile.ts'
import type { Lane } from './provider.ts'

/** Where a variable's value was found. */
export type VariableSource =
  | { readonly kind: 'process' }
  | { readonly kind: 'env_file'; readonly path: string; readonly line: number }
  | { readonly kind: 'config'; readonly field: string }
  | { readonly kind: 'shell'; readonly shell: string }

/** Where a candidate's credential comes from. */
export type CredentialSource =
  | { readonly kind: 'store'; readonly agent: AgentId; readonly path: string }
  | { readonly kind: 'variable'; readonly variable: string; readonly from: VariableSource }
  | { readonly kind: 'config'; readonly field: string }
  | { readonly kind: 'none_needed' }

/** A credential considered for a request. Keys that are not profiles have the names `env`, `config`, `local`, `builtin`. */
export interface Candidate {
  readonly id: ProfileId
  /** Absent: the provider needs none, or a variable that config names is not set. */
  readonly credential?: Credential
  readonly fingerprint: string
  readonly source: CredentialSource
  readonly origin: Origin
  /** Where a borrowed login stands in its owner's home. */
  readonly place?: string
  /** Why its owner's home cannot be read as it is now. */
  readonly unread?: ForeignFault
  /** Its source is switched off: it is never used, and nobody looks at its owner. */
  readonly leftOut?: SwitchedOffBy
  /** What stands behind an oauth profile. */
  readonly grant?: GrantView
  readonly lane: Lane
  /** What config accepts for this profile; absent: anything. */
  readonly mode?: CredentialType
  /** No provider would take it: text that stands for a secret, or one with characters that no header can hold. */
  readonly unusable?: 'placeholder' | 'malformed'
  /** The variable that config refers to and that is not set. */
  readonly missingVariable?: string
  /** A budget of its owner's that is used up, or nearly. */
  readonly budget?: BudgetReached
}

/** What is known of the secret that a candidate holds now. */
export function usageOf(candidate: Candidate, state: AgentState): ProfileUsage | undefined {
  return usageFor(candidate, state)
}
