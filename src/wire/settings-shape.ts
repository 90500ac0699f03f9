/**
 * What is wrong with the shape of a settings file, as one field and the rest of a sentence that its name begins. Values
 * are not repeated: they may be secret.
 */

import * as v from 'valibot'
import { nearestOf } from '../domain/nearest.ts'
import { isRecord } from '../domain/plain-data.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { PathStep } from './json5-text.ts'
import type { SettingsFile } from './settings-schema.ts'
import { SETTINGS_SCHEMA } from './settings-schema.ts'

export interface SettingsProblem {
  readonly path: readonly PathStep[]
  readonly problem: string
  /** What was probably meant. */
  readonly nearest?: string
}

type Issue = v.BaseIssue<unknown>

const LOST_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
const KINDS: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['Object', 'an object'],
  ['Array', 'a list'],
])
/** The file, or the first thing in it that does not fit. */
export function decodeShape(raw: unknown): Result<SettingsFile, SettingsProblem> {
  const list = listProblem(raw, SETTINGS_SCHEMA, [])
  if (list) return fail(list)
  const decoded = v.safeParse(SETTINGS_SCHEMA, raw, { abortPipeEarly: true })
  if (!decoded.success) return fail(issueProblem(decoded.issues[0]))
  const lost = lostKeyProblem(raw, [])
  return lost ? fail(lost) : ok(decoded.output)
}

function issueProblem(issue: Issue): SettingsProblem {
  const inner = issue.type === 'union' ? unionIssue(issue) : undefined
  if (inner) return problemAt(inner, [...stepsOf(issue), ...stepsOf(inner)])
  return problemAt(issue, stepsOf(issue))
}

function problemAt(issue: Issue, path: readonly PathStep[]): SettingsProblem {
  const missing = issue.kind === 'schema' && issue.received === 'undefined'
  if (missing) return { path, problem: 'is missing' }
  if (issue.expected === 'never') {
    return { path, problem: 'is not a setting', ...knownNearest(path) }
  }
  if (issue.kind === 'validation') return { path, problem: issue.message }
  if (issue.type === 'picklist') return { path, ...choiceProblem(issue) }
  const expected = issue.type === 'union' ? 'text or an object' : wordFor(issue.expected)
  const problem = `must be ${expected}, found ${kindOf(issue.input)}`
  return { path, problem, ...knownNearest(path) }
}

/** A list where the shape wants an object: the library takes one for the other. */
function listProblem(
  value: unknown,
  schema: unknown,
  path: readonly PathStep[],
): SettingsProblem | undefined {
  const shape = unwrapped(schema)
  if (typeof value !== 'object' || value === null || !shape) return undefined
  const { entries, value: member, item } = shape
  if (Array.isArray(value)) {
    const wantsObject = isRecord(entries) || shape['type'] === 'record'
    if (wantsObject) return { path, problem: 'must be an object, found a list' }
    return firstProblem(value.entries(), (step, entry) => listProblem(entry, item, [...path, step]))
  }
  return firstProblem(Object.entries(value), (step, entry) => {
    const inner = isRecord(entries) && Object.hasOwn(entries, step) ? entries[step] : member
    return listProblem(entry, inner, [...path, step])
  })
}
/** A key that objects have by birth. It would be lost without a word on the way. */
function lostKeyProblem(value: unknown, path: readonly PathStep[]): SettingsProblem | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return firstProblem(Object.entries(value), (key, entry) => {
    const here = [...path, Array.isArray(value) ? Number(key) : key]
    if (LOST_KEYS.has(key)) return { path: here, problem: 'cannot be used as a name' }
    return lostKeyProblem(entry, here)
  })
}
/** Of the alternatives, the one that was meant: the one that got further than the kind of value. */
function unionIssue(issue: Issue): Issue | undefined {
  return issue.issues?.find((inner) => (inner.path?.length ?? 0) > 0 || inner.kind === 'validation')
}

function stepsOf(issue: Issue): readonly PathStep[] {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)))
}

function choiceProblem(issue: Issue): { problem: string; nearest?: string } {
  const choices = [...(issue.expected ?? '').matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '')
  const nearest = typeof issue.input === 'string' ? nearestOf(issue.input, choices) : undefined
  const problem = `must be one of ${choices.map((choice) => `"${choice}"`).join(', ')}`
  return { problem, ...(nearest !== undefined && { nearest }) }
}

/** The nearest of the keys that may stand where the last step stands, when that step is none of them. */
function knownNearest(path: readonly PathStep[]): { nearest?: string } {
  const last = path.at(-1)
  const known = keysAt(SETTINGS_SCHEMA, path.slice(0, -1))
  if (typeof last !== 'string' || known.includes(last)) return {}
  const nearest = nearestOf(last, known)
  return nearest === undefined ? {} : { nearest }
}

function keysAt(schema: unknown, path: readonly PathStep[]): readonly string[] {
  const shape = unwrapped(schema)
  if (!shape) return []
  const { entries, value, item } = shape
  const [step, ...rest] = path
  if (step === undefined) return isRecord(entries) ? Object.keys(entries) : []
  if (isRecord(entries)) return Object.hasOwn(entries, step) ? keysAt(entries[step], rest) : []
  return keysAt(value ?? item, rest)
}

/** The schema inside `exactOptional`, or of a choice the object. */
function unwrapped(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(schema)) return undefined
  if ('wrapped' in schema) return unwrapped(schema['wrapped'])
  const { options } = schema
  if (!Array.isArray(options)) return schema
  return options.map(unwrapped).find((option) => option?.['entries'] !== undefined) ?? schema
}

function firstProblem<K>(
  entries: Iterable<readonly [K, unknown]>,
  judge: (key: K, value: unknown) => SettingsProblem | undefined,
): SettingsProblem | undefined {
  for (const [key, value] of entries) {
    const problem = judge(key, value)
    if (problem) return problem
  }
  return undefined
}

function wordFor(expected: string | null): string {
  return KINDS.get(expected ?? '') ?? 'something else'
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'boolean') return String(value)
  return KINDS.get(typeof value === 'object' ? 'Object' : typeof value) ?? 'something else'
}
