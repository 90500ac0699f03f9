/** What a JSON Web Token says of itself. */

import { isRecord } from '../domain/plain-data.ts'
import type { JsonObject } from './decode.ts'
import { parseJson } from './decode.ts'

/**
 * The claims of a token; empty when it is none. Nothing is verified: a provider judges its own access token, and an id
 * token that came straight from the token endpoint only names the account for people.
 *
 * @source RFC 7519 3; OpenID Connect Core 3.1.3.7 (6)
 */
export function claimsOf(token: unknown): JsonObject {
  const body = typeof token === 'string' ? token.split('.')[1] : undefined
  if (body === undefined) return {}
  const claims = parseJson(Buffer.from(body, 'base64url').toString('utf8'))
  return claims.ok && isRecord(claims.value) ? claims.value : {}
}
