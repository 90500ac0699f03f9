import fc from 'fast-check'
import { expect, test } from 'vitest'

import { maskRuns } from '../../src/domain/secret-runs.ts'
import { Secret } from '../../src/domain/secret.ts'

const secret = new Secret('rt/ABCDEFGH+ijklmnop=0123456789')

test.each([
  ['whole', secret.reveal()],
  ['percent-encoded', encodeURIComponent(secret.reveal())],
  ['without its last character', secret.reveal().slice(0, -1)],
  ['its end alone', secret.reveal().slice(-12)],
])('a secret that is repeated is taken out: %s', (_, repeated) => {
  const masked = maskRuns(`bad token ${repeated} was sent`, secret)
  expect(masked).toBe('bad token [secret] was sent')
})

test('other words stay as they are', () => {
  expect(maskRuns('refresh token not found', secret)).toBe('refresh token not found')
  expect(maskRuns('', secret)).toBe('')
  expect(maskRuns('short abc', new Secret('abc'))).toBe('short [secret]')
})

test('no eight characters in a row of a secret get through', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 12, maxLength: 60 }),
      fc.string(),
      fc.nat(20),
      (text, around, from) => {
        const masked = maskRuns(`${around}${text.slice(from)}${around}`, new Secret(text))
        for (let start = 0; start + 8 <= text.length; start += 1) {
          const run = text.slice(start, start + 8)
          expect(masked.replaceAll('[secret]', '\u0000').includes(run)).toBe(false)
        }
      },
    ),
  )
})
