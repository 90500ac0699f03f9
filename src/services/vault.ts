/** Changes to the books: secrets in, profiles out, books restored. Each change is one transaction under the book's lock. */

import type { Credential, CredentialType, OauthCredential } from '../domain/credential.ts'
import { bearerOf, expiresAtOf } from '../domain/credential.ts'
import type { Fault } from '../domain/fault.ts'
import { FOREIGN_PROFILES } from '../domain/foreign.ts'
import type { AgentId, ProfileId, ProviderId } from '../domain/names.ts'
import { profileId, providerOf } from '../domain/names.ts'
import type { Clock, Fingerprint, Restored } from '../domain/ports.ts'
import type { Profile } from '../domain/profile.ts'
import { withOrder, withoutProfile, withProfile } from '../domain/profile.ts'
import { SANDBOX } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { checkIsToken, parseSecretText } from '../domain/secret-text.ts'
import type { Settings } from '../domain/settings.ts'
import { acceptsType } from '../domain/settings.ts'
import type { EpochMs } from '../domain/time.ts'
import type { World } from '../domain/world.ts'
import { isReserved } from '../domain/world.ts'
import { findProvider } from './lookup.ts'
import type { EndedProfile, RemovalDeps, RemovedProfile } from './removal.ts'
import { forgetUsage, removeProfile, whoUses } from './removal.ts'

export interface StoreSecret {
  readonly agent?: AgentId
  readonly provider: ProviderId
  readonly profile?: ProfileId
  /** As pasted; wraps, quotes and `export X=` are cleaned off. */
  readonly text: string
  /** `token` unless the shape of the secret or the caller says otherwise. */
  readonly type?: 'api_key' | 'token'
  readonly expiresInMs?: number
  /** When its provider issued it, where that is known; a token's end counts from then. */
  readonly issuedAt?: EpochMs
  /** Only a token may stand here: an API key, or half of a token, is refused. */
  readonly onlyToken?: true
}

export interface StoredSecret {
  readonly agent: AgentId
  readonly profile: ProfileId
  readonly type: 'api_key' | 'token' | 'oauth'
  readonly fingerprint: string
  readonly replaced: boolean
  readonly expiresAt?: EpochMs
  readonly issuedAt?: EpochMs
  readonly bookPath: string
  readonly configPath: string
  /** The secret does not begin like this provider's secrets do. */
  readonly unfamiliar: boolean
  /** The order, if one is set and changed to hold the new profile first. */
  readonly orderChanged?: 'agent' | 'config'
}

export interface Vault {
  /** @faults the name faults, the secret faults, `EQ_STORE_*`, `EQ_CONFIG_*`; nothing is changed then */
  storeSecret(input: StoreSecret): Promise<Result<StoredSecret, Fault>>
  /** A sandbox grant that lives a minute, to see an OAuth login end. */
  storeSandboxGrant(input: {
    readonly agent?: AgentId
    readonly profile?: ProfileId
  }): Promise<Result<StoredSecret, Fault>>
  /** What `removeProfile` would do, without doing it. */
  whoUses(agent: AgentId | undefined, profile: string): Promise<Result<RemovedProfile, Fault>>
  /** Forgets the login, then revokes it where its provider offers that: what is revoked must serve nobody any more. */
  removeProfile(agent: AgentId | undefined, profile: string): Promise<Result<EndedProfile, Fault>>
  restore(
    agent: AgentId | undefined,
  ): Promise<Result<Restored & { readonly agent: AgentId; readonly bookPath: string }, Fault>>
}

export interface VaultDeps extends RemovalDeps {
  readonly clock: Clock
  readonly fingerprint: Fingerprint
  /** A login of the sandbox provider. */
  readonly sandboxGrant: (now: EpochMs) => OauthCredential
}

export function createVault(deps: VaultDeps): Vault {
  return {
    storeSecret: (input) => storeSecret(deps, input),
    storeSandboxGrant: (input) => storeSandboxGrant(deps, input),
    whoUses: (agent, profile) => whoUses(deps, agent, profile),
    removeProfile: (agent, profile) => removeProfile(deps, agent, profile),
    restore: (agent) => restore(deps, agent),
  }
}

async function storeSecret(
  deps: VaultDeps,
  input: StoreSecret,
): Promise<Result<StoredSecret, Fault>> {
  const found = await findProvider(deps.loadWorld, input.agent, input.provider)
  if (!found.ok) return found
  const { world, facts } = found.value
  const id = input.profile ?? profileId(facts.id, 'manual')
  if (providerOf(id) !== facts.id) {
    return fail({ code: 'EQ_PROFILE_FOREIGN', profile: id, provider: facts.id })
  }
  // Another server behind a provider's name has keys of its own.
  const isElsewhere = world.settings.models.providers.get(facts.id)?.baseUrl !== undefined
  const others = isElsewhere ? [] : world.providers.values()
  const pasted = parseSecretText(input.text, facts, others)
  if (!pasted.ok) return pasted
  const { secret, shape } = pasted.value
  const fits = input.onlyToken ? checkIsToken(pasted.value, facts) : ok()
  if (!fits.ok) return fits
  const now = deps.clock.now()
  const type = input.type ?? shape?.type ?? 'token'
  const { expiresInMs, issuedAt } = input
  const credential: Credential =
    type === 'api_key'
      ? { type, key: secret }
      : {
          type,
          token: secret,
          ...(expiresInMs !== undefined && { expiresAt: (issuedAt ?? now) + expiresInMs }),
          ...(issuedAt !== undefined && { issuedAt }),
        }
  const stored = await storeProfile(deps, world, {
    id,
    credential,
    origin: 'equabot',
    storedAt: now,
  })
  if (!stored.ok) return stored
  return ok({ ...stored.value, unfamiliar: facts.shapes.length > 0 && !shape })
}

async function storeSandboxGrant(
  deps: VaultDeps,
  input: { readonly agent?: AgentId; readonly profile?: ProfileId },
): Promise<Result<StoredSecret, Fault>> {
  const found = await findProvider(deps.loadWorld, input.agent, SANDBOX)
  if (!found.ok) return found
  const id = input.profile ?? profileId(SANDBOX, 'grant')
  if (providerOf(id) !== SANDBOX)
    return fail({ code: 'EQ_PROFILE_FOREIGN', profile: id, provider: SANDBOX })
  const now = deps.clock.now()
  return storeProfile(deps, found.value.world, {
    id,
    credential: deps.sandboxGrant(now),
    origin: 'equabot',
    storedAt: now,
  })
}

/**
 * Book first, config second: the config says how the profile is used, the book that it is there.
 *
 * @param check why what stands under the same id must stay, judged under the book's lock
 */
export async function storeProfile(
  deps: Pick<VaultDeps, 'profiles' | 'settings' | 'states' | 'fingerprint'>,
  world: World,
  profile: Profile,
  check: (previous: Profile | undefined) => Result<void, Fault> = () => ok(),
): Promise<Result<StoredSecret, Fault>> {
  const { id, credential } = profile
  if (isReserved(id)) return fail({ code: 'EQ_PROFILE_RESERVED', profile: id })
  const provider = providerOf(id)
  const saved = await deps.profiles.transact<SavedProfile, Fault>(world.agent, async (book) => {
    const previous = book.profiles.get(id)
    const checked = check(previous)
    if (!checked.ok) return checked
    const order = book.order.get(provider)
    const added = withProfile(book, profile)
    const ordered = order !== undefined && !order.includes(id)
    return ok({
      book: ordered ? withOrder(added, provider, [id, ...order]) : added,
      value: { ordered, ...(previous && { previous }) },
    })
  })
  if (!saved.ok) return saved

  const configured = world.settings.auth.order.get(provider)
  const reordered = configured !== undefined && !configured.includes(id)
  const edited = await deps.settings.edit(({ settings }) => [
    ...(accepts(settings, id, credential.type)
      ? []
      : [{ path: ['auth', 'profiles', id], value: { provider, mode: modeFor(id, credential) } }]),
    ...(reordered ? [{ path: ['auth', 'order', provider], value: [id, ...configured] }] : []),
  ])
  if (!edited.ok) {
    const undone = await takeBack(deps, world.agent, id, saved.value)
    return undone.ok ? edited : undone
  }
  forgetUsage(deps, world.agent, id)
  const expiresAt = expiresAtOf(credential)
  return ok({
    agent: world.agent,
    profile: id,
    type: credential.type,
    fingerprint: deps.fingerprint(bearerOf(credential)),
    replaced: saved.value.previous !== undefined,
    ...(expiresAt !== undefined && { expiresAt }),
    ...('issuedAt' in credential && { issuedAt: credential.issuedAt }),
    bookPath: deps.profiles.path(world.agent),
    configPath: deps.settings.path(),
    unfamiliar: false,
    ...(saved.value.ordered
      ? { orderChanged: 'agent' as const }
      : reordered && { orderChanged: 'config' as const }),
  })
}

interface SavedProfile {
  /** What stood under the same id. */
  readonly previous?: Profile
  /** The id was put in front of the agent's order. */
  readonly ordered: boolean
}

/** The book as if the profile had not been stored, because the config could not be written. */
function takeBack(
  deps: Pick<VaultDeps, 'profiles'>,
  agent: AgentId,
  id: ProfileId,
  { previous, ordered }: SavedProfile,
): Promise<Result<void, Fault>> {
  return deps.profiles.transact<void, never>(agent, async (book) => {
    const kept = ordered || !previous ? withoutProfile(book, id) : book
    return ok({ book: previous ? withProfile(kept, previous) : kept, value: undefined })
  })
}

/** A mode that the user set and that accepts the credential stays as it is. */
export function accepts(settings: Settings, id: ProfileId, type: CredentialType): boolean {
  const mode = settings.auth.profiles.get(id)?.mode
  return mode !== undefined && acceptsType(mode, type)
}

/** What config is to say of a new profile. The place of Claude Code's login takes a token and a login by turns. */
export function modeFor(id: ProfileId, { type }: Credential): CredentialType {
  return type === 'token' && id === FOREIGN_PROFILES['claude-code'] ? 'oauth' : type
}

async function restore(
  deps: VaultDeps,
  agent: AgentId | undefined,
): Promise<Result<Restored & { readonly agent: AgentId; readonly bookPath: string }, Fault>> {
  const loaded = await deps.loadWorld(agent)
  if (!loaded.ok) return loaded
  const restored = await deps.profiles.restorePrevious(loaded.value.agent)
  if (!restored.ok) return restored
  return ok({
    agent: loaded.value.agent,
    ...restored.value,
    bookPath: deps.profiles.path(loaded.value.agent),
  })
}
