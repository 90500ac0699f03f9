import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NamedModel } from '../../src/domain/model-match.ts'
import { clearMatch, matchModels } from '../../src/domain/model-match.ts'
import { formatModelKey } from '../../src/domain/names.ts'
import { provider } from '../names-from.ts'

const model = (id: string, ...aliases: readonly string[]): NamedModel => ({
  provider: provider('anthropic'),
  model: id,
  aliases,
})
const MODELS = [
  model('claude-opus-4-5'),
  model('claude-opus-4-6', 'best'),
  model('claude-haiku', 'fast'),
  { ...model('gpt-5'), provider: provider('openai') },
  { ...model('gpt-5-mini'), provider: provider('openai') },
]
const found = (text: string): readonly string[] =>
  matchModels(text, MODELS).map(
    ({ model: key, likeness, score }) => `${key.model} ${likeness} ${score}`,
  )

describe('a name', () => {
  test.each([
    ['gpt-5', ['gpt-5 exact 100', 'gpt-5-mini prefix 80']],
    ['openai/gpt-5', ['gpt-5 exact 100', 'gpt-5-mini prefix 83']],
    ['FAST', ['claude-haiku alias 90']],
    ['claude-h', ['claude-haiku prefix 83']],
    ['haiku', ['claude-haiku contains 52']],
    ['opus', ['claude-opus-4-5 contains 48', 'claude-opus-4-6 contains 48']],
    ['cluade-haiku', ['claude-haiku near 37']],
    ['mistral', []],
  ])('%s is found by what is like it, the likeliest first', (text, expected) => {
    expect(found(text)).toEqual(expected)
  })

  test('is taken when only one model is like it in that way, and never a slip of the finger', () => {
    const taken = (text: string) => clearMatch(matchModels(text, MODELS))?.model.model
    expect(taken('gpt-5')).toBe('gpt-5')
    expect(taken('haiku')).toBe('claude-haiku')
    expect(taken('opus')).toBeUndefined()
    expect(taken('cluade-haiku')).toBeUndefined()
    expect(taken('mistral')).toBeUndefined()
  })
})

test('the kind of likeness outweighs how much was typed, and each model is named once', () => {
  const ids = fc.stringMatching(/^[a-c]{1,8}$/)
  const places = ['exact', 'alias', 'prefix', 'contains', 'near']
  fc.assert(
    fc.property(
      fc.uniqueArray(ids),
      fc.array(ids, { maxLength: 3 }),
      ids,
      (names, aliases, text) => {
        const models = names.map((id, index) =>
          model(id, ...(aliases[index] === undefined ? [] : [aliases[index]])),
        )
        const matches = matchModels(text, models)
        const kinds = matches.map(({ likeness }) => places.indexOf(likeness))
        expect(kinds).toEqual(kinds.toSorted((a, b) => a - b))
        const keys = matches.map(({ model: key }) => formatModelKey(key))
        expect(new Set(keys).size).toBe(keys.length)
        expect(!names.includes(text) || matches[0]?.model.model === text).toBe(true)
      },
    ),
  )
})
