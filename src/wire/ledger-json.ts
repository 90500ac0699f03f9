/** Requests and sums as programs read them: `equabot usage --json` and `--csv`, `equabot requests --json`. */

import type { BudgetUse } from '../domain/budget.ts'
import type { RequestRecord, UsageKey, UsageQuery, UsageRow, UsageSums } from '../domain/ledger.ts'
import type { ProfileId } from '../domain/names.ts'

export function usageJson(
  query: UsageQuery,
  rows: readonly UsageRow[],
  total: UsageSums,
  budgets: ReadonlyMap<ProfileId, readonly BudgetUse[]>,
): unknown {
  return {
    by: query.by,
    ...(query.from !== undefined && { from: query.from }),
    ...(query.to !== undefined && { to: query.to }),
    ...(query.agent !== undefined && { agent: query.agent }),
    // Estimates from list prices; `priced` of the `counted` requests have one.
    costsAreEstimates: true,
    rows: rows.map(({ name, ...sums }) => ({ [query.by]: name, ...sums })),
    total,
    budgets: [...budgets].flatMap(([profile, uses]) => uses.map((use) => ({ profile, ...use }))),
  }
}

const CSV_SUMS = [
  ['requests', 'requests'],
  ['failed', 'failed'],
  ['counted', 'counted'],
  ['priced', 'priced'],
  ['input_tokens', 'inputTokens'],
  ['output_tokens', 'outputTokens'],
  ['cache_read_tokens', 'cacheReadTokens'],
  ['cache_write_tokens', 'cacheWriteTokens'],
  ['estimated_cost_usd', 'costUsd'],
] as const satisfies readonly (readonly [string, keyof UsageSums])[]

/** @source RFC 4180, with bare line feeds as every shell tool wants them */
export function usageCsv(by: UsageKey, rows: readonly UsageRow[]): string {
  const head = [by, ...CSV_SUMS.map(([column]) => column)].join(',')
  const lines = rows.map((row) =>
    [csvText(row.name), ...CSV_SUMS.map(([, key]) => String(row[key]))].join(','),
  )
  return [head, ...lines].join('\n')
}

/** A leading sign would be a formula to a spreadsheet. */
function csvText(text: string): string {
  const plain = /^[=+\-@]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

/** One request; its members bear the names of the domain. */
export function requestJson(record: RequestRecord): unknown {
  return { ...record, at: new Date(record.at).toISOString() }
}
