/** The file of the ledger: made for its owner alone, opened, told from another one of its name, set aside when damaged. */

import { constants } from 'node:fs'
import { open, readdir, rename, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import type { LedgerFault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { EpochMs } from '../domain/time.ts'
import { fileStamp } from '../domain/time.ts'
import { makeFolder } from './durable-file.ts'
import { nodeFileSystem } from './file-system.ts'
import { errnoOf } from './files.ts'
import { LEDGER_VERSION, migrate, SQLITE_ONLY, versionOf } from './ledger-queries.ts'
import type { Database, OpenDatabase } from './sqlite.ts'

/** SQLite keeps its log and its index beside the file, with the same mode. */
const BESIDE = ['', '-wal', '-shm'] as const
const ASIDE = '.broken-'

export interface OpenLedger {
  readonly database: Database
  /** Which file it is, whatever bears its name later. */
  readonly inode: bigint
}

/**
 * Opens the ledger for writing; makes it where there is none. Throws what the database throws.
 *
 * @faults `EQ_STORE_UNSAFE`, `EQ_STORE_UNWRITABLE`, `EQ_STORE_NEWER`
 */
export async function openForWriting(
  openDatabase: OpenDatabase,
  path: string,
): Promise<Result<OpenLedger, LedgerFault>> {
  const made = await makeFile(path)
  if (!made.ok) return made
  const database = openDatabase(path)
  try {
    if (made.value.isNew) database.all(SQLITE_ONLY.layout)
    for (const setting of SQLITE_ONLY.journal) database.all(setting)
    migrate(database)
    return asSupported({ database, inode: made.value.inode }, path)
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** Opens what is there for reading alone; undefined where there is none. Throws what the database throws. */
export async function openForReading(
  openDatabase: OpenDatabase,
  path: string,
): Promise<Result<OpenLedger | undefined, LedgerFault>> {
  const inode = await inodeOf(path)
  if (inode === undefined) return ok(undefined)
  // One that may not write at all leaves its index and log behind when it closes.
  const database = openDatabase(path)
  try {
    database.all(SQLITE_ONLY.readOnly)
    // A new file has no tables before its first request.
    if (versionOf(database) > 0) return asSupported({ database, inode }, path)
  } catch (cause) {
    database.close()
    throw cause
  }
  database.close()
  return ok(undefined)
}

function asSupported(ledger: OpenLedger, path: string): Result<OpenLedger, LedgerFault> {
  const version = versionOf(ledger.database)
  if (version === LEDGER_VERSION) return ok(ledger)
  ledger.database.close()
  return fail({ code: 'EQ_STORE_NEWER', path, version, supported: LEDGER_VERSION })
}

export async function inodeOf(path: string): Promise<bigint | undefined> {
  try {
    return (await stat(path, { bigint: true })).ino
  } catch {
    return undefined
  }
}

/** The database makes its files with the rights of this one, so it is made first, and is its owner's alone. */
async function makeFile(
  path: string,
): Promise<Result<{ readonly inode: bigint; readonly isNew: boolean }, LedgerFault>> {
  const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants
  try {
    await makeFolder(nodeFileSystem, dirname(path))
    const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
    try {
      const facts = await file.stat({ bigint: true })
      if (!facts.isFile()) return fail({ code: 'EQ_STORE_UNSAFE', path, problem: 'not_a_file' })
      if ((facts.mode & 0o077n) !== 0n) await file.chmod(0o600)
      return ok({ inode: facts.ino, isNew: facts.size === 0n })
    } finally {
      await file.close()
    }
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno === 'ELOOP') return fail({ code: 'EQ_STORE_UNSAFE', path, problem: 'symlink' })
    return fail({ code: 'EQ_STORE_UNWRITABLE', path, errno })
  }
}

/**
 * Moves a damaged ledger out of the way, whole. Gives where it is now; undefined when somebody else has moved it already.
 *
 * @param inode of the one that was found damaged
 */
export async function setAside(
  path: string,
  inode: bigint,
  now: EpochMs,
): Promise<Result<string | undefined, LedgerFault>> {
  if ((await inodeOf(path)) !== inode) return ok(undefined)
  const aside = `${path}${ASIDE}${fileStamp(now)}`
  for (const ending of BESIDE) {
    try {
      await rename(path + ending, aside + ending)
    } catch (cause) {
      if (ending === '') return fail({ code: 'EQ_STORE_UNWRITABLE', path, errno: errnoOf(cause) })
    }
  }
  return ok(aside)
}

/** Damaged ledgers that were set aside, the latest last. */
export async function listAside(path: string): Promise<readonly string[]> {
  try {
    const names = await readdir(dirname(path))
    return names
      .filter((name) => name.startsWith(basename(path) + ASIDE) && !/-(?:wal|shm)$/.test(name))
      .toSorted()
      .map((name) => join(dirname(path), name))
  } catch {
    return []
  }
}
