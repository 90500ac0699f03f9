/** The tokens in a token endpoint's answer. @source RFC 6749 5.1; identity as providers add it beside the tokens */

import * as v from 'valibot'

import { isRecord } from '../domain/plain-data.ts'
import type { IssuedTokens } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'
import { HOUR_MS, SECOND_MS } from '../domain/time.ts'
import type { Misfit } from './decode.ts'
import { decode, parseJson } from './decode.ts'

/** Assumed where an answer does not say. */
const USUAL_LIFETIME_MS: number = HOUR_MS
const LONGEST_LIFETIME_SECONDS: number = 400 * 24 * 3600

const Bearer = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,16384}$/, 'a token'))
const Answer = v.looseObject({
  access_token: Bearer,
  token_type: v.optional(v.pipe(v.string(), v.regex(/^bearer$/i, '"bearer"')), 'bearer'),
  refresh_token: v.optional(v.nullable(v.union([Bearer, v.literal('')]))),
  expires_in: v.optional(v.nullable(v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/))]))),
})

/**
 * The tokens of an answer that is a success.
 *
 * An absent or empty `refresh_token` means that the old one goes on serving.
 */
export function parseIssuedTokens(body: unknown): Result<IssuedTokens, Misfit> {
  const answer = decode(Answer, body)
  if (!answer.ok) return answer
  const { access_token: access, refresh_token: refresh, expires_in: expiresIn } = answer.value
  const seconds = expiresIn === undefined || expiresIn === null ? undefined : Number(expiresIn)
  if (seconds !== undefined && !(seconds >= 0)) {
    return fail({ field: 'expires_in', expected: 'a number of seconds' })
  }
  return ok({
    access: new Secret(access),
    ...(refresh && { refresh: new Secret(refresh) }),
    lifetimeMs:
      seconds === undefined
        ? USUAL_LIFETIME_MS
        : Math.min(seconds, LONGEST_LIFETIME_SECONDS) * SECOND_MS,
    ...identityOf(isRecord(body) ? body : {}),
  })
}

/** Whose tokens they are, in the several places where providers say so. */
function identityOf(body: Readonly<Record<string, unknown>>): {
  readonly email?: string
  readonly accountId?: string
} {
  const account = isRecord(body['account']) ? body['account'] : {}
  const claims = claimsOf(body['id_token'])
  const accountId = firstText(account['uuid'], account['id'], body['account_id'], claims['sub'])
  const email = firstText(account['email_address'], account['email'], claims['email'])
  return {
    ...(email !== undefined && { email }),
    ...(accountId !== undefined && { accountId }),
  }
}

/** The claims of a JWT, unverified: it came straight from its issuer, over TLS. */
export function claimsOf(token: unknown): Readonly<Record<string, unknown>> {
  const part = typeof token === 'string' ? token.split('.')[1] : undefined
  if (part === undefined) return {}
  const parsed = parseJson(Buffer.from(part, 'base64url').toString('utf8'))
  return parsed.ok && isRecord(parsed.value) ? parsed.value : {}
}

function firstText(...values: readonly unknown[]): string | undefined {
  return values.find(
    (value): value is string => typeof value === 'string' && value !== '' && value.length <= 320,
  )
}
