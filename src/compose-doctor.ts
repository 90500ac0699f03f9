/** Doctor on this machine: a part of `compose.ts` that few commands load. */

import { envLines } from './adapters/file-check.ts'
import type { Files } from './adapters/files.ts'
import type { Home } from './adapters/home.ts'
import { claudeFolder, createOwnerLocks } from './adapters/forsaken-locks.ts'
import { createStateInspection } from './adapters/state-inspection.ts'
import type { Doctor, DoctorDeps } from './services/doctor.ts'
import { createDoctor } from './services/doctor.ts'
import { secretFields } from './wire/settings-secrets.ts'

type Given = Pick<
  DoctorDeps,
  'clock' | 'settings' | 'profiles' | 'loadWorld' | 'adopt' | 'renew'
> & { readonly home: Home; readonly files: Files }

export function composeDoctor(given: Given): Doctor {
  const { home, files, clock, settings, profiles, loadWorld, adopt, renew } = given
  return createDoctor({
    clock,
    settings,
    profiles,
    loadWorld,
    ...(adopt && { adopt }),
    ...(renew && { renew }),
    inspection: createStateInspection({ home, files, clock }),
    ownerLocks: createOwnerLocks(claudeFolder(home.variables)),
    envLines: () => envLines({ home, files }),
    literalSecrets: secretFields,
  })
}
