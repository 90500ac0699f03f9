/** Checks of the logins that belong to other programs, and of the locks that those leave behind. */

import type { Fault, ForeignFault } from '../../domain/fault.ts'
import type { Finding } from '../../domain/finding.ts'
import { finding, findingKey } from '../../domain/finding.ts'
import type { SeenLock } from '../../domain/inspection.ts'
import type { EpochMs } from '../../domain/time.ts'
import { MINUTE_MS } from '../../domain/time.ts'
import type { Sight } from './sight.ts'
import { loadedWorlds } from './sight.ts'

/** An owner keeps its lock alive every few seconds. */
const LOCK_LIFE_MS: number = 10 * MINUTE_MS
const CLOCK_SLACK_MS: number = MINUTE_MS

export function foreignCheck(sight: Sight): readonly Finding[] {
  const seen = loadedWorlds(sight).flatMap(({ foreign }) =>
    foreign.flatMap(({ reading }) => {
      if (!reading.ok) return [reading.fault]
      return reading.value?.remark ? [reading.value.remark] : []
    }),
  )
  const told = sight.adoption.faults
    .filter((fault) => !isToldElsewhere(fault, sight))
    .map((fault) =>
      isForeign(fault)
        ? finding({ code: 'DR_FOREIGN_LOGIN', fault })
        : finding({ code: 'DR_FOREIGN_ADOPTION', fault }),
    )
  return once([...seen.map((fault) => finding({ code: 'DR_FOREIGN_LOGIN', fault })), ...told])
}

export function ownerLocksCheck({ ownerLocks, now }: Sight): readonly Finding[] {
  return ownerLocks
    .filter((lock) => isForsaken(lock, now))
    .map((lock) => finding({ code: 'DR_FOREIGN_LOCK', lock }))
}

/** Whether no living owner can hold it. */
function isForsaken({ modifiedAt }: SeenLock, now: EpochMs): boolean {
  return now - modifiedAt > LOCK_LIFE_MS || modifiedAt - now > CLOCK_SLACK_MS
}

/** Settings or a book that cannot be read are findings of their own. */
function isToldElsewhere({ code }: Fault, { settings, books }: Sight): boolean {
  const read = [settings, ...books.values()]
  return read.some((result) => !result.ok && result.fault.code === code)
}

function isForeign(fault: Fault): fault is ForeignFault {
  return 'origin' in fault && 'place' in fault
}

/** Several agents see the same login. */
function once(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((found) => [findingKey(found), found])).values()]
}
