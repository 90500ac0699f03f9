import { describe, expect, test } from 'vitest'
import type { Fault } from '../../src/domain/fault.ts'
import {
  allowedModels,
  findModel,
  listModels,
  modelChain,
  resolveModel,
  resolveText,
} from '../../src/domain/models.ts'
import { formatModelKey, parseModelRef } from '../../src/domain/names.ts'
import type { Result } from '../../src/domain/result.ts'
import type { World } from '../../src/domain/world.ts'
import { aProfile, aWorld, anEnvironment } from '../../src/testing.ts'
import { agent } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const UNREADABLE: Fault = { code: 'EQ_STORE_UNREADABLE', path: '/book', errno: 'EACCES' }

function world(raw: Readonly<Record<string, unknown>> = {}, more: Partial<World> = {}): World {
  return aWorld({ settings: settingsFrom(raw), profiles: [aProfile('anthropic:work')], ...more })
}
const bare = (raw: Readonly<Record<string, unknown>> = {}, more: Partial<World> = {}): World =>
  aWorld({ settings: settingsFrom(raw), ...more })
const value = (result: Result<unknown, Fault>): unknown =>
  result.ok ? result.value : result.fault.code

const AGENTS = {
  agents: {
    defaults: {
      model: { primary: 'opus', fallbacks: ['openai/gpt-5'] },
      models: { 'anthropic/claude-opus-4-5': { alias: 'Opus' }, 'openai/gpt-5': { alias: 'gpt' } },
      aliases: { fast: 'anthropic/claude-haiku' },
    },
  },
}

describe('what is typed resolves', () => {
  test.each([
    ['anthropic/claude-x', { provider: 'anthropic', model: 'claude-x' }],
    [
      'openrouter/anthropic/claude-opus-4-5',
      { provider: 'openrouter', model: 'anthropic/claude-opus-4-5' },
    ],
    ['google/m@2026:1=2', { provider: 'google', model: 'm@2026:1=2' }],
    ['claude-x', { provider: 'anthropic', model: 'claude-x' }],
    ['gpt-9', { provider: 'openai', model: 'gpt-9' }],
    [
      'claude-x@anthropic:work',
      { provider: 'anthropic', model: 'claude-x', profile: 'anthropic:work' },
    ],
    ['z.ai/glm', 'EQ_PROVIDER_UNKNOWN'],
    ['nobody-knows', 'EQ_MODEL_UNKNOWN'],
    ['claude-x@openai:work', 'EQ_PROFILE_FOREIGN'],
    ['claude-x@anthropic:nobody', 'EQ_PROFILE_UNKNOWN'],
    ['a b', 'EQ_NAME_INVALID'],
  ])('%s', (text, expected) => {
    expect(value(resolveText(world(), text))).toEqual(expected)
  })

  test('by alias in any case, with the alias as it is written, and with a pin', () => {
    expect(value(resolveText(world(AGENTS), 'OPUS'))).toEqual({
      provider: 'anthropic',
      model: 'claude-opus-4-5',
      alias: 'Opus',
    })
    expect(value(resolveText(world(AGENTS), 'Opus@anthropic:work'))).toMatchObject({
      alias: 'Opus',
      profile: 'anthropic:work',
    })
  })

  test('by the bare id of a configured model before any guess by its first letters', () => {
    const raw = {
      models: { providers: { mine: { baseUrl: 'http://h/v1', models: [{ id: 'gpt-local' }] } } },
    }
    expect(value(resolveText(world(raw), 'gpt-local'))).toEqual({
      provider: 'mine',
      model: 'gpt-local',
    })
  })

  test('an unknown provider and an unknown model with what is nearest', () => {
    expect(resolveText(world(), 'antropic/x')).toMatchObject({ fault: { nearest: 'anthropic' } })
    const near = resolveText(world(AGENTS), 'opsu')
    expect(near).toMatchObject({ fault: { code: 'EQ_MODEL_UNKNOWN' } })
    expect(!near.ok && near.fault.code === 'EQ_MODEL_UNKNOWN' && near.fault.nearest).toContain(
      'Opus',
    )
  })

  test('nothing, or the word default, as the default of the agent', () => {
    for (const text of ['', 'default', 'DEFAULT']) {
      expect(value(resolveText(world(AGENTS), text))).toMatchObject({ model: 'claude-opus-4-5' })
    }
  })
})

describe('an allow-list', () => {
  test('refuses what is neither listed nor chosen, and names what is allowed', () => {
    const refused = resolveText(world(AGENTS), 'google/gemini-pro')
    expect(refused).toEqual({
      ok: false,
      fault: {
        code: 'EQ_MODEL_NOT_ALLOWED',
        model: 'google/gemini-pro',
        allowed: ['anthropic/claude-opus-4-5', 'openai/gpt-5'],
      },
    })
  })

  test('holds the default and the fallbacks of every agent, though not listed', () => {
    const raw = {
      agents: {
        defaults: { model: 'google/a', models: { 'openai/b': {} } },
        list: [{ id: 'work', model: { primary: 'xai/c', fallbacks: ['groq/d'] } }],
      },
    }
    expect(allowedModels(world(raw))?.map(formatModelKey).toSorted()).toEqual([
      'google/a',
      'groq/d',
      'openai/b',
      'xai/c',
    ])
  })

  test('is none when only aliases are kept, and does not shut out the sandbox', () => {
    const aliases = { agents: { defaults: { aliases: { fast: 'anthropic/claude-haiku' } } } }
    expect(allowedModels(world(aliases))).toBeUndefined()
    expect(value(resolveText(world(aliases), 'google/x'))).toMatchObject({ provider: 'google' })
    expect(value(resolveText(world(AGENTS), 'sandbox/sandbox-echo'))).toMatchObject({
      provider: 'sandbox',
    })
  })

  test('does not stop the config from taking a new model in', () => {
    const ref = parseModelRef('google/gemini-pro')
    expect(ref && value(findModel(world(AGENTS), ref))).toEqual({
      provider: 'google',
      model: 'gemini-pro',
    })
  })
})

describe('the default model', () => {
  test('is what the user chose, with the fallbacks', () => {
    expect(modelChain(world(AGENTS))).toEqual({
      ok: true,
      value: {
        primary: { provider: 'anthropic', model: 'claude-opus-4-5', alias: 'Opus' },
        fallbacks: [{ provider: 'openai', model: 'gpt-5' }],
        chosenBy: 'settings',
      },
    })
  })

  test('is of the agent where the agent has its own', () => {
    const raw = {
      agents: { defaults: { model: 'openai/a' }, list: [{ id: 'work', model: 'xai/b' }] },
    }
    expect(modelChain(world(raw, { agent: agent('work') }))).toMatchObject({
      value: { primary: { provider: 'xai', model: 'b' } },
    })
  })

  test('is that of the first provider with a credential where none was chosen', () => {
    const chosen = modelChain(aWorld({ environment: anEnvironment({ OPENAI_API_KEY: 'fake' }) }))
    expect(chosen).toMatchObject({
      value: { primary: { provider: 'openai' }, chosenBy: 'credential' },
    })
  })

  test('is the sandbox where there is no credential', () => {
    expect(modelChain(aWorld())).toMatchObject({
      value: { primary: { provider: 'sandbox', model: 'sandbox-echo' }, chosenBy: 'sandbox' },
    })
  })

  test('stays what the user chose, though there is no credential for it', () => {
    for (const model of ['anthropic/claude-x', 'claude-x']) {
      expect(modelChain(bare({ agents: { defaults: { model } } }))).toMatchObject({
        value: { primary: { provider: 'anthropic', model: 'claude-x' }, chosenBy: 'settings' },
      })
    }
  })

  test('is not the sandbox while a book cannot be read: unreadable is not empty', () => {
    expect(modelChain(aWorld({ bookFault: UNREADABLE }))).toEqual({ ok: false, fault: UNREADABLE })
  })

  test('is a fault where the provider has no model of its own', () => {
    const raw = { models: { providers: { mine: { baseUrl: 'http://h/v1' } } } }
    expect(value(modelChain(bare(raw)))).toBe('EQ_MODEL_NO_DEFAULT')
  })

  test('is a fault where config names what there is not', () => {
    const raw = {
      agents: { defaults: { model: { primary: 'openai/a', fallbacks: ['nobody/b'] } } },
    }
    expect(value(modelChain(world(raw)))).toBe('EQ_PROVIDER_UNKNOWN')
  })
})

describe('with no credential on the machine', () => {
  test('a bare model goes to the sandbox, so that any client can try', () => {
    for (const text of ['claude-x', 'gpt-9', 'whatever']) {
      expect(value(resolveText(aWorld(), text))).toEqual({
        provider: 'sandbox',
        model: 'sandbox-echo',
      })
    }
    expect(value(resolveText(aWorld(), 'sandbox-slow'))).toEqual({
      provider: 'sandbox',
      model: 'sandbox-slow',
    })
  })

  test('a model with its provider is what it says', () => {
    expect(value(resolveText(aWorld(), 'anthropic/claude-x'))).toMatchObject({
      provider: 'anthropic',
    })
  })

  test('a choice that is kept, in config or session, is never the sandbox by another name', () => {
    expect(value(resolveModel(aWorld(), { model: 'whatever' }))).toBe('EQ_MODEL_UNKNOWN')
    expect(value(findModel(aWorld(), { model: 'claude-x' }))).toMatchObject({
      provider: 'anthropic',
    })
    expect(value(findModel(aWorld(), { model: 'whatever' }))).toBe('EQ_MODEL_UNKNOWN')
  })

  test('an unreadable book is told instead: it may hold one', () => {
    expect(resolveText(aWorld({ bookFault: UNREADABLE }), 'claude-x')).toEqual({
      ok: false,
      fault: UNREADABLE,
    })
  })
})

test('a chosen model that nobody knows is a fault that names what is near, not a crash', () => {
  const unknown = {
    agents: {
      defaults: {
        model: { primary: 'opsu', fallbacks: ['also-unknown'] },
        models: { 'anthropic/claude-opus': { alias: 'opus' } },
      },
    },
  }
  expect(modelChain(world(unknown))).toMatchObject({ fault: { code: 'EQ_MODEL_UNKNOWN' } })
  expect(listModels(world(unknown)).map(formatModelKey)).toContain('anthropic/claude-opus')
  expect(resolveText(world(unknown), 'ops')).toMatchObject({
    fault: { code: 'EQ_MODEL_UNKNOWN', nearest: expect.arrayContaining(['opus']) },
  })
})

describe('the list of models', () => {
  const listed = (of: World): readonly string[] => listModels(of).map(formatModelKey)

  test('begins with the default and the fallbacks, and names each model once', () => {
    const names = listed(world(AGENTS))
    expect(names.slice(0, 2)).toEqual(['anthropic/claude-opus-4-5', 'openai/gpt-5'])
    expect(new Set(names).size).toBe(names.length)
  })

  test('tells aliases and what each model is there for', () => {
    expect(listModels(world(AGENTS))[0]).toEqual({
      provider: 'anthropic',
      model: 'claude-opus-4-5',
      aliases: ['Opus'],
      tags: ['default', 'configured'],
    })
  })

  test('shows only what is allowed, and the sandbox', () => {
    expect(listed(world(AGENTS))).toEqual([
      'anthropic/claude-opus-4-5',
      'openai/gpt-5',
      'sandbox/sandbox-echo',
    ])
  })

  test('holds the own default of each provider that is set up', () => {
    const names = listed(aWorld({ environment: anEnvironment({ OPENAI_API_KEY: 'fake' }) }))
    expect(names.map((name) => name.split('/')[0])).toEqual(['openai', 'sandbox'])
  })
})
