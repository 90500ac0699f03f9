/** Instants in files, ms since 1970. */

import * as v from 'valibot'
import type { EpochMs } from '../domain/time.ts'
import { isInstant } from '../domain/time.ts'

/** One that our own files hold. */
export const Instant: v.GenericSchema<unknown, EpochMs> = v.pipe(
  v.number(),
  v.check(isInstant, 'an instant in ms'),
)

/** One that any tool wrote; where they know of none, they write 0, a negative number or null. */
export function instantOf(value: unknown): EpochMs | undefined {
  return typeof value === 'number' && value > 0 && isInstant(value) ? value : undefined
}
