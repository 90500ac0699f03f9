/** Tells that a budget is reached when that is first seen: once for each profile, period and limit. */

import type { Budgeted, BudgetReached, Period, Spent } from '../domain/budget.ts'
import { budgetUse, heaviest, PERIODS } from '../domain/budget.ts'
import type { Publish } from '../domain/event.ts'
import type { ProfileId } from '../domain/names.ts'
import type { Clock } from '../domain/ports.ts'
import type { EpochMs } from '../domain/time.ts'
import type { SpentNow } from './spending.ts'

export interface BudgetWatch {
  /** The same, while it is watched what it says. */
  watched(spentNow: SpentNow): SpentNow
  /** From now on it is told; a command that only reads has nobody to tell. */
  begin(): void
}

export function createBudgetWatch({
  publish,
  clock,
}: {
  readonly publish: Publish
  readonly clock: Pick<Clock, 'now'>
}): BudgetWatch {
  let begun = false
  /** Until when a limit that was told holds. */
  const told = new Map<string, EpochMs>()

  function look(settings: Budgeted, spent: Spent): void {
    for (const [profile, uses] of budgetUse(settings, spent, clock.now())) {
      for (const period of PERIODS) {
        const limit = heaviest(uses.filter((use) => use.period === period))
        if (limit) tell(profile, period, limit)
      }
    }
  }

  function tell(profile: ProfileId, period: Period, { limit, until }: BudgetReached): void {
    const key = `${profile} ${period} ${limit}`
    if (told.get(key) === until) return
    told.set(key, until)
    publish({ kind: 'budget.reached', profile, period, limit })
  }

  return {
    begin: () => void (begun = true),
    watched: (spentNow) => async (settings) => {
      const spent = await spentNow(settings)
      if (begun) look(settings, spent)
      return spent
    },
  }
}
