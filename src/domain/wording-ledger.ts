/** Requests, their sums and budgets in a user's words. With the other wordings and `explain.ts`, the only place for prose. */

import type { BudgetUse } from './budget.ts'
import type { RequestRecord, UsageKey, UsageQuery, UsageSums } from './ledger.ts'
import type { EpochMs } from './time.ts'
import { inWords } from './time.ts'

const HEADINGS: Readonly<Record<UsageKey, string>> = {
  profile: 'Profile',
  model: 'Model',
  day: 'Day (UTC)',
  session: 'Session',
  client: 'Client',
  lane: 'Lane',
}

export function usageHeadings(by: UsageKey): readonly string[] {
  return [HEADINGS[by], 'Requests', 'Not whole', 'Input', 'From cache', 'Output', 'Estimate']
}

/** What stands for requests that had no profile, session and so on. */
export function namelessWords(by: UsageKey): string {
  return by === 'session' ? '(no session)' : '(none)'
}

export function nothingRecordedWords(): string {
  return 'Nothing recorded yet; every request that you send through Equabot is, such as: equabot agent --message hello'
}

export function nothingFoundWords(): string {
  return 'No recorded request is among these; see: equabot requests'
}

/** What one must know to read the sums; empty when they say all. */
export function usageNotes(total: UsageSums, { from, to }: UsageQuery): readonly string[] {
  const uncounted = total.requests - total.failed - total.counted
  const unpriced = total.counted - total.priced
  return [
    from === undefined
      ? ''
      : `From ${from}${to === undefined ? '' : ` to ${to}`}, whole days by UTC.`,
    total.priced > 0
      ? 'Costs are estimates from list prices; of a subscription they say what its tokens would have cost.'
      : '',
    unpriced > 0
      ? `No price is known for ${requestsWords(unpriced)}; the estimate lacks them.`
      : '',
    uncounted > 0 ? `${requestsWords(uncounted)} came without a count of tokens.` : '',
  ].filter((note) => note !== '')
}

export function setAsideWords(paths: readonly string[]): string {
  return paths.length === 0
    ? ''
    : `Set aside because it could not be read, and not among these: ${paths.join(', ')}`
}

/** `$4.10 of $5.00 today, estimated; tried last until midnight UTC (3 h)`. */
export function budgetWords(use: BudgetUse, now: EpochMs): string {
  const when = use.period === 'daily' ? 'today' : 'this month'
  const estimated = use.unit === 'usd' ? ', estimated' : ''
  const share = `${Math.floor((100 * use.spent) / use.max)} %`
  const [spent, max] =
    use.unit === 'usd'
      ? [dollars(use.spent), dollars(use.max)]
      : [tokensText(use.spent), `${tokensText(use.max)} tokens`]
  const amounts = `${spent} of ${max} ${when} (${share}${estimated})`
  return use.limit ? `${amounts}, ${LIMITS[use.limit]} for ${inWords(use.until - now)}` : amounts
}

const LIMITS = { soft: 'tried last', hard: 'not used' } as const

/** `$0.0042`, `$12.30`. */
export function dollars(usd: number): string {
  return usd > 0 && usd < 0.1 ? `$${usd.toFixed(4)}` : `$${usd.toFixed(2)}`
}

/** `950`, `12,400`, `3.2 M`. */
export function tokensText(tokens: number): string {
  return tokens < 1_000_000 ? grouped(tokens) : `${(tokens / 1_000_000).toFixed(1)} M`
}

export function grouped(count: number): string {
  return `${Math.round(count)}`.replace(/\B(?=(?:\d{3})+$)/g, ',')
}

const OUTCOMES: Readonly<Record<RequestRecord['outcome'], string>> = {
  served: 'served',
  cut: 'broke off',
  failed: 'failed',
  cancelled: 'stopped',
}

export function outcomeWords({ outcome, reason, fault }: RequestRecord): string {
  const because = outcome === 'served' ? '' : (reason ?? fault ?? '')
  return because === '' ? OUTCOMES[outcome] : `${OUTCOMES[outcome]}: ${because}`
}

function requestsWords(count: number): string {
  return count === 1 ? '1 request' : `${grouped(count)} requests`
}
