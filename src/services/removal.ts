/** The end of a profile: who used it, the login's end at its provider, and its secret out of the book. */

import type { Fault } from '../domain/fault.ts'
import type { AgentId, ProfileId, SessionId } from '../domain/names.ts'
import { MAIN_AGENT, providerOf } from '../domain/names.ts'
import type { ProfileStore, SessionStore, SettingsStore, StateStore } from '../domain/ports.ts'
import type { GrantStore, LoginFlow } from '../domain/renewal-ports.ts'
import type { HeldProfile, Profile } from '../domain/profile.ts'
import { withoutProfile } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { agentsOf } from '../domain/settings.ts'
import type { World } from '../domain/world.ts'
import { findProfile } from './lookup.ts'
import type { Revocation } from './revocation.ts'
import { forgetGrant, revokeGrant } from './revocation.ts'
import type { LoadWorld } from './world.ts'

export interface RemovedProfile {
  readonly agent: AgentId
  readonly profile: ProfileId
  /** Who used it: agents that inherit it or order it, sessions pinned to it. */
  readonly usedBy: {
    readonly orders: readonly ('agent' | 'config')[]
    readonly agents: readonly AgentId[]
    readonly sessions: readonly { readonly agent: AgentId; readonly session: SessionId }[]
  }
}

/** A removed profile, and what became of its login at the provider. */
export interface EndedProfile extends RemovedProfile {
  readonly revocation?: Revocation
}

export interface RemovalDeps {
  readonly loadWorld: LoadWorld
  readonly profiles: ProfileStore
  readonly states: StateStore
  readonly settings: SettingsStore
  readonly sessions: SessionStore
  readonly logins: Pick<LoginFlow, 'revoke'>
  readonly grants: Pick<GrantStore, 'forget'>
}

/** What `removeProfile` would do, without doing it. */
export async function whoUses(
  deps: RemovalDeps,
  agent: AgentId | undefined,
  text: string,
): Promise<Result<RemovedProfile, Fault>> {
  const found = await findProfile(deps.loadWorld, agent, text)
  return found.ok ? usesOf(deps, found.value) : found
}

async function usesOf(
  deps: RemovalDeps,
  { world, profile }: { readonly world: World; readonly profile: HeldProfile },
): Promise<Result<RemovedProfile, Fault>> {
  const provider = providerOf(profile.id)
  const orders: ('agent' | 'config')[] = []
  if (world.book.order.get(provider)?.includes(profile.id)) orders.push('agent')
  if (world.settings.auth.order.get(provider)?.includes(profile.id)) orders.push('config')
  const sharing =
    profile.home === MAIN_AGENT ? agentsOf(world.settings).map(({ id }) => id) : [world.agent]
  const sessions: { agent: AgentId; session: SessionId }[] = []
  for (const id of sharing) {
    const heads = await deps.sessions.list(id)
    if (!heads.ok) return heads
    for (const head of heads.value.heads) {
      if (head.pin?.profile === profile.id) sessions.push({ agent: id, session: head.id })
    }
  }
  return ok({
    agent: world.agent,
    profile: profile.id,
    usedBy: { orders, agents: sharing.filter((id) => id !== world.agent), sessions },
  })
}

/** Forgets the profile, then revokes what was forgotten, where its provider offers that. */
export async function removeProfile(
  deps: RemovalDeps,
  agent: AgentId | undefined,
  text: string,
): Promise<Result<EndedProfile, Fault>> {
  const found = await findProfile(deps.loadWorld, agent, text)
  if (!found.ok) return found
  const uses = await usesOf(deps, found.value)
  if (!uses.ok) return uses
  const { agent: home, profile: id } = uses.value
  const provider = providerOf(id)
  // The config first: a profile that it no longer names still serves, a name without a profile would be a riddle.
  const edited = await deps.settings.edit(({ settings }) => {
    const rest = settings.auth.order.get(provider)?.filter((entry) => entry !== id)
    return [
      ...(settings.auth.profiles.has(id)
        ? [{ path: ['auth', 'profiles', id], value: undefined }]
        : []),
      ...(rest && uses.value.usedBy.orders.includes('config')
        ? [{ path: ['auth', 'order', provider], value: rest.length > 0 ? rest : undefined }]
        : []),
    ]
  })
  if (!edited.ok) return edited
  const removed = await deps.profiles.transact<Profile | undefined, never>(home, async (book) =>
    ok({ book: withoutProfile(book, id), value: book.profiles.get(id) }),
  )
  if (!removed.ok) return removed
  forgetUsage(deps, home, id)
  // Revoked is what was taken out under the lock: a renewal may have put a newer token there since it was looked at.
  const { providers } = found.value.world
  await forgetGrant(deps, removed.value ?? found.value.profile)
  const revocation = await revokeGrant(deps, providers, removed.value ?? found.value.profile)
  return ok({ ...uses.value, ...(revocation && { revocation }) })
}

/** What was learnt concerns a secret that is no longer there. */
export function forgetUsage(deps: Pick<RemovalDeps, 'states'>, home: AgentId, id: ProfileId): void {
  deps.states.update(home, (state) => {
    const profiles = new Map(state.profiles)
    profiles.delete(id)
    return { ...state, profiles }
  })
}
