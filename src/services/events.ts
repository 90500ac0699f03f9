/** The one bus on which happenings are told. Keeps the last of them, so that a reader who was away can catch up. */

import type { EquabotEvent, Publish } from '../domain/event.ts'
import { EVENT_LEVELS } from '../domain/event.ts'
import type { Clock, Log } from '../domain/ports.ts'

export interface Events {
  /** Tells this run of the program from every other; `seq` counts within it. */
  readonly run: string
  readonly publish: Publish
  /** Hears every event from now on, before `publish` returns. Gives what ends it. */
  subscribe(listener: (event: EquabotEvent) => void): () => void
  /** What happened after `seq`, oldest first; `lost` counts what is not kept any more. */
  since(seq: number): { readonly events: readonly EquabotEvent[]; readonly lost: number }
  /** The `seq` of the latest event; 0: nothing has happened yet. */
  latest(): number
}

/** So many of the last events are kept. */
export const KEPT_EVENTS = 1_000

/** @param deps.random from 0 to 1 */
export function createEvents(deps: {
  readonly clock: Clock
  readonly random: () => number
}): Events {
  const listeners = new Set<(event: EquabotEvent) => void>()
  const kept: EquabotEvent[] = []
  let seq = 0

  function tell(listener: (event: EquabotEvent) => void, event: EquabotEvent): void {
    try {
      listener(event)
    } catch {
      // A bug of the listener must not cost whoever published, such as a request.
      listeners.delete(listener)
    }
  }

  return {
    run: Math.floor(deps.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),

    publish(happening) {
      seq += 1
      const event = { ...happening, seq, when: deps.clock.now() }
      kept.push(event)
      if (kept.length > KEPT_EVENTS) kept.shift()
      for (const listener of listeners) tell(listener, event)
    },

    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    since(after) {
      const oldest = seq - kept.length
      return {
        events: kept.slice(Math.max(0, after - oldest)),
        lost: Math.max(0, oldest - Math.max(0, after)),
      }
    },

    latest: () => seq,
  }
}

/** One line of the log for each event. */
export function logEvents(events: Pick<Events, 'subscribe'>, log: Log): void {
  events.subscribe(({ kind, when: _when, ...fields }) => {
    log.write(EVENT_LEVELS[kind], kind, fields)
  })
}
