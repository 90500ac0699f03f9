import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProfileUsage, UpstreamFailure } from '../../src/domain/cooldown.ts'
import {
  afterFailure,
  afterOverload,
  afterSuccess,
  blamesProfile,
  currentUsage,
  mayFailOver,
  runningRest,
} from '../../src/domain/cooldown.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import { LONGEST_BELIEVED_MS, reasons, rests, usages } from '../arbitrary-worlds.ts'

const PRINT = '0a0b0c0d'
const NOW = FAKE_NOW
const failure = (
  reason: UpstreamFailure['reason'],
  more: Partial<UpstreamFailure> = {},
): UpstreamFailure => ({
  reason,
  words: 'words',
  ...more,
})
const failures: fc.Arbitrary<UpstreamFailure> = fc
  .tuple(
    reasons,
    fc.option(fc.integer({ min: 0, max: 30 * DAY_MS }), { nil: undefined }),
    fc.boolean(),
  )
  .map(([reason, retryAfterMs, policyRefused]) =>
    failure(reason, {
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(policyRefused && { policyRefused }),
    }),
  )

describe('a failure', () => {
  test('with the time named by the provider rests the profile exactly that long', () => {
    const usage = afterFailure(
      undefined,
      failure('rate_limit', { retryAfterMs: 30_000 }),
      PRINT,
      NOW,
    )
    expect(usage.rest).toEqual({
      scope: 'profile',
      reason: 'rate_limit',
      since: NOW,
      until: NOW + 30_000,
      source: 'provider',
    })
  })

  test('is believed for a day at most', () => {
    const usage = afterFailure(
      undefined,
      failure('billing', { retryAfterMs: 90 * DAY_MS }),
      PRINT,
      NOW,
    )
    expect(usage.rest?.until).toBe(NOW + DAY_MS)
  })

  test.each([
    ['rate_limit', [30 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 5 * MINUTE_MS]],
    ['auth', [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, HOUR_MS]],
    ['billing', [HOUR_MS, 5 * HOUR_MS, DAY_MS, DAY_MS]],
  ] as const)('of kind %s in a row rests longer each time, up to a top', (reason, lengths) => {
    let usage: ProfileUsage | undefined
    let now = NOW
    const seen: number[] = []
    for (const _ of lengths) {
      usage = afterFailure(usage, failure(reason), PRINT, now)
      seen.push((usage.rest?.until ?? now) - now)
      now = (usage.rest?.until ?? now) + 1
    }
    expect(seen).toEqual(lengths)
  })

  test('of another kind begins the ladder anew', () => {
    const first = afterFailure(undefined, failure('rate_limit'), PRINT, NOW)
    const second = afterFailure(first, failure('auth'), PRINT, NOW + HOUR_MS)
    expect(second.failures).toBe(1)
    expect(second.rest?.until).toBe(NOW + HOUR_MS + MINUTE_MS)
  })

  test('during a running rest never extends it, unless the provider corrects our guess', () => {
    fc.assert(
      fc.property(usages, failures, (before, failed) => {
        const running = runningRest(currentUsage(before, PRINT)?.rest, NOW)
        fc.pre(running !== undefined)
        const corrected =
          running?.source === 'ladder' &&
          failed.retryAfterMs !== undefined &&
          blamesProfile(failed.reason)
        const { rest } = afterFailure(before, failed, PRINT, NOW)
        const { rest: renewed } = afterFailure(undefined, failed, PRINT, NOW)
        expect(rest).toEqual(corrected ? renewed : running)
      }),
    )
  })

  test('of two requests at the same instant counts as one rest', () => {
    const first = afterFailure(undefined, failure('rate_limit'), PRINT, NOW)
    expect(afterFailure(first, failure('rate_limit'), PRINT, NOW).rest).toEqual(first.rest)
  })

  test('starts a rest only when it blames the profile, and every rest ends within a day', () => {
    fc.assert(
      fc.property(failures, (failed) => {
        const { rest } = afterFailure(undefined, failed, PRINT, NOW)
        expect(rest !== undefined).toBe(blamesProfile(failed.reason))
        expect(rest?.until ?? NOW).toBeLessThanOrEqual(NOW + DAY_MS)
        expect(runningRest(rest, NOW + DAY_MS)).toBeUndefined()
      }),
    )
  })

  test('of the request or the caller leaves no mark but the time of use', () => {
    for (const reason of ['invalid_request', 'not_found', 'content_policy', 'cancelled'] as const) {
      expect(afterFailure({ lastGoodAt: 5 }, failure(reason), PRINT, NOW)).toEqual({
        lastGoodAt: 5,
        fingerprint: PRINT,
        lastUsedAt: NOW,
      })
    }
  })

  test('of the line does not hide that the provider rejected the secret', () => {
    const rejected = afterFailure(undefined, failure('auth'), PRINT, NOW)
    const after = afterFailure(rejected, failure('network'), PRINT, NOW + HOUR_MS)
    expect(after.lastFailure).toEqual(rejected.lastFailure)
  })

  test('because the use is forbidden is kept as such until a success', () => {
    const usage = afterFailure(
      undefined,
      failure('permission', { policyRefused: true }),
      PRINT,
      NOW,
    )
    expect(usage.refusedPolicy).toEqual({ at: NOW, words: 'words' })
    expect(afterSuccess(PRINT, NOW + 1).refusedPolicy).toBeUndefined()
  })

  test('leaves the usage it was given as it was', () => {
    fc.assert(
      fc.property(usages, failures, (before, failed) => {
        const copy = structuredClone(before)
        afterFailure(before, failed, PRINT, NOW)
        expect(before).toEqual(copy)
      }),
    )
  })
})

test('a success forgets rests and failures', () => {
  expect(afterSuccess(PRINT, NOW)).toEqual({ fingerprint: PRINT, lastUsedAt: NOW, lastGoodAt: NOW })
})

test('a new secret has no history', () => {
  const usage = afterFailure(undefined, failure('auth'), PRINT, NOW)
  expect(currentUsage(usage, 'ffffffff')).toBeUndefined()
  expect(currentUsage(usage, PRINT)).toBe(usage)
  expect(afterFailure(usage, failure('auth'), 'ffffffff', NOW + 1).failures).toBe(1)
})

describe('a rest', () => {
  test('is over at its end, and when it claims more than its longest length', () => {
    fc.assert(
      fc.property(rests, fc.integer({ min: 0, max: 400 * DAY_MS }), (rest, more) => {
        const long = { ...rest, until: rest.until + more }
        const running = runningRest(long, NOW)
        expect(running === undefined || running.until > NOW).toBe(true)
        expect(running === undefined || running.until - NOW < LONGEST_BELIEVED_MS).toBe(true)
      }),
    )
  })

  test('that a broken clock or file made endless does not count', () => {
    const endless = {
      scope: 'profile',
      reason: 'auth',
      since: 0,
      until: NOW + 9 * DAY_MS,
      source: 'provider',
    } as const
    expect(runningRest(endless, NOW)).toBeUndefined()
    expect(afterFailure({ rest: endless }, failure('auth'), PRINT, NOW).rest?.until).toBe(
      NOW + MINUTE_MS,
    )
  })

  test('of an overloaded model is short, longer when it comes back soon, and never extended', () => {
    const first = afterOverload(undefined, failure('overloaded'), NOW)
    expect(first).toMatchObject({ scope: 'model', until: NOW + 10 * SECOND_MS })
    expect(afterOverload(first, failure('overloaded'), NOW + SECOND_MS)).toBe(first)
    const again = afterOverload(first, failure('overloaded'), NOW + MINUTE_MS)
    expect(again.until).toBe(NOW + MINUTE_MS + 30 * SECOND_MS)
    const later = afterOverload(again, failure('overloaded'), NOW + HOUR_MS)
    expect(later.until).toBe(NOW + HOUR_MS + 10 * SECOND_MS)
  })
})

test('what blames the profile may fail over; what is wrong with the request may not', () => {
  fc.assert(fc.property(reasons, (reason) => mayFailOver(reason) || !blamesProfile(reason)))
  for (const reason of [
    'invalid_request',
    'not_found',
    'content_policy',
    'context_overflow',
    'conflict',
    'cancelled',
  ] as const)
    expect(mayFailOver(reason)).toBe(false)
})
