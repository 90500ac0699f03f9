import { expect, test } from 'vitest'
import { createPrices } from '../../src/adapters/prices.ts'

const price = createPrices()
const usage = { inputTokens: 1_000_000, outputTokens: 100_000 }

test('a known model has a price, and what comes from the cache costs less', async () => {
  const plain = await price('anthropic/claude-sonnet-4-5', usage)
  const cached = await price('anthropic/claude-sonnet-4-5', { ...usage, cacheReadTokens: 900_000 })
  expect(plain).toBeGreaterThan(0)
  expect(cached).toBeGreaterThan(0)
  expect(cached).toBeLessThan(plain ?? 0)
})

test('a model, or a provider, that is not in the list has no price: not nothing, none', async () => {
  expect(await price('anthropic/claude-of-2099', usage)).toBeUndefined()
  expect(await price('office/claude-sonnet-4-5', usage)).toBeUndefined()
  expect(await price('sandbox/sandbox-echo', usage)).toBeUndefined()
  expect(await price('no model', usage)).toBeUndefined()
})

test('counts that contradict each other have no price', async () => {
  const odd = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 50 }
  expect(await price('openai/gpt-5', odd)).toBeUndefined()
})
