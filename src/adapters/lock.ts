/**
 * Locks between all processes of this user, kept by the kernel.
 *
 * A lock ends with its holder, however that ends, and cannot be taken from one that is only paused: no file's age, no
 * clock and no process number has a part in it. Lock files are made once and never renamed or deleted, since a lock
 * belongs to the file and not to its name.
 */

import { createHash } from 'node:crypto'
import { closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'

import type addonModule from 'fs-native-extensions'

import type { StoreFault } from '../domain/fault.ts'
import type { Clock } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { SECOND_MS } from '../domain/time.ts'
import { errnoOf } from './files.ts'

export interface HeldLock {
  release(): void
}

export interface Locks {
  /**
   * Runs while no other process, and no other caller in this one, holds the lock. Callers in this process come in turn.
   * Not re-entrant.
   *
   * @param name what is guarded: a word, a path; never used as a path itself unless it is harmless as one
   * @param waitMs longest wait for the lock, ms; 10 s unless told
   * @faults `EQ_STORE_LOCKED` somebody holds it longer; `EQ_LOCK_UNAVAILABLE`; `EQ_STORE_UNWRITABLE` no lock file can be made
   */
  withLock<T, F>(
    name: string,
    run: () => Promise<Result<T, F>>,
    waitMs?: number,
  ): Promise<Result<T, F | StoreFault>>
  /** The lock until `release` or the end of this process; undefined when somebody still holds it after `waitMs` (0 unless told). */
  tryHold(name: string, waitMs?: number): Promise<Result<HeldLock | undefined, StoreFault>>
  /** Whether somebody, be it we, holds the lock. Makes no file. */
  isHeld(name: string): Promise<boolean>
}

const PATIENCE_MS: number = 10 * SECOND_MS
const POLL_MS = 15
const SAFE_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?$/

type Addon = typeof addonModule

export function createLocks(deps: { readonly clock: Clock; readonly dir: string }): Locks {
  const { clock, dir } = deps
  const enter = createQueue(clock)

  async function tryHold(
    name: string,
    waitMs = 0,
  ): Promise<Result<HeldLock | undefined, StoreFault>> {
    const addon = await loadAddon()
    if (!addon.ok) return addon
    const path = lockPath(dir, name)
    const opened = openLockFile(dir, path)
    if (!opened.ok) return opened
    const fd = opened.value
    let waitedMs = 0
    try {
      // Counted by our own steps: a clock that jumps must not cut the wait short.
      while (!addon.value.tryLock(fd)) {
        if (waitedMs >= waitMs) {
          closeSync(fd)
          return ok(undefined)
        }
        await clock.sleep(POLL_MS)
        waitedMs += POLL_MS
      }
    } catch (cause) {
      closeSync(fd)
      return fail({ code: 'EQ_LOCK_UNAVAILABLE', detail: `${errnoOf(cause)} at ${path}` })
    }
    return ok({ release: once(() => closeSync(fd)) })
  }

  return {
    tryHold,

    async withLock(name, run, waitMs = PATIENCE_MS) {
      const leave = await enter(name, waitMs)
      if (!leave) return locked(name, waitMs)
      try {
        const lock = await tryHold(name, waitMs)
        if (!lock.ok) return lock
        if (!lock.value) return locked(name, waitMs)
        try {
          return await run()
        } finally {
          lock.value.release()
        }
      } finally {
        leave()
      }
    },

    isHeld: (name) => isHeld(lockPath(dir, name)),
  }

  function locked(name: string, waitedMs: number): Result<never, StoreFault> {
    return fail({ code: 'EQ_STORE_LOCKED', path: lockPath(dir, name), waitedMs })
  }
}

async function isHeld(path: string): Promise<boolean> {
  const addon = await loadAddon()
  if (!addon.ok) return false
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW)
    // Shared, so that two who only look do not take each other for a holder.
    return !addon.value.tryLock(fd, { shared: true })
  } catch {
    return false
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** Gives each caller of one name its turn: a function that ends it, or undefined when the turn did not come in time. */
function createQueue(clock: Clock) {
  const tails = new Map<string, Promise<void>>()

  async function comesInTime(turn: Promise<void>, waitMs: number): Promise<boolean> {
    const stopWaiting = new AbortController()
    const late = clock.sleep(waitMs, stopWaiting.signal).then(() => false)
    const inTime = await Promise.race([turn.then(() => true), late])
    stopWaiting.abort()
    return inTime
  }

  return async function enter(name: string, waitMs: number): Promise<(() => void) | undefined> {
    const turn = tails.get(name)
    let leave = (): void => undefined
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    const tail = turn ? turn.then(() => left) : left
    tails.set(name, tail)
    void tail.then(() => {
      if (tails.get(name) === tail) tails.delete(name)
    })
    if (!turn || (await comesInTime(turn, waitMs))) return leave
    leave()
    return undefined
  }
}

/** Loaded at the first lock: reading never locks, and most commands only read. */
async function loadAddon(): Promise<Result<Addon, StoreFault>> {
  try {
    return ok((await import('fs-native-extensions')).default)
  } catch (cause) {
    return fail({ code: 'EQ_LOCK_UNAVAILABLE', detail: errnoOf(cause) })
  }
}

function openLockFile(dir: string, path: string): Result<number, StoreFault> {
  const { O_CREAT, O_NOFOLLOW, O_RDWR } = constants
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    return ok(openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600))
  } catch (cause) {
    return fail({ code: 'EQ_STORE_UNWRITABLE', path, errno: errnoOf(cause) })
  }
}

function lockPath(dir: string, name: string): string {
  const isSafe = SAFE_NAME.test(name) && !name.includes('..')
  const word = isSafe ? name : createHash('sha256').update(name).digest('hex').slice(0, 32)
  return join(dir, `${word}.lock`)
}

function once(run: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) run()
    isDone = true
  }
}
