import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { Fault } from '../../src/domain/fault.ts'
import type { Result } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { parseClaudeLogin, withClaudeTokens } from '../../src/wire/claude-login.ts'

const PLACE = '/home/me/.claude/.credentials.json'
const ACCESS = 'fake-access-of-claude'
const REFRESH = 'fake-refresh-of-claude'
const NEXT = { access: new Secret('new-access'), refresh: new Secret('new-refresh'), expiresAt: 9 }

const parse = (login: unknown) => parseClaudeLogin(JSON.stringify({ claudeAiOauth: login }), PLACE)
const code = (result: Result<unknown, Fault>) => (result.ok ? 'ok' : result.fault.code)
const written = (text: string, tokens: Parameters<typeof withClaudeTokens>[1] = NEXT) => {
  const bytes = withClaudeTokens(Buffer.from(text), tokens)
  return bytes && Buffer.from(bytes).toString('utf8')
}

describe('the file of Claude Code', () => {
  it('gives the login with its account and client', () => {
    const login = orThrow(
      parse({
        accessToken: ACCESS,
        refreshToken: REFRESH,
        expiresAt: 1_800_000_000_000,
        scopes: ['user:inference'],
        subscriptionType: 'max',
        accountUuid: 'acc-1',
        clientId: 'client-1',
      }),
    )
    expect(login).toEqual({
      access: new Secret(ACCESS),
      refresh: new Secret(REFRESH),
      expiresAt: 1_800_000_000_000,
      accountId: 'acc-1',
      clientId: 'client-1',
    })
    expect(login?.access.reveal()).toBe(ACCESS)
    expect(login?.refresh?.reveal()).toBe(REFRESH)
  })

  it.each([
    ['without the key', '{"mcpOAuth":{"x":1}}'],
    ['with null', '{"claudeAiOauth":null}'],
    ['empty', '{}'],
  ])('holds no login %s', (_, text) => {
    expect(parseClaudeLogin(text, PLACE)).toEqual({ ok: true, value: undefined })
  })

  it.each([
    ['no refresh token', {}],
    ['a blank one', { refreshToken: '' }],
    ['null', { refreshToken: null }],
  ])('holds a login that nothing renews: %s', (_, more) => {
    const login = orThrow(parse({ accessToken: ACCESS, expiresAt: 5, ...more }))
    expect(login?.refresh).toBeUndefined()
    expect(login?.expiresAt).toBe(5)
  })

  it.each([
    ['all is blank', { accessToken: '', refreshToken: '', expiresAt: 0 }],
    ['access is blank', { accessToken: ' ', refreshToken: REFRESH, expiresAt: 5 }],
    ['it ended at 0 and nothing renews it', { accessToken: ACCESS, expiresAt: 0 }],
  ])('is logged out when %s', (_, login) => {
    expect(parse(login)).toEqual({
      ok: false,
      fault: { code: 'EQ_FOREIGN_BLANK', origin: 'claude-code', place: PLACE },
    })
  })

  it('knows of no end where it says null', () => {
    const login = orThrow(parse({ accessToken: ACCESS, refreshToken: REFRESH, expiresAt: null }))
    expect(login).not.toHaveProperty('expiresAt')
  })

  it('has long ended at 0 when it can be renewed, which is not "no end known"', () => {
    const login = orThrow(parse({ accessToken: ACCESS, refreshToken: REFRESH, expiresAt: 0 }))
    expect(login?.expiresAt).toBe(1)
  })

  it.each([
    ['scopes', 7],
    ['subscriptionType', []],
    ['accountUuid', 5],
    ['clientId', ''],
  ])('is not lost by an odd %s', (key, value) => {
    expect(code(parse({ accessToken: ACCESS, [key]: value }))).toBe('ok')
  })

  it.each([
    ['"text"', 'claudeAiOauth', 'an object'],
    ['{"expiresAt":5}', 'claudeAiOauth.accessToken', 'a value'],
    ['{"accessToken":5}', 'claudeAiOauth.accessToken', 'text'],
    ['{"accessToken":"a","refreshToken":[]}', 'claudeAiOauth.refreshToken', 'text'],
    ['{"accessToken":"a","expiresAt":"soon"}', 'claudeAiOauth.expiresAt', 'a number'],
  ])('%s does not fit at %s', (login, field, expected) => {
    const parsed = parseClaudeLogin(`{"claudeAiOauth":${login}}`, PLACE)
    expect(parsed).toMatchObject({ ok: false, fault: { code: 'EQ_FOREIGN_FIELD', field } })
    expect(parsed).toHaveProperty('fault.expected', expected)
  })

  it('that is not whole says where it breaks off', () => {
    expect(parseClaudeLogin('{"claudeAiOauth":{"acc', PLACE)).toMatchObject({
      fault: { code: 'EQ_FOREIGN_SYNTAX', line: 1, column: 19, place: PLACE },
    })
    expect(code(parseClaudeLogin('', PLACE))).toBe('EQ_FOREIGN_SYNTAX')
    expect(code(parseClaudeLogin('[]', PLACE))).toBe('EQ_FOREIGN_FIELD')
  })

  it('cut anywhere is a fault and never a login', () => {
    const text = JSON.stringify({ claudeAiOauth: { accessToken: ACCESS, refreshToken: REFRESH } })
    for (let end = 0; end < text.length; end += 1) {
      expect(code(parseClaudeLogin(text.slice(0, end), PLACE))).toBe('EQ_FOREIGN_SYNTAX')
    }
  })

  it('never stands in a fault with its secrets', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const hostile = `{"claudeAiOauth":{"accessToken":"${ACCESS}","refreshToken":{"a":"${REFRESH}"},"x":${text}}}`
        const parsed = parseClaudeLogin(hostile, PLACE)
        expect(JSON.stringify(parsed)).not.toContain(REFRESH)
        expect(JSON.stringify(parsed)).not.toContain(ACCESS)
      }),
    )
  })
})

describe('new tokens', () => {
  it('change three values of one line and nothing else', () => {
    const text = `{"mcpOAuth":{"a":[1, 2.50]},"claudeAiOauth":{"accessToken":"a","odd":{"expiresAt":1},"refreshToken":"b","expiresAt":3,"scopes":["s"]},"z":null}\n`
    expect(written(text)).toBe(
      `{"mcpOAuth":{"a":[1, 2.50]},"claudeAiOauth":{"accessToken":"new-access","odd":{"expiresAt":1},"refreshToken":"new-refresh","expiresAt":9,"scopes":["s"]},"z":null}\n`,
    )
  })

  it('keep the indentation, also of a key that is new', () => {
    const text = JSON.stringify(
      { claudeAiOauth: { scopes: ['s'], accessToken: 'a' }, z: 1 },
      null,
      2,
    )
    const expected = JSON.stringify(
      {
        claudeAiOauth: {
          scopes: ['s'],
          accessToken: 'new-access',
          refreshToken: 'new-refresh',
          expiresAt: 9,
        },
        z: 1,
      },
      null,
      2,
    )
    expect(written(text)).toBe(expected)
  })

  it('leave the old refresh token where the provider gave no new one', () => {
    const text = '{"claudeAiOauth":{"accessToken":"a","refreshToken":"b","expiresAt":3}}'
    expect(written(text, { access: new Secret('n') })).toBe(
      '{"claudeAiOauth":{"accessToken":"n","refreshToken":"b","expiresAt":null}}',
    )
  })

  it('bring their scopes when there are some', () => {
    const text = '{"claudeAiOauth":{"accessToken":"a","scopes":["old"]}}'
    expect(written(text, { ...NEXT, scopes: ['s', 't'] })).toContain('"scopes":["s","t"]')
  })

  it('leave bytes that are no UTF-8, and a byte order mark, as they are', () => {
    const head = Buffer.concat([
      Buffer.from([0xef, 0xbb, 0xbf]),
      Buffer.from('{"x":"'),
      Buffer.from([0xff, 0xfe]),
    ])
    const tail = '","claudeAiOauth":{"accessToken":"a","refreshToken":"b","expiresAt":1}}'
    const bytes = withClaudeTokens(Buffer.concat([head, Buffer.from(tail)]), NEXT)
    expect(Buffer.from(bytes ?? []).subarray(0, head.length)).toEqual(head)
  })

  it.each(['{}', '{"claudeAiOauth":null}', '{"claudeAiOauth":{}}', '{', '[]', ''])(
    'find no place in %s',
    (text) => {
      expect(written(text)).toBeUndefined()
    },
  )

  it('are read back as written, and every other key of any file is as it was', () => {
    const keys = fc.string().filter((key) => !['claudeAiOauth', '__proto__'].includes(key))
    const inner = fc
      .dictionary(keys, fc.jsonValue())
      .map((more) => ({ ...more, accessToken: 'a', refreshToken: 'b', expiresAt: 1 }))
    fc.assert(
      fc.property(
        fc.dictionary(keys, fc.jsonValue()),
        inner,
        fc.constantFrom(0, 2, '\t'),
        fc.string({ minLength: 1 }),
        (more, login, indent, access) => {
          const before = { ...more, claudeAiOauth: login }
          const text = written(JSON.stringify(before, null, indent), {
            ...NEXT,
            access: new Secret(access),
          })
          const after = {
            ...before,
            claudeAiOauth: {
              ...login,
              accessToken: access,
              refreshToken: 'new-refresh',
              expiresAt: 9,
            },
          }
          expect(text).toBe(JSON.stringify(after, null, indent))
        },
      ),
    )
  })
})
