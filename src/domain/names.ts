/** Identifiers: what a provider, a profile, an agent, a session and a model reference may look like. */

declare const kind: unique symbol
type Name<K extends string> = string & { readonly [kind]: K }

/** Who serves models: `anthropic`, `openrouter`, a name from config. Lower case. */
export type ProviderId = Name<'provider'>
/** A named credential, `provider:name`. */
export type ProfileId = Name<'profile'>
/** A named configuration; `main` unless configured. Safe as a folder name. */
export type AgentId = Name<'agent'>
/** A program or person with a key of the gateway. Safe as a file name. */
export type ClientName = Name<'client'>
/** One conversation of one agent. Safe as a file name. */
export type SessionId = Name<'session'>

/** What a user typed to choose a model: `[provider/]model-or-alias[@provider:name]`. */
export interface ModelRef {
  readonly provider?: ProviderId
  /** A model id or an alias; undefined provider means that it may be either. */
  readonly model: string
  readonly profile?: ProfileId
}

/** A model that is known by provider and id: `anthropic/claude-sonnet-5`. */
export interface ModelKey {
  readonly provider: ProviderId
  readonly model: string
}

export const MAIN_AGENT: AgentId = 'main' as AgentId
export const DEFAULT_SESSION: SessionId = 'main' as SessionId

const PROVIDER = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9_-])?$/
const PROFILE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._@+-]{0,126}[A-Za-z0-9_+-])?$/
const FOLDER = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9_-])?$/
const RESERVED_FOLDER = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/
const MODEL = /^[\x21-\x7e]{1,200}$/
const ALIAS = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/

/** Other spellings of a provider that people type and older files hold. */
const SPELLINGS: Readonly<Record<string, string>> = {
  'z.ai': 'zai',
  'z-ai': 'zai',
  gemini: 'google',
  grok: 'xai',
  claude: 'anthropic',
}

export function parseProviderId(text: string): ProviderId | undefined {
  const lower = text.trim().toLowerCase()
  const spelled = Object.hasOwn(SPELLINGS, lower) ? SPELLINGS[lower] : lower
  return spelled !== undefined && PROVIDER.test(spelled) ? (spelled as ProviderId) : undefined
}

/** Names of candidates that are not profiles; a profile may not bear one. */
const RESERVED_NAMES: readonly string[] = ['env', 'env-token', 'config', 'local', 'builtin']

export function isReserved(id: ProfileId): boolean {
  return RESERVED_NAMES.includes(nameOf(id))
}

/** Case of the name is kept; the provider is lower-cased. */
export function parseProfileId(text: string): ProfileId | undefined {
  const trimmed = text.trim()
  const colon = trimmed.indexOf(':')
  if (colon < 1) return undefined
  const provider = parseProviderId(trimmed.slice(0, colon))
  const name = trimmed.slice(colon + 1)
  if (!provider || !PROFILE_NAME.test(name)) return undefined
  return `${provider}:${name}` as ProfileId
}

export function profileId(provider: ProviderId, name: string): ProfileId {
  return `${provider}:${name}` as ProfileId
}

export function providerOf(profile: ProfileId): ProviderId {
  return profile.slice(0, profile.indexOf(':')) as ProviderId
}

export function nameOf(profile: ProfileId): string {
  return profile.slice(profile.indexOf(':') + 1)
}

export function parseAgentId(text: string): AgentId | undefined {
  return folderName(text) as AgentId | undefined
}

export function parseSessionId(text: string): SessionId | undefined {
  return folderName(text) as SessionId | undefined
}

export function parseClientName(text: string): ClientName | undefined {
  return folderName(text) as ClientName | undefined
}

function folderName(text: string): string | undefined {
  const lower = text.trim().toLowerCase()
  if (!FOLDER.test(lower) || lower.includes('..') || RESERVED_FOLDER.test(lower)) return undefined
  return lower
}

/** A short name of a model. Its case is kept. */
export function parseAlias(text: string): string | undefined {
  return ALIAS.test(text) ? text : undefined
}

/**
 * Reads a model reference. The first `/` ends the provider when what stands before it can be one; an `@` starts a
 * profile only when what follows it is `provider:name`, so a model id may hold both characters.
 */
export function parseModelRef(text: string): ModelRef | undefined {
  const trimmed = text.trim()
  const { head, profile } = splitProfile(trimmed)
  const slash = head.indexOf('/')
  const provider = slash > 0 ? parseProviderId(head.slice(0, slash)) : undefined
  const model = provider ? head.slice(slash + 1) : head
  if (!MODEL.test(model)) return undefined
  return { ...(provider && { provider }), model, ...(profile && { profile }) }
}

function splitProfile(text: string): { head: string; profile?: ProfileId } {
  for (let at = text.indexOf('@', 1); at > 0; at = text.indexOf('@', at + 1)) {
    const profile = parseProfileId(text.slice(at + 1))
    if (profile) return { head: text.slice(0, at), profile }
  }
  return { head: text }
}

export function formatModelRef(ref: ModelRef): string {
  const model = ref.provider ? `${ref.provider}/${ref.model}` : ref.model
  return ref.profile ? `${model}@${ref.profile}` : model
}

export function parseModelKey(text: string): ModelKey | undefined {
  const ref = parseModelRef(text)
  return ref?.provider && !ref.profile ? { provider: ref.provider, model: ref.model } : undefined
}

export function formatModelKey(key: ModelKey): string {
  return `${key.provider}/${key.model}`
}

export function sameModel(a: ModelKey, b: ModelKey): boolean {
  return a.provider === b.provider && a.model === b.model
}
