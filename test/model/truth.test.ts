import { expect, test } from 'vitest'
import { DEFAULT_SETTINGS } from '../../src/domain/settings.ts'
import type { World } from '../../src/domain/world.ts'
import { MINUTE_MS } from '../../src/domain/time.ts'
import { exploreTruth } from './explore-truth.ts'
import type { Distort } from './truth-gateway.ts'

/** It is computing alone; a busy machine takes its time. */
const LONG_MS = 180_000
/** `npm run chaos -- --row 11` takes new ones. */
const SEED = 20_261_124

test(
  'what is reported is what the next request meets, in 2,000 worlds',
  { timeout: LONG_MS },
  async () => {
    const { disagreement, ...figures } = await exploreTruth(2_000, SEED)
    console.log(`truth: seed ${SEED}`, figures)
    expect(disagreement).toBeUndefined()
    expect(figures.worlds).toBe(2_000)
    expect(figures.sends).toBeGreaterThan(figures.worlds)
    expect(figures.waits).toBeGreaterThan(100)
  },
)

const withAuth = (world: World, auth: Partial<World['settings']['auth']>): World => ({
  ...world,
  settings: { ...world.settings, auth: { ...world.settings.auth, ...auth } },
})

const withState = (world: World, state: Partial<World['state']>): World => ({
  ...world,
  state: { ...world.state, ...state },
})

test.each<[string, Distort]>([
  ['what a session is kept on', { head: ({ pin: _, ...head }) => head }],
  ['rests of profiles', { world: (world) => withState(world, { profiles: new Map() }) }],
  ['rests of models', { world: (world) => withState(world, { models: new Map() }) }],
  ['rests of accounts', { world: (world) => withState(world, { accounts: new Map() }) }],
  ['rests of providers', { world: (world) => withState(world, { providers: new Map() }) }],
  ['used-up budgets', { world: (world) => ({ ...world, budgets: new Map() }) }],
  ['the wall of a plan', { world: (world) => withAuth(world, { quotaThreshold: 2 }) }],
  ['forbidden lanes', { world: (world) => withAuth(world, { lanes: { crossing: 'announce' } }) }],
  [
    'the strategy',
    { world: (world) => withAuth(world, { strategy: DEFAULT_SETTINGS.auth.strategy }) },
  ],
  ['the order of the config', { world: (world) => withAuth(world, { order: new Map() }) }],
  [
    'the order of the agent',
    { world: (world) => ({ ...world, book: { ...world.book, order: new Map() } }) },
  ],
  ['what renewals have shown', { world: (world) => ({ ...world, grants: new Map() }) }],
  ['keys of the environment', { world: (world) => ({ ...world, environment: new Map() }) }],
  ['the logins of other programs', { world: withoutBorrowed }],
  ['a minute', { world: (world) => ({ ...world, now: world.now + MINUTE_MS }) }],
])('a report that leaves out %s is found out', { timeout: LONG_MS }, async (_, distort) => {
  expect((await exploreTruth(2_000, SEED, distort)).disagreement).toBeDefined()
})

function withoutBorrowed(world: World): World {
  const own = [...world.book.profiles].filter(([, { origin }]) => origin === 'equabot')
  return { ...world, book: { ...world.book, profiles: new Map(own) } }
}
