/** Reading and writing the files of the state folder, with every trouble as a fault. Locking is the caller's part. */

import { constants } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import type { StoreFault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { makeFolder, placeFile, probeRoom, sweepBeside } from './durable-file.ts'
import type { FileFacts, FileSystem } from './file-system.ts'
import { nodeFileSystem } from './file-system.ts'

export interface Files {
  /**
   * The text of a file, with a mark of this version of it; undefined when there is no file.
   *
   * @faults `EQ_STORE_UNREADABLE` (`EFBIG`: larger than `maxBytes`), `EQ_STORE_UNSAFE` not a regular file
   */
  read(path: string, maxBytes?: number): Promise<Result<FileText | undefined, StoreFault>>
  /** The mark alone, which changes when the file does. */
  version(path: string): Promise<Result<string | undefined, StoreFault>>
  /**
   * Puts this text in the file's place, with mode 0600, making its folders with 0700.
   *
   * @param previous text that is kept as the previous generation, at `previousPathOf`
   * @faults `EQ_STORE_UNWRITABLE` the file is the old one, or the new one whole; `EQ_STORE_UNSAFE` a name that leads elsewhere
   */
  replace(path: string, text: string, previous?: string): Promise<Result<void, StoreFault>>
  /** `replace` for files that are ours alone: a link in the place is replaced, what it leads to is left alone. */
  write(path: string, text: string): Promise<Result<void, StoreFault>>
  /** Writes, forces to the disk and removes so many bytes beside a file: whether `replace` would find room and rights. */
  probe(path: string, bytes: number): Promise<Result<void, StoreFault>>
  /** Adds whole lines at the end. A last line that a crash left unfinished is closed first. Not forced to the disk. */
  append(path: string, lines: string): Promise<Result<void, StoreFault>>
  /** Copies the bytes to a new file, which is on the disk afterwards. */
  copy(from: string, to: string): Promise<Result<void, StoreFault>>
  /** Gives whether there was one. */
  remove(path: string): Promise<Result<boolean, StoreFault>>
  /** The names in a folder, sorted; none when there is no folder. */
  list(folder: string): Promise<Result<readonly string[], StoreFault>>
  /** The path behind all links: by it a file is locked, and its previous generation named. */
  realPath(path: string): Promise<Result<string, StoreFault>>
}

/** Where `replace` keeps the previous generation of a file. */
export function previousPathOf(realPath: string): string {
  return `${realPath}.prev`
}

export interface FileText {
  readonly text: string
  readonly version: string
}

const MAX_BYTES: number = 8 * 1024 * 1024
const NEWLINE = 0x0a
const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants

export function createFiles(system: FileSystem = nodeFileSystem): Files {
  const sweptPaths = new Set<string>()

  async function place(path: string, text: string, previous?: string): Promise<void> {
    await makeFolder(system, dirname(path))
    if (previous !== undefined) {
      await placeFile(system, previousPathOf(path), Buffer.from(previous))
    }
    await placeFile(system, path, Buffer.from(text))
    if (sweptPaths.has(path)) return
    sweptPaths.add(path)
    await sweepBeside(system, path)
  }

  return {
    async read(path, maxBytes = MAX_BYTES) {
      const read = await readBytes(system, path, maxBytes)
      if (!read.ok) return isAbsent(read.fault) ? ok(undefined) : read
      return ok({ text: read.value.bytes.toString('utf8'), version: read.value.version })
    },

    version: (path) =>
      reading(path, async () => {
        const facts = await factsIfAny(() => system.stat(path))
        return facts && versionOf(facts)
      }),

    async replace(path, text, previous) {
      const target = await targetOf(system, path)
      return target.ok ? writing(path, () => place(target.value, text, previous)) : target
    },

    async write(path, text) {
      const target = await ownTargetOf(system, path)
      return target.ok ? writing(path, () => place(path, text)) : target
    },

    async probe(path, bytes) {
      const target = await targetOf(system, path)
      return target.ok
        ? writing(path, async () => {
            await makeFolder(system, dirname(target.value))
            await probeRoom(system, target.value, bytes)
          })
        : target
    },

    append: (path, lines) => writing(path, () => appendLines(system, path, lines)),

    async copy(from, to) {
      const read = await readBytes(system, from, Infinity)
      return read.ok ? writing(to, () => placeFile(system, to, read.value.bytes)) : read
    },

    async remove(path) {
      const removed = await writing(path, () => system.unlink(path))
      if (removed.ok) return ok(true)
      return isAbsent(removed.fault) ? ok(false) : removed
    },

    async list(folder) {
      const names = await reading(folder, () => system.readdir(folder))
      if (names.ok) return ok(names.value.toSorted())
      return isAbsent(names.fault) ? ok([]) : names
    },

    realPath: (path) => reading(path, () => realPathOf(system, path)),
  }
}

/** Also of a file in folders that are yet to be made: it is by this path that everybody must lock it. */
async function realPathOf(system: FileSystem, path: string): Promise<string> {
  try {
    return await system.realpath(path)
  } catch (cause) {
    // A disk that fails for a moment must not give it another name.
    const folder = dirname(path)
    if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(cause))) throw cause
    return folder === path ? path : join(await realPathOf(system, folder), basename(path))
  }
}

/** The real file behind a name, safe to replace; the name itself when nothing is there yet. */
async function targetOf(system: FileSystem, path: string): Promise<Result<string, StoreFault>> {
  const unsafe = (problem: Hazard) => fail({ code: 'EQ_STORE_UNSAFE', path, problem } as const)
  try {
    const name = await factsIfAny(() => system.lstat(path))
    if (!name) return ok(path)
    if (name.kind !== 'link') {
      const hazard = hazardOf(name, 'other_owner')
      return hazard ? unsafe(hazard) : ok(path)
    }
    const target = await system.realpath(path)
    const hazard = hazardOf(await system.lstat(target), 'symlink')
    return hazard ? unsafe(hazard) : ok(target)
  } catch (cause) {
    // Only a link that leads nowhere ends here: a missing name was answered above.
    if (errnoOf(cause) === 'ENOENT') return unsafe('symlink')
    return fail({ code: 'EQ_STORE_UNWRITABLE', path, errno: errnoOf(cause) })
  }
}

/** Whether a name may be taken by a file of ours: nothing is there, a link, or a file of this user. */
async function ownTargetOf(system: FileSystem, path: string): Promise<Result<void, StoreFault>> {
  try {
    const name = await factsIfAny(() => system.lstat(path))
    const hazard = !name || name.kind === 'link' ? undefined : hazardOf(name, 'other_owner')
    return hazard ? fail({ code: 'EQ_STORE_UNSAFE', path, problem: hazard }) : ok()
  } catch (cause) {
    return fail({ code: 'EQ_STORE_UNWRITABLE', path, errno: errnoOf(cause) })
  }
}

type Hazard = Extract<StoreFault, { code: 'EQ_STORE_UNSAFE' }>['problem']

function hazardOf(facts: FileFacts, whenNotOurs: Hazard): Hazard | undefined {
  if (facts.kind !== 'file') return 'not_a_file'
  if (process.getuid !== undefined && facts.owner !== process.getuid()) return whenNotOurs
  // A rename would part the names, and each would go on with its own copy of a login.
  return facts.links > 1 ? 'hard_links' : undefined
}

async function readBytes(
  system: FileSystem,
  path: string,
  maxBytes: number,
): Promise<Result<{ readonly bytes: Buffer; readonly version: string }, StoreFault>> {
  const read = await reading(path, async () => {
    // Without O_NONBLOCK a pipe at this name would hold us until somebody writes to it.
    const file = await system.open(path, O_RDONLY | O_NONBLOCK)
    try {
      const facts = await file.stat()
      const isReadable = facts.kind === 'file' && facts.size <= maxBytes
      return { facts, bytes: isReadable ? await file.read() : Buffer.alloc(0) }
    } finally {
      await file.close()
    }
  })
  if (!read.ok) return read
  const { facts, bytes } = read.value
  if (facts.kind !== 'file') return fail({ code: 'EQ_STORE_UNSAFE', path, problem: 'not_a_file' })
  if (facts.size > maxBytes) return fail({ code: 'EQ_STORE_UNREADABLE', path, errno: 'EFBIG' })
  return ok({ bytes, version: versionOf(facts) })
}

async function appendLines(system: FileSystem, path: string, lines: string): Promise<void> {
  await makeFolder(system, dirname(path))
  const file = await system.open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
  try {
    const { size } = await file.stat()
    const isTorn = size > 0 && (await file.byteAt(size - 1)) !== NEWLINE
    await file.write(Buffer.from(isTorn ? `\n${lines}` : lines))
  } finally {
    await file.close()
  }
}

/** The system's name of an error: `ENOSPC`. */
export function errnoOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : 'UNKNOWN'
}

async function factsIfAny(ask: () => Promise<FileFacts>): Promise<FileFacts | undefined> {
  try {
    return await ask()
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw cause
  }
}

/** Changes when the content does: a whole rewrite gives another inode, one in place another size or time. */
export function versionOf(facts: FileFacts): string {
  return `${facts.inode}:${facts.size}:${facts.modifiedAtNs}`
}

export async function reading<T>(
  path: string,
  run: () => Promise<T>,
): Promise<Result<T, StoreFault>> {
  try {
    return ok(await run())
  } catch (cause) {
    return fail({ code: 'EQ_STORE_UNREADABLE', path, errno: errnoOf(cause) })
  }
}

export async function writing<T>(
  path: string,
  run: () => Promise<T>,
): Promise<Result<T, StoreFault>> {
  try {
    return ok(await run())
  } catch (cause) {
    return fail({ code: 'EQ_STORE_UNWRITABLE', path, errno: errnoOf(cause) })
  }
}

function isAbsent(fault: StoreFault): boolean {
  return 'errno' in fault && fault.errno === 'ENOENT'
}
