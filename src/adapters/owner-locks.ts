/**
 * Claude Code's own locks, as it takes them: a folder that only one can make, kept alive by its time of change.
 *
 * Such a lock can be taken from whoever stops touching it, so it is never enough to have made it: `stillOurs` must be
 * asked right before what the lock is for. We take none from anybody, however forsaken it looks; only what a killed
 * process of our own has left behind is known by the file itself, and removed.
 */

import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'

import type { Clock } from '../domain/ports.ts'
import type { RenewalTrouble } from '../domain/renewal-ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { SECOND_MS } from '../domain/time.ts'
import { errnoOf } from './files.ts'

export interface OwnerLock {
  /** Whether the folder is the one that we made, as we last touched it, and that was just now. */
  stillOurs(): boolean
  /** Gives it back, if it is still ours. */
  release(): void
}

export interface OwnerLockDeps {
  readonly clock: Clock
  /** By a clock that nobody can set, ms. */
  readonly monotonicMs?: () => number
  /** From 0 up to 1. */
  readonly random?: () => number
  /**
   * Where it is noted which lock folders are ours, so that whoever comes after a helper that was killed can remove them.
   * Only for callers whom a kernel lock keeps apart: what is noted there then belongs to nobody who lives.
   */
  readonly ledger?: string
}

/** The locks under which Claude Code renews, in the order in which it takes them. @source reference: clients, section 5 */
export async function renewalLockPaths(dir: string): Promise<readonly string[]> {
  return [join(dir, '.oauth_refresh.lock'), `${await realpath(dir)}.lock`]
}

/** The lock under which it writes the file. */
export function writeLockPath(dir: string): string {
  return join(dir, '.storage-write.lock')
}

const TRIES = 5
const TOUCH_EVERY_MS: number = 2 * SECOND_MS
/** Half of the shortest time after which an owner of any version takes a lock that nobody touches. */
const BELIEVED_FOR_MS: number = 5 * SECOND_MS

/**
 * All of these locks, or none. Waits for whoever holds one: five tries, a second or two apart.
 *
 * @faults `owner_busy` somebody holds one; `owner_unwritable` one cannot be made
 */
export async function takeOwnerLocks(
  paths: readonly string[],
  deps: OwnerLockDeps,
): Promise<Result<OwnerLock, RenewalTrouble>> {
  const random = deps.random ?? Math.random
  for (let tried = 1; ; tried += 1) {
    const taken = takeAll(paths, deps)
    if (taken.ok || taken.fault.reason !== 'owner_busy' || tried === TRIES) return taken
    await deps.clock.sleep(SECOND_MS + random() * SECOND_MS)
  }
}

function takeAll(paths: readonly string[], deps: OwnerLockDeps): Result<OwnerLock, RenewalTrouble> {
  const locks: OwnerLock[] = []
  const release = (): void => {
    for (const lock of locks.toReversed()) lock.release()
  }
  for (const path of paths) {
    const made = makeLock(path, deps)
    if (!made.ok) {
      release()
      return made
    }
    locks.push(made.value)
  }
  return ok({ stillOurs: () => locks.every((lock) => lock.stillOurs()), release })
}

function makeLock(
  path: string,
  deps: OwnerLockDeps,
  isRetry = false,
): Result<OwnerLock, RenewalTrouble> {
  try {
    mkdirSync(path)
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno !== 'EEXIST') {
      return fail({ reason: 'owner_unwritable', words: `${errno} at ${path}` })
    }
    if (isRetry || !isLeftByUs(path, deps.ledger)) {
      return fail({ reason: 'owner_busy', words: `somebody holds ${path}` })
    }
    removeFolder(path)
    return makeLock(path, deps, true)
  }
  noteOurs(path, deps.ledger)
  try {
    return ok(keepAlive(path, openSync(path, constants.O_RDONLY | constants.O_DIRECTORY), deps))
  } catch (cause) {
    removeFolder(path)
    return fail({ reason: 'owner_unwritable', words: `${errnoOf(cause)} at ${path}` })
  }
}

/**
 * Touches the folder every two seconds. Through the open folder and not by its name: what another has put in its place
 * is never touched, and while it is open no other can get its inode.
 */
function keepAlive(path: string, fd: number, deps: OwnerLockDeps): OwnerLock {
  const monotonicMs = deps.monotonicMs ?? (() => performance.now())
  const { ino } = fstatSync(fd, { bigint: true })
  let isOpen = true
  let last = touch()

  function touch() {
    const at = deps.clock.now()
    const upMs = monotonicMs()
    futimesSync(fd, at / SECOND_MS, at / SECOND_MS)
    // Read back: file systems round times as they please.
    return { at, upMs, modifiedNs: fstatSync(fd, { bigint: true }).mtimeNs }
  }

  /** Also the wall clock must agree: on some systems the other one stands still while the machine sleeps. */
  function isRecent(): boolean {
    return (
      monotonicMs() - last.upMs < BELIEVED_FOR_MS && deps.clock.now() - last.at < BELIEVED_FOR_MS
    )
  }

  function isOurs(): boolean {
    try {
      const found = lstatSync(path, { bigint: true })
      return isOpen && found.ino === ino && found.mtimeNs === last.modifiedNs
    } catch {
      return false
    }
  }

  const timer = setInterval(() => {
    // After a pause another may hold it for good reason: what was not kept alive stays lost.
    if (isOurs() && isRecent()) last = touch()
    else clearInterval(timer)
  }, TOUCH_EVERY_MS)
  timer.unref()

  return {
    stillOurs: () => isOurs() && isRecent(),
    release() {
      clearInterval(timer)
      if (!isOpen) return
      if (isOurs()) removeFolder(path)
      isOpen = false
      closeSync(fd)
    },
  }
}

function removeFolder(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    return
  }
}

/** The very folder, not only one of its name: its inode, and when it was made. */
function signOf(path: string): string {
  const { ino, birthtimeNs } = lstatSync(path, { bigint: true })
  return `${path} ${ino} ${birthtimeNs}`
}

function notedIn(ledger: string): readonly string[] {
  try {
    return readFileSync(ledger, 'utf8').split('\n')
  } catch {
    return []
  }
}

function isLeftByUs(path: string, ledger: string | undefined): boolean {
  if (ledger === undefined) return false
  try {
    return notedIn(ledger).includes(signOf(path))
  } catch {
    return false
  }
}

/** A note that cannot be made costs no more than a wait for the owner, should we be killed. */
function noteOurs(path: string, ledger: string | undefined): void {
  if (ledger === undefined) return
  try {
    const others = notedIn(ledger).filter((line) => line !== '' && !line.startsWith(`${path} `))
    writeFileSync(ledger, `${[...others, signOf(path)].join('\n')}\n`, { mode: 0o600 })
  } catch {
    return
  }
}
