/** The order of a book that logins have been imported into. */

import type { LegacyLogins } from '../domain/legacy.ts'
import type { ProfileId, ProviderId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { ProfileBook } from '../domain/profile.ts'
import { withOrder } from '../domain/profile.ts'
import type { World } from '../domain/world.ts'

/** What the logins of a file are called here, by what they are called there. */
export type Names = Map<LegacyLogins, Map<ProfileId, ProfileId>>

interface Given {
  readonly world: World
  /** As it was before. */
  readonly book: ProfileBook
  readonly files: readonly { readonly logins: LegacyLogins }[]
}

/**
 * What came goes last where an order is set. Where none is, that of the files is taken, with our own profiles behind
 * those it names: an order leaves out what it does not name.
 */
export function withOrders(
  { world, book: before, files }: Given,
  after: ProfileBook,
  names: Names,
): { readonly book: ProfileBook; readonly orders: readonly ProviderId[] } {
  let book = after
  const added = [...after.profiles.keys()].filter((id) => !before.profiles.has(id))
  for (const [provider, ids] of before.order) {
    const listed = new Set(ids)
    const fresh = added.filter((id) => providerOf(id) === provider && !listed.has(id))
    if (fresh.length > 0) book = withOrder(book, provider, [...ids, ...fresh])
  }
  const orders: ProviderId[] = []
  const usable = new Set([...world.book.profiles.keys(), ...after.profiles.keys()])
  for (const { logins } of files) {
    for (const [provider, ids] of logins.order) {
      const named = ids.map((id) => names.get(logins)?.get(id) ?? id).filter((id) => usable.has(id))
      const isSet = book.order.has(provider) || world.settings.auth.order.has(provider)
      if (isSet || named.length === 0) continue
      const rest = [...usable].filter((id) => providerOf(id) === provider)
      book = withOrder(book, provider, [...named, ...rest])
      orders.push(provider)
    }
  }
  return { book, orders }
}
