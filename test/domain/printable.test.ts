import { expect, test } from 'vitest'
import { printable, printableLine, withoutSequences } from '../../src/domain/printable.ts'

test.each([
  ['a sequence that is cut off', 'a\u001b[31', 'a'],
  ['an eight-bit string', 'a\u009d0;title\u009cb', 'ab'],
  ['a lone escape', 'a\u001bcb', 'ab'],
])('%s is taken out', (_what, text, rest) => {
  expect(withoutSequences(text)).toBe(rest)
  expect(printable(text)).toBe(rest)
})

test('a text on one line has spaces where lines broke', () => {
  expect(printableLine('one\r\n\ttwo\u2028three')).toBe('one two three')
})
