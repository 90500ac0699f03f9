/** Checks of what stands in the books, the settings and `.env`. */

import type { Finding } from '../../domain/finding.ts'
import { finding } from '../../domain/finding.ts'
import type { AgentId, ProfileId, ProviderId } from '../../domain/names.ts'
import { isReserved } from '../../domain/world.ts'
import type { Sight } from './sight.ts'
import { isEveryBookRead, loadedWorlds } from './sight.ts'

export function booksCheck({ books, bookPath, state }: Sight): readonly Finding[] {
  const seen = new Set(state.entries.map(({ path }) => path))
  return [...books].flatMap(([agent, book]) => {
    if (!book.ok) return [finding({ code: 'DR_BOOK_UNREADABLE', agent, fault: book.fault })]
    const path = bookPath(agent)
    const restorable = seen.has(`${path}.prev`)
    return book.value.problems.map((problem) =>
      finding({ code: 'DR_BOOK_ENTRY', agent, path, restorable, ...problem }),
    )
  })
}

export function settingsCheck({ settings, literalSecrets }: Sight): readonly Finding[] {
  if (!settings.ok) return [finding({ code: 'DR_CONFIG_INVALID', fault: settings.fault })]
  const { path, migrated } = settings.value
  return [
    ...(migrated.length > 0 ? [finding({ code: 'DR_CONFIG_OLDER', path, fields: migrated })] : []),
    ...literalSecrets.map((field) => finding({ code: 'DR_CONFIG_SECRET', path, field })),
  ]
}

export function envCheck({ state, envLines }: Sight): readonly Finding[] {
  return envLines.map((line) => finding({ code: 'DR_ENV_LINE', path: state.envPath, ...line }))
}

/** What keeps an agent from working, beside its settings and its book. */
export function agentsCheck({ worlds, settings }: Sight): readonly Finding[] {
  if (!settings.ok) return []
  const seen = new Set<string>()
  return [...worlds].flatMap(([agent, world]) => {
    if (world.ok || seen.has(world.fault.code)) return []
    seen.add(world.fault.code)
    return [finding({ code: 'DR_AGENT_UNREADABLE', agent, fault: world.fault })]
  })
}

/** Entries of orders that name no profile. With a book unread, nobody can say so. */
export function ordersCheck(sight: Sight): readonly Finding[] {
  if (!isEveryBookRead(sight)) return []
  const worlds = loadedWorlds(sight)
  const everywhere = new Set(worlds.flatMap(({ book }) => [...book.profiles.keys()]))
  const own = worlds.flatMap(({ agent, book }) =>
    unknownIn(book.order, (id) => book.profiles.has(id), { agent }),
  )
  const [first] = worlds
  const configured = first
    ? unknownIn(first.settings.auth.order, (id) => everywhere.has(id), {})
    : []
  return [...own, ...configured]
}

function unknownIn(
  orders: ReadonlyMap<ProviderId, readonly ProfileId[]>,
  isKnown: (id: ProfileId) => boolean,
  whose: { readonly agent?: AgentId },
): readonly Finding[] {
  return [...orders].flatMap(([provider, ids]) => {
    const profiles = ids.filter((id) => !isKnown(id) && !isReserved(id))
    return profiles.length > 0
      ? [finding({ code: 'DR_ORDER_UNKNOWN', provider, profiles, ...whose })]
      : []
  })
}
