/**
 * Logins of other programs: what they are now, and their copies in the book of `main`.
 *
 * Looking changes nothing. Adopting is a step of its own; it writes only when a copy really differs, and never a
 * refresh token.
 */

import type { Adoption, SyncedSource } from '../domain/adoption.ts'
import { adoption } from '../domain/adoption.ts'
import { expiresAtOf } from '../domain/credential.ts'
import type { ConfigFault, ForeignFault, StoreFault } from '../domain/fault.ts'
import type { ForeignLogin, ForeignOrigin, ForeignView } from '../domain/foreign.ts'
import { besideCopy, copyOf, FOREIGN_PROFILES } from '../domain/foreign.ts'
import { borrowedGrantId } from '../domain/grant.ts'
import { MAIN_AGENT } from '../domain/names.ts'
import type { Clock, Log, ProfileStore, SettingsStore } from '../domain/ports.ts'
import type { ForeignSource } from '../domain/renewal-ports.ts'
import type { ProfileBook } from '../domain/profile.ts'
import { withProfile } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { EpochMs } from '../domain/time.ts'

export interface Foreign {
  /** The logins of all sources that are switched on, as they are in their owners' homes. Changes nothing. */
  views(prompting?: boolean): Promise<readonly ForeignView[]>
  /**
   * Puts what the sources hold into the book of `main`. Nothing is written when nothing differs.
   *
   * @param options.prompting a person at a terminal has asked for this
   */
  adopt(options?: { readonly prompting?: boolean }): Promise<ForeignSync>
}

/** What came of adopting. */
export interface ForeignSync {
  /** One for each source there is. */
  readonly sources: readonly SyncedSource[]
  /** Whether the book was written. */
  readonly changed: boolean
  /** Why settings or book could not be read or written; nothing was changed then. */
  readonly fault?: StoreFault | ConfigFault
  /** The logins that the book should have taken and could not. */
  readonly notStored?: readonly ForeignFault[]
}

export interface ForeignDeps {
  readonly sources: readonly ForeignSource[]
  readonly profiles: ProfileStore
  readonly settings: SettingsStore
  readonly clock: Clock
  readonly log?: Log
  /** `EQUABOT_FOREIGN_LOGINS=0`: no source is looked at, whatever config says. */
  readonly switchedOff: boolean
}

export function createForeign(deps: ForeignDeps): Foreign {
  const lastLogged = new Map<ForeignOrigin, string>()

  async function switchedOn(): Promise<Result<(origin: ForeignOrigin) => boolean, Failure>> {
    if (deps.switchedOff) return ok(() => false)
    const loaded = await deps.settings.read()
    return loaded.ok ? ok((origin) => loaded.value.settings.auth.foreign[origin].enabled) : loaded
  }

  return {
    async views(prompting = false) {
      const isOn = await switchedOn()
      if (!isOn.ok) return []
      const sources = deps.sources.filter(({ origin }) => isOn.value(origin))
      return Promise.all(sources.map((source) => viewOf(source, prompting)))
    },

    async adopt({ prompting = false } = {}) {
      const isOn = await switchedOn()
      if (!isOn.ok) return { sources: [], changed: false, fault: isOn.fault }
      const looked = await Promise.all(
        deps.sources.map(async (source): Promise<Looked> =>
          isOn.value(source.origin)
            ? viewOf(source, prompting)
            : { origin: source.origin, place: source.place() },
        ),
      )
      const logins = looked.flatMap(({ reading }) => (reading?.ok && reading.value) || [])
      const settled = await settle(deps, logins)
      const outcomes = settled.ok ? settled.value.outcomes : new Map<ForeignOrigin, Adoption>()
      const before = await bookBeside(deps, looked)
      const sources = looked.map((found) =>
        withCopy(
          synced(besideBook(found, before), outcomes.get(found.origin), deps.switchedOff),
          before,
        ),
      )
      for (const source of sources) report(deps.log, lastLogged, source)
      return {
        sources,
        changed: settled.ok && settled.value.changed,
        ...(!settled.ok && settled.fault),
      }
    },
  }
}

type Failure = StoreFault | ConfigFault
/** Without a reading: the source is switched off. */
type Looked = Pick<ForeignView, 'origin' | 'place'> & Partial<Pick<ForeignView, 'reading'>>

async function viewOf(source: ForeignSource, prompting: boolean): Promise<ForeignView> {
  const { origin } = source
  const reading = await source.read(prompting)
  const place = (reading.ok && reading.value?.place) || source.place()
  return { origin, place, grant: borrowedGrantId(origin, place), reading }
}

/** The book, where a source gave no login: what was taken over from there before is all there is. */
async function bookBeside(
  { profiles }: ForeignDeps,
  looked: readonly Looked[],
): Promise<ProfileBook | undefined> {
  if (looked.every(({ reading }) => !reading || (reading.ok && reading.value))) return undefined
  const read = await profiles.read(MAIN_AGENT)
  return read.ok ? read.value.book : undefined
}

function besideBook(found: Looked, book: ProfileBook | undefined): Looked {
  const { reading } = found
  if (!book || !reading || reading.ok) return found
  return { ...found, reading: fail(besideCopy(reading.fault, book)) }
}

/** Where its owner has no login any more, the copy of its access is all there is. */
function withCopy(source: SyncedSource, book: ProfileBook | undefined): SyncedSource {
  const copy = source.outcome === 'absent' && book ? copyOf(source.origin, book) : undefined
  if (!copy) return source
  const expiresAt = expiresAtOf(copy.credential)
  return { ...source, copy: expiresAt === undefined ? {} : { expiresAt } }
}

interface Settled {
  readonly outcomes: ReadonlyMap<ForeignOrigin, Adoption>
  readonly changed: boolean
}

/** Decides on the book as it was last read, and where that asks for a change, again on the book under its lock. */
async function settle(
  { profiles, clock }: ForeignDeps,
  logins: readonly ForeignLogin[],
): Promise<Result<Settled, Unsettled>> {
  if (logins.length === 0) return ok({ outcomes: new Map(), changed: false })
  const read = await profiles.read(MAIN_AGENT)
  if (!read.ok) return fail({ fault: read.fault })
  const first = decide(read.value.book, logins, clock.now())
  if (!first.changed) return ok(first)
  const written = await profiles.transact<Settled, never>(MAIN_AGENT, async (book) => {
    const value = decide(book, logins, clock.now())
    return ok({ book: value.book, value })
  })
  if (written.ok) return written
  const notStored = logins.flatMap(({ origin, place }): readonly ForeignFault[] => {
    const wanted = first.outcomes.get(origin)
    return wanted && 'profile' in wanted
      ? [{ code: 'EQ_FOREIGN_NOT_STORED', origin, place, because: written.fault }]
      : []
  })
  return fail({ fault: written.fault, notStored })
}

type Unsettled = Pick<ForeignSync, 'notStored'> & { readonly fault: StoreFault }

function decide(
  before: ProfileBook,
  logins: readonly ForeignLogin[],
  now: EpochMs,
): Settled & { readonly book: ProfileBook } {
  const outcomes = new Map<ForeignOrigin, Adoption>()
  let book = before
  for (const login of logins) {
    const decided = adoption(book.profiles.get(FOREIGN_PROFILES[login.origin]), login, now)
    outcomes.set(login.origin, decided)
    if ('profile' in decided) book = withProfile(book, decided.profile)
  }
  return { outcomes, book, changed: book !== before }
}

const WRITTEN = { add: 'added', update: 'updated' } as const

function synced(
  { origin, place, reading }: Looked,
  decided: Adoption | undefined,
  switchedOff: boolean,
): SyncedSource {
  const head = { origin, place, profile: FOREIGN_PROFILES[origin] }
  if (!reading) return { ...head, outcome: 'off', because: switchedOff ? 'environment' : 'config' }
  if (!reading.ok) {
    // An owner that works with an API key has no login, and nothing is wrong with that.
    const isFine = reading.fault.code === 'EQ_FOREIGN_KEY_ONLY'
    return { ...head, outcome: isFine ? 'absent' : 'fault', fault: reading.fault }
  }
  const login = reading.value
  if (!login) return { ...head, outcome: 'absent' }
  const { type, expiresAt, email, accountId, remark } = login
  const found = {
    ...head,
    login: {
      type,
      ...(expiresAt !== undefined && { expiresAt }),
      ...(email !== undefined && { email }),
      ...(accountId !== undefined && { accountId }),
    },
    ...(remark && { remark }),
  }
  // Without a decision the book could not be read or written, which is told once for all sources.
  if (!decided) return { ...found, outcome: 'kept' }
  if (decided.kind === 'keep') return { ...found, outcome: 'kept', because: decided.because }
  return { ...found, outcome: decided.kind === 'same' ? 'same' : WRITTEN[decided.kind] }
}

/** Once for each change: who adopts before every request must not fill the log. */
function report(
  log: Log | undefined,
  last: Map<ForeignOrigin, string>,
  { origin, profile, outcome, fault }: SyncedSource,
): void {
  const told = `${outcome} ${fault?.code}`
  const isWritten = outcome === 'added' || outcome === 'updated'
  const isNews = isWritten || (outcome === 'fault' && last.get(origin) !== told)
  last.set(origin, told)
  if (!isNews) return
  log?.write(fault ? 'warn' : 'info', 'foreign_login', {
    origin,
    profile,
    outcome,
    ...(fault && { code: fault.code }),
  })
}
