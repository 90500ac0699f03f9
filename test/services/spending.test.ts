import { describe, expect, test } from 'vitest'
import type { Ledger } from '../../src/domain/ledger.ts'
import { fail } from '../../src/domain/result.ts'
import { DEFAULT_SETTINGS } from '../../src/domain/settings.ts'
import { DAY_MS, HOUR_MS } from '../../src/domain/time.ts'
import { createSpending } from '../../src/services/spending.ts'
import { createUsage } from '../../src/services/usage.ts'
import { fakeClock, memoryLedger, memorySettingsStore } from '../../src/testing.ts'
import { profile } from '../names-from.ts'
import { aRequest } from '../request-records.ts'
import { decodeSettings, settingsFrom } from '../settings-from.ts'

const WORK = profile('anthropic:work')
const raw = {
  auth: {
    profiles: {
      [WORK]: { provider: 'anthropic', mode: 'api_key', budget: { daily: { usd: 5 } } },
    },
  },
}
const BUDGETED = settingsFrom(raw)
/** 2026-11-24T10:00:00Z */
const NOW = Date.UTC(2026, 10, 24, 10)

/** A ledger that counts how often it is asked. */
function counting(ledger: Ledger) {
  const asked = { times: 0 }
  const usage: Ledger['usage'] = (query) => {
    asked.times += 1
    return ledger.usage(query)
  }
  return { asked, ledger: { ...ledger, usage } }
}

describe('what is spent', () => {
  test('is nothing, and the ledger is not asked, where no budget is set', async () => {
    const { asked, ledger } = counting(memoryLedger([aRequest({ costUsd: 3 })]))
    const spentNow = createSpending({ ledger, clock: fakeClock() })
    expect((await spentNow(DEFAULT_SETTINGS)).size).toBe(0)
    expect(asked.times).toBe(0)
  })

  test('counts this day and this month by UTC, in money and in tokens', async () => {
    const ledger = memoryLedger([
      aRequest({ at: NOW - HOUR_MS, costUsd: 1 }),
      aRequest({ at: NOW - 3 * DAY_MS, costUsd: 2 }),
      aRequest({ at: Date.UTC(2026, 9, 31, 23, 59), costUsd: 4 }),
    ])
    const spent = await createSpending({ ledger, clock: fakeClock(NOW) })(BUDGETED)
    expect(spent.get(WORK)).toEqual({
      daily: { usd: 1, tokens: 120 },
      monthly: { usd: 3, tokens: 240 },
    })
  })

  test('is asked for again only when there can be something new', async () => {
    const clock = fakeClock(NOW)
    const { asked, ledger } = counting(memoryLedger())
    const spentNow = createSpending({ ledger, clock })
    await Promise.all([spentNow(BUDGETED), spentNow(BUDGETED)])
    await spentNow(BUDGETED)
    expect(asked.times).toBe(2)
    ledger.append(aRequest({ at: NOW, costUsd: 5 }))
    clock.advance(500)
    expect((await spentNow(BUDGETED)).get(WORK)?.daily.usd).toBe(5)
    expect(asked.times).toBe(4)
  })

  test('is nothing again when the day is over, also within that half second', async () => {
    const clock = fakeClock(Date.UTC(2026, 10, 24, 23, 59, 59, 900))
    const ledger = memoryLedger([aRequest({ at: clock.now() - HOUR_MS, costUsd: 5 })])
    const spentNow = createSpending({ ledger, clock })
    expect((await spentNow(BUDGETED)).get(WORK)?.daily.usd).toBe(5)
    clock.advance(100)
    expect((await spentNow(BUDGETED)).get(WORK)).toMatchObject({
      daily: { usd: 0 },
      monthly: { usd: 5 },
    })
  })

  test('is what it was while the ledger cannot be read, and stops no request', async () => {
    const clock = fakeClock(NOW)
    const memory = memoryLedger([aRequest({ at: NOW, costUsd: 5 })])
    let broken = false
    const usage: Ledger['usage'] = async (query) =>
      broken
        ? fail({ code: 'EQ_STORE_UNREADABLE', path: '/x', errno: 'SQLITE_CORRUPT' })
        : memory.usage(query)
    const spentNow = createSpending({ ledger: { usage }, clock })
    await spentNow(BUDGETED)
    broken = true
    clock.advance(HOUR_MS)
    expect((await spentNow(BUDGETED)).get(WORK)?.daily.usd).toBe(5)
    clock.advance(DAY_MS)
    expect((await spentNow(BUDGETED)).size).toBe(0)
  })
})

test('a report holds rows, their total and how the budgets stand now, whatever days were asked for', async () => {
  const clock = fakeClock(NOW)
  const ledger = memoryLedger([
    aRequest({ at: NOW, costUsd: 4 }),
    aRequest({ at: NOW - DAY_MS, costUsd: 1 }),
  ])
  const usage = createUsage({
    ledger,
    settings: memorySettingsStore({ decode: decodeSettings, raw }),
    spentNow: createSpending({ ledger, clock }),
    clock,
  })
  const report = await usage.report({ by: 'day', to: '2026-11-23' })
  expect(report).toMatchObject({
    ok: true,
    value: { rows: [{ name: '2026-11-23', costUsd: 1 }], total: { requests: 1, costUsd: 1 } },
  })
  expect(report.ok && report.value.budgets.get(WORK)).toMatchObject([{ spent: 4, limit: 'soft' }])
})
