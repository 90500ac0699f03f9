/** Where a JSON text goes wrong. Engines word and place this differently, so we look ourselves. No values are made here. */

export interface TextPosition {
  /** Counted from 1. */
  readonly line: number
  /** Counted from 1, in UTF-16 units. */
  readonly column: number
}

type Awaited =
  | 'value'
  | 'value or end'
  | 'key'
  | 'key or end'
  | 'colon'
  | 'comma or end'
  | 'nothing'

const SPACE = /[ \t\n\r]*/y
const SCALAR =
  /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y

/** The place of the first token that JSON does not allow there; the end of the text when something is missing. */
export function syntaxErrorPosition(text: string): TextPosition {
  return positionAt(text, syntaxErrorOffset(text))
}

/** The line and column of an offset. */
export function positionAt(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: offset - lineStart + 1 }
}

function syntaxErrorOffset(text: string): number {
  const open: ('{' | '[')[] = []
  let awaited: Awaited = 'value'
  let at = lengthAt(SPACE, text, 0)
  while (at < text.length) {
    const token = text[at] ?? ''
    const next = punctuation(token, awaited, open)
    const length = next ? 1 : lengthAt(SCALAR, text, at)
    const after: Awaited | undefined =
      next ?? (length > 0 ? afterScalar(token, awaited) : undefined)
    if (!after) return at
    awaited = after === 'comma or end' && open.length === 0 ? 'nothing' : after
    at += length
    at += lengthAt(SPACE, text, at)
  }
  return text.length
}

/** What may follow a bracket, comma or colon; undefined when it may not stand here. Keeps `open` up to date. */
function punctuation(token: string, awaited: Awaited, open: ('{' | '[')[]): Awaited | undefined {
  const inside = open.at(-1)
  const wantsValue = awaited === 'value' || awaited === 'value or end'
  if ((token === '{' || token === '[') && wantsValue) {
    open.push(token)
    return token === '{' ? 'key or end' : 'value or end'
  }
  const closesOne = (token === '}' && inside === '{') || (token === ']' && inside === '[')
  if (closesOne && awaited.endsWith('or end')) {
    open.pop()
    return 'comma or end'
  }
  if (token === ',' && awaited === 'comma or end') return inside === '{' ? 'key' : 'value'
  if (token === ':' && awaited === 'colon') return 'value'
  return undefined
}

function afterScalar(token: string, awaited: Awaited): Awaited | undefined {
  if (awaited === 'value' || awaited === 'value or end') return 'comma or end'
  return token === '"' && (awaited === 'key' || awaited === 'key or end') ? 'colon' : undefined
}

function lengthAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0].length ?? 0
}
