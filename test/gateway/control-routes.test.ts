import * as v from 'valibot'
import { afterEach, describe, expect, test } from 'vitest'
import type { TurnEvent } from '../../src/domain/chat.ts'
import type { ProfileId, SessionId } from '../../src/domain/names.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { aProfile, FAKE_NOW } from '../../src/testing.ts'
import type { ControlRouteName } from '../../src/wire/control-api.ts'
import { CONTROL_ROUTES } from '../../src/wire/control-api.ts'
import type { FakeAppOptions, Reply, TestGateway } from './fake-app.ts'
import { call, deferred, KEY, startGateway } from './fake-app.ts'

const running: TestGateway[] = []

async function start(options?: FakeAppOptions): Promise<TestGateway> {
  const gateway = await startGateway(options)
  running.push(gateway)
  return gateway
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()))
})

const SESSION = {
  id: 'monday' as SessionId,
  agent: MAIN_AGENT,
  createdAt: FAKE_NOW,
  updatedAt: FAKE_NOW,
  title: 'hello',
  model: 'anthropic/claude-sonnet-5',
  pin: { profile: 'anthropic:work' as ProfileId, source: 'user' as const },
  turns: 1,
}

/** The answer holds what its schema describes, and nothing besides. */
function describedBy(name: ControlRouteName, reply: Reply): unknown {
  const { reply: schema = v.unknown() } = CONTROL_ROUTES[name]
  expect(reply.status).toBe(200)
  const json: unknown = JSON.parse(reply.body)
  expect(v.parse(schema, json)).toEqual(json)
  return json
}

describe('control answers', () => {
  test('are what the API describes, and hold no secret', async () => {
    const profiles = [
      aProfile('anthropic:work', { storedAt: FAKE_NOW }),
      aProfile('anthropic:home'),
      aProfile('openai:work'),
    ]
    const { port, app } = await start({ profiles, sessions: [SESSION] })
    await app.sessions.update(MAIN_AGENT, SESSION.id, (head = SESSION) => head, [
      { at: FAKE_NOW, role: 'user', text: 'hello' },
      { at: FAKE_NOW, role: 'assistant', text: 'hi', profile: SESSION.pin.profile, partial: true },
    ])
    const asked: readonly (readonly [ControlRouteName, string])[] = [
      ['status', '/api/status'],
      ['status', '/api/status?agent=main'],
      ['explain', '/api/explain?session=monday'],
      ['explain', '/api/explain?model=openai/gpt-5.1'],
      ['models', '/api/models'],
      ['agents', '/api/agents'],
      ['sessions', '/api/sessions?agent='],
      ['session', '/api/sessions/monday'],
      ['openApi', '/api/openapi.json'],
    ]
    for (const [name, path] of asked) {
      const reply = await call(port, path)
      describedBy(name, reply)
      expect(reply.body).not.toContain(KEY)
    }
  })

  test('tell which profile is next, and why', async () => {
    const { port } = await start({ sessions: [SESSION] })
    const explained = describedBy('explain', await call(port, '/api/explain?session=monday'))
    expect(explained).toMatchObject({
      model: 'anthropic/claude-sonnet-5',
      modelBecause: 'session',
      pin: 'anthropic:work',
      next: 'anthropic:work',
      candidates: [{ profile: 'anthropic:work', taken: true, place: 1, why: { code: 'pinned' } }],
    })
  })

  test.each([
    ['GET', '/api/status?agent=nobody', 404, 'EQ_AGENT_UNKNOWN'],
    ['GET', '/api/status?agent=..', 400, 'EQ_NAME_INVALID'],
    ['GET', '/api/explain?session=..', 400, 'EQ_NAME_INVALID'],
    ['GET', '/api/explain?model=nobody/x', 404, 'EQ_PROVIDER_UNKNOWN'],
    ['GET', '/api/sessions/tuesday', 404, 'EQ_SESSION_UNKNOWN'],
    ['GET', '/api/sessions/..%2Fx', 400, 'EQ_NAME_INVALID'],
    ['GET', '/api/sessions/%ff', 404, 'EQ_ROUTE_UNKNOWN'],
    ['DELETE', '/api/sessions/tuesday', 404, 'EQ_SESSION_UNKNOWN'],
  ])('%s %s is refused with a code and a hint', async (method, path, status, code) => {
    const { port } = await start()
    const reply = await call(port, path, { method })
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.body)).toMatchObject({
      error: { code, hint: expect.any(String) as unknown },
    })
  })

  test('a session is deleted once', async () => {
    const { port } = await start({ sessions: [SESSION] })
    const first = await call(port, '/api/sessions/monday', { method: 'DELETE' })
    expect(describedBy('deleteSession', first)).toEqual({ deleted: 'monday' })
    expect((await call(port, '/api/sessions/monday', { method: 'DELETE' })).status).toBe(404)
  })

  test('the health checks tell the version and whether requests are taken', async () => {
    const { port, clock } = await start()
    clock.advance(1500)
    const health = await call(port, '/healthz', { headers: { authorization: '' } })
    expect(JSON.parse(health.body)).toEqual({ version: '0.0.0-test', uptimeMs: 1500, ready: true })
    const ready = await call(port, '/readyz', { headers: { authorization: '' } })
    expect([ready.status, JSON.parse(ready.body)]).toEqual([200, { ready: true }])
  })
})

describe('POST /api/chat', () => {
  const json = { 'content-type': 'application/json' }

  test('streams one event for each event of the turn', async () => {
    let asked: unknown
    async function* turn(request: unknown): AsyncGenerator<TurnEvent, void> {
      asked = request
      yield { type: 'text', text: 'two\nlines' }
      yield {
        type: 'failed',
        fault: {
          code: 'EQ_CREDENTIAL_NONE',
          provider: 'x' as never,
          variables: [],
          passedOver: [],
        },
      }
    }
    const { port, log } = await start({ turn })
    const body = JSON.stringify({ agent: 'main', session: 'main', message: 'hi', model: 'opus' })
    const reply = await call(port, '/api/chat', { body, headers: json })
    expect(asked).toEqual({ agent: 'main', session: 'main', message: 'hi', model: 'opus' })
    expect(reply.headers['content-type']).toBe('text/event-stream')
    const [first, second] = reply.body.split('\n\n')
    expect(first).toBe('event: text\ndata: {"type":"text","text":"two\\nlines"}')
    expect(second).toMatch(
      /^event: failed\ndata: \{"type":"failed","fault":\{"code":"EQ_CREDENTIAL_NONE","message":/,
    )
    expect(log.lines).toMatchObject([{ fields: { code: 'EQ_CREDENTIAL_NONE' } }])
  })

  test('aborts the turn when the caller leaves', async () => {
    const aborted = deferred()
    async function* turn(_: unknown, signal: AbortSignal): AsyncGenerator<TurnEvent, void> {
      signal.addEventListener('abort', () => aborted.resolve())
      yield { type: 'text', text: 'begun' }
      await aborted.promise
      yield { type: 'failed', fault: { code: 'EQ_REQUEST_CANCELLED' } }
    }
    const { port } = await start({ turn })
    const leaving = new AbortController()
    const reply = call(port, '/api/chat', {
      body: '{"session":"main","message":"hi"}',
      headers: json,
      signal: leaving.signal,
      onData: () => leaving.abort(),
    })
    await reply.catch(() => undefined)
    await aborted.promise
  })

  test.each([
    ['no JSON', '{', json, 'EQ_REQUEST_BODY'],
    ['no session', '{"message":"hi"}', json, 'EQ_REQUEST_BODY'],
    ['an empty message', '{"session":"main","message":" "}', json, 'EQ_REQUEST_BODY'],
    ['an unknown field', '{"session":"main","message":"hi","agnet":"x"}', json, 'EQ_REQUEST_BODY'],
    ['a path for a session', '{"session":"../x","message":"hi"}', json, 'EQ_NAME_INVALID'],
    [
      'a path for an agent',
      '{"agent":"/x","session":"main","message":"hi"}',
      json,
      'EQ_NAME_INVALID',
    ],
    [
      'another content type',
      '{"session":"main","message":"hi"}',
      { 'content-type': 'text/plain' },
      'EQ_REQUEST_BODY',
    ],
  ] as const)('%s is refused with 400', async (_what, body, headers, code) => {
    const { port } = await start()
    const reply = await call(port, '/api/chat', { body, headers })
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.body)).toMatchObject({ error: { code } })
  })

  test('a bug in a turn breaks the connection and is logged without its message', async () => {
    async function* turn(): AsyncGenerator<TurnEvent, void> {
      yield { type: 'text', text: 'begun' }
      throw new Error('fake-secret-in-a-message')
    }
    const { port, log } = await start({ turn })
    const body = '{"session":"main","message":"hi"}'
    expect((await call(port, '/api/chat', { body, headers: json })).whole).toBe(false)
    expect(log.lines.map((line) => line.event)).toEqual(['request.crashed', 'request.failed'])
    expect(JSON.stringify(log.lines)).not.toContain('fake-secret')
  })
})
