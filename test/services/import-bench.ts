/** Imports in a house of doubles, from the files of an older tool. */

import type { Credential } from '../../src/domain/credential.ts'
import type { StoreFault } from '../../src/domain/fault.ts'
import type { OwnerMarks } from '../../src/domain/foreign.ts'
import type { LegacyEntry } from '../../src/domain/legacy.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import type {
  FileProblem,
  LegacyFile,
  ProfileStore,
  SettingsStore,
} from '../../src/domain/ports.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { ImportOrder, ImportReport, Imports } from '../../src/services/import.ts'
import { createImports } from '../../src/services/import.ts'
import { aProfile } from '../../src/testing.ts'
import { provider } from '../names-from.ts'
import type { Furnishing, House } from './house.ts'
import { house } from './house.ts'

export const FROM: string = '/home/me/.older/agents/main/agent/auth-profiles.json'

export interface Bench extends House {
  readonly imports: Imports
}

export interface Tool {
  readonly entries?: readonly LegacyEntry[]
  readonly order?: Readonly<Record<string, readonly ProfileId[]>>
  /** More files, after the first one. */
  readonly more?: readonly LegacyFile[]
  readonly claudeMarks?: OwnerMarks
  readonly spentMarks?: readonly string[]
  readonly spentFault?: StoreFault
  readonly settings?: () => Partial<SettingsStore>
  readonly transact?: (store: ProfileStore) => ProfileStore['transact']
  /** Entries of our own file that cannot be read. */
  readonly problems?: readonly FileProblem[]
}

export function bench(tool: Tool, furnishing: Furnishing = {}): Bench {
  const at = house(furnishing)
  const order = new Map(
    Object.entries(tool.order ?? {}).map(([id, ids]) => [provider(id), ids] as const),
  )
  const first: LegacyFile = { path: FROM, logins: ok({ entries: tool.entries ?? [], order }) }
  const imports = createImports({
    ...at,
    legacy: { read: async () => ok([first, ...(tool.more ?? [])]) },
    settings: { ...at.settings, ...tool.settings?.() },
    profiles: {
      ...at.profiles,
      transact: tool.transact?.(at.profiles) ?? at.profiles.transact,
      async read(who) {
        const stored = await at.profiles.read(who)
        return stored.ok ? ok({ ...stored.value, problems: tool.problems ?? [] }) : stored
      },
    },
    foreignMarks: async () => new Map([['claude-code', tool.claudeMarks ?? new Set()]]),
    spentMarks: async () =>
      tool.spentFault ? fail(tool.spentFault) : ok(new Set(tool.spentMarks)),
  })
  return { ...at, imports }
}

export const brings = (...profiles: readonly Profile[]): readonly LegacyEntry[] =>
  profiles.map((entry) => ({ name: entry.id, login: ok(entry) }))

export const key = (id: string, secret: string): Profile =>
  aProfile(id, { credential: { type: 'api_key', key: new Secret(secret) } })

export const oauth = (id: string, refresh: string, more: Partial<Credential> = {}): Profile =>
  aProfile(id, {
    credential: {
      type: 'oauth',
      access: new Secret(`access-beside-${refresh}`),
      refresh: new Secret(refresh),
      ...more,
    } as Credential,
  })

export const ORDER: ImportOrder = { path: '/home/me/.older', replace: false }

export function outcomes(report: ImportReport): Record<string, unknown> {
  return Object.fromEntries(
    report.entries.map(({ name, outcome: { kind, ...rest } }) => [
      name,
      'why' in rest ? `${kind}: ${rest.why.code}` : kind,
    ]),
  )
}
