import fc from 'fast-check'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { FileSystem, OpenFile } from '../../src/adapters/file-system.ts'
import { nodeFileSystem } from '../../src/adapters/file-system.ts'
import { createFiles, previousPathOf } from '../../src/adapters/files.ts'
import type { StoreFault } from '../../src/domain/fault.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { temporaryFolder } from './temporary-folder.ts'

const files = createFiles()
const mode = (path: string): number => statSync(path).mode & 0o777

/** A file system whose operations fail from the n-th on, once or for good. */
function failing(nth: number, errno: string, isLasting: boolean) {
  let done = 0
  let failed = 0
  async function step<T>(run: () => Promise<T>): Promise<T> {
    const turn = done
    done += 1
    if (turn === nth || (isLasting && turn > nth)) {
      failed += 1
      throw Object.assign(new Error(errno), { code: errno })
    }
    return run()
  }
  const wrapped = (file: OpenFile): OpenFile => ({
    read: () => step(() => file.read()),
    byteAt: (position) => step(() => file.byteAt(position)),
    write: (data) => step(() => file.write(data)),
    sync: () => step(() => file.sync()),
    stat: () => step(() => file.stat()),
    // A close that reports an error has closed all the same.
    close: () => file.close().then(() => step(() => Promise.resolve())),
  })
  const real = nodeFileSystem
  const system: FileSystem = {
    open: (path, flags, bits) => step(async () => wrapped(await real.open(path, flags, bits))),
    rename: (from, to) => step(() => real.rename(from, to)),
    unlink: (path) => step(() => real.unlink(path)),
    rmdir: (path) => step(() => real.rmdir(path)),
    mkdir: (path, bits) => step(() => real.mkdir(path, bits)),
    readdir: (path) => step(() => real.readdir(path)),
    realpath: (path) => step(() => real.realpath(path)),
    stat: (path) => step(() => real.stat(path)),
    lstat: (path) => step(() => real.lstat(path)),
  }
  return { system, failed: () => failed }
}

/** What a save said, in one line. */
function told(saved: Result<void, StoreFault>): string {
  if (saved.ok) return 'saved'
  const { fault } = saved
  return fault.code === 'EQ_STORE_UNWRITABLE'
    ? `${fault.code} ${fault.errno} ${fault.path}`
    : fault.code
}

describe('reading a file', () => {
  it('gives nothing when there is none', async () => {
    expect(await files.read(join(temporaryFolder(), 'none'))).toEqual({
      ok: true,
      value: undefined,
    })
  })

  it('gives text with a version that changes when the file is replaced', async () => {
    const path = join(temporaryFolder(), 'a')
    await files.replace(path, 'same size 1')
    const first = await files.read(path)
    await files.replace(path, 'same size 2')
    const second = await files.version(path)
    expect(first.ok && first.value?.text).toBe('same size 1')
    expect(second.ok && first.ok && second.value !== first.value?.version).toBe(true)
  })

  it('refuses a folder and a pipe, and does not wait for a writer', async () => {
    const folder = temporaryFolder()
    const pipe = join(folder, 'pipe')
    execFileSync('/usr/bin/env', ['mkfifo', pipe])
    for (const path of [folder, pipe]) {
      expect(await files.read(path)).toEqual({
        ok: false,
        fault: { code: 'EQ_STORE_UNSAFE', path, problem: 'not_a_file' },
      })
    }
  })

  it('refuses a file that is larger than it may be', async () => {
    const path = join(temporaryFolder(), 'a')
    writeFileSync(path, 'xxxxx')
    const fault = { code: 'EQ_STORE_UNREADABLE', path, errno: 'EFBIG' }
    expect(await files.read(path, 4)).toEqual({ ok: false, fault })
  })

  it('names the error of the system', async () => {
    const path = join(temporaryFolder(), 'a')
    writeFileSync(path, '')
    const below = join(path, 'b')
    const fault = { code: 'EQ_STORE_UNREADABLE', path: below, errno: 'ENOTDIR' }
    expect(await files.read(below)).toEqual({ ok: false, fault })
  })
})

describe('replacing a file', () => {
  it('makes folders with mode 0700 and the file with 0600, whatever the mode was', async () => {
    const folder = join(temporaryFolder(), 'a', 'b')
    const path = join(folder, 'file')
    expect(await files.replace(path, 'one')).toEqual({ ok: true })
    chmodSync(path, 0o644)
    await files.replace(path, 'two', 'one')
    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(readFileSync(previousPathOf(path), 'utf8')).toBe('one')
    expect([path, previousPathOf(path)].map(mode)).toEqual([0o600, 0o600])
    expect([folder, join(folder, '..')].map(mode)).toEqual([0o700, 0o700])
    expect(readdirSync(folder)).toEqual(['file', 'file.prev'])
  })

  it('writes where a link of ours leads and leaves the link', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'elsewhere'))
    const real = join(folder, 'elsewhere', 'real')
    const link = join(folder, 'link')
    writeFileSync(real, 'old')
    symlinkSync(real, link)
    expect(await files.replace(link, 'new', 'old')).toEqual({ ok: true })
    expect(readFileSync(real, 'utf8')).toBe('new')
    expect(await files.realPath(link)).toEqual(ok(real))
    expect(readdirSync(folder)).toEqual(['elsewhere', 'link'])
    expect(readdirSync(join(folder, 'elsewhere'))).toEqual(['real', 'real.prev'])
  })

  it('names a file by one path, also before its folders are made behind a linked home', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'real'))
    symlinkSync(join(folder, 'real'), join(folder, 'home'))
    const path = join(folder, 'home', 'a', 'b', 'file')
    const before = await files.realPath(path)
    await files.replace(path, 'one')
    expect(before).toEqual(ok(join(folder, 'real', 'a', 'b', 'file')))
    expect(await files.realPath(path)).toEqual(before)
  })

  it('gives a file no other name while the disk fails', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'real'))
    symlinkSync(join(folder, 'real'), join(folder, 'home'))
    const path = join(folder, 'home', 'file')
    writeFileSync(path, 'one')
    const { system } = failing(0, 'EIO', false)
    expect(await createFiles(system).realPath(path)).toEqual(
      fail({ code: 'EQ_STORE_UNREADABLE', path, errno: 'EIO' }),
    )
  })

  it('of our own alone takes the place of a link and leaves alone what it leads to', async () => {
    const folder = temporaryFolder()
    const theirs = join(folder, 'theirs')
    const ours = join(folder, 'ours')
    writeFileSync(theirs, 'not ours to change')
    symlinkSync(theirs, ours)
    expect(await files.write(ours, 'state')).toEqual({ ok: true })
    expect(readFileSync(theirs, 'utf8')).toBe('not ours to change')
    expect(readFileSync(ours, 'utf8')).toBe('state')
  })

  it.each([
    ['a link that leads nowhere', 'symlink', (path: string) => symlinkSync(`${path}.gone`, path)],
    ['a link to a folder', 'not_a_file', (path: string) => symlinkSync('/', path)],
    ['a folder', 'not_a_file', (path: string) => mkdirSync(path)],
    [
      'a file with two names',
      'hard_links',
      (path: string) => {
        writeFileSync(path, 'old')
        linkSync(path, `${path}.other`)
      },
    ],
  ] as const)('refuses %s', async (_, problem, make) => {
    const folder = temporaryFolder()
    const path = join(folder, 'file')
    make(path)
    const before = readdirSync(folder)
    const fault = { code: 'EQ_STORE_UNSAFE', path, problem }
    expect(await files.replace(path, 'new')).toEqual({ ok: false, fault })
    expect(readdirSync(folder)).toEqual(before)
  })

  it('removes what killed writers left long ago and nothing else', async () => {
    const folder = temporaryFolder()
    const old = join(folder, 'file.0123456789ab.tmp')
    const theirs = join(folder, 'my.0123456789ab.tmp')
    const names = [old, 'file.prev.0123456789ab.tmp', 'file.ba9876543210.tmp', 'mine.tmp', theirs]
    for (const name of names.map((path) => basename(path))) {
      writeFileSync(join(folder, name), '')
    }
    for (const path of [old, join(folder, 'file.prev.0123456789ab.tmp'), theirs]) {
      utimesSync(path, 1, 1)
    }
    utimesSync(join(folder, 'mine.tmp'), 1, 1)
    await files.replace(join(folder, 'file'), 'new')
    expect(readdirSync(folder)).toEqual([
      'file',
      'file.ba9876543210.tmp',
      'mine.tmp',
      'my.0123456789ab.tmp',
    ])
  })

  it('leaves the old file or the new one, whole, at every failure; a success is the new one', async () => {
    for (const errno of ['EIO', 'ENOSPC', 'EACCES']) {
      for (const isLasting of [false, true]) {
        const folder = temporaryFolder()
        for (let nth = 0; ; nth += 1) {
          const path = join(folder, `file-${nth}`)
          writeFileSync(path, 'old', { mode: 0o600 })
          const { system, failed } = failing(nth, errno, isLasting)
          const saved = await createFiles(system).replace(path, 'new', 'old')
          const fault = `EQ_STORE_UNWRITABLE ${errno} ${path}`
          expect(['saved: new', `${fault}: old`, `${fault}: new`]).toContain(
            `${told(saved)}: ${readFileSync(path, 'utf8')}`,
          )
          const strays = readdirSync(folder).filter((name) => name.endsWith('.tmp'))
          expect(isLasting ? [] : strays).toEqual([])
          if (failed() === 0) break
          expect(nth).toBeLessThan(50)
        }
      }
    }
  })

  it('has the bytes on the disk before they get the name, and the name before it says so', async () => {
    const path = join(temporaryFolder(), 'file')
    const steps: string[] = []
    const system: FileSystem = {
      ...nodeFileSystem,
      async open(name, flags, bits) {
        const file = await nodeFileSystem.open(name, flags, bits)
        const what = name === dirname(path) ? 'folder' : 'file'
        return {
          ...file,
          write: (data) => file.write(data).then(() => void steps.push(`write ${what}`)),
          sync: () => file.sync().then(() => void steps.push(`sync ${what}`)),
        }
      },
      rename: (from, to) => nodeFileSystem.rename(from, to).then(() => void steps.push('rename')),
    }
    await createFiles(system).replace(path, 'new')
    expect(steps).toEqual(['write file', 'sync file', 'rename', 'sync folder'])
  })

  it('makes a first file whole or not at all', async () => {
    for (let nth = 0; ; nth += 1) {
      const path = join(temporaryFolder(), 'a', 'b', 'file')
      const { system, failed } = failing(nth, 'ENOSPC', true)
      const saved = await createFiles(system).replace(path, 'new')
      const read = orThrow(await files.read(path))
      const fault = `EQ_STORE_UNWRITABLE ENOSPC ${path}`
      expect(['saved: new', `${fault}: undefined`, `${fault}: new`]).toContain(
        `${told(saved)}: ${read?.text}`,
      )
      if (failed() === 0) break
      expect(nth).toBeLessThan(50)
    }
  })
})

describe('adding lines to a file', () => {
  it('gives every line back, whatever a crash cut off before', async () => {
    const path = join(temporaryFolder(), 'lines')
    const lines: string[] = []
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[a-z]{1,9}$/), fc.boolean(), async (word, isTorn) => {
        if (isTorn) writeFileSync(path, 'TORN', { flag: 'a', mode: 0o600 })
        expect(await files.append(path, `${word}\n`)).toEqual({ ok: true })
        lines.push(word)
        const text = readFileSync(path, 'utf8')
        expect(text.split('\n').filter((line) => /^[a-z]+$/.test(line))).toEqual(lines)
      }),
      { numRuns: 30 },
    )
    expect(mode(path)).toBe(0o600)
  })
})

describe('small questions to a folder', () => {
  it('lists names in order and none of a folder that is not there', async () => {
    const folder = temporaryFolder()
    for (const name of ['b', 'a']) writeFileSync(join(folder, name), '')
    expect(await files.list(folder)).toEqual({ ok: true, value: ['a', 'b'] })
    expect(await files.list(join(folder, 'none'))).toEqual({ ok: true, value: [] })
  })

  it('says whether there was something to remove', async () => {
    const path = join(temporaryFolder(), 'a')
    writeFileSync(path, '')
    expect(await files.remove(path)).toEqual({ ok: true, value: true })
    expect(await files.remove(path)).toEqual({ ok: true, value: false })
  })

  it('copies bytes that are no text', async () => {
    const folder = temporaryFolder()
    const bytes = Buffer.from([0, 255, 254, 10])
    writeFileSync(join(folder, 'a'), bytes)
    expect(await files.copy(join(folder, 'a'), join(folder, 'b'))).toEqual({ ok: true })
    expect(readFileSync(join(folder, 'b'))).toEqual(bytes)
  })
})
