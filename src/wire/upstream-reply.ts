/** What an upstream's error reply means for the credential, the model and the request. Judged once, here. */

import type { FailureReason, RestScope } from '../domain/cooldown.ts'
import type { ReplyJudge } from '../domain/ports.ts'
import type { Protocol } from '../domain/provider.ts'
import type { QuotaWindow } from '../domain/quota.ts'
import { isForSomeModels, isPlans, isUsedUp } from '../domain/quota.ts'
import { DAY_MS, MINUTE_MS } from '../domain/time.ts'
import type { ErrorBody } from './error-body.ts'
import { parseErrorBody } from './error-body.ts'
import type { FailureRule } from './failure-rules.ts'
import { FAILURE_RULES } from './failure-rules.ts'
import { readQuota } from './rate-headers.ts'
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

/** Reasons that a used-up window of a quota explains; an overload has nothing to do with one. */
const LIMITS: ReadonlySet<FailureReason> = new Set(['billing', 'rate_limit'])

/**
 * How a request failed, from the reply's codes, then its status, then the beginning of its message.
 *
 * Also judges a reply of status 200 whose body is an error, and an error event of a stream.
 *
 * @faults none, for any input
 */
export const judgeReply: ReplyJudge = createReplyJudge(FAILURE_RULES)

/** @param rules the first that fits decides */
export function createReplyJudge(rules: readonly FailureRule[]): ReplyJudge {
  return function judge(protocol, status, headers, bodyText, now) {
    const body = parseErrorBody(bodyText)
    const trueStatus = status < 400 ? (body.status ?? status) : status
    const named = retryAfterMs(headers, now)
    const rule = rules.find((entry) => fits(entry, protocol, trueStatus, body, named !== undefined))
    const reason = rule?.reason ?? classOf(trueStatus)
    const windows = LIMITS.has(reason) ? readQuota(headers, now) : []
    const scope = rule?.scope ?? planScope(windows)
    const wait = waitFor(
      reason,
      scope,
      named ?? bodyWaitMs(body, now) ?? windowWaitMs(windows, now),
    )
    return {
      reason,
      ...(scope && { scope }),
      status: trueStatus,
      words: safeWords(body.message) || `status ${trueStatus} without a message`,
      ...(wait !== undefined && { retryAfterMs: wait }),
      ...(rule?.policyRefused && { policyRefused: true }),
    }
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
    (rule.page === undefined || body.isPage) &&
    (rule.says?.test(body.message.trimStart()) ?? true) &&
    (rule.waitNamed === undefined || rule.waitNamed === waitNamed)
  )
}

/** A status that no rule knows. */
function classOf(status: number): FailureReason {
  return status >= 400 && status < 500 ? 'invalid_request' : 'server_error'
}

/** A plan's window that is used up is its account's, whichever login of it was used; some hold for a kind of model. */
function planScope(windows: readonly QuotaWindow[]): RestScope | undefined {
  const usedUp = windows.filter((window) => isPlans(window) && isUsedUp(window))
  if (usedUp.length === 0) return undefined
  return usedUp.every(isForSomeModels) ? 'model' : 'account'
}

/** An overload passes soon whatever is said; only money and a plan are waited for longer than a day. */
function waitFor(
  reason: FailureReason,
  scope: RestScope | undefined,
  named: number | undefined,
): number | undefined {
  if (named === undefined || !PASSING.has(reason)) return undefined
  if (reason === 'overloaded') return Math.min(named, MINUTE_MS)
  return reason === 'billing' || scope === 'account' ? named : Math.min(named, DAY_MS)
}
