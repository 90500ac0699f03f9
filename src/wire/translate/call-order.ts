/**
 * Puts the parts of a streamed reply one after the other. Chat Completions may tell of several calls by turns; the other
 * protocols cannot. The first call passes as it comes, what begins after it is held until the reply ends.
 */

import type { NeutralEvent } from '../../domain/neutral.ts'

/** No model says so much; a server that does is not to fill our memory. UTF-16 units. */
const MOST_HELD = 4 * 1024 * 1024

/** The number of no call. */
const ENDED = -1

interface Held {
  readonly events: NeutralEvent[]
  readonly slot?: number
}

export interface CallOrder {
  say(type: 'text' | 'thinking', text: string): Iterable<NeutralEvent>
  /** A call begins, or is named again. */
  call(slot: number, id: string, name: string): Iterable<NeutralEvent>
  input(slot: number, json: string): Iterable<NeutralEvent>
  /** What has been held. */
  rest(): Iterable<NeutralEvent>
  count(): number
  hasCalls(): boolean
}

export function createCallOrder(): CallOrder {
  const ids = new Map<number, string>()
  const held: Held[] = []
  let live: number | undefined
  let count = 0
  let heldLength = 0

  function hold(more: string): void {
    heldLength += more.length
    if (heldLength > MOST_HELD) throw new Error('the calls of the reply are longer than 4 MiB')
  }

  return {
    say(type, text) {
      if (live === undefined) return [{ type, text }]
      hold(text)
      const last = held.at(-1)
      if (last && last.slot === undefined) last.events.push({ type, text })
      else held.push({ events: [{ type, text }] })
      return []
    },

    call(slot, id, name) {
      // Some servers repeat id and name with every piece; others give several calls the same number.
      if (ids.get(slot) === id) return []
      ids.set(slot, id)
      count += 1
      const begun: NeutralEvent = { type: 'call', id, name }
      // A call that takes the number of the one that passes has ended it.
      if (live === undefined || (live === slot && held.length === 0)) {
        live = slot
        return [begun]
      }
      hold(id + name)
      if (live === slot) live = ENDED
      held.push({ slot, events: [begun] })
      return []
    },

    input(slot, json) {
      if (slot === live) return [{ type: 'input', json }]
      const call = held.findLast((entry) => entry.slot === slot)
      if (!call) return []
      hold(json)
      call.events.push({ type: 'input', json })
      return []
    },

    rest: () => held.splice(0).flatMap(({ events }) => events),
    count: () => count,
    hasCalls: () => count > 0,
  }
}
