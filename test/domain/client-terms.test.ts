import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatBudget, formatRate, parseBudget, parseRate } from '../../src/domain/client-terms.ts'

describe('a budget', () => {
  test.each([
    ['5usd/day', { daily: { usd: 5 } }],
    ['0.5 USD / month', { monthly: { usd: 0.5 } }],
    ['2000000tokens/month', { monthly: { tokens: 2_000_000 } }],
    ['5usd/day,100usd/month', { daily: { usd: 5 }, monthly: { usd: 100 } }],
    ['5usd/day,1000tokens/day', { daily: { usd: 5, tokens: 1_000 } }],
  ])('%s', (text, budget) => {
    expect(parseBudget(text)).toEqual(budget)
  })

  test.each([
    '',
    '5',
    '5usd',
    '5eur/day',
    '0usd/day',
    '-1usd/day',
    '1.5tokens/day',
    '1e9usd/day',
    '5usd/day,6usd/day',
    '5usd/day,',
    '5usd/year',
  ])('"%s" is none', (text) => {
    expect(parseBudget(text)).toBeUndefined()
  })

  test('is shown as it is typed', () => {
    const amounts = fc.record(
      {
        usd: fc.integer({ min: 1, max: 100_000 }).map((cents) => cents / 100),
        tokens: fc.integer({ min: 1 }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(amounts, amounts, (daily, monthly) => {
        const budget = {
          ...(Object.keys(daily).length > 0 && { daily }),
          ...(Object.keys(monthly).length > 0 && { monthly }),
        }
        fc.pre(Object.keys(budget).length > 0)
        expect(parseBudget(formatBudget(budget))).toEqual(budget)
      }),
    )
  })
})

describe('a rate', () => {
  test.each([
    ['60/min', 60, 60_000],
    ['10/s', 10, 1_000],
    ['5000/day', 5_000, 86_400_000],
    [' 7 / Hour ', 7, 3_600_000],
  ])('%s', (text, requests, perMs) => {
    const rate = parseRate(text)
    expect(rate).toEqual({ requests, perMs })
    expect(rate && parseRate(formatRate(rate))).toEqual(rate)
  })

  test.each(['', '60', '0/min', '60/year', '-1/min', '1.5/min', '60/constructor', '99999999/s'])(
    '"%s" is none',
    (text) => {
      expect(parseRate(text)).toBeUndefined()
    },
  )
})
