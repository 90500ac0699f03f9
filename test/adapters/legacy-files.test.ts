import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

import { createLegacyFiles } from '../../src/adapters/legacy-files.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { LegacyFiles } from '../../src/domain/ports.ts'
import { createFixture } from './stores-fixture.ts'
import { temporaryFolder } from './temporary-folder.ts'

const KEY = '{"openai": {"type": "api_key", "key": "made-up"}}'
const BOOK = '{"version": 1, "profiles": {}}'

function put(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

function legacy(stateDir = temporaryFolder()): LegacyFiles {
  return createLegacyFiles(createFixture({ stateDir }))
}

test("a state folder gives its login files, the main agent's first", async () => {
  const folder = temporaryFolder()
  const paths = [
    'agents/main/agent/auth-profiles.json',
    'agents/a/agent/auth-profiles.json',
    'agents/a/agent/auth.json',
    'agent/auth.json',
    'credentials/oauth.json',
    'auth.json',
  ].map((path) => join(folder, path))
  for (const path of paths.toReversed()) put(path, path.endsWith('profiles.json') ? BOOK : KEY)
  put(join(folder, 'agents/a/agent/other.json'), KEY)
  const found = orThrow(await legacy().read(folder))
  expect(found.map(({ path }) => path)).toEqual(paths)
  expect(found.every(({ logins }) => logins.ok)).toBe(true)
})

test('a file is read whatever it is called, and neither its bytes nor its times are touched', async () => {
  const path = put(join(temporaryFolder(), 'exported.txt'), KEY)
  const before = statSync(path)
  const [found] = orThrow(await legacy().read(path))
  expect(found?.logins).toMatchObject({ ok: true, value: { entries: [{ name: 'openai' }] } })
  expect(readFileSync(path, 'utf8')).toBe(KEY)
  expect(statSync(path).mtimeMs).toBe(before.mtimeMs)
})

test('one file that is not whole has a fault with its path, and the others are read', async () => {
  const folder = temporaryFolder()
  const torn = put(join(folder, 'auth.json'), KEY.slice(0, 30))
  put(join(folder, 'credentials/oauth.json'), KEY)
  const found = orThrow(await legacy().read(folder))
  expect(found.map(({ logins }) => (logins.ok ? 'read' : logins.fault))).toEqual([
    'read',
    { code: 'EQ_STORE_SYNTAX', path: torn, line: 1, column: expect.any(Number) },
  ])
})

test('a folder without login files says what was looked for, a path that is not there just that', async () => {
  const folder = temporaryFolder()
  expect(await legacy().read(folder)).toEqual({
    ok: false,
    fault: {
      code: 'EQ_IMPORT_NOTHING',
      path: folder,
      looked: 'auth-profiles.json, auth.json, credentials/oauth.json',
    },
  })
  const path = join(folder, 'gone')
  expect(await legacy().read(path)).toEqual({
    ok: false,
    fault: { code: 'EQ_IMPORT_MISSING', path },
  })
  const file = put(join(folder, 'file'), KEY)
  expect(await legacy().read(join(file, 'below'))).toMatchObject({
    fault: { code: 'EQ_STORE_UNREADABLE', errno: 'ENOTDIR' },
  })
})

test('our own state folder and books are refused, under any name; what an older tool left there is not', async () => {
  const own = temporaryFolder()
  const book = put(join(own, 'agents/main/agent/auth-profiles.json'), BOOK)
  const left = put(join(own, 'credentials/oauth.json'), KEY)
  const link = join(temporaryFolder(), 'link')
  symlinkSync(own, link)
  const self = { ok: false, fault: { code: 'EQ_IMPORT_SELF' } }
  for (const path of [own, link, book, join(link, 'agents/main/agent'), `${own}/agents/..`]) {
    expect(await legacy(own).read(path), path).toMatchObject(self)
  }
  expect(orThrow(await legacy(own).read(left))).toHaveLength(1)
})
