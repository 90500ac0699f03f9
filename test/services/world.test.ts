import { describe, expect, test } from 'vitest'
import type { Fault } from '../../src/domain/fault.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { createLoadWorld } from '../../src/services/world.ts'
import {
  aBook,
  aProfile,
  fakeClock,
  fakeStopwatch,
  FAKE_NOW,
  memoryEnvironment,
  memoryGrantStore,
  memorySettingsStore,
  memoryStateStore,
  plainFingerprint,
} from '../../src/testing.ts'
import { agent, profile, provider } from '../names-from.ts'
import { decodeSettings } from '../settings-from.ts'
import { house, outcome } from './house.ts'

const WORK = agent('work')
const TWO_AGENTS = { agents: { list: [{ id: 'work' }] } }
const UNREADABLE = { code: 'EQ_STORE_UNREADABLE', path: '/book', errno: 'EACCES' } as const

describe('the world', () => {
  test('of an empty folder is empty, and reading it changes nothing', async () => {
    const { loadWorld, profiles, settings } = house()
    const world = orThrow(await loadWorld())
    expect(world.agent).toBe('main')
    expect(world.now).toBe(FAKE_NOW)
    expect(world.book.profiles.size).toBe(0)
    expect(profiles.saves()).toBe(0)
    expect(settings.raw()).toEqual({})
  })

  test('holds the profiles that have used up what they may, and no others', async () => {
    const budget = { daily: { usd: 5 } }
    const configured = { provider: 'anthropic', mode: 'api_key', budget }
    const used = (usd: number) => ({
      daily: { usd, tokens: 0 },
      monthly: { usd, tokens: 0 },
    })
    const { loadWorld } = house({
      config: { auth: { profiles: { 'anthropic:a': configured, 'anthropic:b': configured } } },
      spent: new Map([
        [profile('anthropic:a'), used(5)],
        [profile('anthropic:b'), used(1)],
        [profile('anthropic:c'), used(99)],
      ]),
    })
    const { budgets } = orThrow(await loadWorld())
    expect([...(budgets ?? [])]).toMatchObject([['anthropic:a', { limit: 'hard', spent: 5 }]])
  })

  test('is that of the default agent when none is named', async () => {
    const { loadWorld } = house({ config: { agents: { list: [{ id: 'work', default: true }] } } })
    expect(orThrow(await loadWorld()).agent).toBe('work')
  })

  test('is refused for an agent that there is not, with the nearest that there is', async () => {
    const { loadWorld } = house({ config: TWO_AGENTS })
    expect(await loadWorld(agent('wrok'))).toMatchObject({
      fault: { code: 'EQ_AGENT_UNKNOWN', nearest: 'work', known: ['main', 'work'] },
    })
  })

  test('knows an agent that has a folder though config does not list it', async () => {
    const { loadWorld } = house({ books: { old: aBook(aProfile('anthropic:a')) } })
    expect(outcome(await loadWorld(agent('old')))).toMatchObject({ agent: 'old' })
  })

  test('of another agent holds main’s profiles by reference', async () => {
    const { loadWorld } = house({
      config: TWO_AGENTS,
      books: { main: aBook(aProfile('anthropic:a')), work: aBook(aProfile('openai:b')) },
    })
    const { book } = orThrow(await loadWorld(WORK))
    expect([...book.profiles.values()].map(({ id, home }) => `${id} ${home}`)).toEqual([
      'anthropic:a main',
      'openai:b work',
    ])
  })

  test('asks only for variables of providers and those that config refers to', async () => {
    const { loadWorld } = house({
      config: {
        models: {
          providers: {
            mine: { baseUrl: 'http://h', apiKey: '${MINE}', headers: { a: '${TEAM}' } },
          },
        },
      },
      variables: { ANTHROPIC_API_KEY: 'fake', MINE: 'fake', TEAM: 'blue', UNRELATED: 'x' },
    })
    const { environment } = orThrow(await loadWorld())
    expect([...environment.keys()].toSorted()).toEqual(['ANTHROPIC_API_KEY', 'MINE', 'TEAM'])
  })

  test('keeps usage with the agent whose file holds the profile', async () => {
    const used = (lastUsedAt: number) => ({ lastUsedAt })
    const { loadWorld } = house({
      config: TWO_AGENTS,
      books: {
        main: aBook(aProfile('anthropic:a'), aProfile('anthropic:both')),
        work: aBook(aProfile('anthropic:own'), aProfile('anthropic:both')),
      },
      states: {
        main: {
          profiles: new Map([
            ['anthropic:a', used(1)],
            ['anthropic:both', used(2)],
            ['anthropic:env', used(3)],
            ['anthropic:own', used(9)],
          ]),
          models: new Map(),
        },
        work: {
          profiles: new Map([
            ['anthropic:both', used(4)],
            ['anthropic:a', used(9)],
          ]),
          models: new Map(),
        },
      },
    })
    const { state } = orThrow(await loadWorld(WORK))
    expect(Object.fromEntries(state.profiles)).toEqual({
      'anthropic:a': used(1),
      'anthropic:env': used(3),
      'anthropic:both': used(4),
    })
  })

  test('takes usage of an older tool where auth-state.json says nothing', async () => {
    const book = aBook(aProfile('anthropic:a'), aProfile('anthropic:b'))
    const legacyState = {
      profiles: new Map([
        ['anthropic:a', { lastUsedAt: 1 }],
        ['anthropic:b', { lastUsedAt: 2 }],
      ]),
      models: new Map(),
    }
    const { profiles } = house()
    const clock = fakeClock()
    const loadWorld = createLoadWorld({
      clock,
      grants: memoryGrantStore(),
      stopwatch: fakeStopwatch(clock),
      foreign: async () => [],
      settings: memorySettingsStore({ decode: decodeSettings }),
      environment: memoryEnvironment(),
      profiles: {
        ...profiles,
        read: async () => ({ ok: true, value: { book, problems: [], legacyState } }),
      },
      states: memoryStateStore({
        main: { profiles: new Map([['anthropic:b', { lastUsedAt: 7 }]]), models: new Map() },
      }),
      fingerprint: plainFingerprint,
    })
    const { state } = orThrow(await loadWorld())
    expect([...state.profiles.values()].map(({ lastUsedAt }) => lastUsedAt)).toEqual([1, 7])
  })

  test('tells of a book that cannot be read, and holds what does not depend on it', async () => {
    const { loadWorld, profiles } = house({
      config: TWO_AGENTS,
      books: { main: aBook(aProfile('anthropic:a')), work: aBook(aProfile('openai:b')) },
      variables: { ANTHROPIC_API_KEY: 'fake' },
    })
    profiles.damage(MAIN_AGENT, UNREADABLE)
    const world = orThrow(await loadWorld(WORK))
    expect(world.bookFault).toEqual(UNREADABLE)
    expect([...world.book.profiles.keys()]).toEqual(['openai:b'])
    expect(world.environment.has('ANTHROPIC_API_KEY')).toBe(true)
  })

  test('passes on what is wrong with the config', async () => {
    const { loadWorld } = house({ config: { gatway: {} } })
    const loaded = await loadWorld()
    const fault: Fault | undefined = loaded.ok ? undefined : loaded.fault
    expect(fault).toMatchObject({ code: 'EQ_CONFIG_FIELD', field: 'gatway' })
  })

  test('has the providers of config beside the built-in ones', async () => {
    const { loadWorld } = house({
      config: { models: { providers: { mine: { baseUrl: 'http://h' } } } },
    })
    const { providers } = orThrow(await loadWorld())
    expect(providers.has(provider('mine'))).toBe(true)
    expect(providers.has(provider('anthropic'))).toBe(true)
  })
})
