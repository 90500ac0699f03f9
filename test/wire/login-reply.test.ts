import { expect, test } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'
import { judgeCodeReply, judgeRevocationReply } from '../../src/wire/login-reply.ts'

const CODE = new Secret('fake-code-1')
const TOKENS = JSON.stringify({ access_token: 'fake-access', expires_in: 60 })

test('tokens are a success whatever the success is called', () => {
  for (const status of [200, 201]) {
    expect(judgeCodeReply({ status, body: TOKENS }, [])).toMatchObject({ ok: true })
  }
})

test.each([
  [
    'an OAuth error',
    400,
    '{"error":"invalid_grant","error_description":"code has served"}',
    'invalid_grant: code has served',
  ],
  ['an error that is called a success', 200, '{"error":"bad_code"}', 'bad_code'],
  ['a page', 502, '<html><title>Bad gateway</title>', 'Bad gateway'],
  ['nothing', 500, '', 'no reason was given'],
  ['a redirect', 302, 'Found', 'it points to another address, which is not followed'],
  ['a success without tokens', 200, '{}', 'it holds no access_token that can be used'],
  ['a success that is a list', 200, '[]', 'it holds no access_token that can be used'],
  ['a success that is text', 200, '"welcome"', 'it holds no tokens that can be used'],
  ['a success that is no JSON', 200, 'welcome', 'it is not JSON'],
  ['words with our code in them', 400, '{"error":"no fake-code-1"}', 'no [secret]'],
])('%s is told in words', (_what, status, body, words) => {
  expect(judgeCodeReply({ status, body }, [CODE])).toMatchObject({ fault: { status, words } })
})

test('a revocation is a success, or told in words', () => {
  expect(judgeRevocationReply({ status: 200, body: '' }, [])).toEqual({ ok: true })
  expect(judgeRevocationReply({ status: 204, body: '' }, [])).toEqual({ ok: true })
  const refusal = { status: 400, body: '{"error":"unsupported_token_type"}' }
  expect(judgeRevocationReply(refusal, [])).toMatchObject({
    fault: { words: 'unsupported_token_type' },
  })
  expect(judgeRevocationReply({ status: 307, body: '' }, [])).toMatchObject({ ok: false })
})
