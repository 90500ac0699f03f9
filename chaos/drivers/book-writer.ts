/** Writes the real book of the main agent in a tight loop and says each save: `node book-writer.mjs <stateDir> <profile>`. */

import { createClock } from '../../src/adapters/clock.ts'
import { createFiles } from '../../src/adapters/files.ts'
import { openHome } from '../../src/adapters/home.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import { createProfileStore } from '../../src/adapters/profile-store.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { MAIN_AGENT, parseProfileId } from '../../src/domain/names.ts'
import { withProfile } from '../../src/domain/profile.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'

const [, , stateDir, name = ''] = process.argv
const profile = parseProfileId(name)
if (!profile) throw new Error(`no profile: ${name}`)
const home = orThrow(openHome({ EQUABOT_STATE_DIR: stateDir }))
const clock = createClock()
const locks = createLocks({ clock, dir: home.locksDir })
const store = createProfileStore({ home, locks, files: createFiles(), clock })

/** Adds one to the number that stands as the profile's secret. Gives the new number. */
async function save(id: NonNullable<typeof profile>): Promise<number> {
  return orThrow(
    await store.transact(MAIN_AGENT, async (book) => {
      const before = book.profiles.get(id)?.credential
      const value = (before?.type === 'api_key' ? Number(before.key.reveal()) : 0) + 1
      const credential = { type: 'api_key' as const, key: new Secret(String(value)) }
      return ok({ book: withProfile(book, { id, credential, origin: 'equabot' }), value })
    }),
  )
}

for (;;) process.stdout.write(`${await save(profile)}\n`)
