/** The sandbox's OAuth endpoints behind its login page: codes and refresh tokens for grants, once each; and their end. */

import * as v from 'valibot'
import type { EpochMs } from '../../domain/time.ts'
import { SECOND_MS } from '../../domain/time.ts'
import { decode } from '../../wire/decode.ts'
import type { LoginDesk } from './authorize.ts'
import type { AccountedGrant, GrantDesk } from './grants.ts'
import { ACCESS_LIFETIME_MS } from './grants.ts'

export interface TokenAnswer {
  readonly status: number
  readonly body: unknown
}

export interface Desks {
  readonly grants: GrantDesk
  readonly logins: LoginDesk
}

const requestSchema = v.looseObject({ grant_type: v.string() })
const refreshSchema = v.looseObject({ refresh_token: v.string() })
const revocationSchema = v.looseObject({ token: v.string() })

/** @source RFC 6749 4.1.3, 5.1, 5.2 and 6 */
export function answerTokenRequest(desks: Desks, body: unknown, now: EpochMs): TokenAnswer {
  const request = decode(requestSchema, body)
  if (!request.ok) return refused('invalid_request', 'grant_type is needed')
  switch (request.value.grant_type) {
    case 'refresh_token':
      return answerRefresh(desks, body, now)
    case 'authorization_code': {
      const account = desks.logins.redeemCode(body, now)
      return account.ok
        ? granted(desks.grants.issue(account.value, now))
        : refused('invalid_grant', account.fault)
    }
    default:
      return refused(
        'unsupported_grant_type',
        'the sandbox only takes authorization_code and refresh_token',
      )
  }
}

function answerRefresh({ grants }: Desks, body: unknown, now: EpochMs): TokenAnswer {
  const request = decode(refreshSchema, body)
  if (!request.ok) return refused('invalid_request', 'refresh_token is needed')
  const grant = grants.redeem(request.value.refresh_token, now)
  return typeof grant === 'string' ? refused('invalid_grant', NO_GRANT[grant]) : granted(grant)
}

/** @source RFC 7009 2.2: a token that is not known is answered like one that was */
export function answerRevocation({ grants }: Desks, body: unknown): TokenAnswer {
  const request = decode(revocationSchema, body)
  if (!request.ok) return refused('invalid_request', 'token is needed')
  grants.revoke(request.value.token)
  return { status: 200, body: {} }
}

const NO_GRANT: Readonly<Record<Extract<ReturnType<GrantDesk['redeem']>, string>, string>> = {
  forged: 'not a refresh token of the sandbox',
  used: 'this refresh token has already served',
  revoked: 'this login was revoked',
}

function granted({ access, refresh, account }: AccountedGrant): TokenAnswer {
  return {
    status: 200,
    body: {
      token_type: 'Bearer',
      access_token: access.reveal(),
      refresh_token: refresh.reveal(),
      expires_in: ACCESS_LIFETIME_MS / SECOND_MS,
      ...(account && { account: { uuid: account.uuid, email_address: account.email } }),
    },
  }
}

function refused(error: string, description: string): TokenAnswer {
  return { status: 400, body: { error, error_description: description } }
}
