/** Keys for single programs and people: made, shown, ended, and recognised when they are sent. */

import type { Client, ClientTerms } from '../domain/client.ts'
import { stillHolds } from '../domain/client.ts'
import type { ClientKeys, ClientMap, ClientStore } from '../domain/client-ports.ts'
import type { Fault } from '../domain/fault.ts'
import type { Ledger } from '../domain/ledger.ts'
import { findModel } from '../domain/models.ts'
import type { ClientName, ProfileId } from '../domain/names.ts'
import { parseClientName, parseModelRef, providerOf } from '../domain/names.ts'
import { nearestOf } from '../domain/nearest.ts'
import type { Clock, FileProblem } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Secret } from '../domain/secret.ts'
import { unknownProfile } from '../domain/unknown.ts'
import type { World } from '../domain/world.ts'
import { candidatesFor } from '../domain/world.ts'
import type { ClientSpent } from './client-spending.ts'
import { createClientSpending } from './client-spending.ts'
import type { LoadWorld } from './world.ts'

export interface ClientReport {
  readonly client: Client
  readonly spent: ClientSpent
  /** Where a copy of its key is kept for programs on this machine. */
  readonly keyPath?: string
}

/** A new key. It is shown to whoever asked for it, and never again. */
export interface IssuedKey {
  readonly client: Client
  readonly key: Secret
  readonly keyPath?: string
}

export interface IssueOptions {
  /** Also keep the key in a file of its own. */
  readonly keep?: boolean
}

export interface Clients {
  list(): Promise<
    Result<
      { readonly clients: readonly ClientReport[]; readonly problems: readonly FileProblem[] },
      Fault
    >
  >
  /** @faults `EQ_NAME_INVALID`, `EQ_CLIENT_UNKNOWN` */
  show(name: string): Promise<Result<ClientReport, Fault>>
  /** @faults `EQ_NAME_INVALID`, `EQ_CLIENT_EXISTS`, those of an agent, model or profile that is not there */
  add(name: string, terms: ClientTerms, options?: IssueOptions): Promise<Result<IssuedKey, Fault>>
  /**
   * Puts a new key in the place of the old one, which ends at once. A copy that is kept becomes the new key's.
   *
   * @faults `EQ_CLIENT_UNKNOWN`, `EQ_CLIENT_EXPIRED` it has ended, and no new end was given
   */
  rotate(
    name: string,
    options?: IssueOptions & Pick<ClientTerms, 'expiresAt'>,
  ): Promise<Result<IssuedKey, Fault>>
  /** Ends a key at once and forgets its client. @faults `EQ_CLIENT_UNKNOWN` */
  revoke(name: string): Promise<Result<{ readonly client: ClientName }, Fault>>
  /** Whose key it is; undefined: nobody's. @faults those of an unreadable file */
  holder(digest: string): Promise<Result<Client | undefined, Fault>>
  /** Whether a client may go on with the key that it began with. @faults `EQ_CLIENT_ENDED`, `EQ_CLIENT_EXPIRED` */
  goesOn(client: Client): Promise<Result<void, Fault>>
  /** Whether a client had this name when the file was last read. */
  isTaken(name: string): boolean
  spent(name: ClientName): Promise<ClientSpent>
}

export interface ClientsDeps {
  readonly store: ClientStore
  readonly keys: ClientKeys
  readonly ledger: Pick<Ledger, 'usage'>
  readonly loadWorld: LoadWorld
  readonly clock: Clock
}

export function createClients(deps: ClientsDeps): Clients {
  const spent = createClientSpending(deps)
  return { ...looks(deps, spent), ...changes(deps), ...recognition(deps), spent }
}

function looks(
  { store, keys }: ClientsDeps,
  spent: Clients['spent'],
): Pick<Clients, 'list' | 'show'> {
  async function report(client: Client): Promise<Result<ClientReport, Fault>> {
    const kept = await keys.kept(client.name, client.digest)
    if (!kept.ok) return kept
    return ok({
      client,
      spent: await spent(client.name),
      ...(kept.value !== undefined && { keyPath: kept.value }),
    })
  }

  return {
    async list() {
      const stored = await store.read()
      if (!stored.ok) return stored
      const reports: ClientReport[] = []
      for (const client of stored.value.clients.values()) {
        const one = await report(client)
        if (!one.ok) return one
        reports.push(one.value)
      }
      const clients = reports.toSorted((a, b) => (a.client.name < b.client.name ? -1 : 1))
      return ok({ clients, problems: stored.value.problems })
    },

    async show(text) {
      const stored = await store.read()
      if (!stored.ok) return stored
      const client = clientNamed(stored.value.clients, text)
      return client.ok ? report(client.value) : client
    },
  }
}

function changes({
  store,
  keys,
  clock,
  loadWorld,
}: ClientsDeps): Pick<Clients, 'add' | 'rotate' | 'revoke'> {
  async function issued(
    client: Client,
    key: Secret,
    keep: boolean,
  ): Promise<Result<IssuedKey, Fault>> {
    if (!keep) return ok({ client, key })
    const path = await keys.keep(client.name, key)
    return path.ok ? ok({ client, key, keyPath: path.value }) : path
  }

  return {
    async add(text, terms, { keep = false } = {}) {
      const name = parseClientName(text)
      if (!name) return fail({ code: 'EQ_NAME_INVALID', what: 'client', text })
      const checked = await checkTerms(loadWorld, terms)
      if (!checked.ok) return checked
      const { key, digest } = keys.make()
      const client: Client = { name, digest, createdAt: clock.now(), ...terms }
      const added = await store.transact<Client, Fault>(async (clients) =>
        clients.has(name)
          ? fail({ code: 'EQ_CLIENT_EXISTS', client: name })
          : ok({ clients: new Map(clients).set(name, client), value: client }),
      )
      return added.ok ? issued(added.value, key, keep) : added
    },

    async rotate(text, { keep = false, expiresAt } = {}) {
      const { key, digest } = keys.make()
      const now = clock.now()
      const rotated = await store.transact<{ client: Client; old: string }, Fault>(
        async (clients) => {
          const found = clientNamed(clients, text)
          if (!found.ok) return found
          const before = found.value
          const holds = stillHolds(
            { ...before, ...(expiresAt !== undefined && { expiresAt }) },
            now,
          )
          if (!holds.ok) return holds
          const client: Client = {
            ...before,
            digest,
            rotatedAt: now,
            ...(expiresAt !== undefined && { expiresAt }),
          }
          const value = { client, old: before.digest }
          return ok({ clients: new Map(clients).set(client.name, client), value })
        },
      )
      if (!rotated.ok) return rotated
      const { client, old } = rotated.value
      const kept = await keys.kept(client.name, old)
      if (!kept.ok) return kept
      return issued(client, key, keep || kept.value !== undefined)
    },

    async revoke(text) {
      const revoked = await store.transact<ClientName, Fault>(async (clients) => {
        const found = clientNamed(clients, text)
        if (!found.ok) return found
        const left = new Map(clients)
        left.delete(found.value.name)
        return ok({ clients: left, value: found.value.name })
      })
      if (!revoked.ok) return revoked
      const forgotten = await keys.forget(revoked.value)
      return forgotten.ok ? ok({ client: revoked.value }) : forgotten
    },
  }
}

/** What the gateway asks with every request. */
function recognition({
  store,
  clock,
}: ClientsDeps): Pick<Clients, 'holder' | 'goesOn' | 'isTaken'> {
  const holders = createHolders()
  return {
    async holder(digest) {
      const stored = await store.read()
      return stored.ok ? ok(holders.find(stored.value.clients, digest)) : stored
    },

    async goesOn(client) {
      const stored = await store.read()
      // A file that cannot be read has not revoked anybody, and is told to whoever asks next.
      const now = stored.ok ? stored.value.clients.get(client.name) : client
      if (now?.digest !== client.digest)
        return fail({ code: 'EQ_CLIENT_ENDED', client: client.name })
      return stillHolds(now, clock.now())
    },

    isTaken: (name) => holders.isTaken(name),
  }
}

/** An index of the clients by their digests, made anew when the file has changed. */
function createHolders(): {
  find(clients: ClientMap, digest: string): Client | undefined
  isTaken(name: string): boolean
} {
  let indexed: { readonly of: ClientMap; readonly byDigest: ReadonlyMap<string, Client> } = {
    of: new Map(),
    byDigest: new Map(),
  }
  return {
    find(clients, digest) {
      if (indexed.of !== clients) {
        const entries = [...clients.values()].map((client) => [client.digest, client] as const)
        indexed = { of: clients, byDigest: new Map(entries) }
      }
      return indexed.byDigest.get(digest)
    },
    isTaken(name) {
      const parsed = parseClientName(name)
      return parsed === name && indexed.of.has(parsed)
    },
  }
}

/** @faults `EQ_NAME_INVALID`, `EQ_CLIENT_UNKNOWN` */
function clientNamed(clients: ClientMap, text: string): Result<Client, Fault> {
  const name = parseClientName(text)
  if (!name) return fail({ code: 'EQ_NAME_INVALID', what: 'client', text })
  const client = clients.get(name)
  if (client) return ok(client)
  const known = [...clients.keys()].toSorted()
  const nearest = nearestOf(name, known)
  return fail({
    code: 'EQ_CLIENT_UNKNOWN',
    client: name,
    known,
    ...(nearest !== undefined && { nearest }),
  })
}

/** A limit that names nothing would shut its client out without a word. */
async function checkTerms(
  loadWorld: LoadWorld,
  { agent, models = [], profiles = [] }: ClientTerms,
): Promise<Result<void, Fault>> {
  if (agent === undefined && models.length === 0 && profiles.length === 0) return ok()
  const loaded = await loadWorld(agent)
  if (!loaded.ok) return loaded
  for (const text of models) {
    if (text.includes('*')) continue
    const ref = parseModelRef(text)
    if (!ref || ref.profile)
      return fail({ code: 'EQ_NAME_INVALID', what: 'configured model', text })
    const found = findModel(loaded.value, ref)
    if (!found.ok) return found
  }
  const missing = profiles.find((profile) => !isThere(loaded.value, profile))
  return missing === undefined ? ok() : fail(missingProfile(loaded.value, missing))
}

function isThere(world: World, profile: ProfileId): boolean {
  const facts = world.providers.get(providerOf(profile))
  return facts !== undefined && candidatesFor(world, facts).some(({ id }) => id === profile)
}

function missingProfile(world: World, profile: ProfileId): Fault {
  const known = [...world.providers.values()].flatMap((facts) =>
    candidatesFor(world, facts).map(({ id }) => id),
  )
  return unknownProfile(world.agent, profile, known)
}
