import { expect, test } from 'vitest'
import { isRecord, valueAt } from '../../src/domain/plain-data.ts'

test('a record is an object that is no list', () => {
  expect(isRecord({})).toBe(true)
  for (const value of [null, undefined, [], 'x', 1]) expect(isRecord(value)).toBe(false)
})

test('a value is found by its path, and nothing inherited is', () => {
  const data = { a: { 'b.c': 1 } }
  expect(valueAt(data, ['a', 'b.c'])).toBe(1)
  expect(valueAt(data, [])).toBe(data)
  expect(valueAt(data, ['a', 'x', 'y'])).toBeUndefined()
  expect(valueAt(data, ['a', 'constructor'])).toBeUndefined()
  expect(valueAt(data, ['__proto__'])).toBeUndefined()
})
