import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { positionAt, syntaxErrorPosition } from '../../src/wire/json-syntax.ts'

describe('where JSON goes wrong', () => {
  it.each([
    ['', 1, 1],
    ['{', 1, 2],
    ['{"a": 1,}', 1, 9],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3],
    ['{"a" 1}', 1, 6],
    ['[1,]', 1, 4],
    ['{"a": tru}', 1, 7],
    ['"ab', 1, 1],
    ['{"a": "x\ny"}', 1, 7],
    ['[1] 2', 1, 5],
    ['{]', 1, 2],
    ['{a: 1}', 1, 2],
    ['[01]', 1, 3],
    ["{'a': 1}", 1, 2],
    ['{"a": 1', 1, 8],
  ])('%j is wrong at line %i, column %i', (text, line, column) => {
    expect(syntaxErrorPosition(text)).toEqual({ line, column })
  })

  it('lies at the end of a text that was cut short, or at the piece that the cut broke', () => {
    fc.assert(
      fc.property(fc.json({ depthSize: 'medium' }), fc.nat(), (json, seed) => {
        const text = `[${json}]`
        const cut = text.slice(0, seed % text.length)
        const { line, column } = syntaxErrorPosition(cut)
        expect(line).toBe(1)
        expect(column).toBeLessThanOrEqual(cut.length + 1)
        expect(() => JSON.parse(cut.slice(0, column - 1))).toThrow(SyntaxError)
      }),
    )
  })

  it('is the end of any text that is right', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(syntaxErrorPosition(text)).toEqual(positionAt(text, text.length))
      }),
    )
  })
})
