import { gzipSync } from 'node:zlib'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { RawAnswer, TokenVerdict } from '../../src/domain/renewal-ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import { judgeTokenAnswer } from '../../src/wire/token-response.ts'

const answer = (status: number, body: unknown, more: Partial<RawAnswer> = {}): RawAnswer => ({
  status,
  headers: {},
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  complete: true,
  ...more,
})
const judge = (...given: Parameters<typeof answer>): TokenVerdict =>
  judgeTokenAnswer(answer(...given), FAKE_NOW, SENT)
const SENT = new Secret('refresh-that-was-sent-0123456789')
const GOOD = {
  access_token: 'access-1',
  token_type: 'Bearer',
  refresh_token: 'refresh-1',
  expires_in: 7200,
}

describe('a success', () => {
  test('gives tokens, lifetime and whose they are', () => {
    const verdict = judge(200, {
      ...GOOD,
      account: { uuid: 'acc_1', email_address: 'me@example.com' },
    })
    if (verdict.kind !== 'tokens') throw new TypeError(verdict.kind)
    const { access, refresh, ...rest } = verdict.tokens
    expect([access.reveal(), refresh?.reveal()]).toEqual(['access-1', 'refresh-1'])
    expect(rest).toEqual({ lifetimeMs: 2 * HOUR_MS, email: 'me@example.com', accountId: 'acc_1' })
  })

  test.each([
    ['without a refresh token', { refresh_token: undefined }],
    ['with an empty one', { refresh_token: '' }],
    ['with null', { refresh_token: null }],
  ])('%s leaves the old one in service', (_, change) => {
    const verdict = judge(200, { ...GOOD, ...change })
    expect(verdict.kind === 'tokens' && verdict.tokens.refresh).toBeUndefined()
  })

  test('without a lifetime counts an hour', () => {
    const verdict = judge(200, { ...GOOD, expires_in: undefined })
    expect(verdict.kind === 'tokens' && verdict.tokens.lifetimeMs).toBe(HOUR_MS)
  })

  test('says whose it is in an id_token', () => {
    const claims = Buffer.from('{"sub":"user-1","email":"me@example.com"}').toString('base64url')
    const verdict = judge(200, { ...GOOD, id_token: `e30.${claims}.x` })
    expect(verdict.kind === 'tokens' && verdict.tokens).toMatchObject({
      accountId: 'user-1',
      email: 'me@example.com',
    })
  })

  test('that broke off behind its last brace is whole all the same', () => {
    expect(judge(200, GOOD, { complete: false }).kind).toBe('tokens')
  })
})

describe('what an answer means', () => {
  test.each<[string, number, unknown, TokenVerdict['kind']]>([
    ['a refused token', 400, { error: 'invalid_grant' }, 'rejected'],
    ['a refused token in a 401', 401, { error: { code: 'refresh_token_reused' } }, 'rejected'],
    ['an expired one', 401, { error: 'refresh_token_expired' }, 'rejected'],
    ['an error in a 200', 200, { error: 'invalid_grant' }, 'rejected'],
    ['an unknown error in a 200', 200, { error: 'odd' }, 'ambiguous'],
    ['a wrong client', 401, { error: 'invalid_client' }, 'config'],
    ['a wrong request', 400, { error: 'invalid_request' }, 'config'],
    ['a limit', 429, 'Too many', 'not_consumed'],
    ["a firewall's page", 403, '<html>no</html>', 'not_consumed'],
    ['a refusal in a 403', 403, { error: 'invalid_grant' }, 'rejected'],
    ['a proxy that wants a login', 407, '', 'not_consumed'],
    ['a server error', 500, 'oops', 'ambiguous'],
    ['a server error that names the token', 503, { error: 'invalid_grant' }, 'ambiguous'],
    ['a redirect', 302, '', 'ambiguous'],
    ['a 404', 404, 'not here', 'ambiguous'],
    ['nonsense', 200, 'hello', 'ambiguous'],
    ['an empty body', 200, '', 'ambiguous'],
    ['a success without a token', 200, { token_type: 'Bearer' }, 'ambiguous'],
    ['a token that is described oddly', 200, { ...GOOD, token_type: 'Bearer Token' }, 'tokens'],
    ['a token that no header can hold', 200, { ...GOOD, access_token: 'a b' }, 'ambiguous'],
    ['a list', 200, [], 'ambiguous'],
  ])('%s', (_, status, body, kind) => {
    expect(judge(status, body).kind).toBe(kind)
  })

  test('a limit says how long', () => {
    expect(judge(429, '', { headers: { 'retry-after': '30' } })).toMatchObject({
      retryAfterMs: 30_000,
    })
  })

  test('an answer that is cut anywhere is never a verdict about the token', () => {
    const whole = JSON.stringify(GOOD)
    for (let length = 0; length < whole.length; length += 1) {
      expect(judge(200, whole.slice(0, length), { complete: false }).kind).toBe('ambiguous')
    }
  })

  test('only the known words of a provider end a login, whatever else comes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), fc.jsonValue(), (status, body) => {
        const { kind } = judge(status, JSON.stringify(body))
        expect(kind).not.toBe('rejected')
      }),
    )
  })

  test('an answer that was packed against our wish is unpacked', () => {
    const packed = { headers: { 'content-encoding': 'gzip' } }
    const body = gzipSync(JSON.stringify(GOOD))
    const verdict = judgeTokenAnswer({ ...answer(200, '', packed), body }, FAKE_NOW, SENT)
    expect(verdict.kind).toBe('tokens')
    expect(judge(200, GOOD, packed).kind).toBe('tokens')
  })

  test('the token that was sent is in no words, however much of it the provider repeats', () => {
    const part = SENT.reveal().slice(0, -1)
    for (const repeated of [SENT.reveal(), part, `${'x'.repeat(290)}${SENT.reveal()}`]) {
      const verdict = judge(400, { error: 'invalid_grant', error_description: repeated })
      expect(JSON.stringify(verdict)).not.toMatch(/refresh-that/)
    }
  })

  test('words are one line that holds no control over a terminal', () => {
    const verdict = judge(400, { error: 'invalid_grant', error_description: 'a\u001b[2Jb\nc' })
    expect(verdict.kind === 'rejected' && verdict.words).toBe('ab c')
  })
})
