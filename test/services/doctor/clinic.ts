/** A doctor over stores in memory, a disk that is told what it holds, and worlds that can be patched. */

import type { DoctorReport } from '../../../src/domain/doctor-report.ts'
import { orThrow } from '../../../src/domain/equabot-error.ts'
import type { Finding } from '../../../src/domain/finding.ts'
import type { FindingCode } from '../../../src/domain/finding-fact.ts'
import { findingKey } from '../../../src/domain/finding.ts'
import type {
  OwnerLocks,
  SeenEntry,
  SeenLock,
  StateInspection,
  StateSight,
} from '../../../src/domain/inspection.ts'
import { ok } from '../../../src/domain/result.ts'
import type { World } from '../../../src/domain/world.ts'
import type { Doctor, DoctorDeps } from '../../../src/services/doctor.ts'
import { createDoctor } from '../../../src/services/doctor.ts'
import { aBook, aProfile, FAKE_NOW } from '../../../src/testing.ts'
import type { Furnishing, House } from '../house.ts'
import { house } from '../house.ts'

export interface Illness extends Furnishing {
  /** Files and folders of the state folder besides the healthy ones, by their path below it. */
  readonly entries?: Readonly<Record<string, Partial<SeenEntry>>>
  readonly state?: Partial<StateSight>
  readonly locks?: readonly SeenLock[]
  /** What the world of every agent is besides. */
  readonly world?: Partial<World>
  readonly deps?: Partial<DoctorDeps>
}

export interface Clinic extends House {
  readonly doctor: Doctor
  /** What the doctor works with. */
  readonly deps: DoctorDeps
  /** Calls that changed the disk, in order: `keepToOwner /state/.env`. */
  readonly done: readonly string[]
  /** Locks as they are now; tests may touch or take them. */
  readonly locks: SeenLock[]
  examine(offline?: boolean): Promise<DoctorReport>
  /** Codes of the findings of one kind, or all. */
  codes(offline?: boolean): Promise<readonly FindingCode[]>
}

const HEALTHY: Readonly<Record<string, Partial<SeenEntry>>> = {
  '': { kind: 'folder', mode: 0o700 },
  'equabot.json': {},
  '.env': {},
  'gateway-token': {},
  agents: { kind: 'folder', mode: 0o700 },
  'agents/main/agent/auth-profiles.json': {},
}

/** A machine with one healthy login, and what ails it. */
export function clinic(illness: Illness = {}): Clinic {
  const home = house({
    books: { main: aBook(aProfile('anthropic:work')) },
    config: {},
    ...illness,
  })
  const done: string[] = []
  const locks = [...(illness.locks ?? [])]
  const deps: DoctorDeps = {
    clock: home.clock,
    settings: home.settings,
    profiles: home.profiles,
    async loadWorld(agent) {
      const world = await home.loadWorld(agent)
      return world.ok ? ok({ ...world.value, ...illness.world }) : world
    },
    inspection: fakeInspection(sightOf(illness), done),
    ownerLocks: fakeLocks(locks, done),
    envLines: async () => [],
    holdGrant: async () => ok(() => undefined),
    literalSecrets: () => [],
    ...illness.deps,
  }
  const doctor = createDoctor(deps)
  const examine = async (offline = true): Promise<DoctorReport> =>
    orThrow(await doctor.examine({ offline }))
  return {
    ...home,
    doctor,
    deps,
    done,
    locks,
    examine,
    codes: async (offline) => (await examine(offline)).findings.map(({ code }) => code),
  }
}

/** The finding with this code; throws when there is none, or more than one. */
export function only<C extends FindingCode>(
  report: DoctorReport,
  code: C,
): Extract<Finding, { readonly code: C }> {
  const found = report.findings.filter(
    (entry): entry is Extract<Finding, { readonly code: C }> => entry.code === code,
  )
  const [first] = found
  if (!first || found.length > 1) {
    throw new Error(`${found.length} of ${code} in:\n${report.findings.map(findingKey).join('\n')}`)
  }
  return first
}

function sightOf({ entries = {}, state = {} }: Illness): StateSight {
  const all = Object.entries({ ...HEALTHY, ...entries }).map(([below, given]): SeenEntry => ({
    path: below === '' ? '/state' : `/state/${below}`,
    kind: 'file',
    mode: 0o600,
    isOurs: true,
    links: 1,
    modifiedAt: FAKE_NOW - 1_000,
    ...given,
  }))
  return {
    root: '/state',
    realRoot: '/state',
    exists: true,
    isShared: false,
    entries: all,
    cut: false,
    unlistable: [],
    freeBytes: 10 ** 10,
    settingsPath: '/state/equabot.json',
    envPath: '/state/.env',
    ...state,
  }
}

function fakeInspection(sight: StateSight, done: string[]): StateInspection {
  const note = (what: string) => async (path: string) => {
    done.push(`${what} ${path}`)
    return ok()
  }
  return {
    look: async () => ok(sight),
    keepToOwner: note('keepToOwner'),
    removeStray: note('removeStray'),
    removeJournal: note('removeJournal'),
    async backUp(path) {
      done.push(`backUp ${path}`)
      return ok(`${path}.before-doctor`)
    },
  }
}

function fakeLocks(locks: SeenLock[], done: string[]): OwnerLocks {
  return {
    look: async () => [...locks],
    async remove(lock) {
      done.push(`remove ${lock.path}`)
      const at = locks.findIndex(({ path }) => path === lock.path)
      if (at >= 0) locks.splice(at, 1)
      return ok(at >= 0)
    },
  }
}
