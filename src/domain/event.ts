/** What happens to credentials and requests that somebody may want to hear of. Plain data, no secrets, no prose. */

import type { FailureReason } from './cooldown.ts'
import type { Fault } from './fault.ts'
import type { AgentId, ProfileId, ProviderId, SessionId } from './names.ts'
import type { Lane } from './provider.ts'
import type { EpochMs } from './time.ts'

export type Happening =
  | { readonly kind: 'credential.expiring'; readonly profile: ProfileId; readonly at: EpochMs }
  | { readonly kind: 'credential.expired'; readonly profile: ProfileId; readonly at: EpochMs }
  | { readonly kind: 'credential.renewed'; readonly profile: ProfileId; readonly until?: EpochMs }
  | {
      readonly kind: 'credential.renewal_failed'
      readonly profile: ProfileId
      readonly code: Fault['code']
    }
  /** The provider does not take it, or not for this. */
  | {
      readonly kind: 'credential.refused'
      readonly profile: ProfileId
      readonly reason: FailureReason
      readonly policy?: boolean
    }
  | {
      readonly kind: 'credential.resting'
      readonly profile: ProfileId
      readonly scope: 'model' | 'profile' | 'account' | 'provider'
      readonly reason: FailureReason
      readonly until: EpochMs
    }
  | { readonly kind: 'credential.recovered'; readonly profile: ProfileId }
  | {
      readonly kind: 'lane.crossed'
      readonly agent: AgentId
      readonly session?: SessionId
      readonly from: { readonly profile: ProfileId; readonly lane: Lane }
      readonly to: { readonly profile: ProfileId; readonly lane: Lane }
    }
  | {
      readonly kind: 'all.resting'
      readonly agent: AgentId
      readonly provider: ProviderId
      readonly until: EpochMs
    }
  | {
      readonly kind: 'budget.reached'
      readonly profile: ProfileId
      readonly period: 'daily' | 'monthly'
      readonly limit: 'soft' | 'hard'
    }

/** A happening in the order in which the bus heard of it. */
export type EquabotEvent = Happening & {
  /** Counts up from 1 within one run of the gateway. */
  readonly seq: number
  readonly when: EpochMs
}

/** Where happenings are told. Never fails and never waits. */
export type Publish = (happening: Happening) => void
