/** What a profile may use in a day and in a month, and how much of that is gone. Days and months are those of UTC. */

import type { ProfileId } from './names.ts'
import type { EpochMs } from './time.ts'
import { DAY_MS, dayText } from './time.ts'

export type Period = 'daily' | 'monthly'
export type BudgetUnit = 'usd' | 'tokens'

/** One of `usd` and `tokens`, or both; what is used up first counts. */
export interface Limit {
  /** US dollars, estimated from list prices. */
  readonly usd?: number
  /** Input and output tokens. */
  readonly tokens?: number
  /** From this share on, 0 to 1, the profile is tried last; 0.8 unless set. */
  readonly soft?: number
  /** Whether the profile is no longer used when all is spent; true unless set. */
  readonly hard?: boolean
}

export type Budget = Readonly<Partial<Record<Period, Limit>>>

export type Spending = Readonly<Record<BudgetUnit, number>>

/** What each profile has used in this day and this month. */
export type Spent = ReadonlyMap<ProfileId, Readonly<Record<Period, Spending>>>

/** How one limit stands. */
export interface BudgetUse {
  readonly period: Period
  readonly unit: BudgetUnit
  readonly spent: number
  readonly max: number
  /** `soft`: tried last. `hard`: not used. Absent: within the budget. */
  readonly limit?: 'soft' | 'hard'
  /** When the period ends, and with it the limit. */
  readonly until: EpochMs
}

/** A limit that is reached. */
export type BudgetReached = BudgetUse & { readonly limit: 'soft' | 'hard' }

/** Of the settings, what concerns budgets. */
export interface Budgeted {
  readonly auth: { readonly profiles: ReadonlyMap<ProfileId, { readonly budget?: Budget }> }
}

const SOFT_SHARE = 0.8
export const PERIODS: readonly Period[] = ['daily', 'monthly']
const UNITS: readonly BudgetUnit[] = ['usd', 'tokens']

export function hasBudgets(settings: Budgeted): boolean {
  return [...settings.auth.profiles.values()].some(({ budget }) => budget !== undefined)
}

/** Every limit of every profile that has one. */
export function budgetUse(
  settings: Budgeted,
  spent: Spent,
  now: EpochMs,
): ReadonlyMap<ProfileId, readonly BudgetUse[]> {
  const all = new Map<ProfileId, readonly BudgetUse[]>()
  for (const [profile, { budget = {} }] of settings.auth.profiles) {
    const uses = usesOfBudget(budget, spent.get(profile), now)
    if (uses.length > 0) all.set(profile, uses)
  }
  return all
}

/** Every limit of one budget. */
export function usesOfBudget(
  budget: Budget,
  spent: Readonly<Record<Period, Spending>> | undefined,
  now: EpochMs,
): readonly BudgetUse[] {
  return PERIODS.flatMap((period) => usesOf(budget[period] ?? {}, period, spent?.[period], now))
}

/** For each profile that has reached a limit, the one that weighs most: hard before soft, then the one that lasts longer. */
export function budgetsOf(
  settings: Budgeted,
  spent: Spent,
  now: EpochMs,
): ReadonlyMap<ProfileId, BudgetReached> {
  const reached = new Map<ProfileId, BudgetReached>()
  for (const [profile, uses] of budgetUse(settings, spent, now)) {
    const first = heaviest(uses)
    if (first) reached.set(profile, first)
  }
  return reached
}

/** Of these limits the one that weighs most, if any is reached. */
export function heaviest(uses: readonly BudgetUse[]): BudgetReached | undefined {
  return uses.filter(isReached).toSorted(heavierFirst)[0]
}

/** The first and the last day that count into the current periods: `2026-11-01` and `2026-11-24`. */
export function budgetDays(now: EpochMs): { readonly from: string; readonly today: string } {
  const today = dayText(now)
  return { from: `${today.slice(0, 7)}-01`, today }
}

function usesOf(
  limit: Limit,
  period: Period,
  spending: Spending | undefined,
  now: EpochMs,
): readonly BudgetUse[] {
  return UNITS.flatMap((unit) => {
    const max = limit[unit]
    if (max === undefined) return []
    const spent = spending?.[unit] ?? 0
    const stage = stageOf(spent / max, limit)
    return [{ period, unit, spent, max, until: endOf(period, now), ...(stage && { limit: stage }) }]
  })
}

function stageOf(share: number, { soft = SOFT_SHARE, hard = true }: Limit): BudgetUse['limit'] {
  if (share >= 1 && hard) return 'hard'
  return share >= soft ? 'soft' : undefined
}

function endOf(period: Period, now: EpochMs): EpochMs {
  const day = new Date(now)
  return period === 'daily'
    ? (Math.floor(now / DAY_MS) + 1) * DAY_MS
    : Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1)
}

function isReached(use: BudgetUse): use is BudgetReached {
  return use.limit !== undefined
}

function heavierFirst(a: BudgetReached, b: BudgetReached): number {
  return a.limit === b.limit ? b.until - a.until : a.limit === 'hard' ? -1 : 1
}
