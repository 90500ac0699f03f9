/** What a provider says when a code is exchanged or a token revoked. */

import { valueAt } from '../domain/plain-data.ts'
import type { IssuedTokens } from '../domain/renewal-ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Secret } from '../domain/secret.ts'
import { parseJson } from './decode.ts'
import { parseErrorBody } from './error-body.ts'
import { parseIssuedTokens } from './issued-tokens.ts'
import { safeWords } from './safe-words.ts'

export interface LoginReply {
  readonly status: number
  readonly body: string
}

/** Why it did not work; safe to print. */
export interface ReplyTrouble {
  readonly status: number
  readonly words: string
  /** The provider's own code, such as `invalid_grant`. */
  readonly error?: string
}

/** @param sent what the request bore that must not be seen again in the provider's words */
export function judgeCodeReply(
  reply: LoginReply,
  sent: readonly Secret[],
): Result<IssuedTokens, ReplyTrouble> {
  const parsed = parseJson(reply.body)
  const body = parsed.ok ? parsed.value : undefined
  if (!isSuccess(reply) || typeof valueAt(body, ['error']) === 'string') {
    return fail(troubleOf(reply, sent))
  }
  const tokens = parseIssuedTokens(body)
  if (tokens.ok) return tokens
  const { field } = tokens.fault
  const words = parsed.ok ? `it holds no ${field || 'tokens'} that can be used` : 'it is not JSON'
  return fail({ status: reply.status, words })
}

/** A token that is not known counts as revoked. @source RFC 7009 2.2 */
export function judgeRevocationReply(
  reply: LoginReply,
  sent: readonly Secret[],
): Result<void, ReplyTrouble> {
  return isSuccess(reply) ? ok() : fail(troubleOf(reply, sent))
}

function isSuccess({ status }: LoginReply): boolean {
  return status >= 200 && status < 300
}

function troubleOf({ status, body }: LoginReply, sent: readonly Secret[]): ReplyTrouble {
  if (status >= 300 && status < 400) {
    return { status, words: 'it points to another address, which is not followed' }
  }
  const hidden = sent.reduce((text, secret) => text.replaceAll(secret.reveal(), '[secret]'), body)
  const { codes, message } = parseErrorBody(hidden)
  const [code] = codes
  const isRepeated = code === undefined || message.toLowerCase() === code
  const words = isRepeated ? message : `${code}: ${message}`
  return {
    status,
    words: words.trim() === '' ? 'no reason was given' : safeWords(words),
    ...(code !== undefined && { error: safeWords(code) }),
  }
}
