/** Stores and readers that keep everything in memory. */

import type { TranscriptEntry } from '../domain/chat.ts'
import type { AgentState } from '../domain/cooldown.ts'
import { EMPTY_STATE } from '../domain/cooldown.ts'
import type { ConfigFault, StoreFault } from '../domain/fault.ts'
import type { AgentId, SessionId } from '../domain/names.ts'
import { MAIN_AGENT, parseAgentId } from '../domain/names.ts'
import { isRecord } from '../domain/plain-data.ts'
import type {
  EnvironmentReader,
  LoadedSettings,
  ProfileStore,
  SessionHead,
  SessionStore,
  SettingsEdit,
  SettingsStore,
  StateStore,
} from '../domain/ports.ts'
import type { ProfileBook } from '../domain/profile.ts'
import { EMPTY_BOOK } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'
import type { Settings } from '../domain/settings.ts'
import { DEFAULT_SETTINGS } from '../domain/settings.ts'
import type { Variable } from '../domain/world.ts'

export interface MemoryProfileStore extends ProfileStore {
  /** The book as it is "on disk". */
  book(agent?: AgentId): ProfileBook
  /** Copies that were kept, by path. */
  copies(): ReadonlyMap<string, ProfileBook>
  /** How many times a changed book was saved. */
  saves(): number
  /** Makes the agent's book unreadable with this fault, until `restorePrevious`. */
  damage(agent: AgentId, fault: StoreFault): void
}

export function memoryProfileStore(
  books: Readonly<Record<string, ProfileBook>> = {},
): MemoryProfileStore {
  const kept = new Map<string, ProfileBook>(Object.entries(books))
  const damages = new Map<string, StoreFault>()
  const copies = new Map<string, ProfileBook>()
  const queues = new Map<string, Promise<unknown>>()
  let saves = 0
  const path = (agent: AgentId): string => `/state/agents/${agent}/agent/auth-profiles.json`
  const load = (agent: AgentId): Result<ProfileBook, StoreFault> => {
    const damage = damages.get(agent)
    return damage ? fail(damage) : ok(kept.get(agent) ?? EMPTY_BOOK)
  }
  return {
    async read(agent) {
      const book = load(agent)
      return book.ok ? ok({ book: book.value, problems: [], legacyState: EMPTY_STATE }) : book
    },
    transact(agent, change) {
      const run = async () => {
        const before = load(agent)
        if (!before.ok) return before
        const changed = await change(before.value)
        if (!changed.ok) return changed
        if (changed.value.book !== before.value) {
          kept.set(agent, changed.value.book)
          saves += 1
        }
        return ok(changed.value.value)
      }
      const result = (queues.get(agent) ?? Promise.resolve()).then(run)
      queues.set(
        agent,
        result.catch(() => undefined),
      )
      return result
    },
    async probe(agent) {
      const book = load(agent)
      return book.ok ? ok() : book
    },
    async restorePrevious(agent) {
      if (!kept.has(agent)) return fail({ code: 'EQ_STORE_NO_PREVIOUS', path: path(agent) })
      damages.delete(agent)
      return ok({ setAside: `${path(agent)}.damaged`, lost: [] })
    },
    async keepCopy(agent, ending) {
      const book = kept.get(agent)
      if (!book) return ok(undefined)
      copies.set(`${path(agent)}.${ending}`, book)
      return ok(`${path(agent)}.${ending}`)
    },
    path,
    agents: async () => [...kept.keys()].flatMap((id) => parseAgentId(id) ?? []),
    book: (agent = MAIN_AGENT) => kept.get(agent) ?? EMPTY_BOOK,
    copies: () => copies,
    saves: () => saves,
    damage: (agent, fault) => void damages.set(agent, fault),
  }
}

export interface MemoryStateStore extends StateStore {
  state(agent?: AgentId): AgentState
}

/** Applies every update at once. */
export function memoryStateStore(
  states: Readonly<Record<string, AgentState>> = {},
): MemoryStateStore {
  const kept = new Map<string, AgentState>(Object.entries(states))
  const state = (agent: AgentId = MAIN_AGENT): AgentState => kept.get(agent) ?? EMPTY_STATE
  return {
    state,
    read: async (agent) => state(agent),
    update: (agent, change) => void kept.set(agent, change(state(agent))),
    flush: async () => ok(),
  }
}

export interface MemorySettings {
  /** The file as plain data; edits are applied to it. */
  readonly raw?: Readonly<Record<string, unknown>>
  /** What the data means; without it the settings are `settings` whatever the data says. */
  readonly decode?: (raw: Readonly<Record<string, unknown>>) => Result<Settings, ConfigFault>
  readonly settings?: Settings
}

export interface MemorySettingsStore extends SettingsStore {
  raw(): Readonly<Record<string, unknown>>
}

/** A settings file in memory. An edit whose outcome does not decode changes nothing. */
export function memorySettingsStore(initial: MemorySettings = {}): MemorySettingsStore {
  const path = '/state/equabot.json'
  const decode = initial.decode ?? (() => ok(initial.settings ?? DEFAULT_SETTINGS))
  let raw = initial.raw ?? {}
  let exists = initial.raw !== undefined
  const load = (data: typeof raw): Result<LoadedSettings, ConfigFault> => {
    const settings = decode(data)
    return settings.ok
      ? ok({ settings: settings.value, path, exists, migrated: [], raw: data })
      : settings
  }
  return {
    read: async () => load(raw),
    async edit(edits) {
      const before = load(raw)
      if (!before.ok) return before
      const changes = edits(before.value)
      if (changes.length === 0) return before
      const after = load(changes.reduce(applyEdit, raw))
      if (!after.ok) return after
      raw = after.value.raw
      exists = true
      return ok({ ...after.value, exists })
    },
    path: () => path,
    raw: () => raw,
  }
}

function applyEdit(
  data: Readonly<Record<string, unknown>>,
  { path, value }: SettingsEdit,
): Readonly<Record<string, unknown>> {
  const [key, ...rest] = path
  if (key === undefined) return data
  const inner = data[key]
  const next =
    rest.length === 0 ? value : applyEdit(isRecord(inner) ? inner : {}, { path: rest, value })
  if (next !== undefined) return { ...data, [key]: next }
  return Object.fromEntries(Object.entries(data).filter(([name]) => name !== key))
}

/** Variables of this process, as given; those of config come after them. */
export function memoryEnvironment(
  values: Readonly<Record<string, string>> = {},
): EnvironmentReader {
  return {
    async read(settings, names) {
      const found = new Map<string, Variable>()
      for (const name of names) {
        const own = values[name]?.trim()
        const configured = settings.vars.get(name)?.trim()
        if (own) found.set(name, { value: new Secret(own), from: { kind: 'process' } })
        else if (configured) {
          const from = { kind: 'config' as const, field: `env.vars.${name}` }
          found.set(name, { value: new Secret(configured), from })
        }
      }
      return ok(found)
    },
  }
}

export function memorySessionStore(heads: readonly SessionHead[] = []): SessionStore {
  const key = (agent: AgentId, id: SessionId): string => `${agent}/${id}`
  const kept = new Map(heads.map((head) => [key(head.agent, head.id), head]))
  const transcripts = new Map<string, readonly TranscriptEntry[]>()
  return {
    list: async (agent) =>
      ok({ heads: [...kept.values()].filter((head) => head.agent === agent), unreadable: [] }),
    read: async (agent, id) => ok(kept.get(key(agent, id))),
    async update(agent, id, change, said = []) {
      kept.set(key(agent, id), change(kept.get(key(agent, id))))
      transcripts.set(key(agent, id), [...(transcripts.get(key(agent, id)) ?? []), ...said])
      return ok()
    },
    transcript: async (agent, id) => ok(transcripts.get(key(agent, id)) ?? []),
    async remove(agent, id) {
      transcripts.delete(key(agent, id))
      return ok(kept.delete(key(agent, id)))
    },
  }
}
