import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pieces, sandboxReply } from '../../../src/adapters/sandbox/replies.ts'

test('whatever is said, the reply says that it is the sandbox, and is the same every time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (message) => {
      const reply = sandboxReply(message)
      expect(reply).toContain("Equabot's sandbox, not a real model")
      expect(sandboxReply(message)).toBe(reply)
    }),
  )
})

test.each(['help', ' Help! ', 'what can you do?'])('%s lists what to try', (message) => {
  expect(sandboxReply(message)).toContain('count to 10')
})

test('it counts, up to 200', () => {
  expect(sandboxReply('please count to 3')).toContain('It counts: 1 2 3.')
  expect(sandboxReply('count to 999999')).toMatch(/ 199 200\. It stops at 200\.$/)
  expect(sandboxReply('count to 0')).toContain('nothing')
})

test('it shows a markdown table and a code block', () => {
  expect(sandboxReply('show me a Markdown table')).toContain('| sandbox-ok | 200 |')
  expect(sandboxReply('a code block please')).toContain('```js')
})

test('anything else is said back with its size', () => {
  expect(sandboxReply('hello wörld')).toContain('You said: "hello wörld" (2 words, 11 characters).')
  expect(sandboxReply('x')).toContain('(1 word, 1 character)')
  expect(sandboxReply('  \n')).toContain('Your message was empty')
})

test('a long message is said back in part and counted whole', () => {
  const reply = sandboxReply('x'.repeat(3_000))
  expect(reply).toContain('x…" (1 word, 3000 characters)')
  expect(reply.length).toBeLessThan(2_200)
})

test('pieces are a word each and join to the whole', () => {
  expect(pieces('one two\nthree ')).toEqual(['one', ' two', '\nthree '])
  expect(pieces(' '.repeat(1_000_000))).toEqual([])
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(text.trim() !== '')
      expect(pieces(text).join('')).toBe(text)
    }),
  )
})
