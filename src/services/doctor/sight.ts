/** Everything that the checks judge, looked at once. Checks are calculations on it, so one cannot spoil another. */

import type { Fault, StoreFault } from '../../domain/fault.ts'
import type { OwnerLocks, SeenLock, StateInspection, StateSight } from '../../domain/inspection.ts'
import type { GrantId } from '../../domain/grant.ts'
import type { AgentId, ProfileId } from '../../domain/names.ts'
import type {
  Clock,
  LoadedSettings,
  ProfileStore,
  SettingsStore,
  StoredBook,
} from '../../domain/ports.ts'
import { isExpired } from '../../domain/credential.ts'
import { isDead } from '../../domain/grant.ts'
import { providerOf } from '../../domain/names.ts'
import type { Result } from '../../domain/result.ts'
import { ok } from '../../domain/result.ts'
import { agentsOf } from '../../domain/settings.ts'
import type { EpochMs } from '../../domain/time.ts'
import type { World } from '../../domain/world.ts'
import type { LoadWorld } from '../world.ts'
import { duplicatesIn, twinsIn, unreadProviders } from './copies.ts'

/** What taking over the logins of other programs came to. */
export interface Adoption {
  readonly changes: readonly { readonly profile: ProfileId; readonly outcome: string }[]
  readonly faults: readonly Fault[]
}

/** A line of `.env` that says nothing; never its text. */
export interface EnvLine {
  readonly line: number
  readonly problem: string
}

export interface SightDeps {
  readonly clock: Clock
  readonly settings: SettingsStore
  readonly profiles: ProfileStore
  readonly loadWorld: LoadWorld
  readonly inspection: StateInspection
  readonly ownerLocks: OwnerLocks
  readonly envLines: () => Promise<readonly EnvLine[]>
  /** Fields of the settings that hold a secret's own text. */
  readonly literalSecrets: (raw: LoadedSettings['raw']) => readonly string[]
  /** Takes over what other programs have logged in; absent: nothing is taken over. */
  readonly adopt?: () => Promise<Adoption>
  /** Keeps every process from renewing a grant until it is let go. Gives undefined where a renewal is under way or was not finished. */
  readonly holdGrant: (grant: GrantId) => Promise<Result<(() => void) | undefined, Fault>>
  /** Renews the access of one profile now; absent: nothing is renewed. */
  readonly renew?: (agent: AgentId, profile: ProfileId) => Promise<Result<unknown, Fault>>
}

export interface TriedRenewal {
  readonly agent: AgentId
  readonly profile: ProfileId
  /** Absent: it was renewed. */
  readonly fault?: Fault
}

export interface Sight {
  readonly now: EpochMs
  readonly state: StateSight
  readonly ownerLocks: readonly SeenLock[]
  readonly settings: Awaited<ReturnType<SettingsStore['read']>>
  readonly literalSecrets: readonly string[]
  readonly envLines: readonly EnvLine[]
  readonly books: ReadonlyMap<AgentId, Result<StoredBook, StoreFault>>
  readonly bookPath: (agent: AgentId) => string
  readonly worlds: ReadonlyMap<AgentId, Result<World, Fault>>
  readonly adoption: Adoption
  readonly renewals: readonly TriedRenewal[]
}

export interface ExamineOptions {
  readonly offline: boolean
  readonly onRenewal?: (profile: ProfileId) => void
}

/** @faults those of looking at the state folder itself */
export async function lookAtAll(
  deps: SightDeps,
  { offline, onRenewal }: ExamineOptions,
): Promise<Result<Sight, Fault>> {
  const adoption = (await deps.adopt?.()) ?? { changes: [], faults: [] }
  const state = await deps.inspection.look()
  if (!state.ok) return state
  const settings = await deps.settings.read()
  const agents = await agentsThere(deps, settings)
  let stores = await readStores(deps, agents)
  const renewals = offline ? [] : await renewExpired(deps, stores.worlds, onRenewal)
  if (renewals.length > 0) stores = await readStores(deps, agents)
  return ok({
    now: deps.clock.now(),
    state: state.value,
    ownerLocks: await deps.ownerLocks.look(),
    settings,
    literalSecrets: settings.ok ? deps.literalSecrets(settings.value.raw) : [],
    envLines: await deps.envLines(),
    ...stores,
    bookPath: deps.profiles.path,
    adoption,
    renewals,
  })
}

/** The worlds that could be loaded. */
export function loadedWorlds({ worlds }: Pick<Sight, 'worlds'>): readonly World[] {
  return [...worlds.values()].flatMap((world) => (world.ok ? [world.value] : []))
}

/** Whether every book there is could be read: only then is what no book names really nowhere. */
export function isEveryBookRead({ books }: Pick<Sight, 'books'>): boolean {
  return [...books.values()].every((book) => book.ok && book.value.problems.length === 0)
}

async function agentsThere(
  deps: SightDeps,
  settings: Sight['settings'],
): Promise<readonly AgentId[]> {
  const configured = settings.ok ? agentsOf(settings.value.settings).map(({ id }) => id) : []
  return [...new Set([...configured, ...(await deps.profiles.agents())])]
}

async function readStores(
  deps: SightDeps,
  agents: readonly AgentId[],
): Promise<Pick<Sight, 'books' | 'worlds'>> {
  const books: [AgentId, Result<StoredBook, StoreFault>][] = []
  const worlds: [AgentId, Result<World, Fault>][] = []
  for (const agent of agents) {
    books.push([agent, await deps.profiles.read(agent)])
    worlds.push([agent, await deps.loadWorld(agent)])
  }
  return { books: new Map(books), worlds: new Map(worlds) }
}

/**
 * The logins of ours whose access has ended are renewed now, which proves that they live. One after the other.
 *
 * A copy of another login is not: the renewal would end that one, or both.
 */
async function renewExpired(
  deps: SightDeps,
  worlds: Sight['worlds'],
  onRenewal: ExamineOptions['onRenewal'],
): Promise<readonly TriedRenewal[]> {
  const { renew } = deps
  if (!renew) return []
  const loaded = loadedWorlds({ worlds })
  const copies = new Set(
    [
      ...duplicatesIn(loaded).flatMap(({ keep, others }) => [keep, ...others]),
      ...twinsIn(loaded).map(({ place }) => place),
    ].map(({ agent, profile }) => `${agent} ${profile}`),
  )
  const unread = unreadProviders(loaded)
  const tried: TriedRenewal[] = []
  for (const world of loaded) {
    for (const { id, home, origin, credential } of world.book.profiles.values()) {
      const isOurs = origin === 'equabot' && home === world.agent
      const canRenew = credential.type === 'oauth' && credential.refresh !== undefined
      if (!isOurs || !canRenew || !isExpired(credential, world.now)) continue
      if (isDead(world.grants.get(id))) continue
      if (copies.has(`${home} ${id}`) || unread.has(providerOf(id))) continue
      onRenewal?.(id)
      const renewed = await renew(home, id)
      tried.push({ agent: home, profile: id, ...(!renewed.ok && { fault: renewed.fault }) })
    }
  }
  return tried
}
