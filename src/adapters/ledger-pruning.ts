/** Keeps the ledger within its bounds: days and bytes. In small steps, so that nobody waits for it. */

import type { Clock } from '../domain/ports.ts'
import type { LedgerSettings } from '../domain/settings.ts'
import { DAY_MS, dayText, MINUTE_MS } from '../domain/time.ts'
import { deleteOldest, deleteSumsBefore, giveBack, settle, usedBytes } from './ledger-queries.ts'
import type { Database } from './sqlite.ts'

const EVERY_MS: number = 10 * MINUTE_MS
const STEP_ROWS = 500
const PAUSE_MS = 5
/** Below the bound, so that not every look finds something to do. */
const ROOM = 0.95

/** Does its work when it is due, else nothing. Throws what the database throws. */
export function createPruning(deps: {
  readonly clock: Clock
  readonly keep: () => Promise<LedgerSettings>
}): (database: Database) => Promise<void> {
  const { clock } = deps
  let lastAt: number | undefined

  return async function prune(database) {
    const now = clock.now()
    if (lastAt !== undefined && Math.abs(now - lastAt) < EVERY_MS) return
    lastAt = now
    const { keepDays, maxBytes } = await deps.keep()
    const oldest = now - keepDays * DAY_MS
    let removed = 0
    const step = async (before?: number): Promise<number> => {
      const gone = deleteOldest(database, STEP_ROWS, before)
      removed += gone
      if (gone > 0) await clock.sleep(PAUSE_MS)
      return gone
    }

    deleteSumsBefore(database, dayText(oldest))
    while ((await step(oldest)) > 0);
    if (usedBytes(database) > maxBytes) {
      while (usedBytes(database) > ROOM * maxBytes && (await step()) > 0);
    }
    if (removed === 0) return
    while (giveBack(database)) await clock.sleep(PAUSE_MS)
    settle(database)
  }
}
