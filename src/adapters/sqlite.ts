/**
 * An embedded database: the package that brings SQLite, or Node's own where the package does not load. These functions
 * throw what the database throws; `ledger.ts` turns that into faults. Loaded by the first use.
 */

import type { LedgerFault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { errnoOf } from './files.ts'

export type Cell = string | number | null

export interface Database {
  /** Runs one statement; gives how many rows it changed. */
  run(sql: string, ...values: readonly Cell[]): number
  all(sql: string, ...values: readonly Cell[]): readonly unknown[]
  /** All of it or none. Nobody else writes meanwhile. */
  transaction(work: () => void): void
  close(): void
}

export type OpenDatabase = (path: string) => Database

/** Longest wait for another process, ms: the whole program stands still meanwhile. */
const BUSY_MS = 15
const CORRUPT: ReadonlySet<unknown> = new Set([11, 26])
const BUSY: ReadonlySet<unknown> = new Set([5, 6])

/** @faults `EQ_LEDGER_UNAVAILABLE` */
export async function loadSqlite(): Promise<Result<OpenDatabase, LedgerFault>> {
  let reason: unknown
  for (const load of [() => import('@photostructure/sqlite'), () => import('node:sqlite')]) {
    try {
      const { DatabaseSync } = await load()
      return ok((path) => wrapped(new DatabaseSync(path, { timeout: BUSY_MS })))
    } catch (cause) {
      reason ??= cause
    }
  }
  return fail({ code: 'EQ_LEDGER_UNAVAILABLE', detail: errnoOf(reason) })
}

/** The file is no database, or a damaged one. */
export function isCorrupt(cause: unknown): boolean {
  return CORRUPT.has(primaryCode(cause))
}

/** Another process held it for longer than we wait. */
export function isBusy(cause: unknown): boolean {
  return BUSY.has(primaryCode(cause))
}

/** The database's or the system's name of an error: `SQLITE_FULL`, `ENOSPC`. */
export function databaseErrno(cause: unknown): string {
  const code = primaryCode(cause)
  if (code === undefined) return errnoOf(cause)
  return CODES[code] ?? `SQLITE_${code}`
}

/** The lowest byte is the kind of the error, the others say more. */
function primaryCode(cause: unknown): number | undefined {
  const code = cause instanceof Error && 'errcode' in cause ? cause.errcode : undefined
  return typeof code === 'number' ? code & 0xff : undefined
}

/** @source https://sqlite.org/rescode.html */
const CODES: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  26: 'SQLITE_NOTADB',
}

interface Statement {
  run(...values: readonly Cell[]): { readonly changes: number | bigint }
  all(...values: readonly Cell[]): readonly unknown[]
}

interface Connection {
  prepare(sql: string): Statement
  exec(sql: string): void
  close(): void
}

function wrapped(connection: Connection): Database {
  const prepared = new Map<string, Statement>()
  const statement = (sql: string): Statement => {
    const known = prepared.get(sql) ?? connection.prepare(sql)
    prepared.set(sql, known)
    return known
  }
  return {
    run: (sql, ...values) => Number(statement(sql).run(...values).changes),
    all: (sql, ...values) => statement(sql).all(...values),
    transaction(work) {
      connection.exec('begin immediate')
      try {
        work()
        connection.exec('commit')
      } catch (cause) {
        rollBack(connection)
        throw cause
      }
    },
    close() {
      prepared.clear()
      connection.close()
    },
  }
}

/** Some errors have ended the transaction already. */
function rollBack(connection: Connection): void {
  try {
    connection.exec('rollback')
  } catch {
    return
  }
}
