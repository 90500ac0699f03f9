/** How facts stand on a screen: aligned columns, headings, colours that mean something. Colours are absent when off. */

import { printableLine } from '../domain/printable.ts'
import type { Terminal } from './terminal.ts'

/** What a colour says. */
export type Role = 'good' | 'warn' | 'bad' | 'dim' | 'strong'

/** A cell: plain text from anywhere, or text that `paint` made. */
export type Cell = string

export interface Layout {
  /** Made safe, on one line, in the colour of the role. */
  paint(role: Role, text: string): Cell
  /** The title of a section. */
  heading(text: string): string
  /** Rows in aligned columns. */
  table(rows: readonly (readonly Cell[])[], options?: { readonly indent?: number }): string
  /** Names and their values; a long value wraps under itself. */
  facts(
    pairs: readonly (readonly [name: string, value: Cell])[],
    options?: { readonly indent?: number },
  ): string
  /** One paragraph, wrapped at the edge of the terminal; as it is when the output is no terminal. */
  paragraph(text: Cell, options?: { readonly indent?: number; readonly first?: string }): string
}

const STYLES: Readonly<Record<Role, readonly [on: number, off: number]>> = {
  good: [32, 39],
  warn: [33, 39],
  bad: [31, 39],
  dim: [2, 22],
  strong: [1, 22],
}
const GAP = '  '

export function createLayout(
  terminal: Pick<Terminal, 'colour' | 'width' | 'outputIsTerminal'>,
): Layout {
  const edge = terminal.outputIsTerminal ? terminal.width : Number.POSITIVE_INFINITY

  const paint: Layout['paint'] = (role, text) => {
    const [on, off] = STYLES[role]
    const safe = printableLine(text)
    return terminal.colour && safe !== '' ? `\u001b[${on}m${safe}\u001b[${off}m` : safe
  }
  const paragraph: Layout['paragraph'] = (text, { indent = 0, first = '' } = {}) => {
    const margin = ' '.repeat(indent)
    const lines = wrapped(text, edge - indent)
    return lines.map((line, index) => (index === 0 && first ? first : margin) + line).join('\n')
  }

  return {
    paint,
    paragraph,
    heading: (text) => paint('strong', text),
    table(rows, { indent = 0 } = {}) {
      const widths = columnWidths(rows)
      const margin = ' '.repeat(indent)
      return rows
        .map((row) => {
          const cells = row.map((cell, column) => padded(cell, widths[column] ?? 0))
          return margin + cells.join(GAP).trimEnd()
        })
        .join('\n')
    },
    facts(pairs, { indent = 0 } = {}) {
      const [nameWidth = 0] = columnWidths(pairs)
      const inset = indent + nameWidth + GAP.length
      return pairs
        .map(([name, value]) => {
          const first = `${' '.repeat(indent)}${padded(name, nameWidth)}${GAP}`
          return paragraph(value, { indent: inset, first }).trimEnd()
        })
        .join('\n')
    },
  }
}

/** Sections with an empty line between them; empty ones are left out. */
export function sections(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n')
}

/** Lines under each other; empty ones are left out. */
export function lines(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n')
}

function columnWidths(rows: readonly (readonly Cell[])[]): readonly number[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, columnsOf(cell))
    }
  }
  return widths
}

function padded(cell: Cell, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - columnsOf(cell)))
}

function wrapped(text: Cell, width: number): readonly string[] {
  if (columnsOf(text) <= width) return [text]
  const rows: string[] = []
  let row = ''
  for (const word of text.split(' ')) {
    const longer = row === '' ? word : `${row} ${word}`
    if (row !== '' && columnsOf(longer) > width) {
      rows.push(row)
      row = word
    } else {
      row = longer
    }
  }
  return [...rows, row]
}

// oxlint-disable-next-line no-control-regex -- our own styles take no room
const STYLE = /\u001b\[\d+m/g
const NO_ROOM = /\p{Mn}|\p{Me}|\p{Cf}/u
/** East Asian wide and full-width characters, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

const PLAIN = /^[\x20-\x7e]*$/

/** How many columns of a terminal a text takes. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length
  let columns = 0
  for (const character of text.replace(STYLE, '')) {
    if (!NO_ROOM.test(character)) columns += WIDE.test(character) ? 2 : 1
  }
  return columns
}
