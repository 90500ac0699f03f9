/**
 * Waits for the locks of grants as the program does. Each line, `<state folder> <grant>`, is answered with `waiting`,
 * and with the instant on the machine's steady clock, ms, at which the lock was had.
 */

import { createInterface } from 'node:readline'
import { createClock } from '../../src/adapters/clock.ts'
import { openHome } from '../../src/adapters/home.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import { grantLock } from '../../src/adapters/renewal-helper.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'

const LONGEST_WAIT_MS = 30_000

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [stateDir = '', grant = ''] = line.split(' ')
  const home = orThrow(openHome({ EQUABOT_STATE_DIR: stateDir }))
  const locks = createLocks({ clock: createClock(), dir: home.locksDir })
  // Loads what locking needs, so that only the wait is timed.
  const isHeld = await locks.isHeld(grantLock(grant))
  process.stdout.write(isHeld ? 'waiting\n' : 'free\n')
  const lock = orThrow(await locks.tryHold(grantLock(grant), LONGEST_WAIT_MS))
  process.stdout.write(`${lock ? Number(process.hrtime.bigint()) / 1e6 : 'late'}\n`)
  lock?.release()
}
