import { describe, expect, test } from 'vitest'
import { verdictWords } from '../../src/domain/wording.ts'
import { pinWords } from '../../src/domain/wording-choice.ts'
import type { BudgetReached } from '../../src/domain/budget.ts'

import { rankFor } from '../../src/domain/world.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import { Secret } from '../../src/domain/secret.ts'
import { aProfile, aWorld, FAKE_NOW, plainFingerprint } from '../../src/testing.ts'
import { MODEL } from '../arbitrary-worlds.ts'
import { profile } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const A = profile('anthropic:a')
const budget = (limit: BudgetReached['limit']): BudgetReached => ({
  period: 'daily',
  limit,
  until: FAKE_NOW + 3 * HOUR_MS,
  spent: 12.5,
  max: 10,
  unit: 'usd',
})
const words = (world: ReturnType<typeof aWorld>, keep?: typeof A): string => {
  const [entry] = rankFor(world, MODEL, undefined, keep ? { keep } : {})
  return entry ? verdictWords(entry, FAKE_NOW) : ''
}

describe('the reason for a place', () => {
  test('names the limit, how much of it is used and when it resets', () => {
    const quota = [{ name: '5h', used: 0.985, resetsAt: FAKE_NOW + 2 * HOUR_MS, seenAt: FAKE_NOW }]
    const fingerprint = plainFingerprint(new Secret(`fake-key-of-${A}`))
    const world = aWorld({
      profiles: [aProfile(A)],
      state: { profiles: new Map([[A, { fingerprint, quota }]]), models: new Map() },
    })
    expect(words(world)).toBe('spared: 99 % of its 5h limit is used, which resets in 2 h')
  })

  test.each([
    [
      'soft',
      'spared: its daily budget has reached its soft limit: $12.50 of $10.00, estimated; the next period begins in 3 h',
    ],
    [
      'hard',
      'its daily budget is used up: $12.50 of $10.00, estimated; the next period begins in 3 h',
    ],
  ] as const)('names a budget with a %s limit, its sums and its end', (limit, expected) => {
    const world = aWorld({ profiles: [aProfile(A)], budgets: new Map([[A, budget(limit)]]) })
    expect(words(world)).toBe(expected)
  })

  test('says that a session is kept, and which strategy holds', () => {
    const kept = aWorld({ profiles: [aProfile(A)] })
    expect(words(kept, A)).toBe('served this session before; kept for the prompt cache')
    const spread = settingsFrom({ auth: { strategy: 'spread', order: { anthropic: [A] } } })
    expect(words(aWorld({ settings: spread, profiles: [aProfile(A)] }))).toBe(
      'place in auth.order of the config; least recently used first (auth.strategy is spread)',
    )
  })
})

test('a pin names its account, and the profile that the account has by now', () => {
  const pin = { profile: A, source: 'user' as const, account: { email: 'me@example.com' } }
  expect(pinWords(pin, A)).toBe('pinned to anthropic:a (me@example.com)')
  expect(pinWords(pin, profile('anthropic:b'))).toBe(
    'pinned to anthropic:a (me@example.com), whose account is anthropic:b by now',
  )
})
