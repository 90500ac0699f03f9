/** Remembers of each session when it was last somebody else who paid. Lives as long as the process does. */

import type { Crossing } from '../domain/event.ts'
import type { AgentId, SessionId } from '../domain/names.ts'
import type { Events } from './events.ts'

export interface Crossings {
  last(agent: AgentId, session: SessionId): Crossing | undefined
}

/** Sessions come and go; of so many the last crossing is remembered. */
const REMEMBERED_SESSIONS = 1_000

export function createCrossings(events: Pick<Events, 'subscribe'>): Crossings {
  const bySession = new Map<string, Crossing>()

  events.subscribe((event) => {
    if (event.kind !== 'lane.crossed' || event.session === undefined) return
    const key = keyOf(event.agent, event.session)
    const { when, from, to } = event
    // The map keeps the order of insertion: the session that crossed longest ago goes first.
    bySession.delete(key)
    bySession.set(key, { when, from, to })
    const [oldest] = bySession.keys()
    if (bySession.size > REMEMBERED_SESSIONS && oldest !== undefined) bySession.delete(oldest)
  })

  return { last: (agent, session) => bySession.get(keyOf(agent, session)) }
}

function keyOf(agent: AgentId, session: SessionId): string {
  return `${agent}/${session}`
}
