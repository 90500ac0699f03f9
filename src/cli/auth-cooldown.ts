/** `equabot models auth cooldown`: which credentials rest, why and until when, and how to end that. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { dateText } from '../domain/time.ts'
import { forbiddenWords, heldWords, restingWords } from '../domain/wording-cooldown.ts'
import type { App } from '../services/app.ts'
import type { CooldownChoice, CooldownReport } from '../services/cooldowns.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, lines } from './layout.ts'
import { typedAgent } from './typed-names.ts'

interface Options {
  readonly provider?: string
  readonly agent?: string
  readonly all?: boolean
}

export function addCooldownCommands(auth: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  const cooldown = auth
    .command('cooldown')
    .description('Credentials that rest after a failure: which, why, until when')
  examples(cooldown, [
    ['equabot models auth cooldown list'],
    ['equabot models auth cooldown clear anthropic:work'],
  ])

  const list = withOptions(cooldown.command('list'))
    .description('What rests now, and what its provider refuses')
    .action(appAction(context, (app, options: Options) => listRests(app, layout, options)))
  examples(list, [
    ['equabot models auth cooldown list'],
    ['equabot models auth cooldown list --provider anthropic --json'],
  ])

  const clear = withOptions(cooldown.command('clear'))
    .description('Use a credential again before its rest is over')
    .argument('[profile]', 'a profile id such as anthropic:work')
    .option('--all', 'every credential')
    .action(
      appAction(context, (app, profile: string | undefined, options: Options) =>
        clearRests(app, layout, profile, options),
      ),
    )
  examples(clear, [
    ['equabot models auth cooldown clear anthropic:work'],
    ['equabot models auth cooldown clear --provider openai'],
    ['equabot models auth cooldown clear --all --json'],
  ])
}

function withOptions(command: Command): Command {
  return command
    .option('--provider <id>', 'those of this provider')
    .option('--agent <id>', 'through the eyes of this agent')
    .option('--json', 'print JSON')
}

async function listRests(
  app: App,
  layout: Layout,
  { provider, ...options }: Options,
): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const choice: CooldownChoice =
    provider === undefined ? { kind: 'all' } : { kind: 'provider', text: provider }
  const listed = await app.cooldowns.list(agent.value, choice)
  if (!listed.ok) return listed
  const rows = rowsOf(listed.value, layout)
  return ok({
    text: rows.length > 0 ? layout.table(rows) : layout.paint('good', 'Nothing rests'),
    json: reportJson(listed.value),
  })
}

async function clearRests(
  app: App,
  layout: Layout,
  profile: string | undefined,
  options: Options,
): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const choice = choiceOf(profile, options)
  if (!choice.ok) return choice
  const cleared = await app.cooldowns.clear(agent.value, choice.value)
  if (!cleared.ok) return cleared
  const rows = rowsOf(cleared.value, layout)
  const { agent: who, now: _, ...ended } = reportJson(cleared.value)
  return ok({
    text:
      rows.length > 0
        ? lines('Cleared; the next request may use it:', layout.table(rows, { indent: 2 }))
        : 'Nothing rested, so nothing was cleared',
    json: { agent: who, cleared: ended },
  })
}

/** @faults `EQ_USAGE` unless exactly one is named */
function choiceOf(
  profile: string | undefined,
  { provider, all }: Options,
): Result<CooldownChoice, Fault> {
  const choices: readonly CooldownChoice[] = [
    ...(profile === undefined ? [] : [{ kind: 'profile' as const, text: profile }]),
    ...(provider === undefined ? [] : [{ kind: 'provider' as const, text: provider }]),
    ...(all ? [{ kind: 'all' as const }] : []),
  ]
  const [choice] = choices
  if (choice && choices.length === 1) return ok(choice)
  return fail({
    code: 'EQ_USAGE',
    detail: 'Name one profile, or --provider <id>, or --all',
    command: 'equabot models auth cooldown clear',
  })
}

function rowsOf(
  { resting, forbidden, now }: CooldownReport,
  layout: Layout,
): readonly (readonly string[])[] {
  return [
    ...resting.map((entry) => [
      layout.paint('strong', heldWords(entry)),
      restingWords(entry, now),
      layout.paint('dim', `until ${dateText(entry.rest.until)}`),
    ]),
    ...forbidden.map((entry) => [
      layout.paint('strong', entry.profile),
      forbiddenWords(entry, now),
      layout.paint('dim', 'until cleared, or a new secret'),
    ]),
  ]
}

function reportJson({ agent, now, resting, forbidden }: CooldownReport) {
  return {
    agent,
    now,
    resting: resting.map(({ provider, profiles, model, rest }) => ({
      provider,
      scope: rest.scope,
      profiles,
      ...(model !== undefined && { model }),
      reason: rest.reason,
      since: rest.since,
      until: rest.until,
      source: rest.source,
    })),
    refused: forbidden,
  }
}
