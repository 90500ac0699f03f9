/**
 * Everything that is asked of the ledger's database, in SQL. What stands here is known to SQLite and to PostgreSQL
 * alike but for the placeholders (`?`, there `$1`) and for `SQLITE_ONLY`; no SQL stands anywhere else.
 */

import type {
  RequestRecord,
  RequestsQuery,
  UsageKey,
  UsageQuery,
  UsageRow,
  UsageSums,
} from '../domain/ledger.ts'
import { addedUp, requestId, sumsOf, USAGE_KEYS, usageName } from '../domain/ledger.ts'
import type { EpochMs } from '../domain/time.ts'
import { dayText } from '../domain/time.ts'
import {
  numberIn,
  parseRequestRow,
  parseUsageRow,
  REQUEST_COLUMNS,
  requestCells,
} from '../wire/ledger-row.ts'
import type { Cell, Database } from './sqlite.ts'

/** How this database keeps what it keeps; another one has other means. */
export const SQLITE_ONLY = {
  /** Before the first table. Freed pages can be given back, so that the file shrinks when it is pruned. */
  layout: 'pragma auto_vacuum = incremental',
  /** A commit survives the end of the program; a power cut may take those since the last checkpoint. */
  journal: [
    'pragma journal_mode = wal',
    'pragma synchronous = normal',
    'pragma journal_size_limit = 16777216',
  ],
  hasVersion: "select count(*) as present from sqlite_master where name = 'ledger_version'",
  readOnly: 'pragma query_only = true',
  freePages: 'select freelist_count as pages from pragma_freelist_count()',
  giveBack: 'pragma incremental_vacuum(500)',
  settle: 'pragma wal_checkpoint(truncate)',
  usedBytes: `select (p.page_count - f.freelist_count) * s.page_size as bytes
    from pragma_page_count() p, pragma_freelist_count() f, pragma_page_size() s`,
} as const

const SUMS = [
  'requests',
  'failed',
  'counted',
  'priced',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cost_usd',
] as const

/** Each entry takes the database one version on; none is ever changed. */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `create table requests (
      id text primary key, at_ms bigint not null, agent text not null, session text, client text,
      asked text not null, model text, profile text, lane text, outcome text not null, reason text,
      fault text, attempts bigint not null, first_byte_ms bigint, total_ms bigint not null,
      input_tokens bigint, output_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint,
      cost_usd double precision)`,
    `create table daily_sums (
      kind text not null, day text not null, agent text not null, name text not null,
      ${SUMS.slice(0, -1)
        .map((sum) => `${sum} bigint not null`)
        .join(', ')}, cost_usd double precision not null,
      primary key (kind, day, agent, name))`,
  ],
]
export const LEDGER_VERSION: number = MIGRATIONS.length

const INSERT_REQUEST = `insert into requests (${REQUEST_COLUMNS.join(', ')})
  values (${REQUEST_COLUMNS.map(() => '?').join(', ')}) on conflict (id) do nothing`
const ADD_SUMS = `insert into daily_sums (kind, day, agent, name, ${SUMS.join(', ')})
  values (?, ?, ?, ?, ${SUMS.map(() => '?').join(', ')})
  on conflict (kind, day, agent, name) do update set
  ${SUMS.map((sum) => `${sum} = daily_sums.${sum} + excluded.${sum}`).join(', ')}`

/** The version of what is there; 0 for a new file. */
export function versionOf(database: Database): number {
  const [table] = database.all(SQLITE_ONLY.hasVersion)
  if (numberIn(table, 'present') === 0) return 0
  return numberIn(database.all('select version from ledger_version')[0], 'version')
}

/** Brings the tables up to `LEDGER_VERSION`. Two programs may try at once; the second finds it done. */
export function migrate(database: Database): void {
  if (versionOf(database) >= LEDGER_VERSION) return
  database.transaction(() => {
    const from = versionOf(database)
    if (from === 0) {
      database.run('create table ledger_version (version bigint not null)')
      database.run('insert into ledger_version (version) values (0)')
    }
    for (const statement of MIGRATIONS.slice(from).flat()) database.run(statement)
    database.run('update ledger_version set version = ?', Math.max(from, LEDGER_VERSION))
  })
}

/** Adds requests and their sums in one transaction. */
export function insertRequests(database: Database, records: readonly RequestRecord[]): void {
  const sums = dailySums(records)
  database.transaction(() => {
    for (const record of records) database.run(INSERT_REQUEST, ...requestCells(record))
    for (const { kind, day, agent, name, added } of sums) {
      database.run(ADD_SUMS, kind, day, agent, name, ...sumCells(added))
    }
  })
}

interface DailySum {
  readonly kind: UsageKey
  readonly day: string
  readonly agent: string
  readonly name: string
  added: UsageSums
}

/** A batch touches few sums, so each is written once. */
function dailySums(records: readonly RequestRecord[]): readonly DailySum[] {
  const sums = new Map<string, DailySum>()
  for (const record of records) {
    const day = dayText(record.at)
    const added = sumsOf(record)
    for (const kind of USAGE_KEYS) {
      const name = kind === 'day' ? '' : usageName(record, kind)
      const key = JSON.stringify([kind, day, record.agent, name])
      const known = sums.get(key)
      if (known) known.added = addedUp([known.added, added])
      else sums.set(key, { kind, day, agent: record.agent, name, added })
    }
  }
  return [...sums.values()]
}

function sumCells(sums: UsageSums): readonly Cell[] {
  return [
    sums.requests,
    sums.failed,
    sums.counted,
    sums.priced,
    sums.inputTokens,
    sums.outputTokens,
    sums.cacheReadTokens,
    sums.cacheWriteTokens,
    sums.costUsd,
  ]
}

export function selectUsage(database: Database, query: UsageQuery): readonly UsageRow[] {
  const name = query.by === 'day' ? 'day' : 'name'
  const conditions = [
    { sql: 'kind = ?', value: query.by },
    ...(query.from === undefined ? [] : [{ sql: 'day >= ?', value: query.from }]),
    ...(query.to === undefined ? [] : [{ sql: 'day <= ?', value: query.to }]),
    ...(query.agent === undefined ? [] : [{ sql: 'agent = ?', value: query.agent }]),
  ]
  const sql = `select ${name} as name, ${SUMS.map((sum) => `sum(${sum}) as ${sum}`).join(', ')}
    from daily_sums where ${conditions.map((condition) => condition.sql).join(' and ')}
    group by ${name} order by ${name}`
  return database.all(sql, ...conditions.map(({ value }) => value)).map(parseUsageRow)
}

export function selectRequests(database: Database, query: RequestsQuery): readonly RequestRecord[] {
  const conditions = [
    { sql: 'id >= ?', value: query.since === undefined ? '' : requestId(query.since, '') },
    ...(query.profile === undefined ? [] : [{ sql: 'profile = ?', value: query.profile }]),
    ...(query.failed ? [{ sql: 'outcome <> ?', value: 'served' }] : []),
  ]
  const sql = `select ${REQUEST_COLUMNS.join(', ')} from requests
    where ${conditions.map((condition) => condition.sql).join(' and ')} order by id desc limit ?`
  const rows = database.all(sql, ...conditions.map(({ value }) => value), query.limit)
  return rows.flatMap((row) => parseRequestRow(row) ?? [])
}

/** Removes up to `most` of the oldest requests, recorded before an instant if one is given. Gives how many went. */
export function deleteOldest(database: Database, most: number, before?: EpochMs): number {
  const end = before === undefined ? '~' : requestId(before, '')
  return database.run(
    'delete from requests where id in (select id from requests where id < ? order by id limit ?)',
    end,
    most,
  )
}

export function deleteSumsBefore(database: Database, day: string): void {
  database.run('delete from daily_sums where day < ?', day)
}

export function usedBytes(database: Database): number {
  return numberIn(database.all(SQLITE_ONLY.usedBytes)[0], 'bytes')
}

/** Gives some of the freed room back to the disk; whether there may be more to give. */
export function giveBack(database: Database): boolean {
  const before = freePages(database)
  if (before === 0) return false
  database.all(SQLITE_ONLY.giveBack)
  const after = freePages(database)
  // A file that was made otherwise gives nothing back.
  return after > 0 && after < before
}

/** Brings what has been written into the file itself, as far as nobody reads what was there before. */
export function settle(database: Database): void {
  database.all(SQLITE_ONLY.settle)
}

function freePages(database: Database): number {
  return numberIn(database.all(SQLITE_ONLY.freePages)[0], 'pages')
}
