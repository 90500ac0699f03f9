import { readQuota } from '../../src/wire/rate-headers.ts'
import { describe, expect, test } from 'vitest'
import { DAY_MS } from '../../src/domain/time.ts'
import { retryAfterMs, windowWaitMs } from '../../src/wire/retry-after.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')

describe('retryAfterMs', () => {
  test.each([
    ['seconds', { 'retry-after': '30' }, 30_000],
    ['a fraction of a second', { 'retry-after': '0.5' }, 500],
    ['an HTTP date', { 'retry-after': 'Sun, 22 Nov 2026 12:00:45 GMT' }, 45_000],
    ['milliseconds first', { 'retry-after-ms': '250', 'retry-after': '30' }, 250],
    [
      'seconds where the milliseconds are absurd',
      { 'retry-after-ms': '-1', 'retry-after': '3' },
      3_000,
    ],
    ['the first of several', { 'retry-after': ['7', '9'] }, 7_000],
    ['at most a month', { 'retry-after': '9000000' }, 32 * DAY_MS],
  ])('believes %s', (_what, headers, ms) => {
    expect(retryAfterMs(headers, NOW)).toBe(ms)
  })

  test.each([
    ['nothing', {}],
    ['zero', { 'retry-after': '0' }],
    ['a negative number', { 'retry-after': '-5' }],
    ['a date in the past', { 'retry-after': 'Sun, 22 Nov 2026 11:00:00 GMT' }],
    ['a number beyond sense', { 'retry-after': '99999999999999' }],
    ['no number', { 'retry-after': 'soon' }],
    ['an empty value', { 'retry-after': '' }],
  ])('ignores %s', (_what, headers) => {
    expect(retryAfterMs(headers, NOW)).toBeUndefined()
  })
})

describe('windowWaitMs', () => {
  test('waits for the last of the used-up windows', () => {
    const headers = {
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-11-22T12:00:10Z',
      'anthropic-ratelimit-tokens-remaining': '0',
      'anthropic-ratelimit-tokens-reset': '2026-11-22T12:00:40Z',
    }
    expect(windowWaitMs(readQuota(headers, NOW), NOW)).toBe(40_000)
  })

  test('knows the window of a subscription that was rejected', () => {
    const headers = {
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-reset': String(NOW / 1_000 + 90),
    }
    expect(windowWaitMs(readQuota(headers, NOW), NOW)).toBe(90_000)
  })

  test('knows nothing where no window is used up', () => {
    expect(
      windowWaitMs(readQuota({ 'x-ratelimit-remaining-tokens': '12' }, NOW), NOW),
    ).toBeUndefined()
  })
})
