/**
 * One cheapest real request with exactly one credential: what is asked, and what came of it.
 *
 * Nothing here chooses another credential when the asked one fails: a probe answers for itself alone.
 */

import type { ChatUsage } from './chat.ts'
import type { FailureReason, UpstreamFailure } from './cooldown.ts'
import type { Fault } from './fault.ts'
import { aliasesOf, modelChain } from './models.ts'
import type { AgentId, ModelKey, ProviderId } from './names.ts'
import { parseModelRef } from './names.ts'
import type { UpstreamAnswer } from './ports.ts'
import type { ProviderFacts } from './provider.ts'
import type { Candidate, PassedOver } from './rotation.ts'
import type { EpochMs } from './time.ts'
import type { World } from './world.ts'
import { rankFor } from './world.ts'

/** What came of a probe. `format`: the provider took the credential, not the request. */
export const PROBE_STATUSES = [
  'ok',
  'auth',
  'permission',
  'policy',
  'billing',
  'rate_limit',
  'overloaded',
  'network',
  'timeout',
  'not_found',
  'format',
  'server_error',
  'no_model',
  'skipped',
  'cancelled',
] as const
export type ProbeStatus = (typeof PROBE_STATUSES)[number]

export interface ProbeResult {
  readonly provider: ProviderId
  /** As it was judged; access that was renewed meanwhile is in the book. */
  readonly candidate: Candidate
  readonly status: ProbeStatus
  /** The user named it. */
  readonly named: boolean
  /** Why nothing was sent, where it was skipped. */
  readonly passedOver?: PassedOver
  readonly model?: ModelKey
  /** Where the request went, for people to read. */
  readonly host: string
  /** HTTP status of the answer. */
  readonly http?: number
  /** From sending to the end of the answer, ms. */
  readonly latencyMs?: number
  /** The provider's own words, made safe to print. */
  readonly words?: string
  readonly retryAfterMs?: number
  /** Why there was no access to send with. */
  readonly fault?: Fault
  /** Its access was renewed on the way. */
  readonly renewed?: true
  /** What the request cost, in tokens. */
  readonly usage?: ChatUsage
}

export interface ProbeReport {
  readonly agent: AgentId
  readonly now: EpochMs
  /** Each credential's deadline, ms. */
  readonly timeoutMs: number
  readonly results: readonly ProbeResult[]
}

/** The cheapest request in the provider's dialect, without address and credential. */
export type ProbeRequest = (
  facts: ProviderFacts,
  model: string,
) => { readonly path: string; readonly body: string }

/** What an answer came to. `cut`: it began well and broke off. */
export type ProbeHeard =
  | { readonly kind: 'ok'; readonly usage?: ChatUsage }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure }
  | { readonly kind: 'cut' }

/**
 * Hears an answer out and judges it, whatever its status says.
 *
 * @param clean takes out of a text what must not be repeated
 */
export type HearProbe = (
  facts: ProviderFacts,
  answer: UpstreamAnswer,
  clean: (text: string) => string,
  now: EpochMs,
) => Promise<ProbeHeard>

const STATUSES: Readonly<Record<FailureReason, ProbeStatus>> = {
  auth: 'auth',
  permission: 'permission',
  billing: 'billing',
  rate_limit: 'rate_limit',
  overloaded: 'overloaded',
  timeout: 'timeout',
  network: 'network',
  server_error: 'server_error',
  invalid_request: 'format',
  not_found: 'not_found',
  content_policy: 'format',
  context_overflow: 'format',
  conflict: 'server_error',
  cancelled: 'cancelled',
}

export function probeStatus({
  reason,
  policyRefused,
}: Pick<UpstreamFailure, 'reason' | 'policyRefused'>): ProbeStatus {
  return policyRefused ? 'policy' : STATUSES[reason]
}

/** Small models of providers whose own default is a large one. */
export const CHEAP_MODELS: ReadonlyMap<string, string> = new Map([
  ['anthropic', 'claude-haiku-5-5'],
  ['openai', 'gpt-4.1-nano'],
  ['google', 'gemini-flash-lite-latest'],
  ['groq', 'llama-3.1-8b-instant'],
  ['mistral', 'ministral-3b-latest'],
  ['deepseek', 'deepseek-flash'],
])

/** The model to probe with: the one that the agent uses of this provider, else a cheap one, else the provider's own default. */
export function probeModel(world: World, facts: ProviderFacts): string | undefined {
  const configured = world.settings.models.providers.get(facts.id)?.models?.[0]?.id
  return usedModel(world, facts) ?? configured ?? CHEAP_MODELS.get(facts.id) ?? facts.defaultModel
}

/** A model as it was typed for one provider: its id, the same with the provider before it, or an alias; a pin is left off. */
export function modelWithin(world: World, facts: ProviderFacts, typed: string): string {
  const pin = parseModelRef(typed)?.profile
  const trimmed = typed.trim()
  const text = pin === undefined ? trimmed : trimmed.slice(0, -`@${pin}`.length)
  const alias = aliasesOf(world.settings).get(text.toLowerCase())?.model
  if (alias?.provider === facts.id) return alias.model
  return text.startsWith(`${facts.id}/`) ? text.slice(facts.id.length + 1) : text
}

/** What keeps a credential out of the next request and says nothing against asking it. */
const ASKED_ANYWAY: ReadonlySet<string> = new Set(['resting', 'lane_denied'])

/**
 * Why a credential is not sent at all. Undefined: it is.
 *
 * A rest does not stop a person who asks. What only keeps it out of the next request, such as an order without it, does
 * not stop one who names it.
 */
export function notProbed(
  world: World,
  model: ModelKey,
  candidate: Candidate,
  named: boolean,
): PassedOver | undefined {
  const ranked = rankFor(world, model, named ? candidate.id : undefined)
  const entry = ranked.find((each) => each.candidate.id === candidate.id)
  if (!entry || entry.taken || ASKED_ANYWAY.has(entry.why.code)) return undefined
  return named && entry.why.code === 'policy_refused' ? undefined : entry.why
}

/** Exit code: 0 all that were asked are ok, 69 none could be reached, 130 interrupted, else 1. */
export function probeExit({ results }: ProbeReport): number {
  if (results.some(({ status }) => status === 'cancelled')) return 130
  const asked = results.filter(({ status, named }) => status !== 'skipped' || named)
  if (asked.length > 0 && asked.every(({ status }) => status === 'ok')) return 0
  const sent = asked.filter(({ status }) => status !== 'skipped' && status !== 'no_model')
  const unreached = sent.filter(({ status }) => status === 'network' || status === 'timeout')
  return sent.length > 0 && unreached.length === sent.length ? 69 : 1
}

/** What the user chose, as default or fallback; what we chose for them is not meant to be cheap. */
function usedModel(world: World, facts: ProviderFacts): string | undefined {
  const chain = modelChain(world)
  if (!chain.ok) return undefined
  const { primary, fallbacks, chosenBy } = chain.value
  const chosen = chosenBy === 'settings' ? [primary, ...fallbacks] : fallbacks
  return chosen.find(({ provider }) => provider === facts.id)?.model
}
