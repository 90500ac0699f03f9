import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { countedAddress } from '../../src/gateway/callers-address.ts'
import { createWrongKeys, MOST_WRONG_KEYS_OF_ALL } from '../../src/gateway/wrong-keys.ts'
import { fakeClock } from '../../src/testing.ts'
import type { FakeAppOptions, TestGateway } from './fake-app.ts'
import { call, deferred, startGateway, TOKEN, withUpstream } from './fake-app.ts'

const running: TestGateway[] = []
const sockets: Socket[] = []

async function start(options?: FakeAppOptions): Promise<TestGateway> {
  const gateway = await startGateway(options)
  running.push(gateway)
  return gateway
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()))
})

interface Line {
  readonly socket: Socket
  readonly answer: () => string
  readonly closed: Promise<string>
}

async function dial(port: number, text = ''): Promise<Line> {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
  // A connection that is cut is what is looked for.
  socket.on('error', () => undefined)
  const closed = once(socket, 'close').then(() => answer)
  await once(socket, 'connect')
  if (text !== '') socket.write(text)
  return { socket, answer: () => answer, closed }
}

async function raw(port: number, text: string): Promise<string> {
  return (await dial(port, text)).closed
}

const head = (method: string, path: string, ...more: readonly string[]): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...more, '', ''].join('\r\n')
const KEY = `Authorization: Bearer ${TOKEN}`

async function isWell({ port, log }: TestGateway): Promise<void> {
  expect((await call(port, '/healthz')).status).toBe(200)
  expect(log.lines.filter(({ event }) => event === 'request.crashed')).toEqual([])
}

describe('headers', () => {
  test('larger than the limit are answered with 431, smaller ones are read', async () => {
    const gateway = await start()
    const large = `X-Filling: ${'a'.repeat(33 * 1024)}`
    expect(await raw(gateway.port, head('GET', '/healthz', large))).toMatch(/^HTTP\/1\.1 431 /)
    const many = Array.from({ length: 3_000 }, (_, index) => `X-${index}: ${'b'.repeat(12)}`)
    expect(await raw(gateway.port, head('GET', '/healthz', ...many))).toMatch(/^HTTP\/1\.1 431 /)
    const filling = `X-Filling: ${'a'.repeat(20 * 1024)}`
    const close = 'Connection: close'
    expect(await raw(gateway.port, head('GET', '/healthz', filling, close))).toMatch(
      /^HTTP\/1\.1 200 /,
    )
    await isWell(gateway)
  })

  test('that do not come are waited for no longer than the limit', async () => {
    const gateway = await start({ limits: { headersTimeoutMs: 60, lookMs: 20 } })
    const line = await dial(gateway.port, 'GET /healthz HTTP/1.1\r\nHost: loc')
    expect(await line.closed).toMatch(/^HTTP\/1\.1 408 /)
    await isWell(gateway)
  })
})

describe('connections', () => {
  test('without a key are kept up to the limit; the oldest makes room', async () => {
    const gateway = await start({ limits: { strangers: 3 } })
    const lines: Line[] = []
    for (let index = 0; index < 3; index += 1) lines.push(await dial(gateway.port, 'GET / HT'))
    lines.push(await dial(gateway.port, 'GET / HT'))
    await lines[0]?.closed
    expect(lines.slice(1).map(({ socket }) => socket.destroyed)).toEqual([false, false, false])
  })

  test('over which a key was shown stay, whatever strangers do', async () => {
    const gateway = await start({ limits: { strangers: 2 } })
    const good = await dial(gateway.port, head('GET', '/v1/models', KEY))
    await once(good.socket, 'data')
    for (let index = 0; index < 20; index += 1) await dial(gateway.port, 'GET / HT')
    good.socket.write(head('GET', '/v1/models', KEY, 'Connection: close'))
    expect((await good.closed).match(/HTTP\/1\.1 200 /g)).toHaveLength(2)
  })

  test('of one address are limited in all', async () => {
    const gateway = await start({ limits: { ofThisMachine: 2 } })
    const first = await dial(gateway.port, head('GET', '/v1/models', KEY))
    await once(first.socket, 'data')
    await dial(gateway.port)
    expect(await raw(gateway.port, head('GET', '/healthz'))).toBe('')
    first.socket.destroy()
    await first.closed
    // The server hears of the end a moment later.
    await expect
      .poll(() => raw(gateway.port, head('GET', '/healthz', 'Connection: close')))
      .toMatch(/^HTTP\/1\.1 200 /)
  })

  test.each([
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::FFFF:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '::1'],
    [undefined, 'gone'],
  ])('of %s count as those of %s', (address, counted) => {
    expect(countedAddress(address)).toBe(counted)
  })
})

describe('a body', () => {
  const post = (...more: readonly string[]): string =>
    head('POST', '/v1/messages', KEY, 'Content-Type: application/json', ...more)

  test('that stops in the middle is waited for no longer than the limit', async () => {
    const gateway = await start({ limits: { bodyIdleMs: 40 } })
    const line = await dial(gateway.port, `${post('Content-Length: 100')}{"mod`)
    const answer = await line.closed
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(answer).toContain('EQ_REQUEST_IDLE')
    await isWell(gateway)
  })

  test('that comes within the limit does not make an answer hurry', async () => {
    const asked = deferred<() => void>()
    await withUpstream(
      (_request, response) => asked.resolve(() => response.writeHead(200).end('{}')),
      async (gateway) => {
        const body = JSON.stringify({ model: 'anthropic/claude-test', messages: [] })
        const reply = call(gateway.port, '/v1/messages', { body })
        const answer = await asked.promise
        // Longer than a body may pause.
        await new Promise((resolve) => setTimeout(resolve, 60))
        answer()
        expect((await reply).status).toBe(200)
      },
      { limits: { bodyIdleMs: 20 } },
    )
  })

  test.each(['gzip', 'zstd', 'br', 'deflate', 'gzip, gzip', 'aws-chunked'])(
    'in %s is answered with 415 in words, and never inflated',
    async (encoding) => {
      const gateway = await start()
      const reply = await call(gateway.port, '/v1/messages', {
        body: gzipSync(Buffer.alloc(1024 * 1024)),
        headers: { 'content-encoding': encoding },
      })
      expect(reply.status).toBe(415)
      expect(JSON.parse(reply.body)).toMatchObject({
        type: 'error',
        error: { code: 'EQ_REQUEST_ENCODING', message: expect.stringContaining('uncompressed') },
      })
    },
  )

  test('of a caller that waits to be asked for it is asked for once its key is right', async () => {
    await withUpstream(
      (_request, response) => response.writeHead(200).end('{"type":"message"}'),
      async (gateway) => {
        const body = JSON.stringify({ model: 'anthropic/claude-test', messages: [] })
        const expecting = ['Expect: 100-continue', `Content-Length: ${body.length}`]
        const line = await dial(gateway.port, post(...expecting, 'Connection: close'))
        await once(line.socket, 'data')
        expect(line.answer()).toBe('HTTP/1.1 100 Continue\r\n\r\n')
        line.socket.write(body)
        expect(await line.closed).toMatch(/\r\n\r\nHTTP\/1\.1 200 /)

        const stranger = head('POST', '/v1/messages', ...expecting, 'Connection: close')
        expect(await raw(gateway.port, stranger)).toMatch(/^HTTP\/1\.1 401 /)
        expect(await raw(gateway.port, post('Expect: tea', 'Connection: close'))).toMatch(
          /^HTTP\/1\.1 417 /,
        )
      },
    )
  })

  test('larger than the limit is not asked for', async () => {
    const gateway = await start({ gateway: { maxBodyBytes: 100 } })
    const expecting = ['Expect: 100-continue', 'Content-Length: 101', 'Connection: close']
    expect(await raw(gateway.port, post(...expecting))).toMatch(/^HTTP\/1\.1 413 /)
  })
})

describe('a reply', () => {
  test('that lies unread is cut, and its provider is let go', async () => {
    const gone = deferred()
    await withUpstream(
      (_request, response) => {
        response.on('close', () => gone.resolve())
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const piece = `event: ping\ndata: {"x":"${'a'.repeat(60_000)}"}\n\n`
        const more = (): void => {
          while (!response.destroyed && response.write(piece));
          response.once('drain', more)
        }
        more()
      },
      async (gateway) => {
        const body = JSON.stringify({ model: 'anthropic/claude-test', messages: [], stream: true })
        const line = await dial(
          gateway.port,
          `${head('POST', '/v1/messages', KEY, `Content-Length: ${body.length}`)}${body}`,
        )
        line.socket.pause()
        let isGone = false
        void gone.promise.then(() => (isGone = true))
        await expect
          .poll(() => {
            gateway.clock.advance(1_000)
            return isGone
          })
          .toBe(true)
        expect(gateway.clock.now()).toBeGreaterThan(0)
      },
      { limits: { unreadMs: 3_000, lookMs: 1_000 } },
    )
  })

  test('whose provider thinks is not unread', async () => {
    const asked = deferred<() => void>()
    await withUpstream(
      (_request, response) => asked.resolve(() => response.writeHead(200).end('{}')),
      async (gateway) => {
        const body = JSON.stringify({ model: 'anthropic/claude-test', messages: [] })
        const reply = call(gateway.port, '/v1/messages', { body })
        const answer = await asked.promise
        for (let index = 0; index < 20; index += 1) {
          gateway.clock.advance(1_000)
          await Promise.resolve()
        }
        answer()
        expect((await reply).status).toBe(200)
      },
      { limits: { unreadMs: 3_000, lookMs: 1_000 } },
    )
  })
})

describe('an upgrade', () => {
  test('is answered with 426 and may break off at any moment', async () => {
    const gateway = await start()
    const upgrade = head('GET', '/v1/responses', 'Connection: Upgrade', 'Upgrade: websocket')
    expect(await raw(gateway.port, upgrade)).toMatch(/^HTTP\/1\.1 426 /)
    for (let index = 0; index < 20; index += 1) {
      const line = await dial(gateway.port, upgrade)
      line.socket.resetAndDestroy()
    }
    await isWell(gateway)
    expect(await raw(gateway.port, 'CONNECT evil:443 HTTP/1.1\r\nHost: evil\r\n\r\n')).toBe('')
    await isWell(gateway)
  })
})

describe('a request that two readers could take for two', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a length beside chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked'],
    ['two lengths', 'Content-Length: 4\r\nContent-Length: 5'],
    ['a list of lengths', 'Content-Length: 4, 5'],
    ['a length with a sign', 'Content-Length: +4'],
    ['a length that is none', 'Content-Length: 0x4'],
    ['chunks under another name', 'Transfer-Encoding: xchunked'],
    ['chunks that are not the last coding', 'Transfer-Encoding: chunked, identity'],
    ['a blank before the colon', 'Transfer-Encoding : chunked'],
    ['a folded header', 'X-A: b\r\n Content-Length: 4'],
    ['a bare line feed', 'X-A: b\nContent-Length: 4'],
    ['a NUL in a header', 'X-A: b\0c'],
    ['a header without a name', ': x'],
  ]

  test.each(cases)('%s: nothing is taken for a second request', async (_what, header) => {
    const gateway = await start()
    const smuggled = head('GET', '/healthz', 'Connection: close')
    const text = `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n0\r\n\r\n${smuggled}`
    const answer = await raw(gateway.port, text)
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(answer).not.toContain('HTTP/1.1 200')
    await isWell(gateway)
  })

  test.each([
    ['nothing at all', '\r\n\r\n\r\n'],
    ['no HTTP', 'SSH-2.0-client\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a target with a line break', 'GET /a\rb HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    [
      'a chunk size without end',
      `${head('POST', '/v1/messages', KEY, 'Transfer-Encoding: chunked')}${'f'.repeat(40)}\r\n`,
    ],
  ])('%s does not end the gateway', async (_what, text) => {
    const gateway = await start({ limits: { headersTimeoutMs: 60, lookMs: 20 } })
    const line = await dial(gateway.port, text)
    line.socket.end()
    expect(await line.closed).not.toContain('HTTP/1.1 200')
    await isWell(gateway)
  })
})

describe('wrong keys', () => {
  test('are counted for all addresses together too, and forgotten in time', () => {
    const clock = fakeClock()
    const wrong = createWrongKeys(() => clock.now())
    const waits = Array.from({ length: MOST_WRONG_KEYS_OF_ALL + 1 }, (_, index) =>
      wrong.count(`10.0.${index >> 8}.${index & 255}`),
    )
    expect(waits.slice(0, -1).every((wait) => wait === 0)).toBe(true)
    expect(waits.at(-1)).toBe(60_000)
    clock.advance(60_000)
    expect(wrong.count('10.0.0.1')).toBe(0)
  })

  test('are in the log no more than ten times a minute, and in no other words than a code', async () => {
    const gateway = await start()
    for (let index = 0; index < 15; index += 1) {
      const headers = { authorization: `Bearer sk-ant-oat01-canary-${index}` }
      const reply = await call(gateway.port, '/v1/messages', { body: '{}', headers })
      expect(reply.status).toBe(index < 10 ? 401 : 429)
      expect(Number(reply.headers['retry-after'] ?? 0) > 0).toBe(index >= 10)
      expect(reply.body).not.toMatch(/canary|x-api-key/i)
    }
    expect(gateway.log.lines).toHaveLength(10)
    expect(JSON.stringify(gateway.log.lines)).not.toContain('canary')
    expect((await call(gateway.port, '/v1/models')).status).toBe(200)
  })
})
