/** Reads everything that a choice depends on, once, for one agent. Changes nothing. */

import { budgetsOf } from '../domain/budget.ts'
import type { AgentState } from '../domain/cooldown.ts'
import type { Fault, StoreFault } from '../domain/fault.ts'
import type { ForeignView } from '../domain/foreign.ts'
import { besideCopy } from '../domain/foreign.ts'
import type { AgentId } from '../domain/names.ts'
import { MAIN_AGENT } from '../domain/names.ts'
import type {
  Clock,
  EnvironmentReader,
  Fingerprint,
  ProfileStore,
  SettingsStore,
  StateStore,
  StoredBook,
} from '../domain/ports.ts'
import type { GrantStore, Stopwatch } from '../domain/renewal-ports.ts'
import type { EffectiveBook } from '../domain/profile.ts'
import { effectiveBook, EMPTY_BOOK } from '../domain/profile.ts'
import type { ProviderTable } from '../domain/provider.ts'
import { providerTable } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Settings } from '../domain/settings.ts'
import { agentsOf, defaultAgent } from '../domain/settings.ts'
import type { World } from '../domain/world.ts'
import { referencedNames } from '../domain/world.ts'
import { unknownAgent } from '../domain/unknown.ts'
import type { ForeignSync } from './foreign.ts'
import { grantViews } from './grant-views.ts'
import type { SpentNow } from './spending.ts'

export interface WorldDeps {
  readonly clock: Clock
  readonly settings: SettingsStore
  readonly environment: EnvironmentReader
  readonly profiles: ProfileStore
  readonly states: StateStore
  readonly fingerprint: Fingerprint
  readonly grants: Pick<GrantStore, 'verdict' | 'spent'>
  readonly stopwatch: Stopwatch
  /** Logins of other programs as they are now. */
  readonly foreign: () => Promise<readonly ForeignView[]>
  /** `EQUABOT_FOREIGN_LOGINS=0`; absent: no. */
  readonly foreignOff?: boolean
  /** What the profiles with a budget have used of it; absent: nothing. */
  readonly spentNow?: SpentNow
}

/**
 * The world of an agent; of the default agent when none is named.
 *
 * A book that cannot be read does not stop this: it is in `bookFault`, and what does not depend on it still works.
 *
 * @faults `EQ_AGENT_UNKNOWN`, the settings' faults, `EQ_STORE_UNREADABLE` for the `.env` file
 */
export type LoadWorld = (agent?: AgentId) => Promise<Result<World, Fault>>

export function createLoadWorld(deps: WorldDeps): LoadWorld {
  return async function loadWorld(wanted) {
    const loaded = await deps.settings.read()
    if (!loaded.ok) return loaded
    const { settings } = loaded.value
    const agent = wanted ?? defaultAgent(settings)
    const known = await knownAgent(deps, settings, agent)
    if (!known.ok) return known

    const providers = providerTable(settings.models.providers)
    const environment = await deps.environment.read(
      settings.env,
      variableNames(settings, providers),
    )
    if (!environment.ok) return environment
    const books = await readBooks(deps, agent)
    const state = await readState(deps, agent, books)

    const foreign = (await deps.foreign()).map((view) => besideBook(view, books))
    const grants = await grantViews(deps, books.book, settings, providers, foreign)

    const now = deps.clock.now()
    const spent = await deps.spentNow?.(settings)
    return ok({
      agent,
      now,
      budgets: spent ? budgetsOf(settings, spent, now) : new Map(),
      moment: deps.stopwatch(),
      grants,
      foreign,
      foreignOff: deps.foreignOff ?? false,
      settings,
      providers,
      book: books.book,
      bookPath: deps.profiles.path,
      ...(books.fault && { bookFault: books.fault }),
      environment: environment.value,
      state,
      fingerprint: deps.fingerprint,
    })
  }
}

/**
 * The world as a request meets it: what other programs hold by now is taken over first.
 *
 * What could not be stored does not serve, and the world says so.
 */
export function createResolveWorld(
  loadWorld: LoadWorld,
  adopt: () => Promise<Pick<ForeignSync, 'notStored'>>,
): LoadWorld {
  return async function resolveWorld(agent) {
    const { notStored } = await adopt()
    const loaded = await loadWorld(agent)
    return loaded.ok && notStored ? ok({ ...loaded.value, notStored }) : loaded
  }
}

/** Only what was taken over before is kept. A book that cannot be read does not say. */
function besideBook(view: ForeignView, { main, fault }: Books): ForeignView {
  const { reading } = view
  if (reading.ok || fault) return view
  return { ...view, reading: fail(besideCopy(reading.fault, main.book)) }
}

interface Books {
  readonly book: EffectiveBook
  readonly own: StoredBook
  readonly main: StoredBook
  readonly fault?: StoreFault
}

const NOTHING: StoredBook = {
  book: EMPTY_BOOK,
  problems: [],
  legacyState: { profiles: new Map(), models: new Map() },
}

async function knownAgent(
  deps: WorldDeps,
  settings: Settings,
  agent: AgentId,
): Promise<Result<void, Fault>> {
  const configured = agentsOf(settings).map((entry) => entry.id)
  if (configured.includes(agent)) return ok()
  const known = [...new Set([...configured, ...(await deps.profiles.agents())])]
  if (known.includes(agent)) return ok()
  return fail(unknownAgent(agent, known))
}

function variableNames(settings: Settings, providers: ProviderTable): readonly string[] {
  const names = [...providers.values()].flatMap((facts) => facts.variables)
  for (const { apiKey, headers } of settings.models.providers.values()) {
    for (const text of [apiKey ?? '', ...Object.values(headers ?? {})]) {
      names.push(...referencedNames(text))
    }
  }
  return [...new Set(names)]
}

async function readBooks(deps: WorldDeps, agent: AgentId): Promise<Books> {
  const own = await deps.profiles.read(agent)
  const main = agent === MAIN_AGENT ? own : await deps.profiles.read(MAIN_AGENT)
  const ownBook = own.ok ? own.value : NOTHING
  const mainBook = main.ok ? main.value : NOTHING
  const fault = own.ok ? (main.ok ? undefined : main.fault) : own.fault
  return {
    book: effectiveBook(agent, ownBook.book, mainBook.book),
    own: ownBook,
    main: mainBook,
    ...(fault && { fault }),
  }
}

/** Usage stands with the agent whose file holds the profile; what is outside the book stands with `main`. */
async function readState(deps: WorldDeps, agent: AgentId, books: Books): Promise<AgentState> {
  const main = withLegacy(await deps.states.read(MAIN_AGENT), books.main)
  if (agent === MAIN_AGENT) return main
  const own = withLegacy(await deps.states.read(agent), books.own)
  const profiles = new Map(main.profiles)
  for (const profile of books.book.profiles.values()) {
    if (profile.home !== agent) continue
    const usage = own.profiles.get(profile.id)
    if (usage) profiles.set(profile.id, usage)
    else profiles.delete(profile.id)
  }
  return { ...main, profiles }
}

function withLegacy(state: AgentState, stored: StoredBook): AgentState {
  if (stored.legacyState.profiles.size === 0) return state
  return {
    ...state,
    profiles: new Map([...stored.legacyState.profiles, ...state.profiles]),
  }
}
