import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseEnvText, upsertEnvText } from '../../src/wire/env-file.ts'

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

describe('setting a variable', () => {
  test('replaces it in place and keeps what stands around it', () => {
    const text = '# keys\nexport A="old\nlines" # work\nB=2\n'
    expect(upsertEnvText(text, 'A', 'new')).toBe('# keys\nexport A=new # work\nB=2\n')
  })

  test('adds it at the end without blank lines', () => {
    expect(upsertEnvText('', 'A', '1')).toBe('A=1\n')
    expect(upsertEnvText('A=1', 'B', '2')).toBe('A=1\nB=2\n')
    expect(upsertEnvText('A=1\r\n', 'B', '2')).toBe('A=1\r\nB=2\r\n')
  })

  test('refuses a name or a value that such a file cannot hold', () => {
    expect(upsertEnvText('', 'A B', '1')).toBeUndefined()
    expect(upsertEnvText('', 'A', '\'"`')).toBeUndefined()
    expect(upsertEnvText('', 'A', 'x\ry')).toBeUndefined()
  })

  test('a value reads back as it was, other variables stay, and doing it twice is doing it once', () => {
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', ' ', '#', '\\', 'n', '"', "'", '\n', '=', '$', '`') }),
    )
    const text = fc.constantFrom(
      '',
      'B=1',
      '# c\nB=1\nA=0 # x\n',
      "A='\n\n'\nB=1\n",
      'A="open\nB=1\n',
    )
    fc.assert(
      fc.property(text, value, (before, wanted) => {
        const after = upsertEnvText(before, 'A', wanted)
        if (after === undefined) return
        expect(variables(after)).toEqual({ ...variables(before), A: wanted })
        expect(upsertEnvText(after, 'A', wanted)).toBe(after)
      }),
      { numRuns: 500 },
    )
  })
})
