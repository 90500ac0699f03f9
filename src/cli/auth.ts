/** `equabot models auth`: the logins themselves. No command here prints a secret, nor a part of one. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { becauseWords, credentialCommand } from '../domain/wording.ts'
import type { App } from '../services/app.ts'
import { credentialsJson } from '../wire/candidate-json.ts'
import type { ExplainJson } from '../wire/report-json.ts'
import { addLoginCommand } from './auth-login.ts'
import { addCooldownCommands } from './auth-cooldown.ts'
import { addImportCommand } from './auth-import.ts'
import { addOrderCommands } from './auth-order.ts'
import { addPasteCommands } from './auth-paste.ts'
import { addProbeCommand } from './auth-probe.ts'
import { addRemovalCommands } from './auth-removal.ts'
import { addRenewCommand } from './auth-renew.ts'
import { addSyncCommand } from './auth-sync.ts'
import { addSetupTokenCommand } from './auth-setup-token.ts'
import type { Scene } from './candidate-screen.ts'
import { candidateBlock, candidateRow } from './candidate-screen.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, lines, sections } from './layout.ts'
import { notesBlock } from './status-screen.ts'
import { viewedExplain } from './status-view.ts'
import { typedAgent, typedProvider, typedSession } from './typed-names.ts'
import type { ViewWish } from './view.ts'
import { viewJson, viewLine } from './view.ts'
import { viewOption } from './view-option.ts'

export function addAuthCommands(models: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  const auth = models.command('auth').description('Keys, tokens and their order')
  examples(auth, [
    ['equabot models auth add', 'choose a provider and paste its key or token'],
    ['equabot models auth list', 'every login, without its secret'],
    ['equabot models auth explain', 'what the next request would use, and why'],
  ])
  addPasteCommands(auth, context)
  addSetupTokenCommand(auth, context)
  addLoginCommand(auth, context)

  const list = auth
    .command('list')
    .description('Every login: type, fingerprint, health, where it stands')
    .option('--provider <id>', 'only those of this provider')
    .option('--agent <id>', 'look through the eyes of this agent')
    .option('--json', 'print JSON')
    .action(appAction(context, (app, options: ListOptions) => listLogins(app, layout, options)))
  examples(list, [
    ['equabot models auth list'],
    ['equabot models auth list --provider anthropic --json'],
  ])

  const explain = auth
    .command('explain')
    .description('What the next request would use: every candidate, in order, with its reason')
    .option('--model <model>', 'for this model instead of the default: provider/model or an alias')
    .option('--session <id>', 'for this session, with its model and pin')
    .option('--agent <id>', 'for this agent')
    .addOption(viewOption())
    .option('--json', 'print JSON')
    .action(appAction(context, (app, options: ExplainOptions) => explainNext(app, layout, options)))
  examples(explain, [
    ['equabot models auth explain'],
    ['equabot models auth explain --model opus@anthropic:work'],
    ['equabot models auth explain --session monday'],
  ])

  addProbeCommand(auth, context)
  addRenewCommand(auth, context)
  addSyncCommand(auth, context)
  addOrderCommands(auth, context)
  addCooldownCommands(auth, context)
  addRemovalCommands(auth, context)
  addImportCommand(auth, context)
}

interface ListOptions {
  readonly provider?: string
  readonly agent?: string
}

async function listLogins(
  app: App,
  layout: Layout,
  options: ListOptions,
): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const provider = await typedProvider(app, agent.value, options.provider)
  if (!provider.ok) return provider
  const reported = await app.report.credentials({
    ...(agent.value !== undefined && { agent: agent.value }),
    ...(provider.value && { provider: provider.value }),
  })
  if (!reported.ok) return reported
  const { providers, problems, now } = reported.value
  const scene = { layout, now, show: app.show }
  const found = credentialsJson(providers, now)
  const rows = found
    .flatMap((report) => report.candidates)
    .filter((candidate) => candidate.source.kind !== 'none_needed')
    .map((candidate) => candidateRow(candidate, scene))
  const head = ['Profile', 'Type', 'Fingerprint', 'Health', 'Ends', 'From'].map(layout.heading)
  return ok({
    text: sections(
      rows.length > 0 ? layout.table([head, ...rows]) : layout.paint('dim', 'No logins'),
      notesBlock({ problems, migrated: [] }, scene),
    ),
    json: { agent: reported.value.agent, providers: found, problems },
  })
}

interface ExplainOptions {
  readonly model?: string
  readonly session?: string
  readonly agent?: string
  readonly view?: ViewWish
}

async function explainNext(
  app: App,
  layout: Layout,
  { model, ...options }: ExplainOptions,
): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const session = typedSession(options.session)
  if (!session.ok) return session
  const explained = await viewedExplain(app, {
    ...(agent.value !== undefined && { agent: agent.value }),
    ...(session.value !== undefined && { session: session.value }),
    ...(model !== undefined && { model }),
    ...(options.view && { view: options.view }),
  })
  if (!explained.ok) return explained
  const { report, view } = explained.value
  const text = sections(
    layout.paint('dim', viewLine(explained.value)),
    explainScreen(report, { layout, now: report.now, show: app.show, view }),
  )
  return ok({ text, json: { ...report, ...viewJson(explained.value) }, exit: report.next ? 0 : 1 })
}

/** @param model `provider/model` */
function providerIn(model: string): string {
  return model.slice(0, model.indexOf('/'))
}

function explainScreen(report: ExplainJson, scene: Scene): string {
  const { layout } = scene
  const { next, pin, session } = report
  return sections(
    layout.facts([
      [
        'Next',
        next === undefined ? layout.paint('bad', 'none can serve') : layout.paint('strong', next),
      ],
      ['Model', report.model],
      ['Because', becauseWords(report.modelBecause)],
      ['Endpoint', `${report.endpoint} (${report.protocol})`],
      ['Agent', report.agent],
      ...(session === undefined ? [] : [['Session', session] as const]),
      ...(pin === undefined ? [] : [['Pin', pin] as const]),
    ]),
    lines(
      layout.heading('Candidates'),
      ...report.candidates.map((candidate) => candidateBlock(candidate, scene)),
      report.candidates.length > 0
        ? ''
        : `  None. Add one: ${credentialCommand(providerIn(report.model))}`,
    ),
  )
}
