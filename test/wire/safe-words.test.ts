import fc from 'fast-check'
import { expect, test } from 'vitest'
import { safeWords } from '../../src/wire/safe-words.ts'

test.each([
  ['a colour', '\u001b[31mred\u001b[0m', 'red'],
  ['a window title', 'a\u001b]0;title\u0007b', 'ab'],
  ['a link', '\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\', 'text'],
  ['an eight-bit escape', '\u009b2Jx', 'x'],
  ['an eight-bit window title', 'a\u009d0;title\u009cb', 'ab'],
  ['an escape that is cut off', 'a\u001b[31', 'a'],
  ['a line break', 'one\r\n\ttwo', 'one two'],
  ['reversed text', 'abc\u202Edef', 'abcdef'],
])('%s is taken out', (_what, text, words) => {
  expect(safeWords(text)).toBe(words)
})

test.each([
  'sk-ant-oat01-AAAAfakefakefakefake',
  'sk-proj-********wxyz',
  'sk-ab***9z',
  'gsk_fakefakefake1234',
  'AIzaFAKEfakeFAKEfake',
  'eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl',
  'a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0a1',
  'sk-ant-\u200Bapi03-fakefakefakefake',
])('what looks like the secret %s is masked', (secret) => {
  expect(safeWords(`Incorrect API key provided: ${secret}.`)).toMatch(
    /^Incorrect API key provided: \[secret\]\.?$/,
  )
})

test('a bearer token of any form is masked', () => {
  expect(safeWords('got Authorization: Bearer hunter2hunter2')).toBe(
    'got Authorization: Bearer [secret]',
  )
})

test('ordinary words, models and request ids stay', () => {
  const words = 'model: claude-sonnet-5 (request req_011CSHoEeqs5C35K2UUqR7Fy) x-api-key'
  expect(safeWords(words)).toBe(words)
})

test('a long text ends in an ellipsis and splits no character', () => {
  expect(safeWords('😀'.repeat(301))).toBe(`${'😀'.repeat(299)}…`)
})

test('whatever comes in, what comes out is one printable line of bounded length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 900 }), (text) => {
      const words = safeWords(text)
      expect(words).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      expect([...words].length).toBeLessThanOrEqual(300)
    }),
  )
})
