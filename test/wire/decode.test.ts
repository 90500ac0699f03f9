import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { decode, decodeOrDrop, parseJson } from '../../src/wire/decode.ts'

const Shape = v.strictObject({
  name: v.string(),
  count: v.optional(v.number()),
  colour: v.optional(v.picklist(['red', 'blue'])),
  inner: v.optional(v.object({ list: v.array(v.boolean()) })),
  code: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => text.length === 3, 'three letters'),
    ),
  ),
})

describe('decoding', () => {
  it('gives the value that fits', () => {
    expect(decode(Shape, { name: 'a' })).toEqual({ ok: true, value: { name: 'a' } })
  })

  it.each([
    [{}, 'name', 'a value'],
    [{ name: 1 }, 'name', 'text'],
    [{ name: 'a', count: '1' }, 'count', 'a number'],
    [{ name: 'a', colour: 'green' }, 'colour', 'one of "red", "blue"'],
    [{ name: 'a', inner: { list: [true, 1] } }, 'inner.list.1', 'true or false'],
    [{ name: 'a', inner: 1 }, 'inner', 'an object'],
    [{ name: 'a', code: 'ab' }, 'code', 'three letters'],
    [{ name: 'a', other: 1 }, 'other', 'no such field'],
    [null, '', 'an object'],
  ])('%j names the field and what belongs there', (input, field, expected) => {
    expect(decode(Shape, input)).toEqual({ ok: false, fault: { field, expected } })
  })

  it('drops a part that may be lost', () => {
    expect(decodeOrDrop(v.number(), 'x')).toBeUndefined()
    expect(decodeOrDrop(v.number(), 1)).toBe(1)
  })
})

describe('parsing JSON', () => {
  it('does not mind a byte order mark', () => {
    expect(parseJson('\uFEFF{"a":1}')).toEqual({ ok: true, value: { a: 1 } })
  })

  it('tells line and column of what is wrong', () => {
    expect(parseJson('{\n "a": 1,\n}')).toEqual({ ok: false, fault: { line: 3, column: 1 } })
  })

  it('agrees with the engine on every text about what JSON is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        expect(parseJson(text).ok).toBe(isJson)
      }),
    )
  })

  it('lets no key of a text reach the prototype of other objects', () => {
    const parsed = parseJson(
      '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
    )
    expect(parsed.ok && decode(v.looseObject({}), parsed.value).ok).toBe(true)
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
})
