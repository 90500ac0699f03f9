/** A client of the gateway as plain data. Its key, and what is kept of it, are never there. */

import type { BudgetUse, Period, Spending } from '../domain/budget.ts'
import { usesOfBudget } from '../domain/budget.ts'
import type { Client, Rate } from '../domain/client.ts'
import type { EpochMs } from '../domain/time.ts'

export interface ClientJson {
  readonly client: string
  readonly createdAt: EpochMs
  readonly rotatedAt?: EpochMs
  readonly expiresAt?: EpochMs
  readonly expired: boolean
  readonly agent?: string
  readonly models?: readonly string[]
  readonly profiles?: readonly string[]
  readonly rate?: Rate
  /** How its budget stands, limit by limit. */
  readonly budget: readonly Omit<BudgetUse, 'limit'>[]
  /** In this day and this month, by UTC; dollars are estimates. */
  readonly spent: Readonly<Record<Period, Spending>>
  /** Where a copy of the key is kept for programs of this user. */
  readonly keyPath?: string
}

export function clientJson(
  client: Client,
  spent: Readonly<Record<Period, Spending>>,
  now: EpochMs,
  keyPath?: string,
): ClientJson {
  const { name, digest: _digest, budget, ...rest } = client
  const uses = budget ? usesOfBudget(budget, spent, now) : []
  return {
    client: name,
    ...rest,
    expired: client.expiresAt !== undefined && client.expiresAt <= now,
    budget: uses.map(({ limit: _limit, ...use }) => use),
    spent,
    ...(keyPath !== undefined && { keyPath }),
  }
}
