/**
 * Changes to JSON5 text that leave everything else as its author wrote it: comments, order, quotes, number spellings.
 *
 * Only the spans that differ are cut or inserted. A comment disappears only with the value that it stands in.
 */

import fleece from 'golden-fleece'
import JSON5 from 'json5'
import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '../domain/plain-data.ts'

type Node = ReturnType<typeof fleece.parse>
type ObjectNode = Extract<Node, { type: 'ObjectExpression' }>
type ArrayNode = Extract<Node, { type: 'ArrayExpression' }>

/** A key of an object or a place in an array. */
export type PathStep = string | number

/** `text` from `start` to `end`, exclusive, becomes `insert`. */
interface Splice {
  readonly start: number
  readonly end: number
  readonly insert: string
}

/** How the author writes. */
interface Manner {
  readonly text: string
  readonly lineBreak: string
  readonly indent: string
  readonly quote: '"' | "'"
  /** Keys stand in quotes, so that other tools may read the file as plain JSON. */
  readonly plainJson: boolean
}

/** The line, from 1, where the member at this path begins; its nearest holder's line when there is no such member. */
export function lineOf(text: string, path: readonly PathStep[]): number | undefined {
  let node = parsed(text)
  if (!node) return undefined
  let at = node.start
  for (const step of path) {
    const member: Member | undefined = membersOf(node).findLast((entry) => entry.step === step)
    if (!member) break
    at = member.start
    node = member.value
  }
  return text.slice(0, at).split(/\r\n|[\n\r]/).length
}

/**
 * The text changed so that it means `value`.
 *
 * @param text valid JSON5
 * @param value plain data
 * @returns undefined when the text is of a kind that cannot be changed in place
 */
export function rewrite(text: string, value: unknown): string | undefined {
  const root = parsed(text)
  if (!root) return undefined
  const splices = changesOf(root, value, mannerOf(text, root))
  const result = splices
    .toSorted((a, b) => b.start - a.start || b.end - a.end)
    .reduce((before, { start, end, insert }) => {
      return before.slice(0, start) + insert + before.slice(end)
    }, text)
  return isDeepStrictEqual(meaningOf(result), plain(value)) ? result : undefined
}

interface Member {
  readonly step: PathStep
  readonly start: number
  readonly end: number
  readonly value: Node
}

function membersOf(node: Node): readonly Member[] {
  if (node.type === 'ObjectExpression') {
    return node.properties.map((property) => ({
      step: property.key.name ?? '',
      start: property.start,
      end: property.end,
      value: property.value,
    }))
  }
  if (node.type === 'ArrayExpression') {
    return node.elements.map((value, step) => ({
      step,
      start: value.start,
      end: value.end,
      value,
    }))
  }
  return []
}

function changesOf(node: Node, value: unknown, manner: Manner): readonly Splice[] {
  if (node.type === 'ArrayExpression' && Array.isArray(value)) {
    return memberChanges(node, wantedElements(node, value, manner.text), manner)
  }
  if (node.type === 'ObjectExpression' && isRecord(value)) {
    return memberChanges(node, new Map<PathStep, unknown>(Object.entries(value)), manner)
  }
  if (node.type === 'Literal' && Object.is(node.value, value)) return []
  const indent = indentAt(manner.text, node.start)
  return [{ start: node.start, end: node.end, insert: render(value, indent, manner) }]
}

/** Elements by their old places where the array only grew or shrank, so that comments stay with their elements. */
function wantedElements(
  node: ArrayNode,
  value: readonly unknown[],
  text: string,
): ReadonlyMap<PathStep, unknown> {
  const wanted = new Map<PathStep, unknown>()
  for (const [step, element] of node.elements.entries()) {
    const next = value[wanted.size]
    const same = isDeepStrictEqual(meaningOf(text.slice(element.start, element.end)), plain(next))
    if (wanted.size < value.length && same) wanted.set(step, next)
  }
  if (wanted.size < Math.min(node.elements.length, value.length)) return new Map(value.entries())
  for (const entry of value.slice(wanted.size)) wanted.set(wanted.size, entry)
  return wanted
}

function memberChanges(
  node: ObjectNode | ArrayNode,
  wanted: ReadonlyMap<PathStep, unknown>,
  manner: Manner,
): readonly Splice[] {
  const members = membersOf(node)
  const kept = members.filter((member) => wanted.get(member.step) !== undefined)
  const fresh = [...wanted].filter(
    ([step, value]) => value !== undefined && !members.some((member) => member.step === step),
  )
  const recursed = kept.flatMap((member) =>
    changesOf(member.value, wanted.get(member.step), manner),
  )
  const removed = members.filter((member) => !kept.includes(member))
  return [
    ...recursed,
    ...removed.flatMap((member) => removal(member, node, manner.text)),
    ...(fresh.length > 0
      ? additions(node, kept.at(-1), fresh, manner)
      : trailingComma(node, kept.at(-1), manner.text)),
  ]
}

/** Cuts the comma that the removal of the last members left over, where the author ends lists without one. */
function trailingComma(
  node: ObjectNode | ArrayNode,
  last: Member | undefined,
  text: string,
): readonly Splice[] {
  if (!last || endsWithComma(node, text)) return []
  const comma = commaAfter(text, last.end, node.end)
  return comma === undefined ? [] : [{ start: comma, end: comma + 1, insert: '' }]
}

function endsWithComma(node: ObjectNode | ArrayNode, text: string): boolean {
  const last = membersOf(node).at(-1)
  return last !== undefined && commaAfter(text, last.end, node.end) !== undefined
}

/** Cuts a member and its comma, and the lines that become blank by it. */
function removal(member: Member, node: Node, text: string): readonly Splice[] {
  const comma = commaAfter(text, member.end, node.end)
  const adjacent = comma !== undefined && text.slice(member.end, comma).trim() === ''
  const end = adjacent ? comma + 1 : member.end
  const cut = { ...wholeLine(text, member.start, end), insert: '' }
  if (adjacent || comma === undefined) return [cut]
  return [cut, { start: comma, end: comma + 1, insert: '' }]
}

/** The span widened to its lines when nothing else stands on them, else to the blanks before it. */
function wholeLine(text: string, start: number, end: number): { start: number; end: number } {
  const before = /[^\S\r\n]*$/.exec(text.slice(0, start))?.[0].length ?? 0
  const after = /^[^\S\r\n]*(\r\n|\n|\r)/.exec(text.slice(end))
  const opensLine = /(^|[\r\n])$/.test(text.slice(0, start - before))
  if (after && opensLine) return { start: start - before, end: end + after[0].length }
  return { start, end: end + (/^ /.exec(text.slice(end))?.[0].length ?? 0) }
}

function additions(
  node: ObjectNode | ArrayNode,
  last: Member | undefined,
  fresh: readonly (readonly [PathStep, unknown])[],
  manner: Manner,
): readonly Splice[] {
  const { text } = manner
  const inline = !/[\r\n]/.test(text.slice(node.start, node.end))
  const outer = indentAt(text, node.start)
  const [first] = membersOf(node)
  const onOwnLine = first && indentAt(text, first.start, true)
  const indent = onOwnLine ?? outer + manner.indent
  const rendered = fresh.map(([step, value]) => {
    const written = render(value, indent, manner, inline && first !== undefined)
    return typeof step === 'number' ? written : `${key(step, manner)}: ${written}`
  })
  if (inline && membersOf(node).length === 0) {
    const body = rendered.map((entry) => manner.lineBreak + indent + entry).join(',')
    return [{ start: node.end - 1, end: node.end - 1, insert: body + manner.lineBreak + outer }]
  }
  const comma = last && commaAfter(text, last.end, node.end)
  const from = comma === undefined ? (last?.end ?? node.start + 1) : comma + 1
  const at = inline ? from : endOfLine(text, from, node.end - 1)
  const space = inline ? ' ' : manner.lineBreak + indent
  const tail = endsWithComma(node, text) ? ',' : ''
  const insert = rendered.map((entry) => space + entry).join(',') + tail
  if (!last || comma !== undefined) return [{ start: at, end: at, insert }]
  if (at === from) return [{ start: at, end: at, insert: `,${insert}` }]
  return [
    { start: from, end: from, insert: ',' },
    { start: at, end: at, insert },
  ]
}

/** Where the comma after a member stands; only blanks and comments may come before it. */
function commaAfter(text: string, from: number, end: number): number | undefined {
  const trivia = /(?:\s|\/\/[^\r\n]*|\/\*[^]*?\*\/)*/y
  trivia.lastIndex = from
  trivia.test(text)
  const at = Math.max(from, trivia.lastIndex)
  return at < end && text[at] === ',' ? at : undefined
}

/** The end of what is said on the same line: blanks and comments, not beyond `limit`. */
function endOfLine(text: string, from: number, limit: number): number {
  const rest = /(?:[^\S\r\n]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/))*/y
  rest.lastIndex = from
  rest.test(text)
  return Math.min(limit, Math.max(from, rest.lastIndex))
}

function render(value: unknown, indent: string, manner: Manner, inline = false): string {
  const written = manner.plainJson
    ? JSON.stringify(value, null, manner.indent)
    : JSON5.stringify(value, { space: manner.indent, quote: manner.quote })
  if (!inline) return written.replaceAll('\n', manner.lineBreak + indent)
  // Line breaks inside strings are escaped, so every one that is found here stands between values.
  return written.replaceAll(/,?\n\s*(?=[}\]])/g, ' ').replaceAll(/\n\s*/g, ' ')
}

function key(name: string, manner: Manner): string {
  if (!manner.plainJson && /^[A-Za-z_$][\w$]*$/.test(name)) return name
  return render(name, '', manner)
}

/** The blanks that begin the line of a place. With `only`, undefined unless nothing else stands before it. */
function indentAt(text: string, at: number): string
function indentAt(text: string, at: number, only: true): string | undefined
function indentAt(text: string, at: number, only?: true): string | undefined {
  const line =
    text
      .slice(0, at)
      .split(/[\r\n]/)
      .at(-1) ?? ''
  const blanks = /^[^\S\r\n]*/.exec(line)?.[0] ?? ''
  return only && blanks !== line ? undefined : blanks
}

function mannerOf(text: string, root: Node): Manner {
  const single = text.split("'").length
  const double = text.split('"').length
  const [first] = membersOf(root)
  const indent = first && indentAt(text, first.start, true)
  return {
    text,
    lineBreak: text.includes('\r\n') ? '\r\n' : '\n',
    indent: indent === undefined || indent === '' ? '  ' : indent,
    quote: single > double ? "'" : '"',
    plainJson: first !== undefined && text[first.start] === '"',
  }
}

function parsed(text: string): Node | undefined {
  try {
    return fleece.parse(text)
  } catch {
    return undefined
  }
}

function meaningOf(text: string): unknown {
  try {
    return JSON5.parse(text)
  } catch {
    return undefined
  }
}

/** The value as it reads back: members that are undefined are absent. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON5.parse(JSON5.stringify(value))
}
