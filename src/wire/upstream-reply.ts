/** What an upstream's error reply means for the credential, the model and the request. Judged once, here. */

import type { FailureReason } from '../domain/cooldown.ts'
import type { ReplyJudge, UpstreamAnswer } from '../domain/ports.ts'
import type { Protocol } from '../domain/provider.ts'
import type { EpochMs } from '../domain/time.ts'
import { MINUTE_MS } from '../domain/time.ts'
import type { ErrorBody } from './error-body.ts'
import { parseErrorBody } from './error-body.ts'
import type { FailureRule } from './failure-rules.ts'
import { FAILURE_RULES } from './failure-rules.ts'
import { bodyWaitMs, retryAfterMs, windowWaitMs } from './retry-after.ts'
import { safeWords } from './safe-words.ts'

/** Reasons that end by waiting, so that a provider's word on how long counts. */
const PASSING: ReadonlySet<FailureReason> = new Set([
  'billing',
  'rate_limit',
  'overloaded',
  'server_error',
  'timeout',
])

/**
 * How a request failed, from the reply's codes, then its status, then the beginning of its message.
 *
 * Also judges a reply of status 200 whose body is an error.
 *
 * @faults none, for any input
 */
export const judgeReply: ReplyJudge = (protocol, status, headers, bodyText, now) => {
  const body = parseErrorBody(bodyText)
  const trueStatus = status < 400 ? (body.status ?? status) : status
  const named = retryAfterMs(headers, now)
  const rule = FAILURE_RULES.find((entry) =>
    fits(entry, protocol, trueStatus, body, named !== undefined),
  )
  const reason = rule?.reason ?? classOf(trueStatus)
  const wait = waitFor(reason, named ?? bodyWaitMs(body, now), headers, now)
  return {
    reason,
    status: trueStatus,
    words: safeWords(body.message) || `status ${trueStatus} without a message`,
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...(rule?.policyRefused && { policyRefused: true }),
  }
}

function fits(
  rule: FailureRule,
  protocol: Protocol,
  status: number,
  body: ErrorBody,
  waitNamed: boolean,
): boolean {
  return (
    (rule.protocol === undefined || rule.protocol === protocol) &&
    (rule.status?.includes(status) ?? true) &&
    (rule.codes?.some((code) => body.codes.has(code)) ?? true) &&
    (rule.quota === undefined || body.quotas.some((quota) => rule.quota?.test(quota))) &&
    (rule.says?.test(body.message.trimStart()) ?? true) &&
    (rule.waitNamed === undefined || rule.waitNamed === waitNamed)
  )
}

/** A status that no rule knows. */
function classOf(status: number): FailureReason {
  return status >= 400 && status < 500 ? 'invalid_request' : 'server_error'
}

/** A window of a quota tells nothing about an overload, and an overload passes soon whatever is said. */
function waitFor(
  reason: FailureReason,
  named: number | undefined,
  headers: UpstreamAnswer['headers'],
  now: EpochMs,
): number | undefined {
  if (!PASSING.has(reason)) return undefined
  if (reason === 'overloaded') return named === undefined ? undefined : Math.min(named, MINUTE_MS)
  if (reason === 'rate_limit' || reason === 'billing') return named ?? windowWaitMs(headers, now)
  return named
}
