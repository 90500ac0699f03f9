/** `clients.json`: who may call the gateway beside its owner, and copies of keys for programs of this user. */

import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'

import type { ClientKeys, ClientMap, ClientStore, StoredClients } from '../domain/client-ports.ts'
import type { StoreFault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'
import type { ClientFile } from '../wire/client-file.ts'
import { NO_CLIENT_FILE, parseClientFile, renderClientFile } from '../wire/client-file.ts'
import type { Files } from './files.ts'
import type { Home } from './home.ts'
import type { Locks } from './lock.ts'

type Change<T, F> = (clients: ClientMap) => Promise<Result<{ clients: ClientMap; value: T }, F>>

const KEY_BYTES = 32
const LARGEST_KEY_FILE = 4_096

interface Deps {
  readonly home: Pick<Home, 'clientsPath' | 'clientKeysDir'>
  readonly locks: Pick<Locks, 'withLock'>
  readonly files: Pick<Files, 'read' | 'version' | 'replace' | 'write' | 'remove' | 'realPath'>
}

export function createClientStore({ home, locks, files }: Deps): ClientStore {
  const path = home.clientsPath
  let known: { readonly version: string | undefined; readonly stored: StoredClients } | undefined

  async function load(): Promise<
    Result<
      { readonly file: ClientFile; readonly text?: string; readonly version?: string },
      StoreFault
    >
  > {
    const read = await files.read(path)
    if (!read.ok) return read
    if (!read.value) return ok({ file: NO_CLIENT_FILE })
    const parsed = parseClientFile(read.value.text)
    return parsed.ok ? ok({ file: parsed.value, ...read.value }) : fail({ ...parsed.fault, path })
  }

  return {
    async read() {
      const version = await files.version(path)
      if (!version.ok) return version
      if (known && known.version === version.value) return ok(known.stored)
      const loaded = await load()
      if (!loaded.ok) return loaded
      const { file } = loaded.value
      const stored = { clients: file.clients, problems: file.problems }
      known = { version: loaded.value.version, stored }
      return ok(stored)
    },

    async transact<T, F>(change: Change<T, F>): Promise<Result<T, F | StoreFault>> {
      const real = await files.realPath(path)
      if (!real.ok) return real
      return locks.withLock<T, F | StoreFault>(real.value, async () => {
        const loaded = await load()
        if (!loaded.ok) return loaded
        const { file, text } = loaded.value
        const changed = await change(file.clients)
        if (!changed.ok) return changed
        const { clients, value } = changed.value
        if (clients === file.clients) return ok(value)
        const rendered = renderClientFile(file, clients)
        const previous = endsKeys(file.clients, clients) ? rendered : text
        const saved = await files.replace(path, rendered, previous)
        return saved.ok ? ok(value) : saved
      })
    },
  }
}

export function createClientKeys({ home, files }: Omit<Deps, 'locks'>): ClientKeys {
  const path: ClientKeys['path'] = (name) => join(home.clientKeysDir, name)
  return {
    path,

    make() {
      const key = `eqb-${randomBytes(KEY_BYTES).toString('base64url')}`
      return { key: new Secret(key), digest: digestOf(key) }
    },

    async keep(name, key) {
      const written = await files.write(path(name), `${key.reveal()}\n`)
      return written.ok ? ok(path(name)) : written
    },

    async kept(name, digest) {
      const read = await files.read(path(name), LARGEST_KEY_FILE)
      if (!read.ok) return read
      return ok(read.value && digestOf(read.value.text.trim()) === digest ? path(name) : undefined)
    },

    forget: (name) => files.remove(path(name)),
  }
}

/** A key that was revoked must not come back with the previous generation. */
function endsKeys(before: ClientMap, after: ClientMap): boolean {
  return [...before.values()].some(({ name, digest }) => after.get(name)?.digest !== digest)
}

/**
 * What is kept of a key. One round of SHA-256 is right here: slow hashes and salts make guessing dear where people choose
 * the secret, and nobody can guess 32 random bytes. It must be cheap, since it is computed for every request.
 */
function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
