/** Providers as data. Nothing elsewhere in the program knows a provider by name, except where it owns a foreign login. */

import type { CredentialType } from './credential.ts'
import type { ProviderId } from './names.ts'

/** The wire contract of an upstream. */
export type Protocol = 'anthropic-messages' | 'openai-chat' | 'openai-responses'
/** Who pays for a request. */
export type Lane = 'subscription' | 'metered' | 'free'
/** How a secret travels. */
export type AuthHeader = 'x-api-key' | 'bearer'

/** What the secret of a provider looks like, to catch a paste of the wrong thing or of half of it. */
export interface SecretShape {
  readonly prefix: string
  readonly type: 'api_key' | 'token'
  /** Shorter than this, in characters, is a truncated paste. */
  readonly minLength: number
}

export interface ProviderFacts {
  readonly id: ProviderId
  readonly title: string
  readonly protocol: Protocol
  /** Other protocols that it answers natively. */
  readonly alsoSpeaks?: readonly Protocol[]
  /** As the provider's official SDK takes it: Anthropic's without `/v1`, OpenAI's with it. No slash at the end. */
  readonly baseUrl: string
  /** Header by credential type; a key and a bearer may travel differently. */
  readonly authHeader: Readonly<Record<CredentialType, AuthHeader>>
  /** Headers that the protocol demands with a bearer token, such as a beta flag. */
  readonly bearerHeaders?: Readonly<Record<string, string>>
  /** Headers sent with every request that does not carry them. */
  readonly headers?: Readonly<Record<string, string>>
  /** Environment variables that hold its key, first non-blank wins. */
  readonly variables: readonly string[]
  readonly lanes: Readonly<Record<CredentialType, Lane>>
  readonly shapes: readonly SecretShape[]
  /** Bare model names with one of these beginnings belong to it. */
  readonly modelPrefixes: readonly string[]
  /** Used when the user chose no default model. */
  readonly defaultModel?: string
  /** Where a key is made. */
  readonly keysPage?: string
  /** `local`: serves without a credential. `sandbox`: inside this program. */
  readonly keyless?: 'local' | 'sandbox'
  /** Where the entry comes from. */
  readonly from: 'built-in' | 'config'
}

/** Stands for the sandbox's loopback address, which is not known before it listens. */
export const SANDBOX_ORIGIN = 'http://sandbox.invalid'

const METERED: ProviderFacts['lanes'] = {
  api_key: 'metered',
  token: 'metered',
  oauth: 'subscription',
}
const FREE: ProviderFacts['lanes'] = { api_key: 'free', token: 'free', oauth: 'free' }
const BEARER: ProviderFacts['authHeader'] = { api_key: 'bearer', token: 'bearer', oauth: 'bearer' }

function builtIn(
  id: string,
  facts: Omit<
    ProviderFacts,
    'id' | 'from' | 'authHeader' | 'lanes' | 'shapes' | 'modelPrefixes' | 'protocol'
  > &
    Partial<ProviderFacts>,
): ProviderFacts {
  return {
    protocol: 'openai-chat',
    authHeader: BEARER,
    lanes: METERED,
    shapes: [],
    modelPrefixes: [],
    ...facts,
    id: id as ProviderId,
    from: 'built-in',
  }
}

/** In order of preference where several could serve and the user chose none. */
export const BUILT_IN_PROVIDERS: readonly ProviderFacts[] = [
  builtIn('anthropic', {
    title: 'Anthropic',
    protocol: 'anthropic-messages',
    baseUrl: 'https://api.anthropic.com',
    authHeader: { api_key: 'x-api-key', token: 'bearer', oauth: 'bearer' },
    headers: { 'anthropic-version': '2023-06-01' },
    bearerHeaders: { 'anthropic-beta': 'oauth-2025-04-20' },
    variables: ['ANTHROPIC_API_KEY'],
    lanes: { api_key: 'metered', token: 'subscription', oauth: 'subscription' },
    shapes: [
      { prefix: 'sk-ant-oat01-', type: 'token', minLength: 100 },
      { prefix: 'sk-ant-api03-', type: 'api_key', minLength: 90 },
    ],
    modelPrefixes: ['claude-'],
    defaultModel: 'claude-sonnet-5-5',
    keysPage: 'https://console.anthropic.com/settings/keys',
  }),
  builtIn('openai', {
    title: 'OpenAI',
    baseUrl: 'https://api.openai.com/v1',
    variables: ['OPENAI_API_KEY'],
    shapes: [{ prefix: 'sk-', type: 'api_key', minLength: 40 }],
    modelPrefixes: ['gpt-', 'chatgpt-', 'o1', 'o3', 'o4-'],
    defaultModel: 'gpt-5.5',
    keysPage: 'https://platform.openai.com/api-keys',
  }),
  builtIn('openrouter', {
    title: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    variables: ['OPENROUTER_API_KEY'],
    shapes: [{ prefix: 'sk-or-v1-', type: 'api_key', minLength: 60 }],
    defaultModel: 'openrouter/auto',
    keysPage: 'https://openrouter.ai/keys',
  }),
  builtIn('google', {
    title: 'Google Gemini',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
    shapes: [{ prefix: 'AIza', type: 'api_key', minLength: 39 }],
    modelPrefixes: ['gemini-'],
    defaultModel: 'gemini-pro-latest',
    keysPage: 'https://aistudio.google.com/apikey',
  }),
  builtIn('groq', {
    title: 'Groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    variables: ['GROQ_API_KEY'],
    shapes: [{ prefix: 'gsk_', type: 'api_key', minLength: 40 }],
    defaultModel: 'openai/gpt-oss-120b',
    keysPage: 'https://console.groq.com/keys',
  }),
  builtIn('mistral', {
    title: 'Mistral',
    baseUrl: 'https://api.mistral.ai/v1',
    variables: ['MISTRAL_API_KEY'],
    modelPrefixes: ['mistral-', 'codestral-', 'ministral-'],
    defaultModel: 'mistral-large-latest',
    keysPage: 'https://console.mistral.ai/api-keys',
  }),
  builtIn('xai', {
    title: 'xAI',
    baseUrl: 'https://api.x.ai/v1',
    variables: ['XAI_API_KEY'],
    shapes: [{ prefix: 'xai-', type: 'api_key', minLength: 40 }],
    modelPrefixes: ['grok-'],
    defaultModel: 'grok-4.7',
    keysPage: 'https://console.x.ai',
  }),
  builtIn('deepseek', {
    title: 'DeepSeek',
    baseUrl: 'https://api.deepseek.com/v1',
    variables: ['DEEPSEEK_API_KEY'],
    modelPrefixes: ['deepseek-'],
    defaultModel: 'deepseek-v4-pro',
    keysPage: 'https://platform.deepseek.com/api_keys',
  }),
  builtIn('ollama', {
    title: 'Ollama',
    baseUrl: 'http://127.0.0.1:11434/v1',
    variables: ['OLLAMA_API_KEY'],
    lanes: FREE,
    keyless: 'local',
  }),
  builtIn('sandbox', {
    title: 'Sandbox (inside Equabot, no real model)',
    protocol: 'anthropic-messages',
    alsoSpeaks: ['openai-chat'],
    baseUrl: SANDBOX_ORIGIN,
    authHeader: { api_key: 'x-api-key', token: 'bearer', oauth: 'bearer' },
    variables: [],
    lanes: FREE,
    shapes: [{ prefix: 'sandbox-', type: 'api_key', minLength: 1 }],
    modelPrefixes: ['sandbox-'],
    defaultModel: 'sandbox-echo',
    keyless: 'sandbox',
  }),
]

export const SANDBOX: ProviderId = 'sandbox' as ProviderId

/** A provider as the user's config describes it: a new one, or changes to a built-in one. */
export interface ConfiguredProvider {
  readonly baseUrl?: string
  readonly protocol?: Protocol
  /** A `${VAR}` reference, or a literal (which `models status` warns of). */
  readonly apiKey?: string
  /** Sent with every request; values may hold `${VAR}` references. */
  readonly headers?: Readonly<Record<string, string>>
  readonly models?: readonly ConfiguredModel[]
}

export interface ConfiguredModel {
  readonly id: string
  readonly name?: string
  /** Tokens. */
  readonly contextWindow?: number
}

export type ProviderTable = ReadonlyMap<ProviderId, ProviderFacts>

/** Built-in providers, changed and extended by config. */
export function providerTable(
  configured: ReadonlyMap<ProviderId, ConfiguredProvider>,
): ProviderTable {
  const table = new Map(BUILT_IN_PROVIDERS.map((facts) => [facts.id, facts]))
  for (const [id, entry] of configured) {
    const known = table.get(id) ?? unlisted(id)
    table.set(id, {
      ...known,
      ...(entry.baseUrl !== undefined && { baseUrl: entry.baseUrl.replace(/\/+$/, '') }),
      ...(entry.protocol !== undefined && {
        protocol: entry.protocol,
        authHeader: known.from === 'built-in' ? known.authHeader : headerFor(entry.protocol),
      }),
      ...(known.from === 'config' && entry.apiKey === undefined && { keyless: 'local' as const }),
      ...(known.defaultModel === undefined &&
        entry.models?.[0] !== undefined && { defaultModel: entry.models[0].id }),
    })
  }
  return table
}

/** The provider whose bare model names begin like this one. */
export function providerByModelPrefix(
  table: ProviderTable,
  model: string,
): ProviderFacts | undefined {
  const lower = model.toLowerCase()
  return [...table.values()].find((facts) =>
    facts.modelPrefixes.some((prefix) => lower.startsWith(prefix)),
  )
}

export function speaks(facts: ProviderFacts, protocol: Protocol): boolean {
  return facts.protocol === protocol || (facts.alsoSpeaks?.includes(protocol) ?? false)
}

function unlisted(id: ProviderId): ProviderFacts {
  return {
    id,
    title: id,
    protocol: 'openai-chat',
    baseUrl: '',
    authHeader: BEARER,
    variables: [],
    lanes: METERED,
    shapes: [],
    modelPrefixes: [],
    from: 'config',
  }
}

function headerFor(protocol: Protocol): ProviderFacts['authHeader'] {
  return protocol === 'anthropic-messages'
    ? { api_key: 'x-api-key', token: 'bearer', oauth: 'bearer' }
    : BEARER
}
