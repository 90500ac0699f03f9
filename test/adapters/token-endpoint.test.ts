import type { RequestListener } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'

import { createTokenEndpoint, isSafeUrl } from '../../src/adapters/token-endpoint.ts'
import { createUpstream } from '../../src/adapters/upstream-http.ts'
import type { TokenEndpoint, TokenRequest } from '../../src/domain/renewal-ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { startLoopback } from './loopback.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

const yes = async (): Promise<boolean> => true

function endpoint(proxyVariables = new Map<string, string>()): TokenEndpoint {
  const upstream = createUpstream({ userAgent: 'equabot/test', proxyVariables })
  closing.push(() => upstream.close())
  return createTokenEndpoint({ userAgent: 'equabot/test', ...upstream })
}

function request(tokenUrl: string, more: Partial<TokenRequest> = {}): TokenRequest {
  return {
    oauth: { tokenUrl, body: 'form' },
    fields: { grant_type: 'refresh_token', refresh_token: new Secret('refresh made up') },
    connectTimeoutMs: 2_000,
    totalTimeoutMs: 2_000,
    stallTimeoutMs: 2_000,
    ...more,
  }
}

async function serve(listener: RequestListener): Promise<string> {
  const loopback = await startLoopback(listener)
  closing.push(() => loopback.close())
  return `${loopback.origin}/token`
}

/** A server that sees the bytes and answers with bytes. */
async function rawServer(talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    talk(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
}

describe('a token request', () => {
  test.each([
    [
      'form',
      'application/x-www-form-urlencoded',
      'grant_type=refresh_token&refresh_token=refresh+made+up',
    ],
    [
      'json',
      'application/json',
      '{"grant_type":"refresh_token","refresh_token":"refresh made up"}',
    ],
  ] as const)(
    'goes out as %s, in our own name, and its answer comes back as it was',
    async (body, type, sent) => {
      const seen: unknown[] = []
      const tokenUrl = await serve((incoming, response) => {
        let text = ''
        incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
        incoming.on('end', () => {
          const { 'content-type': contentType, 'user-agent': agent } = incoming.headers
          seen.push([incoming.method, contentType, agent, text])
          response.writeHead(418, { 'retry-after': '3' }).end('{"x":1}')
        })
      })
      const exchange = await endpoint().redeem(
        request(tokenUrl, { oauth: { tokenUrl, body } }),
        yes,
      )
      expect(seen).toEqual([['POST', type, 'equabot/test', sent]])
      expect(exchange).toMatchObject({
        kind: 'answered',
        answer: { status: 418, headers: { 'retry-after': '3' }, complete: true },
      })
      expect(exchange.kind === 'answered' && Buffer.from(exchange.answer.body).toString()).toBe(
        '{"x":1}',
      )
    },
  )

  test('asks before the first byte, when the connection stands', async () => {
    const received: string[] = []
    let connected = (): void => undefined
    const connection = new Promise<void>((resolve) => {
      connected = resolve
    })
    const tokenUrl = await rawServer((socket) => {
      connected()
      socket.on('data', (chunk) => {
        received.push(chunk.toString())
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
      })
    })
    const seen: unknown[] = []
    const exchange = await endpoint().redeem(request(tokenUrl), async () => {
      await connection
      seen.push(received.length)
      return true
    })
    expect(seen).toEqual([0])
    expect(exchange.kind).toBe('answered')
  })

  test('that is held back leaves nothing on the wire', async () => {
    const received: Buffer[] = []
    const tokenUrl = await rawServer((socket) => socket.on('data', (chunk) => received.push(chunk)))
    const exchange = await endpoint().redeem(request(tokenUrl), async () => false)
    expect(exchange).toEqual({ kind: 'held_back' })
    expect(received).toEqual([])
  })

  test('to a closed door, or to a name that is nowhere, was not sent and nobody was asked', async () => {
    let asked = 0
    for (const tokenUrl of ['http://127.0.0.1:1/token', 'https://nowhere.invalid/token']) {
      const exchange = await endpoint().redeem(request(tokenUrl), async () => {
        asked += 1
        return true
      })
      expect(exchange).toMatchObject({ kind: 'not_sent', reason: 'network' })
    }
    expect(asked).toBe(0)
  })

  test.each([
    ['plain http to another machine', 'http://tokens.example/token'],
    ['another scheme', 'ftp://tokens.example/token'],
    ['a password in the address', 'https://me:secret@tokens.example/token'],
    ['no address', 'tokens'],
  ])('is not sent to %s', async (_, tokenUrl) => {
    expect(isSafeUrl(tokenUrl)).toBe(false)
    expect(await endpoint().redeem(request(tokenUrl), yes)).toMatchObject({ reason: 'unsafe_url' })
  })

  test('to a door that opens and says nothing is given up, and was not sent', async () => {
    const proxy = new URL(await rawServer(() => undefined)).origin
    const at = endpoint(new Map([['HTTPS_PROXY', proxy]]))
    const redeemed = at.redeem(
      request('https://tokens.example/token', { connectTimeoutMs: 40 }),
      yes,
    )
    expect(await redeemed).toMatchObject({ kind: 'not_sent' })
  })

  test('follows no redirect', async () => {
    let requests = 0
    const tokenUrl = await serve((_, response) => {
      requests += 1
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    const exchange = await endpoint().redeem(request(tokenUrl), yes)
    expect(exchange).toMatchObject({ kind: 'answered', answer: { status: 307 } })
    expect(requests).toBe(1)
  })

  test('goes through the proxy, and one that refuses the way has sent nothing', async () => {
    const asked: string[] = []
    const proxy = await rawServer((socket) =>
      socket.once('data', (chunk) => {
        asked.push(chunk.toString().split('\r\n')[0] ?? '')
        socket.end('HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n')
      }),
    )
    const variables = new Map([['https_proxy', new URL(proxy).origin]])
    const exchange = await endpoint(variables).redeem(request('https://tokens.example/token'), yes)
    expect(asked).toEqual(['CONNECT tokens.example:443 HTTP/1.1'])
    expect(exchange).toMatchObject({ kind: 'not_sent', reason: 'network' })
  })
})

describe('an answer that does not come', () => {
  test.each([
    ['the connection is closed', (socket: Socket) => socket.end()],
    ['the connection is reset', (socket: Socket) => socket.resetAndDestroy()],
    ['something else than HTTP comes', (socket: Socket) => socket.end('hello\r\n\r\n')],
    ['nothing comes', () => undefined],
  ])('is lost: %s', async (_, talk) => {
    const tokenUrl = await rawServer((socket) => socket.once('data', () => talk(socket)))
    const exchange = await endpoint().redeem(request(tokenUrl, { totalTimeoutMs: 150 }), yes)
    expect(exchange.kind).toBe('lost')
    expect(JSON.stringify(exchange)).not.toContain('made')
  })

  const WHOLE = '{"access_token":"a","refresh_token":"r"}'
  test.each([
    ['closed', (socket: Socket) => socket.end()],
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
    ['left open', () => undefined],
  ])('is kept as far as it came: %s behind the tenth byte', async (_, end) => {
    const tokenUrl = await rawServer((socket) =>
      socket.once('data', () => {
        const head = `HTTP/1.1 200 OK\r\ncontent-length: ${WHOLE.length}\r\n\r\n`
        socket.write(head + WHOLE.slice(0, 10), () => end(socket))
      }),
    )
    // So long a total would outlast this test: what stalls is not waited for.
    const patience = { totalTimeoutMs: 60_000, stallTimeoutMs: 200 }
    const exchange = await endpoint().redeem(request(tokenUrl, patience), yes)
    // A reset may overtake even the head.
    if (exchange.kind === 'lost') return
    if (exchange.kind !== 'answered') throw new TypeError(exchange.kind)
    expect(exchange.answer.complete).toBe(false)
    expect(WHOLE.startsWith(Buffer.from(exchange.answer.body).toString())).toBe(true)
  })

  test('is read to 192 KiB and no further', async () => {
    const tokenUrl = await serve((_, response) => response.end(Buffer.alloc(1024 * 1024, 'x')))
    const exchange = await endpoint().redeem(request(tokenUrl), yes)
    if (exchange.kind !== 'answered') throw new TypeError(exchange.kind)
    expect(exchange.answer.body.length).toBe(192 * 1024)
    expect(exchange.answer.complete).toBe(false)
  })
})
