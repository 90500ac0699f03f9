import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { ProfileId, ProviderId, SessionId } from '../../src/domain/names.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { Secret } from '../../src/domain/secret.ts'
import { aProfile, FAKE_NOW } from '../../src/testing.ts'
import type { FakeApp, Reply } from './fake-app.ts'
import { call, deferred, KEY, TOKEN, withUpstream } from './fake-app.ts'

/** Deliberately odd: order, spaces, escapes, big numbers and a nested `model` must all arrive as they are. */
const BODY =
  '{ "max_tokens":12345678901234567890, "model" : "claude-sonnet-5",\n "metadata":{"model":"claude-sonnet-5"},"messages":[{"role":"system","content":"h\\u00e9 \\ud83d"}] }'
const STREAM = `event: message_start\r\ndata: {"type":"message_start"}\n\n: note\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n`

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function errorOf(reply: Reply): { readonly code?: string; readonly message: string } {
  return (JSON.parse(reply.body) as { error: { code: string; message: string } }).error
}

describe('what a provider sees', () => {
  test('the body byte for byte, the query, and the credential of the profile', async () => {
    let seen: { url?: string; body?: string; headers?: IncomingMessage['headers'] } = {}
    await withUpstream(
      async (request, response) => {
        seen = { url: request.url ?? '', headers: request.headers, body: await readAll(request) }
        response.end('{}')
      },
      async ({ port }) => {
        const reply = await call(port, '/v1/messages?beta=true', {
          body: BODY,
          headers: {
            'content-type': 'application/json',
            'anthropic-version': '2026-10-21',
            'anthropic-beta': 'one-2026,two-2026',
          },
        })
        expect(reply.status).toBe(200)
      },
    )
    expect(seen.url).toBe('/v1/messages?beta=true')
    expect(seen.body).toBe(BODY)
    expect(seen.headers).toMatchObject({
      'x-api-key': KEY,
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'one-2026,two-2026',
      'user-agent': 'equabot/test',
    })
  })

  test('neither the gateway token nor what concerns the way to the gateway', async () => {
    let seen: IncomingMessage['headers'] = {}
    await withUpstream(
      (request, response) => {
        seen = request.headers
        response.end('{}')
      },
      async ({ port }) => {
        await call(port, '/v1/messages', {
          body: BODY,
          headers: {
            'x-api-key': TOKEN,
            cookie: 'a=b',
            'user-agent': 'another/1',
            referer: 'http://localhost',
            forwarded: 'for=1.2.3.4',
            'x-forwarded-for': '1.2.3.4',
            'sec-fetch-mode': 'cors',
            'x-equabot-agent': 'main',
            connection: 'x-private, keep-alive',
            'x-private': 'for this hop',
            te: 'trailers',
            'x-app': 'cli',
          },
        })
      },
    )
    expect(JSON.stringify(seen)).not.toContain(TOKEN)
    expect(Object.keys(seen).sort()).toEqual(
      [
        'anthropic-version',
        'connection',
        'content-length',
        'content-type',
        'host',
        'user-agent',
        'x-api-key',
        'x-app',
      ].sort(),
    )
  })

  test('another model name, at the top level alone, where an alias was asked for', async () => {
    let body = ''
    await withUpstream(
      async (request, response) => {
        body = await readAll(request)
        response.end('{}')
      },
      async ({ port }) => {
        const sent = BODY.replace('"model" : "claude-sonnet-5"', '"model" : "best"')
        const reply = await call(port, '/v1/messages', { body: sent })
        expect(reply.headers['x-equabot-model']).toBe('anthropic/claude-opus-5')
      },
      { agents: { aliases: new Map([['best', 'anthropic/claude-opus-5']]) } },
    )
    expect(body).toBe(BODY.replace('"model" : "claude-sonnet-5"', '"model" : "claude-opus-5"'))
  })

  test("OpenAI's path stands under a base URL that ends in /v1", async () => {
    let url = ''
    await withUpstream(
      (request, response) => {
        url = request.url ?? ''
        response.end('{}')
      },
      async ({ port }) => {
        const body = '{"model":"openai/gpt-5.1","messages":[]}'
        expect((await call(port, '/v1/chat/completions', { body })).status).toBe(200)
      },
      { profiles: [aProfile('openai:work')] },
    )
    expect(url).toBe('/v1/chat/completions')
  })
})

describe('what a client sees', () => {
  test('the reply byte for byte, with who gave it', async () => {
    await withUpstream(
      (_request, response) => {
        response.writeHead(200, {
          'content-type': 'text/event-stream',
          'anthropic-ratelimit-requests-remaining': '7',
          'request-id': 'req_upstream',
          'set-cookie': 'a=b',
          'access-control-allow-origin': '*',
          connection: 'x-hop',
          'x-hop': '1',
        })
        for (const byte of STREAM) response.write(byte)
        response.end()
      },
      async ({ port }) => {
        const reply = await call(port, '/v1/messages', { body: BODY })
        expect(reply.body).toBe(STREAM)
        expect(reply.headers).toMatchObject({
          'content-type': 'text/event-stream',
          'anthropic-ratelimit-requests-remaining': '7',
          'request-id': 'req_upstream',
          'x-equabot-profile': 'anthropic:work',
          'x-equabot-model': 'anthropic/claude-sonnet-5',
          'x-equabot-attempts': '1',
        })
        for (const name of ['set-cookie', 'access-control-allow-origin', 'x-hop']) {
          expect(reply.headers[name]).toBeUndefined()
        }
      },
    )
  })

  test('the next profile where the first was refused', async () => {
    const profiles = [
      aProfile('anthropic:bad', { credential: { type: 'token', token: new Secret('fake-bad') } }),
      aProfile('anthropic:work'),
    ]
    await withUpstream(
      (request, response) => {
        const good = request.headers['x-api-key'] === KEY
        response.writeHead(good ? 200 : 401).end('{}')
      },
      async ({ port }) => {
        const reply = await call(port, '/v1/messages', { body: BODY })
        expect(reply.status).toBe(200)
        expect(reply.headers['x-equabot-profile']).toBe('anthropic:work')
        expect(reply.headers['x-equabot-attempts']).toBe('2')
      },
      { profiles },
    )
  })

  test('an upstream 401 as 403 in its own dialect, with code and hint, and no urge to retry', async () => {
    await withUpstream(
      (_request, response) =>
        void response.writeHead(401).end('{"error":{"message":"bad x-api-key"}}'),
      async ({ port, log }) => {
        const reply = await call(port, '/v1/messages', { body: BODY })
        expect(reply.status).toBe(403)
        expect(reply.headers['x-should-retry']).toBe('false')
        expect(JSON.parse(reply.body)).toMatchObject({
          type: 'error',
          error: { type: 'permission_error', code: 'EQ_UPSTREAM_FAILED' },
          request_id: reply.headers['request-id'],
        })
        expect(reply.body.toLowerCase()).not.toContain('x-api-key')
        expect(log.lines.filter((line) => line.event === 'request.failed')).toHaveLength(1)
        expect(JSON.stringify(log.lines)).not.toContain(KEY)
      },
    )
  })

  test('how long to wait where a limit ends', async () => {
    await withUpstream(
      (_request, response) => void response.writeHead(429, { 'retry-after': '30' }).end('{}'),
      async ({ port, clock }) => {
        const first = await call(port, '/v1/messages', { body: BODY })
        expect([first.status, first.headers['retry-after']]).toEqual([429, '30'])
        clock.advance(10_000)
        const second = await call(port, '/v1/messages', { body: BODY })
        expect([second.status, second.headers['retry-after']]).toEqual([429, '20'])
        expect(errorOf(second).code).toBe('EQ_CREDENTIAL_RESTING')
      },
    )
  })

  test('an error event where a stream is cut or has no last event', async () => {
    for (const cut of ['destroy', 'end'] as const) {
      await withUpstream(
        (_request, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          const word = 'event: content_block_delta\ndata: {"type":"content_block_delta"}\n\n'
          response.write(word, () => response[cut]())
        },
        async ({ port }) => {
          const reply = await call(port, '/v1/messages', { body: BODY })
          expect(reply.whole).toBe(true)
          expect(reply.body).toMatch(
            /content_block_delta"\}\n\n\n\nevent: error\ndata: \{"type":"error"/,
          )
          expect(reply.body).toContain('EQ_UPSTREAM_CUT')
        },
      )
    }
  })

  test('a broken connection where a long reply that is no stream is cut', async () => {
    const half = `{"half":"${'x'.repeat(70_000)}`
    await withUpstream(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100_000 })
        response.write(half, () => response.destroy())
      },
      async ({ port }) => {
        const reply = await call(port, '/v1/messages', { body: BODY })
        expect([reply.body, reply.whole]).toEqual([half, false])
      },
    )
  })
})

describe('a client that leaves', () => {
  test.each(['before the answer', 'in the middle of it'])(
    '%s ends the request upstream',
    async (when) => {
      const asked = deferred()
      const closed = deferred()
      await withUpstream(
        (_request, response) => {
          response.on('close', () => closed.resolve())
          if (when !== 'before the answer') {
            response.writeHead(200, { 'content-type': 'text/event-stream' })
            response.write('event: word\ndata: {}\n\n')
          } else asked.resolve()
        },
        async ({ port }) => {
          const leaving = new AbortController()
          const onData = (): void => asked.resolve()
          const { signal } = leaving
          const reply = call(port, '/v1/messages', { body: BODY, signal, onData }).catch(
            () => 'gone',
          )
          await asked.promise
          leaving.abort()
          await reply
          await closed.promise
        },
      )
    },
  )
})

describe('requests that cannot be passed on', () => {
  const never = (): never => {
    throw new Error('nothing may reach the provider')
  }

  test.each([
    ['no JSON', '{"model":', 400, 'EQ_REQUEST_BODY'],
    ['no model', '{"messages":[]}', 400, 'EQ_REQUEST_BODY'],
    ['two models', '{"model":"a","model":"b"}', 400, 'EQ_REQUEST_BODY'],
    ['an unknown provider', '{"model":"nobody/x"}', 404, 'EQ_PROVIDER_UNKNOWN'],
    ['an unknown model', '{"model":"no-such-model"}', 404, 'EQ_MODEL_UNKNOWN'],
    ['no messages for another protocol', '{"model":"openai/gpt-5.1"}', 400, 'EQ_REQUEST_BODY'],
    ["another provider's profile", '{"model":"claude-x@openai:a"}', 400, 'EQ_PROFILE_FOREIGN'],
  ])('%s: refused with a code', async (_what, body, status, code) => {
    await withUpstream(never, async ({ port }) => {
      const reply = await call(port, '/v1/messages', { body })
      expect([reply.status, errorOf(reply).code]).toEqual([status, code])
    })
  })

  test('a compressed body is refused with 415', async () => {
    await withUpstream(never, async ({ port }) => {
      const reply = await call(port, '/v1/messages', {
        body: 'zzz',
        headers: { 'content-encoding': 'zstd' },
      })
      expect([reply.status, errorOf(reply).code]).toEqual([415, 'EQ_REQUEST_ENCODING'])
    })
  })

  test('a body over the limit is refused with 413, whether or not its length was told', async () => {
    await withUpstream(
      never,
      async ({ port }) => {
        const body = Buffer.alloc(4096, 0x20)
        for (const headers of [
          { 'content-length': '4096' },
          { 'transfer-encoding': 'chunked' },
        ] as const) {
          const reply = await call(port, '/v1/messages', { body, headers })
          expect([reply.status, errorOf(reply).code]).toEqual([413, 'EQ_REQUEST_TOO_LARGE'])
        }
      },
      { gateway: { maxBodyBytes: 4095 } },
    )
  })

  test("OpenAI's clients get their own dialect", async () => {
    await withUpstream(never, async ({ port }) => {
      const body = '{"model":"claude-x","messages":[],"n":2}'
      const reply = await call(port, '/v1/chat/completions', { body })
      expect(reply.status).toBe(400)
      expect(JSON.parse(reply.body)).toMatchObject({
        error: { type: 'invalid_request_error', code: 'EQ_REQUEST_UNCARRIED', param: null },
      })
    })
  })
})

describe('fallbacks', () => {
  const model = { primary: 'anthropic/claude-sonnet-5', fallbacks: ['anthropic/claude-haiku-5'] }
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readAll(request)
    response.writeHead(text.includes('haiku') ? 200 : 529, { 'retry-after': '60' }).end('{}')
  }

  test('stand in for the default model', async () => {
    await withUpstream(
      listener,
      async ({ port }) => {
        const reply = await call(port, '/v1/messages', { body: '{"model":"claude-sonnet-5"}' })
        expect(reply.headers['x-equabot-model']).toBe('anthropic/claude-haiku-5')
      },
      { agents: { model } },
    )
  })

  test('do not stand in for another model that was asked for', async () => {
    await withUpstream(
      listener,
      async ({ port }) => {
        const reply = await call(port, '/v1/messages', { body: '{"model":"claude-opus-5"}' })
        expect(reply.status).toBe(529)
      },
      { agents: { model } },
    )
  })
})

describe('headers of our own', () => {
  const profiles = [aProfile('anthropic:work'), aProfile('anthropic:home')]
  const answer = (_request: IncomingMessage, response: { end: (text: string) => void }): void =>
    response.end('{}')
  const ask = (port: number, headers: Record<string, string>): Promise<Reply> =>
    call(port, '/v1/messages', { body: BODY, headers })

  test('x-equabot-profile and x-equabot-session pin a profile', async () => {
    const head = {
      id: 'monday' as SessionId,
      agent: MAIN_AGENT,
      createdAt: FAKE_NOW,
      updatedAt: FAKE_NOW,
      pin: { profile: 'anthropic:home' as ProfileId, source: 'user' as const },
      turns: 0,
    }
    await withUpstream(
      answer,
      async ({ port }) => {
        for (const headers of [
          { 'x-equabot-profile': 'anthropic:home' },
          { 'x-equabot-session': 'monday' },
        ]) {
          const reply = await ask(port, headers)
          expect(reply.headers['x-equabot-profile']).toBe('anthropic:home')
        }
      },
      { profiles, sessions: [head] },
    )
  })

  const TUESDAY = 'tuesday' as SessionId
  const session = async ({ app }: FakeApp) => orThrow(await app.sessions.read(MAIN_AGENT, TUESDAY))

  test('x-equabot-session with a new name begins a session, which keeps whoever served it', async () => {
    await withUpstream(
      answer,
      async (at) => {
        const first = await ask(at.port, { 'x-equabot-session': TUESDAY })
        const kept = first.headers['x-equabot-profile']
        expect(await session(at)).toEqual({
          id: TUESDAY,
          agent: MAIN_AGENT,
          createdAt: FAKE_NOW,
          updatedAt: FAKE_NOW,
          turns: 0,
          pin: { profile: kept, source: 'auto' },
        })
        // Without a session the other one would have its turn.
        const second = await ask(at.port, { 'x-equabot-session': TUESDAY })
        expect(second.headers['x-equabot-profile']).toBe(kept)
      },
      { profiles },
    )
  })

  test('a new session whose request names its credential is tied to nobody', async () => {
    await withUpstream(
      answer,
      async (at) => {
        const headers = { 'x-equabot-session': TUESDAY, 'x-equabot-profile': 'anthropic:home' }
        expect((await ask(at.port, headers)).status).toBe(200)
        expect(await session(at)).not.toHaveProperty('pin')
      },
      { profiles },
    )
  })

  test('a new session does not begin with a request that nobody serves', async () => {
    await withUpstream(
      (_request, response) => void response.writeHead(401).end('{}'),
      async (at) => {
        expect((await ask(at.port, { 'x-equabot-session': TUESDAY })).status).toBe(403)
        expect(await session(at)).toBeUndefined()
      },
      { profiles },
    )
  })

  test('a request that is refused before anybody is asked leaves a record', async () => {
    await withUpstream(
      answer,
      async ({ port, app }) => {
        const headers = { 'x-equabot-session': TUESDAY, 'user-agent': 'curl/8.0' }
        const body = JSON.stringify({ model: 'no-such-model' })
        await call(port, '/v1/messages', { body, headers })
        await ask(port, { 'x-equabot-agent': 'nobody' })
        const records = orThrow(await app.ledger.requests({ limit: 10 }))
        const refused = { outcome: 'failed', agent: MAIN_AGENT, attempts: 0 }
        const told = { ...refused, session: TUESDAY, client: 'curl' }
        expect(records.toReversed()).toMatchObject([
          { ...told, asked: 'no-such-model', fault: 'EQ_MODEL_UNKNOWN' },
          { ...refused, fault: 'EQ_AGENT_UNKNOWN' },
        ])
      },
      { profiles },
    )
  })

  test.each([
    ['x-equabot-profile', 'anthropic:nobody', 404, 'EQ_PROFILE_UNKNOWN'],
    ['x-equabot-profile', 'openai:work', 400, 'EQ_PROFILE_FOREIGN'],
    ['x-equabot-profile', 'nonsense', 400, 'EQ_NAME_INVALID'],
    ['x-equabot-session', '../x', 400, 'EQ_NAME_INVALID'],
    ['x-equabot-agent', 'nobody', 404, 'EQ_AGENT_UNKNOWN'],
    ['x-equabot-agent', '../x', 400, 'EQ_NAME_INVALID'],
  ])('%s: %s is refused with a code', async (name, value, status, code) => {
    await withUpstream(
      answer,
      async ({ port }) => {
        const reply = await ask(port, { [name]: value })
        expect([reply.status, errorOf(reply).code]).toEqual([status, code])
      },
      { profiles },
    )
  })
})

describe('GET /v1/models', () => {
  const options = { agents: { aliases: new Map([['best', 'anthropic/claude-opus-5']]) } }

  test("lists models and aliases in the caller's shape", async () => {
    await withUpstream(
      (_request, response) => void response.end(),
      async ({ port }) => {
        const headers = { 'anthropic-version': '2023-06-01' }
        const anthropic = await call(port, '/v1/models?limit=1000', { headers })
        expect(JSON.parse(anthropic.body)).toMatchObject({
          has_more: false,
          data: expect.arrayContaining([
            expect.objectContaining({ type: 'model', id: 'anthropic/claude-opus-5' }),
            expect.objectContaining({ type: 'model', id: 'best' }),
          ]) as unknown,
        })
        const openai = await call(port, '/v1/models')
        expect(JSON.parse(openai.body)).toMatchObject({
          object: 'list',
          data: expect.arrayContaining([
            { id: 'best', object: 'model', created: 0, owned_by: 'anthropic' as ProviderId },
          ]) as unknown,
        })
      },
      options,
    )
  })

  test('finds one by id, with its slash escaped or not', async () => {
    await withUpstream(
      (_request, response) => void response.end(),
      async ({ port }) => {
        for (const id of ['best', 'anthropic/claude-opus-5', 'anthropic%2Fclaude-opus-5']) {
          const reply = await call(port, `/v1/models/${id}`)
          expect(JSON.parse(reply.body)).toMatchObject({ id: decodeURIComponent(id) })
        }
        const unknown = await call(port, '/v1/models/nope')
        expect([unknown.status, errorOf(unknown).code]).toEqual([404, 'EQ_MODEL_UNKNOWN'])
      },
      options,
    )
  })
})
