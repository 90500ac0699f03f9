import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runningRest } from '../../src/domain/cooldown.ts'
import { nearWall, usedShare } from '../../src/domain/quota.ts'
import type { QuotaWindow } from '../../src/domain/quota.ts'
import type { BudgetReached } from '../../src/domain/budget.ts'
import type { Candidate, RankInput } from '../../src/domain/rotation.ts'
import { firstMeant, rank, tried, usageOf } from '../../src/domain/rotation.ts'
import { Secret } from '../../src/domain/secret.ts'
import { STRATEGIES } from '../../src/domain/strategy.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts'
import { rankFor } from '../../src/domain/world.ts'
import { aProfile, aWorld, FAKE_NOW, plainFingerprint } from '../../src/testing.ts'
import { MODEL, rankInputs } from '../arbitrary-worlds.ts'
import { profile } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const RUNS = { numRuns: 500 }

const quotas: fc.Arbitrary<readonly QuotaWindow[]> = fc.array(
  fc
    .record({
      used: fc.constantFrom(0, 0.5, 0.97, 0.98, 1),
      resetsIn: fc.integer({ min: -HOUR_MS, max: 8 * DAY_MS }),
      known: fc.boolean(),
    })
    .map(({ used, resetsIn, known }) => ({
      name: '5h',
      used,
      ...(known && { resetsAt: FAKE_NOW + resetsIn }),
      seenAt: FAKE_NOW - MINUTE_MS,
    })),
  { maxLength: 2 },
)
const budgets: fc.Arbitrary<BudgetReached> = fc
  .record({ hard: fc.boolean(), untilIn: fc.integer({ min: -HOUR_MS, max: DAY_MS }) })
  .map(({ hard, untilIn }) => ({
    period: 'daily',
    limit: hard ? 'hard' : 'soft',
    until: FAKE_NOW + untilIn,
    spent: 12,
    max: 10,
    unit: 'usd',
  }))

/** All that a choice may meet: strategies, walls, budgets, lanes, sessions that were served before. */
const inputs: fc.Arbitrary<RankInput> = fc
  .tuple(
    rankInputs,
    fc.record(
      {
        strategy: fc.constantFrom(...STRATEGIES),
        keep: fc.constantFrom(...['a', 'b', 'c', 'd'].map((name) => profile(`anthropic:${name}`))),
        quotaThreshold: fc.constantFrom(0, 0.98, 1),
        crossing: fc.constantFrom('announce' as const, 'deny' as const),
      },
      { requiredKeys: [] },
    ),
    seven(fc.option(budgets, { freq: 3 })),
    seven(quotas),
    seven(fc.constantFrom('subscription' as const, 'metered' as const)),
  )
  .map(([input, more, reached, windows, lanes]): RankInput => {
    const candidates = input.candidates.map((candidate, index): Candidate => {
      const budget = reached[index]
      return { ...candidate, lane: lanes[index] ?? 'metered', ...(budget && { budget }) }
    })
    const profiles = new Map(
      [...input.state.profiles].map(([id, usage], index) => [
        id,
        { ...usage, quota: windows[index] ?? [] },
      ]),
    )
    return { ...input, ...more, candidates, state: { ...input.state, profiles } }
  })

/** One for each candidate that there may be. */
function seven<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  return fc.array(arbitrary, { minLength: 7, maxLength: 7 })
}

describe('whatever is known', () => {
  test('every candidate is named exactly once, those to be tried first', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const ranked = rank(input)
        expect(ranked.map(({ candidate }) => candidate.id).toSorted()).toEqual(
          input.candidates.map(({ id }) => id).toSorted(),
        )
        const taken = ranked.map((entry) => entry.taken)
        expect(taken).toEqual(taken.toSorted((a, b) => Number(b) - Number(a)))
      }),
      RUNS,
    )
  })

  test('the sequence does not depend on the sequence in which candidates come', () => {
    const shuffled = inputs.chain((input) =>
      fc.tuple(
        fc.constant(input),
        fc.shuffledSubarray([...input.candidates], { minLength: input.candidates.length }),
      ),
    )
    fc.assert(
      fc.property(shuffled, ([input, candidates]) => {
        expect(rank({ ...input, candidates })).toEqual(rank(input))
      }),
      RUNS,
    )
  })

  test('a user’s pin is strict: a kept profile, a strategy, a lane or a wall does not weaken it', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        fc.pre(input.pin !== undefined)
        for (const { id } of tried(rank(input))) expect(id).toBe(input.pin)
      }),
      RUNS,
    )
  })

  test('nobody is tried inside a rest whose end the provider named, nor over a hard budget', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        for (const candidate of tried(rank(input))) {
          const rest = runningRest(usageOf(candidate, input.state)?.rest, input.now)
          expect(rest?.source).not.toBe('provider')
          const { budget } = candidate
          expect(budget?.limit === 'hard' && budget.until > input.now).toBe(false)
        }
      }),
      RUNS,
    )
  })

  test('those that are well come before those near a wall or over a soft budget, and these before those that rest', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const places = rank(input)
          .filter((entry) => entry.taken)
          .map(({ why }) =>
            why.code === 'last_resort'
              ? 2
              : why.code === 'near_wall' || why.code === 'near_budget'
                ? 1
                : 0,
          )
        expect(places).toEqual(places.toSorted((a, b) => a - b))
      }),
      RUNS,
    )
  })

  test('where crossing is denied, no request that was meant for a subscription costs money by use', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        fc.pre(input.pin === undefined)
        const denying: RankInput = { ...input, crossing: 'deny' }
        if (firstMeant(denying)?.lane !== 'subscription') return
        for (const { lane } of tried(rank(denying))) expect(lane).not.toBe('metered')
      }),
      RUNS,
    )
  })

  test('a kept profile goes first whenever it is well, unless it alone would cost money by use', () => {
    fc.assert(
      fc.property(inputs, fc.nat(), ({ pin: _, keep: __, ...without }, index) => {
        const well = rank(without).filter(
          ({ taken, why }) =>
            taken && !['last_resort', 'near_wall', 'near_budget'].includes(why.code),
        )
        const kept = well[index % Math.max(1, well.length)]?.candidate
        if (!kept) return
        const othersPay = well.every(({ candidate }) => candidate.lane === 'metered')
        const first = tried(rank({ ...without, keep: kept.id }))[0]
        const mayGoFirst = kept.lane !== 'metered' || othersPay
        expect(!mayGoFirst || first === kept).toBe(true)
      }),
      RUNS,
    )
  })
})

describe('the strategy', () => {
  const ids = ['anthropic:a', 'anthropic:b', 'anthropic:c']
  const secretOf = (id: string): Secret => new Secret(`fake-key-of-${id}`)
  const served = (id: string, minutesAgo: number) =>
    [
      id,
      {
        fingerprint: plainFingerprint(secretOf(id)),
        lastUsedAt: FAKE_NOW - minutesAgo * MINUTE_MS,
        lastGoodAt: FAKE_NOW - minutesAgo * MINUTE_MS,
      },
    ] as const
  const order = (auth: object): readonly string[] =>
    tried(
      rankFor(
        aWorld({
          settings: settingsFrom({ auth }),
          profiles: ids.map((id) => aProfile(id)),
          state: {
            profiles: new Map([
              served('anthropic:a', 3),
              served('anthropic:b', 1),
              served('anthropic:c', 2),
            ]),
            models: new Map(),
          },
        }),
        MODEL,
      ),
    ).map(({ id }) => id.replace('anthropic:', ''))
  const configured = { anthropic: ['anthropic:c', 'anthropic:a', 'anthropic:b'] }

  test.each([
    ['nothing, without an order', {}, 'a c b'],
    ['nothing, with an order', { order: configured }, 'c a b'],
    ['ordered, without an order', { strategy: 'ordered' }, 'a b c'],
    ['ordered, with an order', { strategy: 'ordered', order: configured }, 'c a b'],
    ['spread, with an order', { strategy: 'spread', order: configured }, 'a c b'],
    ['sticky, without an order', { strategy: 'sticky' }, 'b a c'],
    ['sticky, with an order', { strategy: 'sticky', order: configured }, 'b c a'],
    ['one for this provider', { strategy: { anthropic: 'sticky', openai: 'spread' } }, 'b a c'],
    ['one for another provider alone', { strategy: { openai: 'sticky' } }, 'a c b'],
  ])('%s', (_, auth, expected) => {
    expect(order(auth).join(' ')).toBe(expected)
  })

  test('does not let a stopgap that costs money become a habit', () => {
    const login = aProfile('anthropic:z', {
      credential: { type: 'oauth', access: secretOf('anthropic:z') },
    })
    const world = aWorld({
      settings: settingsFrom({
        auth: { strategy: 'sticky', order: { anthropic: ['anthropic:z', 'anthropic:a'] } },
      }),
      profiles: [login, aProfile('anthropic:a')],
      state: { profiles: new Map([served('anthropic:a', 1)]), models: new Map() },
    })
    expect(tried(rankFor(world, MODEL))[0]?.id).toBe('anthropic:z')
    expect(tried(rankFor(world, MODEL, undefined, { keep: profile('anthropic:a') }))[0]?.id).toBe(
      'anthropic:z',
    )
  })
})

describe('a wall', () => {
  const window: QuotaWindow = {
    name: '5h',
    used: 0.98,
    resetsAt: FAKE_NOW + HOUR_MS,
    seenAt: FAKE_NOW,
  }

  test('is near from the threshold on, while its reset is known and ahead', () => {
    expect(nearWall([window], 0.98, FAKE_NOW)).toBe(window)
    expect(nearWall([window], 0.99, FAKE_NOW)).toBeUndefined()
    expect(nearWall([window], 0.98, FAKE_NOW + HOUR_MS)).toBeUndefined()
    const { resetsAt: _, ...unknown } = window
    expect(nearWall([unknown], 0.98, FAKE_NOW)).toBeUndefined()
    expect(
      nearWall([{ ...window, resetsAt: FAKE_NOW + 400 * DAY_MS }], 0.98, FAKE_NOW),
    ).toBeUndefined()
  })

  test('is near when the provider says so itself, and counted from what is left', () => {
    const { used: _, ...bare } = window
    expect(nearWall([{ ...bare, status: 'rejected' }], 0.98, FAKE_NOW)).toBeDefined()
    expect(nearWall([{ ...bare, status: 'warning' }], 0.98, FAKE_NOW)).toBeUndefined()
    expect(usedShare({ ...bare, limit: 50, remaining: 1 })).toBe(0.98)
    expect(usedShare({ ...bare, limit: 0, remaining: 0 })).toBeUndefined()
  })

  test('of several is the one that resets last', () => {
    const week = { ...window, name: '7d', resetsAt: FAKE_NOW + 2 * DAY_MS }
    expect(nearWall([window, week, window], 0.98, FAKE_NOW)).toBe(week)
  })

  test('sends its profile behind the others until the reset, and no longer', () => {
    const fingerprint = plainFingerprint(new Secret('fake-key-of-anthropic:a'))
    const world = aWorld({
      settings: settingsFrom({ auth: { order: { anthropic: ['anthropic:a', 'anthropic:b'] } } }),
      profiles: [aProfile('anthropic:a'), aProfile('anthropic:b')],
      state: {
        profiles: new Map([['anthropic:a', { fingerprint, quota: [window] }]]),
        models: new Map(),
      },
    })
    expect(rankFor(world, MODEL).map(({ why }) => why.code)).toEqual(['config_order', 'near_wall'])
    const later = { ...world, now: FAKE_NOW + HOUR_MS }
    expect(tried(rankFor(later, MODEL))[0]?.id).toBe('anthropic:a')
  })
})

describe('a budget', () => {
  const reached = (limit: BudgetReached['limit']): BudgetReached => ({
    period: 'daily',
    limit,
    until: FAKE_NOW + HOUR_MS,
    spent: 12,
    max: 10,
    unit: 'usd',
  })
  const world = (limit: BudgetReached['limit']) =>
    aWorld({
      profiles: [aProfile('anthropic:a'), aProfile('anthropic:b')],
      budgets: new Map([[profile('anthropic:a'), reached(limit)]]),
    })

  test('that is used up passes its profile over, a pin notwithstanding', () => {
    const codes = rankFor(world('hard'), MODEL).map(({ why }) => why.code)
    expect(codes).toEqual(['kind_order', 'budget_spent'])
    expect(tried(rankFor(world('hard'), MODEL, profile('anthropic:a')))).toEqual([])
  })

  test('that is nearly used up sends its profile behind the others, until the next period', () => {
    const codes = rankFor(world('soft'), MODEL).map(({ why }) => why.code)
    expect(codes).toEqual(['kind_order', 'near_budget'])
    const next = { ...world('soft'), now: FAKE_NOW + HOUR_MS }
    expect(tried(rankFor(next, MODEL))[0]?.id).toBe('anthropic:a')
  })
})
