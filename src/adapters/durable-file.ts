/**
 * Putting a whole file in place so that it is there after a crash or a power cut.
 *
 * New file beside the old one, fsync, rename, fsync of the folder; nothing is ever written in place. These functions
 * throw what the system throws: `files.ts` turns that into faults.
 */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import { STRAY_NAME } from '../domain/inspection.ts'
import { HOUR_MS } from '../domain/time.ts'
import type { FileSystem } from './file-system.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants
const NEW_FILE: number = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
const STRAY_AGE_NS: bigint = BigInt(HOUR_MS) * 1_000_000n

/** Puts these bytes at this path, mode 0600. When it throws, the path holds its old content or the new one, whole. */
export async function placeFile(system: FileSystem, path: string, data: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await system.open(temporary, NEW_FILE, 0o600)
  try {
    try {
      await file.write(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await system.rename(temporary, path)
  } catch (cause) {
    // After a failed fsync the bytes of this file cannot be trusted any more, whatever a second fsync says.
    await system.unlink(temporary).catch(() => undefined)
    throw cause
  }
  await syncFolder(system, dirname(path))
}

/** Proves that so many bytes can be placed here. Random ones, so that no file system packs them into less room. */
export async function probeRoom(system: FileSystem, path: string, bytes: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await system.open(temporary, NEW_FILE, 0o600)
  try {
    try {
      await file.write(randomBytes(bytes))
      await file.sync()
    } finally {
      await file.close()
    }
  } finally {
    await system.unlink(temporary)
  }
}

/** Makes a folder and those above it that are missing, mode 0700. */
export async function makeFolder(system: FileSystem, folder: string): Promise<void> {
  const first = await system.mkdir(folder, 0o700)
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) {
    await syncFolder(system, dirname(made))
  }
}

/**
 * Removes what killed writers of a file, or of its copies, left beside it; it was written just now. What others named in
 * the same way is theirs. Failing to is no failure.
 */
export async function sweepBeside(system: FileSystem, path: string): Promise<void> {
  const folder = dirname(path)
  try {
    const { modifiedAtNs } = await system.lstat(path)
    for (const name of await system.readdir(folder)) {
      if (!name.startsWith(`${basename(path)}.`) || !STRAY_NAME.test(name)) continue
      const stray = join(folder, name)
      const facts = await system.lstat(stray)
      if (modifiedAtNs - facts.modifiedAtNs > STRAY_AGE_NS) await system.unlink(stray)
    }
  } catch {
    return
  }
}

/** Makes the names in a folder as lasting as what they name. */
export async function syncFolder(system: FileSystem, folder: string): Promise<void> {
  // Windows cannot open a folder; its file system journals renames by itself.
  if (process.platform === 'win32') return
  const handle = await system.open(folder, O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
