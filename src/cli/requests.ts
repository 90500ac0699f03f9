/** `equabot requests`: single requests, the latest last, and those that come. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { RequestRecord, RequestsQuery } from '../domain/ledger.ts'
import { parseProfileId } from '../domain/names.ts'
import { printableLine } from '../domain/printable.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { SECOND_MS } from '../domain/time.ts'
import {
  dollars,
  nothingFoundWords,
  nothingRecordedWords,
  outcomeWords,
  tokensText,
} from '../domain/wording-ledger.ts'
import type { App } from '../services/app.ts'
import { requestJson } from '../wire/ledger-json.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout } from './layout.ts'
import { printableJson, printableScreen } from './printable.ts'
import type { Terminal } from './terminal.ts'

interface RequestsOptions {
  readonly limit: string
  readonly follow?: boolean
  readonly profile?: string
  readonly failed?: boolean
  readonly json?: boolean
}

const MOST = 100_000
const POLL_MS = 500
/** Several programs write, each about twice a second: what was recorded earlier may be there only later. */
const OVERLAP_MS: number = 10 * SECOND_MS

export function addRequestsCommand(program: Command, context: CommandContext): void {
  const requests = program
    .command('requests')
    .description(
      'Single requests, the latest last: who served them, how they ended, what they took',
    )
    .option('--limit <number>', 'how many', '20')
    .option('--follow', 'go on with those that come, until Ctrl-C')
    .option('--profile <id>', 'only those that this profile served or failed last')
    .option('--failed', 'only those that were not served whole')
    .option('--json', 'print JSON; with --follow one line for each request')
    .action(appAction(context, (app, options: RequestsOptions) => show(context, app, options)))
  examples(requests, [
    ['equabot requests'],
    ['equabot requests --failed --limit 5'],
    ['equabot requests --follow --json | jq .model', 'as they come'],
  ])
}

async function show(
  context: CommandContext,
  app: App,
  options: RequestsOptions,
): Promise<Result<Output, Fault>> {
  const query = typedQuery(options)
  if (!query.ok) return query
  const latest = await app.ledger.requests(query.value)
  if (!latest.ok) return latest
  const layout = createLayout(context.terminal)
  const records = latest.value.toReversed()
  if (options.follow) return follow(context, app, layout, options, query.value, records)
  return ok({
    text:
      records.length === 0
        ? layout.paint(
            'dim',
            isNarrowed(query.value) ? nothingFoundWords() : nothingRecordedWords(),
          )
        : layout.table(records.map((record) => cells(layout, record))),
    json: { requests: records.map(requestJson) },
  })
}

function isNarrowed({ profile, failed }: RequestsQuery): boolean {
  return profile !== undefined || failed === true
}

function typedQuery(options: RequestsOptions): Result<RequestsQuery, Fault> {
  const limit = /^\d{1,6}$/.test(options.limit) ? Number(options.limit) : 0
  if (limit < 1 || limit > MOST) {
    const detail = `--limit takes a whole number from 1 to ${MOST}, not "${printableLine(options.limit)}"`
    return fail({ code: 'EQ_USAGE', detail, command: 'equabot requests' })
  }
  const profile = options.profile === undefined ? undefined : parseProfileId(options.profile)
  if (options.profile !== undefined && !profile) {
    return fail({ code: 'EQ_NAME_INVALID', what: 'profile', text: options.profile })
  }
  return ok({ limit, ...(profile && { profile }), ...(options.failed && { failed: true }) })
}

async function follow(
  { terminal, signal }: CommandContext,
  app: App,
  layout: Layout,
  options: RequestsOptions,
  query: RequestsQuery,
  first: readonly RequestRecord[],
): Promise<Result<Output, Fault>> {
  const startedAt = app.clock.now()
  let seen = new Map(first.map((record) => [record.id, startedAt]))
  print(terminal, layout, options, first)
  while (!signal.aborted) {
    await app.clock.sleep(POLL_MS, signal)
    const now = app.clock.now()
    const since = now - OVERLAP_MS
    const latest = await app.ledger.requests({ ...query, limit: MOST, since })
    if (!latest.ok) return latest
    // The first screen has a limit of its own; what came before it is not caught up on.
    const fresh = latest.value
      .filter((record) => !seen.has(record.id) && record.at + record.totalMs >= startedAt - POLL_MS)
      .toReversed()
    print(terminal, layout, options, fresh)
    seen = new Map([...seen].filter(([, at]) => now - at < 2 * OVERLAP_MS))
    for (const { id } of latest.value) seen.set(id, now)
  }
  return ok({ text: '', json: undefined })
}

function print(
  terminal: Terminal,
  layout: Layout,
  { json }: RequestsOptions,
  records: readonly RequestRecord[],
): void {
  for (const record of records) {
    const line = json
      ? printableJson(JSON.stringify(requestJson(record)))
      : printableScreen(layout.table([cells(layout, record)]))
    terminal.out(`${line}\n`)
  }
}

function cells(layout: Layout, record: RequestRecord): readonly string[] {
  const { usage, firstByteMs, totalMs, costUsd } = record
  const role = record.outcome === 'served' ? 'good' : record.outcome === 'cancelled' ? 'dim' : 'bad'
  return [
    new Date(record.at).toISOString().slice(0, 19).replace('T', ' '),
    layout.paint('strong', record.model ?? record.asked),
    record.profile ?? '-',
    layout.paint(role, outcomeWords(record)),
    `${firstByteMs === undefined ? '-' : seconds(firstByteMs)} / ${seconds(totalMs)}`,
    usage ? `${tokensText(usage.inputTokens)} in, ${tokensText(usage.outputTokens)} out` : '-',
    costUsd === undefined ? '-' : `~${dollars(costUsd)}`,
    record.client ?? '-',
  ]
}

function seconds(ms: number): string {
  return `${(ms / SECOND_MS).toFixed(2)} s`
}
