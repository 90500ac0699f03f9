/** `equabot usage`: what requests have used, by profile, model, day and so on, and what is left of the budgets. */

import type { Command } from 'commander'
import { Option } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { UsageKey, UsageQuery, UsageRow, UsageSums } from '../domain/ledger.ts'
import { USAGE_KEYS } from '../domain/ledger.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import {
  budgetWords,
  dollars,
  grouped,
  namelessWords,
  nothingFoundWords,
  nothingRecordedWords,
  setAsideWords,
  tokensText,
  usageHeadings,
  usageNotes,
} from '../domain/wording-ledger.ts'
import type { App } from '../services/app.ts'
import type { UsageReport } from '../services/usage.ts'
import { usageCsv, usageJson } from '../wire/ledger-json.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, lines, sections } from './layout.ts'
import { typedDay } from './typed-day.ts'
import { typedAgent } from './typed-names.ts'

interface UsageOptions {
  readonly by: UsageKey
  readonly since?: string
  readonly until?: string
  readonly agent?: string
  readonly csv?: boolean
}

export function addUsageCommand(program: Command, context: CommandContext): void {
  const usage = program
    .command('usage')
    .description('What requests have used, with estimated costs, and what is left of the budgets')
    .addOption(new Option('--by <what>', 'what to sum over').choices(USAGE_KEYS).default('profile'))
    .option('--since <day>', 'first day: a date, or how long ago, such as 7d')
    .option('--until <day>', 'last day, which counts too')
    .option('--agent <id>', 'only requests of this agent')
    .addOption(new Option('--csv', 'print comma-separated values').conflicts('json'))
    .option('--json', 'print JSON')
    .action(
      appAction(context, (app, options: UsageOptions) =>
        show(app, createLayout(context.terminal), options),
      ),
    )
  examples(usage, [
    ['equabot usage', 'by profile, of all that is kept'],
    ['equabot usage --by day --since 7d'],
    ['equabot usage --by model --since 2026-11-01 --csv > november.csv'],
  ])
}

async function show(
  app: App,
  layout: Layout,
  options: UsageOptions,
): Promise<Result<Output, Fault>> {
  const query = typedQuery(app, options)
  if (!query.ok) return query
  const report = await app.usage.report(query.value)
  if (!report.ok) return report
  const { rows, total, budgets } = report.value
  return ok({
    text: options.csv ? usageCsv(options.by, rows) : screen(layout, report.value, app),
    json: usageJson(query.value, rows, total, budgets),
  })
}

function typedQuery(app: App, options: UsageOptions): Result<UsageQuery, Fault> {
  const now = app.clock.now()
  const from = typedDay(options.since, '--since', now)
  if (!from.ok) return from
  const to = typedDay(options.until, '--until', now)
  if (!to.ok) return to
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  return ok({
    by: options.by,
    ...(from.value !== undefined && { from: from.value }),
    ...(to.value !== undefined && { to: to.value }),
    ...(agent.value && { agent: agent.value }),
  })
}

function screen(layout: Layout, report: UsageReport, app: App): string {
  const { query, rows, total, setAside } = report
  const aside = setAsideWords(setAside.map(app.show))
  return sections(
    rows.length === 0 ? layout.paint('dim', emptyWords(query)) : table(layout, report),
    lines(...usageNotes(total, query).map((note) => layout.paint('dim', note))),
    budgetLines(layout, report, app),
    aside === '' ? '' : layout.paint('warn', aside),
  )
}

function emptyWords({ from, to, agent }: UsageQuery): string {
  const isNarrowed = from !== undefined || to !== undefined || agent !== undefined
  return isNarrowed ? nothingFoundWords() : nothingRecordedWords()
}

function table(layout: Layout, { query, rows, total }: UsageReport): string {
  const head = usageHeadings(query.by).map((heading) => layout.paint('strong', heading))
  const body = rows.map((row) => cells(nameOf(row, query.by), row))
  const foot = rows.length > 1 ? [cells('', total)] : []
  return layout.table([head, ...body, ...foot])
}

function nameOf({ name }: UsageRow, by: UsageKey): string {
  return name === '' ? namelessWords(by) : name
}

function cells(name: string, sums: UsageSums): readonly string[] {
  return [
    name,
    grouped(sums.requests),
    sums.failed === 0 ? '' : grouped(sums.failed),
    tokensText(sums.inputTokens),
    sums.cacheReadTokens === 0 ? '' : tokensText(sums.cacheReadTokens),
    tokensText(sums.outputTokens),
    sums.priced === 0 ? '' : dollars(sums.costUsd),
  ]
}

function budgetLines(layout: Layout, { budgets }: UsageReport, app: App): string {
  const rows = [...budgets].flatMap(([profile, uses]) =>
    uses.map((use) => {
      const role = use.limit === 'hard' ? 'bad' : use.limit === 'soft' ? 'warn' : 'good'
      return [profile, layout.paint(role, budgetWords(use, app.clock.now()))]
    }),
  )
  return rows.length === 0
    ? ''
    : `${layout.heading('Budgets')}\n${layout.table(rows, { indent: 2 })}`
}
