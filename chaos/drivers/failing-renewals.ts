/**
 * Makes every file operation of a renewal fail, once, for a minute and for good, and says what became of the login.
 *
 * `node failing-renewals.mjs <folder> <error>…`: one line of JSON for each run. Protocol, journal and book are the real ones. When
 * the first renewal has ended, the disk is well again and others follow, until the login is well or called dead.
 */

import { join } from 'node:path'
import { createClock } from '../../src/adapters/clock.ts'
import type { FileSystem } from '../../src/adapters/file-system.ts'
import { nodeFileSystem } from '../../src/adapters/file-system.ts'
import { createFiles } from '../../src/adapters/files.ts'
import { createGrantStore } from '../../src/adapters/grant-store.ts'
import { openHome } from '../../src/adapters/home.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import { createProfileStore } from '../../src/adapters/profile-store.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { GrantId } from '../../src/domain/grant.ts'
import { markOf, newGrantId } from '../../src/domain/grant.ts'
import { MAIN_AGENT, parseProfileId, providerOf } from '../../src/domain/names.ts'
import type { ProfileStore } from '../../src/domain/ports.ts'
import type { GrantStore, TokenEndpoint } from '../../src/domain/renewal-ports.ts'
import { withProfile } from '../../src/domain/profile.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts'
import { renewOnce } from '../../src/services/renewal-protocol.ts'
import { bookHome } from '../../src/services/token-home.ts'
import { judgeTokenAnswer } from '../../src/wire/token-response.ts'
import { createFamilies } from '../token-families.mjs'
import type { Trouble } from './failing-system.ts'
import { failing } from './failing-system.ts'

const PROFILE = parseProfileId('acme:me') ?? missing()
const FACTS = {
  tokenUrl: 'https://acme.invalid/oauth/token',
  clientId: 'c',
  scopes: [],
  body: 'form',
  replay: 'unknown',
} as const
const FOLLOWERS = 3
/** How long a disk refuses everything, ms. */
const LASTING: readonly number[] = [0, MINUTE_MS, Infinity]

function missing(): never {
  throw new Error('a name that is none')
}

interface Stores {
  readonly profiles: ProfileStore
  readonly grants: GrantStore
}

function openStoresOn(folder: string, system: FileSystem): Stores {
  const home = orThrow(openHome({ EQUABOT_STATE_DIR: folder }))
  const clock = createClock()
  const files = createFiles(system)
  const locks = createLocks({ clock, dir: home.locksDir })
  return {
    profiles: createProfileStore({ home, locks, files, clock }),
    grants: createGrantStore({ grantsDir: home.grantsDir, files, system }),
  }
}

async function once(folder: string, mode: 'strict' | 'grace', trouble: Trouble, lastsMs: number) {
  let now = Date.now()
  const begun = now
  const families = createFamilies({ now: () => now })
  const login = families.login({ mode, graceMs: HOUR_MS })
  const grant = newGrantId(providerOf(PROFILE), new Secret(login.refresh))
  const well = openStoresOn(folder, nodeFileSystem)
  const access = new Secret(login.access)
  const credential = {
    type: 'oauth' as const,
    access,
    refresh: new Secret(login.refresh),
    expiresAt: now - 1,
  }
  orThrow(
    await well.profiles.transact<void, never>(MAIN_AGENT, async (book) => {
      const entry = { id: PROFILE, credential, origin: 'equabot' as const }
      return ok({ book: withProfile(book, entry), value: undefined })
    }),
  )
  const sends: string[] = []
  const endpoint: TokenEndpoint = {
    async redeem({ fields }, beforeSend) {
      if (!(await beforeSend())) return { kind: 'held_back' }
      const refresh = fields['refresh_token']
      const { kind, issued } = families.redeem(refresh instanceof Secret ? refresh.reveal() : '')
      sends.push(kind)
      const content = issued
        ? { access_token: issued.access, refresh_token: issued.refresh, expires_in: 3600 }
        : { error: 'invalid_grant' }
      const body = new TextEncoder().encode(JSON.stringify(content))
      const answer = { status: issued ? 200 : 400, headers: {}, body, complete: true }
      return { kind: 'answered', answer }
    },
  }
  const renew = ({ profiles, grants }: Stores) =>
    renewOnce(
      {
        clock: {
          now: () => now,
          async sleep(ms) {
            now += ms
          },
        },
        stopwatch: () => ({ at: now, boot: 'one', upMs: now }),
        endpoint,
        judge: judgeTokenAnswer,
        random: Math.random,
        newId: () => String(sends.length),
        connectTimeoutMs: 1000,
      },
      {
        home: bookHome(profiles, MAIN_AGENT, PROFILE, (next) => ({ ...next, grantId: grant })),
        journal: grants.journal(grant),
        facts: FACTS,
        unwanted: markOf(access),
        urge: 'user',
      },
    )

  const { system, failed } = failing(trouble, () => now >= begun + lastsMs)
  const ends: string[] = [await renew(openStoresOn(folder, system))]
  const isStored = await holdsAnswer(well, grant, login.refresh)
  for (let follower = 0; follower < FOLLOWERS; follower += 1) {
    now += HOUR_MS / 60
    ends.push(await renew(openStoresOn(folder, nodeFileSystem)))
  }
  const stored = orThrow(await well.profiles.read(MAIN_AGENT)).book.profiles.get(PROFILE)
  const refresh = stored?.credential.type === 'oauth' ? stored.credential.refresh : undefined
  const verdict = (await openStoresOn(folder, nodeFileSystem).grants.verdict(grant))?.outcome.kind
  return {
    mode,
    ...trouble,
    isForGood: lastsMs === Infinity,
    failed: failed(),
    ends,
    sends,
    isStored,
    verdict,
    alive: families.get(login.family).alive,
    isCurrent: refresh?.reveal() === families.current(login.family).refresh,
  }
}

/** Whether the new tokens are on the disk: in the book, or as an answer in the journal. */
async function holdsAnswer(well: Stores, grant: GrantId, before: string): Promise<boolean> {
  const entry = orThrow(await well.profiles.read(MAIN_AGENT)).book.profiles.get(PROFILE)
  const refresh = entry?.credential.type === 'oauth' ? entry.credential.refresh : undefined
  if (refresh?.reveal() !== before) return true
  return orThrow(await well.grants.journal(grant).read()).answer !== undefined
}

const [, , folder = '', ...errors] = process.argv
for (const mode of ['strict', 'grace'] as const) {
  for (const errno of errors) {
    for (const lastsMs of LASTING) {
      for (let nth = 0; ; nth += 1) {
        const name = `${mode}-${errno}-${lastsMs}-${nth}`
        const trouble = { errno, nth, isLasting: lastsMs > 0 }
        const end = await once(join(folder, name), mode, trouble, lastsMs)
        if (end.failed === 0) break
        process.stdout.write(`${JSON.stringify(end)}\n`)
      }
    }
  }
}
