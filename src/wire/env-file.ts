/**
 * `.env` text: which variables it sets and on which line, and a variable written into it.
 *
 * Values mean what Node's own parser makes of them. We cut the text into assignments ourselves, for two reasons: a line
 * is known for each, and a line that is no assignment spoils no other (Node's parser joins it to the next name).
 */

import { isDeepStrictEqual, parseEnv } from 'node:util'

export interface EnvEntry {
  readonly name: string
  readonly value: string
  /** From 1. */
  readonly line: number
}

export interface EnvProblem {
  /** From 1. */
  readonly line: number
  /** What is wrong, never repeating the line: it may hold a secret. */
  readonly problem: string
}

export interface EnvText {
  /** In the order of their lines; of a name that is set twice only the last. */
  readonly entries: readonly EnvEntry[]
  readonly problems: readonly EnvProblem[]
}

const ASSIGNMENT = /^(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_]*)[^\S\n]*=[^\S\n]*/
const HARMLESS = /^[A-Za-z0-9_./:@%+,=-]+$/
const QUOTES: readonly string[] = ["'", '"', '`']

export function parseEnvText(text: string): EnvText {
  const lines = linesOf(text)
  const entries = new Map<string, EnvEntry>()
  const problems: EnvProblem[] = []
  for (const statement of statementsOf(lines)) {
    const { name, value, line, problem } = statement
    if (problem !== undefined) problems.push({ line, problem })
    if (name === undefined) continue
    entries.delete(name)
    entries.set(name, { name, value, line })
  }
  return { entries: [...entries.values()], problems }
}

/**
 * The text with this variable set: in place where it is set already, else on a line of its own at the end.
 *
 * @returns undefined when a `.env` file cannot hold this name or value
 */
export function upsertEnvText(text: string, name: string, value: string): string | undefined {
  const others = valuesOf(text, name)
  return formsOf(value)
    .map((written) => withAssignment(text, name, written))
    .find((result) => {
      const set = parseEnvText(result).entries.find((entry) => entry.name === name)
      return set?.value === value && isDeepStrictEqual(valuesOf(result, name), others)
    })
}

/** The ways to write a value, the plainest first. Which of them reads back as the value is for the reader to say. */
function formsOf(value: string): readonly string[] {
  const quoted = QUOTES.map((mark) => mark + value + mark)
  return HARMLESS.test(value) ? [value, ...quoted] : quoted
}

function withAssignment(text: string, name: string, written: string): string {
  const lines = linesOf(text)
  const present = statementsOf(lines).findLast((statement) => statement.name === name)
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n'
  if (present) {
    const { line, end, opening, comment } = present
    lines.splice(line - 1, end - line + 1, `${opening}${name}=${written}${comment}`)
    return lines.join(lineBreak)
  }
  if (lines.at(-1) === '') lines.pop()
  return [...lines, `${name}=${written}`, ''].join(lineBreak)
}

/** Everything that the text sets but this variable. */
function valuesOf(text: string, without: string): ReadonlyMap<string, string> {
  const others = parseEnvText(text).entries.filter(({ name }) => name !== without)
  return new Map(others.map(({ name, value }) => [name, value]))
}

interface Statement {
  /** Absent: the line is no assignment. */
  readonly name?: string
  readonly value: string
  /** First and last line, from 1. */
  readonly line: number
  readonly end: number
  /** What stands before the name. */
  readonly opening: string
  /** What stands after the value, blanks included. */
  readonly comment: string
  readonly problem?: string
}

function linesOf(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/)
}

/** Everything in the text but blank lines and comments. */
function statementsOf(lines: readonly string[]): readonly Statement[] {
  const statements: Statement[] = []
  for (let at = 0; at < lines.length; at += 1) {
    if (/^\s*(?:#|$)/.test(lines[at] ?? '')) continue
    const statement = statementAt(lines, at)
    statements.push(statement)
    at = statement.end - 1
  }
  return statements
}

function statementAt(lines: readonly string[], at: number): Statement {
  const first = lines[at] ?? ''
  const line = at + 1
  const match = ASSIGNMENT.exec(first)
  if (!match) {
    const problem = 'is not of the form NAME=value'
    return { value: '', line, end: line, opening: '', comment: '', problem }
  }
  const [head, opening = '', name = ''] = match
  const quote = QUOTES.find((mark) => first.startsWith(mark, head.length))
  const body = [first.slice(head.length), ...(quote ? lines.slice(at + 1) : [])].join('\n')
  const close = quote === undefined ? -1 : body.indexOf(quote, 1)
  if (close < 0) {
    const bare = first.slice(head.length)
    const comment = /\s*#.*$/.exec(bare)?.[0] ?? ''
    const problem = quote === undefined ? {} : { problem: 'has a quote that is not closed' }
    return { name, value: valueOf(bare), line, end: line, opening, comment, ...problem }
  }
  const written = body.slice(0, close + 1)
  const rest = body.slice(close + 1).split('\n')[0] ?? ''
  const comment = /^\s*#/.test(rest) ? rest : ''
  const end = line + written.split('\n').length - 1
  return { name, value: valueOf(written), line, end, opening, comment }
}

function valueOf(written: string): string {
  return parseEnv(`VALUE=${written}\n`)['VALUE'] ?? ''
}
