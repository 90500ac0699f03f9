/** One request and its reply in no provider's dialect: what is carried when a client and a model speak different protocols. */

import type { UpstreamFailure } from './cooldown.ts'
import type { TokenUsage } from './ledger.ts'

export interface NeutralRequest {
  readonly model: string
  readonly stream: boolean
  readonly system: readonly string[]
  readonly messages: readonly NeutralMessage[]
  readonly tools: readonly NeutralTool[]
  readonly toolChoice?: ToolChoice
  /** Whether one reply may hold several calls; absent: as the model likes. */
  readonly parallelCalls?: boolean
  readonly stop: readonly string[]
  /** Longest reply, tokens. */
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  /** How hard the model should think before it speaks. */
  readonly effort?: Effort
  readonly format?: ReplyFormat
  /** The caller's name for its own user. */
  readonly user?: string
}

export type NeutralMessage =
  /** Said by whoever runs the conversation, in the middle of it. */
  | { readonly role: 'system'; readonly text: string }
  | { readonly role: 'user'; readonly parts: readonly Part[] }
  | { readonly role: 'assistant'; readonly parts: readonly (TextPart | CallPart)[] }
  /** What came of the calls of the message before. */
  | { readonly role: 'tool'; readonly results: readonly ToolResult[] }

export interface TextPart {
  readonly type: 'text'
  readonly text: string
}

export type Part =
  | TextPart
  | { readonly type: 'image'; readonly source: Source }
  | { readonly type: 'document'; readonly source: DataSource; readonly name?: string }

/** Base64, as all protocols carry it. */
export interface DataSource {
  readonly kind: 'data'
  readonly mediaType: string
  readonly data: string
}
export type Source = DataSource | { readonly kind: 'url'; readonly url: string }

export interface CallPart {
  readonly type: 'call'
  readonly id: string
  readonly name: string
  /** A JSON object as text, just as the model wrote it. */
  readonly input: string
}

export interface ToolResult {
  readonly callId: string
  readonly parts: readonly Part[]
  readonly isError: boolean
}

export interface NeutralTool {
  readonly name: string
  readonly description?: string
  /** JSON schema of its input; absent: it takes none. */
  readonly input?: Readonly<Record<string, unknown>>
  /** The model must keep to the schema. */
  readonly strict?: boolean
}

export type ToolChoice =
  | { readonly kind: 'auto' }
  | { readonly kind: 'any' }
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly name: string }

export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export type Effort = (typeof EFFORTS)[number]

/** The reply is JSON of this schema. */
export interface ReplyFormat {
  readonly schema: Readonly<Record<string, unknown>>
  readonly name?: string
  readonly description?: string
  readonly strict?: boolean
}

/** What a caller expects of the reply to its request. */
export interface ReplyWish {
  readonly stream: boolean
  /** Wants to see what the model thinks, where it shows that. */
  readonly thinking: boolean
  /** Wants the tokens at the end of a stream. */
  readonly usage: boolean
  /** What the reply says back of its request, in the caller's protocol. */
  readonly echo?: Readonly<Record<string, unknown>>
}

export type StopReason = 'end' | 'max_tokens' | 'stop_sequence' | 'tool_use' | 'refusal' | 'pause'

export interface NeutralUsage extends TokenUsage {
  /** Those of the output tokens that were thought and not said. */
  readonly thinkingTokens?: number
}

export type ReplyPart = TextPart | CallPart | { readonly type: 'thinking'; readonly text: string }

export interface NeutralReply {
  readonly id?: string
  readonly model?: string
  readonly parts: readonly ReplyPart[]
  readonly stop: StopReason
  readonly stopSequence?: string
  readonly usage?: NeutralUsage
}

/**
 * A reply as it streams. Parts come one after the other: `input` belongs to the last `call`, and no call goes on once
 * another part has begun. The last event is `stop` or `error`.
 */
export type NeutralEvent =
  | { readonly type: 'start'; readonly id?: string; readonly model?: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly text: string }
  | { readonly type: 'call'; readonly id: string; readonly name: string }
  | { readonly type: 'input'; readonly json: string }
  | { readonly type: 'usage'; readonly usage: NeutralUsage }
  /** Nothing to say yet; the connection lives. */
  | { readonly type: 'ping' }
  | { readonly type: 'stop'; readonly reason: StopReason; readonly stopSequence?: string }
  | { readonly type: 'error'; readonly failure: UpstreamFailure }
