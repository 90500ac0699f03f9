import { describe, expect, test } from 'vitest'
import type { Spending, Spent } from '../../src/domain/budget.ts'
import type { Happening } from '../../src/domain/event.ts'
import { DAY_MS } from '../../src/domain/time.ts'
import { createBudgetWatch } from '../../src/services/budget-watch.ts'
import { fakeClock } from '../../src/testing.ts'
import { profile } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const WORK = profile('anthropic:work')
const BUDGETED = settingsFrom({
  auth: {
    profiles: {
      [WORK]: {
        provider: 'anthropic',
        mode: 'api_key',
        budget: { daily: { usd: 10, tokens: 1_000 }, monthly: { usd: 100 } },
      },
    },
  },
})
const NONE: Spending = { usd: 0, tokens: 0 }

function bench(begun = true) {
  const clock = fakeClock(Date.UTC(2026, 10, 24, 10))
  const told: Happening[] = []
  const watch = createBudgetWatch({ publish: (happening) => void told.push(happening), clock })
  let spent: Spent = new Map()
  const spentNow = watch.watched(async () => spent)
  if (begun) watch.begin()
  return {
    clock,
    told,
    watch,
    async spend(daily: Partial<Spending>, monthly: Partial<Spending> = {}): Promise<Spent> {
      spent = new Map([[WORK, { daily: { ...NONE, ...daily }, monthly: { ...NONE, ...monthly } }]])
      return spentNow(BUDGETED)
    },
  }
}
const reached = (period: string, limit: string) => ({
  kind: 'budget.reached',
  profile: WORK,
  period,
  limit,
})

describe('a budget that is reached', () => {
  test('is told once for each limit, as it is reached', async () => {
    const { told, spend } = bench()
    await spend({ usd: 7 })
    expect(told).toEqual([])
    await spend({ usd: 8 })
    await spend({ usd: 9, tokens: 900 })
    expect(told).toEqual([reached('daily', 'soft')])
    await spend({ usd: 9, tokens: 1_000 })
    await spend({ usd: 10, tokens: 1_000 })
    expect(told).toEqual([reached('daily', 'soft'), reached('daily', 'hard')])
  })

  test('is told of each period by itself', async () => {
    const { told, spend } = bench()
    await spend({ usd: 10 }, { usd: 80 })
    expect(told).toEqual([reached('daily', 'hard'), reached('monthly', 'soft')])
  })

  test('is told anew in the next period, where it is reached again', async () => {
    const { told, spend, clock } = bench()
    await spend({ usd: 10 })
    clock.advance(DAY_MS)
    await spend({ usd: 0 })
    await spend({ usd: 10 })
    await spend({ usd: 10 })
    expect(told).toEqual([reached('daily', 'hard'), reached('daily', 'hard')])
  })

  test('is told to nobody before the watch begins, and then at the first look', async () => {
    const { told, spend, watch } = bench(false)
    expect((await spend({ usd: 10 })).get(WORK)?.daily.usd).toBe(10)
    expect(told).toEqual([])
    watch.begin()
    await spend({ usd: 10 })
    expect(told).toEqual([reached('daily', 'hard')])
  })
})
