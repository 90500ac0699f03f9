import { describe, expect, test } from 'vitest'
import { bearerOf } from '../../src/domain/credential.ts'
import type { Fault } from '../../src/domain/fault.ts'
import { newGrantId } from '../../src/domain/grant.ts'
import type { AgentId, ProfileId } from '../../src/domain/names.ts'
import type { IssuedTokens } from '../../src/domain/renewal-ports.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { SANDBOX } from '../../src/domain/provider.ts'
import type { Result } from '../../src/domain/result.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { LoggedIn, LoginRequest, MayReplace } from '../../src/services/login.ts'
import { aBook, aProfile, FAKE_NOW } from '../../src/testing.ts'
import type { Furnishing, House } from './house.ts'
import { house, outcome } from './house.ts'

const REFRESH = new Secret('fake-refresh-new')
const TOKENS: IssuedTokens = {
  access: new Secret('fake-access-new'),
  refresh: REFRESH,
  lifetimeMs: 60_000,
  email: 'me@example.com',
  accountId: 'account-1',
}
const NO: MayReplace = async () => ok(false)

const id = (text: string): ProfileId => text as ProfileId

function stored(profile: string, more: Partial<Profile['credential']> = {}): Profile {
  return aProfile(profile, {
    credential: {
      type: 'oauth',
      access: new Secret(`fake-access-of-${profile}`),
      refresh: new Secret(`fake-refresh-of-${profile}`),
      ...more,
    } as Profile['credential'],
  })
}

function homeWith(
  profiles: readonly Profile[] = [],
  tokens: Partial<IssuedTokens> = {},
  more: Furnishing = {},
): House {
  return house({
    books: { main: aBook(...profiles) },
    logins: { tokens: () => ok({ ...TOKENS, ...tokens }) },
    ...more,
  })
}

async function logIn(
  at: House,
  request: Partial<LoginRequest> = {},
  mayReplace: MayReplace = NO,
): Promise<Result<LoggedIn, Fault>> {
  const started = await at.login.begin({
    provider: 'sandbox',
    redirect: 'paste',
    signal: new AbortController().signal,
    ...request,
  })
  if (!started.ok) return started
  const finished = await started.value.finish('an answer', mayReplace)
  await started.value.close()
  expect(at.logins.open()).toBe(0)
  return finished
}

const revoked = (at: House): readonly string[] =>
  at.logins.revocations.map(({ token }) => token.reveal())

describe('a login', () => {
  test('becomes a profile with all that is known of it, and a config entry', async () => {
    const at = homeWith()
    expect(outcome(await logIn(at))).toMatchObject({
      agent: 'main',
      profile: 'sandbox:me@example.com',
      account: 'me@example.com',
      email: 'me@example.com',
      accountId: 'account-1',
      replaced: false,
      renewable: true,
      expiresAt: FAKE_NOW + 60_000,
    })
    const profile = at.profiles.book().profiles.get(id('sandbox:me@example.com'))
    // Secrets are equal to each other for a test; they are shown by their reveal() alone.
    expect(profile?.credential.type === 'oauth' && profile.credential).toMatchObject({
      access: expect.toSatisfy((secret: Secret) => secret.equals(TOKENS.access)),
      refresh: expect.toSatisfy((secret: Secret) => secret.equals(REFRESH)),
    })
    expect(profile).toEqual({
      id: 'sandbox:me@example.com',
      origin: 'equabot',
      storedAt: FAKE_NOW,
      credential: {
        type: 'oauth',
        access: TOKENS.access,
        refresh: REFRESH,
        expiresAt: FAKE_NOW + 60_000,
        renewedAt: FAKE_NOW,
        email: 'me@example.com',
        accountId: 'account-1',
        grantId: newGrantId(SANDBOX, REFRESH),
        clientId: 'equabot',
      },
    })
    expect(at.settings.raw()).toEqual({
      auth: { profiles: { 'sandbox:me@example.com': { provider: 'sandbox', mode: 'oauth' } } },
    })
    expect(revoked(at)).toEqual([])
  })

  test.each([
    ['has no address', { email: undefined }, 'sandbox:default', 'account-1'],
    [
      'has an address that is no name',
      { email: 'mé@example.com' },
      'sandbox:default',
      'mé@example.com',
    ],
    ['would be a reserved name', { email: 'env' }, 'sandbox:default', 'env'],
  ] as const)('whose account %s has another name', async (_what, tokens, profile, account) => {
    const at = homeWith([], tokens as Partial<IssuedTokens>)
    expect(outcome(await logIn(at))).toMatchObject({ profile, account })
  })

  test('without an end, or without a renewal, is kept so', async () => {
    const lifetimeMs = Number.POSITIVE_INFINITY
    const at = house({ logins: { tokens: () => ok({ access: TOKENS.access, lifetimeMs }) } })
    expect(outcome(await logIn(at))).toMatchObject({ profile: 'sandbox:default', renewable: false })
    const { credential } = at.profiles.book().profiles.get(id('sandbox:default')) ?? {}
    expect(credential).not.toHaveProperty('expiresAt')
    expect(credential).not.toHaveProperty('grantId')
  })

  test('of an agent stands in its own book', async () => {
    const at = homeWith(
      [stored('sandbox:old', { email: 'me@example.com' })],
      {},
      {
        config: { agents: { list: [{ id: 'research' }] } },
      },
    )
    const agent = 'research' as AgentId
    expect(outcome(await logIn(at, { agent }))).toMatchObject({
      agent,
      profile: 'sandbox:me@example.com',
    })
    expect([...at.profiles.book(agent).profiles.keys()]).toEqual(['sandbox:me@example.com'])
    expect([...at.profiles.book().profiles.keys()]).toEqual(['sandbox:old'])
    expect(revoked(at)).toEqual([])
  })

  test('stands first in an order that is set', async () => {
    const at = homeWith([], {}, { config: { auth: { order: { sandbox: ['sandbox:x'] } } } })
    expect(outcome(await logIn(at))).toMatchObject({ orderChanged: 'config' })
  })
})

describe('a login to the same account', () => {
  test.each([
    ['by its id', { accountId: 'account-1', email: 'old@example.com' }],
    ['by its address, in any case', { email: 'Me@Example.com' }],
  ])(
    'replaces its profile, whatever that is called, and ends the old login (%s)',
    async (_how, more) => {
      const at = homeWith([stored('sandbox:work', more), stored('sandbox:other')])
      expect(outcome(await logIn(at))).toMatchObject({
        profile: 'sandbox:work',
        replaced: true,
        replacedLogin: { kind: 'revoked' },
      })
      expect([...at.profiles.book().profiles.keys()]).toEqual(['sandbox:work', 'sandbox:other'])
      expect(revoked(at)).toEqual(['fake-refresh-of-sandbox:work'])
    },
  )

  test('of another id at the same address is another account', async () => {
    const old = stored('sandbox:me@example.com', {
      accountId: 'account-2',
      email: 'me@example.com',
    })
    const at = homeWith([old])
    expect(outcome(await logIn(at))).toBe('EQ_LOGIN_OTHER_ACCOUNT')
  })

  test('keeps a borrowed one as it is', async () => {
    const borrowed: Profile = {
      ...stored('sandbox:lent', { email: 'me@example.com' }),
      origin: 'claude-code',
    }
    const at = homeWith([borrowed])
    expect(outcome(await logIn(at))).toMatchObject({ profile: 'sandbox:me@example.com' })
    expect(at.profiles.book().profiles.get(id('sandbox:lent'))).toEqual(borrowed)
    expect(revoked(at)).toEqual([])
  })

  test('is not put over a borrowed one that has its name', async () => {
    const borrowed: Profile = {
      ...stored('sandbox:me@example.com', { email: 'me@example.com' }),
      origin: 'claude-code',
    }
    const at = homeWith([borrowed])
    expect(outcome(await logIn(at))).toBe('EQ_PROFILE_BORROWED')
    expect(at.profiles.saves()).toBe(0)
    expect(revoked(at)).toEqual(['fake-refresh-new'])
  })

  test('does not end a login that it got again, or that another profile lives by', async () => {
    const same = homeWith([stored('sandbox:work', { email: 'me@example.com', refresh: REFRESH })])
    expect(outcome(await logIn(same))).toMatchObject({ replacedLogin: { kind: 'shared' } })
    const refresh = new Secret('fake-refresh-of-two')
    const two = homeWith([
      stored('sandbox:work', { email: 'me@example.com', refresh }),
      stored('sandbox:copy', { refresh }),
    ])
    expect(outcome(await logIn(two))).toMatchObject({
      profile: 'sandbox:work',
      replacedLogin: { kind: 'shared', sharedWith: 'sandbox:copy' },
    })
    expect([...revoked(same), ...revoked(two)]).toEqual([])
  })

  test('works though the old login could not be ended', async () => {
    const revoke = { code: 'EQ_LOGIN_FAILED', host: 'x', words: 'no' } as const
    const at = homeWith(
      [stored('sandbox:work', { email: 'me@example.com' })],
      {},
      {
        logins: { tokens: () => ok(TOKENS), revoke },
      },
    )
    expect(outcome(await logIn(at))).toMatchObject({
      replaced: true,
      replacedLogin: { kind: 'failed', fault: revoke },
    })
  })

  test('that never says its name replaces the nameless one without a question', async () => {
    const at = house({
      books: { main: aBook(stored('sandbox:default')) },
      logins: { tokens: () => ok({ access: TOKENS.access, lifetimeMs: 1 }) },
    })
    expect(outcome(await logIn(at))).toMatchObject({ profile: 'sandbox:default', replaced: true })
  })
})

describe('a login to another account', () => {
  const OTHERS: readonly (readonly [string, Profile, string])[] = [
    ['an account', stored('sandbox:work', { email: 'you@example.com' }), 'you@example.com'],
    ['a nameless account', stored('sandbox:work'), 'an account that does not say its name'],
    ['a key', aProfile('sandbox:work'), 'a stored api_key'],
  ]
  const request = { profile: id('sandbox:work') }

  test.each(OTHERS)(
    'is not put over %s, and its tokens are given back',
    async (_what, old, was) => {
      const at = homeWith([old])
      const loggedIn = await logIn(at, request)
      expect(loggedIn).toEqual({
        ok: false,
        fault: {
          code: 'EQ_LOGIN_OTHER_ACCOUNT',
          profile: 'sandbox:work',
          was,
          is: 'me@example.com',
        },
      })
      expect(at.profiles.saves()).toBe(0)
      expect(at.settings.raw()).toEqual({})
      expect(revoked(at)).toEqual(['fake-refresh-new'])
    },
  )

  test.each(OTHERS)('is put over %s after a yes', async (_what, old, was) => {
    const at = homeWith([old])
    const asked: string[] = []
    const loggedIn = await logIn(at, request, async (fault) => {
      asked.push(fault.was)
      return ok(true)
    })
    expect(outcome(loggedIn)).toMatchObject({ profile: 'sandbox:work', replaced: true })
    expect(asked).toEqual([was])
    expect(revoked(at)).not.toContain('fake-refresh-new')
  })

  test('asks again, by failing, when yet another account came in the meantime', async () => {
    const at = homeWith([stored('sandbox:work', { email: 'you@example.com' })])
    const loggedIn = await logIn(at, request, async () => {
      const third = stored('sandbox:work', { email: 'third@example.com' })
      await at.profiles.transact('main' as AgentId, async () =>
        ok({ book: aBook(third), value: undefined }),
      )
      return ok(true)
    })
    expect(loggedIn).toMatchObject({ fault: { was: 'third@example.com' } })
    expect(at.profiles.book().profiles.get(id('sandbox:work'))).toMatchObject({
      credential: { email: 'third@example.com' },
    })
  })
})

describe('nothing is changed', () => {
  test('by a person who has left meanwhile; what came is given back', async () => {
    const stop = new AbortController()
    const at = house({
      logins: {
        tokens: () => {
          stop.abort()
          return ok(TOKENS)
        },
      },
    })
    expect(outcome(await logIn(at, { signal: stop.signal }))).toBe('EQ_INTERRUPTED')
    expect(at.profiles.saves()).toBe(0)
    expect(revoked(at)).toEqual(['fake-refresh-new'])
  })

  const REFUSALS: readonly (readonly [string, Partial<LoginRequest>, string, Furnishing])[] = [
    ['an unknown provider', { provider: 'nosuch' }, 'EQ_PROVIDER_UNKNOWN', {}],
    ['a provider without OAuth', { provider: 'openai' }, 'EQ_LOGIN_UNSUPPORTED', {}],
    ['a profile of another provider', { profile: id('groq:x') }, 'EQ_PROFILE_FOREIGN', {}],
    ['a reserved name', { profile: id('sandbox:env') }, 'EQ_PROFILE_RESERVED', {}],
    ['an unknown agent', { agent: 'nobody' as AgentId }, 'EQ_AGENT_UNKNOWN', {}],
    [
      'a borrowed profile',
      { profile: id('sandbox:lent') },
      'EQ_PROFILE_BORROWED',
      { books: { main: aBook({ ...stored('sandbox:lent'), origin: 'codex-cli' }) } },
    ],
  ]
  test.each(REFUSALS)('and no page is opened for %s', async (_what, request, code, furnishing) => {
    const at = house(furnishing)
    expect(outcome(await logIn(at, request))).toBe(code)
    expect(at.logins.open()).toBe(0)
    expect(at.profiles.saves()).toBe(0)
  })

  test('and no page is opened when the book cannot be read', async () => {
    const at = house()
    at.profiles.damage('main' as AgentId, {
      code: 'EQ_STORE_SYNTAX',
      path: '/state/x',
      line: 1,
      column: 1,
    })
    expect(outcome(await logIn(at))).toBe('EQ_STORE_SYNTAX')
  })

  test('when the page cannot be had, or the provider says no', async () => {
    const denied = { code: 'EQ_LOGIN_DENIED', error: 'access_denied', words: '' } as const
    const at = house({ logins: { begin: { code: 'EQ_LOGIN_STATE' } } })
    expect(outcome(await logIn(at))).toBe('EQ_LOGIN_STATE')
    const other = house({ logins: { tokens: () => ({ ok: false, fault: denied }) } })
    expect(outcome(await logIn(other))).toBe('EQ_LOGIN_DENIED')
    expect(revoked(other)).toEqual([])
  })

  test('when the config cannot be written: the book is as before, the tokens are given back', async () => {
    const at = homeWith([stored('sandbox:work', { email: 'me@example.com' })])
    const edit = at.settings.edit
    Object.assign(at.settings, {
      edit: async () => ({
        ok: false,
        fault: { code: 'EQ_STORE_UNWRITABLE', path: '/state/equabot.json', errno: 'EROFS' },
      }),
    })
    expect(outcome(await logIn(at))).toBe('EQ_STORE_UNWRITABLE')
    Object.assign(at.settings, { edit })
    const { credential } = at.profiles.book().profiles.get(id('sandbox:work')) ?? {}
    expect(credential && bearerOf(credential).reveal()).toBe('fake-access-of-sandbox:work')
    expect(revoked(at)).toEqual(['fake-refresh-new'])
  })
})
