/** Everything a choice depends on, at one instant. Built by `services/world.ts`; judged here without any I/O. */

import type { BudgetReached } from './budget.ts'
import type { AgentState } from './cooldown.ts'
import type { Credential } from './credential.ts'
import { bearerOf } from './credential.ts'
import type { Fault, ForeignFault } from './fault.ts'
import type { ForeignView, SwitchedOffBy } from './foreign.ts'
import type { Moment } from './grant.ts'
import type { AgentId, ModelKey, ProfileId, ProviderId } from './names.ts'
import { profileId } from './names.ts'
import type { GrantViews } from './renewal-ports.ts'
import type { EffectiveBook, Origin } from './profile.ts'
import { profilesOf } from './profile.ts'
import type { ProviderFacts, ProviderTable } from './provider.ts'
import type {
  Candidate,
  CredentialSource,
  ExplicitOrder,
  Payer,
  Ranked,
  RankInput,
  VariableSource,
} from './rotation.ts'
import { firstMeant, rank } from './rotation.ts'
import { rememberedCandidates, rememberedRanking } from './remembered.ts'
import { unusableSecret } from './secret-text.ts'
import { Secret } from './secret.ts'
import type { Settings } from './settings.ts'
import { strategyFor } from './settings.ts'
import type { EpochMs } from './time.ts'

export interface Variable {
  readonly value: Secret
  readonly from: VariableSource
}

/** The variables that matter here, each with its source; blank ones are absent. */
export type Environment = ReadonlyMap<string, Variable>

export interface World {
  readonly agent: AgentId
  readonly now: EpochMs
  readonly settings: Settings
  readonly providers: ProviderTable
  readonly book: EffectiveBook
  /** Path of each agent's `auth-profiles.json`, for saying where a profile stands. */
  readonly bookPath: (agent: AgentId) => string
  /** Why a book could not be read. What does not depend on it still works; nothing is written over it. */
  readonly bookFault?: Fault
  readonly environment: Environment
  /** The only profiles that the caller may use; absent: any. */
  readonly only?: ReadonlySet<ProfileId>
  readonly state: AgentState
  /** Profiles that have used up what they may, or nearly; absent: none. */
  readonly budgets?: ReadonlyMap<ProfileId, BudgetReached>
  /** `now` by a clock that nobody can set. */
  readonly moment: Moment
  /** What stands behind each oauth profile of the book. */
  readonly grants: GrantViews
  /** Logins of other programs as they are in their own homes; none where they are switched off. */
  readonly foreign: readonly ForeignView[]
  /** Those that were to be taken over before this was read, and could not be stored; absent: none. */
  readonly notStored?: readonly ForeignFault[]
  /** The environment switches the logins of all other programs off. */
  readonly foreignOff: boolean
  readonly fingerprint: (secret: Secret) => string
}

export { isReserved } from './names.ts'

/** Every credential that could serve this provider, in no particular order. Serving without one needs that there is none. */
export function candidatesFor(world: World, facts: ProviderFacts): readonly Candidate[] {
  return rememberedCandidates(world, facts, () => listCandidates(world, facts))
}

function listCandidates(world: World, facts: ProviderFacts): readonly Candidate[] {
  const variables = variableCandidates(world, facts)
  const config = configCandidate(world, facts).filter(
    (entry) =>
      !entry.credential || !variables.some(({ fingerprint }) => fingerprint === entry.fingerprint),
  )
  const given = [...storedCandidates(world, facts), ...variables, ...config]
  const candidates = given.length > 0 ? given : keylessCandidate(facts)
  const missing = missingHeaderVariable(world, facts)
  return missing === undefined
    ? candidates
    : candidates.map((entry) => ({ ...entry, missingVariable: missing }))
}

/** What a session and a request add to the choice. */
export interface Leaning {
  /** Served the session before. */
  readonly keep?: ProfileId
  /** Whom the request meant first, where that was with another model. */
  readonly meant?: Payer
}

/** The candidates for a model with their verdicts: what the next request does. */
export function rankFor(
  world: World,
  model: ModelKey,
  pin?: ProfileId,
  leaning: Leaning = {},
): readonly Ranked[] {
  return rememberedRanking(world, model, pin, leaning, () => {
    const input = rankInput(world, model, pin, leaning)
    return input ? rank(input) : []
  })
}

/** Whom the user means to pay for this model, were every login alive and nobody resting. */
export function meantFor(world: World, model: ModelKey, pin?: ProfileId): Payer | undefined {
  const input = rankInput(world, model, pin, {})
  return input && firstMeant(input)
}

function rankInput(
  world: World,
  model: ModelKey,
  pin: ProfileId | undefined,
  { keep, meant }: Leaning,
): RankInput | undefined {
  const facts = world.providers.get(model.provider)
  if (!facts) return undefined
  const { auth } = world.settings
  const order = explicitOrder(world, facts.id)
  const strategy = strategyFor(world.settings, facts.id)
  return {
    candidates: candidatesFor(world, facts),
    ...(order && { order }),
    ...(world.only && { only: world.only }),
    ...(pin && { pin }),
    ...(keep && { keep }),
    ...(meant && { meant }),
    ...(strategy && { strategy }),
    quotaThreshold: auth.quotaThreshold,
    crossing: auth.lanes.crossing,
    model,
    state: world.state,
    now: world.now,
    moment: world.moment,
  }
}

/** The order that the user set: the agent's, else config's. */
export function explicitOrder(world: World, provider: ProviderId): ExplicitOrder | undefined {
  const own = world.book.order.get(provider)
  if (own) return { from: 'agent', ids: own }
  const configured = world.settings.auth.order.get(provider)
  return configured && { from: 'config', ids: configured }
}

/** Whether the user set this provider up: gave it a credential, usable or not, or a server that needs none. */
export function hasCredential(world: World, facts: ProviderFacts): boolean {
  const configured = world.settings.models.providers.get(facts.id)
  const isOwnServer = facts.from === 'config' || facts.keyless === 'local'
  return (
    (configured !== undefined && (isOwnServer || configured.apiKey !== undefined)) ||
    facts.variables.some((name) => world.environment.has(name)) ||
    profilesOf(world.book, facts.id).length > 0
  )
}

/** By what the logins from there are left out. Undefined: they are not. */
export function leftOutBy(
  { settings, foreignOff }: Pick<World, 'settings' | 'foreignOff'>,
  origin: Origin,
): SwitchedOffBy | undefined {
  if (origin === 'equabot') return undefined
  if (foreignOff) return 'environment'
  return settings.auth.foreign[origin].enabled ? undefined : 'config'
}

/** Text with its `${NAME}` references replaced, or the first name that is not set. `$${NAME}` stands for itself. */
export function fillReferences(
  text: string,
  environment: Environment,
): { readonly text: string; readonly used: readonly string[] } | { readonly missing: string } {
  const used: string[] = []
  let missing: string | undefined
  const filled = text.replace(
    /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)\}/g,
    (whole, escaped: string, name: string) => {
      if (escaped) return whole.slice(1)
      const variable = environment.get(name)
      if (!variable) missing ??= name
      used.push(name)
      return variable?.value.reveal() ?? ''
    },
  )
  return missing === undefined ? { text: filled, used } : { missing }
}

/** Names of the variables that a text refers to. */
export function referencedNames(text: string): readonly string[] {
  return [...text.matchAll(/(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map((match) => match[1] ?? '')
}

/** The headers that config adds for this provider, references filled in. Those of unset variables are left out. */
export function configuredHeaders(
  world: World,
  provider: ProviderId,
): Readonly<Record<string, Secret>> {
  const headers: Record<string, Secret> = {}
  for (const [name, template] of headerTemplates(world, provider)) {
    const filled = fillReferences(template, world.environment)
    if ('text' in filled) headers[name.toLowerCase()] = new Secret(filled.text)
  }
  return headers
}

function missingHeaderVariable(world: World, facts: ProviderFacts): string | undefined {
  for (const [, template] of headerTemplates(world, facts.id)) {
    const filled = fillReferences(template, world.environment)
    if ('missing' in filled) return filled.missing
  }
  return undefined
}

function headerTemplates(world: World, provider: ProviderId): readonly [string, string][] {
  return Object.entries(world.settings.models.providers.get(provider)?.headers ?? {})
}

function storedCandidates(world: World, facts: ProviderFacts): readonly Candidate[] {
  return profilesOf(world.book, facts.id).map((profile) => {
    const mode = world.settings.auth.profiles.get(profile.id)?.mode
    const grant = world.grants.get(profile.id)
    const leftOut = leftOutBy(world, profile.origin)
    const reading = world.foreign.find(({ origin }) => origin === profile.origin)?.reading
    return {
      ...candidate(world, facts, profile.id, profile.credential, {
        kind: 'store',
        agent: profile.home,
        path: world.bookPath(profile.home),
      }),
      origin: profile.origin,
      ...(profile.place !== undefined && { place: profile.place }),
      ...(leftOut && { leftOut }),
      ...(reading && !reading.ok && { unread: reading.fault }),
      ...(grant && { grant }),
      ...(mode && { mode }),
    }
  })
}

/** The first key that is set, and the first token: each opens another door, so neither hides the other. */
function variableCandidates(world: World, facts: ProviderFacts): readonly Candidate[] {
  const tokens = facts.tokenVariables ?? []
  const keys = facts.variables.filter((name) => !tokens.includes(name))
  return [
    ...variableCandidate(world, facts, 'env', keys),
    ...variableCandidate(world, facts, 'env-token', tokens),
  ]
}

function variableCandidate(
  world: World,
  facts: ProviderFacts,
  name: 'env' | 'env-token',
  variables: readonly string[],
): readonly Candidate[] {
  for (const variable of variables) {
    const found = world.environment.get(variable)
    if (!found) continue
    const credential: Credential =
      name === 'env' ? staticCredential(facts, found.value) : { type: 'token', token: found.value }
    const source: CredentialSource = { kind: 'variable', variable, from: found.from }
    return [candidate(world, facts, profileId(facts.id, name), credential, source)]
  }
  return []
}

function configCandidate(world: World, facts: ProviderFacts): readonly Candidate[] {
  const template = world.settings.models.providers.get(facts.id)?.apiKey
  if (template === undefined) return []
  const id = profileId(facts.id, 'config')
  const field = `models.providers.${facts.id}.apiKey`
  const filled = fillReferences(template, world.environment)
  if ('missing' in filled) {
    const source: CredentialSource = { kind: 'config', field }
    return [{ ...candidate(world, facts, id, undefined, source), missingVariable: filled.missing }]
  }
  const name = filled.used[0]
  const variable = name === undefined ? undefined : world.environment.get(name)
  const source: CredentialSource =
    name !== undefined && variable
      ? { kind: 'variable', variable: name, from: variable.from }
      : { kind: 'config', field }
  return [candidate(world, facts, id, staticCredential(facts, new Secret(filled.text)), source)]
}

function keylessCandidate(facts: ProviderFacts): readonly Candidate[] {
  if (!facts.keyless) return []
  return [
    {
      id: profileId(facts.id, facts.keyless === 'sandbox' ? 'builtin' : 'local'),
      fingerprint: '',
      source: { kind: 'none_needed' },
      origin: 'equabot',
      lane: 'free',
    },
  ]
}

/** A key from outside the book: a bearer token when it looks like one, else an API key. */
function staticCredential(facts: ProviderFacts, secret: Secret): Credential {
  const shape = facts.shapes.find((entry) => secret.reveal().startsWith(entry.prefix))
  return shape?.type === 'token'
    ? { type: 'token', token: secret }
    : { type: 'api_key', key: secret }
}

function candidate(
  world: World,
  facts: ProviderFacts,
  id: ProfileId,
  credential: Credential | undefined,
  source: CredentialSource,
): Candidate {
  const unusable = credential && unusableSecret(bearerOf(credential))
  const budget = world.budgets?.get(id)
  return {
    id,
    ...(budget && { budget }),
    ...(credential && { credential }),
    ...(unusable && { unusable }),
    fingerprint: credential ? world.fingerprint(bearerOf(credential)) : '',
    source,
    origin: 'equabot',
    lane: facts.lanes[credential?.type ?? 'api_key'],
  }
}
