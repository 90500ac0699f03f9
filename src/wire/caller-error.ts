/** The gateway's own errors in the dialect of whoever called, as the official SDKs understand them. */

import type { Explanation } from '../domain/explanation.ts'
import type { FaultCode } from '../domain/fault.ts'

type Said = Pick<Explanation, 'message' | 'hint' | 'http'>

const ANTHROPIC_TYPES: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
])

const OPENAI_TYPES: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'insufficient_quota'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'invalid_request_error'],
  [429, 'rate_limit_error'],
])

/** Body of an error answer, or data of an `error` event, for callers of the Messages API. */
export function anthropicErrorBody(said: Said, code: FaultCode, requestId: string): string {
  return JSON.stringify({
    type: 'error',
    error: {
      type: ANTHROPIC_TYPES.get(said.http) ?? 'api_error',
      message: messageOf(said),
      code,
      hint: withoutHeaderName(said.hint),
    },
    request_id: requestId,
  })
}

/** Body of an error answer, or data of an error chunk, for callers of Chat Completions. */
export function openaiErrorBody(said: Said, code: FaultCode, requestId: string): string {
  return JSON.stringify({
    error: {
      message: messageOf(said),
      type: OPENAI_TYPES.get(said.http) ?? 'api_error',
      param: null,
      code,
      hint: withoutHeaderName(said.hint),
    },
    request_id: requestId,
  })
}

/** Data of a `response.failed` event: a stream of the Responses API has no other way to end badly. */
export function responsesFailure(said: Said, code: FaultCode, requestId: string): string {
  return JSON.stringify({
    type: 'response.failed',
    // What has passed of the stream is not counted here, and no stream is so long.
    sequence_number: LAST_SEQUENCE,
    response: {
      id: `resp_${requestId}`,
      object: 'response',
      status: 'failed',
      error: { code, message: messageOf(said), hint: withoutHeaderName(said.hint) },
      output: [],
    },
  })
}

const LAST_SEQUENCE = 2_147_483_647

/** SDKs show their users the message alone, so the way out stands in it too. */
function messageOf({ message, hint }: Said): string {
  return withoutHeaderName(hint === '' ? message : `${message}. ${hint}`)
}

/** Claude Code takes any error that names this header for a lost login of its own, and hides the text. */
function withoutHeaderName(text: string): string {
  return text.replace(/x-api-key/gi, 'API key')
}
