import { expect, test } from 'vitest'
import type { Credential, OauthCredential } from '../../src/domain/credential.ts'
import {
  bearerOf,
  expiresAtOf,
  isExpired,
  isRenewable,
  isSameAccount,
} from '../../src/domain/credential.ts'
import { Secret } from '../../src/domain/secret.ts'

const secret = new Secret('fake-bearer')
const KEY: Credential = { type: 'api_key', key: secret }
const TOKEN: Credential = { type: 'token', token: secret, expiresAt: 1_000 }
const OAUTH: Credential = {
  type: 'oauth',
  access: secret,
  refresh: new Secret('fake-refresh'),
  expiresAt: 1_000,
}

test('what is sent is the key, the token or the access token, never the refresh token', () => {
  for (const credential of [KEY, TOKEN, OAUTH]) expect(bearerOf(credential)).toBe(secret)
})

test('a credential is expired from the instant of its expiry on', () => {
  expect(isExpired(TOKEN, 999)).toBe(false)
  expect(isExpired(TOKEN, 1_000)).toBe(true)
  expect(isExpired(OAUTH, 1_001)).toBe(true)
})

test('an API key and a token without an end do not expire', () => {
  expect(expiresAtOf(KEY)).toBeUndefined()
  expect(isExpired(KEY, Number.MAX_SAFE_INTEGER)).toBe(false)
  expect(isExpired({ type: 'token', token: secret }, Number.MAX_SAFE_INTEGER)).toBe(false)
})

test('only a login that holds its refresh token is renewable', () => {
  expect(isRenewable(OAUTH)).toBe(true)
  expect(isRenewable({ type: 'oauth', access: secret })).toBe(false)
  expect(isRenewable(TOKEN)).toBe(false)
  expect(isRenewable(KEY)).toBe(false)
})

const of = (account: Partial<OauthCredential>): OauthCredential => ({
  type: 'oauth',
  access: secret,
  ...account,
})

test.each([
  [{ accountId: '1', email: 'me@example.com' }, { accountId: '1', email: 'old@example.com' }, true],
  [{ accountId: '1', email: 'me@example.com' }, { accountId: '2', email: 'me@example.com' }, false],
  [{ accountId: '1', email: 'me@example.com' }, { email: 'ME@example.com' }, true],
  [{ email: 'me@example.com' }, { email: 'you@example.com' }, false],
  [{ accountId: '1' }, { email: 'me@example.com' }, undefined],
  [{}, { accountId: '1', email: 'me@example.com' }, undefined],
  [{}, {}, undefined],
])('%j and %j: the same account is %s, either way round', (a, b, same) => {
  expect(isSameAccount(of(a), of(b))).toBe(same)
  expect(isSameAccount(of(b), of(a))).toBe(same)
})
