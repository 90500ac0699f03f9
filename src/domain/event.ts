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
      /** `provider/model`, where that is what rests. */
      readonly model?: string
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
  | {
      readonly kind: 'session.pinned'
      readonly agent: AgentId
      readonly session: SessionId
      readonly profile: ProfileId
      /** `user`: said in the chat. `auto`: chosen once, and kept for the prompt cache. */
      readonly source: 'user' | 'auto'
    }
  | {
      readonly kind: 'session.unpinned'
      readonly agent: AgentId
      readonly session: SessionId
      readonly profile: ProfileId
    }

export type HappeningKind = Happening['kind']

export type EventLevel = 'info' | 'warn'

/** `warn`: somebody may have to do something, or pays. */
export const EVENT_LEVELS: Readonly<Record<HappeningKind, EventLevel>> = {
  'credential.expiring': 'warn',
  'credential.expired': 'warn',
  'credential.renewed': 'info',
  'credential.renewal_failed': 'warn',
  'credential.refused': 'warn',
  'credential.resting': 'info',
  'credential.recovered': 'info',
  'lane.crossed': 'warn',
  'all.resting': 'warn',
  'budget.reached': 'warn',
  'session.pinned': 'info',
  'session.unpinned': 'info',
}

/** A happening in the order in which the bus heard of it. */
export type EquabotEvent = Happening & {
  /** Counts up from 1 within one run of the gateway. */
  readonly seq: number
  readonly when: EpochMs
}

/** Where happenings are told. Never fails and never waits. */
export type Publish = (happening: Happening) => void

/** An event as a running gateway tells it, or a note of its stream; from a newer gateway also of a kind not known here. */
export interface HeardEvent {
  /** Where to go on after it. */
  readonly id: string
  readonly kind: string
  readonly words: string
  readonly when?: EpochMs
  /** Everything that was told, as plain data. */
  readonly data: Readonly<Record<string, unknown>>
}

/** The last change of who pays, in one session. */
export interface Crossing {
  readonly when: EpochMs
  readonly from: Extract<Happening, { kind: 'lane.crossed' }>['from']
  readonly to: Extract<Happening, { kind: 'lane.crossed' }>['to']
}
