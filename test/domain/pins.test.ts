import { describe, expect, test } from 'vitest'
import { bindPin, pinAfter, userPin } from '../../src/domain/pins.ts'
import type { Pin } from '../../src/domain/pins.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { World } from '../../src/domain/world.ts'
import { candidatesFor } from '../../src/domain/world.ts'
import { aProfile, aWorld } from '../../src/testing.ts'
import { ANTHROPIC, MODEL } from '../arbitrary-worlds.ts'
import { profile, provider } from '../names-from.ts'

const login = (id: string, accountId: string, email?: string): Profile =>
  aProfile(id, {
    credential: {
      type: 'oauth',
      access: new Secret(`fake-${id}`),
      accountId,
      ...(email !== undefined && { email }),
    },
  })
const world = (...profiles: readonly Profile[]): World => aWorld({ profiles })
const OPENAI = { provider: provider('openai'), model: 'gpt-test' }

describe('a person’s pin', () => {
  const before = world(login('anthropic:work', 'acc-1', 'me@example.com'))
  const pin = userPin(before, profile('anthropic:work'))

  test('remembers the account', () => {
    expect(pin).toEqual({
      profile: 'anthropic:work',
      source: 'user',
      account: { accountId: 'acc-1', email: 'me@example.com' },
    })
    expect(userPin(world(aProfile('anthropic:key')), profile('anthropic:key'))).toEqual({
      profile: 'anthropic:key',
      source: 'user',
    })
  })

  test('follows its account to the profile of a new login', () => {
    const after = world(login('anthropic:new', 'acc-1'), login('anthropic:other', 'acc-2'))
    expect(bindPin(after, MODEL, pin)).toEqual({ ok: true, value: { pin: 'anthropic:new' } })
    const taken = world(login('anthropic:work', 'acc-2'), login('anthropic:new', 'acc-1'))
    expect(bindPin(taken, MODEL, pin)).toEqual({ ok: true, value: { pin: 'anthropic:new' } })
  })

  test('follows by address where there is no account id', () => {
    const { account: _, ...bare } = pin
    const byMail: Pin = { ...bare, account: { email: 'ME@example.com' } }
    const after = world(login('anthropic:new', 'acc-1', 'me@example.com'))
    expect(bindPin(after, MODEL, byMail)).toEqual({ ok: true, value: { pin: 'anthropic:new' } })
  })

  test('never serves with another account under the same name', () => {
    expect(bindPin(world(login('anthropic:work', 'acc-2')), MODEL, pin)).toMatchObject({
      fault: { code: 'EQ_PIN_UNUSABLE', profile: 'anthropic:work', why: { code: 'other_account' } },
    })
  })

  test('stays on its profile where that is gone, or does not say whose it is', () => {
    expect(bindPin(world(), MODEL, pin)).toEqual({ ok: true, value: { pin: 'anthropic:work' } })
    expect(bindPin(world(aProfile('anthropic:work')), MODEL, pin)).toEqual({
      ok: true,
      value: { pin: 'anthropic:work' },
    })
  })

  test('binds no model of another provider', () => {
    expect(bindPin(before, OPENAI, pin)).toEqual({ ok: true, value: {} })
  })
})

describe('after a session was served', () => {
  const [a, b] = candidatesFor(world(aProfile('anthropic:a'), aProfile('anthropic:b')), {
    ...providerFacts(),
    id: ANTHROPIC,
  })
  if (!a || !b) throw new TypeError('two candidates are needed')
  const kept: Pin = { profile: a.id, source: 'auto' }

  test('it is kept on whoever served, and goes over to whoever serves next', () => {
    expect(pinAfter(undefined, { candidate: a }, MODEL)).toEqual(kept)
    expect(pinAfter(kept, { candidate: a }, MODEL)).toBe(kept)
    expect(pinAfter(kept, { candidate: b }, MODEL)).toEqual({ profile: b.id, source: 'auto' })
  })

  test('a person’s pin stays, and so does what there is when a stopgap has cost money', () => {
    const pinned: Pin = { profile: b.id, source: 'user' }
    expect(pinAfter(pinned, { candidate: a }, MODEL)).toBe(pinned)
    expect(pinAfter(kept, { candidate: b, crossed: {} }, MODEL)).toBe(kept)
    expect(pinAfter(undefined, { candidate: b, crossed: {} }, MODEL)).toBeUndefined()
  })

  test('another provider’s model that stood in ties it to nobody', () => {
    expect(pinAfter(kept, { candidate: b }, OPENAI)).toBe(kept)
  })
})

function providerFacts() {
  const facts = aWorld().providers.get(ANTHROPIC)
  if (!facts) throw new TypeError('anthropic is built in')
  return facts
}
