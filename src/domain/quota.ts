/** What a provider's answers say about how much of a limit is used up. Read from headers of answers; nobody asks for it. */

import type { EpochMs } from './time.ts'
import { DAY_MS } from './time.ts'

/** One limit of one credential, as it stood when an answer came. */
export interface QuotaWindow {
  /** `requests`, `tokens`, `input-tokens`, `output-tokens`; a plan's windows by length: `5h`, `7d`. */
  readonly name: string
  /** Used share, 0 to 1. */
  readonly used?: number
  readonly limit?: number
  readonly remaining?: number
  /** The provider's own judgement. */
  readonly status?: 'allowed' | 'warning' | 'rejected'
  readonly resetsAt?: EpochMs
  /** When the answer came that said so. */
  readonly seenAt: EpochMs
}

/** What was seen longer ago is forgotten. */
const REMEMBERED_MS: number = 8 * DAY_MS

/** The windows after an answer: what it says takes the place of what was known. */
export function keptQuota(
  known: readonly QuotaWindow[],
  seen: readonly QuotaWindow[],
  now: EpochMs,
): readonly QuotaWindow[] {
  const names = new Set(seen.map(({ name }) => name))
  return [
    ...known.filter(
      ({ name, seenAt }) => !names.has(name) && Math.abs(now - seenAt) < REMEMBERED_MS,
    ),
    ...seen,
  ]
}

/** Whether what was seen still counts: a window that has begun anew since is as good as unknown. */
export function inForce({ resetsAt, seenAt }: QuotaWindow, now: EpochMs): boolean {
  return resetsAt === undefined ? now - seenAt < DAY_MS : resetsAt > now
}

/** Whether nothing more is had from it until it begins anew. */
export function isUsedUp({ status, remaining }: QuotaWindow): boolean {
  return status === 'rejected' || (status === undefined && remaining === 0)
}

/** Whether it is a plan's, which all logins of an account share. */
export function isPlans({ name }: QuotaWindow): boolean {
  return /^(?:plan|\d+[mhd](?:_\w+)?)$/.test(name)
}

/** Whether a plan's window holds for a kind of model only, such as `7d_opus`. */
export function isForSomeModels({ name }: QuotaWindow): boolean {
  return name.includes('_')
}

/** No plan has a longer window; a reset beyond it is a mistake of somebody's clock. */
const LONGEST_WINDOW_MS = 32 * DAY_MS

/** The used share of a window, 0 to 1, however its provider tells it. */
export function usedShare({ used, limit, remaining }: QuotaWindow): number | undefined {
  if (used !== undefined) return used
  if (limit === undefined || remaining === undefined || limit <= 0) return undefined
  return Math.min(1, Math.max(0, 1 - remaining / limit))
}

/**
 * The window that is used up, or so nearly that the next request may meet its wall. Of several, the one that resets last.
 *
 * A window without a known reset says nothing about when it would be well again, so nothing is left for it. One that has
 * reset since is forgotten.
 *
 * @param threshold used share from which a profile is spared, 0 to 1
 */
export function nearWall(
  windows: readonly QuotaWindow[],
  threshold: number,
  now: EpochMs,
): QuotaWindow | undefined {
  let nearest: QuotaWindow | undefined
  for (const window of windows) {
    const { resetsAt, status } = window
    if (resetsAt === undefined || resetsAt <= now || resetsAt - now > LONGEST_WINDOW_MS) continue
    const share = usedShare(window)
    if (status !== 'rejected' && (share === undefined || share < threshold)) continue
    if (!nearest || resetsAt > (nearest.resetsAt ?? 0)) nearest = window
  }
  return nearest
}
