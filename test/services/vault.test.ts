import { describe, expect, test } from 'vitest'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { withOrder } from '../../src/domain/profile.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { DAY_MS, MINUTE_MS } from '../../src/domain/time.ts'
import { aBook, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { ANTHROPIC } from '../arbitrary-worlds.ts'
import { agent, profile, provider, session } from '../names-from.ts'
import { house, outcome } from './house.ts'

const KEY = `sk-ant-api03-${'FakeKey0'.repeat(12)}-AA`
const TOKEN = `sk-ant-oat01-${'FakeTok1'.repeat(12)}-AA`
const WORK = agent('work')
const TWO = { agents: { list: [{ id: 'work' }] } }

describe('a pasted secret', () => {
  test('becomes a profile and an entry of the config', async () => {
    const at = house()
    const stored = orThrow(
      await at.vault.storeSecret({ provider: ANTHROPIC, text: `"${TOKEN}"\r\n` }),
    )
    expect(stored).toEqual({
      agent: 'main',
      profile: 'anthropic:manual',
      type: 'token',
      fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/),
      replaced: false,
      bookPath: '/state/agents/main/agent/auth-profiles.json',
      configPath: '/state/equabot.json',
      unfamiliar: false,
    })
    const held = at.profiles.book().profiles.get(profile('anthropic:manual'))
    expect(held).toMatchObject({
      origin: 'equabot',
      storedAt: FAKE_NOW,
      credential: { type: 'token' },
    })
    expect(held?.credential.type === 'token' && held.credential.token.reveal()).toBe(TOKEN)
    expect(at.settings.raw()).toEqual({
      auth: { profiles: { 'anthropic:manual': { provider: 'anthropic', mode: 'token' } } },
    })
  })

  test('is an API key where it looks like one or is said to be one', async () => {
    const at = house()
    const types = [
      await at.vault.storeSecret({ provider: ANTHROPIC, text: KEY }),
      await at.vault.storeSecret({ provider: provider('mistral'), text: 'fake-opaque' }),
      await at.vault.storeSecret({
        provider: provider('mistral'),
        text: 'fake-opaque',
        type: 'api_key',
      }),
    ].map((stored) => orThrow(stored).type)
    expect(types).toEqual(['api_key', 'token', 'api_key'])
  })

  test('ends when it was said to end', async () => {
    const at = house()
    const stored = await at.vault.storeSecret({
      provider: ANTHROPIC,
      text: TOKEN,
      expiresInMs: 365 * DAY_MS,
    })
    expect(orThrow(stored).expiresAt).toBe(FAKE_NOW + 365 * DAY_MS)
  })

  test('in the place of the login of Claude Code lets config accept a login there too', async () => {
    const at = house()
    const claudeCli = profile('anthropic:claude-cli')
    orThrow(await at.vault.storeSecret({ provider: ANTHROPIC, profile: claudeCli, text: TOKEN }))
    const entry = (mode: string) => ({
      auth: { profiles: { 'anthropic:claude-cli': { provider: 'anthropic', mode } } },
    })
    expect(at.settings.raw()).toEqual(entry('oauth'))
    orThrow(await at.vault.storeSecret({ provider: ANTHROPIC, profile: claudeCli, text: KEY }))
    expect(at.settings.raw()).toEqual(entry('api_key'))
  })

  test('that was issued at a known time ends that long after it', async () => {
    const at = house()
    const issuedAt = FAKE_NOW - DAY_MS
    const input = { provider: ANTHROPIC, text: TOKEN, issuedAt, expiresInMs: 365 * DAY_MS }
    expect(orThrow(await at.vault.storeSecret(input))).toMatchObject({
      issuedAt,
      expiresAt: issuedAt + 365 * DAY_MS,
    })
  })

  test('of an unknown shape is taken with a remark', async () => {
    const at = house()
    expect(
      orThrow(await at.vault.storeSecret({ provider: ANTHROPIC, text: 'fake-other-shape' }))
        .unfamiliar,
    ).toBe(true)
    expect(
      orThrow(await at.vault.storeSecret({ provider: provider('mistral'), text: 'fake' }))
        .unfamiliar,
    ).toBe(false)
  })

  test('replaces the one of the same name and keeps every other', async () => {
    const at = house({ books: { main: aBook(aProfile('anthropic:work'), aProfile('openai:x')) } })
    const stored = await at.vault.storeSecret({
      provider: ANTHROPIC,
      profile: profile('anthropic:work'),
      text: KEY,
    })
    expect(orThrow(stored).replaced).toBe(true)
    expect([...at.profiles.book().profiles.keys()]).toEqual(['anthropic:work', 'openai:x'])
  })

  test('comes first in an order that is set, and the answer says so', async () => {
    const ordered = withOrder(aBook(aProfile('anthropic:a')), ANTHROPIC, [profile('anthropic:a')])
    const own = house({ books: { main: ordered } })
    expect(
      orThrow(await own.vault.storeSecret({ provider: ANTHROPIC, text: KEY })).orderChanged,
    ).toBe('agent')
    expect(own.profiles.book().order.get(ANTHROPIC)).toEqual(['anthropic:manual', 'anthropic:a'])

    const configured = house({ config: { auth: { order: { anthropic: ['anthropic:a'] } } } })
    expect(
      orThrow(await configured.vault.storeSecret({ provider: ANTHROPIC, text: KEY })).orderChanged,
    ).toBe('config')
    expect(configured.settings.raw()).toMatchObject({
      auth: { order: { anthropic: ['anthropic:manual', 'anthropic:a'] } },
    })
  })

  test('serves the next request', async () => {
    const at = house()
    await at.vault.storeSecret({ provider: ANTHROPIC, text: KEY })
    expect(outcome(await at.report.explain({}))).toMatchObject({
      next: { profile: 'anthropic:manual' },
    })
  })

  test('with --agent stands in that agent’s book alone', async () => {
    const at = house({ config: TWO })
    await at.vault.storeSecret({ agent: WORK, provider: ANTHROPIC, text: KEY })
    expect(at.profiles.book(WORK).profiles.size).toBe(1)
    expect(at.profiles.book().profiles.size).toBe(0)
  })

  test.each([
    ['a foreign name', { profile: profile('openai:x') }, 'EQ_PROFILE_FOREIGN'],
    ['a reserved name', { profile: profile('anthropic:env') }, 'EQ_PROFILE_RESERVED'],
    ['half a secret', { text: TOKEN.slice(0, 30) }, 'EQ_SECRET_TRUNCATED'],
    ['nothing', { text: ' ' }, 'EQ_SECRET_EMPTY'],
    ['an unknown agent', { agent: agent('nobody') }, 'EQ_AGENT_UNKNOWN'],
    ['an unknown provider', { provider: provider('antropic') }, 'EQ_PROVIDER_UNKNOWN'],
  ])('with %s is refused and changes nothing', async (_, wrong, code) => {
    const at = house()
    expect(outcome(await at.vault.storeSecret({ provider: ANTHROPIC, text: KEY, ...wrong }))).toBe(
      code,
    )
    expect(at.profiles.saves()).toBe(0)
    expect(at.settings.raw()).toEqual({})
  })

  test('is not written over a book that cannot be read', async () => {
    const at = house({ books: { main: aBook(aProfile('anthropic:a')) } })
    at.profiles.damage(MAIN_AGENT, {
      code: 'EQ_STORE_NEWER',
      path: '/book',
      version: 9,
      supported: 1,
    })
    expect(outcome(await at.vault.storeSecret({ provider: ANTHROPIC, text: KEY }))).toBe(
      'EQ_STORE_NEWER',
    )
    expect(at.profiles.saves()).toBe(0)
    expect(at.settings.raw()).toEqual({})
  })

  test('is never in the config, nor in the answer', async () => {
    const at = house()
    const stored = await at.vault.storeSecret({ provider: ANTHROPIC, text: KEY })
    expect(JSON.stringify([stored, at.settings.raw()])).not.toContain('FakeKey0')
  })
})

describe('a sandbox grant', () => {
  test('lives a minute and is stored like any login', async () => {
    const at = house()
    expect(orThrow(await at.vault.storeSandboxGrant({}))).toMatchObject({
      profile: 'sandbox:grant',
      type: 'oauth',
      expiresAt: FAKE_NOW + MINUTE_MS,
    })
  })

  test('does not take another provider’s name', async () => {
    expect(outcome(await house().vault.storeSandboxGrant({ profile: profile('openai:x') }))).toBe(
      'EQ_PROFILE_FOREIGN',
    )
  })
})

describe('a removed profile', () => {
  const furnished = () =>
    house({
      config: {
        ...TWO,
        auth: {
          profiles: { 'anthropic:a': { provider: 'anthropic', mode: 'api_key' } },
          order: { anthropic: ['anthropic:a'] },
        },
      },
      books: {
        main: withOrder(aBook(aProfile('anthropic:a'), aProfile('anthropic:b')), ANTHROPIC, [
          profile('anthropic:a'),
        ]),
      },
      states: {
        main: { profiles: new Map([['anthropic:a', { lastUsedAt: 1 }]]), models: new Map() },
      },
    })

  test('leaves book, orders, usage and config, and nothing else does', async () => {
    const at = furnished()
    orThrow(await at.vault.removeProfile(undefined, 'anthropic:a'))
    expect([...at.profiles.book().profiles.keys()]).toEqual(['anthropic:b'])
    expect(at.profiles.book().order.size).toBe(0)
    expect(at.states.state().profiles.size).toBe(0)
    expect(at.settings.raw()).toEqual({ ...TWO, auth: { profiles: {}, order: {} } })
  })

  test('is told with all that used it, before and after', async () => {
    const at = furnished()
    const pin = { profile: profile('anthropic:a'), source: 'user' } as const
    const monday = session('monday')
    const times = { createdAt: 0, updatedAt: 0, turns: 0 }
    await at.sessions.update(WORK, monday, () => ({ id: monday, agent: WORK, ...times, pin }))
    const uses = {
      agent: 'main',
      profile: 'anthropic:a',
      usedBy: {
        orders: ['agent', 'config'],
        agents: ['work'],
        sessions: [{ agent: 'work', session: 'monday' }],
      },
    }
    expect(outcome(await at.vault.whoUses(undefined, 'anthropic:a'))).toEqual(uses)
    expect(at.profiles.saves()).toBe(0)
    expect(outcome(await at.vault.removeProfile(undefined, 'anthropic:a'))).toMatchObject(uses)
  })

  test('must be there, in the agent’s own book', async () => {
    const at = furnished()
    expect(outcome(await at.vault.removeProfile(undefined, 'anthropic:x'))).toBe(
      'EQ_PROFILE_UNKNOWN',
    )
    expect(outcome(await at.vault.removeProfile(WORK, 'anthropic:a'))).toBe('EQ_PROFILE_INHERITED')
    expect(at.profiles.saves()).toBe(0)
  })
})

describe('restoring a book', () => {
  test('sets the unreadable one aside', async () => {
    const at = house({ books: { main: aBook(aProfile('anthropic:a')) } })
    at.profiles.damage(MAIN_AGENT, { code: 'EQ_STORE_SYNTAX', path: '/book', line: 1, column: 1 })
    const path = '/state/agents/main/agent/auth-profiles.json'
    expect(outcome(await at.vault.restore(undefined))).toEqual({
      agent: 'main',
      setAside: `${path}.damaged`,
      lost: [],
      bookPath: path,
    })
    expect(outcome(await at.orders.order(undefined, 'anthropic'))).toMatchObject({
      resolved: ['anthropic:a'],
    })
  })

  test('needs an earlier good one', async () => {
    expect(outcome(await house().vault.restore(undefined))).toBe('EQ_STORE_NO_PREVIOUS')
  })
})
