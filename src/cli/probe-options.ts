/** The options that every command with probes takes. */

import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { MINUTE_MS, parseWait } from '../domain/time.ts'

export const TIMEOUT_OPTION = '--timeout <time>'
export const TIMEOUT_HELP = 'give each credential so long, renewal included, such as 8s'
export const DEFAULT_TIMEOUT = '8s'
export const DEFAULT_CONCURRENCY = '4'

const LONGEST_TIMEOUT_MS: number = 10 * MINUTE_MS
const MOST_AT_ONCE = 32

/** @faults `EQ_DURATION_INVALID`, `EQ_USAGE` */
export function typedTimeout(text: string, command: string): Result<number, Fault> {
  const ms = parseWait(text)
  if (ms === undefined) return fail({ code: 'EQ_DURATION_INVALID', text })
  if (ms <= LONGEST_TIMEOUT_MS) return ok(ms)
  return fail({ code: 'EQ_USAGE', detail: '--timeout takes at most 10m', command })
}

/** @faults `EQ_USAGE` */
export function typedConcurrency(text: string, command: string): Result<number, Fault> {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= MOST_AT_ONCE) return ok(count)
  const detail = `--concurrency takes a number from 1 to ${MOST_AT_ONCE}`
  return fail({ code: 'EQ_USAGE', detail, command })
}
