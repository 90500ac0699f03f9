/**
 * The sandbox's login page, which agrees at once: it sends the browser back with a code that serves once.
 *
 * @source RFC 6749 4.1, RFC 7636 4.6
 */

import { createHash, randomBytes } from 'node:crypto'
import * as v from 'valibot'
import type { Result } from '../../domain/result.ts'
import { fail, ok } from '../../domain/result.ts'
import type { EpochMs } from '../../domain/time.ts'
import { MINUTE_MS } from '../../domain/time.ts'
import { decode } from '../../wire/decode.ts'

/** The one client that the sandbox knows. */
export const SANDBOX_CLIENT = 'equabot'
export const DEFAULT_ACCOUNT = 'sandbox@example.com'

const CODE_LIFETIME_MS: number = 10 * MINUTE_MS
const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])$/

interface Agreement {
  readonly redirectUri: string
  readonly challenge: string
  readonly email: string
  readonly until: EpochMs
}

export interface LoginDesk {
  /** Where the browser is sent, or why it stays. */
  authorize(parameters: URLSearchParams, now: EpochMs): Result<string, string>
  /** The account that agreed, or why the code does not count. */
  redeemCode(request: unknown, now: EpochMs): Result<string, string>
}

const codeRequestSchema = v.looseObject({
  code: v.string(),
  client_id: v.string(),
  redirect_uri: v.string(),
  code_verifier: v.string(),
})

export function createLoginDesk(): LoginDesk {
  const agreements = new Map<string, Agreement>()

  return {
    authorize(parameters, now) {
      const redirect = redirectOf(parameters.get('redirect_uri'))
      if (parameters.get('client_id') !== SANDBOX_CLIENT) return fail('the client is not known')
      if (!redirect) return fail('redirect_uri must be an address on loopback')
      const back = new URL(redirect)
      const state = parameters.get('state')
      if (state !== null) back.searchParams.set('state', state)
      const problem = problemOf(parameters)
      if (problem !== undefined) {
        back.searchParams.set('error', 'invalid_request')
        back.searchParams.set('error_description', problem)
        return ok(back.href)
      }
      const code = `sandbox-code-${randomBytes(16).toString('hex')}`
      agreements.set(code, {
        redirectUri: redirect,
        challenge: parameters.get('code_challenge') ?? '',
        email: parameters.get('account') || parameters.get('login_hint') || DEFAULT_ACCOUNT,
        until: now + CODE_LIFETIME_MS,
      })
      back.searchParams.set('code', code)
      return ok(back.href)
    },

    redeemCode(request, now) {
      const asked = decode(codeRequestSchema, request)
      if (!asked.ok) return fail(`${asked.fault.field} is needed`)
      const { code, client_id, redirect_uri, code_verifier } = asked.value
      const agreement = agreements.get(code)
      // Whatever the rest is like: a code has one try.
      agreements.delete(code)
      if (!agreement || agreement.until <= now) return fail('this code has served or is none')
      if (client_id !== SANDBOX_CLIENT) return fail('the code was given to another client')
      if (redirect_uri !== agreement.redirectUri) return fail('redirect_uri is another one')
      const challenge = createHash('sha256').update(code_verifier).digest('base64url')
      if (challenge !== agreement.challenge) return fail('code_verifier does not fit')
      return ok(agreement.email)
    },
  }
}

function redirectOf(text: string | null): string | undefined {
  if (text === null || !URL.canParse(text)) return undefined
  const { protocol, hostname, hash } = new URL(text)
  return protocol === 'http:' && LOOPBACK.test(hostname) && hash === '' ? text : undefined
}

function problemOf(parameters: URLSearchParams): string | undefined {
  if (parameters.get('response_type') !== 'code') return 'response_type must be code'
  if ((parameters.get('state') ?? '').length < 22) return 'state must be hard to guess'
  if (parameters.get('code_challenge_method') !== 'S256')
    return 'code_challenge_method must be S256'
  const challenge = parameters.get('code_challenge') ?? ''
  return /^[\w-]{43}$/.test(challenge) ? undefined : 'code_challenge must be a SHA-256 in base64url'
}
