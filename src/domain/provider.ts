/** Providers as data. Nothing elsewhere in the program knows a provider by name, except where it owns a foreign login. */

import type { CredentialType } from './credential.ts'
import type { ProviderId } from './names.ts'
import { DAY_MS } from './time.ts'

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

/** A provider's OAuth 2.0 endpoints. @source RFC 6749, RFC 7009, RFC 7636 */
export interface OauthFacts {
  /** Where a person agrees; absent: no login from here. */
  readonly authorizeUrl?: string
  readonly tokenUrl: string
  /** RFC 7009; absent: nothing can be revoked from here. */
  readonly revokeUrl?: string
  /** Revoking a token ends the login it came from and no other of the same account. Unless that is known, a login that a newer one has replaced is left to end by itself. */
  readonly revokesOne?: true
  /** Our client at this provider; absent: it has given us none, so no login can be started from here. */
  readonly clientId?: string
  /** The client that grants were given to which do not name one: those that other programs made. */
  readonly grantsClientId?: string
  readonly scopes: readonly string[]
  /** How the token endpoint takes its request. RFC 6749 says `form`. */
  readonly body: 'form' | 'json'
  /** What it is known to do with a refresh token that comes a second time. `strict`: it ends the whole login. */
  readonly replay: 'strict' | 'unknown'
}

/** A program of the provider's that shows a long-lived token at a terminal, once, and keeps it nowhere. */
export interface SetupTokenFacts {
  readonly program: string
  readonly args: readonly string[]
  /** How long such a token serves, ms. */
  readonly lifetimeMs: number
  /** Name of its profile. */
  readonly name: string
  /** Its name where a borrowed login already has that one. */
  readonly spareName: string
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
  /** Environment variables that hold its key or token. The first key that is not blank is a candidate, and the first token. */
  readonly variables: readonly string[]
  /** Those of them that hold a bearer token, whatever it looks like. */
  readonly tokenVariables?: readonly string[]
  readonly lanes: Readonly<Record<CredentialType, Lane>>
  readonly shapes: readonly SecretShape[]
  /** Bare model names with one of these beginnings belong to it. */
  readonly modelPrefixes: readonly string[]
  /** Used when the user chose no default model. */
  readonly defaultModel?: string
  /** Its models serve when they are named; they are nobody's default. */
  readonly onlyWhenNamed?: true
  /** Where a key is made. */
  readonly keysPage?: string
  readonly oauth?: OauthFacts
  readonly setupToken?: SetupTokenFacts
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
    variables: ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN'],
    tokenVariables: ['CLAUDE_CODE_OAUTH_TOKEN'],
    lanes: { api_key: 'metered', token: 'subscription', oauth: 'subscription' },
    shapes: [
      { prefix: 'sk-ant-oat01-', type: 'token', minLength: 100 },
      { prefix: 'sk-ant-api03-', type: 'api_key', minLength: 90 },
    ],
    modelPrefixes: ['claude-'],
    defaultModel: 'claude-sonnet-5-5',
    keysPage: 'https://console.anthropic.com/settings/keys',
    setupToken: {
      program: 'claude',
      args: ['setup-token'],
      lifetimeMs: 365 * DAY_MS,
      name: 'claude-cli',
      spareName: 'setup-token',
    },
    oauth: {
      authorizeUrl: 'https://claude.ai/oauth/authorize',
      tokenUrl: 'https://platform.claude.com/v1/oauth/token',
      // Grants in this family were given to Claude Code; a refresh token serves only the client it was given to.
      grantsClientId: '9d1c250a-e61b-44d9-88ed-5944d1962f5e',
      scopes: ['user:inference', 'user:profile'],
      body: 'json',
      replay: 'strict',
    },
  }),
  builtIn('openai', {
    title: 'OpenAI',
    alsoSpeaks: ['openai-responses'],
    baseUrl: 'https://api.openai.com/v1',
    variables: ['OPENAI_API_KEY'],
    shapes: [{ prefix: 'sk-', type: 'api_key', minLength: 40 }],
    modelPrefixes: ['gpt-', 'chatgpt-', 'o1', 'o3', 'o4-'],
    defaultModel: 'gpt-5.5',
    keysPage: 'https://platform.openai.com/api-keys',
  }),
  builtIn('openai-codex', {
    title: 'OpenAI Codex (ChatGPT login)',
    protocol: 'openai-responses',
    baseUrl: 'https://chatgpt.com/backend-api/codex',
    variables: [],
    onlyWhenNamed: true,
    oauth: {
      authorizeUrl: 'https://auth.openai.com/oauth/authorize',
      tokenUrl: 'https://auth.openai.com/oauth/token',
      grantsClientId: 'app_EMoamEEZ73f0CkXaXp7hrann',
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      body: 'json',
      replay: 'strict',
    },
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
    oauth: {
      authorizeUrl: `${SANDBOX_ORIGIN}/oauth/authorize`,
      tokenUrl: `${SANDBOX_ORIGIN}/oauth/token`,
      revokeUrl: `${SANDBOX_ORIGIN}/oauth/revoke`,
      revokesOne: true,
      clientId: 'equabot',
      scopes: ['chat'],
      body: 'form',
      replay: 'strict',
    },
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
  readonly oauth?: Partial<
    Pick<OauthFacts, 'authorizeUrl' | 'tokenUrl' | 'revokeUrl' | 'clientId' | 'scopes' | 'body'>
  >
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
        alsoSpeaks: [],
        authHeader: known.from === 'built-in' ? known.authHeader : headerFor(entry.protocol),
      }),
      ...(known.from === 'config' && entry.apiKey === undefined && { keyless: 'local' as const }),
      ...(known.defaultModel === undefined &&
        entry.models?.[0] !== undefined && { defaultModel: entry.models[0].id }),
      ...oauthOf(known.oauth, entry.oauth),
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

/** The OAuth facts with the user's changes. */
function oauthOf(
  known: OauthFacts | undefined,
  entry: ConfiguredProvider['oauth'],
): { readonly oauth?: OauthFacts } {
  if (!entry) return {}
  const tokenUrl = entry.tokenUrl ?? known?.tokenUrl
  if (tokenUrl === undefined) return {}
  const base: OauthFacts = known ?? { tokenUrl, scopes: [], body: 'form', replay: 'unknown' }
  return { oauth: { ...base, ...entry, tokenUrl } }
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
