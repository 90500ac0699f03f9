import { describe, expect, test } from 'vitest'
import type { AgentState, Rest } from '../../src/domain/cooldown.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { heldWords } from '../../src/domain/wording-cooldown.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import type { Cooldowns } from '../../src/services/cooldowns.ts'
import { createCooldowns } from '../../src/services/cooldowns.ts'
import { aBook, aProfile, FAKE_NOW } from '../../src/testing.ts'
import type { House } from './house.ts'
import { house, outcome } from './house.ts'

const rest = (scope: Rest['scope'], until = FAKE_NOW + HOUR_MS): Rest => ({
  scope,
  reason: 'rate_limit',
  since: FAKE_NOW,
  until,
  source: 'provider',
})
const oauth = (name: string) =>
  aProfile(`anthropic:${name}`, {
    credential: { type: 'oauth', access: new Secret(`fake-${name}`), accountId: 'acc_1' },
  })

const STATE: AgentState = {
  profiles: new Map([
    ['anthropic:a', { rest: rest('profile'), lastUsedAt: 5 }],
    ['anthropic:b', { models: new Map([['anthropic/opus', rest('model')]]) }],
    ['anthropic:key', { refusedPolicy: { at: FAKE_NOW, words: 'not for this' } }],
    ['openai:x', { rest: rest('profile') }],
    ['openai:y', { rest: rest('profile', FAKE_NOW) }],
  ]),
  models: new Map([['anthropic/haiku', rest('model')]]),
  accounts: new Map([['anthropic:acc_1', rest('account')]]),
  providers: new Map([['openai', rest('provider')]]),
}

function room(state: AgentState = STATE): { readonly at: House; readonly cooldowns: Cooldowns } {
  const book = aBook(
    oauth('a'),
    oauth('b'),
    aProfile('anthropic:key'),
    aProfile('openai:x'),
    aProfile('openai:y'),
  )
  const at = house({ books: { main: book }, states: { main: state } })
  return { at, cooldowns: createCooldowns({ loadWorld: at.loadWorld, states: at.states }) }
}

describe('the list of rests', () => {
  test('names whom each running rest holds back, whatever its scope, and what is refused', async () => {
    const { cooldowns } = room()
    const { resting, forbidden } = orThrow(await cooldowns.list(undefined, { kind: 'all' }))
    expect(resting.map((entry) => [heldWords(entry), entry.rest.scope])).toEqual([
      ['anthropic:a', 'profile'],
      ['anthropic/opus of anthropic:b', 'model'],
      ['openai:x', 'profile'],
      ['anthropic:a, anthropic:b', 'account'],
      ['anthropic/haiku', 'model'],
      ['everything at openai', 'provider'],
    ])
    expect(forbidden).toEqual([{ profile: 'anthropic:key', at: FAKE_NOW, words: 'not for this' }])
  })

  test('of one provider leaves the others out', async () => {
    const { cooldowns } = room()
    const listed = orThrow(await cooldowns.list(undefined, { kind: 'provider', text: 'openai' }))
    expect(listed.resting.map(heldWords)).toEqual(['openai:x', 'everything at openai'])
    expect(listed.forbidden).toEqual([])
  })
})

describe('clearing', () => {
  test('a profile ends all that holds it back and leaves what holds only others back', async () => {
    const { at, cooldowns } = room()
    const choice = { kind: 'profile', text: 'anthropic:a' } as const
    const cleared = orThrow(await cooldowns.clear(undefined, choice))
    expect(cleared.resting.map(heldWords)).toEqual([
      'anthropic:a',
      'anthropic:a',
      'anthropic/haiku',
    ])
    const left = orThrow(await cooldowns.list(undefined, { kind: 'all' }))
    expect(left.resting.map(heldWords)).toEqual([
      'anthropic/opus of anthropic:b',
      'openai:x',
      'everything at openai',
    ])
    expect(at.states.state().profiles.get('anthropic:a')).toEqual({ lastUsedAt: 5 })
  })

  test('everything leaves nothing that holds anything back', async () => {
    const { cooldowns } = room()
    const cleared = orThrow(await cooldowns.clear(undefined, { kind: 'all' }))
    expect(cleared.resting).toHaveLength(6)
    expect(orThrow(await cooldowns.list(undefined, { kind: 'all' }))).toMatchObject({
      resting: [],
      forbidden: [],
    })
  })

  test('where nothing rests changes nothing', async () => {
    const { at, cooldowns } = room({ profiles: new Map(), models: new Map() })
    const before = at.states.state()
    const choice = { kind: 'profile', text: 'anthropic:a' } as const
    expect(orThrow(await cooldowns.clear(undefined, choice)).resting).toEqual([])
    expect(at.states.state()).toBe(before)
  })

  test('a profile that there is not says so', async () => {
    const { cooldowns } = room()
    const clear = (text: string) => cooldowns.clear(undefined, { kind: 'profile', text })
    expect(outcome(await clear('anthropic:nobody'))).toBe('EQ_PROFILE_UNKNOWN')
    expect(outcome(await clear('no name'))).toBe('EQ_NAME_INVALID')
  })
})
