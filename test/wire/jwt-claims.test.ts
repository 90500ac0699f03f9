import { expect, test } from 'vitest'

import { claimsOf } from '../../src/wire/jwt-claims.ts'

const token = (payload: string): string => `head.${Buffer.from(payload).toString('base64url')}.seal`

test('the claims of a token are read as they stand', () => {
  expect(claimsOf(token('{"sub":"me","exp":5}'))).toEqual({ sub: 'me', exp: 5 })
})

test.each([undefined, 7, '', 'opaque', 'a.b', token('no json'), token('["a list"]')])(
  'what is no token says nothing: %s',
  (text) => {
    expect(claimsOf(text)).toEqual({})
  },
)
