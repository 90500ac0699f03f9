import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bearerOf } from '../../src/domain/credential.ts'
import { rank } from '../../src/domain/rotation.ts'
import type { World } from '../../src/domain/world.ts'
import { candidatesFor, rankFor } from '../../src/domain/world.ts'
import { aProfile, aWorld, anEnvironment, FAKE_NOW, plainFingerprint } from '../../src/testing.ts'
import { ANTHROPIC, MODEL, profiles, rests, usages } from '../arbitrary-worlds.ts'
import { profile } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const factsOf = (world: World) => world.providers.get(ANTHROPIC) ?? expect.unreachable()

/** The same world, of which nothing was asked yet. */
const unasked = (world: World): World => ({ ...world, book: { ...world.book } })

describe('what is remembered of a world is what would be worked out', () => {
  const worlds = fc
    .record({
      held: fc.uniqueArray(profiles, { selector: ({ id }) => id, maxLength: 6 }),
      usage: fc.array(
        fc.tuple(
          profiles.map(({ id }) => id),
          usages,
        ),
      ),
      rest: fc.option(rests, { nil: undefined }),
      laterMs: fc.integer({ min: 0, max: 100_000_000 }),
    })
    .map(({ held, usage, rest, laterMs }) => {
      const world = aWorld({ profiles: held })
      const state = {
        profiles: new Map<string, (typeof usage)[number][1]>(usage),
        models: new Map(rest ? [['anthropic/claude-test', rest]] : []),
      }
      return { world, later: { ...world, state, now: FAKE_NOW + laterMs } }
    })
  const questions = fc.record({
    pin: fc.option(fc.constant(profile('anthropic:a')), { nil: undefined }),
    keep: fc.option(fc.constant(profile('anthropic:b')), { nil: undefined }),
  })

  test('whatever is asked, in whatever order, also after something was learnt and time has passed', () =>
    fc.assert(
      fc.property(worlds, fc.array(questions, { minLength: 1, maxLength: 12 }), (given, asked) => {
        for (const { pin, keep } of asked) {
          for (const world of [given.world, given.later, given.world]) {
            const leaning = keep ? { keep } : {}
            expect(rankFor(world, MODEL, pin, leaning)).toEqual(
              rankFor(unasked(world), MODEL, pin, leaning),
            )
          }
        }
      }),
    ))
})

test('the same question about the same world is worked out once', () => {
  const world = aWorld({ profiles: [aProfile('anthropic:a')] })
  expect(rankFor(world, MODEL)).toBe(rankFor(world, MODEL))
  expect(rankFor(world, MODEL)).not.toBe(rankFor({ ...world }, MODEL))
  expect(rankFor(world, MODEL)).toEqual(
    rank({
      candidates: candidatesFor(world, factsOf(world)),
      model: MODEL,
      state: world.state,
      now: world.now,
    }),
  )
})

test('who could serve is worked out anew when anything that says so has changed, and only then', () => {
  const held = aProfile('anthropic:a')
  const world = aWorld({ profiles: [held] })
  const before = candidatesFor(world, factsOf(world))
  const learnt = { ...world, state: { ...world.state }, now: FAKE_NOW + 1 }
  expect(candidatesFor(learnt, factsOf(learnt))).toBe(before)

  const reached = {
    period: 'daily',
    unit: 'tokens',
    spent: 9,
    max: 9,
    limit: 'hard',
    until: FAKE_NOW + 1,
  } as const
  const changes: readonly Partial<World>[] = [
    { environment: anEnvironment({ ANTHROPIC_API_KEY: 'fake-env' }) },
    { settings: settingsFrom({ models: { providers: { anthropic: { apiKey: 'fake-config' } } } }) },
    { budgets: new Map([[held.id, reached]]) },
    { bookPath: () => '/elsewhere' },
    { fingerprint: () => 'another' },
    { book: { ...world.book, profiles: new Map() } },
  ]
  for (const change of changes) {
    const changed = { ...world, ...change }
    const after = candidatesFor(changed, factsOf(changed))
    expect(after).not.toEqual(before)
    expect(candidatesFor(world, factsOf(world))).toEqual(before)
  }
  expect(before[0]?.fingerprint).toBe(plainFingerprint(bearerOf(held.credential)))
})
