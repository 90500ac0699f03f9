import { describe, expect, test } from 'vitest'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { findProfile, findProvider } from '../../src/services/lookup.ts'
import { aBook, aProfile } from '../../src/testing.ts'
import { agent } from '../names-from.ts'
import { house } from './house.ts'

describe('a provider is found', () => {
  test('in any spelling', async () => {
    const { loadWorld } = house()
    expect(await findProvider(loadWorld, undefined, ' Gemini ')).toMatchObject({
      value: { facts: { id: 'google' } },
    })
  })

  test('or what is nearest to it', async () => {
    const { loadWorld } = house()
    expect(await findProvider(loadWorld, undefined, 'opneai')).toMatchObject({
      fault: { code: 'EQ_PROVIDER_UNKNOWN', nearest: 'openai' },
    })
    expect(await findProvider(loadWorld, undefined, 'open ai')).toMatchObject({
      fault: { code: 'EQ_NAME_INVALID', what: 'provider' },
    })
  })
})

describe('a profile is found', () => {
  const furnishing = {
    config: { agents: { list: [{ id: 'work' }] } },
    books: { main: aBook(aProfile('anthropic:shared')), work: aBook(aProfile('anthropic:own')) },
  }

  test('in the agent’s own book', async () => {
    const { loadWorld } = house(furnishing)
    expect(await findProfile(loadWorld, agent('work'), 'Anthropic:own')).toMatchObject({
      value: { profile: { id: 'anthropic:own', home: 'work' } },
    })
  })

  test('but one that is inherited is pointed to where it lives', async () => {
    const { loadWorld } = house(furnishing)
    expect(await findProfile(loadWorld, agent('work'), 'anthropic:shared')).toMatchObject({
      fault: { code: 'EQ_PROFILE_INHERITED', home: 'main', agent: 'work' },
    })
  })

  test('or what is nearest to it', async () => {
    const { loadWorld } = house(furnishing)
    expect(await findProfile(loadWorld, undefined, 'anthropic:shred')).toMatchObject({
      fault: {
        code: 'EQ_PROFILE_UNKNOWN',
        nearest: 'anthropic:shared',
        known: ['anthropic:shared'],
      },
    })
    expect(await findProfile(loadWorld, undefined, 'shared')).toMatchObject({
      fault: { code: 'EQ_NAME_INVALID', what: 'profile' },
    })
  })

  test('never in a book that cannot be read', async () => {
    const { loadWorld, profiles } = house(furnishing)
    profiles.damage(MAIN_AGENT, { code: 'EQ_STORE_UNREADABLE', path: '/book', errno: 'EACCES' })
    expect(await findProfile(loadWorld, undefined, 'anthropic:shared')).toMatchObject({
      fault: { code: 'EQ_STORE_UNREADABLE' },
    })
  })
})
