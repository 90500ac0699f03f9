/** What requests have used: sums from the ledger, and what is left of the budgets. */

import type { BudgetUse } from '../domain/budget.ts'
import { budgetUse } from '../domain/budget.ts'
import type { Fault } from '../domain/fault.ts'
import type { Ledger, UsageQuery, UsageRow, UsageSums } from '../domain/ledger.ts'
import { addedUp } from '../domain/ledger.ts'
import type { ProfileId } from '../domain/names.ts'
import type { Clock, SettingsStore } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { SpentNow } from './spending.ts'

export interface UsageReport {
  readonly query: UsageQuery
  readonly rows: readonly UsageRow[]
  readonly total: UsageSums
  /** Of the profiles that have one, as they stand now. */
  readonly budgets: ReadonlyMap<ProfileId, readonly BudgetUse[]>
  /** Damaged ledgers that were set aside, and whose requests are not among these. */
  readonly setAside: readonly string[]
}

export interface Usage {
  report(query: UsageQuery): Promise<Result<UsageReport, Fault>>
}

export function createUsage(deps: {
  readonly ledger: Ledger
  readonly settings: SettingsStore
  readonly spentNow: SpentNow
  readonly clock: Clock
}): Usage {
  return {
    async report(query) {
      const rows = await deps.ledger.usage(query)
      if (!rows.ok) return rows
      const loaded = await deps.settings.read()
      if (!loaded.ok) return loaded
      const { settings } = loaded.value
      return ok({
        query,
        rows: rows.value,
        total: addedUp(rows.value),
        budgets: budgetUse(settings, await deps.spentNow(settings), deps.clock.now()),
        setAside: await deps.ledger.setAside(),
      })
    },
  }
}
