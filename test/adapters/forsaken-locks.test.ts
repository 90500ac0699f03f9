import { existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'

import { createForsakenLocks } from '../../src/adapters/forsaken-locks.ts'
import { temporaryFolder } from './temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = join(temporaryFolder(), '.claude')
  mkdirSync(folder)
})

function lock(path: string, seconds = 1_000): string {
  mkdirSync(path)
  utimesSync(path, seconds, seconds)
  return path
}

test('sees the three locks, the one of the real folder also where that is behind a link', async () => {
  const link = join(temporaryFolder(), 'linked')
  symlinkSync(folder, link)
  lock(join(folder, '.oauth_refresh.lock'))
  lock(join(folder, '.storage-write.lock'))
  const real = lock(`${folder}.lock`)
  const seen = await createForsakenLocks(link).look()
  expect(seen).toEqual([
    { origin: 'claude-code', path: join(link, '.oauth_refresh.lock'), modifiedAt: 1_000_000 },
    { origin: 'claude-code', path: real, modifiedAt: 1_000_000 },
    { origin: 'claude-code', path: join(link, '.storage-write.lock'), modifiedAt: 1_000_000 },
  ])
})

test('sees nothing where there is none, and no file of that name', async () => {
  writeFileSync(join(folder, '.oauth_refresh.lock'), '')
  expect(await createForsakenLocks(folder).look()).toEqual([])
  expect(await createForsakenLocks(undefined).look()).toEqual([])
  expect(await createForsakenLocks(join(folder, 'gone')).look()).toEqual([])
})

test('removes a lock that is as it was seen, and none that was touched since', async () => {
  const path = lock(join(folder, '.oauth_refresh.lock'))
  const locks = createForsakenLocks(folder)
  const [seen] = await locks.look()
  if (!seen) throw new Error('no lock was seen')
  utimesSync(path, 2_000, 2_000)
  expect(await locks.remove(seen)).toEqual({ ok: true, value: false })
  utimesSync(path, 1_000, 1_000)
  expect(await locks.remove(seen)).toEqual({ ok: true, value: true })
  expect(await locks.remove(seen)).toEqual({ ok: true, value: false })
})

test('leaves a lock that holds something, and says why', async () => {
  const path = lock(join(folder, '.oauth_refresh.lock'))
  writeFileSync(join(path, 'something'), '')
  const locks = createForsakenLocks(folder)
  const [seen] = await locks.look()
  expect(seen && (await locks.remove(seen))).toMatchObject({
    fault: { code: 'EQ_STORE_UNWRITABLE', errno: 'ENOTEMPTY' },
  })
  expect(existsSync(path)).toBe(true)
})
