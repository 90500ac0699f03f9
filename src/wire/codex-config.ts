/**
 * Codex's `config.toml`, changed line by line. Whatever a line-by-line reading could take for something else is refused:
 * text of several lines, and our provider written in another way than as a table of its own.
 */

import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { SetupFacts, SetupProblem } from '../domain/setup.ts'

const PROVIDER = 'equabot'
const PROVIDERS = 'model_providers'
const CHOICE = 'model_provider'

export function editCodexConfig(
  text: string,
  facts: Pick<SetupFacts, 'url' | 'keyPath'>,
): Result<string, SetupProblem> {
  if (/"""|'''/.test(text)) return fail({ problem: 'several_lines' })
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/)
  const read = readLines(lines)
  if (!read.ok) return read
  const sections = sectionsOf(lines, read.value)
  const strange = strangeForm(sections)
  if (strange !== undefined) return fail({ problem: 'shape', field: strange })

  const [top, ...tables] = sections
  const block = providerLines(facts)
  const others = tables.filter((table) => !isOurs(table))
  const place = tables.findIndex(isOurs)
  const before = place < 0 ? others : tables.slice(0, place)
  const after = place < 0 ? [] : tables.slice(place).filter((table) => !isOurs(table))
  const chosen = withChoice(top?.lines ?? [])
  const edited = [
    ...chosen,
    ...before.flatMap((table) => table.lines),
    ...(place < 0 && !isBlank(before.at(-1)?.lines.at(-1) ?? chosen.at(-1)) ? [''] : []),
    ...block,
    ...(after.length > 0 ? ['', ...after.flatMap((table) => table.lines)] : []),
  ]
  return ok(edited.join(lineBreak) + lineBreak)
}

function providerLines({ url, keyPath }: Pick<SetupFacts, 'url' | 'keyPath'>): readonly string[] {
  return [
    `[${PROVIDERS}.${PROVIDER}]`,
    'name = "Equabot"',
    `base_url = ${quoted(`${url}/v1`)}`,
    'wire_api = "responses"',
    '',
    `[${PROVIDERS}.${PROVIDER}.auth]`,
    'command = "cat"',
    `args = [${quoted(keyPath)}]`,
  ]
}

/** A basic string of TOML, whose escapes are those of JSON. @source TOML 1.0.0, String */
function quoted(text: string): string {
  return JSON.stringify(text)
}

/** What a line is; those inside an array of several lines belong to the key that began it. */
type Line =
  | { readonly kind: 'other' }
  | { readonly kind: 'key'; readonly path: readonly string[] }
  | { readonly kind: 'table'; readonly path: readonly string[]; readonly isList: boolean }

/** The first one is what stands before any table. */
interface Section {
  readonly path: readonly string[]
  readonly isList: boolean
  readonly lines: readonly string[]
  readonly keys: readonly (readonly string[])[]
}

function readLines(lines: readonly string[]): Result<readonly Line[], SetupProblem> {
  const read: Line[] = []
  let depth = 0
  for (const [index, line] of lines.entries()) {
    const problem: SetupProblem = { problem: 'syntax', field: `line ${index + 1}` }
    const bare = withoutComment(line)
    if (bare === undefined) return fail(problem)
    const text = bare.trim()
    if (depth > 0 || text === '') {
      depth += bracketsIn(text)
      if (depth < 0) return fail(problem)
      read.push({ kind: 'other' })
      continue
    }
    const [, opening, name] = /^(\[\[?)(.+?)\]\]?$/.exec(text) ?? []
    if (opening !== undefined) {
      const path = pathOf(name ?? '')
      const isWhole = text.endsWith(opening === '[' ? ']' : ']]')
      if (!path || !isWhole) return fail(problem)
      read.push({ kind: 'table', path, isList: opening === '[[' })
      continue
    }
    const equals = equalsIn(text)
    const path = equals < 0 ? undefined : pathOf(text.slice(0, equals))
    if (!path) return fail(problem)
    depth = bracketsIn(text.slice(equals + 1))
    if (depth < 0) return fail(problem)
    read.push({ kind: 'key', path })
  }
  return depth === 0 ? ok(read) : fail({ problem: 'syntax', field: 'the end' })
}

function sectionsOf(lines: readonly string[], read: readonly Line[]): readonly Section[] {
  const sections: {
    path: readonly string[]
    isList: boolean
    lines: string[]
    keys: (readonly string[])[]
  }[] = [{ path: [], isList: false, lines: [], keys: [] }]
  for (const [index, line] of read.entries()) {
    if (line.kind === 'table') {
      sections.push({ path: line.path, isList: line.isList, lines: [], keys: [] })
    }
    sections.at(-1)?.lines.push(lines[index] ?? '')
    if (line.kind === 'key') sections.at(-1)?.keys.push(line.path)
  }
  return sections
}

function isOurs({ path }: Section): boolean {
  return path[0] === PROVIDERS && path[1] === PROVIDER
}

/** A place where our provider, or the choice of one, is written in a way that is not replaced here. */
function strangeForm(sections: readonly Section[]): string | undefined {
  const [top] = sections
  if ((top?.keys ?? []).some(([first]) => first === PROVIDERS)) return PROVIDERS
  if ((top?.keys ?? []).filter(([first]) => first === CHOICE).length > 1) return CHOICE
  for (const { path, isList, keys } of sections.slice(1)) {
    if (path[0] !== PROVIDERS) continue
    if (isList) return PROVIDERS
    if (path.length === 1 && keys.some(([first]) => first === PROVIDER)) return PROVIDERS
  }
  return undefined
}

/** What stands before the tables, our provider chosen in it. */
function withChoice(lines: readonly string[]): readonly string[] {
  const choice = `${CHOICE} = ${quoted(PROVIDER)}`
  const at = lines.findIndex((line) => new RegExp(`^\\s*["']?${CHOICE}["']?\\s*=`).test(line))
  if (at >= 0) {
    const isSame = new RegExp(`=\\s*["']${PROVIDER}["']\\s*(?:#.*)?$`).test(lines[at] ?? '')
    return isSame ? lines : lines.with(at, choice)
  }
  return lines.length === 0 ? [choice] : [choice, ...lines]
}

function isBlank(line: string | undefined): boolean {
  return line !== undefined && line.trim() === ''
}

/** The line up to its comment; undefined when a text in it does not end. */
function withoutComment(line: string): string | undefined {
  const ends = partsOf(line)
  return ends === undefined ? undefined : line.slice(0, ends.comment)
}

function bracketsIn(text: string): number {
  const plain = partsOf(text)?.plain ?? ''
  const opened = plain.match(/[[{]/g)?.length ?? 0
  const closed = plain.match(/[\]}]/g)?.length ?? 0
  return opened - closed
}

/** Where the first `=` stands that is in no text. */
function equalsIn(text: string): number {
  return partsOf(text)?.plain.indexOf('=') ?? -1
}

/** The line with its texts blanked out, and where its comment begins. */
function partsOf(line: string): { readonly plain: string; readonly comment: number } | undefined {
  let plain = ''
  let quote = ''
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? ''
    if (quote === '') {
      if (character === '#') return { plain, comment: at }
      if (character === '"' || character === "'") quote = character
      plain += quote === '' ? character : ' '
    } else {
      plain += ' '
      if (quote === '"' && character === '\\') {
        plain += ' '
        at += 1
      } else if (character === quote) quote = ''
    }
  }
  return quote === '' ? { plain, comment: line.length } : undefined
}

/** A key with its dots, as in `model_providers."my provider"`. */
function pathOf(text: string): readonly string[] | undefined {
  const path: string[] = []
  const part = /\s*(?:([\w-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(\.|$)/y
  for (;;) {
    const found = part.exec(text)
    if (!found) return undefined
    const [, bare, basic, literal, next] = found
    if (basic?.includes('\\')) return undefined
    path.push(bare ?? basic ?? literal ?? '')
    if (next === '') return path
  }
}
