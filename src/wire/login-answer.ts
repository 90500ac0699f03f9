/** The answer of a provider's login page, as the browser brings it or as a person pastes it. */

import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { safeWords } from './safe-words.ts'

/** Exactly one of a code and an error. @source RFC 6749 4.1.2, RFC 9207 */
export interface LoginAnswer {
  readonly state: string
  readonly outcome:
    | { readonly kind: 'agreed'; readonly code: string }
    /** Both texts are safe to print. */
    | { readonly kind: 'denied'; readonly error: string; readonly words: string }
  /** Who says that it answers. */
  readonly issuer?: string
}

const EXPECTED = 'the whole address of the last page, or code#state'
const LONGEST_ERROR = 60

/** Undefined: the parameters are no answer, or say something twice. */
export function readLoginAnswer(parameters: URLSearchParams): LoginAnswer | undefined {
  const names = ['state', 'code', 'error', 'iss'] as const
  if (names.some((name) => parameters.getAll(name).length > 1)) return undefined
  const [state, code, error, issuer] = names.map((name) => parameters.get(name) || undefined)
  if (state === undefined || (code === undefined) === (error === undefined)) return undefined
  const from = issuer !== undefined && { issuer }
  if (code !== undefined) return { state, outcome: { kind: 'agreed', code }, ...from }
  const words = safeWords(parameters.get('error_description') ?? '')
  const safeError = safeWords(error ?? '', LONGEST_ERROR)
  return { state, outcome: { kind: 'denied', error: safeError, words }, ...from }
}

/**
 * A pasted answer: the whole address, or `code#state`. Line breaks and blanks that a terminal put in are taken out.
 *
 * @param redirectUri where the answer of this login ends up; another address is not its answer
 * @faults what would have been one
 */
export function parseLoginAnswer(text: string, redirectUri: string): Result<LoginAnswer, string> {
  const answer = text.replace(/[\s\p{Cf}]+/gu, '')
  const parameters = /^[a-z][a-z0-9+.-]*:\/\//i.test(answer)
    ? parametersOf(answer, redirectUri)
    : parametersOfPair(answer)
  const read = parameters && readLoginAnswer(parameters)
  return read ? ok(read) : fail(EXPECTED)
}

function parametersOf(address: string, redirectUri: string): URLSearchParams | undefined {
  if (!URL.canParse(address)) return undefined
  const [given, ours] = [new URL(address), new URL(redirectUri)]
  const isOurs = given.origin === ours.origin && given.pathname === ours.pathname
  return isOurs ? given.searchParams : undefined
}

function parametersOfPair(pair: string): URLSearchParams | undefined {
  const [code = '', state = '', ...rest] = pair.split('#')
  return rest.length === 0 ? new URLSearchParams({ code, state }) : undefined
}
