import { expect, test } from 'vitest'
import { urlProblem } from '../../src/wire/provider-url.ts'

test.each([
  'https://api.example.com/v1',
  'http://127.0.0.1:11434/v1',
  'http://localhost:8080',
  'http://[::1]:1/',
  'http://[::ffff:10.0.0.1]/',
  'http://[fd00::1]/',
  'http://10.1.2.3',
  'http://172.16.0.9/v1',
  'http://192.168.0.2',
  'http://nas.local/v1',
  'http://gpu-box:8000',
  'http://2130706433/',
])('%s may be an address of a provider', (url) => {
  expect(urlProblem(url)).toBeUndefined()
})

test.each([
  ['http://api.example.com', 'must be https (a key would travel in the clear)'],
  ['http://172.32.0.1', 'must be https (a key would travel in the clear)'],
  ['http://127.0.0.1.evil.example', 'must be https (a key would travel in the clear)'],
  ['http://[2001:db8::1]/', 'must be https (a key would travel in the clear)'],
  ['ftp://example.com', 'must be a URL that begins with https://'],
  ['example.com', 'must be a URL that begins with https://'],
  ['https://u:p@example.com', 'must not hold a user name or a password'],
  ['https://example.com/?key=x', 'must not hold a query or a fragment'],
])('%s may not', (url, problem) => {
  expect(urlProblem(url)).toBe(problem)
})
