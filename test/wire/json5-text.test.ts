import fc from 'fast-check'
import JSON5 from 'json5'
import { describe, expect, test } from 'vitest'
import { lineOf, rewrite } from '../../src/wire/json5-text.ts'

describe('rewrite', () => {
  test('changes one value and no other byte', () => {
    const text = "// mine\n{ port: 0x10, /* why */ bind: 'a', }\n// end\n"
    expect(rewrite(text, { port: 16, bind: 'b' })).toBe(text.replace("'a'", "'b'"))
  })

  test('adds a key after the last one and its comment', () => {
    const text = '{\n  a: 1, // one\n  b: 2 // two\n}\n'
    expect(rewrite(text, { a: 1, b: 2, c: { d: 3 } })).toBe(
      '{\n  a: 1, // one\n  b: 2, // two\n  c: {\n    d: 3,\n  }\n}\n',
    )
  })

  test('keeps a trailing comma where the author writes one', () => {
    expect(rewrite('{\n\ta: 1,\n}', { a: 1, b: 2 })).toBe('{\n\ta: 1,\n\tb: 2,\n}')
  })

  test('keeps a plain JSON file plain JSON', () => {
    const text = '{\n  "a": 1,\n  "b": [1, 2]\n}'
    const added = rewrite(text, { a: 1, b: [1, 2, 3], c: ['x'] })
    expect(added).toBe('{\n  "a": 1,\n  "b": [1, 2, 3],\n  "c": [\n    "x"\n  ]\n}')
    expect(rewrite(text, { a: 1 })).toBe('{\n  "a": 1\n}')
  })

  test('stays on one line where the author does', () => {
    expect(rewrite('{ a: 1 }', { a: 1, b: { c: ['x,'] } })).toBe('{ a: 1, b: { c: [ "x," ] } }')
  })

  test('fills an empty object', () => {
    expect(rewrite('// x\n{}\n', { a: { b: 1 } })).toBe('// x\n{\n  a: {\n    b: 1,\n  }\n}\n')
    expect(rewrite('{\n  // later\n}', { a: 1 })).toBe('{\n  a: 1\n  // later\n}')
  })

  test('takes a removed line away whole', () => {
    expect(rewrite('{\n  a: 1,\n  b: 2,\n  c: 3,\n}', { a: 1, c: 3 })).toBe(
      '{\n  a: 1,\n  c: 3,\n}',
    )
  })

  test('a comment stays with its element when another element goes', () => {
    const text = '{ f: [\n  "a", // cheap\n  "b", // good\n] }'
    expect(rewrite(text, { f: ['b'] })).toContain('"b", // good')
  })

  test('keeps the line breaks of Windows', () => {
    expect(rewrite('{\r\n  a: 1\r\n}', { a: 1, b: [2] })).toBe(
      '{\r\n  a: 1,\r\n  b: [\r\n    2,\r\n  ]\r\n}',
    )
  })

  test('names of the object prototype are keys like others', () => {
    expect(rewrite('{ a: 1 }', { a: 1, constructor: 2 })).toBe('{ a: 1, constructor: 2 }')
  })

  test('gives nothing for text that it cannot place', () => {
    expect(rewrite('{ schlüssel: 1 }', { a: 1 })).toBeUndefined()
  })
})

describe('lineOf', () => {
  const text = '// top\n{\n  a: {\n    "b:c": [1,\n      { d: 2 }] } }'

  test('finds keys and places', () => {
    expect(lineOf(text, ['a'])).toBe(3)
    expect(lineOf(text, ['a', 'b:c'])).toBe(4)
    expect(lineOf(text, ['a', 'b:c', 1, 'd'])).toBe(5)
  })

  test('gives the line of the holder of what is missing', () => {
    expect(lineOf(text, ['a', 'x'])).toBe(3)
  })
})

const keys = fc.constantFrom('a', 'b', 'p/q', 'anthropic:x', '$', 'constructor', 'long key', "it's")
const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant('${KEY}'),
)
const { tree } = fc.letrec<{ tree: unknown; object: Record<string, unknown> }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('tree'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(keys, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
}))
const document = fc.dictionary(keys, tree, { maxKeys: 4, noNullPrototype: true })

/** Writes a value in a manner that the numbers choose: quotes, line breaks, trailing commas, and numbered comments. */
function author(value: unknown, chance: () => number): string {
  let comments = 0
  const gap = (): string => {
    const kind = chance() % 8
    if (kind === 0) return ` /* c${(comments += 1)}; */ `
    if (kind === 1) return ` // c${(comments += 1)};\n`
    if (kind === 2) return '\n    '
    return kind < 5 ? ' ' : ''
  }
  const list = (open: string, entries: readonly string[], close: string): string => {
    const body = entries.map((entry) => gap() + entry + gap()).join(',')
    return open + body + (entries.length > 0 && chance() % 2 ? ',' : '') + gap() + close
  }
  const write = (part: unknown): string => {
    if (Array.isArray(part)) return list('[', part.map(write), ']')
    if (typeof part === 'object' && part !== null) {
      const entries = Object.entries(part)
      return list(
        '{',
        entries.map(([name, entry]) => `${JSON5.stringify(name)}${gap()}:${gap()}${write(entry)}`),
        '}',
      )
    }
    return JSON5.stringify(part, { quote: chance() % 2 ? '"' : "'" })
  }
  return gap() + write(value) + gap()
}

function commentsIn(text: string): readonly string[] {
  return text.match(/c\d+;/g) ?? []
}

describe('for any document', () => {
  const chances = fc.infiniteStream(fc.nat(999)).map((stream) => () => stream.next().value ?? 0)

  test('any edit means what was wanted', () => {
    fc.assert(
      fc.property(document, document, chances, (before, after, chance) => {
        const result = rewrite(author(before, chance), after)
        expect(result).toBeDefined()
        expect(JSON5.parse(result ?? '')).toEqual(after)
      }),
      { numRuns: 500 },
    )
  })

  test('adding keys loses no comment', () => {
    fc.assert(
      fc.property(document, tree, chances, (before, extra, chance) => {
        const text = author(before, chance)
        const result = rewrite(text, { ...before, fresh: extra })
        expect(commentsIn(result ?? '')).toEqual(commentsIn(text))
      }),
      { numRuns: 300 },
    )
  })

  test('no edit is no change', () => {
    fc.assert(
      fc.property(document, chances, (before, chance) => {
        const text = author(before, chance)
        expect(rewrite(text, before)).toBe(text)
      }),
    )
  })
})
