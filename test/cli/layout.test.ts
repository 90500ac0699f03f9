import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { columnsOf, createLayout } from '../../src/cli/layout.ts'
import { printableJson, printableScreen } from '../../src/cli/printable.ts'
import { printable } from '../../src/domain/printable.ts'

const pipe = createLayout({ colour: false, width: 80, outputIsTerminal: false })
const coloured = createLayout({ colour: true, width: 40, outputIsTerminal: true })

describe('a layout', () => {
  it('aligns columns, also with wide characters and colours', () => {
    const rows = [
      [coloured.paint('good', 'ok'), 'b'],
      ['日本', 'b'],
      ['e\u0301', 'b'],
    ]
    const places = coloured
      .table(rows)
      .split('\n')
      .map((line) => columnsOf(line.split('b')[0] ?? ''))
    expect(new Set(places)).toEqual(new Set([6]))
  })

  it('paints nothing when colour is off', () => {
    expect(pipe.paint('bad', 'expired')).toBe('expired')
  })

  it('wraps under the value at the edge of a terminal', () => {
    const text = coloured.facts([['access', 'usable, ends in 20 days (2026-01-21 00:00 UTC)']])
    expect(text.split('\n')).toEqual([
      'access  usable, ends in 20 days',
      '        (2026-01-21 00:00 UTC)',
    ])
  })

  it('wraps nothing that goes to a pipe', () => {
    const long = 'word '.repeat(60).trim()
    expect(pipe.facts([['name', long]])).toBe(`name  ${long}`)
  })
})

const OBEYED =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

const ESCAPES = [
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\',
  '\u001b]52;c;ZXZpbA==\u0007',
  '\u001bP1;1|17/ab\u001b\\',
  '\u009b31m',
  '\u009d0;title\u009c',
  '\u001bc',
  '\u001b[8m',
  '\u202e',
  '\u2066',
  '\b\b\b',
  '\r',
  '\u0000',
]

describe('printable text', () => {
  it.each(ESCAPES.map((escape) => [JSON.stringify(escape), escape]))('holds no %s', (_, escape) => {
    const text = printable(`before ${escape}after`)
    expect(text).not.toMatch(OBEYED)
    expect(text).toMatch(/^before .*after$/)
  })

  it('keeps what people write', () => {
    const text = 'Zoë schrieb:\n\t“日本” 👍🏽 — 5 €'
    expect(printable(text)).toBe(text)
  })

  it('holds nothing that a terminal obeys but our own colours, whatever it is made of', () => {
    const pieces = fc.array(fc.oneof(fc.constantFrom(...ESCAPES, '\u001b', '[', 'm'), fc.string()))
    fc.assert(
      fc.property(pieces, (parts) => {
        const screen = printableScreen(coloured.paint('good', 'ok') + parts.join(''))
        // oxlint-disable-next-line no-control-regex -- they are what is looked for
        const rest = screen.replace(/\u001b\[(?:1|2|22|31|32|33|39)m/g, '')
        expect(rest).not.toMatch(OBEYED)
      }),
    )
  })

  it('leaves the meaning of JSON as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...ESCAPES), (value, escape) => {
        const data = { value, escape }
        expect(JSON.parse(printableJson(JSON.stringify(data)))).toEqual(
          JSON.parse(JSON.stringify(data)),
        )
      }),
    )
  })
})
