import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProfileUsage, UpstreamFailure } from '../../src/domain/cooldown.ts'
import {
  blamesProfile,
  currentUsage,
  mayFailOver,
  nextRest,
  restScope,
  runningRest,
} from '../../src/domain/cooldown.ts'
import { afterFailure, afterSuccess } from '../../src/domain/learning.ts'
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

  test('is believed for a day at most; for a month where it is about money', () => {
    const untilAfter = (reason: UpstreamFailure['reason']): number | undefined =>
      afterFailure(undefined, failure(reason, { retryAfterMs: 90 * DAY_MS }), PRINT, NOW).rest
        ?.until
    expect(untilAfter('rate_limit')).toBe(NOW + DAY_MS)
    expect(untilAfter('billing')).toBe(NOW + 32 * DAY_MS)
  })

  test('rests a little longer than the provider named, never shorter and by a tenth at most', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: DAY_MS }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (retryAfterMs, random) => {
          const told = failure('rate_limit', { retryAfterMs })
          const { rest } = afterFailure(undefined, told, PRINT, NOW, { random })
          const ms = (rest?.until ?? 0) - NOW
          expect(ms).toBeGreaterThanOrEqual(retryAfterMs)
          expect(ms).toBeLessThanOrEqual(Math.ceil(retryAfterMs * 1.1))
        },
      ),
    )
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
        const { rest } = afterFailure(before, failed, PRINT, NOW)
        const corrected =
          running?.source === 'ladder' &&
          failed.retryAfterMs !== undefined &&
          restScope(failed, false) === 'profile'
        const told = { ...rest, since: NOW, source: 'provider', reason: failed.reason }
        expect(rest).toEqual(corrected ? told : running)
      }),
    )
  })

  test('of two requests at the same instant counts as one rest', () => {
    const first = afterFailure(undefined, failure('rate_limit'), PRINT, NOW)
    expect(afterFailure(first, failure('rate_limit'), PRINT, NOW).rest).toEqual(first.rest)
  })

  test('rests whom it concerns and nobody else, and every rest ends', () => {
    fc.assert(
      fc.property(failures, fc.boolean(), (failed, accountKnown) => {
        const model = 'anthropic/claude-test'
        const { rest, models } = afterFailure(undefined, failed, PRINT, NOW, {
          model,
          accountKnown,
        })
        const scope = restScope(failed, accountKnown)
        const own = scope === 'model' && failed.reason !== 'overloaded'
        expect(rest !== undefined).toBe(scope === 'profile')
        expect(models?.has(model) ?? false).toBe(own)
        for (const entry of [rest, models?.get(model)]) {
          expect(entry?.until ?? NOW).toBeLessThanOrEqual(NOW + 32 * DAY_MS)
          expect(runningRest(entry, NOW + 32 * DAY_MS)).toBeUndefined()
        }
      }),
    )
  })

  test('that forbids one model leaves the others alone', () => {
    const usage = afterFailure(undefined, failure('permission'), PRINT, NOW, {
      model: 'anthropic/opus',
    })
    expect(usage.rest).toBeUndefined()
    expect([...(usage.models ?? [])]).toMatchObject([
      ['anthropic/opus', { scope: 'model', until: NOW + 10 * MINUTE_MS, source: 'ladder' }],
    ])
  })

  test('that forbids the use altogether rests nothing: waiting does not help', () => {
    const refused = failure('permission', { policyRefused: true, scope: 'profile' })
    const usage = afterFailure(undefined, refused, PRINT, NOW, { model: 'anthropic/opus' })
    expect(usage.refusedPolicy?.at).toBe(NOW)
    expect([usage.rest, usage.models]).toEqual([undefined, undefined])
  })

  test('of an account rests the profile where nobody knows whose it is', () => {
    const limit = failure('rate_limit', { scope: 'account', retryAfterMs: 5 * DAY_MS })
    expect(restScope(limit, true)).toBe('account')
    expect(afterFailure(undefined, limit, PRINT, NOW, { accountKnown: true }).rest).toBeUndefined()
    expect(afterFailure(undefined, limit, PRINT, NOW).rest?.scope).toBe('profile')
    expect(nextRest(undefined, limit, 'account', NOW, 0).until).toBe(NOW + 5 * DAY_MS)
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

describe('a success', () => {
  const clean = { fingerprint: PRINT, lastUsedAt: NOW, lastGoodAt: NOW }
  const rested = afterFailure(undefined, failure('rate_limit'), PRINT, NOW - SECOND_MS)

  test('forgets rests and failures', () => {
    expect(afterSuccess(PRINT, NOW)).toEqual(clean)
    expect(afterSuccess(PRINT, NOW, {}, rested)).toEqual(clean)
  })

  test('of a request that was sent before the rest began does not end it', () => {
    const sentAt = NOW - 2 * SECOND_MS
    const after = afterSuccess(PRINT, NOW, { sentAt }, rested)
    expect(after).toEqual({ ...rested, ...clean })
  })

  test('of one model says nothing about a rest for another', () => {
    const forbidden = afterFailure(undefined, failure('permission'), PRINT, NOW - 1, {
      model: 'anthropic/opus',
    })
    const other = afterSuccess(PRINT, NOW, { model: 'anthropic/haiku' }, forbidden)
    expect(other.models?.has('anthropic/opus')).toBe(true)
    const same = afterSuccess(PRINT, NOW, { model: 'anthropic/opus' }, forbidden)
    expect(same.models).toBeUndefined()
  })

  test('keeps what was seen of limits, the newest of each', () => {
    const seen = (name: string, used: number, seenAt: number) => ({ name, used, seenAt })
    const before = {
      fingerprint: PRINT,
      quota: [seen('5h', 0.1, NOW - 9), seen('7d', 0.2, NOW - 9)],
    }
    const { quota } = afterSuccess(PRINT, NOW, { quota: [seen('5h', 0.3, NOW)] }, before)
    expect(quota).toEqual([seen('7d', 0.2, NOW - 9), seen('5h', 0.3, NOW)])
  })
})

test('a new secret has no history', () => {
  const usage = afterFailure(undefined, failure('auth'), PRINT, NOW)
  expect(currentUsage(usage, 'ffffffff')).toBeUndefined()
  expect(currentUsage(usage, PRINT)).toBe(usage)
  expect(afterFailure(usage, failure('auth'), 'ffffffff', NOW + 1).failures).toBe(1)
})

test('renewed access of the same login is as limited as before, and no longer rejected', () => {
  const grant = 'g1'
  const limited = afterFailure(undefined, failure('rate_limit'), PRINT, NOW, { grant })
  expect(currentUsage(limited, 'ffffffff', grant)?.rest).toEqual(limited.rest)
  expect(currentUsage(limited, 'ffffffff', 'g2')).toBeUndefined()
  const rejected = afterFailure(undefined, failure('auth'), PRINT, NOW, { grant })
  const renewed = currentUsage(rejected, 'ffffffff', grant)
  expect([renewed?.rest, renewed?.lastFailure]).toEqual([undefined, undefined])
})

describe('a rest', () => {
  test('is over at its end, and when it claims more than its longest length', () => {
    fc.assert(
      fc.property(rests, fc.integer({ min: 0, max: 400 * DAY_MS }), (rest, more) => {
        const long = { ...rest, until: rest.until + more }
        const running = runningRest(long, NOW)
        expect(running === undefined || running.until > NOW).toBe(true)
        const longestMs = rest.reason === 'billing' ? 33 * DAY_MS : LONGEST_BELIEVED_MS
        expect(running === undefined || running.until - NOW < longestMs).toBe(true)
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
    const next = afterFailure({ rest: endless }, failure('auth'), PRINT, NOW).rest
    expect(runningRest(next, NOW)).toBe(next)
  })

  test('that began in the future was written by a wrong clock', () => {
    const rest = {
      scope: 'profile',
      reason: 'rate_limit',
      since: NOW + HOUR_MS,
      until: NOW + 2 * HOUR_MS,
      source: 'provider',
    } as const
    expect(runningRest(rest, NOW)).toBeUndefined()
    expect(runningRest({ ...rest, since: NOW + SECOND_MS }, NOW)).toBeDefined()
  })

  test('of an overloaded model is short, longer when it comes back soon, and never extended', () => {
    const first = nextRest(undefined, failure('overloaded'), 'model', NOW, 0)
    expect(first).toMatchObject({ scope: 'model', until: NOW + 10 * SECOND_MS })
    expect(nextRest(first, failure('overloaded'), 'model', NOW + SECOND_MS, 0)).toBe(first)
    const again = nextRest(first, failure('overloaded'), 'model', NOW + MINUTE_MS, 0)
    expect(again.until).toBe(NOW + MINUTE_MS + 30 * SECOND_MS)
    const later = nextRest(again, failure('overloaded'), 'model', NOW + HOUR_MS, 0)
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
