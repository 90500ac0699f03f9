import { expect, test } from 'vitest'
import { gatewayUrl, isWildcard, parsePort } from '../../src/domain/gateway-address.ts'

test.each([
  ['0', 0],
  ['18789', 18_789],
  ['65535', 65_535],
  ['65536', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['0x10', undefined],
  ['1e3', undefined],
  [' 80', undefined],
  ['', undefined],
])('%j is the port %j', (text, port) => {
  expect(parsePort(text)).toBe(port)
})

test.each([
  ['127.0.0.1', 'http://127.0.0.1:18789'],
  ['localhost', 'http://localhost:18789'],
  ['fd00::1', 'http://[fd00::1]:18789'],
  ['0.0.0.0', 'http://127.0.0.1:18789'],
  ['', 'http://127.0.0.1:18789'],
  ['::', 'http://[::1]:18789'],
])('a gateway that is bound to %j is reached at %s', (bind, url) => {
  expect(gatewayUrl({ bind, port: 18_789 })).toBe(url)
})

test.each([
  ['0.0.0.0', true],
  ['::', true],
  ['', true],
  ['127.0.0.1', false],
  ['::1', false],
])('%j means every address: %j', (bind, every) => {
  expect(isWildcard(bind)).toBe(every)
})
