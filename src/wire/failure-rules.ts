/**
 * What each known error of a provider means, as data. The first rule that fits decides, so the order is the judgement:
 * codes that say exactly one thing; a phrase that narrows a broad code or status, anchored at the beginning of the
 * message so that no quoted user text can match; codes of a whole class; statuses; and last the codes that providers
 * put on anything ("invalid request" on a wrong key), for replies whose status says nothing.
 *
 * Every condition of a rule must hold. No rule reads a bare number out of a text.
 *
 * @source the providers' error pages, and their SDKs where the pages are silent
 */

import type { FailureReason, RestScope } from '../domain/cooldown.ts'
import type { Protocol } from '../domain/provider.ts'

export interface FailureRule {
  /** Any of these codes, in lower case. */
  readonly codes?: readonly string[]
  /** A used-up quota whose name fits. */
  readonly quota?: RegExp
  /** Any of these statuses. */
  readonly status?: readonly number[]
  /** The message. */
  readonly says?: RegExp
  /** Only in this dialect: phrases of one provider are no evidence in another's. */
  readonly protocol?: Protocol
  /** Whether the body is a page of some server on the way. */
  readonly page?: true
  /** Whether the provider named a wait in a header. */
  readonly waitNamed?: boolean
  readonly reason: FailureReason
  /** Whom it concerns, where that is not what its reason usually means. */
  readonly scope?: RestScope
  readonly policyRefused?: true
}

/** Codes that say exactly one thing, and the phrases that make one of them say another. */
const EXACT_CODES: readonly FailureRule[] = [
  { codes: ['overloaded_error', 'provider_overloaded'], reason: 'overloaded' },
  { codes: ['server_is_overloaded', 'slow_down'], reason: 'overloaded' },
  { codes: ['model_capacity_exhausted', 'capacity_exceeded'], reason: 'overloaded' },
  { codes: ['enforced_spend_limit_reached'], waitNamed: false, reason: 'billing' },
  { codes: ['openrouter_in_flight_budget'], waitNamed: true, reason: 'rate_limit' },
  { codes: ['openrouter_credits', 'openrouter_key_limit', 'key_limit'], reason: 'billing' },
  { codes: ['openrouter_free_tier_daily'], reason: 'billing' },
  { codes: ['guardrail', 'workspace_budget', 'token_limit_exceeded'], reason: 'billing' },
  { codes: ['billing_error', 'payment_required'], reason: 'billing' },
  { codes: ['insufficient_quota', 'credit_balance_exhausted'], reason: 'billing' },
  { codes: ['organization_spend_limit_exceeded'], reason: 'billing' },
  { codes: ['project_spend_limit_exceeded'], reason: 'billing' },
  { codes: ['organization_usage_limit_exceeded'], reason: 'billing' },
  { codes: ['usage_limit_reached'], reason: 'billing', scope: 'account' },
  { codes: ['usage_not_included'], reason: 'permission', scope: 'account' },
  { codes: ['billing_hard_limit_reached', 'billing_not_active'], reason: 'billing' },
  { codes: ['insufficient_g1_credits_balance', 'quota_exhausted'], reason: 'billing' },
  { quota: /perday.*permodel|permodel.*perday/i, reason: 'billing', scope: 'model' },
  { quota: /perday|daily/i, reason: 'billing' },
  { quota: /permodel/i, reason: 'rate_limit', scope: 'model' },
  { codes: ['api_key_invalid', 'invalid_api_key', 'unauthenticated'], reason: 'auth' },
  { codes: ['validation_required'], reason: 'auth' },
  {
    codes: ['api_key_service_blocked', 'service_disabled'],
    reason: 'permission',
    scope: 'profile',
  },
  { codes: ['context_length_exceeded', 'string_too_long'], reason: 'context_overflow' },
  { codes: ['exceed_context_size_error'], reason: 'context_overflow' },
  { codes: ['content_policy_violation', 'content_filter', 'refusal'], reason: 'content_policy' },
  { codes: ['moderation'], reason: 'content_policy' },
  { status: [403], codes: ['model_not_found'], reason: 'permission' },
  { codes: ['model_not_found', 'model_decommissioned', 'invalid_model'], reason: 'not_found' },
  {
    codes: ['unsupported_country_region_territory'],
    reason: 'permission',
    scope: 'provider',
  },
]

/** Of the line between here and the provider: a firewall, a country. */
const WALLS: readonly FailureRule[] = [
  { status: [403], page: true, reason: 'permission', scope: 'provider' },
  { status: [429], page: true, reason: 'rate_limit', scope: 'provider' },
  {
    protocol: 'anthropic-messages',
    status: [403],
    codes: ['forbidden'],
    says: /^request not allowed\b/i,
    reason: 'permission',
    scope: 'provider',
  },
  {
    protocol: 'openai-chat',
    status: [400],
    says: /^user location is not supported for the api use\b/i,
    reason: 'permission',
    scope: 'provider',
  },
]

const ANTHROPIC_PHRASES: readonly FailureRule[] = [
  {
    status: [400, 401, 403],
    says: /^this credential is only authorized for use with claude code\b/i,
    reason: 'permission',
    policyRefused: true,
  },
  {
    protocol: 'anthropic-messages',
    status: [400, 403],
    says: /^your credit balance is too low\b/i,
    reason: 'billing',
  },
  {
    protocol: 'anthropic-messages',
    status: [400, 429],
    says: /^you have reached your specified (?:workspace )?api usage limits\b/i,
    reason: 'billing',
  },
  {
    protocol: 'anthropic-messages',
    status: [400, 403],
    says: /^this organization has been disabled\b/i,
    reason: 'permission',
    scope: 'account',
  },
  {
    protocol: 'anthropic-messages',
    status: [400],
    says: /^prompt is too long\b|^input length and `max_tokens` exceed context limit\b/i,
    reason: 'context_overflow',
  },
  {
    protocol: 'anthropic-messages',
    status: [429],
    says: /^this request would exceed your organization's rate limit\b.{0,160}\bmodel: claude-/i,
    reason: 'rate_limit',
    scope: 'model',
  },
]

const OPENAI_PHRASES: readonly FailureRule[] = [
  {
    protocol: 'openai-chat',
    status: [413, 429],
    says: /^request too large for\b/i,
    reason: 'context_overflow',
  },
  {
    protocol: 'openai-chat',
    status: [429],
    says: /^rate limit reached for\b/i,
    reason: 'rate_limit',
    scope: 'model',
  },
  {
    protocol: 'openai-chat',
    status: [429],
    says: /^rate limit exceeded: free-models-per-day\b/i,
    reason: 'billing',
  },
  {
    protocol: 'openai-chat',
    status: [403, 429],
    says: /^your team\b.{0,80}\bhas either used all available credits or reached its monthly spending limit\b/i,
    reason: 'billing',
  },
  {
    protocol: 'openai-chat',
    status: [403],
    says: /^you have run out of credits or need a grok subscription\b/i,
    reason: 'billing',
  },
  {
    protocol: 'openai-chat',
    status: [429],
    says: /^you(?: \(\S{1,60}\))?(?: have|'ve) reached your (?:hourly|session|weekly) usage limit\b/i,
    reason: 'billing',
  },
  {
    protocol: 'openai-chat',
    status: [429],
    says: /^service tier capacity exceeded for this model\b/i,
    reason: 'overloaded',
  },
  {
    protocol: 'openai-chat',
    status: [400],
    says: /^this (?:model's|endpoint's) maximum (?:context|prompt) length is\b/i,
    reason: 'context_overflow',
  },
  {
    protocol: 'openai-chat',
    status: [400],
    says: /^the input token count\b.{0,40}\bexceeds the maximum\b/i,
    reason: 'context_overflow',
  },
  {
    protocol: 'openai-chat',
    status: [400],
    says: /^trying to keep the first \d+ tokens when context\b/i,
    reason: 'context_overflow',
  },
  {
    protocol: 'openai-chat',
    status: [400],
    says: /^(?:api key not valid|api key expired|incorrect api key provided)\b/i,
    reason: 'auth',
  },
  {
    protocol: 'openai-chat',
    status: [401],
    says: /^(?:your )?ip (?:address )?(?:is )?not authorized\b|^you have insufficient permissions for this operation\b/i,
    reason: 'permission',
    scope: 'profile',
  },
  {
    protocol: 'openai-chat',
    status: [400],
    says: /^\S{1,120} is not a valid model id\b/i,
    reason: 'not_found',
  },
  {
    protocol: 'openai-chat',
    status: [503],
    says: /^no (?:allowed )?(?:endpoints|providers?)\b.{0,40}\b(?:found|available|meets?)\b/i,
    reason: 'not_found',
  },
  { status: [400], codes: ['failed_precondition'], reason: 'billing' },
]

const CLASS_CODES: readonly FailureRule[] = [
  { codes: ['authentication_error', 'authentication'], reason: 'auth' },
  { codes: ['permission_error', 'permission_denied'], reason: 'permission' },
  { codes: ['not_found_error', 'not_found'], reason: 'not_found' },
  {
    codes: ['rate_limit_error', 'rate_limit_exceeded', 'resource_exhausted'],
    reason: 'rate_limit',
  },
  { codes: ['timeout_error', 'timeout', 'deadline_exceeded'], reason: 'timeout' },
  { codes: ['conflict_error'], reason: 'conflict' },
  { codes: ['unavailable'], reason: 'overloaded' },
]

const STATUSES: readonly FailureRule[] = [
  { status: [401], reason: 'auth' },
  { status: [402], reason: 'billing' },
  { status: [403], reason: 'permission' },
  { status: [404], reason: 'not_found' },
  { status: [408, 504, 522, 524], reason: 'timeout' },
  { status: [409], reason: 'conflict' },
  { status: [429], reason: 'rate_limit' },
  { status: [499], reason: 'network' },
  { status: [503, 529], reason: 'overloaded' },
]

const BROAD_CODES: readonly FailureRule[] = [
  { codes: ['invalid_request_error', 'invalid_request'], reason: 'invalid_request' },
  { codes: ['invalid_argument', 'invalid_prompt', 'unprocessable'], reason: 'invalid_request' },
  { codes: ['request_too_large', 'payload_too_large'], reason: 'invalid_request' },
]

export const FAILURE_RULES: readonly FailureRule[] = [
  ...EXACT_CODES,
  ...WALLS,
  ...ANTHROPIC_PHRASES,
  ...OPENAI_PHRASES,
  ...CLASS_CODES,
  ...STATUSES,
  ...BROAD_CODES,
]
