import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  mayRetry,
  NOTHING_SENT,
  RETRY_FLOOR,
  RETRY_SHARE,
  RETRY_WINDOW_MS,
  withAttempt,
} from '../../src/domain/retry-budget.ts'
import { FAKE_NOW } from '../../src/testing.ts'

test('whatever is asked for, further attempts stay within their share of the requests of a minute', () => {
  const steps = fc.array(
    fc.record({ wantsExtra: fc.boolean(), afterMs: fc.integer({ min: 0, max: 3_000 }) }),
    { maxLength: 400 },
  )
  fc.assert(
    fc.property(steps, (given) => {
      let window = NOTHING_SENT
      let now = FAKE_NOW
      const extras: number[] = []
      let requests = 0
      for (const { wantsExtra, afterMs } of given) {
        now += afterMs
        if (!wantsExtra) {
          window = withAttempt(window, 'request', now)
          requests += 1
        } else if (mayRetry(window, now)) {
          window = withAttempt(window, 'extra', now)
          extras.push(now)
        }
        // Slots are whole: the last one may reach back a little less than the window.
        const lately = extras.filter((at) => now - at < RETRY_WINDOW_MS - 5_000).length
        expect(lately).toBeLessThanOrEqual(Math.max(RETRY_FLOOR, RETRY_SHARE * requests + 1))
      }
      expect(window.length).toBeLessThanOrEqual(RETRY_WINDOW_MS / 5_000 + 1)
    }),
  )
})

test('a few attempts are always free, and what was used comes back after a minute', () => {
  let window = NOTHING_SENT
  for (let index = 0; index < RETRY_FLOOR; index += 1) {
    expect(mayRetry(window, FAKE_NOW)).toBe(true)
    window = withAttempt(window, 'extra', FAKE_NOW)
  }
  expect(mayRetry(window, FAKE_NOW)).toBe(false)
  expect(mayRetry(window, FAKE_NOW + RETRY_WINDOW_MS)).toBe(true)
  expect(mayRetry(window, FAKE_NOW - RETRY_WINDOW_MS)).toBe(true)
})
