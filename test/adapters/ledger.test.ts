import fc from 'fast-check'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createClock } from '../../src/adapters/clock.ts'
import type { LedgerDeps } from '../../src/adapters/ledger.ts'
import { createLedger } from '../../src/adapters/ledger.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import { loadSqlite } from '../../src/adapters/sqlite.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { Ledger } from '../../src/domain/ledger.ts'
import { USAGE_KEYS } from '../../src/domain/ledger.ts'
import { fail } from '../../src/domain/result.ts'
import { DEFAULT_SETTINGS } from '../../src/domain/settings.ts'
import { DAY_MS, dayText } from '../../src/domain/time.ts'
import { FAKE_NOW, memoryLedger, silentLog } from '../../src/testing.ts'
import type { SilentLog } from '../../src/testing.ts'
import { agent, profile, session } from '../names-from.ts'
import { anyRequest, aRequest } from '../request-records.ts'
import { compileChildProgram } from './child-processes.ts'
import { temporaryFolder } from './temporary-folder.ts'

const startChild = compileChildProgram('ledger', 'ledger-child.ts')

interface Room {
  readonly path: string
  readonly log: SilentLog
  open(given?: Partial<LedgerDeps>): Ledger
}

/** A clock at `FAKE_NOW` whose sleeps are short. */
const clock = { now: () => FAKE_NOW, sleep: createClock().sleep }

function room(): Room {
  const folder = temporaryFolder()
  const path = join(folder, 'state', 'ledger.sqlite')
  const log = silentLog()
  return {
    path,
    log,
    open(given = {}) {
      const ledger = createLedger({
        path,
        clock,
        log,
        locks: createLocks({ clock: createClock(), dir: join(folder, 'locks') }),
        price: async () => undefined,
        keep: async () => DEFAULT_SETTINGS.ledger,
        ...given,
      })
      onTestFinished(() => ledger.close())
      return ledger
    },
  }
}

/** With what stands in its log. */
const sizeOf = (path: string): number => statSync(path).size + statSync(`${path}-wal`).size
const all = async (ledger: Ledger) => orThrow(await ledger.requests({ limit: 100_000 }))

describe('a ledger', () => {
  test('gives back what was recorded, the latest first, also to another program', async () => {
    const { open } = room()
    const ledger = open()
    const records = [aRequest(), aRequest({ outcome: 'cut' }), aRequest({ session: session('x') })]
    for (const record of records) ledger.append(record)
    expect(orThrow(await ledger.flush())).toBeUndefined()
    expect(await all(ledger)).toEqual(records.toReversed())
    expect(await all(open())).toEqual(records.toReversed())
  })

  test('makes no file before the first request, and none by being read', async () => {
    const { open, path } = room()
    const ledger = open()
    expect(await all(ledger)).toEqual([])
    expect(orThrow(await ledger.usage({ by: 'day' }))).toEqual([])
    await ledger.close()
    expect(existsSync(join(path, '..'))).toBe(false)
  })

  test("is its owner's alone, with its log and its index, also where it was not", async () => {
    const { open, path } = room()
    mkdirSync(join(path, '..'), { mode: 0o700 })
    writeFileSync(path, '', { mode: 0o666 })
    const before = process.umask(0o000)
    onTestFinished(() => void process.umask(before))
    const ledger = open()
    ledger.append(aRequest())
    orThrow(await ledger.flush())
    const names = readdirSync(join(path, '..')).toSorted()
    expect(names).toEqual(['ledger.sqlite', 'ledger.sqlite-shm', 'ledger.sqlite-wal'])
    for (const name of names) expect(statSync(join(path, '..', name)).mode & 0o777).toBe(0o600)
  })

  test('is left as it was by being read', async () => {
    const { open, path } = room()
    await startChild(path, 'w', '3').exit
    const bytes = readFileSync(path)
    expect(await all(open())).toHaveLength(3)
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test('finds those of one profile, those that failed, and those since an instant', async () => {
    const ledger = room().open()
    const team = profile('openai:team')
    const early = aRequest({ profile: team })
    const failed = aRequest({ outcome: 'failed', at: FAKE_NOW + 5_000 })
    for (const record of [early, failed]) ledger.append(record)
    orThrow(await ledger.flush())
    expect(orThrow(await ledger.requests({ limit: 9, profile: team }))).toEqual([early])
    expect(orThrow(await ledger.requests({ limit: 9, failed: true }))).toEqual([failed])
    expect(orThrow(await ledger.requests({ limit: 9, since: FAKE_NOW + 4_000 }))).toEqual([failed])
    expect(orThrow(await ledger.requests({ limit: 1 }))).toEqual([failed])
  })

  test('sums by the day exactly what its requests add up to, for any requests and any question', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyRequest, { maxLength: 8 }), { maxLength: 4 }),
        fc.constantFrom(...USAGE_KEYS),
        fc.option(fc.nat(3), { nil: undefined }),
        fc.option(fc.constantFrom(agent('main'), agent('research')), { nil: undefined }),
        async (batches, by, day, asked) => {
          const ledger = room().open()
          const memory = memoryLedger(batches.flat())
          for (const batch of batches) {
            for (const record of batch) ledger.append(record)
            orThrow(await ledger.flush())
          }
          const query = {
            by,
            ...(day !== undefined && { from: dayText(FAKE_NOW + day * DAY_MS) }),
            ...(day === 1 && { to: dayText(FAKE_NOW + 2 * DAY_MS) }),
            ...(asked && { agent: asked }),
          }
          expect(orThrow(await ledger.usage(query))).toEqual(orThrow(await memory.usage(query)))
          await ledger.close()
        },
      ),
      { numRuns: 25 },
    )
  })

  test('prices what it writes; what costs nobody anything is priced at nothing', async () => {
    const ledger = room().open({
      price: async (model) => (model.includes('claude') ? 0.5 : undefined),
    })
    ledger.append(aRequest())
    ledger.append(aRequest({ model: 'openai/unheard-of' }))
    ledger.append(aRequest({ model: 'sandbox/sandbox-echo', lane: 'free' }))
    orThrow(await ledger.flush())
    expect((await all(ledger)).map((record) => record.costUsd)).toEqual([0, undefined, 0.5])
    expect(orThrow(await ledger.usage({ by: 'day' }))).toMatchObject([{ priced: 2, costUsd: 0.5 }])
  })
})

describe('several programs', () => {
  test('may write at once, and nothing is lost or counted twice', async () => {
    const { open, path } = room()
    const children = ['a', 'b', 'c'].map((mark) => startChild(path, mark, '300'))
    await Promise.all(children.map((child) => child.exit))
    const ledger = open()
    expect(new Set((await all(ledger)).map(({ id }) => id)).size).toBe(900)
    expect(orThrow(await ledger.usage({ by: 'model' }))).toMatchObject([
      { requests: 900, inputTokens: 900 },
    ])
  })

  test('that are killed lose at most their last second', async () => {
    const { open, path } = room()
    const child = startChild(path, 'k')
    const printed: (readonly [at: number, id: string])[] = []
    const take = async (): Promise<number> => {
      const [at = '', id = ''] = (await child.line()).split(' ')
      printed.push([Number(at), id])
      return Number(at)
    }
    const first = await take()
    while ((await take()) < first + 2_500);
    const killedAt = Date.now()
    child.process.kill('SIGKILL')
    await child.exit
    const kept = new Set((await all(open())).map(({ id }) => id))
    const due = printed.filter(([at]) => at < killedAt - 1_000)
    expect(due.length).toBeGreaterThan(20)
    expect(due.filter(([, id]) => !kept.has(id))).toEqual([])
  })

  test('that hold the database for a while are waited for, and the request is not', async () => {
    const { open, path } = room()
    const ledger = open()
    ledger.append(aRequest())
    orThrow(await ledger.flush())
    const other = orThrow(await loadSqlite())(path)
    let letGo = (): void => undefined
    other.all('begin immediate')
    ledger.append(aRequest())
    const flushed = ledger.flush()
    await new Promise<void>((resolve) => {
      letGo = resolve
      setTimeout(letGo, 150)
    })
    other.all('commit')
    other.close()
    expect((await flushed).ok).toBe(true)
    expect(await all(ledger)).toHaveLength(2)
  })
})

describe('a damaged ledger', () => {
  const names = (path: string): readonly string[] => readdirSync(join(path, '..')).toSorted()

  test('is set aside whole and said, and a new one takes the requests', async () => {
    const { open, path, log } = room()
    mkdirSync(join(path, '..'), { mode: 0o700 })
    const junk = 'this was a database once. '.repeat(200)
    writeFileSync(path, junk)
    const ledger = open()
    ledger.append(aRequest())
    expect((await ledger.flush()).ok).toBe(true)
    expect(await all(ledger)).toHaveLength(1)
    const [aside = ''] = await ledger.setAside()
    expect(aside).toMatch(/ledger\.sqlite\.broken-2026-01-01T/)
    expect(readFileSync(aside, 'utf8')).toBe(junk)
    expect(log.lines).toMatchObject([{ level: 'error', event: 'ledger.set_aside' }])
  })

  test('that is found damaged only while it is written loses no request either', async () => {
    const { open, path } = room()
    await startChild(path, 'w', '200').exit
    const bytes = readFileSync(path)
    writeFileSync(
      path,
      Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 7)]),
    )
    const ledger = open()
    ledger.append(aRequest())
    expect((await ledger.flush()).ok).toBe(true)
    expect(await all(ledger)).toHaveLength(1)
    expect(await ledger.setAside()).toHaveLength(1)
  })

  test('is told to who reads, and left where it is', async () => {
    const { open, path } = room()
    mkdirSync(join(path, '..'), { mode: 0o700 })
    writeFileSync(path, 'junk'.repeat(100))
    expect(await open().requests({ limit: 1 })).toEqual(fail({ code: 'EQ_LEDGER_DAMAGED', path }))
    expect(names(path)).toEqual(['ledger.sqlite'])
  })

  test('that somebody else has replaced is let go of', async () => {
    const { open, path } = room()
    const ledger = open()
    ledger.append(aRequest())
    orThrow(await ledger.flush())
    const { renameSync } = await import('node:fs')
    for (const ending of ['', '-wal', '-shm']) renameSync(path + ending, `${path}.old${ending}`)
    ledger.append(aRequest())
    orThrow(await ledger.flush())
    expect(await all(ledger)).toHaveLength(1)
    expect(await all(open())).toHaveLength(1)
  })
})

describe('what cannot be written to', () => {
  test('by a newer program is refused and not touched', async () => {
    const { open, path } = room()
    const ledger = open()
    ledger.append(aRequest())
    await ledger.close()
    const database = orThrow(await loadSqlite())(path)
    database.run('update ledger_version set version = 99')
    database.close()
    const older = open()
    const fault = { code: 'EQ_STORE_NEWER', path, version: 99, supported: 1 } as const
    expect(await older.requests({ limit: 1 })).toEqual(fail(fault))
    older.append(aRequest())
    expect(await older.flush()).toEqual(fail(fault))
    expect(await older.setAside()).toEqual([])
  })

  test('a link in its place is not followed', async () => {
    const { open, path } = room()
    mkdirSync(join(path, '..'), { mode: 0o700 })
    const elsewhere = join(temporaryFolder(), 'elsewhere')
    writeFileSync(elsewhere, '')
    symlinkSync(elsewhere, path)
    const ledger = open()
    ledger.append(aRequest())
    expect(await ledger.flush()).toEqual(
      fail({ code: 'EQ_STORE_UNSAFE', path, problem: 'symlink' }),
    )
    expect(readFileSync(elsewhere, 'utf8')).toBe('')
  })

  test('without a database that runs here, requests go on unrecorded, and it is said once', async () => {
    const { open, log, path } = room()
    const ledger = open({
      load: async () => fail({ code: 'EQ_LEDGER_UNAVAILABLE', detail: 'ERR_DLOPEN_FAILED' }),
    })
    for (let index = 0; index < 3; index += 1) {
      ledger.append(aRequest())
      expect(await ledger.flush()).toMatchObject({ fault: { code: 'EQ_LEDGER_UNAVAILABLE' } })
    }
    expect(log.lines.map((line) => line.event)).toEqual(['ledger.failed'])
    expect(existsSync(path)).toBe(false)
  })

  test('a price that cannot be had costs no record', async () => {
    const ledger = room().open({ price: async () => undefined })
    ledger.append(aRequest())
    orThrow(await ledger.flush())
    expect(await all(ledger)).toHaveLength(1)
  })
})

describe('what is kept', () => {
  test('is no older than the days that are set, requests and sums alike', async () => {
    const ledger = room().open({ keep: async () => ({ keepDays: 10, maxBytes: 1e9 }) })
    const old = aRequest({ at: FAKE_NOW - 11 * DAY_MS })
    const young = aRequest({ at: FAKE_NOW - 9 * DAY_MS })
    for (const record of [old, young]) ledger.append(record)
    orThrow(await ledger.flush())
    expect(await all(ledger)).toEqual([young])
    expect(orThrow(await ledger.usage({ by: 'day' }))).toMatchObject([
      { name: dayText(young.at), requests: 1 },
    ])
  })

  test('is no larger than the bytes that are set: the oldest requests go, the sums of their days stay', async () => {
    const { open, path } = room()
    const maxBytes = 300_000
    const writer = open({ keep: async () => ({ keepDays: 400, maxBytes: 1e9 }) })
    for (let index = 0; index < 4_000; index += 1) writer.append(aRequest({ at: FAKE_NOW + index }))
    await writer.close()
    expect(sizeOf(path)).toBeGreaterThan(2 * maxBytes)

    const ledger = open({ keep: async () => ({ keepDays: 400, maxBytes }) })
    const last = aRequest({ at: FAKE_NOW + 5_000 })
    ledger.append(last)
    await ledger.close()
    expect(sizeOf(path)).toBeLessThanOrEqual(maxBytes)
    const kept = await all(open())
    expect(kept[0]).toEqual(last)
    expect(kept.length).toBeGreaterThan(500)
    expect(orThrow(await open().usage({ by: 'day' }))).toMatchObject([{ requests: 4_001 }])
  })
})
