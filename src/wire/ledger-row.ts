/** A request as a row of the ledger's table, and back. A row that a newer program wrote otherwise is left out. */

import * as v from 'valibot'
import { FAILURE_REASONS } from '../domain/cooldown.ts'
import type { Fault } from '../domain/fault.ts'
import type { RequestRecord, UsageRow } from '../domain/ledger.ts'
import { parseAgentId, parseProfileId, parseSessionId } from '../domain/names.ts'
import { decodeOrDrop } from './decode.ts'
import { Instant } from './instant.ts'

export const REQUEST_COLUMNS = [
  'id',
  'at_ms',
  'agent',
  'session',
  'client',
  'asked',
  'model',
  'profile',
  'lane',
  'outcome',
  'reason',
  'fault',
  'attempts',
  'first_byte_ms',
  'total_ms',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cost_usd',
] as const

/** The values of a request, in the order of the columns. */
export function requestCells(record: RequestRecord): readonly (string | number | null)[] {
  const { usage } = record
  return [
    record.id,
    record.at,
    record.agent,
    record.session ?? null,
    record.client ?? null,
    record.asked,
    record.model ?? null,
    record.profile ?? null,
    record.lane ?? null,
    record.outcome,
    record.reason ?? null,
    record.fault ?? null,
    record.attempts,
    record.firstByteMs ?? null,
    record.totalMs,
    usage?.inputTokens ?? null,
    usage?.outputTokens ?? null,
    usage?.cacheReadTokens ?? null,
    usage?.cacheWriteTokens ?? null,
    record.costUsd ?? null,
  ]
}

const text = v.nullable(v.string())
const count = v.nullable(v.number())

const ROW = v.object({
  id: v.string(),
  at_ms: Instant,
  agent: v.string(),
  session: text,
  client: text,
  asked: v.string(),
  model: text,
  profile: text,
  lane: v.nullable(v.picklist(['subscription', 'metered', 'free'])),
  outcome: v.picklist(['served', 'cut', 'failed', 'cancelled']),
  reason: v.nullable(v.picklist(FAILURE_REASONS)),
  fault: v.nullable(v.custom<Fault['code']>((value) => /^EQ_[A-Z_]+$/.test(String(value)))),
  attempts: v.number(),
  first_byte_ms: count,
  total_ms: v.number(),
  input_tokens: count,
  output_tokens: count,
  cache_read_tokens: count,
  cache_write_tokens: count,
  cost_usd: count,
})

export function parseRequestRow(raw: unknown): RequestRecord | undefined {
  const row = decodeOrDrop(ROW, raw)
  const agent = row && parseAgentId(row.agent)
  if (!row || !agent) return undefined
  const session = row.session === null ? undefined : parseSessionId(row.session)
  const profile = row.profile === null ? undefined : parseProfileId(row.profile)
  const { input_tokens: inputTokens, output_tokens: outputTokens } = row
  return {
    id: row.id,
    at: row.at_ms,
    agent,
    ...(session && { session }),
    ...(row.client !== null && { client: row.client }),
    asked: row.asked,
    ...(row.model !== null && { model: row.model }),
    ...(profile && { profile }),
    ...(row.lane && { lane: row.lane }),
    outcome: row.outcome,
    ...(row.reason && { reason: row.reason }),
    ...(row.fault !== null && { fault: row.fault }),
    attempts: row.attempts,
    ...(row.first_byte_ms !== null && { firstByteMs: row.first_byte_ms }),
    totalMs: row.total_ms,
    ...(inputTokens !== null &&
      outputTokens !== null && {
        usage: {
          inputTokens,
          outputTokens,
          ...(row.cache_read_tokens !== null && { cacheReadTokens: row.cache_read_tokens }),
          ...(row.cache_write_tokens !== null && { cacheWriteTokens: row.cache_write_tokens }),
        },
      }),
    ...(row.cost_usd !== null && { costUsd: row.cost_usd }),
  }
}

/** Sums over nothing are null. */
const sum = v.pipe(
  v.nullable(v.number()),
  v.transform((value) => value ?? 0),
)

const USAGE_ROW = v.object({
  name: v.string(),
  requests: sum,
  failed: sum,
  counted: sum,
  priced: sum,
  input_tokens: sum,
  output_tokens: sum,
  cache_read_tokens: sum,
  cache_write_tokens: sum,
  cost_usd: sum,
})

export function parseUsageRow(raw: unknown): UsageRow {
  const row = v.parse(USAGE_ROW, raw)
  return {
    name: row.name,
    requests: row.requests,
    failed: row.failed,
    counted: row.counted,
    priced: row.priced,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheWriteTokens: row.cache_write_tokens,
    costUsd: row.cost_usd,
  }
}

/** A number in a row of our own asking; 0 where there is no row. */
export function numberIn(raw: unknown, name: string): number {
  return decodeOrDrop(v.object({ [name]: v.number() }), raw)?.[name] ?? 0
}
