/** What the profiles with a budget have used of it, by the ledger. Where no budget is set, the ledger is not asked. */

import type { Period, Spending, Spent } from '../domain/budget.ts'
import { budgetDays, hasBudgets } from '../domain/budget.ts'
import type { Ledger, UsageRow } from '../domain/ledger.ts'
import type { ProfileId } from '../domain/names.ts'
import { parseProfileId } from '../domain/names.ts'
import type { Clock } from '../domain/ports.ts'
import type { Settings } from '../domain/settings.ts'
import type { EpochMs } from '../domain/time.ts'

/** What has been used in the current periods. A ledger that cannot be read says what it said last. */
export type SpentNow = (settings: Settings) => Promise<Spent>

/** Requests reach the ledger about twice a second, so it says nothing new before. */
const FRESH_MS = 500
const NOTHING: Spent = new Map()

export function createSpending(deps: {
  readonly ledger: Pick<Ledger, 'usage'>
  readonly clock: Clock
}): SpentNow {
  let last: { readonly at: EpochMs; readonly today: string; readonly spent: Spent } | undefined
  let asking: Promise<Spent> | undefined

  async function ask(now: EpochMs): Promise<Spent> {
    const { from, today } = budgetDays(now)
    const [day, month] = await Promise.all([
      deps.ledger.usage({ by: 'profile', from: today, to: today }),
      deps.ledger.usage({ by: 'profile', from, to: today }),
    ])
    if (day.ok && month.ok) last = { at: now, today, spent: spentOf(day.value, month.value) }
    // A day that has ended must not go on counting.
    return last?.today === today ? last.spent : NOTHING
  }

  return async function spentNow(settings) {
    if (!hasBudgets(settings)) return NOTHING
    const now = deps.clock.now()
    const isFresh = last && Math.abs(now - last.at) < FRESH_MS
    if (last && isFresh && last.today === budgetDays(now).today) return last.spent
    asking ??= ask(now).finally(() => {
      asking = undefined
    })
    return asking
  }
}

function spentOf(day: readonly UsageRow[], month: readonly UsageRow[]): Spent {
  const spent = new Map<ProfileId, Record<Period, Spending>>()
  const add = (period: Period, rows: readonly UsageRow[]): void => {
    for (const row of rows) {
      const profile = parseProfileId(row.name)
      if (!profile) continue
      const known = spent.get(profile) ?? { daily: NONE, monthly: NONE }
      const used = { usd: row.costUsd, tokens: row.inputTokens + row.outputTokens }
      spent.set(profile, { ...known, [period]: used })
    }
  }
  add('daily', day)
  add('monthly', month)
  return spent
}

const NONE: Spending = { usd: 0, tokens: 0 }
