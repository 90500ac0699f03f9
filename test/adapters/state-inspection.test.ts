import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'

import { createFiles } from '../../src/adapters/files.ts'
import { createStateInspection } from '../../src/adapters/state-inspection.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { SeenEntry, StateInspection, StateSight } from '../../src/domain/inspection.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import type { HandClock } from './hand-clock.ts'
import { createHandClock } from './hand-clock.ts'
import { temporaryFolder } from './temporary-folder.ts'

const GRANT = 'a'.repeat(32)
const STRAY = 'equabot.json.0123456789ab.tmp'

let root: string
let clock: HandClock
let inspection: StateInspection

beforeEach(() => {
  root = join(temporaryFolder(), '.equabot')
  mkdirSync(root, { mode: 0o700 })
  clock = createHandClock()
  inspection = inspectionOf()
})

function inspectionOf(maxEntries?: number, stateDir = root, userDir?: string): StateInspection {
  return createStateInspection({
    home: {
      ...(userDir !== undefined && { userDir }),
      stateDir,
      configPath: join(root, 'equabot.json'),
      envFilePath: join(root, '.env'),
    },
    files: createFiles(),
    clock,
    ...(maxEntries !== undefined && { maxEntries }),
  })
}

const look = async (): Promise<StateSight> => orThrow(await inspection.look())

async function entry(below: string): Promise<SeenEntry | undefined> {
  const { entries } = await look()
  return entries.find(({ path }) => path === join(root, below))
}

function put(below: string, mode = 0o600): string {
  const path = join(root, below)
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
  writeFileSync(path, 'fake content')
  chmodSync(path, mode)
  return path
}

describe('looking', () => {
  test('sees kind, mode, owner, names and date of what Equabot makes, the folder itself first', async () => {
    const path = put('agents/main/agent/auth-profiles.json', 0o640)
    utimesSync(path, 1_000, 1_000)
    linkSync(path, join(root, 'twin'))
    const { entries, exists, realRoot, freeBytes, cut, unwritable } = await look()
    expect(entries[0]).toMatchObject({ path: root, kind: 'folder', mode: 0o700 })
    expect(entries.map((seen) => seen.path.slice(root.length)).toSorted()).toEqual([
      '',
      '/agents',
      '/agents/main',
      '/agents/main/agent',
      '/agents/main/agent/auth-profiles.json',
    ])
    expect(await entry('agents/main/agent/auth-profiles.json')).toEqual({
      path,
      kind: 'file',
      mode: 0o640,
      isOurs: true,
      links: 2,
      modifiedAt: 1_000_000,
    })
    expect({ exists, realRoot, cut, unwritable }).toEqual({
      exists: true,
      realRoot: root,
      cut: false,
    })
    expect(freeBytes).toBeGreaterThan(0)
  })

  test('follows no link: it sees where one leads, and nothing behind it', async () => {
    const other = temporaryFolder()
    writeFileSync(join(other, 'secret'), 'fake')
    symlinkSync(other, join(root, 'logs'))
    symlinkSync(join(other, 'nothing'), join(root, '.env'))
    symlinkSync('gateway-token', join(root, 'gateway-token'))
    expect(await entry('logs')).toMatchObject({ kind: 'link', leadsTo: other })
    expect(await entry('.env')).not.toHaveProperty('leadsTo')
    expect(await entry('gateway-token')).not.toHaveProperty('leadsTo')
    expect((await look()).entries).toHaveLength(4)
  })

  test('of a state folder behind a link goes through that link', async () => {
    put('.env')
    const link = join(temporaryFolder(), 'moved')
    symlinkSync(root, link)
    const { entries, realRoot } = orThrow(await inspectionOf(undefined, link).look())
    expect(realRoot).toBe(root)
    expect(entries.map(({ path, kind }) => [path, kind])).toEqual([
      [link, 'folder'],
      [join(link, '.env'), 'file'],
    ])
  })

  test('tells a socket from other things that are no file', async () => {
    mkdirSync(join(root, 'logs'))
    const server = createServer().listen(join(root, 'logs', 'socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    expect((await entry('logs/socket'))?.kind).toBe('socket')
    await new Promise((resolve) => server.close(resolve))
  })

  test('stops at its limit, with crowded folders last', async () => {
    for (const name of ['a', 'b', 'c']) put(`agents/main/sessions/${name}.json`)
    const book = put('agents/research/agent/auth-profiles.json')
    inspection = inspectionOf(8)
    const { entries, cut } = await look()
    expect(cut).toBe(true)
    expect(entries).toHaveLength(9)
    expect(entries.map(({ path }) => path)).toContain(book)
  })

  test('sees nothing that Equabot does not make, and goes into no folder of others', async () => {
    for (const path of [
      'workspace/run.sh',
      'workspace/equabot.json',
      'agents/main/notes',
      'agents/main/agent/deeper/auth-profiles.json',
      'agents/No Agent/agent/auth-profiles.json',
      'grants/name/spent',
      `grants/${GRANT}/deeper/spent`,
      'equabot.json/inside',
      'locks/deeper/x.lock',
      'notes.0123456789ab.tmp',
    ]) {
      put(path, 0o777)
    }
    expect((await look()).entries.map(({ path }) => path.slice(root.length)).toSorted()).toEqual([
      '',
      '/agents',
      '/agents/main',
      '/agents/main/agent',
      '/grants',
      `/grants/${GRANT}`,
      '/locks',
    ])
  })

  test('of a state folder that is the home, holds it, or is the root of all sees none of its files', async () => {
    put('.env', 0o644)
    for (const [stateDir, userDir] of [
      [root, root],
      [root, join(root, 'me')],
      ['/', join(root, 'elsewhere')],
      ['/', undefined],
    ] as const) {
      const seen = orThrow(await inspectionOf(undefined, stateDir, userDir).look())
      expect(seen).toMatchObject({ isShared: true, entries: [] })
    }
    const apart = orThrow(await inspectionOf(undefined, root, join(root, '..')).look())
    expect(apart.isShared).toBe(false)
  })

  test('of a folder that is not there makes none', async () => {
    const missing = join(root, 'not', 'there')
    const seen = orThrow(await inspectionOf(undefined, missing).look())
    expect(seen).toMatchObject({ exists: false, entries: [] })
    expect(seen.freeBytes).toBeGreaterThan(0)
    expect(existsSync(join(root, 'not'))).toBe(false)
  })

  test.skipIf(process.getuid?.() === 0)('names a folder that cannot be looked into', async () => {
    mkdirSync(join(root, 'agents'), { mode: 0o000 })
    const { unlistable } = await look()
    expect(unlistable).toEqual([{ path: join(root, 'agents'), errno: 'EACCES' }])
    chmodSync(join(root, 'agents'), 0o700)
  })

  test('of a state folder that is a file, or cannot be reached, is a fault', async () => {
    const file = put('file')
    for (const place of [file, join(file, 'below')]) {
      expect(await inspectionOf(undefined, place).look()).toMatchObject({
        ok: false,
        fault: { code: 'EQ_STORE_UNREADABLE', path: place, errno: 'ENOTDIR' },
      })
    }
  })
})

describe('keeping to the owner', () => {
  test('gives a file mode 600 and a folder 700, also where they were closed', async () => {
    for (const mode of [0o644, 0o666, 0o000]) {
      const path = put('.env', mode)
      expect(await inspection.keepToOwner(path)).toEqual({ ok: true })
      expect(statSync(path).mode & 0o777).toBe(0o600)
    }
    chmodSync(root, 0o755)
    expect(await inspection.keepToOwner(root)).toEqual({ ok: true })
    expect(statSync(root).mode & 0o777).toBe(0o700)
  })

  test('never takes what the owner may do: a program stays one', async () => {
    for (const [mode, kept] of [
      [0o755, 0o700],
      [0o444, 0o600],
      [0o511, 0o700],
    ] as const) {
      const path = put('agents/main/agent/auth-profiles.json', mode)
      expect(await inspection.keepToOwner(path)).toEqual({ ok: true })
      expect(statSync(path).mode & 0o777).toBe(kept)
      chmodSync(path, 0o600)
    }
  })

  test('leaves alone what Equabot does not make, and a file of several names', async () => {
    const program = put('workspace/run.sh', 0o755)
    const outside = join(temporaryFolder(), 'file')
    writeFileSync(outside, '')
    chmodSync(outside, 0o644)
    linkSync(outside, join(root, '.env'))
    expect(await inspection.keepToOwner(program)).toMatchObject({ fault: { problem: 'not_ours' } })
    expect(await inspection.keepToOwner(outside)).toMatchObject({ fault: { problem: 'not_ours' } })
    expect(await inspection.keepToOwner(join(root, '.env'))).toMatchObject({
      fault: { problem: 'hard_links' },
    })
    expect([program, outside].map((path) => statSync(path).mode & 0o777)).toEqual([0o755, 0o644])
  })

  test('goes through no linked folder, and changes nothing where the state folder is the home', async () => {
    const other = temporaryFolder()
    writeFileSync(join(other, 'x.lock'), '')
    chmodSync(join(other, 'x.lock'), 0o644)
    symlinkSync(other, join(root, 'locks'))
    const linked = await inspection.keepToOwner(join(root, 'locks', 'x.lock'))
    expect(linked).toMatchObject({ fault: { problem: 'not_ours' } })
    const path = put('.env', 0o644)
    const stray = put(STRAY)
    utimesSync(stray, 0, 0)
    const journal = put(`grants/${GRANT}/spent`)
    const shared = inspectionOf(undefined, root, root)
    for (const refused of [
      await shared.keepToOwner(root),
      await shared.keepToOwner(path),
      await shared.removeStray(stray),
      await shared.removeJournal(join(journal, '..')),
    ]) {
      expect(refused).toMatchObject({ fault: { problem: 'not_ours' } })
    }
    expect([path, join(other, 'x.lock')].map((name) => statSync(name).mode & 0o777)).toEqual([
      0o644, 0o644,
    ])
    expect([stray, journal].map((name) => existsSync(name))).toEqual([true, true])
  })

  test('never follows a link', async () => {
    const outside = join(temporaryFolder(), 'file')
    writeFileSync(outside, '')
    chmodSync(outside, 0o644)
    symlinkSync(outside, join(root, '.env'))
    expect(await inspection.keepToOwner(join(root, '.env'))).toMatchObject({
      fault: { code: 'EQ_STORE_UNSAFE', problem: 'symlink' },
    })
    expect(statSync(outside).mode & 0o777).toBe(0o644)
  })

  test('of what has gone is a fault', async () => {
    expect(await inspection.keepToOwner(join(root, '.env'))).toMatchObject({
      fault: { code: 'EQ_STORE_UNWRITABLE', errno: 'ENOENT' },
    })
  })
})

describe('removing', () => {
  test('a stray file needs its name, and an hour', async () => {
    const young = put(STRAY)
    utimesSync(young, clock.now() / 1000, (clock.now() - HOUR_MS + 1_000) / 1000)
    expect((await inspection.removeStray(young)).ok).toBe(false)
    const book = put('auth-profiles.json')
    utimesSync(book, 0, 0)
    expect((await inspection.removeStray(book)).ok).toBe(false)
    utimesSync(young, 0, 0)
    expect(await inspection.removeStray(young)).toEqual({ ok: true })
    expect(readdirSync(root)).toEqual(['auth-profiles.json'])
  })

  test('a stray file must be of a file that our writers make, where they make it', async () => {
    for (const below of [
      'workspace/my.0123456789ab.tmp',
      'my.0123456789ab.tmp',
      'agents/main/agent/my.0123456789ab.tmp',
      'locks/x.lock.0123456789ab.tmp',
      `grants/${GRANT}/spent.0123456789ab.tmp`,
      'workspace/equabot.json.0123456789ab.tmp',
    ]) {
      const path = put(below)
      utimesSync(path, 0, 0)
      expect(await inspection.removeStray(path)).toMatchObject({ fault: { problem: 'not_ours' } })
      expect(existsSync(path)).toBe(true)
    }
    for (const below of [
      '.env.0123456789ab.tmp',
      'equabot.json.bak.0123456789ab.tmp',
      'agents/main/agent/auth-profiles.json.prev.0123456789ab.tmp',
      'agents/main/agent/auth-state.json.0123456789ab.tmp',
      'agents/main/sessions/monday.json.0123456789ab.tmp',
      `grants/${GRANT}/verdict.0123456789ab.tmp`,
    ]) {
      const path = put(below)
      utimesSync(path, 0, 0)
      expect(await inspection.removeStray(path)).toEqual({ ok: true })
    }
  })

  test('a stray name that is a link is left, with what it leads to', async () => {
    const book = put('auth-profiles.json')
    symlinkSync(book, join(root, STRAY))
    expect((await inspection.removeStray(join(root, STRAY))).ok).toBe(false)
    expect(existsSync(book)).toBe(true)
  })

  test('a journal takes its files with it, and nothing that is no journal', async () => {
    put(`grants/${GRANT}/spent`)
    put(`grants/${GRANT}/verdict`)
    put(`grants/name/spent`)
    put(`agents/${GRANT}/spent`)
    expect((await inspection.removeJournal(join(root, 'grants/name'))).ok).toBe(false)
    expect((await inspection.removeJournal(join(root, 'agents', GRANT))).ok).toBe(false)
    expect(await inspection.removeJournal(join(root, 'grants', GRANT))).toEqual({ ok: true })
    expect(readdirSync(join(root, 'grants'))).toEqual(['name'])
  })
})

describe('a backup', () => {
  test('stands beside the file, closed to others, and the file is as it was', async () => {
    const path = put('equabot.json', 0o644)
    const copy = orThrow(await inspection.backUp(path))
    expect(copy).toMatch(/equabot\.json\.before-doctor-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/)
    expect(readFileSync(copy ?? '', 'utf8')).toBe('fake content')
    expect(statSync(copy ?? '').mode & 0o777).toBe(0o600)
    expect(statSync(path).mode & 0o777).toBe(0o644)
  })

  test('of a file that is not there is none', async () => {
    expect(await inspection.backUp(join(root, 'equabot.json'))).toEqual({ ok: true })
  })
})
