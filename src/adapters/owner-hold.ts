/**
 * Claude Code held off while its login is renewed in its place, and the new login put back into its file.
 *
 * The refresh token that is sent has served its time, so that the new one can be written is proven before: the file
 * for it is made, with real bytes, in the folder where it must go, and the lock of its writers is taken once and given
 * back, so that one which somebody forsook is met before anything is sent. It is not kept for as long as the provider
 * takes to answer: its owner, in which the user may be logging in, should not have to wait for that.
 */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, readdir, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import type { OauthCredential } from '../domain/credential.ts'
import type { TokenMark } from '../domain/grant.ts'
import { markOf } from '../domain/grant.ts'
import type { OwnerHold, RenewalTrouble } from '../domain/renewal-ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { HOUR_MS } from '../domain/time.ts'
import { withClaudeTokens } from '../wire/claude-login.ts'
import type { OwnerLogin } from '../wire/foreign-text.ts'
import { syncFolder } from './durable-file.ts'
import { errnoOf } from './files.ts'
import type { FileFacts } from './file-system.ts'
import { nodeFileSystem } from './file-system.ts'
import type { ForeignBytes, ForeignFile } from './foreign-file.ts'
import type { OwnerLockDeps } from './owner-locks.ts'
import { renewalLockPaths, takeOwnerLocks, writeLockPath } from './owner-locks.ts'

export interface OwnerHoldDeps extends OwnerLockDeps {
  readonly dir: string
  /** The file in that folder. */
  readonly path: string
  readonly file: ForeignFile
}

/** Tokens may grow by so much; a whole answer of a token endpoint is rarely more. */
const ROOM_BYTES: number = 64 * 1024
const ROUNDS = 3
const NEW_FILE: number =
  constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** @faults `owner_busy`, `owner_unwritable`, `owner_unreadable`: nothing is held then */
export async function createOwnerHold(
  deps: OwnerHoldDeps,
): Promise<Result<OwnerHold, RenewalTrouble>> {
  const before = await renewableLogin(deps)
  if (!before.ok) return before
  const paths = await renewalLockPaths(deps.dir).catch(() => undefined)
  if (!paths) return unreadable(`no folder ${deps.dir}`)
  const taken = await takeOwnerLocks(paths, deps)
  if (!taken.ok) return taken
  const locks = taken.value
  const writers = await takeOwnerLocks([writeLockPath(deps.dir)], deps)
  if (!writers.ok) {
    locks.release()
    return writers
  }
  writers.value.release()
  // Only what stands there inside the locks counts: its owner may have renewed while we waited.
  const held = await renewableLogin(deps)
  if (!held.ok) {
    locks.release()
    return held
  }
  const room = createRoom(deps.path)
  return ok({
    login: held.value.credential,
    stillHeld: locks.stillOurs,
    reserve: () => room.reserve(held.value.found.facts, held.value.found.bytes.length),
    writeBack: (expected, next) => writeBack(deps, room, expected, next),
    async release() {
      await room.leave()
      locks.release()
    },
  })
}

interface Renewable {
  readonly found: ForeignBytes
  readonly credential: OauthCredential
}

async function renewableLogin({ file }: OwnerHoldDeps): Promise<Result<Renewable, RenewalTrouble>> {
  const read = await file.readBytes()
  if (!read.ok) return unreadable(`${read.fault.code} at ${read.fault.place}`)
  if (!read.value) return unreadable('there is no login')
  const { login } = read.value
  if (!login.refresh) return unreadable('there is no refresh token')
  return ok({ found: read.value, credential: credentialOf(login) })
}

function credentialOf({ access, refresh, ...more }: OwnerLogin): OauthCredential {
  return { type: 'oauth', access, ...(refresh && { refresh }), ...more }
}

function unreadable(words: string): Result<never, RenewalTrouble> {
  return fail({ reason: 'owner_unreadable', words })
}

/** Compare-and-swap under the lock that all writers of the file take. */
async function writeBack(
  deps: OwnerHoldDeps,
  room: Room,
  expected: TokenMark,
  next: OauthCredential,
): Promise<Result<boolean, RenewalTrouble>> {
  const lock = await takeOwnerLocks([writeLockPath(deps.dir)], deps)
  if (!lock.ok) return lock
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const read = await deps.file.readBytes()
      if (!read.ok) {
        // Its owner has blanked it: there is no login any more that these tokens could be put into.
        if (read.fault.code === 'EQ_FOREIGN_BLANK') return ok(false)
        return unreadable(`${read.fault.code} at ${read.fault.place}`)
      }
      const refresh = read.value?.login.refresh
      if (!read.value || !refresh) return ok(false)
      if (isThere(read.value.login, next)) return await room.settle()
      if (markOf(refresh) !== expected) return ok(false)
      const { facts, bytes } = read.value
      const changed = withClaudeTokens(bytes, next)
      if (!changed) return unreadable(`no login to change in ${deps.path}`)
      const reserved = await room.reserve(facts, changed.length)
      if (!reserved.ok) return reserved
      const placed = await room.fill(changed, () => isStill(deps.path, facts))
      if (!placed.ok || placed.value) return placed
    }
    return fail({ reason: 'owner_busy', words: `somebody keeps writing ${deps.path}` })
  } finally {
    lock.value.release()
  }
}

/** Our own write, whose end we did not get to see. */
function isThere({ access, refresh }: OwnerLogin, next: OauthCredential): boolean {
  return access.equals(next.access) && (!next.refresh || (refresh?.equals(next.refresh) ?? false))
}

/** Some older writers take no lock. */
async function isStill(path: string, facts: FileFacts): Promise<boolean> {
  const now = await lstat(path, { bigint: true })
  return now.ino === facts.inode && now.mtimeNs === facts.modifiedAtNs
}

/** The new file beside the old one, made before it is needed. */
interface Room {
  /** Makes it, once, with at least as many bytes, all on the disk. */
  reserve(like: FileFacts, bytes: number): Promise<Result<void, RenewalTrouble>>
  /** Puts these bytes in the old file's place; gives false, and keeps the room, when `mayPlace` says no. */
  fill(
    bytes: Uint8Array,
    mayPlace: () => Promise<boolean>,
  ): Promise<Result<boolean, RenewalTrouble>>
  /** Makes sure that what stands there is on the disk. */
  settle(): Promise<Result<boolean, RenewalTrouble>>
  /** Removes what was not used. */
  leave(): Promise<void>
}

function createRoom(path: string): Room {
  const temporary = `${path}.equabot-${randomBytes(6).toString('hex')}.tmp`
  let handle: FileHandle | undefined

  async function leave(): Promise<void> {
    if (!handle) return
    await handle.close().catch(() => undefined)
    await unlink(temporary).catch(() => undefined)
    handle = undefined
  }

  async function attempt<T>(run: () => Promise<T>): Promise<Result<T, RenewalTrouble>> {
    try {
      return ok(await run())
    } catch (cause) {
      // After a failed fsync the bytes of this file cannot be trusted any more.
      await leave()
      return fail({ reason: 'owner_unwritable', words: `${errnoOf(cause)} at ${dirname(path)}` })
    }
  }

  return {
    leave,

    settle: () =>
      attempt(async () => {
        await syncFolder(nodeFileSystem, dirname(path))
        return true
      }),

    reserve: (like, bytes) =>
      attempt(async () => {
        if (handle) return
        await sweepStrays(path)
        handle = await open(temporary, NEW_FILE, 0o600)
        await handle.writeFile(randomBytes(bytes + ROOM_BYTES))
        await takeAfter(handle, like, path)
        await handle.sync()
      }),

    fill: (bytes, mayPlace) =>
      attempt(async () => {
        if (!handle) return false
        let written = 0
        while (written < bytes.length) {
          const { bytesWritten } = await handle.write(
            bytes,
            written,
            bytes.length - written,
            written,
          )
          written += bytesWritten
        }
        await handle.truncate(bytes.length)
        await handle.sync()
        if (!(await mayPlace())) return false
        await rename(temporary, path)
        const placed = handle
        handle = undefined
        await placed.close()
        await syncFolder(nodeFileSystem, dirname(path))
        return true
      }),
  }
}

/** The old file's owner and mode. */
async function takeAfter(handle: FileHandle, like: FileFacts, path: string): Promise<void> {
  const own = await handle.stat()
  const { uid, gid } = await lstat(path)
  if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid)
  // After the owner, since that takes some bits away.
  await handle.chmod(like.mode & 0o777)
}

/** Removes what killed writers of ours left beside the file; another program's are none of our business. */
async function sweepStrays(path: string): Promise<void> {
  const folder = dirname(path)
  try {
    const ours = new RegExp(`^${escaped(basename(path))}\\.equabot-[0-9a-f]{12}\\.tmp$`)
    const { mtimeMs } = await lstat(folder)
    for (const name of await readdir(folder)) {
      if (!ours.test(name)) continue
      const stray = await lstat(join(folder, name))
      if (mtimeMs - stray.mtimeMs > HOUR_MS) await unlink(join(folder, name))
    }
  } catch {
    return
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
