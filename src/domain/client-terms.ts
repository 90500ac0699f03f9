/** What limits of a client's key look like when a person types them. */

import type { Budget, BudgetUnit, Limit, Period } from './budget.ts'
import type { Rate } from './client.ts'
import { DAY_MS, HOUR_MS, inWords, MINUTE_MS, SECOND_MS } from './time.ts'

const PERIODS: ReadonlyMap<string, Period> = new Map([
  ['day', 'daily'],
  ['month', 'monthly'],
])
const RATE_UNITS: ReadonlyMap<string, number> = new Map([
  ['s', SECOND_MS],
  ['sec', SECOND_MS],
  ['second', SECOND_MS],
  ['min', MINUTE_MS],
  ['minute', MINUTE_MS],
  ['h', HOUR_MS],
  ['hour', HOUR_MS],
  ['day', DAY_MS],
])
const MOST_REQUESTS = 1_000_000

/** `5usd/day`, `2000000tokens/month`, or several with commas. Undefined when it is none. */
export function parseBudget(text: string): Budget | undefined {
  const found: Partial<Record<Period, Limit>> = {}
  for (const part of text.split(',')) {
    const match = /^\s*(\d+(?:\.\d+)?)\s*(usd|tokens?)\s*\/\s*(day|month)\s*$/i.exec(part)
    const [, number = '', unitText = '', periodText = ''] = match ?? []
    const unit: BudgetUnit = unitText.toLowerCase() === 'usd' ? 'usd' : 'tokens'
    const period = PERIODS.get(periodText.toLowerCase())
    const max = Number(number)
    if (!period || !Number.isFinite(max) || max <= 0) return undefined
    if (unit === 'tokens' && !Number.isSafeInteger(max)) return undefined
    if (found[period]?.[unit] !== undefined) return undefined
    found[period] = { ...found[period], [unit]: max }
  }
  return found
}

/** `60/min`, `10/s`, `5000/day`. Undefined when it is none. */
export function parseRate(text: string): Rate | undefined {
  const match = /^\s*(\d{1,7})\s*\/\s*([a-z]+)\s*$/i.exec(text)
  const perMs = RATE_UNITS.get(match?.[2]?.toLowerCase() ?? '')
  const requests = Number(match?.[1])
  if (perMs === undefined || requests < 1 || requests > MOST_REQUESTS) return undefined
  return { requests, perMs }
}

/** As it is typed. */
export function formatBudget(budget: Budget): string {
  const parts = (['daily', 'monthly'] as const).flatMap((period) => {
    const { usd, tokens } = budget[period] ?? {}
    const per = period === 'daily' ? 'day' : 'month'
    return [
      ...(usd === undefined ? [] : [`${usd}usd/${per}`]),
      ...(tokens === undefined ? [] : [`${tokens}tokens/${per}`]),
    ]
  })
  return parts.join(',')
}

/** As it is typed. */
export function formatRate({ requests, perMs }: Rate): string {
  const unit = ['s', 'min', 'h', 'day'].find((name) => RATE_UNITS.get(name) === perMs)
  return `${requests}/${unit ?? inWords(perMs)}`
}
