/** A day as it was typed: a date, or how long ago. */

import type { Fault } from '../domain/fault.ts'
import { printableLine } from '../domain/printable.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { EpochMs } from '../domain/time.ts'
import { dayText, isInstant, parseDuration } from '../domain/time.ts'

const DATE = /^\d{4}-\d{2}-\d{2}$/

/**
 * @param option as it is called, for the message
 * @returns the day by UTC, `2026-11-01`; undefined where none was typed
 * @faults `EQ_USAGE`
 */
export function typedDay(
  text: string | undefined,
  option: string,
  now: EpochMs,
): Result<string | undefined, Fault> {
  if (text === undefined) return ok(undefined)
  const trimmed = text.trim()
  if (DATE.test(trimmed)) {
    const at = Date.parse(`${trimmed}T00:00:00Z`)
    // 2026-02-30 would be taken for the second of March.
    if (isInstant(at) && dayText(at) === trimmed) return ok(trimmed)
  }
  const ago = parseDuration(trimmed)
  if (ago !== undefined && isInstant(now - ago)) return ok(dayText(now - ago))
  const detail = `${option} takes a date such as 2026-11-01 or a length of time such as 7d, not "${printableLine(trimmed)}"`
  return fail({ code: 'EQ_USAGE', detail, command: 'equabot usage' })
}
