import { describe, expect, test } from 'vitest'
import {
  acceptsType,
  agentsOf,
  defaultAgent,
  DEFAULT_SETTINGS,
  modelChoice,
} from '../../src/domain/settings.ts'
import { agent } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

test('an empty file means the defaults', () => {
  expect(settingsFrom({})).toEqual(DEFAULT_SETTINGS)
})

test('main is always an agent, first unless config lists it elsewhere', () => {
  const ids = (list: readonly unknown[]): readonly string[] =>
    agentsOf(settingsFrom({ agents: { list } })).map(({ id }) => id)
  expect(ids([])).toEqual(['main'])
  expect(ids([{ id: 'work' }])).toEqual(['main', 'work'])
  expect(ids([{ id: 'work' }, { id: 'main' }])).toEqual(['work', 'main'])
})

test('the default agent is the one marked so, else main', () => {
  expect(defaultAgent(settingsFrom({}))).toBe('main')
  expect(
    defaultAgent(settingsFrom({ agents: { list: [{ id: 'a' }, { id: 'b', default: true }] } })),
  ).toBe('b')
})

test.each([
  ['oauth', 'oauth', true],
  ['oauth', 'token', true],
  ['oauth', 'api_key', false],
  ['token', 'oauth', false],
  ['token', 'token', true],
  ['api_key', 'token', false],
] as const)('mode %s and a credential of type %s: %s', (mode, type, accepted) => {
  expect(acceptsType(mode, type)).toBe(accepted)
})

describe('the model choice of an agent', () => {
  const choice = (own: unknown): unknown =>
    modelChoice(
      settingsFrom({
        agents: {
          defaults: { model: { primary: 'anthropic/a', fallbacks: ['openai/b'] } },
          list: [{ id: 'work', ...(own !== undefined && { model: own }) }],
        },
      }),
      agent('work'),
    )

  test('is the default where it says nothing', () => {
    expect(choice(undefined)).toEqual({ primary: 'anthropic/a', fallbacks: ['openai/b'] })
  })

  test('has no fallbacks when it names its own model alone', () => {
    expect(choice('google/c')).toEqual({ primary: 'google/c' })
  })

  test('keeps the default model when it names fallbacks alone; an empty list means none', () => {
    expect(choice({ fallbacks: ['google/c'] })).toEqual({
      primary: 'anthropic/a',
      fallbacks: ['google/c'],
    })
    expect(choice({ fallbacks: [] })).toEqual({ primary: 'anthropic/a', fallbacks: [] })
  })
})
