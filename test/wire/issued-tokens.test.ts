import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HOUR_MS } from '../../src/domain/time.ts'
import { parseIssuedTokens } from '../../src/wire/issued-tokens.ts'

const ANSWER = {
  token_type: 'bearer',
  access_token: 'fake-access-1',
  refresh_token: 'fake-refresh-1',
  expires_in: 60,
}

function idToken(claims: unknown): string {
  const part = (data: unknown): string => Buffer.from(JSON.stringify(data)).toString('base64url')
  return `${part({ alg: 'none' })}.${part(claims)}.fake-seal`
}

function parsed(body: unknown): Record<string, unknown> {
  const tokens = parseIssuedTokens(body)
  if (!tokens.ok) return { misfit: tokens.fault.field }
  const { access, refresh, ...rest } = tokens.value
  return { access: access.reveal(), ...(refresh && { refresh: refresh.reveal() }), ...rest }
}

test('tokens come with their lifetime in milliseconds', () => {
  expect(parsed(ANSWER)).toEqual({
    access: 'fake-access-1',
    refresh: 'fake-refresh-1',
    lifetimeMs: 60_000,
  })
  expect(parsed({ ...ANSWER, expires_in: '3600' })).toMatchObject({ lifetimeMs: HOUR_MS })
})

test.each([
  [{ ...ANSWER, expires_in: undefined }, HOUR_MS],
  [{ ...ANSWER, expires_in: null }, HOUR_MS],
  [{ ...ANSWER, expires_in: 0 }, HOUR_MS],
  [{ ...ANSWER, expires_in: 1_800_000_000_000 }, HOUR_MS],
  [{ access_token: 'fake-access-1' }, Number.POSITIVE_INFINITY],
])(
  'a lifetime that is not told is found out by a renewal, where there can be one (%#)',
  (body, ms) => {
    expect(parsed(body)).toMatchObject({ lifetimeMs: ms })
  },
)

test.each([
  ['nothing', undefined, ''],
  ['text', 'no', ''],
  ['no access token', { ...ANSWER, access_token: undefined }, 'access_token'],
  ['a blank access token', { ...ANSWER, access_token: ' ' }, 'access_token'],
  ['a token that would break a header', { ...ANSWER, access_token: 'a\r\nb: c' }, 'access_token'],
  ['a refresh token that is no text', { ...ANSWER, refresh_token: 7 }, 'refresh_token'],
])('%s is told by its field', (_what, body, field) => {
  expect(parsed(body)).toEqual({ misfit: field })
})

test('a refresh token that is empty is none', () => {
  expect(parsed({ ...ANSWER, refresh_token: '' })).not.toHaveProperty('refresh')
})

describe('the account', () => {
  test.each([
    ['an account object', { account: { uuid: 'u-1', email_address: 'me@example.com' } }],
    ['plain fields', { account_id: 'u-1', email: 'me@example.com' }],
    ['the claims of an id token', { id_token: idToken({ sub: 'u-1', email: 'me@example.com' }) }],
  ])('is read from %s', (_where, more) => {
    expect(parsed({ ...ANSWER, ...more })).toMatchObject({
      email: 'me@example.com',
      accountId: 'u-1',
    })
  })

  test('of the answer itself goes before the claims of an id token', () => {
    const more = { account_id: 'u-1', id_token: idToken({ sub: 'u-2', email: 'me@example.com' }) }
    expect(parsed({ ...ANSWER, ...more })).toMatchObject({ accountId: 'u-1' })
  })

  test.each([
    ['with a control character', { email: 'me\u001b[31m@example.com' }],
    ['that hides', { email: 'me\u202e@example.com' }],
    ['of two words', { email: 'me and you' }],
    ['that is no text', { email: 7 }],
    ['in a broken id token', { id_token: 'a.%%%.c' }],
    ['in claims that are a list', { id_token: idToken(['email']) }],
  ])('%s is left out', (_what, more) => {
    expect(parsed({ ...ANSWER, ...more })).not.toHaveProperty('email')
  })
})

test('any data is answered, and never with a secret in the fault', () => {
  fc.assert(
    fc.property(fc.anything(), (body) => {
      const tokens = parseIssuedTokens(body)
      expect(!tokens.ok || tokens.value.access.length > 0).toBe(true)
    }),
  )
  const { ok, ...rest } = parseIssuedTokens({ ...ANSWER, refresh_token: 'fake refresh 1' })
  expect(ok).toBe(false)
  expect(JSON.stringify(rest)).not.toContain('fake refresh 1')
})
