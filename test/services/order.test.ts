import { describe, expect, test } from 'vitest'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { aBook, aProfile } from '../../src/testing.ts'
import { ANTHROPIC } from '../arbitrary-worlds.ts'
import { agent } from '../names-from.ts'
import { house, outcome } from './house.ts'

const BOOK = aBook(aProfile('anthropic:a'), aProfile('anthropic:b'), aProfile('openai:c'))
const WORK = agent('work')

describe('an order', () => {
  test('is shown as it is set and as a request resolves it', async () => {
    const at = house({
      books: { main: BOOK },
      config: { auth: { order: { anthropic: ['anthropic:b'] } } },
    })
    expect(outcome(await at.orders.order(undefined, 'Anthropic'))).toEqual({
      agent: 'main',
      provider: 'anthropic',
      bookPath: '/state/agents/main/agent/auth-profiles.json',
      configured: ['anthropic:b'],
      resolved: ['anthropic:b'],
    })
    expect(outcome(await at.orders.order(undefined, 'openai'))).toMatchObject({
      resolved: ['openai:c'],
    })
  })

  test('that is set wins over config, and repeated ids count once', async () => {
    const at = house({
      books: { main: BOOK },
      config: { auth: { order: { anthropic: ['anthropic:b'] } } },
    })
    const set = await at.orders.setOrder(undefined, 'anthropic', [
      ' anthropic:b',
      'anthropic:a',
      '',
      'anthropic:b',
    ])
    expect(outcome(set)).toMatchObject({
      own: ['anthropic:b', 'anthropic:a'],
      resolved: ['anthropic:b', 'anthropic:a'],
    })
    expect(at.profiles.book().order.get(ANTHROPIC)).toEqual(['anthropic:b', 'anthropic:a'])
  })

  test('may name a key of the environment', async () => {
    const at = house({ books: { main: BOOK }, variables: { ANTHROPIC_API_KEY: 'fake' } })
    const set = await at.orders.setOrder(undefined, 'anthropic', ['anthropic:env'])
    expect(outcome(set)).toMatchObject({ resolved: ['anthropic:env'] })
  })

  test.each([
    [['anthropic:x'], 'EQ_PROFILE_UNKNOWN'],
    [['anthropic:a', 'openai:c'], 'EQ_PROFILE_FOREIGN'],
    [['work'], 'EQ_PROFILE_UNKNOWN'],
    [['no name'], 'EQ_NAME_INVALID'],
    [[], 'EQ_ORDER_EMPTY'],
    [[' '], 'EQ_ORDER_EMPTY'],
  ])('of %j is refused and changes nothing', async (ids, code) => {
    const at = house({ books: { main: BOOK } })
    expect(outcome(await at.orders.setOrder(undefined, 'anthropic', ids))).toBe(code)
    expect(at.profiles.saves()).toBe(0)
  })

  test('of an unknown provider is refused with the nearest', async () => {
    expect(await house().orders.setOrder(undefined, 'antropic', ['a:b'])).toMatchObject({
      fault: { code: 'EQ_PROVIDER_UNKNOWN', nearest: 'anthropic' },
    })
  })

  test('of an agent stands in its own book and may name what it inherits', async () => {
    const at = house({ books: { main: BOOK }, config: { agents: { list: [{ id: 'work' }] } } })
    await at.orders.setOrder(WORK, 'anthropic', ['anthropic:b'])
    expect(at.profiles.book(WORK).order.get(ANTHROPIC)).toEqual(['anthropic:b'])
    expect(at.profiles.book(WORK).profiles.size).toBe(0)
    expect(at.profiles.book().order.size).toBe(0)
  })

  test('that is cleared is gone, and clearing none says so', async () => {
    const at = house({ books: { main: BOOK } })
    await at.orders.setOrder(undefined, 'anthropic', ['anthropic:b'])
    expect(outcome(await at.orders.clearOrder(undefined, 'anthropic'))).toMatchObject({
      cleared: true,
      resolved: ['anthropic:a', 'anthropic:b'],
    })
    expect(orThrow(await at.orders.clearOrder(undefined, 'anthropic')).cleared).toBe(false)
  })

  test('is neither shown, set nor cleared while the book cannot be read', async () => {
    const at = house({ books: { main: BOOK } })
    at.profiles.damage(MAIN_AGENT, { code: 'EQ_STORE_UNREADABLE', path: '/book', errno: 'EACCES' })
    for (const result of [
      await at.orders.order(undefined, 'anthropic'),
      await at.orders.setOrder(undefined, 'anthropic', ['anthropic:a']),
      await at.orders.clearOrder(undefined, 'anthropic'),
    ]) {
      expect(outcome(result)).toBe('EQ_STORE_UNREADABLE')
    }
    expect(at.profiles.saves()).toBe(0)
  })
})
