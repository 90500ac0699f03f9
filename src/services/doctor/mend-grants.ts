/**
 * One login, one home: the other copies go, and orders that named them name the one that stays.
 *
 * Nobody renews meanwhile: a copy that is removed between the provider's answer and its storing takes the login with it.
 */

import type { Fault } from '../../domain/fault.ts'
import type { FindingFact, GrantPlace } from '../../domain/finding-fact.ts'
import { FOREIGN_PROFILES } from '../../domain/foreign.ts'
import { markOf } from '../../domain/grant.ts'
import type { ProfileId } from '../../domain/names.ts'
import { providerOf } from '../../domain/names.ts'
import type { SettingsEdit } from '../../domain/ports.ts'
import type { ProfileBook } from '../../domain/profile.ts'
import { withOrder, withoutOrder, withoutProfile } from '../../domain/profile.ts'
import type { Result } from '../../domain/result.ts'
import { ok } from '../../domain/result.ts'
import type { Settings } from '../../domain/settings.ts'
import type { MendDeps } from './backups.ts'

type Outcome = Result<'done' | 'left' | 'renewing', Fault>

export async function mendDuplicate(
  deps: MendDeps,
  { keep, others }: Extract<FindingFact, { code: 'DR_GRANT_TWICE' }>,
): Promise<Outcome> {
  return unrenewed(deps, [keep, ...others], async () => {
    const kept = await deps.profiles.read(keep.agent)
    if (!kept.ok) return kept
    // What stays must be there: it may have been removed, or renewed, since it was seen.
    if (!holds(kept.value.book, keep)) return ok('left')
    return removeCopies(deps, others, keep.profile)
  })
}

/** The owner's login stays in its own home, and is taken over from there. */
export async function mendTwin(
  deps: MendDeps,
  { place, origin }: Extract<FindingFact, { code: 'DR_GRANT_TWIN' }>,
): Promise<Outcome> {
  const removed = await unrenewed(deps, [place], () =>
    removeCopies(deps, [place], FOREIGN_PROFILES[origin]),
  )
  if (removed.ok && removed.value === 'done') await deps.adopt?.()
  return removed
}

/** Runs while no process renews one of these; two copies of one token may have journals of their own. */
async function unrenewed(
  deps: MendDeps,
  places: readonly GrantPlace[],
  run: () => Promise<Outcome>,
): Promise<Outcome> {
  const held: (() => void)[] = []
  try {
    for (const grant of new Set(places.map((place) => place.grant))) {
      const release = await deps.holdGrant(grant)
      if (!release.ok) return release
      if (!release.value) return ok('renewing')
      held.push(release.value)
    }
    return await run()
  } finally {
    for (const release of held) release()
  }
}

async function removeCopies(
  deps: MendDeps,
  copies: readonly GrantPlace[],
  instead: ProfileId,
): Promise<Outcome> {
  let gone = false
  for (const copy of copies) {
    const backup = await deps.backups.take(deps.profiles.path(copy.agent))
    if (!backup.ok) return backup
    const removed = await deps.profiles.transact<boolean, never>(copy.agent, async (book) =>
      holds(book, copy)
        ? ok({ book: replaced(book, copy.profile, instead), value: true })
        : ok({ book, value: false }),
    )
    if (!removed.ok) return removed
    gone ||= removed.value
    if (!removed.value) continue
    const edited = await editSettings(deps, copy.profile, instead)
    if (!edited.ok) return edited
  }
  return ok(gone ? 'done' : 'left')
}

/** Whether the profile still holds the refresh token that was seen there. */
function holds(book: ProfileBook, { profile, token }: GrantPlace): boolean {
  const credential = book.profiles.get(profile)?.credential
  return (
    credential?.type === 'oauth' &&
    credential.refresh !== undefined &&
    markOf(credential.refresh) === token
  )
}

function replaced(book: ProfileBook, id: ProfileId, instead: ProfileId): ProfileBook {
  const provider = providerOf(id)
  const order = book.order.get(provider)
  const without = withoutProfile(book, id)
  if (!order?.includes(id)) return without
  const ids = orderWith(order, id, instead)
  return ids.length > 0 ? withOrder(without, provider, ids) : withoutOrder(without, provider)
}

/** In the place of the one that goes stands the one that stays, if it is of the same provider. */
function orderWith(
  ids: readonly ProfileId[],
  id: ProfileId,
  instead: ProfileId,
): readonly ProfileId[] {
  const next = providerOf(instead) === providerOf(id) ? [instead] : []
  return [...new Set(ids.flatMap((entry) => (entry === id ? next : [entry])))]
}

/** The config forgets a profile that no book holds any more. */
async function editSettings(
  deps: MendDeps,
  id: ProfileId,
  instead: ProfileId,
): Promise<Result<void, Fault>> {
  for (const agent of await deps.profiles.agents()) {
    const book = await deps.profiles.read(agent)
    if (!book.ok || book.value.book.profiles.has(id)) return ok()
  }
  const current = await deps.settings.read()
  if (!current.ok) return current
  if (id === instead || editsFor(current.value.settings, id, instead).length === 0) return ok()
  const backup = await deps.backups.take(deps.settings.path())
  if (!backup.ok) return backup
  const edited = await deps.settings.edit(({ settings }) => editsFor(settings, id, instead))
  return edited.ok ? ok() : edited
}

function editsFor(settings: Settings, id: ProfileId, instead: ProfileId): readonly SettingsEdit[] {
  const provider = providerOf(id)
  const order = settings.auth.order.get(provider)
  const ids = order?.includes(id) ? orderWith(order, id, instead) : undefined
  return [
    ...(settings.auth.profiles.has(id)
      ? [{ path: ['auth', 'profiles', id], value: undefined }]
      : []),
    ...(ids
      ? [{ path: ['auth', 'order', provider], value: ids.length > 0 ? ids : undefined }]
      : []),
  ]
}
