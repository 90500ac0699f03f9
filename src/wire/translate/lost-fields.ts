/** What the model itself, or the login that it is asked with, does not take: it is left out, and the caller is told. */

import type { NeutralRequest } from '../../domain/neutral.ts'
import type { Protocol, ProviderFacts } from '../../domain/provider.ts'
import { takesEffort } from './efforts.ts'

type Steering = 'effort' | 'maxTokens' | 'temperature' | 'topP' | 'user'

/** A ChatGPT login streams always, wants instructions, and takes none of the fields that steer a reply's length and chance. */
const LOGIN_PROVIDER = 'openai-codex'

const NOT_WITH_A_LOGIN: readonly Steering[] = ['maxTokens', 'temperature', 'topP', 'user']

/** How each protocol spells them. */
const SPELLINGS: Readonly<Record<Protocol, Readonly<Record<Steering, string>>>> = {
  'anthropic-messages': {
    effort: 'output_config.effort',
    maxTokens: 'max_tokens',
    temperature: 'temperature',
    topP: 'top_p',
    user: 'metadata.user_id',
  },
  'openai-chat': {
    effort: 'reasoning_effort',
    maxTokens: 'max_completion_tokens',
    temperature: 'temperature',
    topP: 'top_p',
    user: 'user',
  },
  'openai-responses': {
    effort: 'reasoning.effort',
    maxTokens: 'max_output_tokens',
    temperature: 'temperature',
    topP: 'top_p',
    user: 'user',
  },
}

export function isLogin({ id }: Pick<ProviderFacts, 'id'>): boolean {
  return id === LOGIN_PROVIDER
}

/** @returns the names of the fields in the caller's protocol */
export function lostFields(
  source: Protocol,
  request: NeutralRequest,
  facts: Pick<ProviderFacts, 'id' | 'protocol'>,
): readonly string[] {
  const lost: readonly Steering[] = [
    ...(takesEffort(facts.protocol, request.model) ? [] : (['effort'] as const)),
    ...(isLogin(facts) ? NOT_WITH_A_LOGIN : []),
  ]
  return lost
    .filter((field) => request[field] !== undefined)
    .map((field) => SPELLINGS[source][field])
}
