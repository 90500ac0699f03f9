import type { RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createGatewayClient } from '../../src/adapters/gateway-client.ts'
import type { TurnEvent } from '../../src/domain/chat.ts'
import { DEFAULT_SESSION } from '../../src/domain/names.ts'
import type { GatewayClient } from '../../src/domain/ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { renderTurnEvent } from '../../src/wire/turn-events.ts'
import { HAPPENING_SAMPLES } from '../event-samples.ts'
import { deferred, startGateway, TOKEN } from '../gateway/fake-app.ts'
import { startLoopback } from './loopback.ts'

const REQUEST = { session: DEFAULT_SESSION, message: 'hi' }
const NEVER = new AbortController().signal

function clientOf(port: number, token: string = TOKEN, bind: string = '127.0.0.1'): GatewayClient {
  const record = { pid: 7, port, bind, startedAt: 0, version: '0.0.0-test' }
  return createGatewayClient({ record, token: new Secret(token) })
}

async function collect(events: AsyncIterable<TurnEvent>): Promise<readonly TurnEvent[]> {
  const collected: TurnEvent[] = []
  for await (const event of events) collected.push(event)
  return collected
}

async function against(
  listener: RequestListener,
  work: (client: GatewayClient) => Promise<void>,
): Promise<void> {
  const server = await startLoopback(listener)
  try {
    await work(clientOf(Number(new URL(server.origin).port)))
  } finally {
    await server.close()
  }
}

describe('against a gateway', () => {
  test('a turn gives its events as they come', async () => {
    const seen = deferred()
    async function* turn(): AsyncGenerator<TurnEvent, void> {
      yield { type: 'text', text: 'one' }
      await seen.promise
      yield { type: 'finished', stopReason: 'end_turn' }
    }
    const gateway = await startGateway({ turn })
    const events: TurnEvent[] = []
    for await (const event of clientOf(gateway.port, TOKEN, '0.0.0.0').turn(REQUEST, NEVER)) {
      events.push(event)
      seen.resolve()
    }
    expect(events.map((event) => event.type)).toEqual(['text', 'finished'])
    await gateway.stop()
  })

  test('aborting a turn aborts it there', async () => {
    const aborted = deferred()
    async function* turn(_: unknown, signal: AbortSignal): AsyncGenerator<TurnEvent, void> {
      signal.addEventListener('abort', () => aborted.resolve())
      yield { type: 'text', text: 'one' }
      await aborted.promise
    }
    const gateway = await startGateway({ turn })
    const stopping = new AbortController()
    const events: TurnEvent[] = []
    for await (const event of clientOf(gateway.port).turn(REQUEST, stopping.signal)) {
      events.push(event)
      stopping.abort()
    }
    await aborted.promise
    expect(events.at(-1)).toEqual({ type: 'failed', fault: { code: 'EQ_REQUEST_CANCELLED' } })
    await gateway.stop()
  })

  test('a wrong token is the caller unknown', async () => {
    const gateway = await startGateway()
    const events = await collect(clientOf(gateway.port, 'fake-wrong').turn(REQUEST, NEVER))
    expect(events).toEqual([{ type: 'failed', fault: { code: 'EQ_CALLER_UNKNOWN' } }])
    await gateway.stop()
  })

  test('a refusal keeps its code and words', async () => {
    const gateway = await startGateway()
    const request = { ...REQUEST, message: ' ' }
    expect(await collect(clientOf(gateway.port).turn(request, NEVER))).toMatchObject([
      { type: 'failed', fault: { code: 'EQ_GATEWAY_ANSWER', faultCode: 'EQ_REQUEST_BODY' } },
    ])
    await gateway.stop()
  })

  test('its health is told', async () => {
    const gateway = await startGateway()
    gateway.clock.advance(2000)
    expect(await clientOf(gateway.port).health()).toEqual({
      ok: true,
      value: { version: '0.0.0-test', uptimeMs: 2000, ready: true },
    })
    await gateway.stop()
  })
})

describe('the events of a gateway', () => {
  const RECOVERED = HAPPENING_SAMPLES['credential.recovered']

  test('come as they happen, from the one that was wished for on, until the reader leaves', async () => {
    const gateway = await startGateway()
    gateway.app.events.publish(RECOVERED)
    gateway.app.events.publish(RECOVERED)
    const leaving = new AbortController()
    const ids: string[] = []
    const wish = { since: `${gateway.app.events.run}-1`, follow: true }
    for await (const event of clientOf(gateway.port).events(wish, leaving.signal)) {
      if (!event.ok) throw new Error(event.fault.code)
      ids.push(event.value.id)
      if (ids.length === 2) gateway.app.events.publish(RECOVERED)
      if (ids.length === 3) leaving.abort()
    }
    expect(ids.map((id) => id.split('-')[1])).toEqual(['1', '2', '3'])
    await gateway.stop()
  })

  test('end in good order when the gateway stops', async () => {
    const gateway = await startGateway()
    const kinds: unknown[] = []
    for await (const event of clientOf(gateway.port).events({ follow: true }, NEVER)) {
      kinds.push(event.ok ? event.value.kind : event.fault.code)
      void gateway.stop()
    }
    expect(kinds).toEqual(['events.open'])
  })

  test('a connection that breaks is told as a gateway that is silent', async () => {
    await against(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('id: 0a1b2c3d-1\nevent: x\ndata: {"kind":"x","words":"y"}\n\n', () =>
          response.destroy(),
        )
      },
      async (client) => {
        const heard: unknown[] = []
        for await (const event of client.events({ follow: true }, NEVER)) {
          heard.push(event.ok ? event.value.id : event.fault.code)
        }
        expect(heard).toEqual(['0a1b2c3d-1', 'EQ_GATEWAY_SILENT'])
      },
    )
  })
})

describe('a question', () => {
  test('is answered by what the gateway says, and a refusal keeps its code', async () => {
    const gateway = await startGateway()
    const client = clientOf(gateway.port)
    expect(await client.ask('/api/explain')).toMatchObject({ ok: true, value: { agent: 'main' } })
    expect(await client.ask('/api/explain?agent=nobody')).toMatchObject({
      ok: false,
      fault: { code: 'EQ_GATEWAY_ANSWER', faultCode: 'EQ_AGENT_UNKNOWN' },
    })
    await gateway.stop()
  })

  test('whose answer does not come in time, or is none, finds a silent gateway', async () => {
    await against(
      () => undefined,
      async (client) => {
        const signal = AbortSignal.abort()
        expect(await client.ask('/api/status', signal)).toMatchObject({
          fault: { code: 'EQ_GATEWAY_SILENT', detail: 'no answer in time' },
        })
      },
    )
    await against(
      (_request, response) => void response.end('<html>'),
      async (client) => {
        expect(await client.ask('/api/status')).toMatchObject({
          fault: { code: 'EQ_GATEWAY_SILENT' },
        })
      },
    )
  })
})

describe('against something else', () => {
  const silent = { code: 'EQ_GATEWAY_SILENT', pid: 7 }

  test('nobody there is a silent gateway', async () => {
    const server = await startLoopback(() => undefined)
    await server.close()
    const client = clientOf(Number(new URL(server.origin).port))
    expect(await client.health()).toMatchObject({ ok: false, fault: silent })
    expect(await collect(client.turn(REQUEST, NEVER))).toMatchObject([
      { type: 'failed', fault: { ...silent, detail: 'ECONNREFUSED' } },
    ])
  })

  test('an answer that is not ours is a silent gateway', async () => {
    await against(
      (_request, response) => void response.writeHead(500).end('<html>'),
      async (client) => {
        expect(await client.health()).toMatchObject({ ok: false, fault: silent })
        expect(await collect(client.turn(REQUEST, NEVER))).toMatchObject([
          { type: 'failed', fault: { ...silent, detail: 'HTTP 500' } },
        ])
      },
    )
  })

  test.each(['end', 'destroy'] as const)('a stream that breaks off has failed: %s', async (how) => {
    await against(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('event: later\ndata: {"type":"later"}\n\n')
        response.write(renderTurnEvent({ type: 'text', text: 'one' }), () => response[how]())
      },
      async (client) => {
        expect(await collect(client.turn(REQUEST, NEVER))).toMatchObject([
          { type: 'text', text: 'one' },
          { type: 'failed', fault: silent },
        ])
      },
    )
  })

  test('an IPv6 address is written in brackets', () => {
    expect(clientOf(1, TOKEN, '::').url).toBe('http://[::1]:1')
    expect(clientOf(1, TOKEN, 'fd00::1').url).toBe('http://[fd00::1]:1')
  })
})
