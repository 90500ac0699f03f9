import { IncomingMessage, request as httpRequest, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts'
import { eventsHandle, MOST_READERS, MOST_UNREAD_BYTES } from '../../src/gateway/event-routes.ts'
import { KEPT_EVENTS } from '../../src/services/events.ts'
import { HAPPENING_SAMPLES } from '../event-samples.ts'
import type { TestGateway } from './fake-app.ts'
import { call, startGateway, TOKEN } from './fake-app.ts'

const RECOVERED = HAPPENING_SAMPLES['credential.recovered']
const running: TestGateway[] = []

async function start(): Promise<TestGateway> {
  const gateway = await startGateway()
  running.push(gateway)
  return gateway
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()))
})

interface Reader {
  readonly answer: IncomingMessage
  /** All it has read so far, once it matches. */
  until(pattern: RegExp): Promise<string>
  readonly ended: Promise<'end' | 'cut'>
  leave(): void
}

/** A reader that goes on. */
async function read({ port }: TestGateway, { query = '', lastEventId = '' } = {}): Promise<Reader> {
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    ...(lastEventId && { 'last-event-id': lastEventId }),
  }
  const path = `/api/events${query}`
  const outgoing = httpRequest({ host: '127.0.0.1', port, path, agent: false, headers })
  outgoing.on('error', () => undefined)
  const answer = await new Promise<IncomingMessage>((resolve) => {
    outgoing.on('response', resolve)
    outgoing.end()
  })
  let text = ''
  const looks = new Set<() => void>()
  answer.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
    for (const look of looks) look()
  })
  answer.on('error', () => undefined)
  return {
    answer,
    ended: new Promise((resolve) => {
      answer.on('close', () => resolve(answer.complete ? 'end' : 'cut'))
    }),
    until: (pattern) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!pattern.test(text)) return
          looks.delete(look)
          resolve(text)
        }
        looks.add(look)
        look()
      }),
    leave: () => outgoing.destroy(),
  }
}

function happen({ app }: TestGateway, times = 1): void {
  for (let count = 0; count < times; count += 1) app.events.publish(RECOVERED)
}

function kinds(text: string): readonly string[] {
  return [...text.matchAll(/^event: (.*)$/gm)].map(([, kind]) => kind ?? '')
}

function numbers(text: string): readonly number[] {
  const recovered = text.matchAll(/^id: [0-9a-f]{8}-(\d+)\nevent: credential/gm)
  return [...recovered].map(([, seq]) => Number(seq))
}

describe('GET /api/events', () => {
  test('tells what comes, and nothing of before, to whoever only asks', async () => {
    const gateway = await start()
    happen(gateway, 3)
    const reader = await read(gateway)
    await reader.until(/events\.open/)
    happen(gateway)
    const text = await reader.until(/event: credential/)
    expect(reader.answer.headers['content-type']).toBe('text/event-stream')
    expect(kinds(text)).toEqual(['events.open', 'credential.recovered'])
    expect(numbers(text)).toEqual([4])
  })

  test('with since=0 and follow=no gives all that is kept, and ends', async () => {
    const gateway = await start()
    happen(gateway, KEPT_EVENTS + 30)
    const { body, whole } = await call(gateway.port, '/api/events?since=0&follow=no')
    expect(whole).toBe(true)
    expect(numbers(body)).toEqual(Array.from({ length: KEPT_EVENTS }, (_, index) => 31 + index))
    expect(kinds(body)).not.toContain('events.lost')
  })

  test('goes on after the event that a reader saw last, by header or by query', async () => {
    const gateway = await start()
    happen(gateway, 5)
    const id = `${gateway.app.events.run}-3`
    for (const wish of [{ query: `?since=${id}` }, { query: '?since=0', lastEventId: id }]) {
      const reader = await read(gateway, wish)
      const text = await reader.until(/-5\n/)
      expect(numbers(text)).toEqual([4, 5])
      expect(kinds(text)).not.toContain('events.lost')
    }
  })

  test.each([
    ['another run', 'ffffffff-2'],
    ['no id at all', 'yesterday'],
    ['a number beyond the last', '80000000-99'],
  ])(
    'tells a reader that comes from %s that something is lost, then all that is kept',
    async (_, id) => {
      const gateway = await start()
      happen(gateway, 2)
      const reader = await read(gateway, { lastEventId: id })
      const text = await reader.until(/-2\nevent: credential/)
      expect(kinds(text)).toEqual([
        'events.open',
        'events.lost',
        'credential.recovered',
        'credential.recovered',
      ])
      expect(text).toContain('"because":"restarted"')
    },
  )

  test('says how many events a reader has missed for good', async () => {
    const gateway = await start()
    happen(gateway, KEPT_EVENTS + 10)
    const lastEventId = `${gateway.app.events.run}-4`
    const reader = await read(gateway, { lastEventId })
    const text = await reader.until(new RegExp(`-${KEPT_EVENTS + 10}\n`))
    expect(text).toContain('"because":"overrun","lost":6')
    expect(numbers(text)[0]).toBe(11)
  })

  test('keeps the connection warm with a comment every 15 s', async () => {
    const gateway = await start()
    const reader = await read(gateway)
    const before = await reader.until(/events\.open/)
    expect(before).not.toMatch(/^:$/m)
    gateway.clock.advance(15 * SECOND_MS)
    await reader.until(/^:$/m)
  })

  test('cuts a reader that leaves more unread than is held for one', async () => {
    const gateway = await start()
    const handle = eventsHandle(gateway.app)
    // Nothing ever leaves a response without a connection, so all of it stays unread.
    const response = new ServerResponse(new IncomingMessage(new Socket()))
    const never = new AbortController().signal
    const done = handle({
      request: response.req,
      response,
      path: '/api/events',
      search: '',
      parameters: {},
      dialect: 'control',
      requestId: 'eq_1',
      signal: never,
      draining: never,
      ending: { aborted: false, fault: { code: 'EQ_GATEWAY_STOPPING' } },
      caller: { kind: 'admin' },
      bodyIdleMs: 1_000,
      maxBodyBytes: 0,
    })
    await Promise.resolve()
    while (response.writableLength <= MOST_UNREAD_BYTES && !response.destroyed) {
      happen(gateway)
      await Promise.resolve()
    }
    expect(response.destroyed).toBe(true)
    expect(response.writableLength).toBeGreaterThan(MOST_UNREAD_BYTES)
    expect(await done).toEqual({ ok: true, value: undefined })
  })

  test('serves so many readers and no more; who leaves makes room', async () => {
    const gateway = await start()
    const readers: Reader[] = []
    for (let count = 0; count < MOST_READERS; count += 1) readers.push(await read(gateway))
    const refused = await call(gateway.port, '/api/events')
    expect(refused.status).toBe(503)
    expect(refused.body).toContain('EQ_GATEWAY_READERS')
    readers[0]?.leave()
    await readers[0]?.ended
    let next = await call(gateway.port, '/api/events?follow=no')
    while (next.status === 503) next = await call(gateway.port, '/api/events?follow=no')
    expect(next.status).toBe(200)
  })

  test('ends every stream as soon as the gateway begins to stop', async () => {
    const gateway = await startGateway()
    const reader = await read(gateway)
    await reader.until(/events\.open/)
    const before = gateway.clock.now()
    await gateway.stop()
    expect(await reader.ended).toBe('end')
    expect(gateway.clock.now() - before).toBeLessThan(MINUTE_MS)
  })

  test('answers HEAD without a stream, and nobody without the token', async () => {
    const { port } = await start()
    const head = await call(port, '/api/events', { method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, body: '' })
    const headers = { authorization: 'Bearer fake-wrong' }
    expect((await call(port, '/api/events', { headers })).status).toBe(401)
  })
})
