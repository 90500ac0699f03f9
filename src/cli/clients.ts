/** `equabot clients`: keys of the gateway for single programs and people. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { dateText } from '../domain/time.ts'
import {
  endWords,
  keyOnceWords,
  noClientsWords,
  passedOverClientWords,
  shortTerms,
  termsWords,
} from '../domain/wording-client.ts'
import { dollars, tokensText } from '../domain/wording-ledger.ts'
import type { App } from '../services/app.ts'
import type { ClientReport, IssuedKey } from '../services/clients.ts'
import { clientJson } from '../wire/client-json.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { confirmed, NOT_DONE } from './confirmed.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, lines, sections } from './layout.ts'
import type { Terminal } from './terminal.ts'
import type { TermOptions } from './typed-client.ts'
import { typedEnd, typedTerms } from './typed-client.ts'

interface KeepOption {
  readonly keep?: boolean
}

export function addClientsCommands(program: Command, context: CommandContext): void {
  const clients = program
    .command('clients')
    .description('Give programs and people keys of their own for the gateway')
  addAdd(clients, context)
  addLooks(clients, context)
  addChanges(clients, context)
}

function addAdd(clients: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  examples(
    clients
      .command('add')
      .argument('<name>', 'short name of the program or person, such as laptop')
      .description('Make a key for one program or person; it is shown once')
      .option('--agent <id>', 'the only agent that it may ask')
      .option('--models <list>', 'the only models, with commas: names, aliases, anthropic/*')
      .option('--profiles <list>', 'the only profiles that may serve it, with commas')
      .option('--budget <amount>', 'what it may use: 5usd/day, 2000000tokens/month')
      .option('--rate <requests>', 'how often it may ask: 60/min')
      .option('--expires <when>', 'when the key ends: 30d, 2026-12-31')
      .option('--keep', 'also keep the key in a file that only you can read')
      .option('--json', 'print JSON')
      .action(
        appAction(context, async (app, name: string, options: TermOptions & KeepOption) => {
          const terms = typedTerms(options, app.clock.now())
          if (!terms.ok) return terms
          const issued = await app.clients.add(name, terms.value, { keep: options.keep ?? false })
          return issued.ok ? ok(issuedOutput(app, layout, issued.value, 'Added')) : issued
        }),
      ),
    [
      ['equabot clients add laptop'],
      ['equabot clients add ci --models "anthropic/*" --budget 5usd/day --rate 60/min'],
      ['equabot clients add guest --profiles anthropic:work --expires 30d'],
    ],
  )
}

function addLooks(clients: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  examples(
    clients
      .command('list')
      .description('List the clients with their limits and what they have used')
      .option('--json', 'print JSON')
      .action(appAction(context, (app) => list(app, layout))),
    [['equabot clients list'], ['equabot clients list --json']],
  )
  examples(
    clients
      .command('show')
      .argument('<name>', 'client')
      .description('Show what a client may do and what it has used')
      .option('--json', 'print JSON')
      .action(
        appAction(context, async (app, name: string) => {
          const report = await app.clients.show(name)
          return report.ok ? ok(reportOutput(app, layout, report.value)) : report
        }),
      ),
    [['equabot clients show laptop'], ['equabot clients show laptop --json']],
  )
}

function addChanges(clients: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  examples(
    clients
      .command('rotate')
      .argument('<name>', 'client')
      .description('Give a client a new key; the old one ends at once')
      .option('--expires <when>', 'when the new key ends: 30d, 2026-12-31')
      .option('--keep', 'also keep the key in a file that only you can read')
      .option('--json', 'print JSON')
      .action(
        appAction(
          context,
          async (app, name: string, options: KeepOption & { readonly expires?: string }) => {
            const expiresAt = typedEnd(options.expires, app.clock.now())
            if (!expiresAt.ok) return expiresAt
            const issued = await app.clients.rotate(name, {
              keep: options.keep ?? false,
              ...(expiresAt.value !== undefined && { expiresAt: expiresAt.value }),
            })
            return issued.ok ? ok(issuedOutput(app, layout, issued.value, 'Rotated')) : issued
          },
        ),
      ),
    [['equabot clients rotate laptop'], ['equabot clients rotate guest --expires 30d']],
  )
  examples(
    clients
      .command('revoke')
      .argument('<name>', 'client')
      .description('End a key at once, in a running gateway too, and forget its client')
      .option('--yes', 'do not ask')
      .option('--json', 'print JSON')
      .action(
        appAction(context, (app, name: string, options: { readonly yes?: boolean }) =>
          revoke(app, context.terminal, name, options.yes),
        ),
      ),
    [['equabot clients revoke laptop'], ['equabot clients revoke laptop --yes', 'in a script']],
  )
}

async function list(app: App, layout: Layout): Promise<Result<Output, Fault>> {
  const listed = await app.clients.list()
  if (!listed.ok) return listed
  const { clients, problems } = listed.value
  const now = app.clock.now()
  const head = ['Client', 'Limits', 'Today', 'This month', 'Ends']
  const rows = clients.map(({ client, spent }) => [
    client.name,
    shortTerms(client),
    spentText(spent.daily),
    spentText(spent.monthly),
    endWords(client, now),
  ])
  const table =
    rows.length === 0
      ? layout.paint('dim', noClientsWords())
      : layout.table([head.map((heading) => layout.paint('strong', heading)), ...rows])
  const remarks = problems.map(({ field, problem }) =>
    layout.paint('warn', passedOverClientWords(field, problem)),
  )
  return ok({
    text: sections(table, lines(...remarks)),
    json: {
      clients: clients.map(({ client, spent, keyPath }) => clientJson(client, spent, now, keyPath)),
      problems,
    },
  })
}

function reportOutput(app: App, layout: Layout, report: ClientReport): Output {
  const { client, spent, keyPath } = report
  const now = app.clock.now()
  const facts: readonly (readonly [string, string])[] = [
    ...termsWords(client, now),
    [
      'Used',
      `${spentText(spent.daily) || 'nothing'} today, ${spentText(spent.monthly) || 'nothing'} this month`,
    ],
    ['Made', dateText(client.createdAt)],
    ...(client.rotatedAt === undefined ? [] : [['New key', dateText(client.rotatedAt)] as const]),
    ...(keyPath === undefined ? [] : [['Key in', app.show(keyPath)] as const]),
  ]
  return {
    text: lines(layout.heading(client.name), layout.facts(facts, { indent: 2 })),
    json: clientJson(client, spent, now, keyPath),
  }
}

function issuedOutput(app: App, layout: Layout, issued: IssuedKey, done: string): Output {
  const { client, key, keyPath } = issued
  const now = app.clock.now()
  const text = key.reveal()
  return {
    text: lines(
      `${done} ${layout.paint('strong', client.name)}. Its key:`,
      `  ${text}`,
      `  ${layout.paint('dim', keyOnceWords())}`,
      ...(keyPath === undefined ? [] : [`  A copy is in ${app.show(keyPath)}`]),
      layout.facts(termsWords(client, now), { indent: 2 }),
    ),
    json: { key: text, ...clientJson(client, NOTHING, now, keyPath) },
  }
}

const NOTHING = { daily: { usd: 0, tokens: 0 }, monthly: { usd: 0, tokens: 0 } }

async function revoke(
  app: App,
  terminal: Terminal,
  name: string,
  yes: boolean | undefined,
): Promise<Result<Output, Fault>> {
  const report = await app.clients.show(name)
  if (!report.ok) return report
  const { client } = report.value
  const question = `Revoke the key of ${client.name}? Whoever uses it is turned out at once`
  const sure = await confirmed(terminal, yes, question, `the key of ${client.name} was not revoked`)
  if (!sure.ok) return sure
  if (!sure.value) return NOT_DONE
  const revoked = await app.clients.revoke(name)
  if (!revoked.ok) return revoked
  return ok({
    text: `Revoked the key of ${client.name}`,
    json: { revoked: true, client: client.name },
  })
}

/** Empty where nothing was used. */
function spentText({ usd, tokens }: { readonly usd: number; readonly tokens: number }): string {
  if (tokens === 0 && usd === 0) return ''
  return `${tokensText(tokens)} tokens${usd > 0 ? `, ${dollars(usd)}` : ''}`
}
