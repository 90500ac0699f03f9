/** Copies of files before doctor changes them; one of each file in one run. */

import type { Fault } from '../../domain/fault.ts'
import type { StateInspection } from '../../domain/inspection.ts'
import type { Result } from '../../domain/result.ts'
import { ok } from '../../domain/result.ts'
import type { SightDeps } from './sight.ts'

export interface Backups {
  /** Copies the file, unless that was done already. */
  take(path: string): Promise<Result<void, Fault>>
  /** A copy that somebody else makes. */
  note(path: string): void
  /** The copies since this was last asked. */
  taken(): readonly string[]
}

/** What a change of doctor's works with. */
export interface MendDeps extends SightDeps {
  readonly backups: Backups
}

export function createBackups(inspection: Pick<StateInspection, 'backUp'>): Backups {
  const copied = new Set<string>()
  let fresh: string[] = []
  return {
    async take(path) {
      if (copied.has(path)) return ok()
      const copy = await inspection.backUp(path)
      if (!copy.ok) return copy
      copied.add(path)
      if (copy.value !== undefined) fresh.push(copy.value)
      return ok()
    },
    note: (path) => void fresh.push(path),
    taken() {
      const since = fresh
      fresh = []
      return since
    },
  }
}
