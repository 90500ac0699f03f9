/**
 * Waits for the locks of grants as the program does. Each line, `<state folder> <grant>`, is answered with `waiting`, and
 * with two numbers: the instant on the machine's steady clock, ms, at which the lock was had, and by how much a plain
 * timer of this process was late meanwhile, at most, ms. The latter is the machine's part, not the lock's.
 */

import { createInterface } from 'node:readline'
import { createClock } from '../../src/adapters/clock.ts'
import { openHome } from '../../src/adapters/home.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import { grantLock } from '../../src/adapters/renewal-helper.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'

const LONGEST_WAIT_MS = 30_000

const BEAT_MS = 5

function steadyMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Gives, when it is asked, by how much a timer was late at most since then. */
function watchLateness(): () => number {
  let last = steadyMs()
  let latestMs = 0
  const beat = (): void => {
    const now = steadyMs()
    latestMs = Math.max(latestMs, now - last - BEAT_MS)
    last = now
  }
  const timer = setInterval(beat, BEAT_MS)
  return () => {
    beat()
    clearInterval(timer)
    return latestMs
  }
}

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [stateDir = '', grant = ''] = line.split(' ')
  const home = orThrow(openHome({ EQUABOT_STATE_DIR: stateDir }))
  const locks = createLocks({ clock: createClock(), dir: home.locksDir })
  // Loads what locking needs, so that only the wait is timed.
  const isHeld = await locks.isHeld(grantLock(grant))
  process.stdout.write(isHeld ? 'waiting\n' : 'free\n')
  const lateness = watchLateness()
  const lock = orThrow(await locks.tryHold(grantLock(grant), LONGEST_WAIT_MS))
  process.stdout.write(`${lock ? steadyMs() : 'never'} ${lateness()}\n`)
  lock?.release()
}
