import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Moment, Verdict } from '../../src/domain/grant.ts'
import {
  elapsedMs,
  holdMs,
  isDead,
  markOf,
  newGrantId,
  ownGrantId,
  parseGrantId,
  parseTokenMark,
} from '../../src/domain/grant.ts'
import { Secret } from '../../src/domain/secret.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import { provider } from '../names-from.ts'

const ACME = provider('acme')
const refresh = new Secret('refresh-token-made-up')
const at = (ms: number, boot = 'one'): Moment => ({ at: FAKE_NOW + ms, boot, upMs: 1_000 + ms })
const verdict = (outcome: Verdict['outcome'], againAfterMs?: number): Verdict => ({
  token: markOf(refresh),
  moment: at(0),
  tries: 1,
  outcome,
  ...(againAfterMs !== undefined && { againAfterMs }),
})

describe('a grant', () => {
  test('keeps the id that it was stored with', () => {
    const id = newGrantId(ACME, refresh)
    const rotated = { type: 'oauth', access: refresh, refresh: new Secret('next') } as const
    expect(ownGrantId(ACME, { ...rotated, grantId: id })).toBe(id)
    expect(ownGrantId(ACME, rotated)).not.toBe(id)
  })

  test('of an older tool has one id for all copies of it, and another at another provider', () => {
    const copy = { type: 'oauth', access: new Secret('a'), refresh } as const
    expect(ownGrantId(ACME, copy)).toBe(newGrantId(ACME, new Secret(refresh.reveal())))
    expect(ownGrantId(provider('other'), copy)).not.toBe(newGrantId(ACME, refresh))
  })

  test('without a refresh token is none', () => {
    expect(ownGrantId(ACME, { type: 'oauth', access: refresh })).toBeUndefined()
  })

  test('has an id that is safe as a folder name and gives the token away nowhere', () => {
    const id = newGrantId(ACME, refresh)
    expect(parseGrantId(id)).toBe(id)
    expect(parseTokenMark(markOf(refresh))).toBe(markOf(refresh))
    expect(`${id}${markOf(refresh)}`).not.toContain('refresh')
    for (const text of ['', '..', 'A'.repeat(32), '0'.repeat(31), `${'0'.repeat(32)}/`]) {
      expect(parseGrantId(text)).toBeUndefined()
    }
  })
})

describe('time since a moment', () => {
  test('is told by the boot clock within one boot, however the wall clock was set', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), fc.nat(1e9), (jump, passed) => {
        const now = { at: FAKE_NOW + passed + jump, boot: 'one', upMs: 1_000 + passed }
        expect(elapsedMs(at(0), now)).toBe(passed)
      }),
    )
  })

  test('is told by the wall clock over two boots, and is never negative', () => {
    expect(elapsedMs(at(0), at(5_000, 'two'))).toBe(5_000)
    expect(elapsedMs(at(0), at(-5_000, 'two'))).toBe(0)
    expect(elapsedMs(at(0, ''), { ...at(7_000, ''), upMs: 0 })).toBe(7_000)
  })
})

describe('a verdict', () => {
  test('holds the next try up for as long as it says', () => {
    const put = verdict({ kind: 'not_sent', reason: 'network', words: '' }, 8_000)
    expect(holdMs(put, at(3_000))).toBe(5_000)
    expect(holdMs(put, at(9_000))).toBe(0)
  })

  test('that says nothing of another try waits for the user', () => {
    expect(holdMs(verdict({ kind: 'config', error: 'invalid_client', words: '' }), at(1e12))).toBe(
      Infinity,
    )
  })

  test('is death only as the provider said so, or where the token has served before', () => {
    const kinds: readonly Verdict['outcome'][] = [
      { kind: 'renewed', spacingMs: 0 },
      { kind: 'not_sent', reason: 'storage', words: '' },
      { kind: 'not_consumed', status: 429, words: '' },
      { kind: 'config', error: 'invalid_client', words: '' },
      { kind: 'ambiguous', words: '', lostAt: 0, replays: 9 },
      { kind: 'quarantined', expected: 'a', got: 'b' },
      { kind: 'kept', words: '' },
      { kind: 'rejected', error: 'invalid_grant', words: '' },
      { kind: 'spent', spentAt: 0 },
    ]
    const dead = kinds.filter((outcome) => isDead({ way: 'ours', verdict: verdict(outcome) }))
    expect(dead.map(({ kind }) => kind)).toEqual(['rejected', 'spent'])
    expect(isDead({ way: 'ours' })).toBe(false)
  })
})
