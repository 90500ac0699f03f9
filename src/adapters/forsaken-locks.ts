/** Locks of Claude Code that nobody holds any more: they keep others from renewing. Removed only at a person's word. */

import { lstat, rmdir } from 'node:fs/promises'

import type { OwnerLocks, SeenLock } from '../domain/inspection.ts'
import { fail, ok } from '../domain/result.ts'
import { errnoOf } from './files.ts'
import { renewalLockPaths, writeLockPath } from './owner-locks.ts'

/** @param folder where Claude Code keeps its settings; absent: nobody knows where */
export function createForsakenLocks(folder: string | undefined): OwnerLocks {
  return {
    async look() {
      if (folder === undefined) return []
      // A folder that is not there has no locks in it.
      const renewal = await renewalLockPaths(folder).catch(() => [])
      const paths = [...renewal, writeLockPath(folder)]
      const seen = await Promise.all(paths.map(lockAt))
      return seen.filter((lock) => lock !== undefined)
    },

    async remove(lock) {
      const now = await lockAt(lock.path)
      if (!now || now.modifiedAt !== lock.modifiedAt) return ok(false)
      try {
        await rmdir(lock.path)
        return ok(true)
      } catch (cause) {
        return fail({ code: 'EQ_STORE_UNWRITABLE', path: lock.path, errno: errnoOf(cause) })
      }
    },
  }
}

async function lockAt(path: string): Promise<SeenLock | undefined> {
  const facts = await lstat(path).catch(() => undefined)
  return facts?.isDirectory()
    ? { origin: 'claude-code', path, modifiedAt: Math.round(facts.mtimeMs) }
    : undefined
}
