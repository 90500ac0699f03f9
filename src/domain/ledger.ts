/** What is kept of every request, and how it is asked for. Holds no secret and none of what was said. */

import type { FailureReason } from './cooldown.ts'
import type { Fault, LedgerFault } from './fault.ts'
import type { AgentId, ProfileId, SessionId } from './names.ts'
import type { Lane } from './provider.ts'
import type { Result } from './result.ts'
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
  /** Sorts by the time of its end; unique. Made by `requestId`. */
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

/** What a sum is made over. */
export const USAGE_KEYS = ['profile', 'model', 'day', 'session', 'client', 'lane'] as const
export type UsageKey = (typeof USAGE_KEYS)[number]

/** Whole days, by UTC: the sums are kept by the day. */
export interface UsageQuery {
  readonly by: UsageKey
  /** First day, `2026-11-01`; absent: from the beginning. */
  readonly from?: string
  /** Last day, which counts too. */
  readonly to?: string
  readonly agent?: AgentId
}

export interface UsageSums {
  readonly requests: number
  /** Those of them that were not served whole. */
  readonly failed: number
  /** Those whose provider said how many tokens they took. */
  readonly counted: number
  /** Those of the counted ones for which a price is known. */
  readonly priced: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  /** Of the priced ones, estimated, US dollars. */
  readonly costUsd: number
}

export interface UsageRow extends UsageSums {
  /** The profile, model, day and so on; empty for requests that had none. A session is `agent/session`. */
  readonly name: string
}

export interface RequestsQuery {
  readonly limit: number
  readonly profile?: ProfileId
  /** Only those that were not served whole. */
  readonly failed?: boolean
  /** Only those recorded at or after this instant. */
  readonly since?: EpochMs
}

/** Where requests are kept. What goes wrong here never reaches a request. */
export interface Ledger {
  /** Keeps it in memory and returns; it is on disk within about half a second. */
  append(record: RequestRecord): void
  /** Writes what is still in memory. */
  flush(): Promise<Result<void, LedgerFault>>
  /** Sums, in the order of their names. What has not been written yet is not among them. */
  usage(query: UsageQuery): Promise<Result<readonly UsageRow[], LedgerFault>>
  /** Single requests, the one recorded last first. */
  requests(query: RequestsQuery): Promise<Result<readonly RequestRecord[], LedgerFault>>
  /** Paths of damaged ledgers that were set aside. */
  setAside(): Promise<readonly string[]>
  /** Writes what is still in memory and lets go of the file. */
  close(): Promise<void>
}

/** What a request costs by list price, US dollars; undefined: nobody knows a price. */
export type Price = (model: string, usage: TokenUsage) => Promise<number | undefined>

const NO_SUMS: UsageSums = {
  requests: 0,
  failed: 0,
  counted: 0,
  priced: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 0,
}

export function addedUp(sums: readonly UsageSums[]): UsageSums {
  return sums.reduce(
    (total, one) => ({
      requests: total.requests + one.requests,
      failed: total.failed + one.failed,
      counted: total.counted + one.counted,
      priced: total.priced + one.priced,
      inputTokens: total.inputTokens + one.inputTokens,
      outputTokens: total.outputTokens + one.outputTokens,
      cacheReadTokens: total.cacheReadTokens + one.cacheReadTokens,
      cacheWriteTokens: total.cacheWriteTokens + one.cacheWriteTokens,
      costUsd: total.costUsd + one.costUsd,
    }),
    NO_SUMS,
  )
}

/** What one request adds to the sums. */
export function sumsOf({ outcome, usage, costUsd }: RequestRecord): UsageSums {
  return {
    requests: 1,
    failed: outcome === 'served' ? 0 : 1,
    counted: usage ? 1 : 0,
    priced: costUsd === undefined ? 0 : 1,
    inputTokens: usage?.inputTokens ?? 0,
    outputTokens: usage?.outputTokens ?? 0,
    cacheReadTokens: usage?.cacheReadTokens ?? 0,
    cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
    costUsd: costUsd ?? 0,
  }
}

/** Under which name a request is summed; `day` is no name but the time of a sum. */
export function usageName(record: RequestRecord, by: Exclude<UsageKey, 'day'>): string {
  if (by !== 'session') return record[by] ?? ''
  return record.session === undefined ? '' : `${record.agent}/${record.session}`
}

/**
 * The id of a request recorded at this instant; later ones sort after it.
 *
 * @param chance letters and digits that no other request of the same millisecond has
 */
export function requestId(recordedAt: EpochMs, chance: string): string {
  return `${Math.max(0, recordedAt).toString(36).padStart(9, '0')}${chance}`
}
