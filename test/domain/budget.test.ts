import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Budget, Spending } from '../../src/domain/budget.ts'
import { budgetDays, budgetsOf, budgetUse, hasBudgets } from '../../src/domain/budget.ts'
import { DAY_MS, HOUR_MS } from '../../src/domain/time.ts'
import { profile } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const WORK = profile('anthropic:work')
const NONE: Spending = { usd: 0, tokens: 0 }
/** 2026-11-24T10:00:00Z */
const NOW = Date.UTC(2026, 10, 24, 10)

const withBudget = (budget: Budget) =>
  settingsFrom({
    auth: { profiles: { [WORK]: { provider: 'anthropic', mode: 'api_key', budget } } },
  })
const reached = (budget: Budget, daily: Partial<Spending>, monthly: Partial<Spending> = daily) =>
  budgetsOf(
    withBudget(budget),
    new Map([[WORK, { daily: { ...NONE, ...daily }, monthly: { ...NONE, ...monthly } }]]),
    NOW,
  ).get(WORK)

describe('a budget', () => {
  test('is reached softly at 0.8 of it, and hard when all is spent', () => {
    const budget = { daily: { usd: 5 } }
    expect(reached(budget, { usd: 3.99 })).toBeUndefined()
    expect(reached(budget, { usd: 4 })).toMatchObject({ limit: 'soft', spent: 4, max: 5 })
    expect(reached(budget, { usd: 5 })).toMatchObject({ limit: 'hard', unit: 'usd' })
  })

  test('may have another share, or no hard end', () => {
    expect(reached({ daily: { usd: 5, soft: 1 } }, { usd: 4.9 })).toBeUndefined()
    expect(reached({ daily: { usd: 5, soft: 0 } }, {})).toMatchObject({ limit: 'soft' })
    expect(reached({ daily: { usd: 5, hard: false } }, { usd: 50 })?.limit).toBe('soft')
  })

  test('of a day ends at midnight by UTC, of a month on the first', () => {
    expect(reached({ daily: { usd: 1 } }, { usd: 1 })?.until).toBe(NOW + 14 * HOUR_MS)
    expect(reached({ monthly: { usd: 1 } }, { usd: 1 })?.until).toBe(Date.UTC(2026, 11, 1))
    const december = Date.UTC(2026, 11, 31, 23)
    const spent = new Map([[WORK, { daily: NONE, monthly: { usd: 1, tokens: 0 } }]])
    const use = budgetsOf(withBudget({ monthly: { usd: 1 } }), spent, december).get(WORK)
    expect(use?.until).toBe(Date.UTC(2027, 0, 1))
  })

  test('in tokens and money is reached by whichever comes first', () => {
    const budget = { monthly: { usd: 5, tokens: 1000 } }
    expect(reached(budget, {}, { tokens: 1000 })).toMatchObject({ unit: 'tokens', limit: 'hard' })
    expect(reached(budget, {}, { usd: 5 })).toMatchObject({ unit: 'usd', limit: 'hard' })
  })

  test('that is spent weighs more than one that nearly is, whatever their periods', () => {
    const budget = { daily: { usd: 1 }, monthly: { usd: 100 } }
    expect(reached(budget, { usd: 1 }, { usd: 90 })).toMatchObject({ period: 'daily' })
    expect(reached(budget, { usd: 1 }, { usd: 100 })).toMatchObject({ period: 'monthly' })
  })

  test('of a profile about which nothing is known is untouched', () => {
    const settings = withBudget({ daily: { usd: 5 } })
    expect(budgetsOf(settings, new Map(), NOW).size).toBe(0)
    expect(budgetUse(settings, new Map(), NOW).get(WORK)).toMatchObject([{ spent: 0, max: 5 }])
    expect(hasBudgets(settings)).toBe(true)
    expect(hasBudgets(settingsFrom({}))).toBe(false)
  })

  test('never loosens as more is spent', () => {
    const weight = { soft: 1, hard: 2 }
    const amount = fc.double({ min: 0, max: 20, noNaN: true })
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(amount, amount, share, fc.boolean(), (one, other, soft, hard) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)]
        const at = (usd: number): number =>
          weight[reached({ daily: { usd: 5, soft, hard } }, { usd })?.limit ?? 'soft'] *
          Number(reached({ daily: { usd: 5, soft, hard } }, { usd }) !== undefined)
        expect(at(less)).toBeLessThanOrEqual(at(more))
      }),
    )
  })
})

test('the days that count are those since the first of the month', () => {
  expect(budgetDays(NOW)).toEqual({ from: '2026-11-01', today: '2026-11-24' })
  expect(budgetDays(NOW + 7 * DAY_MS)).toEqual({ from: '2026-12-01', today: '2026-12-01' })
})
