import { describe, expect, test } from 'vitest'
import type { ClientTerms } from '../../src/domain/client.ts'
import { aProfile, memoryLedger } from '../../src/testing.ts'
import { client, profile } from '../names-from.ts'
import type { Reply, TestGateway } from './fake-app.ts'
import { call, deferred, withUpstream } from './fake-app.ts'
import { gatewayRoutes } from '../../src/gateway/server.ts'

const MESSAGE = { model: 'anthropic/claude-test', max_tokens: 5, messages: [] }

async function keyFor(gateway: TestGateway, terms: ClientTerms = {}): Promise<string> {
  const issued = await gateway.app.clients.add('laptop', terms)
  if (!issued.ok) throw new Error(issued.fault.code)
  return issued.value.key.reveal()
}

const ask = (
  { port }: TestGateway,
  key: string,
  more: { model?: string; headers?: Record<string, string>; onData?: (text: string) => void } = {},
): Promise<Reply> =>
  call(port, '/v1/messages', {
    body: JSON.stringify({ ...MESSAGE, ...(more.model !== undefined && { model: more.model }) }),
    headers: { authorization: `Bearer ${key}`, ...more.headers },
    ...(more.onData && { onData: more.onData }),
  })

const codeOf = ({ body }: Reply): unknown => JSON.parse(body).error?.code

const served: Parameters<typeof withUpstream>[0] = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"type":"message"}')
}

describe('a key of a client', () => {
  test('opens the model API and nothing of the control API', async () => {
    await withUpstream(served, async (gateway) => {
      const key = await keyFor(gateway)
      const headers = { authorization: `Bearer ${key}` }
      expect((await ask(gateway, key)).status).toBe(200)
      expect((await call(gateway.port, '/v1/models', { headers })).status).toBe(200)
      expect((await call(gateway.port, '/', { method: 'HEAD', headers })).status).toBe(200)
      const routes = gatewayRoutes(gateway.app, () => false)
      const control = routes.filter(({ path }) => path.startsWith('/api/'))
      expect(control.length).toBeGreaterThan(5)
      for (const { method, path } of control) {
        const target = path.replace(/\{\w+\*?\}/, 'x')
        const reply = await call(gateway.port, target, { method, headers })
        expect([path, reply.status]).toEqual([path, 403])
        expect(JSON.parse(reply.body)).toMatchObject({ error: { code: 'EQ_CLIENT_ADMIN_ONLY' } })
      }
    })
  })

  test('is no more passed on than any other credential of a caller', async () => {
    const seen: string[] = []
    await withUpstream(
      (request, response) => {
        seen.push(JSON.stringify(request.rawHeaders))
        served(request, response)
      },
      async (gateway) => {
        const key = await keyFor(gateway)
        await ask(gateway, key, { headers: { 'x-api-key': key } })
        expect(seen).toHaveLength(1)
        expect(seen[0]).not.toContain(key)
      },
    )
  })

  test('is limited to its models, by name and by pattern, and sees only those', async () => {
    await withUpstream(served, async (gateway) => {
      const key = await keyFor(gateway, { models: ['anthropic/claude-test', 'openai/gpt-*'] })
      expect((await ask(gateway, key)).status).toBe(200)
      const other = await ask(gateway, key, { model: 'anthropic/claude-dear' })
      expect([other.status, codeOf(other)]).toEqual([403, 'EQ_CLIENT_MODEL'])
      expect(JSON.parse(other.body).error.message).toContain('openai/gpt-*')
      const models = await call(gateway.port, '/v1/models', {
        headers: { authorization: `Bearer ${key}` },
      })
      const names = JSON.parse(models.body).data.map(({ id }: { id: string }) => id)
      expect(names.filter((name: string) => !name.startsWith('openai/gpt-'))).toEqual([])
    })
  })

  test('is served by its profiles alone', async () => {
    const seen: unknown[] = []
    const profiles = [aProfile('anthropic:work'), aProfile('anthropic:own')]
    await withUpstream(
      (request, response) => {
        seen.push(request.headers['x-api-key'])
        response.writeHead(503, { 'retry-after': '60' }).end('{}')
      },
      async (gateway) => {
        const key = await keyFor(gateway, { profiles: [profile('anthropic:own')] })
        const failed = await ask(gateway, key)
        expect(failed.status).toBeGreaterThanOrEqual(500)
        expect(seen).toEqual(['fake-key-of-anthropic:own'])
        const held = await ask(gateway, key, { headers: { 'x-equabot-profile': 'anthropic:work' } })
        expect(codeOf(held)).toBe('EQ_PIN_UNUSABLE')
        expect(seen).toHaveLength(1)
      },
      { profiles },
    )
  })

  test('is limited in how often it asks; the answer says when it may again', async () => {
    await withUpstream(served, async (gateway) => {
      const key = await keyFor(gateway, { rate: { requests: 2, perMs: 60_000 } })
      expect((await ask(gateway, key)).status).toBe(200)
      expect((await ask(gateway, key)).status).toBe(200)
      const third = await ask(gateway, key)
      expect([third.status, third.headers['retry-after'], codeOf(third)]).toEqual([
        429,
        '30',
        'EQ_CLIENT_RATE',
      ])
      expect(third.headers['x-should-retry']).toBe('true')
      gateway.clock.advance(30_000)
      expect((await ask(gateway, key)).status).toBe(200)
    })
  })

  test('is limited in what it spends, by what the ledger says of its name', async () => {
    const ledger = memoryLedger()
    await withUpstream(
      served,
      async (gateway) => {
        const key = await keyFor(gateway, { budget: { daily: { tokens: 100 } } })
        expect((await ask(gateway, key)).status).toBe(200)
        ledger.append({
          id: '1',
          at: gateway.clock.now(),
          agent: 'main' as never,
          client: 'laptop',
          asked: 'm',
          outcome: 'served',
          attempts: 1,
          totalMs: 1,
          usage: { inputTokens: 60, outputTokens: 40 },
        })
        gateway.clock.advance(1_000)
        const refused = await ask(gateway, key)
        expect([refused.status, codeOf(refused)]).toEqual([402, 'EQ_CLIENT_BUDGET'])
        const usage = await call(gateway.port, '/v1/usage', {
          headers: { authorization: `Bearer ${key}` },
        })
        expect(JSON.parse(usage.body)).toMatchObject({
          client: 'laptop',
          budget: [{ period: 'daily', unit: 'tokens', spent: 100, max: 100 }],
          spent: { daily: { tokens: 100 } },
        })
        gateway.clock.advance(24 * 3_600_000)
        expect((await ask(gateway, key)).status).toBe(200)
      },
      { ledger },
    )
  })

  test('is bound to its agent', async () => {
    await withUpstream(served, async (gateway) => {
      const key = await keyFor(gateway, { agent: 'main' as never })
      expect((await ask(gateway, key)).status).toBe(200)
      const other = await ask(gateway, key, { headers: { 'x-equabot-agent': 'research' } })
      expect([other.status, codeOf(other)]).toEqual([403, 'EQ_CLIENT_AGENT'])
    })
  })

  test('that is revoked ends the stream that it has open, in the dialect of the client', async () => {
    const gone = deferred()
    await withUpstream(
      (_request, response) => {
        response.on('close', () => gone.resolve())
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('event: message_start\ndata: {"type":"message_start"}\n\n')
        const delta =
          '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}'
        response.write(`event: content_block_delta\ndata: ${delta}\n\n`)
      },
      async (gateway) => {
        const key = await keyFor(gateway)
        const begun = deferred<string>()
        const reply = ask(gateway, key, { onData: begun.resolve })
        await begun.promise
        await gateway.app.clients.revoke('laptop')
        gateway.clock.advance(500)
        const { body, whole } = await reply
        expect(body).toMatch(/event: error\ndata: .*EQ_CLIENT_ENDED/)
        expect(whole).toBe(true)
        await gone.promise
        expect((await ask(gateway, key)).status).toBe(401)
      },
    )
  })

  test('names its client in the record; who bears the same name by chance is told apart', async () => {
    const clients: unknown[] = []
    await withUpstream(served, async (gateway) => {
      const { dispatch } = gateway.app
      const key = await keyFor(gateway)
      const watched = {
        ...gateway.app,
        dispatch: (request: Parameters<typeof dispatch>[0]) => {
          clients.push(request.client)
          return dispatch(request)
        },
      }
      const { createGatewayFace } = await import('../../src/gateway/server.ts')
      const { Secret } = await import('../../src/domain/secret.ts')
      const second = await createGatewayFace().listen(watched, {
        port: 0,
        bind: '127.0.0.1',
        token: new Secret('other-token'),
      })
      if (!second.ok) throw new Error(second.fault.code)
      const target = { ...gateway, port: second.value.port }
      const headers = { 'user-agent': 'laptop/1.2' }
      await ask(target, key, { headers })
      await ask(target, 'other-token', { headers })
      await ask(target, 'other-token', { headers: { 'user-agent': 'curl/8' } })
      await second.value.stop()
      expect(clients).toEqual([client('laptop'), 'laptop (gateway token)', 'curl'])
    })
  })
})
