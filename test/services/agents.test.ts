import { describe, expect, test } from 'vitest'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { aBook, aProfile } from '../../src/testing.ts'
import { agent, session } from '../names-from.ts'
import { house, outcome } from './house.ts'

const WORK = agent('work')

describe('the list of agents', () => {
  test('holds main always, and says what each one uses', async () => {
    const at = house({
      config: { agents: { list: [{ id: 'work', name: 'At work', model: 'openai/a' }] } },
      books: { main: aBook(aProfile('anthropic:a')), work: aBook(aProfile('openai:b')) },
    })
    const times = { createdAt: 0, updatedAt: 0, turns: 0 }
    await at.sessions.update(WORK, session('x'), () => ({
      id: session('x'),
      agent: WORK,
      ...times,
    }))
    expect(outcome(await at.agents.list())).toMatchObject([
      { id: 'main', isDefault: true, ownProfiles: 1, inheritedProfiles: 0, sessions: 0 },
      {
        id: 'work',
        name: 'At work',
        isDefault: false,
        model: 'openai/a',
        ownProfiles: 1,
        inheritedProfiles: 1,
        sessions: 1,
        bookPath: '/state/agents/work/agent/auth-profiles.json',
      },
    ])
  })
})

describe('an added agent', () => {
  test('stands in the config with its model in full', async () => {
    const at = house({ variables: { ANTHROPIC_API_KEY: 'fake' } })
    const added = await at.agents.add({ id: 'Work', name: 'At work', model: 'claude-x' })
    expect(outcome(added)).toMatchObject({ id: 'work', model: 'anthropic/claude-x' })
    expect(at.settings.raw()).toEqual({
      agents: { list: [{ id: 'work', name: 'At work', model: 'anthropic/claude-x' }] },
    })
  })

  test('gets the model that was named, though no credential is there yet', async () => {
    expect(outcome(await house().agents.add({ id: 'work', model: 'claude-x' }))).toMatchObject({
      model: 'anthropic/claude-x',
    })
  })

  test('takes over being the default', async () => {
    const at = house({ config: { agents: { list: [{ id: 'a', default: true, name: 'A' }] } } })
    orThrow(await at.agents.add({ id: 'b', makeDefault: true }))
    expect(at.settings.raw()).toEqual({
      agents: {
        list: [
          { id: 'a', name: 'A' },
          { id: 'b', default: true },
        ],
      },
    })
  })

  test.each([
    [{ id: 'a b' }, 'EQ_NAME_INVALID'],
    [{ id: '..' }, 'EQ_NAME_INVALID'],
    [{ id: 'main' }, 'EQ_AGENT_EXISTS'],
    [{ id: 'x', model: 'nobody/y' }, 'EQ_PROVIDER_UNKNOWN'],
    [{ id: 'x', model: 'claude-x@anthropic:work' }, 'EQ_NAME_INVALID'],
  ])('%j is refused and changes nothing', async (input, code) => {
    const at = house()
    expect(outcome(await at.agents.add(input))).toBe(code)
    expect(at.settings.raw()).toEqual({})
  })
})

describe('a removed agent', () => {
  test('leaves the config, however its name is written there, and keeps its profiles', async () => {
    const at = house({
      config: { agents: { list: [{ id: 'Work' }, { id: 'other' }] } },
      books: { work: aBook(aProfile('openai:b')) },
    })
    expect(outcome(await at.agents.remove('work'))).toEqual({
      id: 'work',
      bookPath: '/state/agents/work/agent/auth-profiles.json',
      hadProfiles: 1,
    })
    expect(at.settings.raw()).toEqual({ agents: { list: [{ id: 'other' }] } })
    expect(at.profiles.book(WORK).profiles.size).toBe(1)
  })

  test('is never main, and must be there', async () => {
    const at = house({ config: { agents: { list: [{ id: 'work' }] } } })
    expect(outcome(await at.agents.remove('main'))).toBe('EQ_AGENT_FIXED')
    expect(outcome(await at.agents.remove('a b'))).toBe('EQ_NAME_INVALID')
    expect(await at.agents.remove('wrok')).toMatchObject({
      fault: { code: 'EQ_AGENT_UNKNOWN', nearest: 'work' },
    })
  })
})
