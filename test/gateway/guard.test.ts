import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'
import type { Caller } from '../../src/gateway/guard.ts'
import { createGuard } from '../../src/gateway/guard.ts'

const TOKEN = 'fake-gateway-token'
const guard = createGuard({
  port: 18_789,
  bind: '127.0.0.1',
  allowedHosts: ['box.lan', 'proxy.lan:8443'],
  allowedOrigins: ['https://page.example'],
  token: new Secret(TOKEN),
})

function caller(headers: readonly (readonly [string, string])[], url = '/v1/messages'): Caller {
  return { rawHeaders: headers.flat(), url }
}

const admits = (...headers: (readonly [string, string])[]): boolean =>
  guard.admits(caller(headers)).ok
const knows = (...headers: (readonly [string, string])[]): boolean =>
  guard.knows(caller(headers)).ok

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
  test('is taken as a bearer or as an API key, also when the other place holds something else', () => {
    expect(knows(['Authorization', `Bearer ${TOKEN}`])).toBe(true)
    expect(knows(['authorization', `bearer ${TOKEN}`])).toBe(true)
    expect(knows(['X-Api-Key', TOKEN])).toBe(true)
    expect(knows(['authorization', 'Bearer other'], ['x-api-key', TOKEN])).toBe(true)
    expect(knows(['x-api-key', 'other'], ['x-api-key', TOKEN])).toBe(true)
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
    ["a provider's own token", [['authorization', 'Bearer sk-ant-oat01-fake']]],
    ['a list in one value', [['x-api-key', `${TOKEN}, ${TOKEN}`]]],
  ] as const)('%s is refused with 401', (_what, headers) => {
    const verdict = guard.knows(caller(headers))
    expect(verdict).toEqual({ ok: false, fault: { code: 'EQ_CALLER_UNKNOWN' } })
  })
})
