/** The books of all agents, one `auth-profiles.json` each. Reading changes nothing; what cannot be read is not written over. */

import type { StoreFault } from '../domain/fault.ts'
import type { TokenMark } from '../domain/grant.ts'
import { markOf } from '../domain/grant.ts'
import type { AgentId } from '../domain/names.ts'
import { parseAgentId } from '../domain/names.ts'
import type { Clock, ProfileStore, Restored } from '../domain/ports.ts'
import type { Profile, ProfileBook } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { fileStamp } from '../domain/time.ts'
import type { ProfileFile } from '../wire/profile-file.ts'
import {
  NO_PROFILE_FILE,
  parseProfileFile,
  profilesNamedIn,
  renderProfileFile,
  sameBook,
} from '../wire/profile-file.ts'
import type { Files } from './files.ts'
import { previousPathOf } from './files.ts'
import type { Home } from './home.ts'
import type { Locks } from './lock.ts'

interface Deps {
  readonly home: Home
  readonly locks: Locks
  readonly files: Files
  readonly clock: Clock
}

/** A book's file as it was read: its text and version are absent when there is none. */
interface Loaded {
  readonly file: ProfileFile
  readonly text?: string
  readonly version?: string
}

type Change<T, F> = (book: ProfileBook) => Promise<Result<{ book: ProfileBook; value: T }, F>>

/** What a new login may add to a book, bytes. */
const PROBE_BYTES: number = 16 * 1024

export function createProfileStore(deps: Deps): ProfileStore {
  const { home, locks, files } = deps
  const lastRead = new Map<AgentId, Loaded>()

  async function underLock<T, F>(
    agent: AgentId,
    run: () => Promise<Result<T, F>>,
  ): Promise<Result<T, F | StoreFault>> {
    const real = await files.realPath(home.bookPath(agent))
    return real.ok ? locks.withLock(real.value, run) : real
  }

  return {
    path: (agent) => home.bookPath(agent),

    async read(agent) {
      const known = lastRead.get(agent)
      if (known) {
        const version = await files.version(home.bookPath(agent))
        if (version.ok && version.value === known.version) return ok(known.file)
      }
      const loaded = await load(deps, agent)
      if (!loaded.ok) return loaded
      lastRead.set(agent, loaded.value)
      return ok(loaded.value.file)
    },

    transact: <T, F>(agent: AgentId, change: Change<T, F>) =>
      underLock<T, F | StoreFault>(agent, async () => {
        const loaded = await load(deps, agent)
        if (!loaded.ok) return loaded
        const { file, text } = loaded.value
        const changed = await change(file.book)
        if (!changed.ok) return changed
        const { book, value } = changed.value
        if (sameBook(file.book, book)) return ok(value)
        const rendered = renderProfileFile(file, book)
        const previous = forgets(file.book, book) ? rendered : text
        const saved = await files.replace(home.bookPath(agent), rendered, previous)
        return saved.ok ? ok(value) : saved
      }),

    async probe(agent) {
      const path = home.bookPath(agent)
      const read = await files.read(path)
      if (!read.ok) return read
      // A save writes the book and its previous generation.
      return files.probe(path, 2 * (read.value?.text.length ?? 0) + PROBE_BYTES)
    },

    restorePrevious: (agent) => underLock(agent, () => restorePrevious(deps, agent)),

    async keepCopy(agent, ending) {
      const real = await files.realPath(home.bookPath(agent))
      if (!real.ok) return real
      const version = await files.version(real.value)
      if (!version.ok || version.value === undefined) return version
      const copy = `${real.value}.${ending}`
      const copied = await files.copy(real.value, copy)
      return copied.ok ? ok(copy) : copied
    },

    async agents() {
      const names = await files.list(home.agentsDir)
      if (!names.ok) return []
      return names.value.filter((name): name is AgentId => parseAgentId(name) === name)
    },
  }
}

/**
 * A login was removed, another was put in its place, or its refresh token was changed for the next one: the old one must
 * not live on in the previous generation. Put back, a token that has served can only fail, or end the whole login.
 */
function forgets(before: ProfileBook, after: ProfileBook): boolean {
  return [...before.profiles.values()].some((profile) => {
    const next = after.profiles.get(profile.id)
    if (!next) return true
    const old = refreshMarkOf(profile)
    return old !== undefined && old !== refreshMarkOf(next)
  })
}

/** Undefined for what no renewal changes. */
function refreshMarkOf({ credential }: Profile): TokenMark | undefined {
  return credential.type === 'oauth' && credential.refresh ? markOf(credential.refresh) : undefined
}

async function load({ home, files }: Deps, agent: AgentId): Promise<Result<Loaded, StoreFault>> {
  const path = home.bookPath(agent)
  const read = await files.read(path)
  if (!read.ok) return read
  if (!read.value) return ok({ file: NO_PROFILE_FILE })
  const parsed = parseProfileFile(read.value.text)
  if (parsed.ok) return ok({ file: parsed.value, ...read.value })
  if (parsed.fault.code === 'EQ_STORE_NEWER') return fail({ ...parsed.fault, path })
  const previous = await goodPrevious(files, path)
  return fail({
    ...parsed.fault,
    path,
    ...(previous && { previous: previous.path, agent }),
  })
}

/** The previous generation of a book's file, when there is one and it can be read. */
async function goodPrevious(
  files: Files,
  path: string,
): Promise<{ readonly path: string; readonly text: string } | undefined> {
  const real = await files.realPath(path)
  if (!real.ok) return undefined
  const previousPath = previousPathOf(real.value)
  const read = await files.read(previousPath)
  if (!read.ok || !read.value || !parseProfileFile(read.value.text).ok) return undefined
  return { path: previousPath, text: read.value.text }
}

async function restorePrevious(deps: Deps, agent: AgentId): Promise<Result<Restored, StoreFault>> {
  const { home, files, clock } = deps
  const loaded = await load(deps, agent)
  if (!loaded.ok && !isBadContent(loaded.fault)) return loaded
  const path = home.bookPath(agent)
  const previous = await goodPrevious(files, path)
  if (!previous) return fail({ code: 'EQ_STORE_NO_PREVIOUS', path })
  const real = await files.realPath(path)
  if (!real.ok) return real
  const setAside = `${real.value}.broken-${fileStamp(clock.now())}`
  // Copied, not renamed: a crash between two steps must not leave a place where a book of no logins could start.
  const copied = await files.copy(real.value, setAside)
  if (!copied.ok) return copied
  const broken = await files.read(setAside)
  const kept = parseProfileFile(previous.text)
  const restored = await files.replace(path, previous.text)
  if (!restored.ok) return restored
  const named = broken.ok && broken.value ? profilesNamedIn(broken.value.text) : []
  const lost = named.filter((id) => !(kept.ok && kept.value.book.profiles.has(id)))
  return ok({ setAside, lost })
}

function isBadContent(fault: StoreFault): boolean {
  return fault.code === 'EQ_STORE_SYNTAX' || fault.code === 'EQ_STORE_FIELD'
}
