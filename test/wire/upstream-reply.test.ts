import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FailureReason } from '../../src/domain/cooldown.ts'
import type { Protocol } from '../../src/domain/provider.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts'
import { judgeReply } from '../../src/wire/upstream-reply.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const CLAUDE_CODE_ONLY =
  'This credential is only authorized for use with Claude Code and cannot be used for other API requests.'

interface Case {
  readonly name: string
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly reason: FailureReason
  readonly retryAfterMs?: number
  readonly policyRefused?: boolean
}

const anthropic = (type: string, message = 'words', extra: object = {}): unknown => ({
  type: 'error',
  error: { type, message, ...extra },
  request_id: 'req_429',
})
const openai = (type: string | null, code: string | null, message = 'words'): unknown => ({
  error: { message, type, param: null, code },
})
const openrouter = (code: number, metadata: object): unknown => ({
  error: { code, message: 'words', metadata },
})
const google = (
  code: number,
  status: string,
  message = 'words',
  details: unknown[] = [],
): unknown => [{ error: { code, status, message, details } }]

const ANTHROPIC: readonly Case[] = [
  {
    name: 'invalid request',
    status: 400,
    body: anthropic('invalid_request_error'),
    reason: 'invalid_request',
  },
  {
    name: 'prompt too long',
    status: 400,
    body: anthropic('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
    reason: 'context_overflow',
  },
  {
    name: 'reply would not fit',
    status: 400,
    body: anthropic(
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 199000 + 8000 > 200000',
    ),
    reason: 'context_overflow',
  },
  {
    name: 'no credit',
    status: 400,
    body: anthropic(
      'invalid_request_error',
      'Your credit balance is too low to access the Anthropic API.',
    ),
    reason: 'billing',
  },
  {
    name: 'quoted words of a user',
    status: 400,
    body: anthropic(
      'invalid_request_error',
      'messages.0: unexpected "Your credit balance is too low"',
    ),
    reason: 'invalid_request',
  },
  {
    name: 'spend limit with a date',
    status: 400,
    body: anthropic(
      'invalid_request_error',
      'You have reached your specified API usage limits. You will regain access on 2026-11-22 at 15:00 UTC.',
    ),
    reason: 'billing',
    retryAfterMs: 3 * HOUR_MS,
  },
  {
    name: 'spend limit with a far date',
    status: 400,
    body: anthropic(
      'invalid_request_error',
      'You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
    ),
    reason: 'billing',
    retryAfterMs: 8.5 * DAY_MS,
  },
  {
    name: 'Claude Code only, as 400',
    status: 400,
    body: anthropic('invalid_request_error', CLAUDE_CODE_ONLY),
    reason: 'permission',
    policyRefused: true,
  },
  {
    name: 'Claude Code only, as 403',
    status: 403,
    body: anthropic('permission_error', CLAUDE_CODE_ONLY),
    reason: 'permission',
    policyRefused: true,
  },
  {
    name: 'wrong key',
    status: 401,
    body: anthropic('authentication_error', 'invalid x-api-key'),
    reason: 'auth',
  },
  { name: 'billing', status: 402, body: anthropic('billing_error'), reason: 'billing' },
  { name: 'forbidden', status: 403, body: anthropic('permission_error'), reason: 'permission' },
  {
    name: 'unknown model',
    status: 404,
    body: anthropic('not_found_error', 'model: claude-0'),
    reason: 'not_found',
  },
  { name: 'conflict', status: 409, body: anthropic('conflict_error'), reason: 'conflict' },
  {
    name: 'too large, from a proxy',
    status: 413,
    body: '<html><title>413 Request Entity Too Large</title></html>',
    reason: 'invalid_request',
  },
  {
    name: 'limited',
    status: 429,
    body: anthropic('rate_limit_error'),
    headers: { 'retry-after': '17' },
    reason: 'rate_limit',
    retryAfterMs: 17_000,
  },
  {
    name: 'limited, used-up window',
    status: 429,
    body: anthropic('rate_limit_error'),
    headers: {
      'anthropic-ratelimit-tokens-remaining': '0',
      'anthropic-ratelimit-tokens-reset': '2026-11-22T12:01:00Z',
      'anthropic-ratelimit-requests-remaining': '5',
      'anthropic-ratelimit-requests-reset': '2026-11-22T13:00:00Z',
    },
    reason: 'rate_limit',
    retryAfterMs: MINUTE_MS,
  },
  {
    name: 'subscription window',
    status: 429,
    body: anthropic('rate_limit_error'),
    headers: {
      'anthropic-ratelimit-unified-5h-status': 'rejected',
      'anthropic-ratelimit-unified-5h-reset': String((NOW + 2 * HOUR_MS) / 1_000),
      'anthropic-ratelimit-unified-7d-status': 'allowed',
      'anthropic-ratelimit-unified-7d-reset': String((NOW + 9 * HOUR_MS) / 1_000),
    },
    reason: 'rate_limit',
    retryAfterMs: 2 * HOUR_MS,
  },
  {
    name: 'enforced spend limit',
    status: 429,
    body: anthropic('rate_limit_error', 'words', {
      details: { error_code: 'enforced_spend_limit_reached' },
    }),
    reason: 'billing',
  },
  {
    name: 'spend limit with a wait',
    status: 429,
    body: anthropic('rate_limit_error', 'words', {
      details: { error_code: 'enforced_spend_limit_reached' },
    }),
    headers: { 'retry-after': '5' },
    reason: 'rate_limit',
    retryAfterMs: 5_000,
  },
  { name: 'broken', status: 500, body: anthropic('api_error'), reason: 'server_error' },
  { name: 'timeout', status: 504, body: anthropic('timeout_error'), reason: 'timeout' },
  { name: 'overloaded', status: 529, body: anthropic('overloaded_error'), reason: 'overloaded' },
  {
    name: 'overloaded, long wait',
    status: 529,
    body: anthropic('overloaded_error'),
    headers: { 'retry-after': '3600' },
    reason: 'overloaded',
    retryAfterMs: MINUTE_MS,
  },
  {
    name: 'overloaded inside a 200',
    status: 200,
    body: anthropic('overloaded_error'),
    reason: 'overloaded',
  },
  {
    name: 'invalid inside a 200',
    status: 200,
    body: anthropic('invalid_request_error'),
    reason: 'invalid_request',
  },
]

const OPENAI: readonly Case[] = [
  {
    name: 'wrong key',
    status: 401,
    body: openai(
      'invalid_request_error',
      'invalid_api_key',
      'Incorrect API key provided: sk-ab***9z.',
    ),
    reason: 'auth',
  },
  { name: 'no key', status: 401, body: openai('invalid_request_error', null), reason: 'auth' },
  {
    name: 'address not allowed',
    status: 401,
    body: openai('invalid_request_error', null, 'IP not authorized'),
    reason: 'permission',
  },
  {
    name: 'too long',
    status: 400,
    body: openai('invalid_request_error', 'context_length_exceeded'),
    reason: 'context_overflow',
  },
  {
    name: 'too long, no code',
    status: 400,
    body: openai(
      'invalid_request_error',
      null,
      "This model's maximum context length is 8192 tokens.",
    ),
    reason: 'context_overflow',
  },
  {
    name: 'unprocessable',
    status: 422,
    body: openai('invalid_request_error', null),
    reason: 'invalid_request',
  },
  {
    name: 'unknown model',
    status: 404,
    body: openai('invalid_request_error', 'model_not_found'),
    reason: 'not_found',
  },
  {
    name: 'region',
    status: 403,
    body: openai('request_forbidden', 'unsupported_country_region_territory'),
    reason: 'permission',
  },
  {
    name: 'limited',
    status: 429,
    body: openai('requests', 'rate_limit_exceeded'),
    headers: { 'retry-after': '20', 'retry-after-ms': '1500' },
    reason: 'rate_limit',
    retryAfterMs: 1_500,
  },
  {
    name: 'limited, window in words',
    status: 429,
    body: openai('tokens', 'rate_limit_exceeded'),
    headers: {
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '6m0s',
      'x-ratelimit-remaining-requests': '-1',
      'x-ratelimit-reset-requests': '-1',
    },
    reason: 'rate_limit',
    retryAfterMs: 6 * MINUTE_MS,
  },
  {
    name: 'no quota',
    status: 429,
    body: openai('insufficient_quota', 'insufficient_quota'),
    reason: 'billing',
  },
  {
    name: 'no credit',
    status: 429,
    body: openai('insufficient_quota', 'credit_balance_exhausted'),
    reason: 'billing',
  },
  {
    name: 'project limit',
    status: 429,
    body: openai('limit', 'project_spend_limit_exceeded'),
    reason: 'billing',
  },
  {
    name: 'plan used up',
    status: 429,
    body: { error: { type: 'usage_limit_reached', message: 'words', resets_in_seconds: 90 } },
    reason: 'billing',
    retryAfterMs: 90_000,
  },
  { name: 'slow down', status: 429, body: openai('requests', 'slow_down'), reason: 'overloaded' },
  {
    name: 'engine overloaded',
    status: 503,
    body: openai('server_error', null),
    reason: 'overloaded',
  },
  { name: 'broken', status: 500, body: openai('server_error', null), reason: 'server_error' },
]

const OPENROUTER: readonly Case[] = [
  {
    name: 'no credit',
    status: 402,
    body: openrouter(402, { limit_source: 'openrouter_credits' }),
    reason: 'billing',
  },
  {
    name: 'in-flight budget',
    status: 402,
    body: openrouter(402, { limit_source: 'openrouter_in_flight_budget' }),
    headers: { 'retry-after': '2' },
    reason: 'rate_limit',
    retryAfterMs: 2_000,
  },
  {
    name: 'moderation',
    status: 403,
    body: openrouter(403, { reasons: ['violence'], flagged_input: 'x' }),
    reason: 'content_policy',
  },
  {
    name: 'key limit with its end',
    status: 403,
    body: openrouter(403, {
      limit_source: 'openrouter_key_limit',
      resets_at: '2026-11-22T13:00:00Z',
    }),
    reason: 'billing',
    retryAfterMs: HOUR_MS,
  },
  {
    name: 'provider busy',
    status: 503,
    body: openrouter(503, { error_type: 'provider_overloaded' }),
    reason: 'overloaded',
  },
  {
    name: 'no route',
    status: 503,
    body: {
      error: { code: 503, message: 'No providers available that meet your routing requirements' },
    },
    reason: 'not_found',
  },
  {
    name: 'limited inside a 200',
    status: 200,
    body: { error: { code: 429, message: 'words' } },
    reason: 'rate_limit',
  },
  { name: 'timeout', status: 408, body: openrouter(408, {}), reason: 'timeout' },
]

const GOOGLE: readonly Case[] = [
  {
    name: 'wrong key',
    status: 400,
    body: google(400, 'INVALID_ARGUMENT', 'words', [{ reason: 'API_KEY_INVALID' }]),
    reason: 'auth',
  },
  {
    name: 'wrong key, no details',
    status: 400,
    body: google(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'),
    reason: 'auth',
  },
  {
    name: 'too long',
    status: 400,
    body: google(
      400,
      'INVALID_ARGUMENT',
      'The input token count (1200000) exceeds the maximum number of tokens allowed.',
    ),
    reason: 'context_overflow',
  },
  {
    name: 'invalid',
    status: 400,
    body: google(400, 'INVALID_ARGUMENT'),
    reason: 'invalid_request',
  },
  { name: 'billing off', status: 400, body: google(400, 'FAILED_PRECONDITION'), reason: 'billing' },
  {
    name: 'per day',
    status: 429,
    body: google(429, 'RESOURCE_EXHAUSTED', 'words', [
      { violations: [{ quotaId: 'GenerateRequestsPerDayPerProject' }] },
    ]),
    reason: 'billing',
  },
  {
    name: 'per minute',
    status: 429,
    body: google(429, 'RESOURCE_EXHAUSTED', 'words', [
      { violations: [{ quotaId: 'GenerateRequestsPerMinute' }] },
      { retryDelay: '34.07s' },
    ]),
    reason: 'rate_limit',
    retryAfterMs: 34_070,
  },
  {
    name: 'wait in the sentence',
    status: 429,
    body: google(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded. Please retry in 12.5s.'),
    reason: 'rate_limit',
    retryAfterMs: 12_500,
  },
  {
    name: 'no capacity',
    status: 429,
    body: google(429, 'RESOURCE_EXHAUSTED', 'words', [{ reason: 'MODEL_CAPACITY_EXHAUSTED' }]),
    reason: 'overloaded',
  },
  { name: 'unavailable', status: 503, body: google(503, 'UNAVAILABLE'), reason: 'overloaded' },
  { name: 'deadline', status: 504, body: google(504, 'DEADLINE_EXCEEDED'), reason: 'timeout' },
]

const GENERIC: readonly Case[] = [
  { name: 'unpaid', status: 402, body: 'Insufficient Balance', reason: 'billing' },
  {
    name: 'unauthorized in a detail',
    status: 401,
    body: { detail: 'Unauthorized' },
    reason: 'auth',
  },
  {
    name: 'a page',
    status: 502,
    body: '<!doctype html><html><head><title>502 Bad Gateway</title></head></html>',
    reason: 'server_error',
  },
  { name: 'nothing at all', status: 500, body: '', reason: 'server_error' },
  { name: 'a redirect', status: 302, body: '', reason: 'server_error' },
  { name: 'a teapot', status: 418, body: '{}', reason: 'invalid_request' },
  {
    name: 'a number that looks like a status',
    status: 500,
    body: 'request 4290401 failed with 429 tokens',
    reason: 'server_error',
  },
]

describe.each<[string, Protocol, readonly Case[]]>([
  ['Anthropic', 'anthropic-messages', ANTHROPIC],
  ['OpenAI', 'openai-chat', OPENAI],
  ['OpenRouter', 'openai-chat', OPENROUTER],
  ['Google', 'openai-chat', GOOGLE],
  ['any other', 'openai-chat', GENERIC],
])('%s', (_provider, protocol, cases) => {
  test.each(cases)('$status $name is $reason', (entry) => {
    const body = typeof entry.body === 'string' ? entry.body : JSON.stringify(entry.body)
    const {
      words,
      status,
      scope: _,
      ...judged
    } = judgeReply(protocol, entry.status, entry.headers ?? {}, body, NOW)
    expect(judged).toEqual({
      reason: entry.reason,
      ...(entry.retryAfterMs !== undefined && { retryAfterMs: entry.retryAfterMs }),
      ...(entry.policyRefused && { policyRefused: true }),
    })
    expect(words).not.toBe('')
    expect(status).toBeGreaterThan(0)
  })
})

describe('the words of a failure', () => {
  const wordsOf = (status: number, body: string): string =>
    judgeReply('openai-chat', status, {}, body, NOW).words

  test('are the message of the provider', () => {
    expect(wordsOf(400, JSON.stringify(openai('x', null, 'no\n such\u001b[31m thing')))).toBe(
      'no such thing',
    )
  })

  test('are the title of a page', () => {
    expect(wordsOf(502, '<html><title>502 Bad Gateway</title><body>…</body></html>')).toBe(
      '502 Bad Gateway',
    )
  })

  test('say so when there is no message', () => {
    expect(wordsOf(500, '')).toBe('status 500 without a message')
    expect(wordsOf(500, '{"error":{"code":"x"}}')).toBe('status 500 without a message')
  })
})

test('any reply at all is judged', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 599 }),
      fc.dictionary(fc.constantFrom('retry-after', 'retry-after-ms'), fc.string()),
      fc.oneof(fc.string(), fc.json()),
      (status, headers, body) => {
        const failure = judgeReply('anthropic-messages', status, headers, body, NOW)
        expect(failure.words.length).toBeGreaterThan(0)
        expect([...failure.words].length).toBeLessThanOrEqual(300)
        expect(failure.retryAfterMs ?? 1).toBeGreaterThan(0)
        expect(failure.retryAfterMs ?? 1).toBeLessThanOrEqual(32 * DAY_MS)
      },
    ),
  )
})
