/**
 * Looking through the state folder, and the changes that doctor may make there.
 *
 * Only what Equabot itself makes is looked at or changed: others may keep in that folder whatever they please. No link is
 * followed into or out of the folder. Each change looks again at what it changes: what is not this user's, or not what it
 * was, is left alone.
 */

import { constants } from 'node:fs'
import type { Stats } from 'node:fs'
import {
  access,
  chmod,
  lstat,
  open,
  readdir,
  realpath,
  rmdir,
  statfs,
  unlink,
} from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'

import type { StoreFault } from '../domain/fault.ts'
import type {
  FileSystemKind,
  SeenEntry,
  StateInspection,
  StateSight,
} from '../domain/inspection.ts'
import type { Clock } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { isOwnStray, ownPlace } from '../domain/state-places.ts'
import { HOUR_MS } from '../domain/time.ts'
import type { Files } from './files.ts'
import { errnoOf } from './files.ts'
import type { Home } from './home.ts'

export interface StateInspectionDeps {
  readonly home: Pick<Home, 'userDir' | 'stateDir' | 'configPath' | 'envFilePath'>
  readonly files: Pick<Files, 'copy' | 'realPath'>
  readonly clock: Clock
  /** Entries that are looked at; more are left out. */
  readonly maxEntries?: number
}

const MAX_ENTRIES = 20_000
/** Folders that may hold very many files, and few secrets: looked into last. */
const CROWDED: readonly string[] = ['sessions', 'logs', 'locks']
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

export function createStateInspection(deps: StateInspectionDeps): StateInspection {
  const { home, files, clock } = deps
  const root = home.stateDir
  return {
    async look() {
      const seen = await reading(root, () => look(deps))
      const [first] = seen.ok ? seen.value.entries : []
      return first && first.kind !== 'folder'
        ? fail({ code: 'EQ_STORE_UNREADABLE', path: root, errno: 'ENOTDIR' })
        : seen
    },

    keepToOwner: (path) =>
      changing(path, async () => {
        const below = await placeBelow(home, path)
        const place = below === undefined ? undefined : ownPlace(below)
        return place ? keepToOwner(path === root ? await realpath(path) : path, place) : 'not_ours'
      }),

    removeStray: (path) =>
      changing(path, async () => {
        const below = await placeBelow(home, path)
        if (below === undefined || !isOwnStray(below)) return 'not_ours'
        const facts = await lstat(path)
        if (!isOurs(facts)) return 'other_owner'
        if (!facts.isFile() || clock.now() - facts.mtimeMs <= HOUR_MS) return 'not_a_file'
        await unlink(path)
        return undefined
      }),

    removeJournal: (path) =>
      changing(path, async () => {
        const below = await placeBelow(home, path)
        const isJournal = below?.startsWith('grants/') && ownPlace(below) === 'folder'
        return isJournal ? removeJournal(path) : 'not_ours'
      }),

    async backUp(path) {
      const real = await files.realPath(path)
      if (!real.ok) return real
      const time = new Date(clock.now()).toISOString().replaceAll(':', '-')
      const copy = `${real.value}.before-doctor-${time}`
      const copied = await files.copy(real.value, copy)
      if (copied.ok) return ok(copy)
      return 'errno' in copied.fault && copied.fault.errno === 'ENOENT' ? ok(undefined) : copied
    },
  }
}

type Hazard = Extract<StoreFault, { code: 'EQ_STORE_UNSAFE' }>['problem']

/** Where a path lies below the state folder, `/` between its parts; undefined where nothing may be changed. */
async function placeBelow(
  home: StateInspectionDeps['home'],
  path: string,
): Promise<string | undefined> {
  const root = home.stateDir
  const realRoot = await realpath(root)
  if (await isShared(realRoot, home.userDir)) return undefined
  if (path === root) return ''
  const below = relative(root, path)
  // No folder on the way may be a link, wherever it leads.
  const isThere = (await realpath(dirname(path))) === dirname(join(realRoot, below))
  return isThere ? below.split(sep).join('/') : undefined
}

/** Whether a folder is the user's home or holds it: what lies there is not told from what others keep there. */
async function isShared(realRoot: string, userDir: string | undefined): Promise<boolean> {
  if (dirname(realRoot) === realRoot) return true
  if (userDir === undefined) return false
  const realHome = await realpath(userDir).catch(() => userDir)
  return realHome === realRoot || realHome.startsWith(realRoot + sep)
}

/** @returns the hazard for which nothing was changed */
async function keepToOwner(path: string, place: 'folder' | 'file'): Promise<Hazard | undefined> {
  const facts = await lstat(path)
  const hazard = hazardOf(facts, place)
  if (hazard) return hazard
  // What its owner may not open is changed by its name; all else by what was opened, which no link can stand in for.
  if ((facts.mode & 0o400) === 0) {
    await chmod(path, modeFor(facts))
    return undefined
  }
  const kind = facts.isDirectory() ? O_DIRECTORY : O_NONBLOCK
  const file = await open(path, O_RDONLY | O_NOFOLLOW | kind)
  try {
    const opened = await file.stat()
    const changed = hazardOf(opened, place)
    if (changed) return changed
    await file.chmod(modeFor(opened))
  } finally {
    await file.close()
  }
  return undefined
}

function hazardOf(facts: Stats, place: 'folder' | 'file'): Hazard | undefined {
  if (facts.isSymbolicLink()) return 'symlink'
  if (place === 'folder' ? !facts.isDirectory() : !facts.isFile()) return 'not_a_file'
  if (!isOurs(facts)) return 'other_owner'
  // The mode belongs to all names of a file, and another one may be somebody else's business.
  return place === 'file' && facts.nlink > 1 ? 'hard_links' : undefined
}

/** The owner keeps what they may do. */
function modeFor(facts: Stats): number {
  return (facts.mode & 0o700) | (facts.isDirectory() ? 0o700 : 0o600)
}

async function removeJournal(path: string): Promise<Hazard | undefined> {
  const facts = await lstat(path)
  if (!facts.isDirectory()) return 'not_a_file'
  if (!isOurs(facts)) return 'other_owner'
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) return 'not_a_file'
    await unlink(join(path, entry.name))
  }
  await rmdir(path)
  return undefined
}

async function look({ home, maxEntries = MAX_ENTRIES }: StateInspectionDeps): Promise<StateSight> {
  const root = home.stateDir
  const places = { root, settingsPath: home.configPath, envPath: home.envFilePath }
  const realRoot = await realpath(root).catch(ifAbsent)
  if (realRoot === undefined) {
    const above = await existingAbove(root)
    const disk = await diskOf(above)
    const unwritable = await whyUnwritable(above)
    const nothing = { exists: false, isShared: false, entries: [], cut: false, unlistable: [] }
    return {
      ...places,
      realRoot: root,
      ...nothing,
      ...(unwritable !== undefined && { unwritable }),
      ...disk,
    }
  }
  const unwritable = await whyUnwritable(realRoot)
  const seen = {
    ...places,
    realRoot,
    exists: true,
    ...(unwritable !== undefined && { unwritable }),
    ...(await diskOf(realRoot)),
  }
  if (await isShared(realRoot, home.userDir))
    return { ...seen, isShared: true, entries: [], cut: false, unlistable: [] }
  const first = await entryOf(root, await lstat(realRoot))
  const walked = await walk(root, maxEntries)
  return { ...seen, isShared: false, ...walked, entries: [first, ...walked.entries] }
}

/** Undefined: files can be made in it. */
function whyUnwritable(folder: string): Promise<string | undefined> {
  return access(folder, constants.W_OK | constants.X_OK).then(() => undefined, errnoOf)
}

/** What Equabot makes below its state folder, crowded folders last. */
async function walk(
  root: string,
  maxEntries: number,
): Promise<Pick<StateSight, 'entries' | 'cut' | 'unlistable'>> {
  const entries: SeenEntry[] = []
  const unlistable: { path: string; errno: string }[] = []
  const first = [root]
  const last: string[] = []
  for (let folder = first.shift(); folder !== undefined; folder = first.shift() ?? last.shift()) {
    const names = await readdir(folder).catch((cause: unknown) => errnoOf(cause))
    if (typeof names === 'string') {
      if (names !== 'ENOENT') unlistable.push({ path: folder, errno: names })
      continue
    }
    const places = names.flatMap((name) => {
      const path = join(folder, name)
      const place = ownPlace(relative(root, path).split(sep).join('/'))
      return place ? [{ path, place }] : []
    })
    const room = maxEntries - entries.length
    const seen = await Promise.all(places.slice(0, room).map(entryAt))
    for (const entry of seen) {
      if (!entry) continue
      entries.push(entry)
      const isCrowded = CROWDED.includes(basename(entry.path))
      if (entry.kind === 'folder') (isCrowded ? last : first).push(entry.path)
    }
    if (places.length > room) return { entries, cut: true, unlistable }
  }
  return { entries, cut: false, unlistable }
}

async function entryAt({
  path,
  place,
}: {
  readonly path: string
  readonly place: 'folder' | 'file'
}): Promise<SeenEntry | undefined> {
  // It is gone by now, or its folder is closed, which is told of the folder.
  const facts = await lstat(path).catch(() => undefined)
  const isOther = place === 'folder' ? facts?.isFile() : facts?.isDirectory()
  return facts && !isOther ? entryOf(path, facts) : undefined
}

async function entryOf(path: string, facts: Stats): Promise<SeenEntry> {
  const leadsTo = facts.isSymbolicLink() ? await realpath(path).catch(() => undefined) : undefined
  return {
    path,
    kind: kindOf(facts),
    mode: facts.mode & 0o777,
    isOurs: isOurs(facts),
    links: facts.nlink,
    modifiedAt: Math.round(facts.mtimeMs),
    ...(leadsTo !== undefined && { leadsTo }),
  }
}

function kindOf(facts: Stats): SeenEntry['kind'] {
  if (facts.isFile()) return 'file'
  if (facts.isDirectory()) return 'folder'
  if (facts.isSymbolicLink()) return 'link'
  return facts.isSocket() ? 'socket' : 'other'
}

function isOurs(facts: Stats): boolean {
  return process.getuid === undefined || facts.uid === process.getuid()
}

async function existingAbove(path: string): Promise<string> {
  const facts = await lstat(path).catch(ifAbsent)
  return facts || dirname(path) === path ? path : existingAbove(dirname(path))
}

async function diskOf(path: string): Promise<Pick<StateSight, 'freeBytes' | 'fileSystem'>> {
  const facts = await statfs(path).catch(() => undefined)
  if (!facts) return {}
  const kind = process.platform === 'linux' ? LINUX_KINDS.get(facts.type >>> 0) : undefined
  return { freeBytes: facts.bavail * facts.bsize, ...(kind && { fileSystem: kind }) }
}

/** @source statfs(2), linux/magic.h */
const LINUX_KINDS: ReadonlyMap<number, FileSystemKind> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff534d42, 'smb'],
  [0xfe534d42, 'smb'],
  [0x65735546, 'fuse'],
  [0x01021997, '9p'],
  [0x794c7630, 'overlay'],
])

function ifAbsent(cause: unknown): undefined {
  if (errnoOf(cause) !== 'ENOENT') throw cause
}

async function reading<T>(path: string, run: () => Promise<T>): Promise<Result<T, StoreFault>> {
  try {
    return ok(await run())
  } catch (cause) {
    return fail({ code: 'EQ_STORE_UNREADABLE', path, errno: errnoOf(cause) })
  }
}

async function changing(
  path: string,
  run: () => Promise<Hazard | undefined>,
): Promise<Result<void, StoreFault>> {
  try {
    const problem = await run()
    return problem ? fail({ code: 'EQ_STORE_UNSAFE', path, problem }) : ok()
  } catch (cause) {
    return fail({ code: 'EQ_STORE_UNWRITABLE', path, errno: errnoOf(cause) })
  }
}
