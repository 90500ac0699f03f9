/** What is kept of every request, and how it is asked for. Holds no secret and none of what was said. */

import type { FailureReason } from './cooldown.ts'
import type { Fault } from './fault.ts'
import type { AgentId, ProfileId, SessionId } from './names.ts'
import type { Lane } from './provider.ts'
import type { EpochMs } from './time.ts'

/** Tokens of one request, as its provider counted them. */
export interface TokenUsage {
  /** All input tokens, those read from or written to the prompt cache included. */
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens?: number
  readonly cacheWriteTokens?: number
}

/** One request from its arrival to its end. */
export interface RequestRecord {
  /** Sorts by time; unique. */
  readonly id: string
  readonly at: EpochMs
  readonly agent: AgentId
  readonly session?: SessionId
  /** Who asked: `chat`, `probe`, or the client's own name for itself, made safe to print. */
  readonly client?: string
  /** As the caller named it. */
  readonly asked: string
  /** `provider/model` that served, or that was tried last. */
  readonly model?: string
  readonly profile?: ProfileId
  readonly lane?: Lane
  readonly outcome: 'served' | 'cut' | 'failed' | 'cancelled'
  /** Why it failed, or why the last attempt before the one that served did. */
  readonly reason?: FailureReason
  readonly fault?: Fault['code']
  /** How many credentials were tried. */
  readonly attempts: number
  /** Until the first byte of the answer, ms. */
  readonly firstByteMs?: number
  /** Until the last byte, ms. */
  readonly totalMs: number
  readonly usage?: TokenUsage
  /** Estimated from list prices, US dollars; absent: no price is known. */
  readonly costUsd?: number
}
