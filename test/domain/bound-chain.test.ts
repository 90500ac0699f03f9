import { expect, test } from 'vitest'
import type { Pin } from '../../src/domain/pins.ts'
import { bindChain } from '../../src/domain/pins.ts'
import { rank, tried } from '../../src/domain/rotation.ts'
import { Secret } from '../../src/domain/secret.ts'
import { candidatesFor } from '../../src/domain/world.ts'
import { aProfile, aWorld, FAKE_NOW } from '../../src/testing.ts'
import { MODEL } from '../arbitrary-worlds.ts'
import { profile, provider } from '../names-from.ts'

const OTHER = { provider: provider('openai'), model: 'gpt-test' }
const CHAIN = [MODEL, OTHER]
const world = aWorld({
  profiles: [
    aProfile('anthropic:a'),
    aProfile('openai:x'),
    aProfile('openai:moved', {
      credential: { type: 'api_key', key: new Secret('fake'), email: 'me@example.com' },
    }),
  ],
})
const pinTo = (id: string, more: Partial<Pin> = {}): Pin => ({
  profile: profile(id),
  source: 'user',
  ...more,
})

test('where a person has named the credential, no other model stands in', () => {
  expect(bindChain(world, CHAIN, pinTo('anthropic:a'))).toMatchObject({
    value: { models: [MODEL], pin: 'anthropic:a' },
  })
  const typed = { ...MODEL, profile: profile('anthropic:a') }
  expect(bindChain(world, [typed, OTHER], undefined)).toMatchObject({ value: { models: [typed] } })
})

test('a session that is only kept on its profile may go on to another model', () => {
  expect(bindChain(world, CHAIN, pinTo('anthropic:a', { source: 'auto' }))).toEqual({
    ok: true,
    value: { models: CHAIN, keep: 'anthropic:a' },
  })
  expect(bindChain(world, CHAIN, undefined)).toEqual({ ok: true, value: { models: CHAIN } })
})

test('a pin to a credential of the model that stands in holds there', () => {
  expect(bindChain(world, CHAIN, pinTo('openai:x'))).toMatchObject({
    value: { models: CHAIN, pin: 'openai:x' },
  })
})

test('a pin whose account is gone lets its provider stand in for nobody', () => {
  const gone = { account: { email: 'else@example.com' } }
  expect(bindChain(world, CHAIN, pinTo('openai:moved', gone))).toEqual({
    ok: true,
    value: { models: [MODEL] },
  })
  expect(bindChain(world, [OTHER, MODEL], pinTo('openai:moved', gone))).toMatchObject({
    fault: { code: 'EQ_PIN_UNUSABLE' },
  })
})

test('a pin does not open a lane that is forbidden where its model only stands in', () => {
  const facts = world.providers.get(OTHER.provider)
  const input = {
    candidates: facts ? candidatesFor(world, facts) : [],
    pin: profile('openai:x'),
    crossing: 'deny' as const,
    model: OTHER,
    state: world.state,
    now: FAKE_NOW,
  }
  expect(tried(rank(input)).map(({ id }) => id)).toEqual(['openai:x'])
  const meant = { profile: profile('anthropic:a'), lane: 'subscription' as const }
  expect(tried(rank({ ...input, meant }))).toEqual([])
})
