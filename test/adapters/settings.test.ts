import { chmod, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import JSON5 from 'json5'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClock } from '../../src/adapters/clock.ts'
import { createFiles } from '../../src/adapters/files.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import { createSettingsStore } from '../../src/adapters/settings.ts'
import type { SettingsStore } from '../../src/domain/ports.ts'
import { DEFAULT_SETTINGS } from '../../src/domain/settings.ts'

let dir: string
let path: string
let store: SettingsStore

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'equabot-settings-'))
  path = join(dir, 'equabot.json')
  store = open()
})
afterEach(() => rm(dir, { recursive: true }))

function open(): SettingsStore {
  return createSettingsStore({
    home: { configPath: path },
    locks: createLocks({ clock: createClock(), dir: join(dir, 'locks') }),
    files: createFiles(),
  })
}

const setPort = (port: unknown) => () => [{ path: ['gateway', 'port'], value: port }]

test('a file that does not exist gives the defaults and is not made by reading', async () => {
  expect(await store.read()).toEqual({
    ok: true,
    value: { settings: DEFAULT_SETTINGS, path, exists: false, migrated: [], raw: {} },
  })
  expect(await readdir(dir)).toEqual([])
})

test('the first edit makes the file, for its owner alone', async () => {
  const edited = await store.edit(setPort(1_234))
  expect(edited.ok && edited.value.settings.gateway.port).toBe(1_234)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readFile(path, 'utf8')).toMatch(/^\/\/ Settings of Equabot/)
  expect(await open().read()).toEqual(edited)
})

test('a change by somebody else is seen by the next read', async () => {
  await store.edit(setPort(1))
  await store.read()
  await open().edit(setPort(2))
  const read = await store.read()
  expect(read.ok && read.value.settings.gateway.port).toBe(2)
})

test('an unchanged file is parsed once', async () => {
  await store.edit(setPort(1))
  const [first, second] = [await store.read(), await store.read()]
  expect(first.ok && second.ok && second.value === first.value).toBe(true)
})

test('an edit that does not fit leaves the file as it was', async () => {
  await writeFile(path, '{ gateway: { port: 1 } } // mine')
  const edited = await store.edit(setPort('x'))
  expect(edited).toMatchObject({ ok: false, fault: { code: 'EQ_CONFIG_FIELD' } })
  expect(await readFile(path, 'utf8')).toBe('{ gateway: { port: 1 } } // mine')
})

test('a broken file is not written over', async () => {
  await writeFile(path, '{ gateway: ')
  expect(await store.edit(setPort(1))).toMatchObject({
    ok: false,
    fault: { code: 'EQ_CONFIG_SYNTAX', path, line: 1 },
  })
  expect(await readFile(path, 'utf8')).toBe('{ gateway: ')
})

test('an edit that changes nothing writes nothing', async () => {
  await store.edit(() => [])
  expect(await readdir(dir)).toEqual(['locks'])
})

test('edits at the same time are all made', async () => {
  const names = ['A', 'B', 'C', 'D', 'E', 'F']
  await Promise.all(
    names.map((name) => open().edit(() => [{ path: ['env', 'vars', name], value: name }])),
  )
  const read = await store.read()
  expect(read.ok && [...read.value.settings.env.vars.keys()].toSorted()).toEqual(names)
})

test('older spellings are renewed by the next edit, with a backup beside the file', async () => {
  const old =
    '{ auth: { profiles: { /* tool */ "anthropic:claude-cli": { provider: "anthropic", mode: "token" } } } }'
  await writeFile(path, old)
  await store.read()
  expect(await readdir(dir)).toEqual(['equabot.json'])
  await store.edit(() => [])
  expect(await readFile(path, 'utf8')).toBe(old.replace('"token"', '"oauth"'))
  expect(await readFile(`${path}.bak`, 'utf8')).toBe(old)
})

test('a link to the file stays a link', async () => {
  const real = join(dir, 'dotfiles.json')
  await writeFile(real, '{ /* linked */ }')
  await symlink(real, path)
  await store.edit(setPort(5))
  expect(JSON5.parse(await readFile(real, 'utf8'))).toEqual({ gateway: { port: 5 } })
})

test.skipIf(process.getuid?.() === 0)('a file that may not be read is a fault', async () => {
  await writeFile(path, '{}')
  await chmod(path, 0)
  expect(await store.read()).toMatchObject({ ok: false, fault: { code: 'EQ_STORE_UNREADABLE' } })
})
