/** What the sandbox asks of a dialect: to understand a request, and to frame a reply. */

import type { EpochMs } from '../../domain/time.ts'
import type { Result } from '../../domain/result.ts'
import type { Refusal } from './keys.ts'

/** A request, understood. */
export interface SandboxRequest {
  readonly model: string
  readonly stream: boolean
  /** The last message of the user. */
  readonly message: string
  readonly inputTokens: number
  /** Longest reply, tokens. */
  readonly maxTokens: number
  /** OpenAI: whether the stream ends with its usage. */
  readonly withUsage: boolean
}

/** A reply to be framed. */
export interface SandboxReply {
  readonly id: string
  readonly request: SandboxRequest
  readonly pieces: readonly string[]
  /** The reply was longer than the request allowed. */
  readonly truncated: boolean
  /** Seconds since 1970. */
  readonly createdSeconds: number
}

/** Frames are whole server-sent events. */
export interface Dialect {
  /** @faults what is wrong with the body, in words */
  readonly parse: (body: unknown) => Result<SandboxRequest, string>
  readonly whole: (reply: SandboxReply) => unknown
  readonly opening: (reply: SandboxReply) => readonly string[]
  readonly word: (reply: SandboxReply, piece: string) => string
  readonly closing: (reply: SandboxReply) => readonly string[]
  readonly refusal: (refusal: Refusal, requestId: string) => unknown
  readonly errorFrame: (refusal: Refusal, requestId: string) => string
  /** The account's limits, as headers of an answer that was served. */
  readonly limitHeaders: (resetsAt: EpochMs) => Readonly<Record<string, string>>
  /** Name of the header that bears the request's id. */
  readonly requestIdHeader: string
  readonly idPrefix: string
}
