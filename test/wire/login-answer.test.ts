import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseLoginAnswer, readLoginAnswer } from '../../src/wire/login-answer.ts'

const REDIRECT = 'http://127.0.0.1:50123/callback'
const AGREED = { state: 'fake-state', outcome: { kind: 'agreed', code: 'fake-code' } }

const parsed = (text: string): unknown => {
  const answer = parseLoginAnswer(text, REDIRECT)
  return answer.ok ? answer.value : answer.fault
}

describe('a pasted answer', () => {
  test.each([
    ['the whole address', `${REDIRECT}?code=fake-code&state=fake-state`],
    ['with blanks around it', `  ${REDIRECT}?code=fake-code&state=fake-state\r\n`],
    ['wrapped by the terminal', `${REDIRECT}?code=fake-\n   code&state=fake-state`],
    ['with a fragment', `${REDIRECT}?code=fake-code&state=fake-state#`],
    ['with more parameters', `${REDIRECT}?scope=chat&code=fake-code&state=fake-state`],
    ['code and state', 'fake-code#fake-state'],
    ['code and state, wrapped', 'fake-code#fake\n-state\n'],
  ])('is taken as %s', (_how, text) => {
    expect(parsed(text)).toEqual(AGREED)
  })

  test.each([
    ['nothing', ''],
    ['a bare code', 'fake-code'],
    ['a code with an empty state', 'fake-code#'],
    ['a state alone', '#fake-state'],
    ['more than two parts', 'a#b#c'],
    ['an address of another place', 'http://127.0.0.1:50124/callback?code=a&state=b'],
    ['an address of another path', 'http://127.0.0.1:50123/other?code=a&state=b'],
    ['the address of the page itself', 'https://login.example.com/authorize?state=fake-state'],
    ['an address without a code', `${REDIRECT}?state=fake-state`],
    ['an address with two codes', `${REDIRECT}?code=a&code=b&state=fake-state`],
    ['an address with two states', `${REDIRECT}?code=a&state=b&state=fake-state`],
    ['both a code and an error', `${REDIRECT}?code=a&error=b&state=fake-state`],
    ['a broken address', 'http://[?code=a'],
  ])('is not %s', (_what, text) => {
    expect(parsed(text)).toBe('the whole address of the last page, or code#state')
  })

  test('may be any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(() => parseLoginAnswer(text, REDIRECT)).not.toThrow()
      }),
    )
  })

  test('of code and state gives both back, whatever they hold', () => {
    const part = fc.stringMatching(/^[\x21-\x22\x24-\x39\x3b-\x7e]{1,80}$/)
    fc.assert(
      fc.property(part, part, (code, state) => {
        expect(parsed(`${code}#${state}`)).toEqual({ state, outcome: { kind: 'agreed', code } })
      }),
    )
  })
})

test('a refusal is read with words that are safe to print', () => {
  const answer = readLoginAnswer(
    new URLSearchParams({
      state: 'fake-state',
      error: '<script>alert(1)</script>\u001b[31m',
      error_description: `no\nway sk-fake-${'a1'.repeat(20)}`,
    }),
  )
  expect(answer?.outcome).toEqual({
    kind: 'denied',
    error: '<script>alert(1)</script>',
    words: 'no way [secret]',
  })
})

test('who says that it answers is kept', () => {
  const parameters = new URLSearchParams('code=a&state=b&iss=https%3A%2F%2Flogin.example.com')
  expect(readLoginAnswer(parameters)?.issuer).toBe('https://login.example.com')
})
