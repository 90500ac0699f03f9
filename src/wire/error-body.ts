/** What an error reply says, whoever's dialect it is in: its codes, its message, how long it asks to wait. */

import { valueAt } from '../domain/plain-data.ts'
import { parseJson } from './decode.ts'

/** The parts of an error reply that it is judged by. */
export interface ErrorBody {
  /** Every machine-readable code it bears, in lower case. */
  readonly codes: ReadonlySet<string>
  /** Names of the quotas that it says are used up. */
  readonly quotas: readonly string[]
  /** A status in the body; the true one where the reply itself says 200. */
  readonly status?: number
  readonly message: string
  /** A page of some server on the way and no answer of the provider's. */
  readonly isPage: boolean
  /** When the limit ends: an instant in text, in seconds or in milliseconds since 1970. */
  readonly resetsAt?: string | number
  /** How long the limit lasts: seconds, or text such as `34.07s`. */
  readonly resetsIn?: string | number
}

type Path = readonly string[]

/** Where providers put a code. */
const CODES: readonly Path[] = [
  ['error', 'type'],
  ['error', 'code'],
  ['error', 'status'],
  ['error', 'error_type'],
  ['error', 'details', 'error_code'],
  ['error', 'metadata', 'error_type'],
  ['error', 'metadata', 'limit_source'],
  ['error_type'],
  ['error'],
  ['code'],
  ['type'],
]
const MESSAGES: readonly Path[] = [
  ['error', 'message'],
  ['message'],
  ['error_description'],
  ['detail'],
  ['error'],
]
const RESETS_AT: readonly Path[] = [
  ['error', 'metadata', 'resets_at'],
  ['error', 'metadata', 'headers', 'X-RateLimit-Reset'],
  ['error', 'resets_at'],
]
const RESETS_IN: readonly Path[] = [
  ['error', 'metadata', 'resets_in_seconds'],
  ['error', 'resets_in_seconds'],
]

/** Understands what it can; a body that is no JSON is all message. Relays put a provider's whole body into the message of theirs. */
export function parseErrorBody(bodyText: string): ErrorBody {
  const outer = bodyOf(bodyText)
  if (!/^\s*[[{]/.test(outer.message)) return outer
  const inner = bodyOf(outer.message)
  return inner.message === outer.message
    ? outer
    : { ...outer, ...inner, codes: new Set([...outer.codes, ...inner.codes]) }
}

function bodyOf(bodyText: string): ErrorBody {
  const parsed = parseJson(bodyText)
  const root = parsed.ok ? rootOf(parsed.value) : undefined
  const details = listAt(root, ['error', 'details'])
  const violations = details.flatMap((detail) => listAt(detail, ['violations']))
  const codes = [
    ...CODES.map((path) => valueAt(root, path)),
    ...details.map((detail) => valueAt(detail, ['reason'])),
    ...keysOfModeration(root),
  ]
  const status = valueAt(root, ['error', 'code'])
  const resetsAt = first(root, RESETS_AT)
  const resetsIn =
    first(root, RESETS_IN) ??
    details.map((detail) => valueAt(detail, ['retryDelay'])).find(isTextOrNumber)
  return {
    codes: new Set(codes.filter(isText).map((code) => code.toLowerCase())),
    quotas: violations.map((violation) => valueAt(violation, ['quotaId'])).filter(isText),
    ...(typeof status === 'number' && { status }),
    message: MESSAGES.map((path) => valueAt(root, path)).find(isText) ?? plainText(bodyText, root),
    isPage: root === undefined && /^\s*</.test(bodyText),
    ...(resetsAt !== undefined && { resetsAt }),
    ...(resetsIn !== undefined && { resetsIn }),
  }
}

/** Where the error stands: of Google in a list, of OpenRouter once a reply has begun in its first choice. */
function rootOf(value: unknown): unknown {
  const root: unknown = Array.isArray(value) ? value[0] : value
  const [choice] = listAt(root, ['choices'])
  const isInChoice = valueAt(root, ['error']) === undefined && valueAt(choice, ['error'])
  return isInChoice ? choice : root
}

/** A moderation verdict bears no code, only its findings. */
function keysOfModeration(root: unknown): readonly string[] {
  const found = ['reasons', 'flagged_input'].filter(
    (key) => valueAt(root, ['error', 'metadata', key]) !== undefined,
  )
  return found.length > 0 ? ['moderation'] : []
}

/** A page of some server on the way says most in its title. */
function plainText(bodyText: string, root: unknown): string {
  if (root !== undefined) return ''
  const title = /<title[^>]*>([^<]{1,300})/i.exec(bodyText)?.[1]
  if (title !== undefined) return title
  return /^\s*</.test(bodyText) ? '' : bodyText
}

function first(root: unknown, paths: readonly Path[]): string | number | undefined {
  return paths.map((path) => valueAt(root, path)).find(isTextOrNumber)
}

function listAt(root: unknown, path: Path): readonly unknown[] {
  const value = valueAt(root, path)
  return Array.isArray(value) ? value : []
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isTextOrNumber(value: unknown): value is string | number {
  return isText(value) || typeof value === 'number'
}
