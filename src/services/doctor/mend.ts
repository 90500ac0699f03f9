/**
 * Putting right what doctor found. Each change looks again first; a file whose content changes is copied before; no
 * login is removed where its other copy is not there any more.
 */

import type { Mended } from '../../domain/doctor-report.ts'
import type { Fault } from '../../domain/fault.ts'
import type { Finding } from '../../domain/finding.ts'
import type { FindingFact } from '../../domain/finding-fact.ts'
import type { SeenLock } from '../../domain/inspection.ts'
import type { ProfileId } from '../../domain/names.ts'
import type { Restored } from '../../domain/ports.ts'
import type { ProfileBook } from '../../domain/profile.ts'
import { withOrder, withoutOrder } from '../../domain/profile.ts'
import type { Result } from '../../domain/result.ts'
import { fail, ok } from '../../domain/result.ts'
import { SECOND_MS } from '../../domain/time.ts'
import type { SightDeps } from './sight.ts'
import { createBackups } from './backups.ts'
import type { MendDeps } from './backups.ts'
import { mendDuplicate, mendTwin } from './mend-grants.ts'

/** Longer than the owner of a lock waits between its signs of life. */
const LOCK_BEAT_MS: number = 6 * SECOND_MS

type Outcome = Result<'done' | 'left' | 'renewing' | Pick<Restored, 'lost'>, Fault>

export async function mendAll(
  deps: SightDeps,
  findings: readonly Finding[],
): Promise<readonly Mended[]> {
  const backups = createBackups(deps.inspection)
  const mended: Mended[] = []
  const fixable = findings.filter((found) => found.fixable)
  const stillLocks = await locksAtRest(deps, fixable)
  for (const found of fixable) {
    const outcome = await mendOne({ ...deps, backups }, found, stillLocks)
    mended.push({
      finding: found,
      backups: backups.taken(),
      ...(!outcome.ok && { fault: outcome.fault }),
      ...(outcome.ok && become(outcome.value)),
    })
  }
  return mended
}

function become(
  outcome: Extract<Outcome, { ok: true }>['value'],
): Pick<Mended, 'lost' | 'left' | 'renewing'> {
  if (typeof outcome === 'object') return { lost: outcome.lost }
  if (outcome === 'done') return {}
  return { left: true, ...(outcome === 'renewing' && { renewing: true }) }
}

async function mendOne(
  deps: MendDeps,
  fact: FindingFact,
  stillLocks: readonly SeenLock[],
): Promise<Outcome> {
  const { inspection, profiles, settings } = deps
  switch (fact.code) {
    case 'DR_FILE_OPEN':
    case 'DR_FILE_CLOSED':
      return done(await inspection.keepToOwner(fact.path))
    case 'DR_FILE_STRAY':
      return done(await inspection.removeStray(fact.path))
    case 'DR_GRANT_ORPHAN':
      return done(await inspection.removeJournal(fact.path))
    case 'DR_BOOK_UNREADABLE': {
      const restored = await profiles.restorePrevious(fact.agent)
      if (!restored.ok) return restored
      deps.backups.note(restored.value.setAside)
      return ok({ lost: restored.value.lost })
    }
    case 'DR_CONFIG_OLDER':
      // The store keeps the file as it was at `.bak` whenever it renews older spellings.
      deps.backups.note(`${fact.path}.bak`)
      return done(await settings.edit(() => []))
    case 'DR_ORDER_UNKNOWN':
      return mendOrder(deps, fact)
    case 'DR_FOREIGN_LOCK': {
      const lock = stillLocks.find(({ path }) => path === fact.lock.path)
      if (!lock) return ok('left')
      const removed = await deps.ownerLocks.remove(lock)
      if (!removed.ok) return removed
      return ok(removed.value ? 'done' : 'left')
    }
    case 'DR_GRANT_TWICE':
      return mendDuplicate(deps, fact)
    case 'DR_GRANT_TWIN':
      return mendTwin(deps, fact)
    default:
      return ok('left')
  }
}

function done(result: Result<unknown, Fault>): Outcome {
  return result.ok ? ok('done') : result
}

/** The locks that show no sign of life for as long as a living owner would give one. */
async function locksAtRest(
  deps: SightDeps,
  findings: readonly Finding[],
): Promise<readonly SeenLock[]> {
  const found = findings.flatMap((entry) => (entry.code === 'DR_FOREIGN_LOCK' ? [entry.lock] : []))
  if (found.length === 0) return []
  await deps.clock.sleep(LOCK_BEAT_MS)
  const now = await deps.ownerLocks.look()
  return found.filter((lock) =>
    now.some(({ path, modifiedAt }) => path === lock.path && modifiedAt === lock.modifiedAt),
  )
}

async function mendOrder(
  deps: MendDeps,
  fact: Extract<FindingFact, { code: 'DR_ORDER_UNKNOWN' }>,
): Promise<Outcome> {
  const { provider, agent } = fact
  const isGhost = (id: ProfileId, book?: ProfileBook): boolean =>
    fact.profiles.includes(id) && !book?.profiles.has(id)
  if (agent !== undefined) {
    const backup = await deps.backups.take(deps.profiles.path(agent))
    if (!backup.ok) return backup
    return deps.profiles.transact<'done' | 'left', never>(agent, async (book) => {
      const ids = book.order.get(provider) ?? []
      const rest = ids.filter((id) => !isGhost(id, book))
      if (rest.length === ids.length) return ok({ book, value: 'left' })
      const next = rest.length > 0 ? withOrder(book, provider, rest) : withoutOrder(book, provider)
      return ok({ book: next, value: 'done' })
    })
  }
  const backup = await deps.backups.take(deps.settings.path())
  if (!backup.ok) return backup
  const edited = await deps.settings.edit((current) => {
    const ids = current.settings.auth.order.get(provider) ?? []
    const rest = ids.filter((id) => !isGhost(id))
    if (rest.length === ids.length) return []
    return [{ path: ['auth', 'order', provider], value: rest.length > 0 ? rest : undefined }]
  })
  return edited.ok ? ok('done') : fail(edited.fault)
}
