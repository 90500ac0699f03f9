/** `equabot models`: which model serves, on which credential, and why; and the choice of models. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import { formatModelKey } from '../domain/names.ts'
import { probeExit } from '../domain/probe.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import type { ModelListing } from '../domain/report.ts'
import { answeredFault } from '../wire/fault-json.ts'
import type { StatusJson } from '../wire/report-json.ts'
import { modelJson } from '../wire/report-json.ts'
import { addAuthCommands } from './auth.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, sections } from './layout.ts'
import { DEFAULT_TIMEOUT, TIMEOUT_HELP, TIMEOUT_OPTION } from './probe-options.ts'
import { addAliasCommands, addFallbackCommands } from './model-choices.ts'
import { probeForStatus, severer, withProbes } from './status-probe.ts'
import { statusScreen } from './status-screen.ts'
import { viewedStatus } from './status-view.ts'
import { typedAgent, typedProvider } from './typed-names.ts'
import type { ViewWish } from './view.ts'
import { viewJson, viewLine } from './view.ts'
import { viewOption } from './view-option.ts'

export function addModelsCommands(program: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  const models = program
    .command('models')
    .description('Which model and login serve you, and why; alone it shows the status')
  examples(models, [
    ['equabot models status', 'the default model, the login that serves it, and why'],
    ['equabot models set anthropic/claude-sonnet-5-5', 'choose the default model'],
    ['equabot models auth add', 'give Equabot a key or token'],
  ])

  const status = models
    .command('status', { isDefault: true })
    .description('The default model, every login with its health, and what is missing')
    .option('--json', 'print JSON')
    .option('--plain', 'print one line: the default provider/model')
    .option(
      '--check',
      'exit 0 when no login needs you, 1 when one in use is missing or bad, 2 when one ends soon',
    )
    .option('--serving', 'with --check: ask only whether each model in use can be served')
    .option(
      '--probe',
      'ask each provider, too: one small real request for each credential; with --check the worse answer counts',
    )
    .option(TIMEOUT_OPTION, `with --probe: ${TIMEOUT_HELP}`)
    .option('--agent <id>', 'look through the eyes of this agent')
    .addOption(viewOption())
    .action(
      appAction(context, (app, options: StatusOptions) =>
        showStatus(app, context, layout, options),
      ),
    )
  examples(status, [
    ['equabot models status'],
    ['equabot models status --check', 'for scripts and monitors; works offline'],
    ['equabot models status --probe', 'costs a fraction of a cent for each credential'],
    ['equabot models status --view own', 'as this shell sees it, though a gateway runs'],
    ['equabot models status --json', 'the same as data'],
  ])

  const list = models
    .command('list')
    .description('The models that you can choose from')
    .option('--all', 'every known model of the providers that are set up')
    .option('--provider <id>', 'only those of this provider')
    .option('--agent <id>', 'look through the eyes of this agent')
    .option('--json', 'print JSON')
    .option('--plain', 'print one provider/model per line')
    .action(appAction(context, (app, options: ListOptions) => listModels(app, layout, options)))
  examples(list, [['equabot models list'], ['equabot models list --all --provider anthropic']])

  const set = models
    .command('set')
    .description('Choose the default model')
    .argument('<model>', 'provider/model, or an alias')
    .option('--json', 'print JSON')
    .action(appAction(context, setModel))
  examples(set, [['equabot models set anthropic/claude-sonnet-5-5'], ['equabot models set opus']])

  addAliasCommands(models, context)
  addFallbackCommands(models, context)
  addAuthCommands(models, context)
}

interface StatusOptions {
  readonly json?: boolean
  readonly plain?: boolean
  readonly check?: boolean
  readonly serving?: boolean
  readonly probe?: boolean
  readonly timeout?: string
  readonly agent?: string
  readonly view?: ViewWish
}

async function showStatus(
  app: App,
  context: CommandContext,
  layout: Layout,
  options: StatusOptions,
): Promise<Result<Output, Fault>> {
  const wrong = wrongOptions(options)
  if (wrong) return fail({ code: 'EQ_USAGE', detail: wrong, command: 'equabot models status' })
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const { plain, check, serving, probe } = options
  const asked = {
    ...(agent.value !== undefined && { agent: agent.value }),
    ...(serving !== undefined && { serving }),
  }
  const probed = probe
    ? await probeForStatus(app, context, asked, options.timeout ?? DEFAULT_TIMEOUT)
    : undefined
  if (probed && !probed.ok) return probed
  const found = await viewedStatus(app, {
    ...asked,
    // A check judges offline, and by itself alone.
    ...(check ? { view: 'own' } : options.view && { view: options.view }),
  })
  if (!found.ok) return found
  const { view } = found.value
  const report = probed ? withProbes(found.value.report, probed.value) : found.value.report
  const exit = severer(exitOf(report, check ?? false), probed ? probeExit(probed.value) : 0)
  if (plain) {
    if (report.modelFault) return fail(answeredFault(report.modelFault))
    return ok({ text: report.model ?? '', json: undefined, exit })
  }
  const scene = { layout, now: report.now, show: app.show, view }
  return ok({
    // Laid out only if asked for: a large book makes a long screen.
    get text() {
      const line = check ? '' : layout.paint('dim', viewLine(found.value))
      return sections(line, statusScreen(report, scene))
    },
    json: { ...report, ...viewJson(found.value) },
    exit,
  })
}

function wrongOptions(options: StatusOptions): string | undefined {
  const { json, plain, check, serving, view, probe, timeout } = options
  if (json && plain) return '--json and --plain exclude each other'
  if (probe && plain) return '--probe and --plain exclude each other'
  if (timeout !== undefined && !probe) return '--timeout goes with --probe'
  if (serving && !check) return '--serving goes with --check'
  if (check && view === 'gateway') return '--check judges offline, without the gateway'
  return undefined
}

/** What could not be read could not be judged either, so its fault's code goes before the check's. */
function exitOf({ bookFault, modelFault, check }: StatusJson, asked: boolean): number {
  if (bookFault) return bookFault.exit
  if (modelFault) return modelFault.exit
  if (!asked) return 0
  // An agent that could not be judged is no agent that is fine.
  return check.undecided ? check.undecided.exit : check.exit
}

interface ListOptions {
  readonly all?: boolean
  readonly provider?: string
  readonly agent?: string
  readonly json?: boolean
  readonly plain?: boolean
}

async function listModels(
  app: App,
  layout: Layout,
  options: ListOptions,
): Promise<Result<Output, Fault>> {
  if (options.json && options.plain) {
    const detail = '--json and --plain exclude each other'
    return fail({ code: 'EQ_USAGE', detail, command: 'equabot models list' })
  }
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const provider = await typedProvider(app, agent.value, options.provider)
  if (!provider.ok) return provider
  const listed = await app.report.models({
    ...(agent.value !== undefined && { agent: agent.value }),
    ...(provider.value && { provider: provider.value }),
    all: options.all ?? false,
  })
  if (!listed.ok) return listed
  return ok({
    text: options.plain
      ? listed.value.map(formatModelKey).join('\n')
      : modelsTable(listed.value, layout),
    json: { count: listed.value.length, models: listed.value.map(modelJson) },
  })
}

function modelsTable(listings: readonly ModelListing[], layout: Layout): string {
  if (listings.length === 0) return layout.paint('dim', 'No models')
  const head = ['Model', 'Login', 'Context', 'Tags', 'Aliases', 'Name'].map((title) =>
    layout.heading(title),
  )
  return layout.table([
    head,
    ...listings.map((listing) => [
      formatModelKey(listing),
      listing.usable ? layout.paint('good', 'yes') : layout.paint('bad', 'no'),
      contextText(listing.known?.contextWindow),
      listing.tags.join(', '),
      listing.aliases.join(', '),
      listing.known?.name ?? '',
    ]),
  ])
}

function contextText(tokens: number | undefined): string {
  return tokens === undefined ? '' : `${Math.floor(tokens / 1000)}k`
}

async function setModel(app: App, model: string): Promise<Result<Output, Fault>> {
  const set = await app.modelSettings.setDefault(model)
  if (!set.ok) return set
  const { configPath } = set.value
  return ok({
    text: `Default model: ${set.value.model} (in ${app.show(configPath)})`,
    json: { model: set.value.model, configPath },
  })
}
