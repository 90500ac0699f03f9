import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createLoginFlow } from '../../src/adapters/oauth-login.ts'
import { createUpstream } from '../../src/adapters/upstream-http.ts'
import type { LoginFault } from '../../src/domain/fault.ts'
import type { ProviderId } from '../../src/domain/names.ts'
import type { IssuedTokens, LoginAttempt, LoginFlow } from '../../src/domain/renewal-ports.ts'
import type { OauthFacts } from '../../src/domain/provider.ts'
import type { Result } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { createHandClock } from './hand-clock.ts'
import type { HandClock } from './hand-clock.ts'
import { startLoopback } from './loopback.ts'

const ACME = 'acme' as ProviderId
const TOKENS = { access_token: 'fake-access', refresh_token: 'fake-refresh', expires_in: 60 }

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

interface Posted {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

interface Provider {
  readonly flow: LoginFlow
  readonly clock: HandClock
  readonly oauth: OauthFacts
  readonly posted: Posted[]
}

/** A provider on loopback that answers as it is told, and a flow that talks to it. */
async function provider(
  answer: (response: ServerResponse) => void = (response) => response.end(JSON.stringify(TOKENS)),
  more: Partial<OauthFacts> = {},
  proxyVariables: ReadonlyMap<string, string> = new Map(),
): Promise<Provider> {
  const posted: Posted[] = []
  const { origin, close } = await startLoopback((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => (body += text))
    request.on('end', () => {
      posted.push({ path: request.url ?? '', headers: request.headers, body })
      answer(response)
    })
  })
  const upstream = createUpstream({ userAgent: 'equabot/test', proxyVariables })
  closing.push(close, () => upstream.close())
  const clock = createHandClock()
  const flow = createLoginFlow({ upstream, locate: (url) => upstream.locate(url), clock })
  const oauth: OauthFacts = {
    authorizeUrl: `${origin}/authorize`,
    tokenUrl: `${origin}/token`,
    revokeUrl: `${origin}/revoke`,
    clientId: 'fake-client',
    scopes: ['chat', 'profile'],
    body: 'form',
    replay: 'unknown',
    ...more,
  }
  return { flow, clock, oauth, posted }
}

async function begun(
  at: Provider,
  redirect: 'loopback' | 'paste' = 'loopback',
): Promise<LoginAttempt> {
  const attempt = await at.flow.begin(ACME, at.oauth, { redirect, timeoutMs: 300_000 })
  if (!attempt.ok) throw new Error(attempt.fault.code)
  closing.push(() => attempt.value.close())
  return attempt.value
}

const asked = (attempt: LoginAttempt) => new URL(attempt.url).searchParams
const stateOf = (attempt: LoginAttempt): string => asked(attempt).get('state') ?? ''

/** The browser comes back with these parameters. */
async function comeBack(
  attempt: LoginAttempt,
  parameters: Readonly<Record<string, string>>,
): Promise<number> {
  const target = new URL(asked(attempt).get('redirect_uri') ?? '')
  target.search = new URLSearchParams(parameters).toString()
  const response = await fetch(target)
  await response.text()
  return response.status
}

const hasArrived = (attempt: LoginAttempt): Promise<boolean> =>
  Promise.race([
    attempt.arrived?.then(() => true) ?? Promise.resolve(true),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ])

function tokensOf(result: Result<IssuedTokens, LoginFault>): unknown {
  return result.ok ? result.value.access.reveal() : result.fault
}

describe('the page', () => {
  test('is asked for by code with PKCE S256, and its address holds no secret', async () => {
    const at = await provider()
    const attempt = await begun(at)
    const parameters = Object.fromEntries(asked(attempt))
    expect(parameters).toEqual({
      response_type: 'code',
      client_id: 'fake-client',
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
      scope: 'chat profile',
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
    await attempt.finish(`fake-code#${stateOf(attempt)}`)
    const form = new URLSearchParams(at.posted[0]?.body)
    const verifier = form.get('code_verifier') ?? ''
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(
      parameters['code_challenge'],
    )
    expect(attempt.url).not.toContain(verifier)
    expect(parameters['state']).not.toBe(verifier)
  })

  test('names no scope where there is none, and is another one each time', async () => {
    const at = await provider(undefined, { scopes: [] })
    const [first, second] = [await begun(at), await begun(at, 'paste')]
    expect(asked(first).has('scope')).toBe(false)
    for (const name of ['state', 'code_challenge', 'redirect_uri']) {
      expect(asked(first).get(name), name).not.toBe(asked(second).get(name))
    }
  })
})

describe('a browser that comes back', () => {
  test('brings a code, which is exchanged in the body of one request by us', async () => {
    const at = await provider()
    const attempt = await begun(at)
    expect(await comeBack(attempt, { code: 'fake-code', state: stateOf(attempt) })).toBe(200)
    const arrived = await attempt.arrived
    if (!arrived?.ok) throw new Error('nothing arrived')
    expect(tokensOf(await attempt.finish(arrived.value))).toBe('fake-access')
    expect(at.posted).toHaveLength(1)
    const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = at.posted
    expect(path).toBe('/token')
    expect(headers).toMatchObject({
      'user-agent': 'equabot/test',
      'content-type': expect.stringContaining('application/x-www-form-urlencoded'),
    })
    expect(headers).not.toHaveProperty('authorization')
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'authorization_code',
      client_id: 'fake-client',
      code: 'fake-code',
      code_verifier: expect.any(String),
      redirect_uri: asked(attempt).get('redirect_uri'),
    })
  })

  test.each<readonly [string, (state: string) => Readonly<Record<string, string>>]>([
    ['without a state', () => ({ code: 'fake-code' })],
    ['with an empty state', () => ({ code: 'fake-code', state: '' })],
    ['with the state of another login', () => ({ code: 'fake-code', state: 'f'.repeat(43) })],
    ['with half of the state', (state) => ({ code: 'fake-code', state: state.slice(0, 20) })],
    ['with an error and a foreign state', () => ({ error: 'access_denied', state: 'x' })],
    ['with neither code nor error', (state) => ({ state })],
    ['with both code and error', (state) => ({ code: 'a', error: 'b', state })],
    [
      'from another provider',
      (state) => ({ code: 'fake-code', state, iss: 'https://evil.example.com' }),
    ],
  ])('%s is refused, and the login waits on', async (_how, parameters) => {
    const at = await provider()
    const attempt = await begun(at)
    const state = stateOf(attempt)
    expect(await comeBack(attempt, parameters(state))).toBe(400)
    expect(await hasArrived(attempt)).toBe(false)
    expect(at.posted).toEqual([])
    expect(await comeBack(attempt, { code: 'fake-code', state })).toBe(200)
    expect(await attempt.arrived).toMatchObject({ ok: true })
  })

  test('a second time with the same state is refused, and its code is not used', async () => {
    const at = await provider()
    const attempt = await begun(at)
    const state = stateOf(attempt)
    expect(await comeBack(attempt, { code: 'first', state })).toBe(200)
    expect(await comeBack(attempt, { code: 'second', state })).toBe(400)
    const arrived = await attempt.arrived
    if (!arrived?.ok) throw new Error('nothing arrived')
    await attempt.finish(arrived.value)
    expect(await attempt.finish(`second#${state}`)).toMatchObject({
      fault: { code: 'EQ_LOGIN_STATE' },
    })
    expect(at.posted.map(({ body }) => new URLSearchParams(body).get('code'))).toEqual(['first'])
  })

  test('with a refusal ends the login, in words that are safe to print', async () => {
    const at = await provider()
    const attempt = await begun(at)
    const error = '<script>alert(1)</script>'
    const words = `no\u001b[2J sk-fake-${'a1'.repeat(20)}`
    const state = stateOf(attempt)
    expect(await comeBack(attempt, { error, error_description: words, state })).toBe(200)
    expect(await attempt.arrived).toEqual({
      ok: false,
      fault: { code: 'EQ_LOGIN_DENIED', error, words: 'no [secret]' },
    })
    expect(at.posted).toEqual([])
  })

  test('with the name of the provider that was asked is taken', async () => {
    const at = await provider()
    const attempt = await begun(at)
    const iss = `${new URL(attempt.url).origin}/realm`
    await comeBack(attempt, { code: 'fake-code', state: stateOf(attempt), iss })
    const arrived = await attempt.arrived
    if (!arrived?.ok) throw new Error('nothing arrived')
    expect(tokensOf(await attempt.finish(arrived.value))).toBe('fake-access')
  })

  test('too late finds nobody, and the login has ended', async () => {
    const at = await provider()
    const attempt = await begun(at)
    const state = stateOf(attempt)
    at.clock.advance(300_000)
    expect(await attempt.arrived).toEqual({
      ok: false,
      fault: { code: 'EQ_LOGIN_TIMEOUT', waitedMs: 300_000 },
    })
    expect(await comeBack(attempt, { code: 'fake-code', state })).toBe(400)
    expect(await attempt.finish(`fake-code#${state}`)).toMatchObject({
      fault: { code: 'EQ_LOGIN_TIMEOUT' },
    })
    expect(at.posted).toEqual([])
  })

  test('after the login was closed finds nobody, and no timer is left', async () => {
    const at = await provider()
    const attempt = await begun(at)
    await attempt.close()
    await expect(comeBack(attempt, { code: 'a', state: stateOf(attempt) })).rejects.toThrow()
    expect(at.clock.sleepers()).toBe(0)
  })
})

describe('a person who pastes', () => {
  test('may paste the whole address, or code and state; nobody listens meanwhile', async () => {
    for (const text of [
      (attempt: LoginAttempt) =>
        `${asked(attempt).get('redirect_uri')}?code=fake-code&state=${stateOf(attempt)}\n`,
      (attempt: LoginAttempt) => `fake-code#${stateOf(attempt)}`,
    ]) {
      const at = await provider()
      const attempt = await begun(at, 'paste')
      expect(attempt.arrived).toBeUndefined()
      expect(tokensOf(await attempt.finish(text(attempt)))).toBe('fake-access')
      const form = new URLSearchParams(at.posted[0]?.body)
      expect(form.get('redirect_uri')).toBe(asked(attempt).get('redirect_uri'))
    }
  })

  test('the wrong thing may paste again; the right one serves once', async () => {
    const at = await provider()
    const attempt = await begun(at, 'paste')
    expect(await attempt.finish('fake-code')).toMatchObject({ fault: { code: 'EQ_LOGIN_ANSWER' } })
    expect(await attempt.finish('fake-code#other')).toMatchObject({
      fault: { code: 'EQ_LOGIN_STATE' },
    })
    const answer = `fake-code#${stateOf(attempt)}`
    expect(tokensOf(await attempt.finish(answer))).toBe('fake-access')
    expect(await attempt.finish(answer)).toMatchObject({ fault: { code: 'EQ_LOGIN_STATE' } })
    expect(at.posted).toHaveLength(1)
  })

  test('a refusal is told as one', async () => {
    const attempt = await begun(await provider(), 'paste')
    const address = `${asked(attempt).get('redirect_uri')}?error=access_denied&state=${stateOf(attempt)}`
    expect(await attempt.finish(address)).toMatchObject({
      fault: { code: 'EQ_LOGIN_DENIED', error: 'access_denied' },
    })
  })
})

describe('the exchange', () => {
  const finished = async (at: Provider): Promise<unknown> => {
    const attempt = await begun(at, 'paste')
    return tokensOf(await attempt.finish(`fake-code#${stateOf(attempt)}`))
  }

  test('is JSON for providers that want it so', async () => {
    const at = await provider(undefined, { body: 'json' })
    expect(await finished(at)).toBe('fake-access')
    expect(at.posted[0]?.headers['content-type']).toBe('application/json')
    expect(JSON.parse(at.posted[0]?.body ?? '')).toMatchObject({
      grant_type: 'authorization_code',
      code: 'fake-code',
    })
  })

  test('that is refused says so in the words of the provider, without our secrets', async () => {
    const at = await provider((response) =>
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end('{"error":"invalid_grant","error_description":"fake-code is not known"}'),
    )
    expect(await finished(at)).toEqual({
      code: 'EQ_LOGIN_FAILED',
      host: new URL(at.oauth.tokenUrl).host,
      status: 400,
      words: 'invalid_grant: [secret] is not known',
    })
  })

  test.each(['invalid_client', 'unauthorized_client', 'invalid_scope'])(
    'whose client or scopes are refused (%s) is a matter of config',
    async (error) => {
      const at = await provider((response) =>
        response.writeHead(401, { 'content-type': 'application/json' }).end(`{"error":"${error}"}`),
      )
      const fault = await finished(at)
      expect(fault).toMatchObject({ code: 'EQ_LOGIN_CONFIG', provider: ACME, error })
    },
  )

  test('that comes too often says how long to wait', async () => {
    const at = await provider((response) =>
      response.writeHead(429, { 'retry-after': '30' }).end('{"error":"slow_down"}'),
    )
    expect(await finished(at)).toMatchObject({ code: 'EQ_LOGIN_LIMITED', retryAfterMs: 30_000 })
  })

  test.each([301, 302, 303, 307, 308])('does not follow a redirect (%d)', async (status) => {
    const target = await provider()
    const at = await provider((response) =>
      response.writeHead(status, { location: target.oauth.tokenUrl }).end(),
    )
    expect(await finished(at)).toMatchObject({ code: 'EQ_LOGIN_FAILED', status })
    expect(target.posted).toEqual([])
  })

  test.each<readonly [string, (response: ServerResponse) => void, Partial<LoginFault>]>([
    [
      'no tokens',
      (response) => response.end('{}'),
      { status: 200, words: 'it holds no access_token that can be used' },
    ],
    ['no content', (response) => response.writeHead(204).end(), { status: 204 }],
    ['an impossible status', (response) => response.writeHead(700).end(), {}],
    [
      'an answer without an end',
      (response) => {
        const more = (): void => {
          if (response.write('x'.repeat(65_536))) setImmediate(more)
          else response.once('drain', more)
        }
        more()
      },
      { status: 200, words: 'it is not JSON' },
    ],
    ['a cut answer', (response) => void (response.write('{"acc'), response.destroy()), {}],
    ['a reset', (response) => response.destroy(), {}],
  ])('that gets %s fails', async (_what, answer, expected) => {
    expect(await finished(await provider(answer))).toMatchObject({
      code: 'EQ_LOGIN_FAILED',
      ...expected,
    })
  })

  test('with nobody there fails', async () => {
    const server = createServer()
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
    })
    await new Promise((resolve) => server.close(resolve))
    const at = await provider(undefined, { tokenUrl: `http://127.0.0.1:${port}/token` })
    expect(await finished(at)).toMatchObject({
      code: 'EQ_LOGIN_FAILED',
      words: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('that is never answered ends after a minute', async () => {
    const at: Provider = await provider(() => at.clock.advance(60_000))
    expect(await finished(at)).toMatchObject({
      code: 'EQ_LOGIN_FAILED',
      words: expect.stringContaining('took too long'),
    })
  })

  test('goes through the proxy that is set', async () => {
    const targets: string[] = []
    const proxy = await startLoopback(() => undefined)
    proxy.server.on('connect', (request, socket) => {
      targets.push(request.url ?? '')
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    })
    closing.push(() => proxy.close())
    const at = await provider(
      undefined,
      { tokenUrl: 'https://login.invalid/token' },
      new Map([['https_proxy', proxy.origin]]),
    )
    expect(await finished(at)).toMatchObject({ code: 'EQ_LOGIN_FAILED', host: 'login.invalid' })
    expect(targets).toEqual(['login.invalid:443'])
  })
})

describe('an endpoint', () => {
  const begin = (at: Provider, more: Partial<OauthFacts>) =>
    at.flow.begin(ACME, { ...at.oauth, ...more }, { redirect: 'loopback', timeoutMs: 1 })

  test.each([
    'http://login.example.com/authorize',
    'http://192.168.1.7/authorize',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'https://user:word@login.example.com/authorize',
    'no address',
  ])('%s is not used', async (url) => {
    const at = await provider()
    for (const field of ['authorizeUrl', 'tokenUrl'] as const) {
      expect(await begin(at, { [field]: url })).toEqual({
        ok: false,
        fault: { code: 'EQ_LOGIN_UNSAFE_URL', provider: ACME, field },
      })
    }
    expect(
      await at.flow.revoke(ACME, { ...at.oauth, revokeUrl: url }, new Secret('x'), 'refresh_token'),
    ).toMatchObject({ fault: { code: 'EQ_LOGIN_UNSAFE_URL', field: 'revokeUrl' } })
    expect(at.posted).toEqual([])
    expect(at.clock.sleepers()).toBe(0)
  })

  test('that is missing is named', async () => {
    const at = await provider()
    const { clientId: _, ...noClient } = at.oauth
    const { authorizeUrl: __, ...noPage } = at.oauth
    const options = { redirect: 'paste', timeoutMs: 1 } as const
    expect(await at.flow.begin(ACME, noClient, options)).toMatchObject({
      fault: { code: 'EQ_LOGIN_UNSUPPORTED', provider: ACME, lacks: 'clientId' },
    })
    expect(await at.flow.begin(ACME, noPage, options)).toMatchObject({
      fault: { code: 'EQ_LOGIN_UNSUPPORTED', lacks: 'authorizeUrl' },
    })
  })
})

describe('a revocation', () => {
  test('sends the token, its kind and our client in a form', async () => {
    const at = await provider((response) => response.end(), { body: 'json' })
    const token = new Secret('fake-refresh')
    expect(await at.flow.revoke(ACME, at.oauth, token, 'refresh_token')).toEqual({ ok: true })
    expect(at.posted[0]).toMatchObject({ path: '/revoke' })
    expect(Object.fromEntries(new URLSearchParams(at.posted[0]?.body))).toEqual({
      client_id: 'fake-client',
      token: 'fake-refresh',
      token_type_hint: 'refresh_token',
    })
  })

  test('that is refused says so without the token', async () => {
    const at = await provider((response) =>
      response.writeHead(503).end('{"error":"server_error","error_description":"no fake-refresh"}'),
    )
    expect(
      await at.flow.revoke(ACME, at.oauth, new Secret('fake-refresh'), 'refresh_token'),
    ).toMatchObject({
      fault: { code: 'EQ_LOGIN_FAILED', status: 503, words: 'server_error: no [secret]' },
    })
  })
})
