/** Codex's `auth.json`: the ChatGPT login that it holds. It is only read. */

import * as v from 'valibot'

import type { ForeignFault } from '../domain/fault.ts'
import { valueAt } from '../domain/plain-data.ts'
import { fail, ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'
import type { EpochMs } from '../domain/time.ts'
import { SECOND_MS } from '../domain/time.ts'
import type { JsonObject } from './decode.ts'
import type { OwnerLoginParser } from './foreign-text.ts'
import { decodeForeign, filledText, parseForeignObject } from './foreign-text.ts'
import { instantOf } from './instant.ts'
import { claimsOf } from './jwt-claims.ts'

const Tokens = v.object({
  access_token: v.string(),
  refresh_token: v.optional(v.nullable(v.string())),
})

/** Where OpenAI puts the account into its tokens. */
const ACCOUNT_CLAIM = ['https://api.openai.com/auth', 'chatgpt_account_id']

/**
 * The login in the file; undefined when it holds none.
 *
 * @faults `EQ_FOREIGN_SYNTAX`, `EQ_FOREIGN_FIELD`, `EQ_FOREIGN_BLANK`, `EQ_FOREIGN_KEY_ONLY` it uses an API key
 */
export const parseCodexLogin: OwnerLoginParser = (text, place) => {
  const where = { origin: 'codex-cli', place } as const
  const whole = parseForeignObject(text, where)
  if (!whole.ok) return whole
  const { auth_mode: mode, OPENAI_API_KEY: key, tokens } = whole.value
  const isEmpty = tokens === undefined || tokens === null
  if (mode === 'apikey' || (isEmpty && filledText(key) !== undefined)) {
    return fail<ForeignFault>({ code: 'EQ_FOREIGN_KEY_ONLY', ...where })
  }
  if (isEmpty) return ok(undefined)
  const decoded = decodeForeign(Tokens, tokens, 'tokens', where)
  if (!decoded.ok) return decoded
  const access = filledText(decoded.value.access_token)
  if (access === undefined) return fail<ForeignFault>({ code: 'EQ_FOREIGN_BLANK', ...where })

  const refresh = filledText(decoded.value.refresh_token)
  const identity = claimsOf(valueAt(tokens, ['id_token']))
  const expiresAt = endOf(claimsOf(access))
  const email = filledText(identity.email)
  const account =
    filledText(valueAt(tokens, ['account_id'])) ?? filledText(valueAt(identity, ACCOUNT_CLAIM))
  return ok({
    access: new Secret(access),
    ...(refresh !== undefined && { refresh: new Secret(refresh) }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(email !== undefined && { email }),
    ...(account !== undefined && { accountId: account }),
  })
}

/** @source RFC 7519 4.1.4: `exp` is in seconds */
function endOf(claims: JsonObject): EpochMs | undefined {
  return typeof claims.exp === 'number' ? instantOf(claims.exp * SECOND_MS) : undefined
}
