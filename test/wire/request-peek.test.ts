import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEEPEST_JSON, jsonMembers } from '../../src/wire/json-members.ts'
import { peekRequest, withModel } from '../../src/wire/request-peek.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (body: Uint8Array): string => new TextDecoder().decode(body)

const key = fc.oneof(
  fc.constantFrom('model', 'stream', 'messages'),
  fc.string({ unit: 'grapheme' }),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.jsonValue(),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
}))
const model = fc.string({ unit: 'grapheme', minLength: 1 })
const others = fc
  .dictionary(key, value, { maxKeys: 5 })
  .map((fields) => Object.entries(fields).filter(([name]) => name !== 'model' && name !== 'stream'))
const indent = fc.constantFrom(undefined, 2, '\t')

describe('withModel', () => {
  test('changes the outermost model and no other byte', () => {
    fc.assert(
      fc.property(others, others, model, model, indent, (before, after, from, to, gap) => {
        const names = new Set(before.map(([name]) => name))
        const rest = after.filter(([name]) => !names.has(name))
        const render = (name: string): string =>
          JSON.stringify(new Map([...before, ['model', name], ...rest] as const), mapToObject, gap)
        expect(text(withModel(bytes(render(from)), to))).toBe(render(to))
      }),
    )
  })

  test('finds a model whose name or value is written with escapes', () => {
    const body = '{ "messages":[{"model":"inner"}], "m\\u006fdel" : "a\\"b\\u00e9" , "n": 1.0e2 }'
    expect(peekRequest(bytes(body))).toEqual({ ok: true, value: { model: 'a"bé', stream: false } })
    expect(text(withModel(bytes(body), 'é"'))).toBe(
      '{ "messages":[{"model":"inner"}], "m\\u006fdel" : "é\\"" , "n": 1.0e2 }',
    )
  })

  test('a body without a model is our own mistake', () => {
    expect(() => withModel(bytes('{}'), 'x')).toThrow('no model')
  })
})

describe('peekRequest', () => {
  test.each([
    ['{"model":"m","stream":true}', { model: 'm', stream: true }],
    ['{"model":"m","stream":null}', { model: 'm', stream: false }],
    [
      '\n{"model":"m","messages":[{"role":"system","output_config":{}}]}\n',
      { model: 'm', stream: false },
    ],
  ])('reads %s', (body, peek) => {
    expect(peekRequest(bytes(body))).toEqual({ ok: true, value: peek })
  })

  test.each([
    ['', 'body', 'is empty'],
    [' \n', 'body', 'is empty'],
    ['[]', 'body', 'must be a JSON object'],
    ['"model"', 'body', 'must be a JSON object'],
    ['{"model":"m"', 'body', 'is not JSON: it ends too early'],
    ['{"model":"m",}', 'body', 'is not JSON: byte 14 does not fit'],
    ['{"model":"m"} {}', 'body', 'is not JSON: byte 15 does not fit'],
    ['{}', 'model', 'is missing'],
    ['{"model":7}', 'model', 'must be the name of a model'],
    ['{"model":""}', 'model', 'must be the name of a model'],
    ['{"model":"a","model":"b"}', 'model', 'is given twice'],
    ['{"model":"a","mod\\u0065l":"b"}', 'model', 'is given twice'],
    ['{"model":"a","stream":true,"stream":false}', 'stream', 'is given twice'],
    ['{"model":"a","stream":"yes"}', 'stream', 'must be true or false'],
  ])('%s is refused with the field and the reason', (body, field, problem) => {
    expect(peekRequest(bytes(body))).toEqual({ ok: false, fault: { field, problem } })
  })

  test('a document nested too deeply is refused and does not overflow', () => {
    const nested = (depth: number): Uint8Array =>
      bytes(`{"model":"m","x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`)
    expect(peekRequest(nested(DEEPEST_JSON)).ok).toBe(true)
    expect(peekRequest(nested(DEEPEST_JSON + 1))).toMatchObject({ ok: false })
    expect(peekRequest(nested(1_000_000))).toMatchObject({
      ok: false,
      fault: { problem: 'is nested deeper than 512 levels' },
    })
  })
})

describe('jsonMembers', () => {
  test('accepts an object exactly when JSON.parse does', () => {
    const nearlyJson = fc
      .tuple(
        value,
        fc.nat(),
        fc.constantFrom('', ',', '"', '\\', '}', '0', '-', 'e', ' ', '\n', 'x'),
      )
      .map(([inner, place, junk]) => {
        const whole = JSON.stringify({ a: inner })
        const at = place % (whole.length + 1)
        return whole.slice(0, at) + junk + whole.slice(at + (place % 2))
      })
    fc.assert(
      fc.property(nearlyJson, (json) => {
        expect(jsonMembers(bytes(json)).ok).toBe(isObjectText(json))
      }),
      { numRuns: 1_000 },
    )
  })
})

function isObjectText(json: string): boolean {
  try {
    const parsed: unknown = JSON.parse(json)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  } catch {
    return false
  }
}

function mapToObject(_key: string, part: unknown): unknown {
  return part instanceof Map ? Object.fromEntries(part) : part
}
