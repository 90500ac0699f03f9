import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { TurnEvent } from '../../src/domain/chat.ts'
import { gatewayRoutes } from '../../src/gateway/server.ts'
import { CONTROL_ROUTES } from '../../src/wire/control-api.ts'
import type { FakeAppOptions, TestGateway } from './fake-app.ts'
import { call, deferred, fakeApp, startGateway, TOKEN } from './fake-app.ts'

const running: TestGateway[] = []

async function start(options?: FakeAppOptions): Promise<TestGateway> {
  const gateway = await startGateway(options)
  running.push(gateway)
  return gateway
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()))
})

describe('who may call', () => {
  const routes = gatewayRoutes(fakeApp().app, () => false)

  test('every route but the two health checks asks for the token', async () => {
    const { port, clock } = await start()
    const open = routes.filter((route) => route.open).map(({ method, path }) => `${method} ${path}`)
    expect(open).toEqual(['GET /healthz', 'GET /readyz'])

    for (const { method, path } of routes.filter((route) => !route.open)) {
      // Wrong keys are answered otherwise once there have been too many.
      clock.advance(60_000)
      const target = path.replace(/\{\w+\*?\}/, 'x')
      const headers = { authorization: 'Bearer sk-ant-oat01-fake', 'x-api-key': 'fake' }
      const reply = await call(port, target, { method, headers })
      expect([path, reply.status]).toEqual([path, 401])
      expect(reply.body.toLowerCase()).not.toContain('x-api-key')
      expect(reply.body).not.toContain('oat01')
    }
  })

  test('every described control route is served', () => {
    const served = routes.map(({ method, path }) => `${method} ${path}`)
    for (const { method, path } of Object.values(CONTROL_ROUTES)) {
      expect(served).toContain(`${method} ${path}`)
    }
  })

  test('a caller without the token does not learn which routes there are', async () => {
    const { port } = await start()
    const reply = await call(port, '/api/nothing', { headers: { authorization: '' } })
    expect(reply.status).toBe(401)
  })

  test('a foreign Host is refused before anything else, health checks included', async () => {
    const { port, log } = await start()
    for (const path of ['/healthz', '/v1/models', '/api/status']) {
      const reply = await call(port, path, { headers: { host: `evil.example:${port}` } })
      expect([path, reply.status]).toEqual([path, 421])
    }
    expect(log.lines.map((line) => line.fields['code'])).toEqual(
      Array.from({ length: 3 }, () => 'EQ_CALLER_HOST'),
    )
  })

  test('a page may call only from an origin that was allowed, and then reads the answer', async () => {
    const { port } = await start({ gateway: { allowedOrigins: ['https://page.example'] } })
    const evil = await call(port, '/api/agents', { headers: { origin: 'https://evil.example' } })
    expect(evil.status).toBe(403)
    expect(evil.headers['access-control-allow-origin']).toBeUndefined()

    const origin = 'https://page.example'
    const good = await call(port, '/api/agents', {
      headers: { origin, authorization: `Bearer ${TOKEN}` },
    })
    expect([good.status, good.headers['access-control-allow-origin']]).toEqual([200, origin])
    const asked = await call(port, '/api/chat', {
      method: 'OPTIONS',
      headers: { origin, authorization: '', 'access-control-request-method': 'POST' },
    })
    expect([asked.status, asked.body]).toEqual([204, ''])
    const unknown = await call(port, '/api/agents', { headers: { origin, authorization: '' } })
    expect(unknown.status).toBe(401)
  })

  test('tokens stand in no log line', async () => {
    const { port, log } = await start()
    await call(port, '/v1/models?key=fake-in-url', {
      headers: { authorization: 'Bearer sk-ant-oat01-fake' },
    })
    expect(log.lines).toHaveLength(1)
    expect(JSON.stringify(log.lines)).not.toMatch(/oat01|fake-in-url/)
  })
})

describe('routing', () => {
  test('an unknown path and a wrong method are told apart, in the dialect of the path', async () => {
    const { port } = await start()
    const unknown = await call(port, '/api/nothing')
    expect(unknown.status).toBe(404)
    expect(JSON.parse(unknown.body)).toMatchObject({ error: { code: 'EQ_ROUTE_UNKNOWN' } })
    const wrong = await call(port, '/v1/messages')
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST'])
    expect(JSON.parse(wrong.body)).toMatchObject({
      type: 'error',
      error: { code: 'EQ_ROUTE_METHOD' },
    })
    const openai = await call(port, '/v1/chat/completions', { method: 'DELETE' })
    expect(JSON.parse(openai.body)).toMatchObject({
      error: { code: 'EQ_ROUTE_METHOD', param: null },
    })
  })

  test('HEAD is GET without the body', async () => {
    const { port } = await start()
    for (const path of ['/', '/healthz']) {
      const reply = await call(port, path, { method: 'HEAD' })
      expect([path, reply.status, reply.body]).toEqual([path, 200, ''])
    }
  })

  test('an upgrade is answered with 426, so that clients fall back to requests', async () => {
    const { port } = await start()
    const answer = await raw(
      port,
      'GET /v1/responses HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 426 /)
  })

  test('a target of absolute form is judged by its own host', async () => {
    const { port } = await start()
    const ask = (target: string): Promise<string> =>
      raw(port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    expect(await ask(`http://evil.example:${port}/healthz`)).toMatch(/^HTTP\/1\.1 421 /)
    expect(await ask(`http://localhost:${port}/healthz`)).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('two Host headers, or a length beside chunks, are no request', async () => {
    const { port } = await start()
    const twoHosts =
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n'
    expect(await raw(port, twoHosts)).toMatch(/^HTTP\/1\.1 4(?:00|21) /)
    const smuggled =
      'POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
    expect(await raw(port, smuggled)).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('a port that is taken is a fault that names it', async () => {
    const { port } = await start()
    const { createGatewayFace } = await import('../../src/gateway/server.ts')
    const { Secret } = await import('../../src/domain/secret.ts')
    const second = await createGatewayFace().listen(fakeApp().app, {
      port,
      bind: '127.0.0.1',
      token: new Secret(TOKEN),
    })
    expect(second).toEqual({
      ok: false,
      fault: { code: 'EQ_GATEWAY_PORT', bind: '127.0.0.1', port, errno: 'EADDRINUSE' },
    })
  })
})

describe('stopping', () => {
  const request = JSON.stringify({ session: 'main', message: 'hello' })
  const chat = { body: request, headers: { 'content-type': 'application/json' } }

  test('lets a running reply come to its end', async () => {
    const finish = deferred()
    async function* turn(): AsyncGenerator<TurnEvent, void> {
      yield { type: 'text', text: 'begun' }
      await finish.promise
      yield { type: 'finished', stopReason: 'end_turn' }
    }
    const gateway = await start({ turn })
    const begun = deferred<string>()
    const reply = call(gateway.port, '/api/chat', { ...chat, onData: begun.resolve })
    await begun.promise
    const stopped = gateway.stop()
    await expect(call(gateway.port, '/healthz')).rejects.toThrow('ECONNREFUSED')
    finish.resolve()
    expect((await reply).body).toContain('event: finished')
    expect((await reply).whole).toBe(true)
    await stopped
  })

  test('ends a reply that outlives the drain time with an event that says why', async () => {
    async function* turn(_: unknown, signal: AbortSignal): AsyncGenerator<TurnEvent, void> {
      yield { type: 'text', text: 'begun' }
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      yield { type: 'failed', fault: { code: 'EQ_REQUEST_CANCELLED' } }
    }
    const gateway = await start({ turn, gateway: { drainTimeoutMs: 5_000 } })
    const begun = deferred<string>()
    const reply = call(gateway.port, '/api/chat', { ...chat, onData: begun.resolve })
    await begun.promise
    const stopped = gateway.stop()
    gateway.clock.advance(5_000)
    const { body, whole } = await reply
    expect(body).toContain('EQ_GATEWAY_STOPPING')
    expect(whole).toBe(true)
    await stopped
  })

  test('stopping twice is stopping once', async () => {
    const gateway = await start()
    await Promise.all([gateway.stop(), gateway.stop()])
  })
})

/** Bytes in, bytes out: for requests that no client would send. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}
