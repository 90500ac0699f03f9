import {
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  rmdirSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OwnerLock } from '../../src/adapters/owner-locks.ts'
import { renewalLockPaths, takeOwnerLocks, writeLockPath } from '../../src/adapters/owner-locks.ts'
import type { RenewalTrouble } from '../../src/domain/renewal-ports.ts'
import type { Result } from '../../src/domain/result.ts'
import { SECOND_MS } from '../../src/domain/time.ts'
import { temporaryFolder } from './temporary-folder.ts'

const START = 1_800_000_000_000

/** Both clocks and the timer of the touches, moved together or apart. */
function times() {
  const at = { wall: START, up: 1_000 }
  const slept: number[] = []
  let wakes = (_count: number): void => undefined
  return {
    at,
    slept,
    onSleep: (run: (count: number) => void) => (wakes = run),
    deps: {
      clock: {
        now: () => at.wall,
        sleep: async (ms: number) => {
          slept.push(ms)
          wakes(slept.length)
        },
      },
      monotonicMs: () => at.up,
      random: () => 0.5,
    },
    /** Time goes on, and the timer with it. */
    pass(ms: number) {
      for (let left = ms; left > 0; left -= SECOND_MS) {
        at.wall += SECOND_MS
        at.up += SECOND_MS
        vi.advanceTimersByTime(SECOND_MS)
      }
    },
  }
}

function taken(result: Result<OwnerLock, RenewalTrouble>): OwnerLock {
  if (!result.ok) throw new Error(result.fault.words)
  return result.value
}

const touchedAt = (path: string) => Math.round(lstatSync(path).mtimeMs)

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

describe("the owner's locks", () => {
  it('stand where its owner looks for them, beside the real folder for the older one', async () => {
    const dir = temporaryFolder()
    const link = join(temporaryFolder(), 'linked')
    symlinkSync(dir, link)
    expect(await renewalLockPaths(link)).toEqual([
      join(link, '.oauth_refresh.lock'),
      `${realpathSync(dir)}.lock`,
    ])
    expect(writeLockPath(dir)).toBe(join(dir, '.storage-write.lock'))
  })

  it('are folders, there while they are held and gone afterwards', async () => {
    const { deps } = times()
    const dir = temporaryFolder()
    const paths = [join(dir, 'a.lock'), join(dir, 'b.lock')]
    const lock = taken(await takeOwnerLocks(paths, deps))
    for (const path of paths) expect(lstatSync(path).isDirectory()).toBe(true)
    expect(lock.stillOurs()).toBe(true)
    lock.release()
    expect(paths.map((path) => existsSync(path))).toEqual([false, false])
    expect(lock.stillOurs()).toBe(false)
    lock.release()
  })

  it('are touched every two seconds, so that no owner takes them for forsaken', async () => {
    const time = times()
    const path = join(temporaryFolder(), 'a.lock')
    const lock = taken(await takeOwnerLocks([path], time.deps))
    expect(touchedAt(path)).toBe(START)
    let oldest = 0
    for (let second = 0; second < 120; second += 1) {
      time.pass(SECOND_MS)
      oldest = Math.max(oldest, time.at.wall - touchedAt(path))
    }
    expect(oldest).toBeLessThanOrEqual(2 * SECOND_MS)
    expect(lock.stillOurs()).toBe(true)
    lock.release()
    expect(existsSync(path)).toBe(false)
  })
})

describe('a lock that somebody holds', () => {
  it('is waited for, five tries a second or two apart, and the first one is given back meanwhile', async () => {
    const time = times()
    const dir = temporaryFolder()
    const [first, second] = [join(dir, 'first.lock'), join(dir, 'second.lock')]
    mkdirSync(second)
    const seen: boolean[] = []
    time.onSleep(() => void seen.push(existsSync(first)))
    const result = await takeOwnerLocks([first, second], time.deps)
    expect(result).toEqual({
      ok: false,
      fault: { reason: 'owner_busy', words: `somebody holds ${second}` },
    })
    expect(time.slept).toEqual([1_500, 1_500, 1_500, 1_500])
    expect(seen).toEqual([false, false, false, false])
    expect([existsSync(first), existsSync(second)]).toEqual([false, true])
  })

  it('is ours when it is let go in time', async () => {
    const time = times()
    const path = join(temporaryFolder(), 'a.lock')
    mkdirSync(path)
    time.onSleep((count) => {
      if (count === 4) rmdirSync(path)
    })
    const lock = taken(await takeOwnerLocks([path], time.deps))
    expect(lock.stillOurs()).toBe(true)
    lock.release()
  })

  it.each([61 * SECOND_MS, 86_400 * SECOND_MS])(
    'is never taken from anybody, however old: %i ms',
    async (age) => {
      const time = times()
      const path = join(temporaryFolder(), 'a.lock')
      mkdirSync(path)
      utimesSync(path, (START - age) / 1_000, (START - age) / 1_000)
      const before = lstatSync(path, { bigint: true })
      expect(await takeOwnerLocks([path], time.deps)).toMatchObject({
        fault: { reason: 'owner_busy' },
      })
      const after = lstatSync(path, { bigint: true })
      expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs])
    },
  )

  it('that cannot be made is told at once', async () => {
    const time = times()
    const path = join(temporaryFolder(), 'none', 'a.lock')
    expect(await takeOwnerLocks([path], time.deps)).toEqual({
      ok: false,
      fault: { reason: 'owner_unwritable', words: `ENOENT at ${path}` },
    })
    expect(time.slept).toEqual([])
  })
})

describe('a lock is not ours any more', () => {
  async function held() {
    const time = times()
    const path = join(temporaryFolder(), 'a.lock')
    const lock = taken(await takeOwnerLocks([path], time.deps))
    expect(lock.stillOurs()).toBe(true)
    return { ...time, path, lock }
  }

  it('when it is gone', async () => {
    const { lock, path } = await held()
    rmdirSync(path)
    expect(lock.stillOurs()).toBe(false)
    lock.release()
  })

  it('when another has taken it, who then keeps it, untouched', async () => {
    const { lock, path, pass } = await held()
    rmdirSync(path)
    mkdirSync(path)
    // As if in the same instant as our own touch.
    utimesSync(path, START / 1_000, START / 1_000)
    expect(lock.stillOurs()).toBe(false)
    const theirs = lstatSync(path, { bigint: true })
    pass(10 * SECOND_MS)
    lock.release()
    const after = lstatSync(path, { bigint: true })
    expect([after.ino, after.mtimeNs]).toEqual([theirs.ino, theirs.mtimeNs])
  })

  it('when another touches it', async () => {
    const { lock, path } = await held()
    utimesSync(path, START / 1_000 + 1, START / 1_000 + 1)
    expect(lock.stillOurs()).toBe(false)
    lock.release()
  })

  it.each([
    ['by the clock that nobody can set', { up: 5 * SECOND_MS, wall: 0 }],
    ['by the wall clock, as after a sleep of the machine', { up: 0, wall: 5 * SECOND_MS }],
  ])('when it was not touched for five seconds %s', async (_, { up, wall }) => {
    const { lock, at } = await held()
    at.up += up - 1
    at.wall += Math.max(0, wall - 1)
    expect(lock.stillOurs()).toBe(true)
    at.up += 1
    at.wall += 1
    expect(lock.stillOurs()).toBe(false)
    lock.release()
  })

  it('after a pause, also when its timer runs again', async () => {
    const { lock, at, path, pass } = await held()
    at.up += 20 * SECOND_MS
    at.wall += 20 * SECOND_MS
    pass(10 * SECOND_MS)
    expect(lock.stillOurs()).toBe(false)
    expect(touchedAt(path)).toBe(START)
    lock.release()
    expect(existsSync(path)).toBe(false)
  })

  it('but it is while the wall clock goes back', async () => {
    const { lock, at } = await held()
    at.wall -= 3_600 * SECOND_MS
    expect(lock.stillOurs()).toBe(true)
    lock.release()
  })
})

describe('a lock that a killed process of ours has left', () => {
  const take = async (paths: readonly string[], ledger: string) =>
    takeOwnerLocks(paths, { ...times().deps, ledger })

  it('is known by the folder itself, removed, and taken', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.lock')
    const ledger = join(folder, 'ledger')
    expect((await take([path], ledger)).ok).toBe(true)
    const before = lstatSync(path).ino
    const again = await take([path], ledger)
    expect(again.ok).toBe(true)
    expect(again.ok && again.value.stillOurs()).toBe(true)
    expect(lstatSync(path, { bigint: true }).birthtimeNs).toBeDefined()
    expect(before).toBeGreaterThan(0)
    if (again.ok) again.value.release()
    expect(existsSync(path)).toBe(false)
  })

  it('is not taken for ours when its owner has put its own in the place', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.lock')
    const ledger = join(folder, 'ledger')
    await take([path], ledger)
    rmdirSync(path)
    mkdirSync(path)
    expect(await take([path], ledger)).toMatchObject({ fault: { reason: 'owner_busy' } })
    expect(existsSync(path)).toBe(true)
  })

  it('is left alone where nothing was noted', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.lock')
    mkdirSync(path)
    expect(await take([path], join(folder, 'ledger'))).toMatchObject({
      fault: { reason: 'owner_busy' },
    })
  })
})
