import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearestOf } from '../../src/domain/nearest.ts'

test.each([
  ['antropic', 'anthropic'],
  ['antrhopic', 'anthropic'],
  ['ANTHROPIC', 'anthropic'],
  ['opneai', 'openai'],
  ['gatway', 'gateway'],
])('%s probably means %s', (typed, meant) => {
  expect(nearestOf(typed, ['anthropic', 'openai', 'gateway', 'xai'])).toBe(meant)
})

test('nothing is guessed that is too far away', () => {
  expect(nearestOf('mistral', ['anthropic', 'openai', 'xai'])).toBeUndefined()
  expect(nearestOf('xyz', [])).toBeUndefined()
})

test('a name is nearest to itself', () => {
  const words = fc.stringMatching(/^[a-z]{1,10}$/)
  fc.assert(
    fc.property(fc.uniqueArray(words, { minLength: 1 }), (names) => {
      for (const name of names) expect(nearestOf(name, names)).toBe(name)
    }),
  )
})
