/**
 * What use has taught about credentials, one `auth-state.json` per agent.
 *
 * Changes are gathered and written about once a second, since a busy gateway learns something with every request. Who
 * reads here sees them at once.
 */

import type { AgentState } from '../domain/cooldown.ts'
import { EMPTY_STATE } from '../domain/cooldown.ts'
import type { StoreFault } from '../domain/fault.ts'
import type { AgentId } from '../domain/names.ts'
import type { Clock, StateStore } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { SECOND_MS } from '../domain/time.ts'
import { parseStateFile, renderStateFile } from '../wire/state-file.ts'
import type { Files } from './files.ts'
import type { Home } from './home.ts'
import type { Locks } from './lock.ts'

type Change = (state: AgentState) => AgentState

interface Deps {
  readonly home: Home
  readonly locks: Locks
  readonly files: Files
  readonly clock: Clock
}

const SPACING_MS: number = SECOND_MS
/** While the disk refuses, older changes than these are forgotten. */
const MOST_PENDING = 20_000

export function createStateStore(deps: Deps): StateStore {
  const writers = new Map<AgentId, StateWriter>()

  function writerOf(agent: AgentId): StateWriter {
    const writer = writers.get(agent) ?? createStateWriter(deps, agent)
    writers.set(agent, writer)
    return writer
  }

  return {
    read: (agent) => writerOf(agent).read(),
    update: (agent, change) => writerOf(agent).update(change),
    async flush() {
      const outcomes = await Promise.all([...writers.values()].map((writer) => writer.flush()))
      return outcomes.find((saved) => !saved.ok) ?? ok()
    },
  }
}

/** The state of one agent and the changes that are on their way to its file. */
interface StateWriter {
  read(): Promise<AgentState>
  update(change: Change): void
  flush(): Promise<Result<void, StoreFault>>
}

function createStateWriter(deps: Deps, agent: AgentId): StateWriter {
  const { home, locks, files, clock } = deps
  const path = home.statePath(agent)
  const load = createStateReader(files, path)
  /** In order; the first `saving.count` of them are being written. */
  let changes: Change[] = []
  /** What is being written, from before the file can show it until it is known to be there. */
  let saving: { readonly state: AgentState; readonly count: number } | undefined
  /** How many saves have begun or ended: a read that spans one starts again. */
  let saves = 0
  let writing: Promise<Result<void, StoreFault>> | undefined
  let nextWriteAt = 0
  let hurry = new AbortController()

  async function writeAll(): Promise<Result<void, StoreFault>> {
    try {
      let saved: Result<void, StoreFault> = ok()
      while (saved.ok && changes.length > 0) {
        // A clock that was set back must not put the write off for as long.
        const waitMs = Math.min(SPACING_MS, nextWriteAt - clock.now())
        await (waitMs > 0 ? clock.sleep(waitMs, hurry.signal) : Promise.resolve())
        const real = await files.realPath(path)
        saved = real.ok ? await locks.withLock(real.value, save) : real
        nextWriteAt = clock.now() + SPACING_MS
      }
      return saved
    } finally {
      writing = undefined
    }
  }

  async function save(): Promise<Result<void, StoreFault>> {
    const before = await load()
    saving = { state: applied(changes, before), count: changes.length }
    saves += 1
    const replaced = await files.write(path, renderStateFile(saving.state))
    if (replaced.ok) changes = changes.slice(saving.count)
    saving = undefined
    saves += 1
    return replaced
  }

  /** A busy gateway reads far more often than it writes: each change is applied once to what is on disk. */
  let seen:
    | { base: AgentState; from: readonly Change[]; count: number; state: AgentState }
    | undefined
  function withChanges(base: AgentState): AgentState {
    const known = seen?.base === base && seen.from === changes ? seen : undefined
    const state = applied(changes.slice(known?.count ?? 0), known?.state ?? base)
    seen = { base, from: changes, count: changes.length, state }
    return state
  }

  return {
    async read() {
      for (;;) {
        if (saving) return applied(changes.slice(saving.count), saving.state)
        const begun = saves
        const state = await load()
        if (begun === saves) return withChanges(state)
      }
    },

    update(change) {
      changes.push(change)
      // Dropping from the front while a save counts on it would drop the wrong ones.
      if (!saving && changes.length > MOST_PENDING) changes = changes.slice(-MOST_PENDING)
      writing ??= writeAll()
    },

    async flush() {
      if (changes.length === 0) return ok()
      hurry.abort()
      const saved = await (writing ??= writeAll())
      hurry = new AbortController()
      return saved
    },
  }
}

/** Reads a state, again only when its file has changed. */
function createStateReader(files: Files, path: string): () => Promise<AgentState> {
  let last: { readonly version: string; readonly state: AgentState } | undefined
  return async () => {
    const version = await files.version(path)
    if (last && version.ok && version.value === last.version) return last.state
    const read = await files.read(path)
    if (!read.ok || !read.value) return EMPTY_STATE
    last = { version: read.value.version, state: parseStateFile(read.value.text) }
    return last.state
  }
}

function applied(changes: readonly Change[], state: AgentState): AgentState {
  return changes.reduce((before, change) => change(before), state)
}
