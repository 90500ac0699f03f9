/** Takes the logins of an older tool into a book. The tool's own files are only read. */

import type { Fault, StoreFault } from '../domain/fault.ts'
import type { ForeignOrigin, OwnerMarks } from '../domain/foreign.ts'
import type { AgentId, ProfileId, ProviderId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import { valueAt } from '../domain/plain-data.ts'
import type {
  Clock,
  LegacyFile,
  LegacyFiles,
  ProfileStore,
  SettingsEdit,
  SettingsStore,
} from '../domain/ports.ts'
import type { ProfileBook } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { fileStamp } from '../domain/time.ts'
import type { World } from '../domain/world.ts'
import type { ImportInput, ImportPlan } from './import-plan.ts'
import { planImport } from './import-plan.ts'
import { accepts, modeFor } from './vault.ts'
import type { LoadWorld } from './world.ts'

export interface ImportOrder {
  readonly agent?: AgentId
  readonly path: string
  /** Where a name holds another credential here, the imported one takes its place. */
  readonly replace: boolean
  /** The name for the one login that comes, by its provider. */
  readonly nameFor?: (provider: ProviderId) => Result<ProfileId, Fault>
  /** A person at a terminal has asked for this, so the system may ask them for permission. */
  readonly prompting?: boolean
}

/** More than anybody has; what holds more is not a file of logins. */
export const MAX_ENTRIES = 1_000

export interface ImportReport extends Omit<ImportPlan, 'book'> {
  readonly agent: AgentId
  readonly bookPath: string
  /** The files that were looked into, and why one could not be read. */
  readonly files: readonly { readonly path: string; readonly fault?: Fault }[]
  /** Whether the book changes. */
  readonly changes: boolean
  /** Copy of the book as it was; absent when there was none, or nothing was written. */
  readonly backup?: string
}

export interface Imports {
  /** What `run` would do. Writes nothing. @faults those of `run` that come before writing */
  rehearse(order: ImportOrder): Promise<Result<ImportReport, Fault>>
  /** @faults `EQ_IMPORT_*`, `EQ_AGENT_UNKNOWN`, `EQ_STORE_*`, `EQ_CONFIG_*`, those of `nameFor`; nothing is changed then */
  run(order: ImportOrder): Promise<Result<ImportReport, Fault>>
}

export interface ImportDeps {
  readonly loadWorld: LoadWorld
  readonly legacy: LegacyFiles
  readonly profiles: ProfileStore
  readonly settings: SettingsStore
  readonly clock: Clock
  /** Marks of the refresh tokens that stand in the homes of other programs, also of those that are switched off here. */
  readonly foreignMarks: (prompting: boolean) => Promise<ReadonlyMap<ForeignOrigin, OwnerMarks>>
  /** Marks of the refresh tokens of ours that have served. */
  readonly spentMarks: () => Promise<Result<ReadonlySet<string>, StoreFault>>
}

export function createImports(deps: ImportDeps): Imports {
  return {
    async rehearse(order) {
      const prepared = await prepare(deps, order)
      if (!prepared.ok) return prepared
      const { world, input, looked } = prepared.value
      const book = await deps.profiles.read(world.agent)
      if (!book.ok) return book
      const spent = await deps.spentMarks()
      if (!spent.ok) return spent
      const plan = planImport({ ...input, book: book.value.book, spentMarks: spent.value })
      if (!plan.ok) return plan
      const changes = plan.value.book !== book.value.book
      return ok(reportOf(deps, world, looked, plan.value, changes))
    },
    run: (order) => run(deps, order),
  }
}

interface Prepared {
  readonly world: World
  readonly input: Omit<ImportInput, 'book' | 'spentMarks'>
  readonly looked: readonly LegacyFile[]
}

async function prepare(
  deps: ImportDeps,
  { agent, path, replace, nameFor, prompting = false }: ImportOrder,
): Promise<Result<Prepared, Fault>> {
  const loaded = await deps.loadWorld(agent)
  if (!loaded.ok) return loaded
  const world = loaded.value
  const looked = await deps.legacy.read(path)
  if (!looked.ok) return looked
  const files = looked.value.flatMap((file) =>
    file.logins.ok ? [{ path: file.path, logins: file.logins.value }] : [],
  )
  if (files.every(({ logins }) => logins.entries.length === 0)) {
    const broken = looked.value.find((file) => !file.logins.ok)
    if (broken && !broken.logins.ok) return broken.logins
    const names = looked.value.map((file) => file.path).join(', ')
    return fail({ code: 'EQ_IMPORT_NOTHING', path, looked: names })
  }
  const endless = fileBeyond(MAX_ENTRIES, files)
  if (endless !== undefined) {
    return fail({ code: 'EQ_STORE_UNREADABLE', path: endless, errno: 'EFBIG' })
  }
  const elsewhere = await otherBooks(deps, world.agent)
  if (!elsewhere.ok) return elsewhere
  const own = await deps.profiles.read(world.agent)
  if (!own.ok) return own
  const broken = new Set(own.value.problems.flatMap(({ field }) => prefixesOf(field)))
  return ok({
    world,
    looked: looked.value,
    input: {
      world,
      elsewhere: elsewhere.value,
      unreadable: (id) => broken.has(`profiles.${id}`),
      foreignMarks: await deps.foreignMarks(prompting),
      files,
      replace,
      ...(nameFor && { nameFor }),
    },
  })
}

/** The first file whose entries, with those of the files before it, are more than `most`. */
function fileBeyond(most: number, files: ImportInput['files']): string | undefined {
  let count = 0
  return files.find(({ logins }) => (count += logins.entries.length) > most)?.path
}

/** `a.b.c`, `a.b`, `a`: a name may hold dots itself, so any of them may be the one that is meant. */
function prefixesOf(field: string): readonly string[] {
  const parts = field.split('.')
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'))
}

/** A login may stand in any agent's book; one that cannot be read might be its home, so that is a fault. */
async function otherBooks(
  deps: ImportDeps,
  agent: AgentId,
): Promise<Result<ImportInput['elsewhere'], Fault>> {
  const books: { readonly agent: AgentId; readonly book: ProfileBook }[] = []
  for (const other of await deps.profiles.agents()) {
    if (other === agent) continue
    const stored = await deps.profiles.read(other)
    if (!stored.ok) return stored
    books.push({ agent: other, book: stored.value.book })
  }
  return ok(books)
}

interface Saved {
  readonly plan: ImportPlan
  readonly changes: boolean
  readonly backup?: string
}

async function run(deps: ImportDeps, order: ImportOrder): Promise<Result<ImportReport, Fault>> {
  const prepared = await prepare(deps, order)
  if (!prepared.ok) return prepared
  const { world, input, looked } = prepared.value
  const ending = `before-import-${fileStamp(deps.clock.now())}`
  let edits: readonly AppliedEdit[] = []
  const saved = await deps.profiles.transact<Saved, Fault>(world.agent, async (before) => {
    // What has served is looked up under the lock: a renewal may have ended since the book was read.
    const spent = await deps.spentMarks()
    if (!spent.ok) return spent
    const planned = planImport({ ...input, book: before, spentMarks: spent.value })
    if (!planned.ok) return planned
    const plan = planned.value
    if (plan.book === before) return ok({ book: before, value: { plan, changes: false } })
    const backup = await deps.profiles.keepCopy(world.agent, ending)
    if (!backup.ok) return backup
    // The config first: once a login stands in the book it serves, and nobody may take it back.
    const edited = await editConfig(deps, plan, before)
    if (!edited.ok) return edited
    edits = edited.value
    const path = backup.value
    const value = { plan, changes: true, ...(path !== undefined && { backup: path }) }
    return ok({ book: plan.book, value })
  })
  if (!saved.ok) {
    await undoEdits(deps, edits)
    return saved
  }
  const { plan, changes, backup } = saved.value
  return ok({
    ...reportOf(deps, world, looked, plan, changes),
    ...(backup !== undefined && { backup }),
  })
}

/** An edit of the config, with what stood there before it. */
interface AppliedEdit extends SettingsEdit {
  readonly before: unknown
}

/** The book says that a profile is there, the config how it is used. */
async function editConfig(
  deps: ImportDeps,
  plan: ImportPlan,
  before: ProfileBook,
): Promise<Result<readonly AppliedEdit[], Fault>> {
  const ids = changedIds(plan, before)
  if (ids.length === 0) return ok([])
  let applied: readonly AppliedEdit[] = []
  const edited = await deps.settings.edit(({ settings, raw }) => {
    const modes = ids.flatMap((id) => {
      const credential = plan.book.profiles.get(id)?.credential
      if (!credential || accepts(settings, id, credential.type)) return []
      const value = { provider: providerOf(id), mode: modeFor(id, credential) }
      return [{ path: ['auth', 'profiles', id], value }]
    })
    const orders = [...settings.auth.order].flatMap(([provider, listed]) => {
      const known = new Set(listed)
      const fresh = ids.filter((id) => providerOf(id) === provider && !known.has(id))
      return fresh.length === 0
        ? []
        : [{ path: ['auth', 'order', provider], value: [...listed, ...fresh] }]
    })
    applied = [...modes, ...orders].map((edit) => ({ ...edit, before: valueAt(raw, edit.path) }))
    return applied
  })
  return edited.ok ? ok(applied) : edited
}

function changedIds(plan: ImportPlan, before: ProfileBook): readonly ProfileId[] {
  return [...plan.book.profiles]
    .filter(([id, profile]) => before.profiles.get(id) !== profile)
    .map(([id]) => id)
}

/** The config as it was, where nobody has changed it since, because the book could not be saved. Best effort. */
async function undoEdits({ settings }: ImportDeps, edits: readonly AppliedEdit[]): Promise<void> {
  if (edits.length === 0) return
  await settings.edit(({ raw }) =>
    edits
      .filter(({ path, value }) => JSON.stringify(valueAt(raw, path)) === JSON.stringify(value))
      .map(({ path, before }) => ({ path, value: before })),
  )
}

function reportOf(
  deps: ImportDeps,
  world: World,
  looked: readonly LegacyFile[],
  { entries, orders }: ImportPlan,
  changes: boolean,
): ImportReport {
  return {
    agent: world.agent,
    bookPath: deps.profiles.path(world.agent),
    files: looked.map(({ path, logins }) => ({ path, ...(!logins.ok && { fault: logins.fault }) })),
    entries,
    orders,
    changes,
  }
}
