import { expect, test } from 'vitest'
import { isSecure } from '../../src/wire/secure-url.ts'

test.each([
  ['https://login.example.com/token', true],
  ['http://127.0.0.1:8080/token', true],
  ['http://127.1.2.3/token', true],
  ['http://[::1]:8080/token', true],
  ['http://localhost/token', true],
  ['http://2130706433/token', true],
  ['http://login.example.com/token', false],
  ['http://192.168.1.1/token', false],
  ['http://127.0.0.1.example.com/token', false],
  ['http://localhost.example.com/token', false],
  ['http://[::ffff:7f00:1]/token', false],
  ['https://user:word@login.example.com/token', false],
  ['https://user@login.example.com/token', false],
  ['file:///etc/passwd', false],
  ['javascript:alert(1)', false],
  ['ftp://127.0.0.1/token', false],
])('%s: a login may travel there is %s', (url, expected) => {
  expect(isSecure(new URL(url))).toBe(expected)
})
