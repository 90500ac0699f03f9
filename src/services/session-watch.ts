/** A session store that tells when a session is pinned or unpinned, whoever does it. */

import type { Publish } from '../domain/event.ts'
import type { SessionHead, SessionStore } from '../domain/ports.ts'

export function watchedSessions(sessions: SessionStore, publish: Publish): SessionStore {
  return {
    ...sessions,
    async update(agent, id, change, said) {
      let before: SessionHead | undefined
      let after: SessionHead | undefined
      const updated = await sessions.update(
        agent,
        id,
        (head) => {
          before = head
          after = change(head)
          return after
        },
        said,
      )
      if (updated.ok && after) tellPin(before, after, publish)
      return updated
    },
  }
}

function tellPin(before: SessionHead | undefined, after: SessionHead, publish: Publish): void {
  const { agent, id: session, pin } = after
  if (before?.pin?.profile === pin?.profile && before?.pin?.source === pin?.source) return
  if (pin) {
    const { profile, source } = pin
    publish({ kind: 'session.pinned', agent, session, profile, source })
  } else if (before?.pin) {
    publish({ kind: 'session.unpinned', agent, session, profile: before.pin.profile })
  }
}
