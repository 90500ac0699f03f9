import type { ClientKeys, ClientMap, ClientStore } from '../domain/client-ports.ts'
import type { ClientName } from '../domain/names.ts'
import { ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'

/** Clients in memory. */
export function memoryClientStore(given: ClientMap = new Map()): ClientStore {
  let clients = given
  return {
    read: async () => ok({ clients, problems: [] }),
    async transact(change) {
      const changed = await change(clients)
      if (!changed.ok) return changed
      clients = changed.value.clients
      return ok(changed.value.value)
    },
  }
}

export interface MemoryClientKeys extends ClientKeys {
  /** Copies that are kept, as text. */
  readonly copies: ReadonlyMap<ClientName, string>
}

/**
 * Keys that are counted and not random, with copies in memory.
 *
 * @param digest of a key; the gateway computes SHA-256
 */
export function memoryClientKeys(digest: (key: string) => string): MemoryClientKeys {
  const copies = new Map<ClientName, string>()
  const path = (name: ClientName): string => `/state/client-keys/${name}`
  let made = 0
  return {
    copies,
    path,
    make() {
      made += 1
      const key = `eqb-fake-client-key-${made}`
      return { key: new Secret(key), digest: digest(key) }
    },
    async keep(name, key) {
      copies.set(name, key.reveal())
      return ok(path(name))
    },
    async kept(name, wanted) {
      const copy = copies.get(name)
      return ok(copy !== undefined && digest(copy) === wanted ? path(name) : undefined)
    },
    forget: async (name) => ok(copies.delete(name)),
  }
}
