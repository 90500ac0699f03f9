/** Faults in the dialect of whoever called: an SDK must understand them, and a person read what to do. */

import { explain } from '../domain/explain.ts'
import type { Fault } from '../domain/fault.ts'
import type { EpochMs } from '../domain/time.ts'
import { SECOND_MS } from '../domain/time.ts'
import { anthropicErrorBody, openaiErrorBody, responsesFailure } from '../wire/caller-error.ts'
import { parseJson } from '../wire/decode.ts'
import { faultJson } from '../wire/fault-json.ts'
import { renderSse } from '../wire/sse.ts'

/** `responses` is OpenAI's newer one, whose streams end otherwise; `control` is our own API's. */
export type Dialect = 'anthropic' | 'openai' | 'responses' | 'control'

/** The dialect that a caller of this path understands. Anthropic's clients always name their version. */
export function dialectOf(path: string, headers: Readonly<Record<string, unknown>>): Dialect {
  if (path === '/v1/messages') return 'anthropic'
  if (path === '/v1/responses') return 'responses'
  if (!path.startsWith('/v1/')) return 'control'
  return path !== '/v1/chat/completions' && headers['anthropic-version'] !== undefined
    ? 'anthropic'
    : 'openai'
}

export interface FaultAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function faultAnswer(
  fault: Fault,
  dialect: Dialect,
  requestId: string,
  now: EpochMs,
): FaultAnswer {
  const { http } = explain(fault, now)
  const own = providersOwn(fault, dialect)
  const waitMs = retryAfterMs(fault, now)
  return {
    status: own?.status ?? http,
    headers: {
      'content-type': 'application/json',
      // We have tried whatever could be tried; a client that asks again at once only adds load.
      'x-should-retry': String(fault.code === 'EQ_CLIENT_RATE'),
      ...(waitMs !== undefined && {
        'retry-after': String(Math.max(1, Math.ceil(waitMs / SECOND_MS))),
      }),
      ...(http === 401 && { 'www-authenticate': 'Bearer' }),
      ...(fault.code === 'EQ_ROUTE_METHOD' && { allow: fault.allowed.join(', ') }),
    },
    body: own?.body ?? faultBody(fault, dialect, requestId, now),
  }
}

/** What a provider answered about the request itself: it is in the client's protocol, and says more than we could. */
function providersOwn(
  fault: Fault,
  dialect: Dialect,
): { readonly status: number; readonly body: string } | undefined {
  if (fault.code !== 'EQ_UPSTREAM_REJECTED' || dialect === 'control') return undefined
  const { status = 0 } = fault.attempt
  const parsed = parseJson(fault.body)
  return status >= 400 && parsed.ok ? { status, body: fault.body } : undefined
}

/** The fault as the last event of a stream that has begun. */
export function faultEvent(
  fault: Fault,
  dialect: Dialect,
  requestId: string,
  now: EpochMs,
): string {
  if (dialect === 'responses') {
    const data = responsesFailure(explain(fault, now), fault.code, requestId)
    return renderSse({ event: 'response.failed', data })
  }
  const data = faultBody(fault, dialect, requestId, now)
  return renderSse(dialect === 'openai' ? { data } : { event: 'error', data })
}

function faultBody(fault: Fault, dialect: Dialect, requestId: string, now: EpochMs): string {
  const said = explain(fault, now)
  switch (dialect) {
    case 'anthropic':
      return anthropicErrorBody(said, fault.code, requestId)
    case 'openai':
    case 'responses':
      return openaiErrorBody(said, fault.code, requestId)
    case 'control':
      return JSON.stringify({ error: faultJson(fault, now) })
    default:
      return dialect satisfies never
  }
}

/** How long the caller should wait, ms; undefined where waiting is no remedy. */
function retryAfterMs(fault: Fault, now: EpochMs): number | undefined {
  switch (fault.code) {
    case 'EQ_CREDENTIAL_RESTING':
      return fault.until - now
    case 'EQ_CREDENTIAL_NONE': {
      const waits = fault.passedOver.flatMap(({ why }) =>
        why.code === 'awaiting_renewal' && why.againAt !== undefined ? [why.againAt - now] : [],
      )
      return waits.length > 0 ? Math.min(...waits) : undefined
    }
    case 'EQ_CLIENT_RATE':
    case 'EQ_CALLER_TRIES':
      return fault.waitMs
    case 'EQ_CLIENT_BUDGET':
      return fault.budget.until - now
    case 'EQ_PIN_UNUSABLE':
      return fault.why.code === 'resting' ? fault.why.rest.until - now : undefined
    case 'EQ_UPSTREAM_REJECTED':
      return fault.attempt.retryAfterMs
    case 'EQ_UPSTREAM_FAILED': {
      const waits = fault.attempts.flatMap((attempt) => attempt.retryAfterMs ?? [])
      return waits.length > 0 ? Math.min(...waits) : undefined
    }
    default:
      return undefined
  }
}
