import { expect, test } from 'vitest'
import type { Credential } from '../../src/domain/credential.ts'
import { newGrantId } from '../../src/domain/grant.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { withProfile } from '../../src/domain/profile.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { aBook, aProfile } from '../../src/testing.ts'
import { provider } from '../names-from.ts'
import type { House } from './house.ts'
import { house, outcome } from './house.ts'

const REFRESH = new Secret('fake-refresh-1')

function login(profile: string, more: Partial<Profile> = {}): Profile {
  return aProfile(profile, {
    credential: { type: 'oauth', access: new Secret('fake-access-1'), refresh: REFRESH },
    ...more,
  })
}

const revoked = (at: House): readonly string[] =>
  at.logins.revocations.map(({ provider, token }) => `${provider} ${token.reveal()}`)

test('a login that was renewed while it went is revoked by its newest refresh token', async () => {
  const at = house({ books: { main: aBook(login('sandbox:work')) } })
  const newest = new Secret('fake-refresh-2')
  const { edit } = at.settings
  const editing: typeof edit = async (edits) => {
    const credential = { type: 'oauth', access: newest, refresh: newest } as const
    await at.profiles.transact(MAIN_AGENT, async (book) =>
      ok({ book: withProfile(book, login('sandbox:work', { credential })), value: undefined }),
    )
    return edit(edits)
  }
  Object.assign(at.settings, { edit: editing })
  await at.vault.removeProfile(undefined, 'sandbox:work')
  expect(revoked(at)).toEqual(['sandbox fake-refresh-2'])
})

test('a login that goes is revoked by its refresh token', async () => {
  const at = house({ books: { main: aBook(login('sandbox:work')) } })
  expect(outcome(await at.vault.removeProfile(undefined, 'sandbox:work'))).toMatchObject({
    profile: 'sandbox:work',
    revocation: { kind: 'revoked' },
  })
  expect(revoked(at)).toEqual(['sandbox fake-refresh-1'])
  expect(at.profiles.book().profiles.size).toBe(0)
})

test('a login without a refresh token is revoked by its access token', async () => {
  const access = new Secret('fake-access-1')
  const credential = { type: 'oauth', access } as const
  const at = house({ books: { main: aBook(login('sandbox:work', { credential })) } })
  await at.vault.removeProfile(undefined, 'sandbox:work')
  expect(revoked(at)).toEqual(['sandbox fake-access-1'])
})

test.each([
  ['a key of the sandbox has nothing to end', aProfile('sandbox:x'), undefined],
  [
    'a key goes on living where it was made',
    aProfile('anthropic:x'),
    {
      kind: 'lives_on',
      type: 'api_key',
      keysPage: 'https://console.anthropic.com/settings/keys',
    },
  ],
  [
    'a token goes on living until it ends',
    aProfile('anthropic:x', {
      credential: { type: 'token', token: new Secret('fake-token-1'), expiresAt: 5 },
    }),
    { kind: 'lives_on', type: 'token', expiresAt: 5 },
  ],
  ['a provider may not offer it', login('anthropic:x'), { kind: 'not_offered' }],
  [
    'a borrowed login is not ours to end',
    login('sandbox:x', { origin: 'claude-code' }),
    { kind: 'borrowed', origin: 'claude-code' },
  ],
])('%s: it is only forgotten', async (_why, profile, revocation) => {
  const at = house({ books: { main: aBook(profile) } })
  const removed = await at.vault.removeProfile(undefined, profile.id)
  expect(removed.ok && removed.value.revocation).toEqual(revocation)
  expect(at.logins.revocations).toEqual([])
  expect(at.profiles.book().profiles.size).toBe(0)
})

test('a login that a profile of another agent lives by is not ended', async () => {
  const at = house({
    config: { agents: { list: [{ id: 'research' }] } },
    books: { main: aBook(login('sandbox:work')), research: aBook(login('sandbox:copy')) },
  })
  expect(outcome(await at.vault.removeProfile(undefined, 'sandbox:work'))).toMatchObject({
    revocation: { kind: 'shared', sharedWith: 'sandbox:copy' },
  })
  expect(at.logins.revocations).toEqual([])
})

test.each([
  ['its refresh token', { access: new Secret('fake-access-9'), refresh: REFRESH }],
  ['its access token', { access: new Secret('fake-access-1') }],
])('a login that a copy without its name lives by is not ended: known by %s', async (_by, more) => {
  const grantId = newGrantId(provider('sandbox'), new Secret('fake-refresh-0'))
  const { credential } = login('sandbox:work')
  const named = aProfile('sandbox:work', { credential: { ...credential, grantId } as Credential })
  const copy = aProfile('sandbox:copy', { credential: { type: 'oauth', ...more } })
  for (const [gone, stays] of [
    [named, copy],
    [copy, named],
  ] as const) {
    const at = house({ books: { main: aBook(named, copy) } })
    const removed = await at.vault.removeProfile(undefined, gone.id)
    expect(outcome(removed)).toMatchObject({ revocation: { kind: 'shared', sharedWith: stays.id } })
    expect(at.logins.revocations).toEqual([])
  }
})

test('a provider that refuses keeps nobody from forgetting', async () => {
  const fault = { code: 'EQ_LOGIN_FAILED', host: 'x', words: 'down', status: 503 } as const
  const at = house({ books: { main: aBook(login('sandbox:work')) }, logins: { revoke: fault } })
  expect(outcome(await at.vault.removeProfile(undefined, 'sandbox:work'))).toMatchObject({
    revocation: { kind: 'failed', fault },
  })
  expect(at.profiles.book().profiles.has('sandbox:work' as ProfileId)).toBe(false)
})
