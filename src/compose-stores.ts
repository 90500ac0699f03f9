/** What the program and its helper share: the stores on this machine, and the world that is read from them. */

import { join } from 'node:path'

import type { ClaudeCode } from './adapters/claude-code.ts'
import { createClaudeCode } from './adapters/claude-code.ts'
import { createClock, createStopwatch } from './adapters/clock.ts'
import { createCodexCli } from './adapters/codex-cli.ts'
import { createEnvironmentReader } from './adapters/environment.ts'
import type { Files } from './adapters/files.ts'
import { createFiles } from './adapters/files.ts'
import { fingerprint } from './adapters/fingerprint.ts'
import { createGatewayFiles } from './adapters/gateway-files.ts'
import { createGrantStore } from './adapters/grant-store.ts'
import type { Home } from './adapters/home.ts'
import { createKeychain } from './adapters/keychain.ts'
import type { Locks } from './adapters/lock.ts'
import { createLocks } from './adapters/lock.ts'
import { createLog, createLogFile, writeToStderr } from './adapters/log.ts'
import { claudePlaces, codexFile } from './adapters/owner-places.ts'
import { createProfileStore } from './adapters/profile-store.ts'
import { createSessionStore } from './adapters/sessions.ts'
import { createSettingsStore } from './adapters/settings.ts'
import { createShellEnvironment } from './adapters/shell-env.ts'
import { createStateStore } from './adapters/state-store.ts'
import type { StoreFault } from './domain/fault.ts'
import type { ForeignOrigin, ForeignReading, OwnerMarks } from './domain/foreign.ts'
import type {
  Clock,
  EnvironmentReader,
  GatewayFiles,
  Log,
  ProfileStore,
  SessionStore,
  SettingsStore,
  StateStore,
} from './domain/ports.ts'
import type { ForeignSource, GrantStore, Stopwatch } from './domain/renewal-ports.ts'
import type { Result } from './domain/result.ts'
import { ok } from './domain/result.ts'
import type { Foreign, ForeignSync } from './services/foreign.ts'
import { createForeign } from './services/foreign.ts'
import type { SpentNow } from './services/spending.ts'
import type { LoadWorld } from './services/world.ts'
import { createLoadWorld } from './services/world.ts'

export interface Stores {
  readonly clock: Clock
  readonly stopwatch: Stopwatch
  readonly files: Files
  readonly locks: Locks
  readonly grants: GrantStore
  readonly log: Log
  readonly logToStderr: (wanted: boolean) => void
  readonly settings: SettingsStore
  readonly profiles: ProfileStore
  readonly states: StateStore
  readonly sessions: SessionStore
  readonly gatewayFiles: GatewayFiles
  readonly environment: EnvironmentReader
  readonly foreign: ForeignHomes
  /** `EQUABOT_FOREIGN_LOGINS=0` */
  readonly foreignOff: boolean
}

/** The homes of other programs' logins, as far as their folders can be told. */
export interface ForeignHomes {
  readonly claudeCode?: ClaudeCode
  readonly codexCli?: ForeignSource
}

/** What stands on this machine's disk and in its environment. */
export function openStores(home: Home): Stores {
  const clock = createClock()
  const files = createFiles()
  const locks = createLocks({ clock, dir: home.locksDir })
  const logFile = createLogFile(join(home.logsDir, 'equabot.log'))
  let echo = false
  const log = createLog({
    clock,
    write(line) {
      logFile(line)
      if (echo) writeToStderr(line)
    },
  })
  const settings = createSettingsStore({ home, locks, files })
  const profiles = createProfileStore({ clock, home, locks, files })
  const states = createStateStore({ clock, home, locks, files })
  const sessions = createSessionStore({ home, locks, files })
  const gatewayFiles = createGatewayFiles({ clock, home, locks, files })
  const grants = createGrantStore({ grantsDir: home.grantsDir, files })
  const environment = createEnvironmentReader({
    variables: home.variables,
    envFilePath: home.envFilePath,
    files,
    shell: createShellEnvironment({ variables: home.variables }),
  })
  return {
    clock,
    stopwatch: createStopwatch(),
    files,
    locks,
    grants,
    log,
    logToStderr: (wanted: boolean) => {
      echo = wanted
    },
    settings,
    profiles,
    states,
    sessions,
    gatewayFiles,
    environment,
    foreign: openForeignHomes(home, clock, files),
    foreignOff: home.variables.get('EQUABOT_FOREIGN_LOGINS')?.trim() === '0',
  }
}

function openForeignHomes({ variables, stateDir }: Home, clock: Clock, files: Files): ForeignHomes {
  const places = claudePlaces(variables)
  const codex = codexFile(variables)
  const refusalsPath = join(stateDir, 'keychain-refused.json')
  const keychain = createKeychain({ variables, files, clock, refusalsPath })
  return {
    ...(places && {
      claudeCode: createClaudeCode({
        places,
        keychain,
        clock,
        ledger: join(stateDir, 'owner-locks'),
      }),
    }),
    ...(codex !== undefined && { codexCli: createCodexCli({ place: codex, clock }) }),
  }
}

/**
 * What a choice depends on, and what takes over logins that other programs have renewed.
 *
 * @param spentNow what budgets have been used of; absent: a world that chooses nobody
 */
export function openWorld(
  stores: Stores,
  spentNow?: SpentNow,
): {
  readonly loadWorld: LoadWorld
  readonly foreign: Foreign
  readonly adopt: () => Promise<ForeignSync>
} {
  const foreign = createForeign({
    sources: sourcesOf(stores.foreign),
    profiles: stores.profiles,
    settings: stores.settings,
    clock: stores.clock,
    log: stores.log,
    switchedOff: stores.foreignOff,
  })
  const loadWorld = createLoadWorld({
    clock: stores.clock,
    settings: stores.settings,
    environment: stores.environment,
    profiles: stores.profiles,
    states: stores.states,
    fingerprint,
    grants: stores.grants,
    stopwatch: stores.stopwatch,
    foreign: () => foreign.views(),
    foreignOff: stores.foreignOff,
    ...(spentNow && { spentNow }),
  })
  return { loadWorld, foreign, adopt: () => foreign.adopt() }
}

export function sourcesOf({ claudeCode, codexCli }: ForeignHomes): readonly ForeignSource[] {
  return [...(claudeCode ? [claudeCode] : []), ...(codexCli ? [codexCli] : [])]
}

/**
 * Marks of the refresh tokens that belong to other programs, also of those that are switched off.
 *
 * @param prompting a person at a terminal has asked for this
 */
export async function marksOfOwners(
  { claudeCode, codexCli }: ForeignHomes,
  prompting: boolean,
): Promise<ReadonlyMap<ForeignOrigin, OwnerMarks>> {
  const [claude, codex] = await Promise.all([claudeCode?.read(prompting), codexCli?.read()])
  // Nobody may be asked for the Keychain: what it holds is not known.
  const isHidden = process.platform === 'darwin' && !prompting
  return new Map([
    ['claude-code', isHidden ? 'unknown' : marksIn(claude)],
    ['codex-cli', marksIn(codex)],
  ])
}

function marksIn(reading: ForeignReading | undefined): OwnerMarks {
  if (!reading) return 'unknown'
  if (!reading.ok) return reading.fault.code === 'EQ_FOREIGN_KEY_ONLY' ? new Set() : 'unknown'
  const { refreshMark, fallback } = reading.value ?? {}
  if (fallback) return 'unknown'
  return new Set(refreshMark === undefined ? [] : [refreshMark])
}

/**
 * Marks of the refresh tokens of ours that have served, or may have: of one that was sent, nothing more is known until
 * its renewal has ended.
 */
export async function marksOfSpent(
  grants: Pick<GrantStore, 'list' | 'journal'>,
): Promise<Result<ReadonlySet<string>, StoreFault>> {
  const marks = new Set<string>()
  for (const grant of await grants.list()) {
    const page = await grants.journal(grant).read()
    if (!page.ok) return page
    const { spent, attempt } = page.value
    for (const mark of spent.keys()) marks.add(mark)
    if (attempt && attempt !== 'torn' && attempt.phase === 'sent') marks.add(attempt.attempt.token)
  }
  return ok(marks)
}
