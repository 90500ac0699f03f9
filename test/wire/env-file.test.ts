import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseEnvText } from '../../src/wire/env-file.ts'

function variables(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(parseEnvText(text).entries.map(({ name, value }) => [name, value]))
}

describe('a .env file', () => {
  test('gives each variable with its line', () => {
    const text = '\uFEFF# keys\nA=1\n\nexport B = "two" # note\nC=\'x\n  A=no\n\'\nD=`"\'`\n'
    expect(parseEnvText(text)).toEqual({
      entries: [
        { name: 'A', value: '1', line: 2 },
        { name: 'B', value: 'two', line: 4 },
        { name: 'C', value: 'x\n  A=no\n', line: 5 },
        { name: 'D', value: '"\'', line: 8 },
      ],
      problems: [],
    })
  })

  test('of a variable set twice the last line counts', () => {
    expect(parseEnvText('A=1\nB=2\nA=3').entries).toEqual([
      { name: 'B', value: '2', line: 2 },
      { name: 'A', value: '3', line: 3 },
    ])
  })

  test('a line that is no assignment is named and spoils no other', () => {
    expect(parseEnvText('junk\nA=1\nB: 2\nC-D=3\n# E=4')).toEqual({
      entries: [{ name: 'A', value: '1', line: 2 }],
      problems: [1, 3, 4].map((line) => ({ line, problem: 'is not of the form NAME=value' })),
    })
  })

  test('a quote that is not closed is named', () => {
    expect(parseEnvText('A="x\nB=1')).toEqual({
      entries: [
        { name: 'A', value: '"x', line: 1 },
        { name: 'B', value: '1', line: 2 },
      ],
      problems: [{ line: 1, problem: 'has a quote that is not closed' }],
    })
  })

  test('reads like Node where every line is an assignment', () => {
    const value = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', '1', ' ', '#', '\\', 'n', '=', '$', '.') }),
      fc.constantFrom("'x # y'", '"a\\nb"', "'l1\nl2' # z", '`"\'`', '""', "'a'b"),
    )
    const line = fc.tuple(
      fc.constantFrom('', 'export '),
      fc.constantFrom('A', 'B', 'C_1'),
      fc.constantFrom('=', ' = '),
      value,
    )
    const ending = fc.constantFrom('\n', '\r\n')
    fc.assert(
      fc.property(fc.array(line), ending, (lines, end) => {
        const text = lines.map((parts) => parts.join('') + end).join('')
        expect(variables(text)).toEqual({ ...parseEnv(text) })
      }),
    )
  })
})
