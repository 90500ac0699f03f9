import { createHash } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createClientKeys, createClientStore } from '../../src/adapters/client-store.ts'
import { createClock } from '../../src/adapters/clock.ts'
import { createFiles } from '../../src/adapters/files.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import type { Client } from '../../src/domain/client.ts'
import { ok } from '../../src/domain/result.ts'
import { client } from '../names-from.ts'
import { temporaryFolder } from './temporary-folder.ts'

const laptop = client('laptop')
const LAPTOP: Client = { name: laptop, digest: 'ab'.repeat(32), createdAt: 1 }

async function open() {
  const folder = temporaryFolder()
  const home = {
    clientsPath: join(folder, 'clients.json'),
    clientKeysDir: join(folder, 'client-keys'),
  }
  const files = createFiles()
  const make = () =>
    createClientStore({
      home,
      files,
      locks: createLocks({ clock: createClock(), dir: join(folder, 'locks') }),
    })
  return { home, make, store: make(), keys: createClientKeys({ home, files }) }
}

describe('clients.json', () => {
  test('is readable by its owner alone, and read again only when it has changed', async () => {
    const { home, store, make } = await open()
    expect(await store.read()).toMatchObject({ ok: true, value: { problems: [] } })
    await store.transact(async (clients) =>
      ok({ clients: new Map(clients).set(laptop, LAPTOP), value: undefined }),
    )
    expect((await stat(home.clientsPath)).mode & 0o777).toBe(0o600)
    const first = await store.read()
    const second = await store.read()
    if (!first.ok || !second.ok) throw new Error('unreadable')
    expect(second.value).toBe(first.value)
    expect(first.value.clients.get(laptop)).toEqual(LAPTOP)

    // Another process revokes.
    await make().transact(async () => ok({ clients: new Map(), value: undefined }))
    const third = await store.read()
    expect(third.ok && third.value.clients.size).toBe(0)
  })

  test('that cannot be read, or is of a newer version, is never written over', async () => {
    const { home, store } = await open()
    for (const [text, code] of [
      ['{"clients"', 'EQ_STORE_SYNTAX'],
      ['{"version":9}', 'EQ_STORE_NEWER'],
    ] as const) {
      await writeFile(home.clientsPath, text)
      expect(await store.read()).toMatchObject({ fault: { code, path: home.clientsPath } })
      const changed = await store.transact(async () => ok({ clients: new Map(), value: 1 }))
      expect(changed).toMatchObject({ fault: { code } })
      expect(await readFile(home.clientsPath, 'utf8')).toBe(text)
    }
  })

  test('a key that was ended does not live on in the previous generation', async () => {
    const { home, store } = await open()
    const other = { ...LAPTOP, name: client('phone'), digest: 'cd'.repeat(32) }
    const put = (clients: readonly Client[]) =>
      store.transact(async () =>
        ok({ clients: new Map(clients.map((one) => [one.name, one])), value: undefined }),
      )
    await put([LAPTOP])
    await put([LAPTOP, other])
    expect(await readFile(`${home.clientsPath}.prev`, 'utf8')).not.toContain(other.digest)
    await put([{ ...LAPTOP, digest: 'ef'.repeat(32) }, other])
    expect(await readFile(`${home.clientsPath}.prev`, 'utf8')).not.toContain(LAPTOP.digest)
    await put([other])
    expect(await readFile(`${home.clientsPath}.prev`, 'utf8')).not.toContain('ef'.repeat(32))
  })

  test('two who change it at once both have their way', async () => {
    const { make } = await open()
    const names = ['a1', 'b1', 'c1', 'd1'].map(client)
    await Promise.all(
      names.map((name) =>
        make().transact(async (clients) =>
          ok({ clients: new Map(clients).set(name, { ...LAPTOP, name }), value: undefined }),
        ),
      ),
    )
    const read = await make().read()
    expect(read.ok && [...read.value.clients.keys()].toSorted()).toEqual(names)
  })
})

describe('a key', () => {
  test('is 32 random bytes, of which only the digest is kept', async () => {
    const { keys } = await open()
    const { key, digest } = keys.make()
    expect(key.reveal()).toMatch(/^eqb-[\w-]{43}$/)
    expect(digest).toBe(createHash('sha256').update(key.reveal()).digest('hex'))
    expect(keys.make().digest).not.toBe(digest)
  })

  test('is kept for programs in a file of its owner alone, and known by its digest', async () => {
    const { keys } = await open()
    const { key, digest } = keys.make()
    expect(await keys.kept(laptop, digest)).toEqual(ok(undefined))
    const path = keys.path(laptop)
    expect(await keys.keep(laptop, key)).toEqual(ok(path))
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await readFile(path, 'utf8')).trim()).toBe(key.reveal())
    expect(await keys.kept(laptop, digest)).toEqual(ok(path))
    expect(await keys.kept(laptop, keys.make().digest)).toEqual(ok(undefined))
    expect(await keys.forget(laptop)).toEqual(ok(true))
    expect(await keys.forget(laptop)).toEqual(ok(false))
  })
})
