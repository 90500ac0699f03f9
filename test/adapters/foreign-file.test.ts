import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { FileSystem } from '../../src/adapters/file-system.ts'
import { nodeFileSystem } from '../../src/adapters/file-system.ts'
import type { ForeignFileDeps } from '../../src/adapters/foreign-file.ts'
import { createForeignFile } from '../../src/adapters/foreign-file.ts'
import type { Clock } from '../../src/domain/ports.ts'
import { parseClaudeLogin } from '../../src/wire/claude-login.ts'
import { temporaryFolder } from './temporary-folder.ts'

const text = (access: string) =>
  JSON.stringify({
    claudeAiOauth: { accessToken: access, refreshToken: 'fake-refresh', expiresAt: 5 },
  })

/** A clock on which a sleep is over at once, and is noted. */
function quickClock(onSleep: (count: number) => void = () => undefined) {
  const slept: number[] = []
  const clock: Clock = {
    now: () => 0,
    sleep: async (ms) => {
      slept.push(ms)
      onSleep(slept.length)
    },
  }
  return { clock, slept }
}

/** Counts what is asked of the disk. */
function counted(overrides: Partial<FileSystem> = {}) {
  const asked: string[] = []
  const system: FileSystem = {
    ...nodeFileSystem,
    lstat: (path) => {
      asked.push('lstat')
      return nodeFileSystem.lstat(path)
    },
    open: (path, flags, mode) => {
      asked.push('open')
      return nodeFileSystem.open(path, flags, mode)
    },
    ...overrides,
  }
  return { system, asked }
}

function setUp(content: string | undefined, more: Partial<ForeignFileDeps> = {}) {
  const place = join(temporaryFolder(), '.credentials.json')
  if (content !== undefined) writeFileSync(place, content, { mode: 0o600 })
  const file = createForeignFile({
    origin: 'claude-code',
    place,
    parse: parseClaudeLogin,
    clock: quickClock().clock,
    ...more,
  })
  const seen = async () => {
    const read = await file.read()
    return read.ok ? read.value?.login.access.reveal() : read.fault
  }
  return { place, file, seen }
}

const fault = (code: string, place: string, more: object = {}) => ({
  code,
  origin: 'claude-code',
  place,
  ...more,
})

describe('a login', () => {
  it('is read, with nothing to remark', async () => {
    const { file } = setUp(text('one'))
    expect(await file.read()).toMatchObject({ ok: true, value: { login: { expiresAt: 5 } } })
    expect(await file.read()).not.toHaveProperty('value.remark')
  })

  it('costs one look while nothing changes', async () => {
    const { system, asked } = counted()
    const { seen } = setUp(text('one'), { system })
    await seen()
    asked.length = 0
    expect([await seen(), await seen()]).toEqual(['one', 'one'])
    expect(asked).toEqual(['lstat', 'lstat'])
  })

  it('is read again after a rename and after a write in place', async () => {
    const { place, seen } = setUp(text('one'))
    expect(await seen()).toBe('one')
    writeFileSync(`${place}.new`, text('two'), { mode: 0o600 })
    renameSync(`${place}.new`, place)
    expect(await seen()).toBe('two')
    writeFileSync(place, text('three'))
    expect(await seen()).toBe('three')
    unlinkSync(place)
    expect(await seen()).toBeUndefined()
  })

  it('is read again when only its time has changed', async () => {
    const { place, seen } = setUp(text('one'))
    await seen()
    writeFileSync(place, text('two'))
    utimesSync(place, 1_000, 1_000)
    expect(await seen()).toBe('two')
  })

  it('is left as it is, bytes, mode and time', async () => {
    const { place, seen } = setUp(text('one'))
    utimesSync(place, 1_000, 1_000)
    const before = statSync(place, { bigint: true })
    await seen()
    const after = statSync(place, { bigint: true })
    expect([after.mtimeNs, after.ctimeNs, after.mode, after.ino]).toEqual([
      before.mtimeNs,
      before.ctimeNs,
      before.mode,
      before.ino,
    ])
    expect(readFileSync(place, 'utf8')).toBe(text('one'))
  })

  it('may stand in a folder behind a link', async () => {
    const { place } = setUp(text('one'))
    const link = join(temporaryFolder(), 'linked')
    symlinkSync(dirname(place), link)
    const file = createForeignFile({
      origin: 'claude-code',
      place: join(link, '.credentials.json'),
      parse: parseClaudeLogin,
      clock: quickClock().clock,
    })
    expect(await file.read()).toMatchObject({ ok: true, value: { login: {} } })
  })
})

describe('there is no login', () => {
  it.each([
    ['without a file', undefined],
    ['in a file of other things', '{"mcpOAuth":{}}'],
  ])('%s', async (_, content) => {
    expect(await setUp(content).file.read()).toEqual({ ok: true, value: undefined })
    expect(await setUp(content).file.readBytes()).toEqual({ ok: true, value: undefined })
  })

  it('where its folder is a file', async () => {
    const { place } = setUp('x')
    const file = createForeignFile({
      origin: 'claude-code',
      place: join(place, 'inner'),
      parse: parseClaudeLogin,
      clock: quickClock().clock,
    })
    expect(await file.read()).toEqual({ ok: true, value: undefined })
  })
})

describe('what is not trusted is not read', () => {
  it('a link, wherever it leads', async () => {
    const { place, seen } = setUp(undefined)
    const target = join(temporaryFolder(), 'target')
    writeFileSync(target, text('other'), { mode: 0o600 })
    symlinkSync(target, place)
    expect(await seen()).toEqual(fault('EQ_FOREIGN_LINK', place))
    unlinkSync(target)
    expect(await seen()).toEqual(fault('EQ_FOREIGN_LINK', place))
  })

  it('a name that becomes a link just after it was looked at', async () => {
    const target = join(temporaryFolder(), 'target')
    writeFileSync(target, text('other'), { mode: 0o600 })
    const { system } = counted({
      lstat: async (path) => {
        const facts = await nodeFileSystem.lstat(path)
        unlinkSync(path)
        symlinkSync(target, path)
        return facts
      },
    })
    const { place, seen } = setUp(text('one'), { system })
    expect(await seen()).toEqual(fault('EQ_FOREIGN_LINK', place))
  })

  it('a folder, a pipe, a socket: without waiting', async () => {
    const folder = setUp(undefined)
    mkdirSync(folder.place)
    expect(await folder.seen()).toEqual(fault('EQ_FOREIGN_KIND', folder.place))

    const pipe = setUp(undefined)
    execFileSync('mkfifo', [pipe.place])
    expect(await pipe.seen()).toEqual(fault('EQ_FOREIGN_KIND', pipe.place))

    const socket = setUp(undefined)
    const server = createServer().listen(socket.place)
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    expect(await socket.seen()).toEqual(fault('EQ_FOREIGN_KIND', socket.place))
  })

  it('a pipe that takes the place of the file just after it was looked at', async () => {
    const { system } = counted({
      lstat: async (path) => {
        const facts = await nodeFileSystem.lstat(path)
        unlinkSync(path)
        execFileSync('mkfifo', [path])
        return facts
      },
    })
    const { place, seen } = setUp(text('one'), { system })
    expect(await seen()).toEqual(fault('EQ_FOREIGN_KIND', place))
  })

  it('a file of another user', async () => {
    const { place, seen } = setUp(text('one'), { userId: (process.getuid?.() ?? 0) + 1 })
    expect(await seen()).toEqual(fault('EQ_FOREIGN_OWNER', place))
  })

  it.each([0o660, 0o602, 0o620, 0o666])('a file that others may write: %o', async (mode) => {
    const { system, asked } = counted()
    const { place, seen } = setUp(text('one'), { system })
    chmodSync(place, mode)
    expect(await seen()).toEqual(fault('EQ_FOREIGN_OPEN', place, { mode, writable: true }))
    expect(asked).toEqual(['lstat'])
  })

  it('a file of more than 1 MiB', async () => {
    const { place, seen } = setUp(`${text('one')}${' '.repeat(1024 * 1024)}`)
    expect(await seen()).toEqual(fault('EQ_FOREIGN_UNREADABLE', place, { errno: 'EFBIG' }))
  })
})

describe('trouble', () => {
  it.each(['EACCES', 'EIO', 'EMFILE'])('%s is a fault and not "no login"', async (errno) => {
    const failing = () => Promise.reject(Object.assign(new Error(errno), { code: errno }))
    for (const overrides of [{ lstat: failing }, { open: failing }]) {
      const { place, seen } = setUp(text('one'), { system: counted(overrides).system })
      expect(await seen()).toEqual(fault('EQ_FOREIGN_UNREADABLE', place, { errno }))
    }
  })

  it('is over when it is over', async () => {
    let isBad = true
    const { system } = counted({
      open: (path, flags) =>
        isBad
          ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
          : nodeFileSystem.open(path, flags),
    })
    const { seen } = setUp(text('one'), { system })
    expect(await seen()).toMatchObject({ errno: 'EIO' })
    isBad = false
    expect(await seen()).toBe('one')
  })
})

it.each([0o640, 0o604, 0o644])('a file that others may read is used and told: %o', async (mode) => {
  const { place, file } = setUp(text('one'))
  chmodSync(place, mode)
  expect(await file.read()).toMatchObject({
    ok: true,
    value: { login: {}, remark: fault('EQ_FOREIGN_OPEN', place, { mode, writable: false }) },
  })
  chmodSync(place, 0o600)
  expect(await file.read()).not.toHaveProperty('value.remark')
})

describe('a file that is being written', () => {
  it('is read again until it is whole', async () => {
    const whole = text('whole')
    let place = ''
    const { clock, slept } = quickClock((count) => {
      if (count === 2) writeFileSync(place, whole)
    })
    const made = setUp(whole.slice(0, 20), { clock })
    place = made.place
    expect(await made.seen()).toBe('whole')
    expect(slept).toHaveLength(2)
  })

  it('is broken after three more looks in less than half a second, and then costs one look', async () => {
    const { clock, slept } = quickClock()
    const { system, asked } = counted()
    const { place, seen } = setUp(text('one').slice(0, 20), { clock, system })
    const broken = fault('EQ_FOREIGN_SYNTAX', place, { line: 1, column: 19 })
    expect(await seen()).toEqual(broken)
    expect(slept).toHaveLength(3)
    expect(slept.reduce((sum, ms) => sum + ms)).toBeLessThanOrEqual(500)
    asked.length = 0
    expect(await seen()).toEqual(broken)
    expect(asked).toEqual(['lstat'])
  })

  it('that is gone in between is no login', async () => {
    let place = ''
    const { clock } = quickClock(() => unlinkSync(place))
    const made = setUp('{', { clock })
    place = made.place
    expect(await made.seen()).toBeUndefined()
  })

  it('is blank at once, without a second look', async () => {
    const { clock, slept } = quickClock()
    const blank = '{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}'
    const { place, seen } = setUp(blank, { clock })
    expect(await seen()).toEqual(fault('EQ_FOREIGN_BLANK', place))
    expect(slept).toEqual([])
  })
})

it('the bytes are those of this instant, with their login', async () => {
  const { place, file } = setUp(text('one'))
  await file.read()
  writeFileSync(place, `${text('two')}\n`)
  const read = await file.readBytes()
  expect(read).toMatchObject({ ok: true, value: { facts: { kind: 'file', mode: 0o600 } } })
  expect(read.ok && read.value?.bytes.toString('utf8')).toBe(`${text('two')}\n`)
  expect(read.ok && read.value?.login.access.reveal()).toBe('two')
})

it('a second name does not keep a login from being read', async () => {
  const { place, seen } = setUp(text('one'))
  linkSync(place, `${place}.other`)
  expect(await seen()).toBe('one')
})
