/** What the tests of locks and stores run in other processes: `node child-program.mjs <job> <stateDir> [<count>]`. */

import { createClock } from '../../src/adapters/clock.ts'
import { createFiles } from '../../src/adapters/files.ts'
import { openHome } from '../../src/adapters/home.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import { createProfileStore } from '../../src/adapters/profile-store.ts'
import { MAIN_AGENT, parseProfileId } from '../../src/domain/names.ts'
import { withProfile } from '../../src/domain/profile.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'

const [, , job, stateDir, count = '0'] = process.argv
const home = orThrow(openHome({ EQUABOT_STATE_DIR: stateDir }))
const clock = createClock()
const locks = createLocks({ clock, dir: home.locksDir })
const store = createProfileStore({ home, locks, files: createFiles(), clock })

/** Adds one to the number that stands as a profile's secret. Gives the new number. */
async function increment(): Promise<number> {
  const id = parseProfileId('counter:default')
  if (!id) throw new Error('bad id')
  return orThrow(
    await store.transact(MAIN_AGENT, async (book) => {
      const before = book.profiles.get(id)?.credential
      const value = (before?.type === 'api_key' ? Number(before.key.reveal()) : 0) + 1
      const credential = { type: 'api_key' as const, key: new Secret(String(value)) }
      return ok({ book: withProfile(book, { id, credential, origin: 'equabot' }), value })
    }),
  )
}

if (job === 'increment') {
  for (let done = 0; done < Number(count); done += 1) await increment()
}
if (job === 'increment-until-killed') {
  for (;;) process.stdout.write(`${await increment()}\n`)
}
if (job === 'hold') {
  const held = orThrow(await locks.tryHold('test'))
  process.stdout.write(held ? 'held\n' : 'taken\n')
  await clock.sleep(60_000)
}
