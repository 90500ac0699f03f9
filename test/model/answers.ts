/** What a provider with Anthropic's dialect answers, as it stands on the wire. */

import type { UpstreamFailure } from '../../src/domain/cooldown.ts'
import type { UpstreamAnswer } from '../../src/domain/ports.ts'
import type { EpochMs } from '../../src/domain/time.ts'
import { HOUR_MS, SECOND_MS } from '../../src/domain/time.ts'
import { anAnswer } from '../../src/testing.ts'
import type { Answer } from './worlds.ts'

/** A reply that comes to its end. */
export const REPLY: string = [
  { type: 'message_start', message: { usage: { input_tokens: 3 } } },
  { type: 'content_block_delta', delta: { type: 'text_delta', text: 'yes' } },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
]
  .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  .join('')

/** A good answer, whose headers may tell how much of a plan is used. */
export function aReply(headers: UpstreamAnswer['headers'] = {}): UpstreamAnswer {
  return anAnswer(200, { 'content-type': 'text/event-stream', ...headers }, REPLY)
}

/** An error in the shape of Anthropic's. */
export function anError(
  status: number,
  type: string,
  message: string,
  headers: UpstreamAnswer['headers'] = {},
): UpstreamAnswer {
  return anAnswer(status, headers, JSON.stringify({ type: 'error', error: { type, message } }))
}

/** The headers of a subscription's window. */
export function planHeaders(
  used: number,
  resetsAt: EpochMs,
  status: string = used >= 1 ? 'rejected' : 'allowed',
): UpstreamAnswer['headers'] {
  return {
    'anthropic-ratelimit-unified-5h-status': status,
    'anthropic-ratelimit-unified-5h-utilization': String(used),
    'anthropic-ratelimit-unified-5h-reset': String(Math.floor(resetsAt / SECOND_MS)),
  }
}

export function answerOf(answer: Answer, now: EpochMs): UpstreamAnswer | UpstreamFailure {
  switch (answer) {
    case 'ok':
      return aReply()
    case 'ok_near_wall':
      return aReply(planHeaders(0.99, now + HOUR_MS))
    case 'limit':
      return anError(429, 'rate_limit_error', 'Too many requests')
    case 'limit_short':
      return anError(429, 'rate_limit_error', 'Too many requests', { 'retry-after': '3' })
    case 'limit_long':
      return anError(429, 'rate_limit_error', 'Too many requests', { 'retry-after': '600' })
    case 'limit_of_model':
      return anError(
        429,
        'rate_limit_error',
        "This request would exceed your organization's rate limit of 5 requests per minute (model: claude-test)",
        { 'retry-after': '20' },
      )
    case 'plan_wall':
      return anError(429, 'rate_limit_error', 'Usage limit', planHeaders(1, now + HOUR_MS))
    case 'overloaded':
      return anError(529, 'overloaded_error', 'Overloaded')
    case 'refused':
      return anError(401, 'authentication_error', 'invalid bearer token')
    case 'billing':
      return anError(400, 'invalid_request_error', 'Your credit balance is too low to go on')
    case 'policy':
      return anError(
        400,
        'invalid_request_error',
        'This credential is only authorized for use with Claude Code and cannot be used here',
      )
    case 'broken':
      return anError(500, 'api_error', 'Internal server error')
    case 'cut':
      return { reason: 'network', words: 'closed the connection without an answer' }
    case 'slow':
      return { reason: 'timeout', words: 'took too long to answer' }
    case 'unreachable':
      return { reason: 'network', words: 'could not find the host', unreachable: true }
    case 'firewall':
      return anAnswer(403, { 'content-type': 'text/html' }, '<html><body>Denied</body></html>')
    case 'forbidden_model':
      return anError(403, 'permission_error', 'Your key may not use this model')
    case 'bad_request':
      return anError(400, 'invalid_request_error', 'messages: at least one is required')
    case 'unknown_model':
      return anError(404, 'not_found_error', 'model: claude-test')
    case 'too_long':
      return anError(400, 'invalid_request_error', 'prompt is too long: 300000 tokens > 200000')
    default:
      return answer satisfies never
  }
}
