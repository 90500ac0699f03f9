import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../../src/adapters/sandbox.ts'
import { createSandbox } from '../../../src/adapters/sandbox.ts'
import { issueSandboxGrant } from '../../../src/adapters/sandbox/grants.ts'
import { createHandClock } from '../hand-clock.ts'

const clock = createHandClock()
let sandbox: Sandbox
let origin = ''
beforeAll(async () => {
  sandbox = createSandbox({ clock, wordDelayMs: 0 })
  origin = await sandbox.origin()
})
afterAll(() => sandbox.close())

const VERIFIER = 'fake-verifier-'.repeat(4)
const PAGE = {
  response_type: 'code',
  client_id: 'equabot',
  redirect_uri: 'http://127.0.0.1:50123/callback',
  state: 'fake-state-that-is-hard-to-guess',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
}

async function open(more: Readonly<Record<string, string>> = {}): Promise<Response> {
  const query = new URLSearchParams({ ...PAGE, ...more }).toString()
  return fetch(`${origin}/oauth/authorize?${query}`, { redirect: 'manual' })
}

async function back(more: Readonly<Record<string, string>> = {}): Promise<URLSearchParams> {
  const response = await open(more)
  expect(response.status).toBe(302)
  const target = new URL(response.headers.get('location') ?? '')
  expect(target.origin + target.pathname).toBe(PAGE.redirect_uri)
  return target.searchParams
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

async function post(
  path: string,
  fields: Readonly<Record<string, string>>,
  kind: 'form' | 'json' = 'form',
): Promise<Answer> {
  const response = await fetch(`${origin}/oauth/${path}`, {
    method: 'POST',
    headers: kind === 'json' ? { 'content-type': 'application/json' } : {},
    body: kind === 'json' ? JSON.stringify(fields) : new URLSearchParams(fields),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

const exchange = (
  code: string,
  more: Readonly<Record<string, string>> = {},
  kind?: 'form' | 'json',
): Promise<Answer> =>
  post(
    'token',
    {
      grant_type: 'authorization_code',
      code,
      client_id: 'equabot',
      redirect_uri: PAGE.redirect_uri,
      code_verifier: VERIFIER,
      ...more,
    },
    kind,
  )

const renew = (refresh: unknown): Promise<Answer> =>
  post('token', { grant_type: 'refresh_token', refresh_token: String(refresh) })

const codeOf = async (more?: Readonly<Record<string, string>>): Promise<string> =>
  (await back(more)).get('code') ?? ''

describe('the login page', () => {
  test('agrees at once: the browser goes back with a code and its state', async () => {
    const parameters = await back()
    expect(parameters.get('state')).toBe(PAGE.state)
    expect(parameters.get('code')).toMatch(/^sandbox-code-[0-9a-f]{32}$/)
    expect(await codeOf()).not.toBe(await codeOf())
  })

  test.each([
    ['another client', { client_id: 'somebody' }],
    ['a redirect beyond loopback', { redirect_uri: 'https://evil.example.com/callback' }],
    ['a redirect to a page of another kind', { redirect_uri: 'javascript:alert(1)' }],
    ['a redirect that only begins like loopback', { redirect_uri: 'http://127.0.0.1.example.com' }],
  ])('sends nobody anywhere for %s', async (_what, more) => {
    const response = await open(more)
    expect(response.status).toBe(400)
    expect(response.headers.has('location')).toBe(false)
  })

  test.each([
    ['another response type', { response_type: 'token' }],
    ['a guessable state', { state: 'abc' }],
    ['no challenge', { code_challenge: '' }],
    ['a plain challenge', { code_challenge_method: 'plain' }],
  ])('sends the browser back with an error for %s', async (_what, more) => {
    const parameters = await back(more)
    expect(parameters.get('error')).toBe('invalid_request')
    expect(parameters.has('code')).toBe(false)
  })
})

describe('a code', () => {
  test.each(['form', 'json'] as const)('becomes a grant of the account, by %s', async (kind) => {
    const { status, body } = await exchange(await codeOf(), {}, kind)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      token_type: 'Bearer',
      expires_in: 60,
      account: {
        uuid: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
        email_address: 'sandbox@example.com',
      },
    })
    const authorization = `Bearer ${String(body['access_token'])}`
    const models = await fetch(`${origin}/v1/messages`, {
      method: 'POST',
      headers: { authorization },
      body: JSON.stringify({
        model: 'sandbox-echo',
        max_tokens: 9,
        messages: [{ role: 'user', content: 'hi' }],
      }),
    })
    expect(models.status).toBe(200)
  })

  test('serves once', async () => {
    const code = await codeOf()
    expect((await exchange(code)).status).toBe(200)
    expect(await exchange(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  test.each([
    ['another verifier', { code_verifier: 'another' }],
    ['another client', { client_id: 'somebody' }],
    ['another redirect', { redirect_uri: 'http://127.0.0.1:1/callback' }],
  ])('is spent by a try with %s', async (_what, more) => {
    const code = await codeOf()
    expect(await exchange(code, more)).toMatchObject({ body: { error: 'invalid_grant' } })
    expect(await exchange(code)).toMatchObject({ body: { error: 'invalid_grant' } })
  })

  test('lives ten minutes', async () => {
    const code = await codeOf()
    clock.advance(600_000)
    expect(await exchange(code)).toMatchObject({ body: { error: 'invalid_grant' } })
  })
})

describe('an account', () => {
  const accountOf = async (more: Readonly<Record<string, string>>): Promise<unknown> =>
    (await exchange(await codeOf(more))).body['account']

  test('is chosen by its address, and has the same id each time', async () => {
    const one = await accountOf({ account: 'you@example.com' })
    expect(one).toMatchObject({ email_address: 'you@example.com' })
    expect(await accountOf({ login_hint: 'you@example.com' })).toEqual(one)
    expect(await accountOf({})).not.toEqual(one)
  })

  test('stays with its grant through every rotation', async () => {
    const { body } = await exchange(await codeOf({ account: 'you@example.com' }))
    const once = await renew(body['refresh_token'])
    const twice = await renew(once.body['refresh_token'])
    expect(twice.body['account']).toEqual(body['account'])
  })

  test('is not told for a grant that was made without a login', async () => {
    const renewed = await renew(issueSandboxGrant(clock.now()).refresh.reveal())
    expect(renewed.status).toBe(200)
    expect(renewed.body).not.toHaveProperty('account')
  })
})

describe('a revoked grant', () => {
  test.each(['refresh_token', 'access_token'])(
    'is not renewed again (by its %s)',
    async (which) => {
      const { body } = await exchange(await codeOf())
      expect(await post('revoke', { token: String(body[which]) })).toMatchObject({ status: 200 })
      expect(await renew(body['refresh_token'])).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant', error_description: 'this login was revoked' },
      })
    },
  )

  test('takes no other grant with it; a token that is not known is answered alike', async () => {
    const [one, other] = [await exchange(await codeOf()), await exchange(await codeOf())]
    await post('revoke', { token: String(one.body['refresh_token']) })
    expect(await post('revoke', { token: 'unknown' })).toMatchObject({ status: 200 })
    expect(await post('revoke', {})).toMatchObject({ status: 400 })
    expect((await renew(other.body['refresh_token'])).status).toBe(200)
  })
})
