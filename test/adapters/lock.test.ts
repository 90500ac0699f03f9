import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openHome } from '../../src/adapters/home.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import type { Clock } from '../../src/domain/ports.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { compileChildProgram } from './child-processes.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Time that passes as fast as the machine can turn. */
const hastyClock: Clock = {
  now: () => 0,
  sleep: () => new Promise((resolve) => setImmediate(resolve)),
}
/** Time that never comes. */
const patientClock: Clock = {
  now: () => 0,
  sleep: (_, signal) =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
}
const startChild = compileChildProgram('lock')
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a lock within one process', () => {
  it('lets callers in one after the other, in the order in which they came', async () => {
    const locks = createLocks({ clock: patientClock, dir: temporaryFolder() })
    const seen: string[] = []
    const enter = (name: string) =>
      locks.withLock('a', async () => {
        seen.push(`${name} in`)
        await settled()
        seen.push(`${name} out`)
        return ok()
      })
    await Promise.all([enter('1'), enter('2'), enter('3')])
    expect(seen).toEqual(['1 in', '1 out', '2 in', '2 out', '3 in', '3 out'])
  })

  it('does not make callers of different locks wait for each other', async () => {
    const locks = createLocks({ clock: patientClock, dir: temporaryFolder() })
    expect(await locks.withLock('a', () => locks.withLock('b', async () => ok('both')))).toEqual(
      ok('both'),
    )
  })

  it('is free again after a fault and after an exception', async () => {
    const locks = createLocks({ clock: patientClock, dir: temporaryFolder() })
    expect(await locks.withLock('a', async () => fail('no'))).toEqual(fail('no'))
    const bug = locks.withLock('a', () => Promise.reject(new Error('bug')))
    await expect(bug).rejects.toThrow('bug')
    expect(await locks.withLock('a', async () => ok(1))).toEqual(ok(1))
  })

  it('tells a caller who waited too long, and lets the next one in all the same', async () => {
    const dir = temporaryFolder()
    const locks = createLocks({ clock: hastyClock, dir })
    let leave = (): void => undefined
    const inside = new Promise<void>((resolve) => (leave = resolve))
    const first = locks.withLock('a', async () => ok(await inside))
    expect(await locks.withLock('a', async () => ok('never'), 5_000)).toEqual(
      fail({ code: 'EQ_STORE_LOCKED', path: join(dir, 'a.lock'), waitedMs: 5_000 }),
    )
    leave()
    await first
    expect(await locks.withLock('a', async () => ok('in'))).toEqual(ok('in'))
  })

  it('makes one file of mode 0600 per lock, whatever its name, and never deletes it', async () => {
    const dir = join(temporaryFolder(), 'locks')
    const locks = createLocks({ clock: hastyClock, dir })
    for (const name of ['plain', '../../escape', '/a/b', 'a..b', 'UPPER', 'x'.repeat(300), '']) {
      expect(await locks.withLock(name, async () => ok())).toEqual(ok())
    }
    const names = readdirSync(dir)
    expect(names).toHaveLength(7)
    expect(names).toContain('plain.lock')
    expect(names.every((name) => /^[a-z0-9]+\.lock$/.test(name))).toBe(true)
    expect(names.map((name) => statSync(join(dir, name)).mode & 0o777)).toEqual(
      names.map(() => 0o600),
    )
    expect(statSync(dir).mode & 0o777).toBe(0o700)
  })

  it('says so when no lock file can be made', async () => {
    const dir = join(temporaryFolder(), 'file')
    writeFileSync(dir, '')
    const locks = createLocks({ clock: hastyClock, dir })
    expect(await locks.withLock('a', async () => ok())).toMatchObject({
      ok: false,
      fault: { code: 'EQ_STORE_UNWRITABLE', path: join(dir, 'a.lock') },
    })
  })
})

describe('a lock that is held on', () => {
  it('keeps others out until its release, and can be looked at without being touched', async () => {
    const dir = temporaryFolder()
    const [ours, theirs] = [hastyClock, hastyClock].map((clock) => createLocks({ clock, dir }))
    if (!ours || !theirs) throw new Error('two')
    expect(await theirs.isHeld('a')).toBe(false)
    expect(existsSync(join(dir, 'a.lock'))).toBe(false)
    const held = orThrow(await ours.tryHold('a'))
    expect(await theirs.tryHold('a')).toEqual(ok(undefined))
    expect([await ours.isHeld('a'), await theirs.isHeld('a')]).toEqual([true, true])
    held?.release()
    held?.release()
    expect(await theirs.isHeld('a')).toBe(false)
    expect(orThrow(await theirs.tryHold('a'))).toBeDefined()
  })
})

describe('a lock held by another process', () => {
  async function holder() {
    const stateDir = temporaryFolder()
    const home = orThrow(openHome({ EQUABOT_STATE_DIR: stateDir }))
    mkdirSync(home.locksDir, { recursive: true })
    const child = startChild('hold', stateDir)
    expect(await child.line()).toBe('held')
    return { child, locks: createLocks({ clock: hastyClock, dir: home.locksDir }) }
  }

  it('stays with a holder that is only paused', async () => {
    const { child, locks } = await holder()
    child.process.kill('SIGSTOP')
    expect(await locks.tryHold('test', 60_000)).toEqual(ok(undefined))
    expect(await locks.isHeld('test')).toBe(true)
  })

  it('is free at once when its holder is killed', async () => {
    const { child, locks } = await holder()
    expect(await locks.tryHold('test')).toEqual(ok(undefined))
    child.process.kill('SIGKILL')
    await child.exit
    expect(orThrow(await locks.tryHold('test'))).toBeDefined()
  })
})
