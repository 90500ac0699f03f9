/** `equabot doctor`: what is wrong with this user's logins and files, and putting right what can be put right. */

import type { DoctorReport, Mended } from '../domain/doctor-report.ts'
import type { Fault } from '../domain/fault.ts'
import type { Finding, Severity } from '../domain/finding.ts'
import { finding, findingKey, isHealthy } from '../domain/finding.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { anyCredentialCheck, credentialsCheck, unusedCheck } from './doctor/credentials-check.ts'
import {
  clockCheck,
  filesCheck,
  fileSystemCheck,
  spaceCheck,
  stateFolderCheck,
  straysCheck,
} from './doctor/disk-check.ts'
import { foreignCheck, ownerLocksCheck } from './doctor/foreign-check.ts'
import {
  duplicatesCheck,
  grantsCheck,
  journalsCheck,
  renewalsCheck,
  twinsCheck,
} from './doctor/grants-check.ts'
import { mendAll } from './doctor/mend.ts'
import type { ExamineOptions, Sight, SightDeps } from './doctor/sight.ts'
import { loadedWorlds, lookAtAll } from './doctor/sight.ts'
import {
  agentsCheck,
  booksCheck,
  envCheck,
  ordersCheck,
  settingsCheck,
} from './doctor/stores-check.ts'

export type DoctorDeps = SightDeps

export interface Doctor {
  /**
   * Takes over the logins of other programs and, unless offline, renews what has ended; then looks.
   *
   * @param options.offline nothing is renewed, so nothing leaves this machine
   * @param options.onRenewal told before a login is renewed, which may take a while
   * @faults those of looking at the state folder itself
   */
  examine(options: ExamineOptions): Promise<Result<DoctorReport, Fault>>
  /** Puts right what it can, with a copy of every file whose content it changes. One that fails does not stop the others. */
  mend(report: DoctorReport): Promise<readonly Mended[]>
}

export function createDoctor(deps: DoctorDeps): Doctor {
  return {
    async examine(options) {
      const sight = await lookAtAll(deps, options)
      return sight.ok ? ok(reportOf(sight.value)) : sight
    },
    mend: ({ findings }) => mendAll(deps, findings),
  }
}

interface Check {
  readonly name: string
  readonly run: (sight: Sight) => readonly Finding[]
  /** It judges what only readable settings give. */
  readonly needsSettings?: true
}

const CHECKS: readonly Check[] = [
  { name: 'state folder', run: stateFolderCheck },
  { name: 'files', run: filesCheck },
  { name: 'leftovers', run: straysCheck },
  { name: 'disk space', run: spaceCheck },
  { name: 'file system', run: fileSystemCheck },
  { name: 'clock', run: clockCheck },
  { name: 'settings', run: settingsCheck },
  { name: '.env', run: envCheck },
  { name: 'books', run: booksCheck },
  { name: 'agents', run: agentsCheck, needsSettings: true },
  { name: 'orders', run: ordersCheck, needsSettings: true },
  { name: 'foreign logins', run: foreignCheck, needsSettings: true },
  { name: 'locks of other programs', run: ownerLocksCheck },
  { name: 'duplicates', run: duplicatesCheck, needsSettings: true },
  { name: 'copies of foreign logins', run: twinsCheck, needsSettings: true },
  { name: 'renewal', run: renewalsCheck, needsSettings: true },
  { name: 'grants', run: grantsCheck, needsSettings: true },
  { name: 'journals', run: journalsCheck, needsSettings: true },
  { name: 'credentials', run: credentialsCheck, needsSettings: true },
  { name: 'any credential', run: anyCredentialCheck, needsSettings: true },
  { name: 'unused profiles', run: unusedCheck, needsSettings: true },
]

const GRAVITY: Readonly<Record<Severity, number>> = { error: 0, warn: 1, info: 2 }

function reportOf(sight: Sight): DoctorReport {
  const isMade = (check: Check): boolean => sight.settings.ok || !check.needsSettings
  const findings = CHECKS.filter(isMade)
    .flatMap((check) => checked(check, sight))
    .toSorted((a, b) => GRAVITY[a.severity] - GRAVITY[b.severity])
  return {
    now: sight.now,
    ok: isHealthy(findings),
    findings: [...new Map(findings.map((found) => [findingKey(found), found])).values()],
    adopted: sight.adoption.changes,
    looked: {
      files: sight.state.entries.length,
      agents: sight.books.size,
      profiles: loadedWorlds(sight).reduce(
        (sum, { agent, book }) =>
          sum + [...book.profiles.values()].filter(({ home }) => home === agent).length,
        0,
      ),
      checks: CHECKS.filter(isMade).map(({ name }) => name),
      skipped: CHECKS.filter((check) => !isMade(check)).map(({ name }) => name),
    },
  }
}

/** One check that fails, which is a fault of ours, does not stop the others. */
function checked({ name, run }: Check, sight: Sight): readonly Finding[] {
  try {
    return run(sight)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.name : 'unknown'
    return [finding({ code: 'DR_CHECK_FAILED', check: name, detail })]
  }
}
