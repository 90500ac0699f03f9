import { expect, test } from 'vitest'
import { EquabotError, orThrow } from '../../src/domain/equabot-error.ts'
import { fail, ok } from '../../src/domain/result.ts'

test('orThrow gives the value of a success', () => {
  expect(orThrow(ok(7))).toBe(7)
})

test('orThrow throws an EquabotError with the code, the message and the hint of the fault', () => {
  const attempt = (): unknown => orThrow(fail({ code: 'EQ_DURATION_INVALID', text: 'soon' }))
  expect(attempt).toThrow(EquabotError)
  expect(attempt).toThrow('"soon" is not a length of time')
  expect(new EquabotError({ code: 'EQ_DURATION_INVALID', text: 'soon' })).toMatchObject({
    name: 'EquabotError',
    code: 'EQ_DURATION_INVALID',
    hint: 'Write it like 365d, 12h or 90m',
    fault: { code: 'EQ_DURATION_INVALID', text: 'soon' },
  })
})
