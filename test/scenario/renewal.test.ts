import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { FakeUpstream, SeenRequest, User } from './harness.ts'
import {
  anthropicError,
  anthropicMessage,
  anthropicStream,
  bookPath,
  fakeUpstream,
  newUser,
} from './harness.ts'

const PAST = 1_700_000_000_000
const ACCESS = 'acme-access-0-made-up-for-this-test'
const REFRESH = 'acme-refresh-0-made-up-for-this-test'

let user: User
let provider: FakeUpstream
/** How the token endpoint answers; a success unless a test says otherwise. */
let answerToken: (request: SeenRequest, response: ServerResponse, index: number) => void
/** Access tokens that the provider takes. */
let taken: Set<string>

beforeEach(async () => {
  user = await newUser()
  taken = new Set()
  answerToken = (_, response, index) => {
    const access = `acme-access-${index + 1}-made-up-for-this-test`
    taken.add(access)
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        token_type: 'Bearer',
        access_token: access,
        refresh_token: `acme-refresh-${index + 1}-made-up-for-this-test`,
        expires_in: 3600,
      }),
    )
  }
  provider = await fakeUpstream((request, response) => {
    if (request.path === '/token') {
      answerToken(request, response, tokenRequests().length - 1)
      return
    }
    const access = request.headers.authorization?.replace('Bearer ', '') ?? ''
    if (!taken.has(access)) {
      response.writeHead(401).end(anthropicError('authentication_error', 'expired'))
      return
    }
    const streams = (JSON.parse(request.body) as { stream?: boolean }).stream
    response
      .writeHead(200, { 'content-type': streams ? 'text/event-stream' : 'application/json' })
      .end(streams ? anthropicStream('hello from acme') : anthropicMessage('hello from acme'))
  })
  await user.write(
    '.equabot/equabot.json',
    JSON.stringify({
      agents: { defaults: { model: 'acme/m' } },
      models: {
        providers: {
          acme: {
            baseUrl: provider.url,
            protocol: 'anthropic-messages',
            models: [{ id: 'm' }],
            oauth: { tokenUrl: `${provider.url}/token`, clientId: 'equabot-test' },
          },
        },
      },
    }),
  )
})
afterEach(async () => {
  await provider.close()
  await user.leave()
})

const tokenRequests = (): readonly SeenRequest[] =>
  provider.seen.filter(({ path }) => path === '/token')

function login(expires = PAST, more: object = {}): Promise<void> {
  return user.writeBook({
    version: 1,
    profiles: {
      'acme:me': {
        type: 'oauth',
        provider: 'acme',
        access: ACCESS,
        refresh: REFRESH,
        expires,
        ...more,
      },
    },
  })
}
const stored = async (): Promise<Record<string, unknown>> =>
  JSON.parse(await user.read(bookPath())).profiles['acme:me']

describe('a login whose access has ended', () => {
  test('serves the next command, which renews it first', async () => {
    await login(PAST, { note: 'of another tool' })
    const status = await user.run(['models', 'status'])
    expect(status.out).toMatch(/acme:me {2}oauth .* ok/)
    const ran = await user.run(['agent', '--message', 'hi'])
    expect(ran).toMatchObject({ code: 0, out: 'hello from acme\n', err: '' })
    expect(tokenRequests()).toHaveLength(1)
    expect(tokenRequests()[0]?.body).toBe(
      `grant_type=refresh_token&refresh_token=${REFRESH}&client_id=equabot-test`,
    )
    expect(await stored()).toMatchObject({
      refresh: 'acme-refresh-1-made-up-for-this-test',
      note: 'of another tool',
    })
    expect((await user.run(['models', 'status', '--check'])).code).toBe(0)
  })

  test('is renewed once for requests that come to the gateway at the same time', async () => {
    await login()
    const gateway = await user.startGateway()
    const body = JSON.stringify({
      model: 'acme/m',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'hi' }],
    })
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => gateway.call('/v1/messages', { method: 'POST', body })),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    expect(tokenRequests()).toHaveLength(1)
  })

  test('is renewed by the gateway on its own, before anybody asks', async () => {
    await login()
    await user.startGateway()
    await provider.asked()
    expect(provider.seen[0]?.path).toBe('/token')
  })

  test('is told as dead when the provider says so: in the answer, in the status, by --check', async () => {
    answerToken = (_, response) => {
      response.writeHead(400).end('{"error":"invalid_grant","error_description":"revoked"}')
    }
    await login()
    const ran = await user.run(['agent', '--message', 'hi'])
    expect(ran.code).toBe(1)
    expect(ran.err).toContain('acme:me: the provider ended this login (invalid_grant: revoked)')
    expect(ran.err).toContain('equabot models auth login --provider acme --profile-id acme:me')
    const status = await user.run(['models', 'status'])
    expect(status.out).toContain('the provider refused to renew it (invalid_grant)')
    expect(status.out).toContain('acme:me: the login has ended')
    expect((await user.run(['models', 'status', '--check'])).code).toBe(1)
    await user.run(['agent', '--message', 'hi'])
    expect(tokenRequests()).toHaveLength(1)
    expect(await stored()).toMatchObject({ access: ACCESS, refresh: REFRESH })
  })

  test('is kept when the answer is lost, says so, and is renewed by a person who asks again', async () => {
    answerToken = (_, response) => response.socket?.destroy()
    await login()
    const ran = await user.run(['models', 'auth', 'renew', 'acme:me', '--json'])
    expect(ran.code).toBe(75)
    expect(JSON.parse(ran.out)).toMatchObject({ ok: false, error: { code: 'EQ_RENEWAL_LOST' } })
    expect((await user.run(['models', 'status'])).out).toContain('its answer did not arrive')
    expect(await stored()).toMatchObject({ access: ACCESS, refresh: REFRESH })
    answerToken = (_, response) => {
      response
        .writeHead(200)
        .end('{"access_token":"acme-access-late-made-up","refresh_token":"acme-refresh-late"}')
    }
    expect((await user.run(['models', 'auth', 'renew', 'acme:me'])).out).toContain(
      'Renewed acme:me',
    )
    expect(await stored()).toMatchObject({ refresh: 'acme-refresh-late' })
  })

  test('is passed over for the next credential while its provider cannot be reached', async () => {
    await login()
    await user.paste('acme-key-made-up-for-this-test-0123', 'acme:key')
    taken.add('acme-key-made-up-for-this-test-0123')
    answerToken = (_, response) => response.writeHead(429, { 'retry-after': '60' }).end('{}')
    const ran = await user.run(['agent', '--message', 'hi'])
    expect(ran).toMatchObject({ code: 0, out: 'hello from acme\n' })
    expect(ran.err).toContain('acme:me was not renewed: the provider answered 429')
    expect(ran.err).toContain('Answered by acme:key')
  })
})

test('access that the provider refuses before its end is renewed, and the request is served', async () => {
  await login(Date.now() + 3_600_000)
  const ran = await user.run(['agent', '--message', 'hi'])
  expect(ran).toMatchObject({ code: 0, out: 'hello from acme\n', err: '' })
  expect(provider.seen.map(({ path }) => path)).toEqual(['/v1/messages', '/token', '/v1/messages'])
})

test('a backup of the book that brings a used token back is not sent, and is named', async () => {
  await login()
  const before = await user.read(bookPath())
  await user.run(['models', 'auth', 'renew', 'acme:me'])
  await user.write(bookPath(), before)
  const ran = await user.run(['models', 'auth', 'renew', 'acme:me'])
  expect(ran.code).toBe(1)
  expect(ran.err).toContain('was already exchanged')
  expect(tokenRequests()).toHaveLength(1)
})

describe('models auth renew', () => {
  test('names the end of the new access', async () => {
    await login()
    const ran = await user.run(['models', 'auth', 'renew', 'acme:me'])
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/^Renewed acme:me: ends in (?:59 min|60 min|1 h) \(/)
  })

  test('says what cannot be renewed, and what there is', async () => {
    await login()
    expect(await user.run(['models', 'auth', 'renew', 'acme:mee'])).toMatchObject({
      code: 64,
      err: expect.stringContaining('Did you mean acme:me?') as string,
    })
    await user.paste('acme-key-made-up-for-this-test-0123', 'acme:key')
    expect(await user.run(['models', 'auth', 'renew', 'acme:key'])).toMatchObject({ code: 64 })
  })
})

test('the refresh token stands in the book and its copy alone, whatever was done with it', async () => {
  await login()
  await user.startGateway().then((gateway) => gateway.stop())
  await user.run(['agent', '--message', 'hi'])
  await user.run(['models', 'status', '--json'])
  const current = String((await stored())['refresh'])
  const files = Object.entries(await user.files())
  const holding = files.filter(([, text]) => text.includes(current)).map(([path]) => path)
  expect(holding).toEqual([bookPath(), `${bookPath()}.prev`])
})

test('a person who waits sees for how long, and may stop waiting; the renewal goes on without them', async () => {
  await login()
  let answer = (): void => undefined
  const whole = answerToken
  answerToken = (...sent) => {
    answer = () => whole(...sent)
  }
  const seat = user.sit(['models', 'auth', 'renew', 'acme:me'])
  await seat.see(/Renewing acme:me … \d s/)
  seat.type('\u0003')
  await seat.see(/Stopped waiting[^]*goes on by itself/)
  expect(await seat.ended()).toBe(130)
  answer()
  const asked = await user.run(['agent', '--message', 'hi'])
  expect(asked.out).toContain('hello from acme')
  expect(tokenRequests()).toHaveLength(1)
})
