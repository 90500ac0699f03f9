/**
 * What becomes of each field of a request when its model speaks another protocol. `docs/translation.md` shows these
 * tables to users; a test keeps both equal. A field that stands in no table is left out and named to the caller.
 */

import type { Protocol } from '../../domain/provider.ts'
import type { JsonObject } from '../decode.ts'
import type { Notes } from './notes.ts'

/** `dropped`: the reply does not depend on it. `refused`: it does, and there is no equal. */
export type Fate = 'carried' | 'dropped' | 'refused'

export type Fates = Readonly<Record<string, Fate | Partial<Readonly<Record<Protocol, Fate>>>>>

const MESSAGES: Fates = {
  model: 'carried',
  messages: 'carried',
  system: 'carried',
  max_tokens: 'carried',
  stream: 'carried',
  tools: 'carried',
  tool_choice: 'carried',
  temperature: 'carried',
  top_p: 'carried',
  stop_sequences: { 'openai-chat': 'carried', 'openai-responses': 'refused' },
  thinking: 'carried',
  output_config: 'carried',
  metadata: 'carried',
  cache_control: 'dropped',
  context_management: 'dropped',
  diagnostics: 'dropped',
  service_tier: 'dropped',
  speed: 'dropped',
  user_profile_id: 'dropped',
  workspace_id: 'dropped',
  container: 'refused',
  inference_geo: 'refused',
  mcp_servers: 'refused',
  top_k: 'refused',
}

const CHAT: Fates = {
  model: 'carried',
  messages: 'carried',
  max_completion_tokens: 'carried',
  max_tokens: 'carried',
  stream: 'carried',
  stream_options: 'carried',
  tools: 'carried',
  tool_choice: 'carried',
  parallel_tool_calls: 'carried',
  temperature: 'carried',
  top_p: 'carried',
  stop: { 'anthropic-messages': 'carried', 'openai-responses': 'refused' },
  reasoning_effort: 'carried',
  response_format: 'carried',
  user: 'carried',
  metadata: 'dropped',
  moderation: 'dropped',
  prediction: 'dropped',
  prompt_cache_key: 'dropped',
  prompt_cache_options: 'dropped',
  prompt_cache_retention: 'dropped',
  safety_identifier: 'dropped',
  seed: 'dropped',
  service_tier: 'dropped',
  store: 'dropped',
  verbosity: 'dropped',
  audio: 'refused',
  frequency_penalty: 'refused',
  function_call: 'refused',
  functions: 'refused',
  logit_bias: 'refused',
  logprobs: 'refused',
  modalities: 'refused',
  n: 'refused',
  presence_penalty: 'refused',
  top_logprobs: 'refused',
  web_search_options: 'refused',
}

const RESPONSES: Fates = {
  model: 'carried',
  input: 'carried',
  instructions: 'carried',
  max_output_tokens: 'carried',
  stream: 'carried',
  tools: 'carried',
  tool_choice: 'carried',
  parallel_tool_calls: 'carried',
  temperature: 'carried',
  top_p: 'carried',
  reasoning: 'carried',
  text: 'carried',
  user: 'carried',
  client_metadata: 'dropped',
  context_management: 'dropped',
  include: 'dropped',
  max_tool_calls: 'dropped',
  metadata: 'dropped',
  moderation: 'dropped',
  prompt_cache_key: 'dropped',
  prompt_cache_options: 'dropped',
  prompt_cache_retention: 'dropped',
  safety_identifier: 'dropped',
  service_tier: 'dropped',
  store: 'dropped',
  stream_options: 'dropped',
  truncation: 'dropped',
  background: 'refused',
  conversation: 'refused',
  previous_response_id: 'refused',
  prompt: 'refused',
  top_logprobs: 'refused',
}

/** By the protocol of the caller. */
export const FATES: Readonly<Record<Protocol, Fates>> = {
  'anthropic-messages': MESSAGES,
  'openai-chat': CHAT,
  'openai-responses': RESPONSES,
}

/** Values that ask for nothing special: a refused field that says one of them says nothing. */
const ASKS_NOTHING: Readonly<Record<string, (value: unknown) => boolean>> = {
  background: (value) => value === false,
  frequency_penalty: (value) => value === 0,
  functions: isEmptyList,
  logit_bias: isEmptyObject,
  logprobs: (value) => value === false,
  mcp_servers: isEmptyList,
  modalities: (value) => Array.isArray(value) && value.every((kind) => kind === 'text'),
  n: (value) => value === 1,
  presence_penalty: (value) => value === 0,
  stop: isEmptyList,
  stop_sequences: isEmptyList,
  top_logprobs: (value) => value === 0,
}

export function fateOf(source: Protocol, field: string, target: Protocol): Fate {
  const fates = FATES[source]
  const fate = Object.hasOwn(fates, field) ? fates[field] : undefined
  return (typeof fate === 'object' ? fate[target] : fate) ?? 'dropped'
}

/** Notes every field of the body that is not carried. */
export function noteFates(body: JsonObject, source: Protocol, notes: Notes): void {
  for (const [field, value] of Object.entries(body)) {
    if (value === null || value === undefined) continue
    const fate = fateOf(source, field, notes.target)
    if (fate === 'dropped') notes.drop(field)
    const asksNothing = Object.hasOwn(ASKS_NOTHING, field) ? ASKS_NOTHING[field] : undefined
    if (fate === 'refused' && !asksNothing?.(value)) notes.refuse(field)
  }
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
