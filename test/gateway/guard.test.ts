import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'
import type { Fault } from '../../src/domain/fault.ts'
import type { Asking, Guard } from '../../src/gateway/guard.ts'
import { createGuard } from '../../src/gateway/guard.ts'
import { fakeApp } from './fake-app.ts'

const TOKEN = 'fake-gateway-token'
const { app } = fakeApp()
const OPTIONS = {
  port: 18_789,
  bind: '127.0.0.1',
  allowedHosts: ['box.lan', 'proxy.lan:8443'],
  allowedOrigins: ['https://page.example'],
  token: new Secret(TOKEN),
}
const UNREADABLE: Fault = { code: 'EQ_STORE_UNREADABLE', path: '/state/clients.json', errno: 'EIO' }
const freshGuard = (): Guard => createGuard({ ...OPTIONS, app })
const guard = freshGuard()

function caller(headers: readonly (readonly [string, string])[], url = '/v1/messages'): Asking {
  return { rawHeaders: headers.flat(), url }
}

const admits = (...headers: (readonly [string, string])[]): boolean =>
  guard.admits(caller(headers)).ok

describe('the Host of a request', () => {
  test.each([
    '127.0.0.1:18789',
    '127.0.0.1',
    'localhost:18789',
    'localhost',
    '[::1]:18789',
    '[::1]',
    'box.lan',
    'box.lan:18789',
    'proxy.lan:8443',
  ])('%s is one of our names', (host) => {
    expect(admits(['Host', host])).toBe(true)
  })

  test.each([
    'evil.example',
    'evil.example:18789',
    '127.0.0.1.evil.example',
    '127.0.0.1:80',
    '127.1',
    '2130706433',
    '0',
    '0.0.0.0:18789',
    '127.0.0.1.',
    'localhost.',
    'LOCALHOST',
    'localhost:18789 ',
    'localhost@evil.example',
    'proxy.lan',
    '',
  ])('"%s" is refused with 421', (host) => {
    const verdict = guard.admits(caller([['host', host]]))
    expect(verdict).toMatchObject({ ok: false, fault: { code: 'EQ_CALLER_HOST' } })
  })

  test('a request without a Host, or with two, is refused', () => {
    expect(admits()).toBe(false)
    expect(admits(['Host', 'localhost'], ['host', 'localhost'])).toBe(false)
    expect(admits(['Host', 'localhost'], ['host', 'evil.example'])).toBe(false)
  })

  test('a target of absolute form counts as much as the header', () => {
    const host = [['Host', 'localhost']] as const
    expect(guard.admits(caller(host, 'http://evil.example/v1/messages')).ok).toBe(false)
    expect(guard.admits(caller(host, 'evil.example:443')).ok).toBe(false)
    expect(guard.admits(caller(host, 'http://localhost:18789/v1/messages')).ok).toBe(true)
  })

  test('an address that stands for all of them is no name', () => {
    const open = createGuard({
      port: 1,
      bind: '0.0.0.0',
      allowedHosts: [],
      allowedOrigins: [],
      token: new Secret(TOKEN),
      app,
    })
    expect(open.admits(caller([['host', '0.0.0.0:1']])).ok).toBe(false)
    expect(open.admits(caller([['host', '127.0.0.1:1']])).ok).toBe(true)
  })

  test('the address that is listened on is a name', () => {
    const bound = createGuard({
      port: 1,
      bind: '192.168.7.7',
      allowedHosts: [],
      allowedOrigins: [],
      token: new Secret(TOKEN),
      app,
    })
    expect(bound.admits(caller([['host', '192.168.7.7:1']])).ok).toBe(true)
  })
})

describe('the Origin of a request', () => {
  const host = ['Host', 'localhost'] as const

  test('may be absent, or one that was allowed', () => {
    expect(admits(host)).toBe(true)
    expect(admits(host, ['Origin', 'https://page.example'])).toBe(true)
  })

  test.each([
    'null',
    '',
    'https://evil.example',
    'https://page.example.evil.example',
    'https://page.example:8443',
    'http://page.example',
    'https://evil.example,https://page.example',
    'http://localhost:18789',
  ])('"%s" is refused with 403', (origin) => {
    const verdict = guard.admits(caller([host, ['origin', origin]]))
    expect(verdict).toMatchObject({ ok: false, fault: { code: 'EQ_CALLER_ORIGIN', origin } })
  })

  test('of two, both must be allowed', () => {
    expect(admits(host, ['Origin', 'https://page.example'], ['Origin', 'null'])).toBe(false)
  })
})

describe('the token of a caller', () => {
  test('is taken as a bearer or as an API key, also when the other place holds something else', async () => {
    for (const headers of [
      [['Authorization', `Bearer ${TOKEN}`]],
      [['authorization', `bearer ${TOKEN}`]],
      [['X-Api-Key', TOKEN]],
      [
        ['authorization', 'Bearer other'],
        ['x-api-key', TOKEN],
      ],
      [
        ['x-api-key', 'other'],
        ['x-api-key', TOKEN],
      ],
    ] as const) {
      expect(await guard.knows(caller(headers))).toEqual({ ok: true, value: { kind: 'admin' } })
    }
  })

  test.each([
    ['nothing', []],
    ['an empty bearer', [['authorization', 'Bearer ']]],
    ['an empty key', [['x-api-key', '']]],
    ['the bare token', [['authorization', TOKEN]]],
    ['basic auth', [['authorization', `Basic ${TOKEN}`]]],
    ['a longer one', [['authorization', `Bearer ${TOKEN}x`]]],
    ['a shorter one', [['x-api-key', TOKEN.slice(0, -1)]]],
    ['the same length in other characters', [['x-api-key', 'é'.repeat(TOKEN.length)]]],
    ['a letter beyond ASCII', [['authorization', 'Bearer abé']]],
    ['a mebibyte', [['x-api-key', 'a'.repeat(1024 * 1024)]]],
    ['a list in one value', [['x-api-key', `${TOKEN}, ${TOKEN}`]]],
  ] as const)('%s is refused with 401', async (_what, headers) => {
    expect(await freshGuard().knows(caller(headers))).toEqual({
      ok: false,
      fault: { code: 'EQ_CALLER_UNKNOWN' },
    })
  })

  test.each([
    ['sk-ant-oat01-fake', 'claude_login'],
    ['sk-ant-ort01-fake', 'claude_login'],
    ['sk-ant-api03-fake', 'anthropic_key'],
    ['sk-proj-fake', 'openai_key'],
    ['sk-or-v1-fake', 'other_key'],
    ['gsk_fake', 'other_key'],
    ['eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIn0.x', 'signed_token'],
  ] as const)('%s is told to be %s, and never repeated', async (secret, what) => {
    for (const headers of [
      [['authorization', `Bearer ${secret}`]],
      [['x-api-key', secret]],
    ] as const) {
      const verdict = await freshGuard().knows(caller(headers))
      expect(verdict).toEqual({ ok: false, fault: { code: 'EQ_CALLER_SECRET', what } })
    }
  })

  test('the secret of a provider beside a right key does not count', async () => {
    const headers = [
      ['authorization', 'Bearer sk-ant-oat01-fake'],
      ['x-api-key', TOKEN],
    ] as const
    expect((await guard.knows(caller(headers))).ok).toBe(true)
  })
})

describe('a key of a client', () => {
  test('is known as its client until it is revoked, rotated or ends', async () => {
    const { app, clock } = fakeApp()
    const judge = createGuard({ ...OPTIONS, app })
    const knownBy = async (key: Secret): Promise<unknown> =>
      judge.knows(caller([['authorization', `Bearer ${key.reveal()}`]]))
    const issued = await app.clients.add('laptop', { expiresAt: clock.now() + 60_000 })
    if (!issued.ok) throw new Error(issued.fault.code)
    const { key, client } = issued.value
    expect(await knownBy(key)).toEqual({ ok: true, value: { kind: 'client', client } })

    const rotated = await app.clients.rotate('laptop')
    if (!rotated.ok) throw new Error(rotated.fault.code)
    expect(await knownBy(key)).toMatchObject({ fault: { code: 'EQ_CALLER_UNKNOWN' } })
    expect(await knownBy(rotated.value.key)).toMatchObject({ ok: true })

    clock.advance(60_000)
    expect(await knownBy(rotated.value.key)).toMatchObject({ fault: { code: 'EQ_CLIENT_EXPIRED' } })
    await app.clients.revoke('laptop')
    expect(await knownBy(rotated.value.key)).toMatchObject({ fault: { code: 'EQ_CALLER_UNKNOWN' } })
  })

  test('is refused while the clients cannot be read, and the log says why', async () => {
    const { app, log } = fakeApp()
    const holder = async () => ({ ok: false, fault: UNREADABLE }) as const
    const judge = createGuard({ ...OPTIONS, app: { ...app, clients: { ...app.clients, holder } } })
    const sent = caller([['authorization', 'Bearer eqb-fake']])
    expect(await judge.knows(sent)).toMatchObject({ fault: { code: 'EQ_CLIENTS_UNREADABLE' } })
    expect(log.lines).toMatchObject([{ event: 'clients.unreadable' }])
    expect((await judge.knows(caller([['x-api-key', TOKEN]]))).ok).toBe(true)
  })
})

describe('wrong keys', () => {
  const from = (address: string, key: string): Asking => ({
    ...caller([['authorization', `Bearer ${key}`]]),
    socket: { remoteAddress: address },
  })

  test('beyond ten a minute from one address are answered with 429; a right one still serves', async () => {
    const { app, clock } = fakeApp()
    const judge = createGuard({ ...OPTIONS, app })
    const codes: string[] = []
    for (let index = 0; index < 12; index += 1) {
      // The same caller, in the two coats of its address.
      const address = index % 2 === 0 ? '10.0.0.7' : '::ffff:10.0.0.7'
      const verdict = await judge.knows(from(address, `eqb-wrong-${index}`))
      codes.push(verdict.ok ? 'ok' : verdict.fault.code)
    }
    expect(codes.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'EQ_CALLER_UNKNOWN'))
    expect(codes.slice(10)).toEqual(['EQ_CALLER_TRIES', 'EQ_CALLER_TRIES'])
    expect((await judge.knows(from('10.0.0.7', TOKEN))).ok).toBe(true)
    expect(await judge.knows(from('10.0.0.8', 'wrong'))).toMatchObject({
      fault: { code: 'EQ_CALLER_UNKNOWN' },
    })
    clock.advance(60_000)
    expect(await judge.knows(from('10.0.0.7', 'wrong'))).toMatchObject({
      fault: { code: 'EQ_CALLER_UNKNOWN' },
    })
  })

  test('whoever sends none has not guessed one', async () => {
    const judge = freshGuard()
    for (let index = 0; index < 20; index += 1) {
      expect(await judge.knows(caller([]))).toMatchObject({ fault: { code: 'EQ_CALLER_UNKNOWN' } })
    }
  })
})
