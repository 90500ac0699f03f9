/** From text or unknown data to a value of ours. What does not fit is told by field and by what was expected there. */

import * as v from 'valibot'

import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { syntaxErrorPosition } from './json-syntax.ts'
import type { TextPosition } from './json-syntax.ts'

export interface Misfit {
  /** Dotted path, such as `profiles.anthropic:work.expires`; empty for the whole. */
  readonly field: string
  /** A noun phrase: `text`, `a number`, `one of "a", "b"`. */
  readonly expected: string
}

export type JsonObject = Readonly<Record<string, unknown>>

/** The value, or the first field that does not fit. A schema's own message is used as the noun phrase. */
export function decode<const Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
): Result<v.InferOutput<Schema>, Misfit> {
  const parsed = v.safeParse(schema, input, { abortEarly: true })
  if (parsed.success) return ok(parsed.output)
  const [issue] = parsed.issues
  return fail({ field: v.getDotPath(issue) ?? '', expected: expectedBy(issue) })
}

/** The value, or undefined when it does not fit: for parts that may be lost. */
export function decodeOrDrop<const Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
): v.InferOutput<Schema> | undefined {
  const parsed = v.safeParse(schema, input, { abortEarly: true })
  return parsed.success ? parsed.output : undefined
}

/** Parses JSON. A byte order mark is no part of it. Keys such as `__proto__` are plain own keys of the result. */
export function parseJson(text: string): Result<unknown, TextPosition> {
  const bare = text.startsWith('\uFEFF') ? text.slice(1) : text
  try {
    const value: unknown = JSON.parse(bare)
    return ok(value)
  } catch {
    return fail(syntaxErrorPosition(bare))
  }
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  Object: 'an object',
  Array: 'a list',
  never: 'no such field',
}

function expectedBy(issue: v.BaseIssue<unknown>): string {
  const isOwnMessage = !/^Invalid [a-z]+: (?:Expected|Received)/.test(issue.message)
  if (isOwnMessage) return issue.message
  const isMissing = issue.received === 'undefined' && issue.expected?.startsWith('"')
  if (isMissing) return 'a value'
  return (issue.expected ?? 'another value').split(' | ').length > 1
    ? `one of ${alternatives(issue.expected ?? '')}`
    : word(issue.expected ?? 'another value')
}

function alternatives(expected: string): string {
  return expected
    .replace(/^\(|\)$/g, '')
    .split(' | ')
    .map(word)
    .join(', ')
}

function word(expected: string): string {
  return Object.hasOwn(WORDS, expected) ? (WORDS[expected] ?? expected) : expected
}
