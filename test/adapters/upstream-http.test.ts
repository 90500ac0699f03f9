import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import type { UpstreamAnswer, UpstreamRequest } from '../../src/domain/ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { DEFAULT_SETTINGS } from '../../src/domain/settings.ts'
import type { UpstreamDeps } from '../../src/adapters/upstream-http.ts'
import { createUpstream } from '../../src/adapters/upstream-http.ts'
import type { Loopback } from './loopback.ts'
import { startLoopback } from './loopback.ts'

const SECRET = 'sk-fake-canary-0123456789'
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

async function serve(listener: RequestListener): Promise<Loopback> {
  const loopback = await startLoopback(listener)
  closing.push(() => loopback.close())
  return loopback
}

function upstream(deps: Partial<UpstreamDeps> = {}): ReturnType<typeof createUpstream> {
  const made = createUpstream({ userAgent: 'Equabot/test', ...deps })
  closing.push(() => made.close())
  return made
}

const get = (url: string, more: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  url,
  headers: {},
  secretHeaders: { authorization: new Secret(`Bearer ${SECRET}`) },
  timeouts: DEFAULT_SETTINGS.upstream,
  ...more,
})

const never = (): AbortSignal => new AbortController().signal

async function answerOf(
  sending: ReturnType<ReturnType<typeof createUpstream>['send']>,
): Promise<UpstreamAnswer> {
  const sent = await sending
  if (!sent.ok) throw new Error(sent.fault.words)
  return sent.value
}

async function bytesOf(answer: UpstreamAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('an answer', () => {
  test('of any status is an answer, with headers in lower case and bytes as they came', async () => {
    const packed = gzipSync('hello')
    const { origin } = await serve((_request, response) => {
      response
        .writeHead(
          529,
          [
            ['X-Mixed-Case', 'a'],
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
            ['Content-Encoding', 'gzip'],
          ].flat(),
        )
        .end(packed)
    })
    const answer = await answerOf(upstream().send(get(origin), never()))
    expect(answer.status).toBe(529)
    expect(answer.headers).toMatchObject({ 'x-mixed-case': 'a', 'set-cookie': ['a=1', 'b=2'] })
    expect(await bytesOf(answer)).toEqual(packed)
  })

  test('that is a redirect is not followed', async () => {
    const paths: (string | undefined)[] = []
    const { origin } = await serve((request, response) => {
      paths.push(request.url)
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    expect((await answerOf(upstream().send(get(`${origin}/a`), never()))).status).toBe(302)
    expect(paths).toEqual(['/a'])
  })

  test('that is cut makes the iteration throw', async () => {
    const { origin } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    })
    const answer = await answerOf(upstream().send(get(origin), never()))
    await expect(bytesOf(answer)).rejects.toThrow()
  })

  test('that is cut before anybody reads throws at the reader, not at the process', async () => {
    const cut = deferred()
    const { origin } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
      response.once('close', () => cut.resolve(undefined))
    })
    const answer = await answerOf(upstream().send(get(origin), never()))
    await cut.promise
    await expect(bytesOf(answer)).rejects.toThrow()
  })

  test('that nobody reads to its end closes the connection', async () => {
    const gone = deferred()
    const { origin } = await serve((_request, response) => {
      response.once('close', () => gone.resolve(undefined))
      response.write('first')
    })
    const answer = await answerOf(upstream().send(get(origin), never()))
    for await (const chunk of answer.body) {
      expect(Buffer.from(chunk).toString()).toBe('first')
      break
    }
    await gone.promise
  })
})

describe('a request', () => {
  test('carries its body, its headers and our user agent', async () => {
    const seen = deferred<{ headers: IncomingMessage['headers']; body: string }>()
    const { origin } = await serve(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      seen.resolve({ headers: request.headers, body })
      response.end()
    })
    const body = new TextEncoder().encode('{"model":"é"}')
    await answerOf(upstream().send(get(origin, { body }), never()))
    const { headers, body: received } = await seen.promise
    expect(received).toBe('{"model":"é"}')
    expect(headers).toMatchObject({
      authorization: `Bearer ${SECRET}`,
      'user-agent': 'Equabot/test',
      'content-length': String(body.length),
    })
  })

  test('keeps the user agent that it names', async () => {
    const { origin } = await serve((request, response) => {
      response.end(request.headers['user-agent'])
    })
    const headers = { 'User-Agent': 'client/1' }
    const answer = await answerOf(upstream().send(get(origin, { headers }), never()))
    expect((await bytesOf(answer)).toString()).toBe('client/1')
  })

  test('to the sandbox starts it, and goes to its path there', async () => {
    const { origin } = await serve((request, response) => {
      response.end(request.url)
    })
    let starts = 0
    const sandboxOrigin = async (): Promise<string> => {
      starts += 1
      return origin
    }
    const sender = upstream({ sandboxOrigin })
    expect(starts).toBe(0)
    const answer = await answerOf(sender.send(get('http://sandbox.invalid/v1/x?y=1'), never()))
    expect((await bytesOf(answer)).toString()).toBe('/v1/x?y=1')
  })

  test('that is cancelled closes the connection at once', async () => {
    const arrived = deferred()
    const gone = deferred()
    const { origin } = await serve((_request, response) => {
      arrived.resolve(undefined)
      response.once('close', () => gone.resolve(undefined))
    })
    const stop = new AbortController()
    const sending = upstream().send(get(origin), stop.signal)
    await arrived.promise
    stop.abort()
    expect(await sending).toMatchObject({ ok: false, fault: { reason: 'cancelled' } })
    await gone.promise
  })

  test('that is cancelled in mid-answer ends the answer and closes the connection', async () => {
    const gone = deferred()
    const { origin } = await serve((_request, response) => {
      response.once('close', () => gone.resolve(undefined))
      response.write('first')
    })
    const stop = new AbortController()
    const answer = await answerOf(upstream().send(get(origin), stop.signal))
    const reading = (async (): Promise<void> => {
      for await (const _chunk of answer.body) stop.abort()
    })()
    await expect(reading).rejects.toThrow()
    await gone.promise
  })

  test('that was cancelled beforehand is not sent', async () => {
    const { origin } = await serve(() => expect.unreachable())
    expect(await upstream().send(get(origin), AbortSignal.abort())).toMatchObject({
      fault: { reason: 'cancelled' },
    })
  })
})

describe('no answer', () => {
  test('from a port where nobody listens is a network failure that names the host', async () => {
    const loopback = await startLoopback(() => undefined)
    await loopback.close()
    const host = new URL(loopback.origin).host
    expect(await upstream().send(get(loopback.origin), never())).toEqual({
      ok: false,
      fault: {
        reason: 'network',
        words: `nothing answers at ${host} (ECONNREFUSED)`,
        unreachable: true,
      },
    })
  })

  test('within the time for the first byte is a timeout', async () => {
    const { origin } = await serve(() => undefined)
    const timeouts = { ...DEFAULT_SETTINGS.upstream, firstByteTimeoutMs: 20 }
    expect(await upstream().send(get(origin, { timeouts }), never())).toMatchObject({
      ok: false,
      fault: { reason: 'timeout' },
    })
  })

  test('but a pause in mid-answer makes the iteration throw', async () => {
    const { origin } = await serve((_request, response) => {
      response.write('first')
    })
    const timeouts = { ...DEFAULT_SETTINGS.upstream, idleTimeoutMs: 20 }
    const answer = await answerOf(upstream().send(get(origin, { timeouts }), never()))
    await expect(bytesOf(answer)).rejects.toThrow(/timeout/i)
  })

  test('but bytes that are not HTTP are a failure of the server', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => socket.end('SSH-2.0-fake\r\n\r\n'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as AddressInfo
    expect(await upstream().send(get(`http://127.0.0.1:${port}`), never())).toMatchObject({
      ok: false,
      fault: { reason: 'server_error' },
    })
  })

  test.each([
    [
      'a header that cannot be sent',
      'http://127.0.0.1:9',
      { authorization: new Secret(`Bearer ${SECRET}\nx`) },
    ],
    ['an address that is none', 'nonsense', {}],
    ['an address with a password', `http://u:${SECRET}@127.0.0.1:1`, {}],
  ])('for %s never shows the secret', async (_what, url, secretHeaders) => {
    const sent = await upstream().send(get(url, { secretHeaders }), never())
    expect(sent.ok).toBe(false)
    expect(JSON.stringify(sent)).not.toContain(SECRET)
  })

  test('after closing opens new connections', async () => {
    const { origin } = await serve((_request, response) => response.end('x'))
    const sender = upstream()
    await answerOf(sender.send(get(origin), never()))
    await sender.close()
    expect((await sender.send(get(origin), never())).ok).toBe(true)
  })
})

describe('a proxy', () => {
  async function proxy(): Promise<{ origin: string; asked: string[] }> {
    const asked: string[] = []
    const loopback = await serve((_request, response) => response.writeHead(500).end())
    loopback.server.on('connect', (request, socket) => {
      asked.push(request.url ?? '')
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    })
    return { origin: loopback.origin, asked }
  }

  test.each(['https_proxy', 'HTTPS_PROXY'])(
    'named by %s is asked for other hosts',
    async (name) => {
      const { origin, asked } = await proxy()
      const sender = upstream({ proxyVariables: new Map([[name, origin]]) })
      const sent = await sender.send(get('https://api.example.test/v1'), never())
      expect(asked).toEqual(['api.example.test:443'])
      expect(sent).toMatchObject({ ok: false, fault: { reason: 'network' } })
      expect(JSON.stringify(sent)).toContain('proxy')
    },
  )

  test('is not asked for loopback hosts', async () => {
    const { origin, asked } = await proxy()
    const direct = await serve((_request, response) => response.end('direct'))
    const sender = upstream({ proxyVariables: new Map([['http_proxy', origin]]) })
    const answer = await answerOf(sender.send(get(direct.origin), never()))
    expect((await bytesOf(answer)).toString()).toBe('direct')
    expect(asked).toEqual([])
  })

  test('that is no address is a failure without its text', async () => {
    const sender = upstream({ proxyVariables: new Map([['https_proxy', `u:${SECRET}@nowhere`]]) })
    const sent = await sender.send(get('https://api.example.test/v1'), never())
    expect(sent).toMatchObject({ ok: false })
    expect(JSON.stringify(sent)).not.toContain(SECRET)
  })
})

function deferred<T = unknown>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
} {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
