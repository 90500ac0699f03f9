import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFiles } from '../../src/adapters/files.ts'
import { nodeFileSystem } from '../../src/adapters/file-system.ts'
import { createProfileStore } from '../../src/adapters/profile-store.ts'
import type { GrantId } from '../../src/domain/grant.ts'
import { parseGrantId } from '../../src/domain/grant.ts'
import { MAIN_AGENT, parseAgentId, parseProfileId } from '../../src/domain/names.ts'
import type { ProfileStore } from '../../src/domain/ports.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { withProfile } from '../../src/domain/profile.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { parseProfileFile } from '../../src/wire/profile-file.ts'
import { compileChildProgram } from './child-processes.ts'
import { createFixture } from './stores-fixture.ts'
import type { Fixture } from './stores-fixture.ts'

const startChild = compileChildProgram('profile-store')
const id = parseProfileId('anthropic:work')
if (!id) throw new Error('bad id')

function profile(text: string): Profile {
  if (!id) throw new Error('bad id')
  return { id, credential: { type: 'token', token: new Secret(text) }, origin: 'equabot' }
}

const save = (store: ProfileStore, text: string) =>
  store.transact(MAIN_AGENT, async (book) =>
    ok({ book: withProfile(book, profile(text)), value: text }),
  )

async function storedToken(store: ProfileStore): Promise<string | undefined> {
  const { book } = orThrow(await store.read(MAIN_AGENT))
  const credential = id && book.profiles.get(id)?.credential
  return credential?.type === 'token' ? credential.token.reveal() : undefined
}

function createStore(fixture: Fixture = createFixture()) {
  const path = fixture.home.bookPath(MAIN_AGENT)
  const put = (text: string): void => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { mode: 0o600 })
  }
  return { ...fixture, path, put, store: createProfileStore(fixture) }
}

describe('a login that goes', () => {
  const oauth = (refresh: string, grantId: GrantId | undefined): Profile => ({
    ...profile(''),
    credential: {
      type: 'oauth',
      access: new Secret('made-up-access'),
      refresh: new Secret(refresh),
      ...(grantId && { grantId }),
    },
  })
  const put = (store: ProfileStore, login: Profile) =>
    store.transact(MAIN_AGENT, async (book) =>
      ok({ book: withProfile(book, login), value: undefined }),
    )

  it('for another one is gone from the previous generation too', async () => {
    const { store, path } = createStore()
    await put(store, oauth('made-up-1', undefined))
    await put(store, oauth('made-up-2', parseGrantId('a'.repeat(32))))
    expect(readFileSync(`${path}.prev`, 'utf8')).not.toContain('made-up-1')
    expect(readFileSync(`${path}.prev`, 'utf8')).toContain('made-up-2')
  })

  it('through a renewal is gone there too: a token that has served is nothing to put back', async () => {
    const { store, path } = createStore()
    await put(store, oauth('made-up-1', parseGrantId('a'.repeat(32))))
    await put(store, oauth('made-up-2', parseGrantId('a'.repeat(32))))
    expect(readFileSync(`${path}.prev`, 'utf8')).not.toContain('made-up-1')
    writeFileSync(path, BROKEN)
    orThrow(await store.restorePrevious(MAIN_AGENT))
    expect(readFileSync(path, 'utf8')).toContain('made-up-2')
  })
})

describe('reading a book', () => {
  it('finds an empty one where there is no file, and makes none', async () => {
    const { store, home } = createStore()
    expect(orThrow(await store.read(MAIN_AGENT)).book.profiles.size).toBe(0)
    expect(existsSync(home.agentsDir) || existsSync(home.locksDir)).toBe(false)
  })

  it('sees what another process wrote since', async () => {
    const { store, put } = createStore()
    await save(store, 'made-up-1')
    expect(await storedToken(store)).toBe('made-up-1')
    put(
      '{"profiles":{"anthropic:work":{"type":"token","provider":"anthropic","token":"made-up-22"}}}',
    )
    expect(await storedToken(store)).toBe('made-up-22')
  })

  it('opens a file that has not changed only once', async () => {
    let opened = 0
    const files = createFiles({
      ...nodeFileSystem,
      open: (path, flags, mode) => {
        opened += 1
        return nodeFileSystem.open(path, flags, mode)
      },
    })
    const { store, put } = createStore(createFixture({ files }))
    put('{}')
    for (let times = 0; times < 5; times += 1) orThrow(await store.read(MAIN_AGENT))
    expect(opened).toBe(1)
  })
})

describe('changing a book', () => {
  it('saves it with mode 0600 in folders of 0700 and keeps the generation before', async () => {
    const { store, path } = createStore()
    expect(await save(store, 'made-up-1')).toEqual(ok('made-up-1'))
    const first = readFileSync(path, 'utf8')
    await save(store, 'made-up-2')
    expect(readFileSync(`${path}.prev`, 'utf8')).toBe(first)
    expect(
      [path, `${path}.prev`, dirname(path)].map((name) => statSync(name).mode & 0o777),
    ).toEqual([0o600, 0o600, 0o700])
    expect(await storedToken(store)).toBe('made-up-2')
  })

  it('writes nothing when nothing changed, and nothing when the change was refused', async () => {
    const { store, path } = createStore()
    await save(store, 'made-up-1')
    const before = statSync(path, { bigint: true })
    await save(store, 'made-up-1')
    expect(await store.transact(MAIN_AGENT, async () => fail('no'))).toEqual(fail('no'))
    expect(statSync(path, { bigint: true })).toMatchObject({
      ino: before.ino,
      mtimeNs: before.mtimeNs,
    })
  })

  it('lets callers in one process see each other’s work', async () => {
    const { store } = createStore()
    const seen: number[] = []
    await Promise.all(
      Array.from({ length: 20 }, (_, turn) =>
        store.transact(MAIN_AGENT, async (book) => {
          seen.push(book.profiles.size)
          const name = parseProfileId(`x:p${turn}`)
          if (!name) return fail('bad id')
          return ok({ book: withProfile(book, { ...profile('made-up'), id: name }), value: turn })
        }),
      ),
    )
    expect(seen).toEqual(Array.from({ length: 20 }, (_, turn) => turn))
  })

  it('loses no update of twelve processes', async () => {
    const { store, home } = createStore()
    const children = Array.from({ length: 12 }, () => startChild('increment', home.stateDir, '20'))
    const codes = await Promise.all(children.map((child) => child.exit))
    expect(codes).toEqual(children.map(() => [0, null]))
    const { book } = orThrow(await store.read(MAIN_AGENT))
    const [counter] = [...book.profiles.values()]
    expect(counter?.credential.type === 'api_key' && counter.credential.key.reveal()).toBe('240')
  }, 120_000)

  it('keeps the file whole, private and up to the last word, however often its writer is killed', async () => {
    const { home, path } = createStore()
    for (let round = 0; round < 50; round += 1) {
      const child = startChild('increment-until-killed', home.stateDir)
      let acknowledged = 0
      for (let seen = 0; seen <= round % 7; seen += 1) acknowledged = Number(await child.line())
      child.process.kill('SIGKILL')
      await child.exit
      acknowledged = Math.max(acknowledged, ...child.lines.map(Number))
      const parsed = parseProfileFile(readFileSync(path, 'utf8'))
      if (!parsed.ok) throw new Error(`round ${round}: ${parsed.fault.code}`)
      const [counter] = [...parsed.value.book.profiles.values()]
      const stored =
        counter?.credential.type === 'api_key' && Number(counter.credential.key.reveal())
      expect(stored).toBeGreaterThanOrEqual(acknowledged)
      const modes = readdirSync(dirname(path)).map(
        (name) => statSync(`${dirname(path)}/${name}`).mode,
      )
      expect(modes.filter((mode) => mode & 0o077)).toEqual([])
    }
  }, 120_000)
})

const BROKEN = '{"version": 1, "profiles": {"anthropic:wo'

describe('a book that cannot be read', () => {
  it.each([
    [BROKEN, { code: 'EQ_STORE_SYNTAX', line: 1, column: 29 }],
    ['', { code: 'EQ_STORE_SYNTAX', line: 1, column: 1 }],
    ['{"profiles": []}', { code: 'EQ_STORE_FIELD', field: 'profiles', expected: 'an object' }],
    ['{"version": 2}', { code: 'EQ_STORE_NEWER', version: 2, supported: 1 }],
  ])('%s is told by reading and by changing, and left as it is', async (text, fault) => {
    const { store, path, put } = createStore()
    put(text)
    expect(await store.read(MAIN_AGENT)).toEqual(fail({ ...fault, path }))
    expect(await save(store, 'made-up')).toEqual(fail({ ...fault, path }))
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(dirname(path))).toEqual(['auth-profiles.json'])
  })

  it('names the previous generation and the way back, which sets the broken one aside whole', async () => {
    const { store, path, put } = createStore()
    await save(store, 'made-up-1')
    await save(store, 'made-up-2')
    put(BROKEN)
    expect(await store.read(MAIN_AGENT)).toMatchObject({
      fault: {
        code: 'EQ_STORE_SYNTAX',
        previous: `${path}.prev`,
        agent: MAIN_AGENT,
      },
    })
    const { setAside } = orThrow(await store.restorePrevious(MAIN_AGENT))
    expect(readFileSync(setAside, 'utf8')).toBe(BROKEN)
    expect(statSync(setAside).mode & 0o777).toBe(0o600)
    expect(await storedToken(store)).toBe('made-up-1')
  })

  it('names what can still be read of the broken one and is not in the copy', async () => {
    const { store, path, put } = createStore()
    await save(store, 'made-up-1')
    await save(store, 'made-up-2')
    const added = '"anthropic:later": { "type": "api_key", "key": "made-up-3" }'
    put(`{ "profiles": { ${added}, ${readFileSync(path, 'utf8').slice(0, -20)}`)
    const { lost } = orThrow(await store.restorePrevious(MAIN_AGENT))
    expect(lost).toEqual(['anthropic:later'])
  })

  it('offers no previous generation that is broken itself', async () => {
    const { store, path, put } = createStore()
    put(BROKEN)
    writeFileSync(`${path}.prev`, BROKEN)
    expect(await store.read(MAIN_AGENT)).toEqual(
      fail({ code: 'EQ_STORE_SYNTAX', path, line: 1, column: 29 }),
    )
    expect(await store.restorePrevious(MAIN_AGENT)).toEqual(
      fail({ code: 'EQ_STORE_NO_PREVIOUS', path }),
    )
    expect(readFileSync(path, 'utf8')).toBe(BROKEN)
  })

  it('is not rolled back when a newer program wrote it', async () => {
    const { store, path, put } = createStore()
    await save(store, 'made-up-1')
    await save(store, 'made-up-2')
    put('{"version": 9}')
    expect(await store.restorePrevious(MAIN_AGENT)).toMatchObject({
      fault: { code: 'EQ_STORE_NEWER' },
    })
    expect(readFileSync(path, 'utf8')).toBe('{"version": 9}')
  })

  it('is told apart from one that is not there', async () => {
    const { store, home, path } = createStore()
    writeFileSync(home.agentsDir, 'a file where a folder belongs')
    const fault = { code: 'EQ_STORE_UNREADABLE', path, errno: 'ENOTDIR' }
    expect(await store.read(MAIN_AGENT)).toEqual(fail(fault))
    expect(await save(store, 'made-up')).toEqual(fail(fault))
  })
})

describe('agents', () => {
  it('are the folders that bear the name of one', async () => {
    const { store, home } = createStore()
    expect(await store.agents()).toEqual([])
    for (const name of ['work', 'main', 'Not One', '.hidden']) {
      mkdirSync(`${home.agentsDir}/${name}`, { recursive: true })
    }
    expect(await store.agents()).toEqual(['main', 'work'])
  })

  it('have books of their own', async () => {
    const { store } = createStore()
    const work = parseAgentId('work')
    if (!work) throw new Error('bad agent')
    await save(store, 'made-up-1')
    expect(orThrow(await store.read(work)).book.profiles.size).toBe(0)
  })
})

describe('keeping a copy', () => {
  it('has the bytes of the file as it was, mode 0600, also when it is made inside a change', async () => {
    const { store, path, put } = createStore()
    const text = '{"profiles": {},   "note": "as it stood"}'
    put(text)
    const kept = await store.transact(MAIN_AGENT, async (book) => {
      const copy = await store.keepCopy(MAIN_AGENT, 'before-import-1')
      return copy.ok ? ok({ book: withProfile(book, profile('made-up')), value: copy.value }) : copy
    })
    expect(orThrow(kept)).toBe(`${path}.before-import-1`)
    expect(readFileSync(`${path}.before-import-1`, 'utf8')).toBe(text)
    expect(statSync(`${path}.before-import-1`).mode & 0o777).toBe(0o600)
    expect(await storedToken(store)).toBe('made-up')
  })

  it('of a book that there is not makes none', async () => {
    const { store, home } = createStore()
    expect(orThrow(await store.keepCopy(MAIN_AGENT, 'before-import-1'))).toBeUndefined()
    expect(existsSync(home.agentsDir)).toBe(false)
  })
})
