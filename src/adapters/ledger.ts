/**
 * The ledger in an embedded database, `ledger.sqlite`.
 *
 * Requests are gathered in memory and written about twice a second, off the path of any request. Several processes may
 * write. A damaged database is set aside whole, and a new one begun.
 */

import type { LedgerFault } from '../domain/fault.ts'
import type { Ledger, Price, RequestRecord } from '../domain/ledger.ts'
import type { Clock, Log } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { LedgerSettings } from '../domain/settings.ts'
import type { OpenLedger } from './ledger-file.ts'
import { inodeOf, listAside, openForReading, openForWriting, setAside } from './ledger-file.ts'
import { createPruning } from './ledger-pruning.ts'
import { insertRequests, selectRequests, selectUsage } from './ledger-queries.ts'
import type { Locks } from './lock.ts'
import type { Database, OpenDatabase } from './sqlite.ts'
import { databaseErrno, isBusy, isCorrupt, loadSqlite } from './sqlite.ts'

export interface LedgerDeps {
  readonly path: string
  readonly clock: Clock
  readonly log: Log
  readonly locks: Pick<Locks, 'withLock'>
  readonly price: Price
  /** How much is kept, as the settings say now. */
  readonly keep: () => Promise<LedgerSettings>
  readonly load?: () => Promise<Result<OpenDatabase, LedgerFault>>
}

const SPACING_MS = 500
/** Rows of one transaction, which the whole program waits for. */
const MOST_AT_ONCE = 500
/** While the disk refuses, older requests than these are forgotten. */
const MOST_PENDING = 20_000
const BUSY_WAIT_MS = 100
/** How often a database that others hold is tried again. */
const BUSY_TRIES = 60

export function createLedger(deps: LedgerDeps): Ledger {
  const { path, clock, log } = deps
  const connections = createConnections(deps)
  const prune = createPruning({ clock, keep: deps.keep })
  let pending: RequestRecord[] = []
  let writing: Promise<Result<void, LedgerFault>> | undefined
  let hurry = new AbortController()
  let isFailing = false

  async function writeAll(): Promise<Result<void, LedgerFault>> {
    try {
      while (pending.length > 0) {
        await clock.sleep(SPACING_MS, hurry.signal)
        const written = await writePending()
        if (!written.ok) return told(written)
      }
      return told(ok())
    } finally {
      writing = undefined
    }
  }

  async function writePending(): Promise<Result<void, LedgerFault>> {
    while (pending.length > 0) {
      const batch = pending.slice(0, MOST_AT_ONCE)
      const priced = await Promise.all(batch.map((record) => withPrice(deps.price, record)))
      const written = await connections.write((database) => insertRequests(database, priced))
      if (!written.ok) return written
      pending = pending.slice(batch.length)
    }
    return connections.write(prune)
  }

  /** Said once, and again when it is over. */
  function told(written: Result<void, LedgerFault>): Result<void, LedgerFault> {
    if (!written.ok && !isFailing) log.write('warn', 'ledger.failed', { ...written.fault })
    if (written.ok && isFailing) log.write('info', 'ledger.recovered')
    isFailing = !written.ok
    return written
  }

  async function flush(): Promise<Result<void, LedgerFault>> {
    if (pending.length === 0 && !writing) return ok()
    hurry.abort()
    const written = await (writing ??= writeAll())
    hurry = new AbortController()
    return written
  }

  return {
    append(record) {
      pending.push(record)
      // While a batch is being written, what it begins with must stay where it is.
      if (!writing && pending.length > MOST_PENDING) pending = pending.slice(-MOST_PENDING)
      writing ??= writeAll()
    },
    flush,
    usage: (query) => connections.read([], (database) => selectUsage(database, query)),
    requests: (query) => connections.read([], (database) => selectRequests(database, query)),
    setAside: () => listAside(path),
    async close() {
      await flush()
      connections.close()
    },
  }
}

async function withPrice(price: Price, record: RequestRecord): Promise<RequestRecord> {
  if (record.usage && record.lane === 'free') return { ...record, costUsd: 0 }
  if (!record.usage || record.model === undefined || record.costUsd !== undefined) return record
  const costUsd = await price(record.model, record.usage)
  return costUsd === undefined ? record : { ...record, costUsd }
}

type Work<T> = (database: Database) => T | Promise<T>

interface Connections {
  write(work: Work<void>): Promise<Result<void, LedgerFault>>
  /** Gives `nothing` where there is no ledger yet. */
  read<T>(nothing: T, work: Work<T>): Promise<Result<T, LedgerFault>>
  close(): void
}

/** One connection that writes and one that reads, opened when they are needed and again when the file is another one. */
function createConnections(deps: LedgerDeps): Connections {
  const { path, clock, log, locks, load = loadSqlite } = deps
  let loaded: ReturnType<typeof load> | undefined
  let writer: OpenLedger | undefined
  let reader: OpenLedger | undefined

  async function writerNow(): Promise<Result<OpenLedger, LedgerFault>> {
    if (writer && (await inodeOf(path)) === writer.inode) return ok(writer)
    closed(writer)
    writer = undefined
    const sqlite = await (loaded ??= load())
    if (!sqlite.ok) return sqlite
    const opened = await openForWriting(sqlite.value, path)
    if (opened.ok) writer = opened.value
    return opened
  }

  async function readerNow(): Promise<Result<OpenLedger | undefined, LedgerFault>> {
    if (reader && (await inodeOf(path)) === reader.inode) return ok(reader)
    closed(reader)
    reader = undefined
    // Without a file there is nothing to load a database for.
    if ((await inodeOf(path)) === undefined) return ok(undefined)
    const sqlite = await (loaded ??= load())
    if (!sqlite.ok) return sqlite
    const opened = await openForReading(sqlite.value, path)
    if (opened.ok) reader = opened.value
    return opened
  }

  async function writeOnce(work: Work<void>): Promise<Result<void, LedgerFault>> {
    const ledger = await writerNow()
    if (!ledger.ok) return ledger
    await work(ledger.value.database)
    return ok()
  }

  /** Under a lock, so that of two who find the damage one moves it and the other sees that it is gone. */
  async function begunAnew(): Promise<Result<void, LedgerFault>> {
    const inode = await inodeOf(path)
    closed(writer)
    writer = undefined
    if (inode === undefined) return ok()
    const moved = await locks.withLock('ledger', () => setAside(path, inode, clock.now()))
    if (!moved.ok) return moved
    if (moved.value) log.write('error', 'ledger.set_aside', { path, aside: moved.value })
    return ok()
  }

  return {
    async write(work) {
      const written = await patiently(clock, () => writeOnce(work))
      if (written.ok) return written.value
      if (!isCorrupt(written.fault)) return unwritable(path, written.fault)
      const anew = await begunAnew()
      if (!anew.ok) return anew
      const again = await patiently(clock, () => writeOnce(work))
      return again.ok ? again.value : unwritable(path, again.fault)
    },

    async read(nothing, work) {
      const done = await patiently(clock, async () => {
        const ledger = await readerNow()
        if (!ledger.ok) return ledger
        return ok(ledger.value ? await work(ledger.value.database) : nothing)
      })
      if (done.ok) return done.value
      closed(reader)
      reader = undefined
      return isCorrupt(done.fault)
        ? fail({ code: 'EQ_LEDGER_DAMAGED', path })
        : fail({ code: 'EQ_STORE_UNREADABLE', path, errno: databaseErrno(done.fault) })
    },

    close() {
      closed(reader)
      closed(writer)
      reader = undefined
      writer = undefined
    },
  }
}

/** Tries again while others hold the database; fails with what was thrown. */
async function patiently<T>(clock: Clock, run: () => Promise<T>): Promise<Result<T, unknown>> {
  for (let tries = 1; ; tries += 1) {
    try {
      return ok(await run())
    } catch (cause) {
      if (!isBusy(cause) || tries >= BUSY_TRIES) return fail(cause)
      await clock.sleep(BUSY_WAIT_MS)
    }
  }
}

function unwritable(path: string, cause: unknown): Result<never, LedgerFault> {
  return fail({ code: 'EQ_STORE_UNWRITABLE', path, errno: databaseErrno(cause) })
}

function closed(ledger: OpenLedger | undefined): void {
  try {
    ledger?.database.close()
  } catch {
    return
  }
}
