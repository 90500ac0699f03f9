/** A conversation turn in no provider's dialect, and the events that a reply streams. */

import type { UpstreamFailure } from './cooldown.ts'
import type { FailedAttempt, Fault } from './fault.ts'
import type { AgentId, ModelKey, ProfileId, SessionId } from './names.ts'
import type { Lane } from './provider.ts'
import type { EpochMs } from './time.ts'

export interface ChatMessage {
  readonly role: 'user' | 'assistant'
  readonly text: string
}

export interface ChatRequest {
  readonly model: string
  readonly system?: string
  readonly messages: readonly ChatMessage[]
  /** Longest reply, tokens. */
  readonly maxTokens: number
}

export interface ChatUsage {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What a codec makes of an upstream's stream. */
export type ReplyEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'usage'; readonly usage: Partial<ChatUsage> }
  | { readonly type: 'stop'; readonly reason: string }
  /** The provider's own error inside the stream. */
  | { readonly type: 'error'; readonly words: string; readonly failure: UpstreamFailure }

/** One message of a person, and where it belongs. */
export interface TurnRequest {
  readonly agent?: AgentId
  readonly session: SessionId
  readonly message: string
  /** For this turn alone: `model`, an alias, `model@profile`. */
  readonly model?: string
}

/** What a chat surface receives for one message, in this order; the last one is `finished` or `failed`. */
export type TurnEvent =
  | {
      readonly type: 'started'
      readonly model: ModelKey
      readonly profile: ProfileId
      readonly lane: Lane
      readonly attempts: readonly FailedAttempt[]
    }
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  /** The answer to a slash command; no model was asked. */
  | { readonly type: 'command'; readonly text: string }
  | { readonly type: 'finished'; readonly stopReason: string; readonly usage?: ChatUsage }
  | { readonly type: 'failed'; readonly fault: Fault }

/** One line of a transcript. */
export interface TranscriptEntry {
  readonly at: EpochMs
  readonly role: 'user' | 'assistant'
  readonly text: string
  /** Assistant only: which model and profile answered. */
  readonly model?: string
  readonly profile?: ProfileId
  readonly usage?: ChatUsage
  /** The reply ended early: the user stopped it, or the stream broke. */
  readonly partial?: boolean
}
