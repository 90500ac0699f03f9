import { request } from 'node:http'
import { createServer } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { CallbackJudge, CallbackServer } from '../../src/adapters/callback-server.ts'
import { startCallbackServer } from '../../src/adapters/callback-server.ts'

const open: CallbackServer[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

async function start(judge: CallbackJudge): Promise<CallbackServer> {
  const server = await startCallbackServer(judge)
  open.push(server)
  return server
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** A request whose address and headers nothing corrects. */
async function ask(
  redirectUri: string,
  given: {
    readonly path?: string
    readonly host?: string
    readonly hostname?: string
    readonly method?: string
  } = {},
): Promise<Answer> {
  const { hostname, port, host } = new URL(redirectUri)
  return new Promise((resolve, reject) => {
    request(
      {
        hostname: given.hostname ?? hostname,
        port,
        path: given.path ?? '/callback?code=a&state=b',
        method: given.method ?? 'GET',
        headers: { host: given.host ?? host },
        agent: false,
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => (body += text))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        )
      },
    )
      .on('error', reject)
      .end()
  })
}

test('the parameters of an answer reach the judge, and its word decides the page', async () => {
  const judge = vi.fn<CallbackJudge>(() => 'agreed')
  const { redirectUri } = await start(judge)
  expect(redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/)
  const agreed = await ask(redirectUri)
  expect(agreed).toMatchObject({ status: 200 })
  expect(agreed.body).toContain('Equabot has the answer')
  expect(judge.mock.calls[0]?.[0].toString()).toBe('code=a&state=b')
  judge.mockReturnValueOnce('refused')
  expect(await ask(redirectUri)).toMatchObject({ status: 400 })
  judge.mockReturnValueOnce('denied')
  expect((await ask(redirectUri)).body).toContain('did not agree')
})

test.each(['agreed', 'denied', 'refused'] as const)(
  'a page echoes nothing and may load nothing (%s)',
  async (outcome) => {
    const { redirectUri } = await start(() => outcome)
    const hostile = '/callback?error=%3Cscript%3Ealert(1)%3C/script%3E&state=canary&code=canary'
    const page = await ask(redirectUri, { path: hostile })
    expect(page.body).not.toMatch(/script|alert|canary/)
    expect(page.headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    expect(JSON.stringify(page.headers)).not.toContain('canary')
  },
)

test.each([
  ['another path', { path: '/?code=a&state=b' }],
  ['a longer path', { path: '/callback/x?code=a&state=b' }],
  ['a whole address', { path: 'http://127.0.0.1/callback?code=a&state=b' }],
  ['two slashes', { path: '//callback?code=a&state=b' }],
  ['another host', { host: 'evil.example.com' }],
  ['another port', { host: '127.0.0.1:1' }],
  ['no port', { host: '127.0.0.1' }],
  ['a name for this machine', { host: 'localhost' }],
  ['another method', { method: 'POST' }],
])('%s gets nothing, and the judge does not hear of it', async (_what, given) => {
  const judge = vi.fn<CallbackJudge>(() => 'agreed')
  const { redirectUri } = await start(judge)
  const answer = await ask(redirectUri, given)
  expect([404, 405]).toContain(answer.status)
  expect(judge).not.toHaveBeenCalled()
})

const hasIpv6 = await new Promise<boolean>((resolve) => {
  const probe = createServer()
  probe.once('error', () => resolve(false))
  probe.listen(0, '::1', () => probe.close(() => resolve(true)))
})

test.runIf(hasIpv6)('the same port of ::1 is held too, under its own Host only', async () => {
  const { redirectUri } = await start(() => 'agreed')
  const { port } = new URL(redirectUri)
  const six = { hostname: '::1' }
  expect(await ask(redirectUri, { ...six, host: `[::1]:${port}` })).toMatchObject({ status: 200 })
  expect(await ask(redirectUri, { ...six, host: `127.0.0.1:${port}` })).toMatchObject({
    status: 404,
  })
})

test('two servers have two ports, and a closed one answers no more', async () => {
  const first = await start(() => 'agreed')
  const second = await start(() => 'agreed')
  expect(first.redirectUri).not.toBe(second.redirectUri)
  await first.close()
  await expect(ask(first.redirectUri)).rejects.toThrow('ECONNREFUSED')
  expect(await ask(second.redirectUri)).toMatchObject({ status: 200 })
})
