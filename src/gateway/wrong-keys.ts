/** How many wrong keys an address may send. A right key serves all the same: on one machine all programs share an address. */

import type { EpochMs } from '../domain/time.ts'
import { MINUTE_MS } from '../domain/time.ts'

export interface WrongKeys {
  /**
   * Counts one more.
   *
   * @returns 0 while the address is within its budget; else how long until it is again, ms
   */
  count(address: string): number
}

/** Wrong keys of one address within a minute. */
export const MOST_WRONG_KEYS = 10
/** Of all addresses together, so that many addresses are no way around it. */
export const MOST_WRONG_KEYS_OF_ALL = 300
/** Addresses that are remembered; the one that came first is forgotten first. */
const MOST_ADDRESSES = 4_096
const PERIOD_MS: number = MINUTE_MS

interface Count {
  readonly since: EpochMs
  readonly number: number
}

export function createWrongKeys(now: () => EpochMs): WrongKeys {
  const counts = new Map<string, Count>()
  let all: Count = { since: now(), number: 0 }

  function next(count: Count | undefined, at: EpochMs): Count {
    const isOver = !count || at - count.since >= PERIOD_MS || at < count.since
    return isOver ? { since: at, number: 1 } : { since: count.since, number: count.number + 1 }
  }

  return {
    count(address) {
      const at = now()
      const count = next(counts.get(address), at)
      counts.delete(address)
      counts.set(address, count)
      for (const [oldest] of counts) {
        if (counts.size <= MOST_ADDRESSES) break
        counts.delete(oldest)
      }
      all = next(all, at)
      const spent = [
        ...(count.number > MOST_WRONG_KEYS ? [count] : []),
        ...(all.number > MOST_WRONG_KEYS_OF_ALL ? [all] : []),
      ]
      return Math.max(0, ...spent.map(({ since }) => since + PERIOD_MS - at))
    },
  }
}
