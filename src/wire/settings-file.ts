/**
 * `equabot.json`: JSON5 text to settings, and edits of that text. `${VAR}` references stay text here; whoever uses a
 * value resolves them.
 */

import JSON5 from 'json5'
import { isDeepStrictEqual } from 'node:util'
import * as v from 'valibot'
import type { ConfigFault } from '../domain/fault.ts'
import { isRecord, valueAt } from '../domain/plain-data.ts'
import type { LoadedSettings, SettingsEdit } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { lineOf, rewrite } from './json5-text.ts'
import { meaningProblem } from './settings-meaning.ts'
import { settingsOf } from './settings-merge.ts'
import { secretsIn } from './settings-secrets.ts'
import { decodeShape } from './settings-shape.ts'
import type { SettingsProblem } from './settings-shape.ts'

/** What a text says, wherever it stands. */
export type ParsedSettings = Pick<LoadedSettings, 'settings' | 'migrated' | 'raw'>
type Raw = LoadedSettings['raw']

/** What a new file begins as, before its first edit. */
export const NEW_SETTINGS_TEXT =
  '// Settings of Equabot; docs/storage.md says what may stand here.\n{}\n'

const SYNTAX_ERROR = v.object({
  message: v.string(),
  lineNumber: v.optional(v.number(), 1),
  columnNumber: v.optional(v.number(), 1),
})

/** Older spellings and their new values: the login of Claude Code used to be called a token. */
const MIGRATIONS: readonly { readonly path: readonly string[]; from: string; to: string }[] = [
  { path: ['auth', 'profiles', 'anthropic:claude-cli', 'mode'], from: 'token', to: 'oauth' },
]

/**
 * Settings from the text of the file, defaults filled in.
 *
 * @param path the file's own, for faults
 * @faults `EQ_CONFIG_SYNTAX`, `EQ_CONFIG_FIELD`
 */
export function parseSettings(text: string, path: string): Result<ParsedSettings, ConfigFault> {
  const raw = parseJson5(text, path)
  if (!raw.ok) return raw
  const migrations = migrationsOf(raw.value)
  const current = applied(raw.value, migrations)
  if (!current.ok) return fail(fieldFault(current.fault, text, path))

  const file = decodeShape(current.value)
  if (!file.ok) return fail(fieldFault(file.fault, text, path))
  const problem = meaningProblem(file.value)
  if (problem) return fail(fieldFault(problem, text, path))
  return ok({
    settings: settingsOf(file.value),
    migrated: migrations.map((edit) => edit.path.join('.')),
    raw: raw.value,
  })
}

/**
 * The text with all edits made, older spellings renewed, and everything else as it stood.
 *
 * @param text a text that `parseSettings` accepts
 * @faults `EQ_CONFIG_SECRET` an edit would put a secret's own text into the file; `EQ_CONFIG_FIELD` an edit does not
 * fit; `EQ_CONFIG_SYNTAX`
 */
export function editSettings(
  text: string,
  path: string,
  edits: readonly SettingsEdit[],
): Result<string, ConfigFault> {
  const raw = parseJson5(text, path)
  if (!raw.ok) return raw
  const wanted = applied(raw.value, [...migrationsOf(raw.value), ...edits])
  if (!wanted.ok) return fail(refused(fieldFault(wanted.fault, text, path)))

  const known = secretsIn(raw.value)
  const secret = secretsIn(wanted.value).find(
    (field) => !known.some((before) => isDeepStrictEqual(before, field)),
  )
  if (secret) return fail({ code: 'EQ_CONFIG_SECRET', path, field: secret.path.join('.') })

  const next = rewrite(text, wanted.value)
  if (next === undefined) {
    const field = edits[0]?.path.join('.') ?? ''
    return fail({ code: 'EQ_CONFIG_FIELD', path, field, problem: CANNOT_PLACE, refused: true })
  }
  const checked = parseSettings(next, path)
  return checked.ok ? ok(next) : fail(refused(checked.fault))
}

/** A line would be one of a text that nobody has seen. */
function refused(fault: ConfigFault): ConfigFault {
  if (fault.code !== 'EQ_CONFIG_FIELD') return fault
  const { line: _, ...rest } = fault
  return { ...rest, refused: true }
}

const CANNOT_PLACE = 'cannot be changed in place in this file; change it by hand'

function parseJson5(text: string, path: string): Result<Raw, ConfigFault> {
  let value: unknown
  try {
    value = JSON5.parse(text)
  } catch (error) {
    return fail(syntaxFault(error, path))
  }
  if (isRecord(value)) return ok(value)
  const problem = 'must be an object: { ... }'
  return fail({ code: 'EQ_CONFIG_FIELD', path, field: 'the whole file', problem, line: 1 })
}

function syntaxFault(error: unknown, path: string): ConfigFault {
  const { message, lineNumber, columnNumber } = v.parse(SYNTAX_ERROR, error)
  const detail = message.replace(/^JSON5: /, '').replace(/ at \d+:\d+$/, '')
  return { code: 'EQ_CONFIG_SYNTAX', path, line: lineNumber, column: columnNumber, detail }
}

function fieldFault(problem: SettingsProblem, text: string, path: string): ConfigFault {
  const line = lineOf(text, problem.path)
  return {
    code: 'EQ_CONFIG_FIELD',
    path,
    field: problem.path.join('.'),
    problem: problem.problem,
    ...(line !== undefined && { line }),
    ...(problem.nearest !== undefined && { nearest: problem.nearest }),
  }
}

function migrationsOf(raw: Raw): readonly SettingsEdit[] {
  return MIGRATIONS.filter(({ path, from }) => valueAt(raw, path) === from).map(({ path, to }) => ({
    path,
    value: to,
  }))
}

function applied(raw: Raw, edits: readonly SettingsEdit[]): Result<Raw, SettingsProblem> {
  let current: unknown = raw
  for (const edit of edits) {
    const next = changed(current, edit.path, edit.value, [])
    if (!next.ok) return next
    current = next.value
  }
  return ok(isRecord(current) ? current : raw)
}

function changed(
  holder: unknown,
  path: readonly string[],
  value: unknown,
  above: readonly string[],
): Result<unknown, SettingsProblem> {
  const [step, ...rest] = path
  if (step === undefined) return ok(value)
  if (holder === undefined && value === undefined) return ok(undefined)
  if (Array.isArray(holder)) return changedElement(holder, path, value, above)
  if (holder !== undefined && !isRecord(holder)) {
    return fail({ path: above, problem: `must be an object to hold "${step}"` })
  }
  const own = holder ?? {}
  const inner = Object.hasOwn(own, step) ? own[step] : undefined
  const next = changed(inner, rest, value, [...above, step])
  if (!next.ok) return next
  if (next.value !== undefined) return ok({ ...own, [step]: next.value })
  return ok(Object.fromEntries(Object.entries(own).filter(([name]) => name !== step)))
}

function changedElement(
  list: readonly unknown[],
  path: readonly string[],
  value: unknown,
  above: readonly string[],
): Result<unknown, SettingsProblem> {
  const [step = '', ...rest] = path
  const place = /^\d{1,6}$/.test(step) ? Number(step) : Number.NaN
  if (!(place <= list.length)) {
    return fail({ path: above, problem: `is a list of ${list.length}; it has no place "${step}"` })
  }
  const next = changed(list[place], rest, value, [...above, step])
  if (!next.ok) return next
  const fresh = next.value === undefined ? [] : [next.value]
  return ok(list.toSpliced(place, 1, ...fresh))
}
