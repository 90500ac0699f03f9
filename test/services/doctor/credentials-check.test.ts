import { describe, expect, test } from 'vitest'

import type { AgentState, ProfileUsage } from '../../../src/domain/cooldown.ts'
import type { Credential } from '../../../src/domain/credential.ts'
import { bearerOf } from '../../../src/domain/credential.ts'
import type { Profile } from '../../../src/domain/profile.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/domain/time.ts'
import { aBook, aProfile, FAKE_NOW, plainFingerprint } from '../../../src/testing.ts'
import { profile, provider } from '../../names-from.ts'
import { clinic, only } from './clinic.ts'

function token(expiresAt?: number): Credential {
  const secret = new Secret(`fake-setup-token-${'a1'.repeat(50)}`)
  return { type: 'token', token: secret, ...(expiresAt !== undefined && { expiresAt }) }
}

function used(entry: Profile, usage: ProfileUsage): Readonly<Record<string, AgentState>> {
  const fingerprint = plainFingerprint(bearerOf(entry.credential))
  return { main: { profiles: new Map([[entry.id, { fingerprint, ...usage }]]), models: new Map() } }
}

describe('access', () => {
  const ending = (expiresAt: number, more: Partial<Profile> = {}) =>
    clinic({
      books: { main: aBook(aProfile('anthropic:year', { credential: token(expiresAt), ...more })) },
    })

  test('of a token that ends within the warning time is a warning, and an error when it has ended', async () => {
    expect(await ending(FAKE_NOW + DAY_MS + 1).codes()).toEqual([])
    expect(await ending(FAKE_NOW + DAY_MS).codes()).toEqual(['DR_ACCESS_ENDING'])
    expect(await ending(FAKE_NOW).codes()).toEqual(['DR_ACCESS_ENDED'])
    expect((await ending(FAKE_NOW).examine()).ok).toBe(false)
  })

  test('that is renewed without the user is never told as ending', async () => {
    const renewable = {
      type: 'oauth',
      access: new Secret('fake-access'),
      refresh: new Secret('fake-refresh'),
      expiresAt: FAKE_NOW - HOUR_MS,
    } as const
    expect(await ending(0, { credential: renewable }).codes()).toEqual([])
    const { refresh: _, ...alone } = renewable
    expect(await ending(0, { credential: alone }).codes()).toEqual(['DR_ACCESS_ENDED'])
  })

  test('of a borrowed login waits for its owner only where nobody else renews it', async () => {
    const borrowed = aProfile('anthropic:claude-cli', {
      origin: 'claude-code',
      credential: { type: 'oauth', access: new Secret('fake-access'), expiresAt: FAKE_NOW - 1 },
    })
    const found = (way: 'neighbour' | 'never' | 'none') =>
      clinic({
        books: { main: aBook(borrowed) },
        world: { grants: new Map([[borrowed.id, { way }]]) },
      }).codes()
    expect(await found('neighbour')).toEqual([])
    expect(await found('never')).toEqual(['DR_ACCESS_OWNERS'])
    expect(await found('none')).toEqual(['DR_ACCESS_ENDED'])
  })

  test('that the provider rejected is an error, for a variable too', async () => {
    const work = aProfile('anthropic:work')
    const lastFailure = { at: FAKE_NOW - HOUR_MS, reason: 'auth', words: 'no' } as const
    const stored = await clinic({
      books: { main: aBook(work) },
      states: used(work, { lastFailure }),
    }).examine()
    expect(only(stored, 'DR_ACCESS_REJECTED')).toMatchObject({ profile: work.id, words: 'no' })
    const key = new Secret('fake-groq-key-0123456789')
    const env = { ...aProfile('groq:env'), credential: { type: 'api_key', key } as const }
    const outside = await clinic({
      variables: { GROQ_API_KEY: key.reveal() },
      states: used(env, { lastFailure }),
    }).examine()
    expect(only(outside, 'DR_ACCESS_REJECTED')).toMatchObject({ outside: 'GROQ_API_KEY' })
  })

  test('by what is no secret, or through a variable that is not set, is an error', async () => {
    const empty = { type: 'api_key', key: new Secret('changeme') } as const
    const machine = clinic({
      books: { main: aBook(aProfile('anthropic:work', { credential: empty })) },
      config: { models: { providers: { groq: { apiKey: '${NOT_THERE}' } } } },
    })
    const report = await machine.examine()
    expect(report.findings).toMatchObject([
      { code: 'DR_SECRET_UNUSABLE', profile: 'anthropic:work' },
      { code: 'DR_SECRET_UNUSABLE', variable: 'NOT_THERE' },
    ])
  })
})

test('a refusal by policy is a warning, a running rest only worth knowing', async () => {
  const work = aProfile('anthropic:work')
  const at = FAKE_NOW - MINUTE_MS
  const refused = await clinic({
    books: { main: aBook(work) },
    states: used(work, { refusedPolicy: { at, words: 'only for Claude Code' } }),
  }).examine()
  expect(only(refused, 'DR_POLICY_REFUSED')).toMatchObject({ severity: 'warn' })
  const until = FAKE_NOW + MINUTE_MS
  const rest = {
    scope: 'profile',
    reason: 'rate_limit',
    since: at,
    until,
    source: 'provider',
  } as const
  const resting = await clinic({
    books: { main: aBook(work) },
    states: used(work, { rest }),
  }).examine()
  expect(only(resting, 'DR_RESTING')).toMatchObject({ severity: 'info', rest })
  expect(resting.ok).toBe(true)
})

describe('no credential of any provider', () => {
  test('is a warning, also with a login of the sandbox', async () => {
    expect(await clinic({ books: {} }).codes()).toEqual(['DR_CREDENTIAL_NONE'])
    const sandbox = { main: aBook(aProfile('sandbox:grant')) }
    expect(await clinic({ books: sandbox }).codes()).toEqual(['DR_CREDENTIAL_NONE'])
  })

  test('is not so with a key in the environment, or a server of the user that needs none', async () => {
    expect(await clinic({ books: {}, variables: { OPENAI_API_KEY: 'fake-k' } }).codes()).toEqual([])
    const config = { models: { providers: { ollama: { baseUrl: 'http://127.0.0.1:11434/v1' } } } }
    expect(await clinic({ books: {}, config }).codes()).toEqual([])
  })
})

describe('a profile that nobody tries', () => {
  test('because it is not in the order that is set is worth knowing', async () => {
    const book = aBook(aProfile('anthropic:work'), aProfile('anthropic:other'))
    const order = new Map([[provider('anthropic'), [profile('anthropic:work')]]])
    const report = await clinic({ books: { main: { ...book, order } } }).examine()
    expect(only(report, 'DR_PROFILE_UNORDERED')).toMatchObject({
      profile: 'anthropic:other',
      order: 'agent',
      severity: 'info',
    })
  })

  test('because its mode does not fit is worth knowing', async () => {
    const auth = { profiles: { 'anthropic:work': { provider: 'anthropic', mode: 'oauth' } } }
    const report = await clinic({ config: { auth } }).examine()
    expect(only(report, 'DR_PROFILE_MODE')).toMatchObject({ mode: 'oauth', type: 'api_key' })
  })

  test('because no model in use needs its provider is worth knowing after 90 days', async () => {
    const unused = async (ageMs: number, usage?: ProfileUsage) => {
      const old = aProfile('groq:old', { storedAt: FAKE_NOW - ageMs })
      return clinic({
        books: { main: aBook(aProfile('anthropic:work'), old) },
        ...(usage && { states: used(old, usage) }),
      }).codes()
    }
    expect(await unused(90 * DAY_MS)).toEqual([])
    expect(await unused(91 * DAY_MS)).toEqual(['DR_PROFILE_UNUSED'])
    expect(await unused(91 * DAY_MS, { lastUsedAt: FAKE_NOW - DAY_MS })).toEqual([])
    const inUse = aProfile('anthropic:work', { storedAt: FAKE_NOW - 900 * DAY_MS })
    expect(await clinic({ books: { main: aBook(inUse) } }).codes()).toEqual([])
  })

  test('is told of the agent whose it is, not of all that inherit it', async () => {
    const report = await clinic({
      config: { agents: { list: [{ id: 'research' }, { id: 'ops' }] } },
      books: { main: aBook(aProfile('anthropic:year', { credential: token(FAKE_NOW) })) },
    }).examine()
    expect(only(report, 'DR_ACCESS_ENDED').agent).toBe('main')
  })
})
