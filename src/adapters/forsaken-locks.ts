/**
 * The locks that Claude Code keeps as folders beside its login. One that nobody holds keeps everybody from renewing.
 *
 * @source the folder of its settings holds `.oauth_refresh.lock` and `.storage-write.lock`; `<real folder>.lock` stands beside it
 */

import { lstat, realpath, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

import type { OwnerLocks, SeenLock } from '../domain/inspection.ts'
import { fail, ok } from '../domain/result.ts'
import { errnoOf } from './files.ts'

/** @param folder where Claude Code keeps its settings; absent: nobody knows where */
export function createOwnerLocks(folder: string | undefined): OwnerLocks {
  return {
    async look() {
      if (folder === undefined) return []
      const real = await realpath(folder).catch(() => folder)
      const paths = [
        join(folder, '.oauth_refresh.lock'),
        join(folder, '.storage-write.lock'),
        `${real}.lock`,
      ]
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

/** Where Claude Code keeps its settings for the user with these variables. */
export function claudeFolder(variables: ReadonlyMap<string, string>): string | undefined {
  const own = variables.get('CLAUDE_CONFIG_DIR')?.trim()
  if (own) return own
  const home = variables.get('HOME')?.trim() || variables.get('USERPROFILE')?.trim()
  return home ? join(home, '.claude') : undefined
}
