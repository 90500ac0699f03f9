/** Takes the logins of an older tool into a book. The tool's own files are only read. */

import type { Fault } from '../domain/fault.ts'
import type { AgentId, ProfileId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type {
  Clock,
  LegacyFile,
  LegacyFiles,
  ProfileStore,
  SettingsStore,
} from '../domain/ports.ts'
import type { ProfileBook } from '../domain/profile.ts'
import { withoutProfile, withProfile } from '../domain/profile.ts'
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
}

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
  /** @faults `EQ_IMPORT_NOTHING`, `EQ_IMPORT_SELF`, `EQ_AGENT_UNKNOWN`, `EQ_STORE_*`, `EQ_CONFIG_*`; nothing is changed then */
  run(order: ImportOrder): Promise<Result<ImportReport, Fault>>
}

export interface ImportDeps {
  readonly loadWorld: LoadWorld
  readonly legacy: LegacyFiles
  readonly profiles: ProfileStore
  readonly settings: SettingsStore
  readonly clock: Clock
  /** Marks of the refresh tokens that stand in the homes of other programs, also of those that are switched off here. */
  readonly foreignMarks: () => Promise<ReadonlySet<string>>
}

export function createImports(deps: ImportDeps): Imports {
  return {
    async rehearse(order) {
      const prepared = await prepare(deps, order)
      if (!prepared.ok) return prepared
      const { world, input, looked } = prepared.value
      const book = await deps.profiles.read(world.agent)
      if (!book.ok) return book
      const plan = planImport({ ...input, book: book.value.book })
      return ok(reportOf(deps, world, looked, plan, plan.book !== book.value.book))
    },
    run: (order) => run(deps, order),
  }
}

interface Prepared {
  readonly world: World
  readonly input: Omit<ImportInput, 'book'>
  readonly looked: readonly LegacyFile[]
}

async function prepare(
  deps: ImportDeps,
  { agent, path, replace }: ImportOrder,
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
  const elsewhere = await otherBooks(deps, world.agent)
  if (!elsewhere.ok) return elsewhere
  const own = await deps.profiles.read(world.agent)
  if (!own.ok) return own
  const broken = own.value.problems.map(({ field }) => field)
  return ok({
    world,
    looked: looked.value,
    input: {
      world,
      elsewhere: elsewhere.value,
      unreadable: (id) => broken.some((field) => `${field}.`.startsWith(`profiles.${id}.`)),
      foreignMarks: await deps.foreignMarks(),
      files,
      replace,
    },
  })
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
  readonly before: ProfileBook
  readonly backup?: string
}

async function run(deps: ImportDeps, order: ImportOrder): Promise<Result<ImportReport, Fault>> {
  const prepared = await prepare(deps, order)
  if (!prepared.ok) return prepared
  const { world, input, looked } = prepared.value
  const ending = `before-import-${fileStamp(deps.clock.now())}`
  const saved = await deps.profiles.transact<Saved, Fault>(world.agent, async (before) => {
    const plan = planImport({ ...input, book: before })
    if (plan.book === before) return ok({ book: before, value: { plan, before } })
    const backup = await deps.profiles.keepCopy(world.agent, ending)
    if (!backup.ok) return backup
    const path = backup.value
    const value = { plan, before, ...(path !== undefined && { backup: path }) }
    return ok({ book: plan.book, value })
  })
  if (!saved.ok) return saved
  const { plan, before, backup } = saved.value
  const edited = await editConfig(deps, plan, before)
  if (!edited.ok) {
    const undone = await takeBack(deps, world.agent, saved.value)
    return undone.ok ? edited : undone
  }
  return ok({
    ...reportOf(deps, world, looked, plan, plan.book !== before),
    ...(backup !== undefined && { backup }),
  })
}

/** The book says that a profile is there, the config how it is used. */
async function editConfig(
  deps: ImportDeps,
  plan: ImportPlan,
  before: ProfileBook,
): Promise<Result<void, Fault>> {
  const ids = changedIds(plan, before)
  if (ids.length === 0) return ok()
  const edited = await deps.settings.edit(({ settings }) => {
    const modes = ids.flatMap((id) => {
      const credential = plan.book.profiles.get(id)?.credential
      if (!credential || accepts(settings, id, credential.type)) return []
      const value = { provider: providerOf(id), mode: modeFor(id, credential) }
      return [{ path: ['auth', 'profiles', id], value }]
    })
    const orders = [...settings.auth.order].flatMap(([provider, listed]) => {
      const fresh = ids.filter((id) => providerOf(id) === provider && !listed.includes(id))
      return fresh.length === 0
        ? []
        : [{ path: ['auth', 'order', provider], value: [...listed, ...fresh] }]
    })
    return [...modes, ...orders]
  })
  return edited.ok ? ok() : edited
}

function changedIds(plan: ImportPlan, before: ProfileBook): readonly ProfileId[] {
  return [...plan.book.profiles]
    .filter(([id, profile]) => before.profiles.get(id) !== profile)
    .map(([id]) => id)
}

/** The book as it was before, where nobody has changed it since, because the config could not be written. */
function takeBack(
  deps: ImportDeps,
  agent: AgentId,
  { plan, before }: Saved,
): Promise<Result<void, Fault>> {
  const ids = changedIds(plan, before)
  return deps.profiles.transact<void, never>(agent, async (book) => {
    const profiles = ids.reduce((kept, id) => {
      const previous = before.profiles.get(id)
      return previous ? withProfile(kept, previous) : withoutProfile(kept, id)
    }, book)
    const order = new Map(profiles.order)
    for (const provider of plan.orders) order.delete(provider)
    for (const [provider, listed] of before.order) order.set(provider, listed)
    return ok({ book: { ...profiles, order }, value: undefined })
  })
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
