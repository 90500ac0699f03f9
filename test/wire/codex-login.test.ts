import { describe, expect, it } from 'vitest'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { Secret } from '../../src/domain/secret.ts'
import { parseCodexLogin } from '../../src/wire/codex-login.ts'

const PLACE = '/home/me/.codex/auth.json'
const jwt = (claims: unknown) =>
  `fake.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sign`
const ACCESS = jwt({ exp: 1_800_000_000 })
const parse = (data: unknown) => parseCodexLogin(JSON.stringify(data), PLACE)
const chatgpt = (tokens: unknown) => parse({ auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens })

describe('the file of Codex', () => {
  it('gives the login with the end that its token names, its account and address', () => {
    const login = orThrow(
      chatgpt({
        id_token: jwt({ email: 'me@example.com' }),
        access_token: ACCESS,
        refresh_token: 'fake-refresh-of-codex',
        account_id: 'acc-1',
      }),
    )
    expect(login).toEqual({
      access: new Secret(ACCESS),
      refresh: new Secret('fake-refresh-of-codex'),
      expiresAt: 1_800_000_000_000,
      email: 'me@example.com',
      accountId: 'acc-1',
    })
    expect(login?.refresh?.reveal()).toBe('fake-refresh-of-codex')
  })

  it('gives the account that the identity names where the file does not', () => {
    const identity = jwt({ 'https://api.openai.com/auth': { chatgpt_account_id: 'acc-2' } })
    const login = orThrow(chatgpt({ id_token: identity, access_token: ACCESS }))
    expect(login?.accountId).toBe('acc-2')
    expect(login?.refresh).toBeUndefined()
  })

  it.each(['opaque', 'a.%%%.c', jwt('text'), jwt({ exp: 'soon' }), jwt({ exp: -1 }), jwt([])])(
    'knows of no end where its token does not tell: %s',
    (token) => {
      const login = orThrow(chatgpt({ id_token: token, access_token: token, refresh_token: 'r' }))
      expect(login).toEqual({ access: new Secret(token), refresh: new Secret('r') })
    },
  )

  it.each([
    ['a mode that says so', { auth_mode: 'apikey', OPENAI_API_KEY: 'fake-key' }],
    ['a key alone', { OPENAI_API_KEY: 'fake-key' }],
    ['both, when the mode says so', { auth_mode: 'apikey', tokens: { access_token: 'a' } }],
  ])('holds an API key only: %s', (_, data) => {
    expect(parse(data)).toMatchObject({ fault: { code: 'EQ_FOREIGN_KEY_ONLY', place: PLACE } })
  })

  it.each([{}, { tokens: null }, { auth_mode: 'chatgpt', OPENAI_API_KEY: '' }])(
    'holds no login: %j',
    (data) => {
      expect(parse(data)).toEqual({ ok: true, value: undefined })
    },
  )

  it('is logged out when its token is blank', () => {
    expect(chatgpt({ access_token: '', refresh_token: '' })).toMatchObject({
      fault: { code: 'EQ_FOREIGN_BLANK' },
    })
  })

  it.each([
    [{ tokens: 'text' }, 'tokens'],
    [{ tokens: {} }, 'tokens.access_token'],
    [{ tokens: { access_token: 'a', refresh_token: 5 } }, 'tokens.refresh_token'],
  ])('%j does not fit', (data, field) => {
    expect(parse(data)).toMatchObject({ fault: { code: 'EQ_FOREIGN_FIELD', field } })
  })

  it('that is not whole says where it breaks off', () => {
    expect(parseCodexLogin('{\n  "tokens": {', PLACE)).toMatchObject({
      fault: { code: 'EQ_FOREIGN_SYNTAX', line: 2, column: 14 },
    })
  })
})
