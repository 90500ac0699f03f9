/** The beginning of a session. */

import type { AgentId, SessionId } from './names.ts'
import type { SessionHead } from './ports.ts'
import type { EpochMs } from './time.ts'

/** A session in which nothing has happened yet. */
export function newSession(agent: AgentId, id: SessionId, now: EpochMs): SessionHead {
  return { id, agent, createdAt: now, updatedAt: now, turns: 0 }
}
