/**
 * Where the members of a JSON object stand in its bytes.
 *
 * A request is passed on byte for byte, so its model is found and replaced in place, not by parsing and printing it
 * again: that would lose number spellings, blanks and the order of keys. The scan is strict, so what it accepts means
 * the same to every reader.
 */

import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'

/** A member of the outermost object. `start` and `end` are byte offsets of its value, `end` exclusive. */
export interface JsonMember {
  readonly key: string
  readonly start: number
  readonly end: number
}

/** Deeper documents are refused: many readers would overflow on them. */
export const DEEPEST_JSON = 512

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const LOWER_U = 0x75

const ESCAPED: ReadonlySet<number> = new Set(bytesOf('"\\/bfnrt'))
const LITERALS: ReadonlyMap<number, readonly number[]> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), bytesOf(word)]),
)

/**
 * @faults why the bytes are not one JSON object, as the rest of a sentence
 * @source RFC 8259
 */
export function jsonMembers(bytes: Uint8Array): Result<readonly JsonMember[], string> {
  const members: JsonMember[] = []
  const scan = createScan(bytes, (member) => members.push(member))
  const whole = scan.document()
  if (whole === 'object') return ok(members)
  if (whole === 'other') return fail('must be a JSON object')
  if (whole === 'deep') return fail(`is nested deeper than ${DEEPEST_JSON} levels`)
  const ended = scan.at() >= bytes.length
  if (ended && members.length === 0 && isBlank(bytes)) return fail('is empty')
  return fail(
    ended ? 'is not JSON: it ends too early' : `is not JSON: byte ${scan.at() + 1} does not fit`,
  )
}

function createScan(bytes: Uint8Array, found: (member: JsonMember) => void): Scan {
  let at = 0
  let tooDeep = false

  function blanks(): void {
    while (isBlankByte(bytes[at])) at += 1
  }

  /** Steps over one byte if it is the expected one. */
  function step(byte: number): boolean {
    if (bytes[at] !== byte) return false
    at += 1
    return true
  }

  function text(): boolean {
    if (!step(QUOTE)) return false
    for (;;) {
      at = endOfPlainText(bytes, at)
      if (step(QUOTE)) return true
      if (!step(BACKSLASH) || !escapeEnd()) return false
    }
  }

  function escapeEnd(): boolean {
    const byte = bytes[at]
    if (byte === undefined || (byte !== LOWER_U && !ESCAPED.has(byte))) return false
    at += 1
    for (let left = byte === LOWER_U ? 4 : 0; left > 0; left -= 1) {
      if (!isHex(bytes[at])) return false
      at += 1
    }
    return true
  }

  function digits(): boolean {
    const start = at
    while (isDigit(bytes[at])) at += 1
    return at > start
  }

  function number(): boolean {
    step(0x2d)
    if (!step(0x30) && !digits()) return false
    if (step(0x2e) && !digits()) return false
    if (!step(0x65) && !step(0x45)) return true
    if (!step(0x2b)) step(0x2d)
    return digits()
  }

  function value(depth: number): boolean {
    const byte = bytes[at]
    if (byte === QUOTE) return text()
    if (byte === OPEN_BRACE) return list(CLOSE_BRACE, depth + 1, () => member(depth + 1))
    if (byte === OPEN_BRACKET) return list(CLOSE_BRACKET, depth + 1, () => value(depth + 1))
    const literal = byte === undefined ? undefined : LITERALS.get(byte)
    return literal ? literal.every(step) : number()
  }

  function member(depth: number): boolean {
    const keyStart = at
    if (!text()) return false
    const keyEnd = at
    blanks()
    if (!step(COLON)) return false
    blanks()
    const start = at
    if (!value(depth)) return false
    if (depth === 1) found({ key: textAt(bytes, keyStart, keyEnd), start, end: at })
    return true
  }

  /** An object or an array: `item`s between commas, from its opening byte to `close`. */
  function list(close: number, depth: number, item: () => boolean): boolean {
    tooDeep ||= depth > DEEPEST_JSON
    if (tooDeep) return false
    at += 1
    blanks()
    if (step(close)) return true
    for (;;) {
      if (!item()) return false
      blanks()
      if (step(close)) return true
      if (!step(COMMA)) return false
      blanks()
    }
  }

  function document(): ReturnType<Scan['document']> {
    blanks()
    const isObject = bytes[at] === OPEN_BRACE
    const complete = value(0)
    if (tooDeep) return 'deep'
    blanks()
    if (!complete || at < bytes.length) return 'broken'
    return isObject ? 'object' : 'other'
  }

  return { document, at: () => at }
}

interface Scan {
  document(): 'object' | 'other' | 'deep' | 'broken'
  /** The first byte that was not understood. */
  at(): number
}

/** The first byte that is not plain text of a string. Most of a request is plain text, so this loop sets the pace. */
function endOfPlainText(bytes: Uint8Array, start: number): number {
  const { length } = bytes
  for (let at = start; at < length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === QUOTE || byte === BACKSLASH || byte < 0x20) return at
  }
  return length
}

/** A JSON string in its bytes, quotes included, as text. */
export function textAt(bytes: Uint8Array, start: number, end: number): string {
  const text: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(start, end)))
  return String(text)
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every(isBlankByte)
}

function isBlankByte(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function isHex(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && /[a-f]/i.test(String.fromCharCode(byte)))
}

function bytesOf(text: string): readonly number[] {
  return [...new TextEncoder().encode(text)]
}
