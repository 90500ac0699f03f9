/**
 * `.env` text: which variables it sets and on which line.
 *
 * Values mean what Node's own parser makes of them. We cut the text into assignments ourselves, for two reasons: a line
 * is known for each, and a line that is no assignment spoils no other (Node's parser joins it to the next name).
 */

import { parseEnv } from 'node:util'

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

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)[^\S\n]*=[^\S\n]*/
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

interface Statement {
  /** Absent: the line is no assignment. */
  readonly name?: string
  readonly value: string
  /** First and last line, from 1. */
  readonly line: number
  readonly end: number
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
  if (!match) return { value: '', line, end: line, problem: 'is not of the form NAME=value' }
  const [head, name = ''] = match
  const quote = QUOTES.find((mark) => first.startsWith(mark, head.length))
  const body = [first.slice(head.length), ...(quote ? lines.slice(at + 1) : [])].join('\n')
  const close = quote === undefined ? -1 : body.indexOf(quote, 1)
  if (close < 0) {
    const problem = quote === undefined ? {} : { problem: 'has a quote that is not closed' }
    return { name, value: valueOf(first.slice(head.length)), line, end: line, ...problem }
  }
  const written = body.slice(0, close + 1)
  return { name, value: valueOf(written), line, end: line + written.split('\n').length - 1 }
}

function valueOf(written: string): string {
  return parseEnv(`VALUE=${written}\n`)['VALUE'] ?? ''
}
