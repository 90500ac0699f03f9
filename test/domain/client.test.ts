import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Caller, Client } from '../../src/domain/client.ts'
import {
  agentFor,
  budgetReached,
  checkModel,
  mayUse,
  stillHolds,
  takeOne,
  worldFor,
} from '../../src/domain/client.ts'
import { DEFAULT_SETTINGS } from '../../src/domain/settings.ts'
import { rankFor } from '../../src/domain/world.ts'
import { aProfile, aWorld, FAKE_NOW } from '../../src/testing.ts'
import { agent, client, profile, provider } from '../names-from.ts'

const LAPTOP: Client = { name: client('laptop'), digest: 'ab', createdAt: FAKE_NOW }
const holder = (terms: Partial<Client> = {}): Caller => ({
  kind: 'client',
  client: { ...LAPTOP, ...terms },
})
const opus = { provider: provider('anthropic'), model: 'claude-opus-5-5' }
const gpt = { provider: provider('openai'), model: 'gpt-5.5' }

describe('models', () => {
  const defaults = {
    ...DEFAULT_SETTINGS.agents.defaults,
    aliases: new Map([['best', 'openai/gpt-5.5']]),
  }
  const world = aWorld({
    settings: { ...DEFAULT_SETTINGS, agents: { ...DEFAULT_SETTINGS.agents, defaults } },
  })

  test.each([
    [['anthropic/claude-opus-5-5'], true, false],
    [['anthropic/*'], true, false],
    [['claude-*'], true, false],
    [['*opus*'], true, false],
    [['*/*'], true, true],
    [['best'], false, true],
    [['claude-opus-5-5'], true, false],
    [['openai/gpt-*', 'anthropic/claude-haiku*'], false, true],
    [['anthropic/claude-opus-5-5*5'], false, false],
    [['nothing-like-it'], false, false],
  ])('%j allows the one and not the other', (models, first, second) => {
    expect([
      mayUse(holder({ models }), world, opus),
      mayUse(holder({ models }), world, gpt),
    ]).toEqual([first, second])
  })

  test('are all allowed to who has no list, and to the holder of the own token', () => {
    expect(checkModel(holder(), world, opus).ok).toBe(true)
    expect(checkModel({ kind: 'admin' }, world, opus).ok).toBe(true)
  })

  test('that are not allowed are told with those that are', () => {
    expect(checkModel(holder({ models: ['best'] }), world, opus)).toEqual({
      ok: false,
      fault: {
        code: 'EQ_CLIENT_MODEL',
        client: 'laptop',
        model: 'anthropic/claude-opus-5-5',
        allowed: ['best'],
      },
    })
  })

  test('a pattern decides at once, however it is made', () => {
    const models = [`${'*a'.repeat(90)}`]
    const long = { ...opus, model: `${'a'.repeat(190)}b` }
    expect(mayUse(holder({ models }), world, long)).toBe(false)
  })
})

test('profiles that a key may not use are passed over, also when they are asked for', () => {
  const world = aWorld({ profiles: [aProfile('anthropic:work'), aProfile('anthropic:own')] })
  const narrowed = worldFor(holder({ profiles: [profile('anthropic:own')] }), world)
  const verdicts = (pin?: ReturnType<typeof profile>) =>
    rankFor(narrowed, opus, pin).map(({ candidate, why }) => [candidate.id, why.code])
  expect(verdicts()).toEqual([
    ['anthropic:own', 'kind_order'],
    ['anthropic:work', 'not_for_client'],
  ])
  expect(verdicts(profile('anthropic:work'))).toContainEqual(['anthropic:work', 'not_for_client'])
  expect(worldFor({ kind: 'admin' }, world)).toBe(world)
})

test('a key that is bound to an agent asks that one, named or not', () => {
  const bound = holder({ agent: agent('research') })
  expect(agentFor(bound, undefined)).toEqual({ ok: true, value: 'research' })
  expect(agentFor(bound, agent('research'))).toEqual({ ok: true, value: 'research' })
  expect(agentFor(bound, agent('main'))).toMatchObject({ fault: { code: 'EQ_CLIENT_AGENT' } })
  expect(agentFor(holder(), agent('main'))).toEqual({ ok: true, value: 'main' })
  expect(agentFor({ kind: 'admin' }, undefined)).toEqual({ ok: true, value: undefined })
})

test('a key holds until its end, and no longer', () => {
  expect(stillHolds({ ...LAPTOP, expiresAt: FAKE_NOW + 1 }, FAKE_NOW).ok).toBe(true)
  expect(stillHolds({ ...LAPTOP, expiresAt: FAKE_NOW }, FAKE_NOW).ok).toBe(false)
  expect(stillHolds(LAPTOP, FAKE_NOW).ok).toBe(true)
})

test('of several limits that are reached the one that lasts longest is told', () => {
  const budget = { daily: { usd: 1 }, monthly: { tokens: 10 } }
  const spent = { daily: { usd: 1, tokens: 10 }, monthly: { usd: 1, tokens: 10 } }
  expect(budgetReached({ budget }, spent, FAKE_NOW)).toMatchObject({ period: 'monthly' })
  const less = { daily: { usd: 1, tokens: 9 }, monthly: { usd: 1, tokens: 9 } }
  expect(budgetReached({ budget }, less, FAKE_NOW)).toMatchObject({ period: 'daily' })
  const none = { daily: { usd: 0.99, tokens: 9 }, monthly: { usd: 0.99, tokens: 9 } }
  expect(budgetReached({ budget }, none, FAKE_NOW)).toBeUndefined()
  expect(budgetReached({}, spent, FAKE_NOW)).toBeUndefined()
})

describe('a rate', () => {
  const rates = fc.record({
    requests: fc.integer({ min: 1, max: 1_000 }),
    perMs: fc.constantFrom(1_000, 60_000, 3_600_000, 86_400_000),
  })
  const steps = fc.array(fc.integer({ min: -1_000, max: 100_000 }), { maxLength: 200 })

  test('lets pass no more than a full bucket and what has come into it since', () => {
    fc.assert(
      fc.property(rates, steps, (rate, waits) => {
        let now = FAKE_NOW
        let bucket: Parameters<typeof takeOne>[0]
        let passed = 0
        let forwardMs = 0
        for (const wait of waits) {
          now += wait
          forwardMs += Math.max(0, wait)
          const taken = takeOne(bucket, rate, now)
          bucket = taken.bucket
          if (taken.waitMs === 0) passed += 1
        }
        const most = rate.requests + (forwardMs * rate.requests) / rate.perMs
        expect(passed).toBeLessThanOrEqual(Math.ceil(most))
      }),
    )
  })

  test('lets pass whoever waits as long as it was told', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 2_000 }), (rate, tries) => {
        let now = FAKE_NOW
        let bucket: Parameters<typeof takeOne>[0]
        for (let index = 0; index < tries; index += 1) {
          const taken = takeOne(bucket, rate, now)
          bucket = taken.bucket
          if (taken.waitMs === 0) continue
          now += taken.waitMs
          const again = takeOne(bucket, rate, now)
          expect(again.waitMs).toBe(0)
          bucket = again.bucket
        }
      }),
    )
  })
})
