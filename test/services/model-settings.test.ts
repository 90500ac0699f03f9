import { describe, expect, test } from 'vitest'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { house, outcome } from './house.ts'

const KEYED = { variables: { ANTHROPIC_API_KEY: 'fake' } }
const defaults = (raw: unknown) => ({ agents: { defaults: raw } })

describe('the default model', () => {
  test('is set in full from whatever names it', async () => {
    const at = house({ ...KEYED, config: defaults({ aliases: { opus: 'anthropic/claude-opus' } }) })
    for (const text of ['anthropic/claude-opus', 'claude-opus', 'OPUS']) {
      expect(outcome(await at.modelSettings.setDefault(text))).toEqual({
        model: 'anthropic/claude-opus',
        configPath: '/state/equabot.json',
      })
      expect(at.settings.raw()).toMatchObject(
        defaults({ model: { primary: 'anthropic/claude-opus' } }),
      )
    }
  })

  test('is what was asked for, though no credential is there yet', async () => {
    const at = house()
    expect(outcome(await at.modelSettings.setDefault('claude-opus'))).toMatchObject({
      model: 'anthropic/claude-opus',
    })
    expect(outcome(await at.modelSettings.setDefault('whatever'))).toBe('EQ_MODEL_UNKNOWN')
  })

  test('keeps the fallbacks, and a model that is written as text stays text', async () => {
    const at = house({ config: defaults({ model: { primary: 'openai/a', fallbacks: ['xai/b'] } }) })
    await at.modelSettings.setDefault('google/c')
    expect(at.settings.raw()).toEqual(
      defaults({ model: { primary: 'google/c', fallbacks: ['xai/b'] } }),
    )
    const text = house({ config: defaults({ model: 'openai/a' }) })
    await text.modelSettings.setDefault('google/c')
    expect(text.settings.raw()).toEqual(defaults({ model: 'google/c' }))
  })

  test('joins an allow-list, where there is one', async () => {
    const at = house({ config: defaults({ models: { 'openai/a': {} } }) })
    await at.modelSettings.setDefault('google/c')
    expect(at.settings.raw()).toMatchObject(
      defaults({ models: { 'openai/a': {}, 'google/c': {} } }),
    )
  })

  test.each([
    ['a b', 'EQ_NAME_INVALID'],
    ['opus@anthropic:work', 'EQ_NAME_INVALID'],
    ['nobody/x', 'EQ_PROVIDER_UNKNOWN'],
  ])('cannot be %s', async (text, code) => {
    const at = house(KEYED)
    expect(outcome(await at.modelSettings.setDefault(text))).toBe(code)
    expect(at.settings.raw()).toEqual({})
  })
})

describe('an alias', () => {
  test('is added, listed and removed', async () => {
    const at = house(KEYED)
    await at.modelSettings.addAlias('Opus', 'claude-opus')
    expect(outcome(await at.modelSettings.aliases())).toEqual([
      { alias: 'Opus', model: 'anthropic/claude-opus' },
    ])
    expect(outcome(await at.modelSettings.removeAlias('OPUS'))).toEqual({
      alias: 'Opus',
      model: 'anthropic/claude-opus',
    })
    expect(outcome(await at.modelSettings.aliases())).toEqual([])
  })

  test('restricts nothing', async () => {
    const at = house(KEYED)
    await at.modelSettings.addAlias('Opus', 'claude-opus')
    expect(outcome(await at.report.explain({ model: 'openai/other' }))).toMatchObject({
      model: { provider: 'openai', model: 'other' },
    })
  })

  test('that stands for another model is not taken over; the same again is no change', async () => {
    const at = house({ config: defaults({ aliases: { opus: 'anthropic/a' } }) })
    expect(outcome(await at.modelSettings.addAlias('OPUS', 'anthropic/b'))).toBe('EQ_ALIAS_TAKEN')
    expect(outcome(await at.modelSettings.addAlias('opus', 'anthropic/a'))).toMatchObject({
      alias: 'opus',
    })
    expect(at.settings.raw()).toEqual(defaults({ aliases: { opus: 'anthropic/a' } }))
  })

  test('that stands in the list of models is removed there, and the model stays', async () => {
    const at = house({ config: defaults({ models: { 'anthropic/a': { alias: 'opus' } } }) })
    await at.modelSettings.removeAlias('opus')
    expect(at.settings.raw()).toEqual(defaults({ models: { 'anthropic/a': {} } }))
  })

  test.each(['', '/x', 'a b', '@x', '-x', 'x'.repeat(65)])('cannot be called %j', async (alias) => {
    expect(outcome(await house().modelSettings.addAlias(alias, 'anthropic/a'))).toBe(
      'EQ_NAME_INVALID',
    )
  })

  test('that there is not cannot be removed', async () => {
    expect(outcome(await house().modelSettings.removeAlias('x'))).toBe('EQ_ALIAS_UNKNOWN')
  })
})

describe('fallbacks', () => {
  test('are added once, in order, listed, removed and cleared', async () => {
    const at = house(KEYED)
    await at.modelSettings.addFallback('openai/a')
    await at.modelSettings.addFallback('claude-x')
    await at.modelSettings.addFallback('openai/a')
    expect(outcome(await at.modelSettings.fallbacks())).toEqual(['openai/a', 'anthropic/claude-x'])
    expect(outcome(await at.modelSettings.removeFallback('openai/a'))).toEqual([
      'anthropic/claude-x',
    ])
    expect(outcome(await at.modelSettings.clearFallbacks())).toEqual([])
    expect(outcome(await at.modelSettings.fallbacks())).toEqual([])
  })

  test('join a default that is written as text', async () => {
    const at = house({ config: defaults({ model: 'openai/a' }) })
    await at.modelSettings.addFallback('google/c')
    expect(at.settings.raw()).toEqual(
      defaults({ model: { primary: 'openai/a', fallbacks: ['google/c'] } }),
    )
  })

  test('that config names by an alias, or that nobody knows any more, can be removed', async () => {
    const at = house({
      config: defaults({ model: { primary: 'openai/a', fallbacks: ['opus', 'xai/b'] } }),
    })
    expect(orThrow(await at.modelSettings.removeFallback('opus'))).toEqual(['xai/b'])
  })

  test('that there are not cannot be removed', async () => {
    expect(outcome(await house().modelSettings.removeFallback('openai/a'))).toBe(
      'EQ_FALLBACK_UNKNOWN',
    )
  })
})
