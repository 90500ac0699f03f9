/** What keys of callers need of the outside world. */

import type { Client } from './client.ts'
import type { StoreFault } from './fault.ts'
import type { ClientName } from './names.ts'
import type { FileProblem } from './ports.ts'
import type { Result } from './result.ts'
import type { Secret } from './secret.ts'

export type ClientMap = ReadonlyMap<ClientName, Client>

export interface StoredClients {
  readonly clients: ClientMap
  readonly problems: readonly FileProblem[]
}

export interface ClientStore {
  /** The clients as they are on disk; the same value as long as the file does not change. */
  read(): Promise<Result<StoredClients, StoreFault>>
  /** Runs `change` with the clients as they are on disk, lock held throughout; saves those it returns. */
  transact<T, F>(
    change: (clients: ClientMap) => Promise<Result<{ clients: ClientMap; value: T }, F>>,
  ): Promise<Result<T, F | StoreFault>>
}

/** Keys of clients as text: made, shown once, and kept only where their holder wants a copy. */
export interface ClientKeys {
  make(): { readonly key: Secret; readonly digest: string }
  /** Keeps a copy that only this user can read, for programs on this machine. Gives its path. */
  keep(name: ClientName, key: Secret): Promise<Result<string, StoreFault>>
  /** The path of the copy, where there is one and it is of this key. */
  kept(name: ClientName, digest: string): Promise<Result<string | undefined, StoreFault>>
  /** Where a copy stands, or would. */
  path(name: ClientName): string
  forget(name: ClientName): Promise<Result<boolean, StoreFault>>
}
