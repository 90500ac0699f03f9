/** What is known of a credential's limits, in words. */

import type { Quota } from './health.ts'
import type { QuotaWindow } from './quota.ts'
import type { EpochMs } from './time.ts'
import { relative } from './time.ts'
import { restWords } from './wording.ts'

export function quotaWords(quota: Quota, now: EpochMs | undefined): string {
  const parts = [
    ...(quota.state === 'resting' ? [restWords(quota.rest, now)] : []),
    ...quota.models.map(({ model, rest }) => `${model} ${restWords(rest, now)}`),
    ...windowsWords(quota.windows, now),
  ]
  return parts.length > 0 ? parts.join('; ') : 'nothing known against it'
}

/** `5 h window: 43 % used, resets in 2 h, seen 5 min ago`. */
export function windowWords(window: QuotaWindow, now: EpochMs | undefined): string {
  return `${measureWords(window, now)}, seen ${relative(window.seenAt, now)}`
}

/** All windows; those that one answer told share its age. */
function windowsWords(
  windows: readonly QuotaWindow[],
  now: EpochMs | undefined,
): readonly string[] {
  return windows.map((window, index) =>
    windows[index + 1]?.seenAt === window.seenAt
      ? measureWords(window, now)
      : windowWords(window, now),
  )
}

function measureWords(window: QuotaWindow, now: EpochMs | undefined): string {
  const reset = window.resetsAt === undefined ? '' : `, resets ${relative(window.resetsAt, now)}`
  return `${windowName(window.name)}: ${levelWords(window)}${reset}`
}

function windowName(name: string): string {
  const [, count, unit, kind] = /^(\d+)([mhd])(?:_(\w+))?$/.exec(name) ?? []
  if (count === undefined) return name === 'plan' ? 'the plan' : name.replaceAll('-', ' ')
  return `${count} ${unit === 'm' ? 'min' : unit} window${kind === undefined ? '' : ` (${kind})`}`
}

function levelWords({ used, limit, remaining, status }: QuotaWindow): string {
  if (status === 'rejected') return 'used up'
  if (remaining !== undefined) {
    return limit === undefined ? `${remaining} left` : `${remaining} of ${limit} left`
  }
  if (used !== undefined) return `${Math.round(used * 100)} % used`
  return status === 'warning' ? 'nearly used up' : 'not used up'
}
