/**
 * What a token endpoint's answer means for the refresh token that was sent.
 *
 * Only the provider's own word about exactly this token is a rejection. Whatever leaves it open whether the token has
 * served is ambiguous, and never a verdict. The body is judged before the status.
 */

import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'

import { isRecord } from '../domain/plain-data.ts'
import type { RawAnswer, TokenVerdict } from '../domain/renewal-ports.ts'
import { maskRuns } from '../domain/secret-runs.ts'
import type { Secret } from '../domain/secret.ts'
import type { EpochMs } from '../domain/time.ts'
import { parseJson } from './decode.ts'
import { parseIssuedTokens } from './issued-tokens.ts'
import { retryAfterMs } from './retry-after.ts'
import { safeWords } from './safe-words.ts'

/** The token itself is refused. @source RFC 6749 5.2; OpenAI's codes beside it */
const REJECTIONS: ReadonlySet<string> = new Set([
  'invalid_grant',
  'refresh_token_reused',
  'refresh_token_expired',
  'refresh_token_invalidated',
])
/** The request or the client is refused; the token was not looked at. @source RFC 6749 5.2 */
const COMPLAINTS: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_scope',
  'unsupported_grant_type',
  'invalid_client',
  'unauthorized_client',
])

/** @param sent the token that was sent: a server that repeats it, whole or in part, must not make us repeat it */
export function judgeTokenAnswer(answer: RawAnswer, now: EpochMs, sent: Secret): TokenVerdict {
  const { status, complete } = answer
  const parsed = parseJson(new TextDecoder().decode(plainBody(answer)))
  const body = parsed.ok && isRecord(parsed.value) ? parsed.value : undefined
  const error = body && errorOf(body, sent)
  if (error && status < 500) {
    const judged = judgeError(error)
    if (judged) return judged
  }
  if (status >= 200 && status < 300) {
    if (error) return ambiguous(`HTTP ${status} with the error ${error.code}`)
    if (!body) return ambiguous(complete ? 'the answer was not JSON' : 'the answer broke off')
    const tokens = parseIssuedTokens(body)
    return tokens.ok
      ? { kind: 'tokens', tokens: tokens.value }
      : ambiguous(`the answer lacked ${tokens.fault.field}`)
  }
  if (status === 429 || status === 407 || (status === 403 && !error)) {
    const waitMs = retryAfterMs(answer.headers, now)
    return {
      kind: 'not_consumed',
      status,
      words: error ? wordsOf(error) : (STATUS_WORDS[status] ?? ''),
      ...(waitMs !== undefined && { retryAfterMs: waitMs }),
    }
  }
  return ambiguous(`HTTP ${status}${error ? `: ${wordsOf(error)}` : ''}`)
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  403: 'a page that is not from the login service',
  407: 'the proxy wants a login of its own',
  429: 'too many requests',
}

/** Some servers pack what they were asked not to pack. */
const UNPACKERS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => gunzipSync(bytes, UNPACKED),
  deflate: (bytes) => inflateSync(bytes, UNPACKED),
  br: (bytes) => brotliDecompressSync(bytes, UNPACKED),
}
const UNPACKED = { maxOutputLength: 1024 * 1024 }

function plainBody({ headers, body }: RawAnswer): Uint8Array {
  const unpack = UNPACKERS[headers['content-encoding']?.trim().toLowerCase() ?? '']
  try {
    return unpack ? unpack(body) : body
  } catch {
    return body
  }
}

interface OauthError {
  readonly code: string
  readonly description: string
}

/** `{"error": "x", "error_description": "y"}`, or `{"error": {"code" or "type", "message"}}`. */
function errorOf(body: Readonly<Record<string, unknown>>, sent: Secret): OauthError | undefined {
  const { error } = body
  const text = (value: unknown): string => maskRuns(textOf(value), sent)
  if (typeof error === 'string' && error !== '') {
    return { code: text(error), description: text(body['error_description']) }
  }
  if (!isRecord(error)) return undefined
  const code = text(error['code']) || text(error['type'])
  return code === '' ? undefined : { code, description: text(error['message']) }
}

function judgeError(error: OauthError): TokenVerdict | undefined {
  const words = safeWords(error.description)
  if (REJECTIONS.has(error.code)) return { kind: 'rejected', error: error.code, words }
  if (COMPLAINTS.has(error.code)) return { kind: 'config', error: error.code, words }
  return undefined
}

function wordsOf({ code, description }: OauthError): string {
  return safeWords(description === '' ? code : `${code}: ${description}`)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function ambiguous(words: string): TokenVerdict {
  return { kind: 'ambiguous', words: safeWords(words) }
}
