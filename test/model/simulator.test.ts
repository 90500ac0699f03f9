import { expect, test } from 'vitest'
import { randomFrom } from '../../chaos/random.mjs'
import { EMPTY_STATE } from '../../src/domain/cooldown.ts'
import type { DispatchRequest } from '../../src/services/dispatch.ts'
import type { Watch } from './doors.ts'
import { breaches, simulateDay } from './simulator.ts'

/** It is computing alone; a busy machine takes its time. */
const LONG_MS = 180_000
/** `npm run chaos -- --row 12` takes new ones. */
const SEED = 'ci'
/** Enough for a control. */
const FEWER = 2_000

test(
  'a day of outages: nearly all that could be served is, at no needless cost',
  {
    timeout: LONG_MS,
  },
  async () => {
    const day = await simulateDay(randomFrom('a day', SEED))
    console.log(`simulator: seed ${SEED}`, day)
    expect(breaches(day)).toEqual([])
    // A day without trouble would show nothing.
    expect(day.servable).toBeLessThan(day.requests)
    expect(day.crossings).toBeGreaterThan(100)
    expect(day.keepable).toBeGreaterThan(1_000)
  },
)

const without = ({ keep: _, pin: __, ...request }: DispatchRequest): DispatchRequest => request

test.each<[string, NonNullable<Watch['broken']>, RegExp]>([
  [
    'what was learnt',
    (request) => ({ ...request, world: { ...request.world, state: EMPTY_STATE } }),
    /inside the wait/,
  ],
  [
    'the pins of persons',
    (request) => (request.keep === undefined ? without(request) : request),
    /pin of a person/,
  ],
  [
    'the ties of sessions',
    (request) => (request.keep === undefined ? request : without(request)),
    /prompt is cached/,
  ],
  [
    'the models that stand in',
    (request) => ({ ...request, models: request.models.slice(0, 1) }),
    /success/,
  ],
  [
    'who was meant to pay',
    (request) => ({
      ...request,
      world: { ...request.world, grants: new Map(), book: withoutLogins(request) },
    }),
    /money/,
  ],
])('a router without %s is found out', { timeout: LONG_MS }, async (_, broken, noticed) => {
  const day = await simulateDay(randomFrom('a day', SEED), FEWER, broken)
  expect(breaches(day).join('\n')).toMatch(noticed)
})

/** The book of somebody who has keys only. */
function withoutLogins({ world }: DispatchRequest): DispatchRequest['world']['book'] {
  const keys = [...world.book.profiles].filter(([, entry]) => entry.credential.type === 'api_key')
  return { ...world.book, profiles: new Map(keys) }
}
