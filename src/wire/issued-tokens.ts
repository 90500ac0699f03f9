/** Tokens as a token endpoint issues them, and whose they are. */

import * as v from 'valibot'

import { valueAt } from '../domain/plain-data.ts'
import type { IssuedTokens } from '../domain/renewal-ports.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'
import { DAY_MS, HOUR_MS, SECOND_MS } from '../domain/time.ts'
import type { Misfit } from './decode.ts'
import { decode } from './decode.ts'
import { claimsOf } from './jwt-claims.ts'

/** @source RFC 6749 A.12, A.17: visible ASCII. Anything else could not travel in a header. */
const TokenText = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,65536}$/, 'a token of visible ASCII'))

/** Some providers write the number as text. */
const Seconds = v.union([
  v.number(),
  v.pipe(v.string(), v.regex(/^\d{1,12}$/), v.transform(Number)),
])

const Tokens = v.object({
  access_token: TokenText,
  refresh_token: v.nullish(v.union([TokenText, v.literal('')])),
  expires_in: v.nullish(Seconds),
})

/** A century, ms: more is a mistake of units. */
const LONGEST_MS = 36_525 * DAY_MS

/** Names and ids of people hold no blanks and nothing that hides. */
const IDENTITY = /^[^\s\p{C}]{1,254}$/u

/** Where providers say whose the tokens are; the claims of an id token come last. */
const EMAILS: readonly (readonly string[])[] = [['account', 'email_address'], ['email']]
const ACCOUNTS: readonly (readonly string[])[] = [['account', 'uuid'], ['account_id']]

/**
 * The tokens of a success, or the first field that does not fit. Keys that are not known are passed over, and so is
 * `token_type`: tokens that have been issued are not thrown away for their description.
 *
 * A lifetime that is not told, or is none, counts as an hour where a renewal can find out, and as no end at all, which
 * is `Infinity`, where nothing can be renewed.
 *
 * @source RFC 6749 5.1
 */
export function parseIssuedTokens(body: unknown): Result<IssuedTokens, Misfit> {
  const tokens = decode(Tokens, body)
  if (!tokens.ok) return tokens
  const { access_token: access, refresh_token: refresh, expires_in: seconds } = tokens.value
  // Tokens are not thrown away for a number that makes no sense.
  const makesSense = typeof seconds === 'number' && seconds > 0 && seconds * SECOND_MS < LONGEST_MS
  const told = makesSense ? seconds * SECOND_MS : undefined
  const claims = claimsOf(valueAt(body, ['id_token']))
  const email = firstIdentity([...EMAILS.map((path) => valueAt(body, path)), claims['email']])
  const accountId = firstIdentity([...ACCOUNTS.map((path) => valueAt(body, path)), claims['sub']])
  return ok({
    access: new Secret(access),
    ...(refresh && { refresh: new Secret(refresh) }),
    lifetimeMs: told ?? (refresh ? HOUR_MS : Number.POSITIVE_INFINITY),
    ...(email !== undefined && { email }),
    ...(accountId !== undefined && { accountId }),
  })
}

function firstIdentity(values: readonly unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string' && IDENTITY.test(value))
}
