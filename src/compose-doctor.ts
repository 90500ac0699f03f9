/** Doctor on this machine: a part of `compose.ts` that few commands load. */

import { envLines } from './adapters/file-check.ts'
import { createForsakenLocks } from './adapters/forsaken-locks.ts'
import type { Home } from './adapters/home.ts'
import { claudePlaces } from './adapters/owner-places.ts'
import { grantLock } from './adapters/renewal-helper.ts'
import { createStateInspection } from './adapters/state-inspection.ts'
import type { Stores } from './compose-stores.ts'
import { ok } from './domain/result.ts'
import { MINUTE_MS } from './domain/time.ts'
import type { Doctor } from './services/doctor.ts'
import { createDoctor } from './services/doctor.ts'
import type { Foreign } from './services/foreign.ts'
import type { Renewals } from './services/renewal.ts'
import type { LoadWorld } from './services/world.ts'
import { secretFields } from './wire/settings-secrets.ts'

/** How long doctor waits for one renewal; the helper goes on afterwards. */
const RENEWAL_WAIT_MS: number = MINUTE_MS

export function composeDoctor(given: {
  readonly home: Home
  readonly stores: Stores
  readonly loadWorld: LoadWorld
  readonly foreign: Foreign
  readonly renewals: Renewals
  /** A person at a terminal has asked, so the system may ask them for permission. */
  readonly prompting: boolean
}): Doctor {
  const { home, stores, loadWorld, foreign, renewals, prompting } = given
  const { clock, files, locks, settings, profiles, foreignOff } = stores
  return createDoctor({
    clock,
    settings,
    profiles,
    loadWorld,
    inspection: createStateInspection({ home, files, clock }),
    ownerLocks: createForsakenLocks(foreignOff ? undefined : claudePlaces(home.variables)?.dir),
    envLines: () => envLines({ home, files }),
    literalSecrets: secretFields,
    async holdGrant(grant) {
      const lock = await locks.tryHold(grantLock(grant))
      if (!lock.ok || !lock.value) return lock.ok ? ok(undefined) : lock
      const { release } = lock.value
      const page = await stores.grants.journal(grant).read()
      // The answer to a renewal that was killed may lie there, and belongs to the copy that was renewed.
      if (page.ok && !page.value.attempt) return ok(release)
      release()
      return page.ok ? ok(undefined) : page
    },
    async adopt() {
      const { sources, fault } = await foreign.adopt({ prompting })
      return {
        changes: sources
          .filter(({ outcome }) => outcome === 'added' || outcome === 'updated')
          .map(({ profile, outcome }) => ({ profile, outcome })),
        faults: [
          ...sources.flatMap((source) => source.fault ?? source.remark ?? []),
          ...(fault ? [fault] : []),
        ],
      }
    },
    renew: (agent, profile) =>
      renewals.renew({ agent, profile, urge: 'use', waitMs: RENEWAL_WAIT_MS }),
  })
}
