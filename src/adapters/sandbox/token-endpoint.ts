/** The sandbox's OAuth token endpoint: a refresh token for a new grant, once. */

import * as v from 'valibot'
import type { EpochMs } from '../../domain/time.ts'
import { SECOND_MS } from '../../domain/time.ts'
import { decode } from '../../wire/decode.ts'
import type { GrantDesk } from './grants.ts'
import { ACCESS_LIFETIME_MS } from './grants.ts'

export interface TokenAnswer {
  readonly status: number
  readonly body: unknown
}

const requestSchema = v.looseObject({ grant_type: v.string(), refresh_token: v.string() })

/** @source RFC 6749 5.1, 5.2 and 6 */
export function answerTokenRequest(desk: GrantDesk, body: unknown, now: EpochMs): TokenAnswer {
  const request = decode(requestSchema, body)
  if (!request.ok) return refused('invalid_request', 'grant_type and refresh_token are needed')
  if (request.value.grant_type !== 'refresh_token') {
    return refused('unsupported_grant_type', 'the sandbox only takes refresh_token')
  }
  const grant = desk.redeem(request.value.refresh_token, now)
  if (grant === 'forged') return refused('invalid_grant', 'not a refresh token of the sandbox')
  if (grant === 'used') return refused('invalid_grant', 'this refresh token has already served')
  return {
    status: 200,
    body: {
      token_type: 'Bearer',
      access_token: grant.access.reveal(),
      refresh_token: grant.refresh.reveal(),
      expires_in: ACCESS_LIFETIME_MS / SECOND_MS,
    },
  }
}

function refused(error: string, description: string): TokenAnswer {
  return { status: 400, body: { error, error_description: description } }
}
