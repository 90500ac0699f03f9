/**
 * Claude Code's `.credentials.json`: what it says, and how new tokens are put into it.
 *
 * The file is another program's. What is written back is its own text with three values changed; every other key, at
 * every level, keeps its place, its value and its spelling.
 */

import * as v from 'valibot'

import type { ForeignFault } from '../domain/fault.ts'
import { valueAt } from '../domain/plain-data.ts'
import { fail, ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'
import type { EpochMs } from '../domain/time.ts'
import { isInstant } from '../domain/time.ts'
import type { OwnerLogin, OwnerLoginParser } from './foreign-text.ts'
import { decodeForeign, filledText, parseForeignObject } from './foreign-text.ts'
import type { JsonMember } from './json-members.ts'
import { jsonMembers } from './json-members.ts'

const LOGIN_KEY = 'claudeAiOauth'
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf]

/** What does not decide about the login is not checked: an odd value there must not cost the user the login. */
const Login = v.object({
  accessToken: v.string(),
  refreshToken: v.optional(v.nullable(v.string())),
  expiresAt: v.optional(v.nullable(v.number())),
})

/**
 * The login in the file; undefined when it holds none, as a file that only keeps other things does.
 *
 * @faults `EQ_FOREIGN_SYNTAX`, `EQ_FOREIGN_FIELD`, `EQ_FOREIGN_BLANK` logged out there
 */
export const parseClaudeLogin: OwnerLoginParser = (text, place) => {
  const where = { origin: 'claude-code', place } as const
  const whole = parseForeignObject(text, where)
  if (!whole.ok) return whole
  const raw = whole.value[LOGIN_KEY]
  if (raw === undefined || raw === null) return ok(undefined)
  const decoded = decodeForeign(Login, raw, LOGIN_KEY, where)
  if (!decoded.ok) return decoded
  const { accessToken, refreshToken, expiresAt } = decoded.value
  const access = filledText(accessToken)
  const refresh = filledText(refreshToken)
  const isEnded = typeof expiresAt === 'number' && expiresAt <= 0
  if (access === undefined || (refresh === undefined && isEnded)) {
    return fail<ForeignFault>({ code: 'EQ_FOREIGN_BLANK', ...where })
  }
  return ok(loginOf(access, refresh, expiresAt ?? undefined, raw))
}

function loginOf(
  access: string,
  refresh: string | undefined,
  expiresAt: number | undefined,
  raw: unknown,
): OwnerLogin {
  const account = filledText(valueAt(raw, ['accountUuid']))
  const client = filledText(valueAt(raw, ['clientId']))
  return {
    access: new Secret(access),
    ...(refresh !== undefined && { refresh: new Secret(refresh) }),
    // An end of 0 means "long ago" there; in our own files it would mean that none is known.
    ...(expiresAt !== undefined && isInstant(expiresAt) && { expiresAt: Math.max(1, expiresAt) }),
    ...(account !== undefined && { accountId: account }),
    ...(client !== undefined && { clientId: client }),
  }
}

/** New tokens for the file. */
export interface ClaudeTokens {
  readonly access: Secret
  /** Absent: the old one goes on serving. */
  readonly refresh?: Secret
  readonly expiresAt?: EpochMs
  readonly scopes?: readonly string[]
}

/** The file's bytes with these tokens; undefined when there is no login in it to change. */
export function withClaudeTokens(file: Uint8Array, tokens: ClaudeTokens): Uint8Array | undefined {
  const head = BYTE_ORDER_MARK.every((byte, index) => file[index] === byte)
    ? BYTE_ORDER_MARK.length
    : 0
  const bytes = file.subarray(head)
  const outer = jsonMembers(bytes)
  if (!outer.ok) return undefined
  // Where a key stands twice, every reader takes the last one.
  const login = outer.value.findLast((member) => member.key === LOGIN_KEY)
  if (!login) return undefined
  const inner = bytes.subarray(login.start, login.end)
  const members = jsonMembers(inner)
  if (!members.ok || members.value.length === 0) return undefined
  const values: readonly (readonly [string, string])[] = [
    ['accessToken', JSON.stringify(tokens.access.reveal())],
    ...(tokens.refresh ? [['refreshToken', JSON.stringify(tokens.refresh.reveal())] as const] : []),
    ['expiresAt', JSON.stringify(tokens.expiresAt ?? null)],
    ...(tokens.scopes ? [['scopes', JSON.stringify(tokens.scopes)] as const] : []),
  ]
  const changed = withMembers(inner, members.value, new Map(values))
  return Buffer.concat([
    file.subarray(0, head + login.start),
    changed,
    file.subarray(head + login.end),
  ])
}

/** The object's bytes with these values; keys that it lacks come last, set out like the last one that it has. */
function withMembers(
  object: Uint8Array,
  members: readonly JsonMember[],
  values: ReadonlyMap<string, string>,
): Uint8Array {
  const parts: Uint8Array[] = []
  let at = 0
  for (const { key, start, end } of members) {
    const value = values.get(key)
    if (value === undefined) continue
    parts.push(object.subarray(at, start), Buffer.from(value))
    at = end
  }
  const known = new Set(members.map(({ key }) => key))
  const last = members.at(-1)
  const lastEnd = last?.end ?? at
  if (at < lastEnd) parts.push(object.subarray(at, lastEnd))
  for (const [key, value] of values) {
    if (known.has(key) || !last) continue
    const [blanks, colon] = settingOf(object, members, last)
    parts.push(Buffer.from(`,${blanks}${JSON.stringify(key)}${colon}${value}`))
  }
  parts.push(object.subarray(lastEnd))
  return Buffer.concat(parts)
}

/** The blanks before a member's key, and its colon with the blanks around it. */
function settingOf(
  object: Uint8Array,
  members: readonly JsonMember[],
  member: JsonMember,
): readonly [blanks: string, colon: string] {
  const before = members[members.indexOf(member) - 1]?.end ?? 0
  const gap = Buffer.from(object.subarray(before, member.start)).toString('utf8')
  const found = /^[{,]?(\s*)"(?:[^"\\]|\\.)*"(\s*:\s*)$/s.exec(gap)
  return [found?.[1] ?? '', found?.[2] ?? ':']
}
