/** The explicit order of an agent's profiles. Each change is one transaction under the book's lock. */

import type { Fault } from '../domain/fault.ts'
import type { AgentId, ProfileId, ProviderId } from '../domain/names.ts'
import { parseProfileId, providerOf } from '../domain/names.ts'
import type { ProfileStore } from '../domain/ports.ts'
import { withOrder, withoutOrder } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { tried } from '../domain/rotation.ts'
import { candidatesFor, rankFor } from '../domain/world.ts'
import { unknownProfile } from '../domain/unknown.ts'
import { findProvider } from './lookup.ts'
import type { LoadWorld } from './world.ts'

export interface OrderView {
  readonly agent: AgentId
  readonly provider: ProviderId
  readonly bookPath: string
  /** The agent's own order; absent: none is set. */
  readonly own?: readonly ProfileId[]
  /** The order in the config; absent: none is set. */
  readonly configured?: readonly ProfileId[]
  /** As a request resolves it now. */
  readonly resolved: readonly ProfileId[]
}

export interface Orders {
  order(agent: AgentId | undefined, provider: string): Promise<Result<OrderView, Fault>>
  /** @faults `EQ_PROFILE_UNKNOWN`, `EQ_PROFILE_FOREIGN`, `EQ_ORDER_EMPTY`; nothing is changed then */
  setOrder(
    agent: AgentId | undefined,
    provider: string,
    profiles: readonly string[],
  ): Promise<Result<OrderView, Fault>>
  clearOrder(
    agent: AgentId | undefined,
    provider: string,
  ): Promise<Result<OrderView & { readonly cleared: boolean }, Fault>>
}

export interface OrdersDeps {
  readonly loadWorld: LoadWorld
  readonly profiles: ProfileStore
}

export function createOrders(deps: OrdersDeps): Orders {
  return {
    order: async (agent, text) => {
      const found = await findProvider(deps.loadWorld, agent, text)
      return found.ok ? orderView(deps, found.value.world.agent, found.value.facts.id) : found
    },
    setOrder: (agent, provider, profiles) => setOrder(deps, agent, provider, profiles),
    clearOrder: (agent, provider) => clearOrder(deps, agent, provider),
  }
}

async function setOrder(
  deps: OrdersDeps,
  agent: AgentId | undefined,
  text: string,
  typed: readonly string[],
): Promise<Result<OrderView, Fault>> {
  const found = await findProvider(deps.loadWorld, agent, text)
  if (!found.ok) return found
  const { world, facts } = found.value
  if (world.bookFault) return fail(world.bookFault)
  const known = candidatesFor(world, facts).map((candidate) => candidate.id)
  const ids: ProfileId[] = []
  for (const entry of typed.map((item) => item.trim()).filter((item) => item !== '')) {
    const id = parseProfileId(entry) ?? parseProfileId(`${facts.id}:${entry}`)
    if (!id) return fail({ code: 'EQ_NAME_INVALID', what: 'profile', text: entry })
    if (providerOf(id) !== facts.id) {
      return fail({ code: 'EQ_PROFILE_FOREIGN', profile: id, provider: facts.id })
    }
    if (!known.includes(id)) return fail(unknownProfile(world.agent, id, known))
    ids.push(id)
  }
  if (ids.length === 0) return fail({ code: 'EQ_ORDER_EMPTY', provider: facts.id })
  const saved = await deps.profiles.transact<void, never>(world.agent, async (book) =>
    ok({ book: withOrder(book, facts.id, ids), value: undefined }),
  )
  return saved.ok ? orderView(deps, world.agent, facts.id) : saved
}

async function clearOrder(
  deps: OrdersDeps,
  agent: AgentId | undefined,
  text: string,
): Promise<Result<OrderView & { readonly cleared: boolean }, Fault>> {
  const found = await findProvider(deps.loadWorld, agent, text)
  if (!found.ok) return found
  const { world, facts } = found.value
  const saved = await deps.profiles.transact<boolean, never>(world.agent, async (book) =>
    ok({ book: withoutOrder(book, facts.id), value: book.order.has(facts.id) }),
  )
  if (!saved.ok) return saved
  const view = await orderView(deps, world.agent, facts.id)
  return view.ok ? ok({ ...view.value, cleared: saved.value }) : view
}

/** Read afresh, so that what is shown is what the next request resolves. */
async function orderView(
  deps: OrdersDeps,
  agent: AgentId,
  provider: ProviderId,
): Promise<Result<OrderView, Fault>> {
  const loaded = await deps.loadWorld(agent)
  if (!loaded.ok) return loaded
  const world = loaded.value
  if (world.bookFault) return fail(world.bookFault)
  const own = world.book.order.get(provider)
  const configured = world.settings.auth.order.get(provider)
  const model = { provider, model: world.providers.get(provider)?.defaultModel ?? '' }
  return ok({
    agent,
    provider,
    bookPath: deps.profiles.path(agent),
    ...(own && { own }),
    ...(configured && { configured }),
    resolved: tried(rankFor(world, model)).map((candidate) => candidate.id),
  })
}
