/** Conversations on disk: `<id>.json` says what a session is, `<id>.jsonl` what was said in it. */

import { createHash } from 'node:crypto'
import { join } from 'node:path'

import type { StoreFault } from '../domain/fault.ts'
import type { AgentId, SessionId } from '../domain/names.ts'
import { parseSessionId } from '../domain/names.ts'
import type { SessionHead, SessionStore } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import {
  parseSessionHead,
  parseTranscript,
  renderSessionHead,
  renderTranscriptLines,
} from '../wire/session-file.ts'
import type { Files } from './files.ts'
import type { Home } from './home.ts'
import type { Locks } from './lock.ts'

const MAX_TRANSCRIPT_BYTES: number = 256 * 1024 * 1024

export function createSessionStore(deps: {
  readonly home: Home
  readonly locks: Locks
  readonly files: Files
}): SessionStore {
  const { home, locks, files } = deps
  const headPath = (agent: AgentId, id: SessionId): string =>
    join(home.sessionsDir(agent), `${id}.json`)
  const transcriptPath = (agent: AgentId, id: SessionId): string =>
    join(home.sessionsDir(agent), `${id}.jsonl`)

  async function read(
    agent: AgentId,
    id: SessionId,
  ): Promise<Result<SessionHead | undefined, StoreFault>> {
    const path = headPath(agent, id)
    const text = await files.read(path)
    if (!text.ok) return text
    if (!text.value) return ok(undefined)
    const head = parseSessionHead(text.value.text, agent, id)
    if (head.ok) return head
    return 'line' in head.fault
      ? fail({ code: 'EQ_STORE_SYNTAX', path, ...head.fault })
      : fail({ code: 'EQ_STORE_FIELD', path, ...head.fault })
  }

  return {
    read,

    async list(agent) {
      const names = await files.list(home.sessionsDir(agent))
      if (!names.ok) return names
      const heads: SessionHead[] = []
      const unreadable: StoreFault[] = []
      for (const name of names.value) {
        const id = name.endsWith('.json') ? parseSessionId(name.slice(0, -5)) : undefined
        const head = id && (await read(agent, id))
        if (head && !head.ok) unreadable.push(head.fault)
        if (head?.ok && head.value) heads.push(head.value)
      }
      return ok({ heads: heads.toSorted((a, b) => b.updatedAt - a.updatedAt), unreadable })
    },

    update: (agent, id, change, said = []) =>
      locks.withLock(lockName(agent, id), async () => {
        const head = await read(agent, id)
        if (!head.ok) return head
        const lines = renderTranscriptLines(said)
        const appended = lines === '' ? ok() : await files.append(transcriptPath(agent, id), lines)
        if (!appended.ok) return appended
        return files.write(headPath(agent, id), renderSessionHead(change(head.value)))
      }),

    async transcript(agent, id) {
      const read = await files.read(transcriptPath(agent, id), MAX_TRANSCRIPT_BYTES)
      return read.ok ? ok(parseTranscript(read.value?.text ?? '')) : read
    },

    remove: (agent, id) =>
      locks.withLock(lockName(agent, id), async () => {
        const transcript = await files.remove(transcriptPath(agent, id))
        if (!transcript.ok) return transcript
        const head = await files.remove(headPath(agent, id))
        return head.ok ? ok(head.value || transcript.value) : head
      }),
  }
}

/** Sessions share sixteen locks: a lock file is never deleted, and sessions come and go. */
function lockName(agent: AgentId, id: SessionId): string {
  const digest = createHash('sha256').update(`${agent}/${id}`).digest('hex')
  return `session-${digest.slice(0, 1)}`
}
