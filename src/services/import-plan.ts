/** What an import does to a book. Decided here without any I/O, so that a rehearsal says exactly what the import does. */

import type { CredentialType } from '../domain/credential.ts'
import { bearerOf } from '../domain/credential.ts'
import type { Fault } from '../domain/fault.ts'
import { ownGrantId } from '../domain/grant.ts'
import type { LegacyEntry, LegacyLogins, NotImported } from '../domain/legacy.ts'
import type { AgentId, ProfileId, ProviderId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { Profile, ProfileBook } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { World } from '../domain/world.ts'
import type { Names } from './import-orders.ts'
import { withOrders } from './import-orders.ts'
import type { Circumstances, Outcome, Shelf, Verdict } from './import-verdict.ts'
import { judge, ownPlace, unfitness } from './import-verdict.ts'
import type { LoginIndex } from './login-index.ts'
import { createLoginIndex, isSameLogin, loginOrSecretKeys, refreshOf } from './login-index.ts'

export interface ImportedEntry {
  /** Path of the file. */
  readonly from: string
  /** As it is called there. */
  readonly name: string
  /** As it is called here. */
  readonly profile?: ProfileId
  readonly type?: CredentialType
  readonly fingerprint?: string
  /** It has a refresh token, which may have only one owner. */
  readonly renewable: boolean
  readonly outcome: Outcome
}

export interface ImportPlan {
  /** The very same book when nothing changes. */
  readonly book: ProfileBook
  readonly entries: readonly ImportedEntry[]
  /** Providers whose order was taken over. */
  readonly orders: readonly ProviderId[]
}

export interface ImportInput extends Omit<Circumstances, 'givenName'> {
  readonly book: ProfileBook
  /** The books of all other agents. */
  readonly elsewhere: readonly { readonly agent: AgentId; readonly book: ProfileBook }[]
  readonly files: readonly { readonly path: string; readonly logins: LegacyLogins }[]
  /** The name for the one login that comes, by its provider. */
  readonly nameFor?: (provider: ProviderId) => Result<ProfileId, Fault>
}

/** @faults `EQ_IMPORT_NOT_ONE` and those of `nameFor`; none without it */
export function planImport(input: ImportInput): Result<ImportPlan, Fault> {
  const candidates = candidatesIn(input)
  const plan = settle(input, candidates)
  if (!input.nameFor) return ok(plan)
  const open = openLogins(plan, candidates)
  const [only] = open
  if (!only) return ok(plan)
  if (open.length > 1) {
    return fail({ code: 'EQ_IMPORT_NOT_ONE', logins: open.map(({ id }) => id) })
  }
  const given = input.nameFor(providerOf(only.id))
  if (!given.ok) return given
  const renamed = candidates.map((candidate) => withName(candidate, only, given.value))
  return ok(settle({ ...input, givenName: given.value }, renamed))
}

/** Those that come, or would come under another name; copies of one login count once. */
function openLogins(plan: ImportPlan, candidates: readonly Candidate[]): readonly Profile[] {
  const open: Profile[] = []
  for (const [index, { profile }] of candidates.entries()) {
    const entry = plan.entries[index]
    if (!profile || !entry || !(isTaken(entry.outcome) || entry.outcome.kind === 'kept')) continue
    if (open.some((other) => isSameLogin(other, profile))) continue
    open.push({ ...profile, id: entry.profile ?? profile.id })
  }
  return open
}

/** Every copy of that login has the name: else the second one would come under its old one. */
function withName(candidate: Candidate, login: Profile, id: ProfileId): Candidate {
  const { profile } = candidate
  return profile && isSameLogin(profile, login)
    ? { ...candidate, profile: { ...profile, id } }
    : candidate
}

/**
 * A replacement may take a login out of the book that an entry before it was passed over for, so the files are gone
 * through until nothing changes: another import of them has nothing to do.
 */
function settle(input: ImportInput & Circumstances, candidates: readonly Candidate[]): ImportPlan {
  const elsewhere = loginsElsewhere(input)
  let plan = goThrough(input, candidates, elsewhere)
  for (let rounds = plan.entries.length; rounds > 0; rounds -= 1) {
    const next = goThrough({ ...input, book: plan.book }, candidates, elsewhere)
    if (next.book === plan.book) break
    const { entries, orders } = plan
    plan = {
      book: next.book,
      entries: entries.map((entry, index) =>
        isTaken(entry.outcome) ? entry : (next.entries[index] ?? entry),
      ),
      orders: [...orders, ...next.orders],
    }
  }
  return plan
}

function isTaken({ kind }: Outcome): boolean {
  return kind === 'added' || kind === 'replaced'
}

interface Candidate {
  readonly path: string
  readonly file: LegacyLogins
  readonly entry: LegacyEntry
  /** As it would stand in our book. */
  readonly profile?: Profile
  /** Why it can never come. */
  readonly unfit?: NotImported
}

function candidatesIn(input: ImportInput): readonly Candidate[] {
  return input.files.flatMap(({ path, logins }) =>
    logins.entries.map((entry): Candidate => {
      const { login } = entry
      const unfit = unfitness(input, entry)
      return {
        path,
        file: logins,
        entry,
        ...(login.ok && { profile: prepared(login.value, input.world.now) }),
        ...(unfit && { unfit }),
      }
    }),
  )
}

function loginsElsewhere({ elsewhere }: ImportInput): LoginIndex {
  const index = createLoginIndex()
  for (const { agent, book } of elsewhere) {
    for (const profile of book.profiles.values()) index.put(agent, profile)
  }
  return index
}

function goThrough(
  input: ImportInput & Circumstances,
  candidates: readonly Candidate[],
  elsewhere: LoginIndex,
): ImportPlan {
  const { world } = input
  const profiles = new Map(input.book.profiles)
  const brought = new Set<ProfileId>()
  const here = loginsHere(world, profiles)
  const shelf: Shelf = { profiles, before: input.book.profiles, here, elsewhere, brought }
  // A login of this import that is here already keeps its name, wherever it stands in the files.
  for (const { profile, unfit } of candidates) {
    const place = profile && !unfit ? ownPlace(input, shelf, profile) : undefined
    if (place !== undefined) brought.add(place)
  }
  const entries: ImportedEntry[] = []
  const names: Names = new Map()
  let changes = false
  for (const candidate of candidates) {
    const { profile, unfit } = candidate
    const verdict = profile && !unfit ? judge(input, shelf, profile) : undefined
    entries.push(entryReport(world, candidate, verdict))
    if (!profile || !verdict) continue
    const { outcome, id } = verdict
    if (outcome.kind === 'skipped' || outcome.kind === 'kept') continue
    brought.add(id)
    note(names, candidate, id)
    if (!isTaken(outcome)) continue
    const held = profiles.get(id)
    if (held) here.drop(held)
    const placed = { ...profile, id }
    here.put(world.agent, placed)
    profiles.set(id, placed)
    changes = true
  }
  const after = changes ? { ...input.book, profiles } : input.book
  return { ...withOrders(input, after, names), entries }
}

function loginsHere(world: World, own: ReadonlyMap<ProfileId, Profile>): LoginIndex {
  const here = createLoginIndex(loginOrSecretKeys)
  for (const profile of own.values()) here.put(world.agent, profile)
  for (const profile of world.book.profiles.values()) {
    if (profile.home !== world.agent && !own.has(profile.id)) here.put(profile.home, profile)
  }
  return here
}

function note(names: Names, { file, entry }: Candidate, id: ProfileId): void {
  if (!entry.login.ok) return
  const ofFile = names.get(file) ?? new Map<ProfileId, ProfileId>()
  names.set(file, ofFile.set(entry.login.value.id, id))
}

/** The grant gets its name now, so that later generations of it are known as the same. */
function prepared(profile: Profile, now: number): Profile {
  const { credential } = profile
  const grantId =
    credential.type === 'oauth' ? ownGrantId(providerOf(profile.id), credential) : undefined
  return {
    ...profile,
    storedAt: now,
    ...(credential.type === 'oauth' && grantId && { credential: { ...credential, grantId } }),
  }
}

function entryReport(
  world: World,
  { path, entry, profile, unfit }: Candidate,
  verdict: Verdict | undefined,
): ImportedEntry {
  return {
    from: path,
    name: entry.name,
    ...(profile && {
      profile: verdict?.id ?? profile.id,
      type: profile.credential.type,
      fingerprint: world.fingerprint(bearerOf(profile.credential)),
    }),
    renewable: profile !== undefined && refreshOf(profile.credential) !== undefined,
    outcome: verdict?.outcome ?? { kind: 'skipped', why: unfit ?? { code: 'blank' } },
  }
}
