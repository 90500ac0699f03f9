/** What each client has used, by the ledger. */

import type { Period, Spending } from '../domain/budget.ts'
import { budgetDays } from '../domain/budget.ts'
import type { Ledger, UsageRow } from '../domain/ledger.ts'
import type { ClientName } from '../domain/names.ts'
import type { Clock } from '../domain/ports.ts'
import type { EpochMs } from '../domain/time.ts'

/** What a client has used in this day and this month. */
export type ClientSpent = Readonly<Record<Period, Spending>>

const NOTHING: Spending = { usd: 0, tokens: 0 }

/** Requests reach the ledger about twice a second, so it says nothing new before. */
const FRESH_MS = 500

/** What each client has used, by the ledger. One that cannot be read says what it said last. */
export function createClientSpending({
  ledger,
  clock,
}: {
  readonly ledger: Pick<Ledger, 'usage'>
  readonly clock: Clock
}): (name: ClientName) => Promise<ClientSpent> {
  interface Sums {
    readonly at: EpochMs
    readonly today: string
    readonly day: ReadonlyMap<string, Spending>
    readonly month: ReadonlyMap<string, Spending>
  }
  let last: Sums | undefined
  let asking: Promise<void> | undefined

  async function ask(now: EpochMs): Promise<void> {
    const { from, today } = budgetDays(now)
    const [day, month] = await Promise.all([
      ledger.usage({ by: 'client', from: today, to: today }),
      ledger.usage({ by: 'client', from, to: today }),
    ])
    if (day.ok && month.ok) {
      last = { at: now, today, day: spendingOf(day.value), month: spendingOf(month.value) }
    }
  }

  return async function spent(name) {
    const now = clock.now()
    const { today } = budgetDays(now)
    if (last?.today !== today || Math.abs(now - last.at) >= FRESH_MS) {
      await (asking ??= ask(now).finally(() => {
        asking = undefined
      }))
    }
    // A day that has ended must not go on counting.
    const sums = last?.today === today ? last : undefined
    return { daily: sums?.day.get(name) ?? NOTHING, monthly: sums?.month.get(name) ?? NOTHING }
  }
}

function spendingOf(rows: readonly UsageRow[]): ReadonlyMap<string, Spending> {
  return new Map(
    rows.map((row) => [row.name, { usd: row.costUsd, tokens: row.inputTokens + row.outputTokens }]),
  )
}
