import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { OauthCredential } from '../../src/domain/credential.ts'
import type { NotSentReason, RenewalOutcome, Verdict } from '../../src/domain/grant.ts'
import { markOf } from '../../src/domain/grant.ts'
import {
  againAfterMs,
  canRenew,
  configMark,
  freshness,
  isOfAnotherWay,
  isTooSoon,
  replayAfterMs,
  spacingMs,
} from '../../src/domain/renewal-rules.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts'
import { FAKE_NOW } from '../../src/testing.ts'

const access = new Secret('access-made-up')
const login = (leftMs: number, lifetimeMs?: number): OauthCredential => ({
  type: 'oauth',
  access,
  expiresAt: FAKE_NOW + leftMs,
  ...(lifetimeMs !== undefined && { renewedAt: FAKE_NOW + leftMs - lifetimeMs }),
})

describe('an access token', () => {
  test.each([
    ['without a known end', { type: 'oauth', access } as const, 'fresh'],
    ['of eight hours with seven left', login(7 * HOUR_MS, 8 * HOUR_MS), 'fresh'],
    ['of eight hours in its last quarter', login(1.9 * HOUR_MS, 8 * HOUR_MS), 'due'],
    ['of eight hours in its last minute', login(59 * SECOND_MS, 8 * HOUR_MS), 'stale'],
    ['that has ended', login(-1, HOUR_MS), 'stale'],
    ['of a minute, just issued', login(MINUTE_MS, MINUTE_MS), 'fresh'],
    ['of a minute, near its end', login(5 * SECOND_MS, MINUTE_MS), 'stale'],
    ['of unknown lifetime with eleven minutes left', login(11 * MINUTE_MS), 'fresh'],
    ['of unknown lifetime with nine minutes left', login(9 * MINUTE_MS), 'due'],
  ] as const)('%s', (_, credential, expected) => {
    expect(freshness(credential, FAKE_NOW)).toBe(expected)
  })

  test('never goes back from stale to fresh as time goes by', () => {
    const rank = { fresh: 0, due: 1, stale: 2 }
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.nat(1e9),
        fc.nat(1e9),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (lifetime, a, b, early) => {
          const [sooner, later] = a < b ? [a, b] : [b, a]
          const credential = login(lifetime, lifetime)
          expect(rank[freshness(credential, FAKE_NOW + sooner, early)]).toBeLessThanOrEqual(
            rank[freshness(credential, FAKE_NOW + later, early)],
          )
        },
      ),
    )
  })
})

describe('after a failure', () => {
  const outcomes: readonly (readonly [RenewalOutcome, readonly (number | undefined)[]])[] = [
    [{ kind: 'not_sent', reason: 'network', words: '' }, [2, 8, 30, 120, 600, 600]],
    [{ kind: 'not_consumed', status: 429, words: '' }, [2, 8, 30, 120, 600, 600]],
    [{ kind: 'ambiguous', words: '', lostAt: 0, replays: 0 }, [1, 4, 30, 120, 600, 600]],
    [{ kind: 'config', error: 'e', words: '' }, [undefined]],
    [{ kind: 'rejected', error: 'e', words: '' }, [undefined]],
  ]
  test.each(outcomes)('$kind is tried again on a ladder, or not by itself', (outcome, seconds) => {
    expect(seconds.map((_, index) => againAfterMs(outcome, index + 1, 0.5))).toEqual(
      seconds.map((wait) => (wait === undefined ? undefined : wait * SECOND_MS)),
    )
  })

  test('a provider that names a longer wait is obeyed', () => {
    expect(againAfterMs({ kind: 'not_consumed', status: 429, words: '' }, 1, 0.5, 90_000)).toBe(
      90_000,
    )
  })

  test('a server that ends a login at a second sending gets it when nothing is left to lose', () => {
    const strict = { replay: 'strict' } as const
    expect(replayAfterMs(strict, login(HOUR_MS), 0, FAKE_NOW)).toBe(HOUR_MS - MINUTE_MS)
    expect(replayAfterMs(strict, login(-1), 0, FAKE_NOW)).toBe(SECOND_MS)
    expect(replayAfterMs({ replay: 'unknown' }, login(HOUR_MS), 1, FAKE_NOW)).toBe(4 * SECOND_MS)
  })
})

describe('what stood in the way of one way of renewing', () => {
  const notSent = (reason: NotSentReason) => ({ kind: 'not_sent', reason, words: '' }) as const

  test('says nothing about another way, and goes on counting where it is the same', () => {
    expect(isOfAnotherWay(notSent('owner_program'), 'neighbour')).toBe(true)
    expect(isOfAnotherWay(notSent('owner_program'), 'owner')).toBe(false)
    expect(isOfAnotherWay(notSent('owner_busy'), 'owner')).toBe(true)
    expect(isOfAnotherWay(notSent('owner_busy'), 'neighbour')).toBe(false)
    expect(isOfAnotherWay(notSent('network'), 'owner')).toBe(false)
    expect(isOfAnotherWay({ kind: 'rejected', error: 'x', words: '' }, 'owner')).toBe(false)
  })
})

describe('no storm', () => {
  const renewed = (spacing: number): Verdict => ({
    token: markOf(access),
    moment: { at: FAKE_NOW, boot: 'one', upMs: 1_000 },
    tries: 1,
    outcome: { kind: 'renewed', spacingMs: spacing },
  })

  test('a minute lies between two renewals, less for tokens that live for less', () => {
    expect(spacingMs(HOUR_MS)).toBe(MINUTE_MS)
    expect(spacingMs(5 * SECOND_MS)).toBe(5 * SECOND_MS)
    expect(spacingMs(0)).toBe(SECOND_MS)
  })

  test('a clock that is set ten years on or back changes nothing', () => {
    for (const years of [-10, 0, 10]) {
      const moment = { at: FAKE_NOW + years * 365 * 24 * HOUR_MS, boot: 'one', upMs: 31_000 }
      expect(isTooSoon(renewed(MINUTE_MS), moment)).toBe(true)
      expect(isTooSoon(renewed(MINUTE_MS), { ...moment, upMs: 61_001 })).toBe(false)
    }
  })
})

test('a complaint about the request is void when address, client or scopes change', () => {
  const facts = {
    tokenUrl: 'https://a.example/token',
    scopes: ['x'],
    body: 'form',
    replay: 'unknown',
  } as const
  const marks = [
    configMark(facts, 'c'),
    configMark(facts, 'd'),
    configMark({ ...facts, tokenUrl: 'https://b.example/token' }, 'c'),
    configMark({ ...facts, body: 'json' }, 'c'),
    configMark({ ...facts, scopes: [] }, 'c'),
  ]
  expect(new Set(marks).size).toBe(marks.length)
  expect(configMark({ ...facts }, 'c')).toBe(marks[0])
})

test('what nobody here may renew cannot be counted on', () => {
  const ways = ['ours', 'neighbour', 'owner', 'never', 'none'] as const
  expect(ways.filter((way) => canRenew({ way }))).toEqual(['ours', 'neighbour', 'owner'])
  expect(canRenew(undefined)).toBe(false)
})
