/** `equabot models auth probe`: one small real request with exactly the named credential. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { ProfileId } from '../domain/names.ts'
import { parseProfileId, providerOf } from '../domain/names.ts'
import { probeExit } from '../domain/probe.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import { probeJson } from '../wire/probe-json.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import { createLayout } from './layout.ts'
import {
  DEFAULT_CONCURRENCY,
  DEFAULT_TIMEOUT,
  TIMEOUT_HELP,
  TIMEOUT_OPTION,
  typedConcurrency,
  typedTimeout,
} from './probe-options.ts'
import { withProgress } from './progress.ts'
import { probeScreen } from './probe-screen.ts'
import { typedAgent, typedProvider } from './typed-names.ts'

const COMMAND = 'equabot models auth probe'

interface Options {
  readonly profile?: readonly string[]
  readonly provider?: string
  readonly model?: string
  readonly timeout: string
  readonly concurrency: string
  readonly agent?: string
}

export function addProbeCommand(auth: Command, context: CommandContext): void {
  const probe = auth
    .command('probe')
    .description(
      'Ask the provider whether it takes a credential: one small real request with exactly that one',
    )
    .option(
      '--profile <ids...>',
      'only these, such as anthropic:work; a key outside the book is anthropic:env',
    )
    .option('--provider <id>', 'only those of this provider')
    .option('--model <model>', 'ask with this model instead of a cheap one')
    .option(TIMEOUT_OPTION, TIMEOUT_HELP, DEFAULT_TIMEOUT)
    .option('--concurrency <number>', 'how many are asked at once', DEFAULT_CONCURRENCY)
    .option('--agent <id>', 'look through the eyes of this agent')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nEach credential is sent one request for one short word, which may cost a fraction of a cent.\nNo other credential ever stands in for it, and a resting one is asked, too.\nExits 0 when all that were asked serve, 1 when one does not, 69 when none could be reached.',
    )
    .action(appAction(context, (app, options: Options) => probeLogins(app, context, options)))
  examples(probe, [
    [COMMAND, 'every key and login'],
    [`${COMMAND} --profile anthropic:work --json`],
    [`${COMMAND} --provider openai --model gpt-5.5 --timeout 20s`],
    [`${COMMAND} --provider sandbox`, 'a rehearsal that costs nothing'],
  ])
}

async function probeLogins(
  app: App,
  context: CommandContext,
  options: Options,
): Promise<Result<Output, Fault>> {
  const timeoutMs = typedTimeout(options.timeout, COMMAND)
  if (!timeoutMs.ok) return timeoutMs
  const concurrency = typedConcurrency(options.concurrency, COMMAND)
  if (!concurrency.ok) return concurrency
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const profiles = typedProfiles(options)
  if (!profiles.ok) return profiles
  const provider = await typedProvider(app, agent.value, options.provider)
  if (!provider.ok) return provider
  const world = await app.loadWorld(agent.value)
  if (!world.ok) return world
  if (world.value.bookFault) return fail(world.value.bookFault)

  const { terminal, signal } = context
  const probed = await withProgress(app.clock, terminal, 'Asking …', (tell) =>
    app.probe.run({
      ...(agent.value !== undefined && { agent: agent.value }),
      ...(profiles.value && { profiles: profiles.value }),
      ...(provider.value && { providers: [provider.value] }),
      ...(options.model !== undefined && { model: options.model }),
      timeoutMs: timeoutMs.value,
      concurrency: concurrency.value,
      signal,
      onProgress: (done, of) => tell(`Asking … ${done} of ${of} answered,`),
    }),
  )
  if (!probed.ok) return probed
  const report = probed.value
  const asked = provider.value && world.value.providers.get(provider.value)
  if (report.results.length === 0 && asked) {
    const { id, variables } = asked
    return fail({ code: 'EQ_CREDENTIAL_NONE', provider: id, variables, passedOver: [] })
  }
  const text = probeScreen(report, createLayout(terminal))
  return ok({ text, json: probeJson(report), exit: probeExit(report) })
}

/** @faults `EQ_NAME_INVALID`, `EQ_USAGE` */
function typedProfiles({
  profile: texts,
  model,
}: Options): Result<readonly ProfileId[] | undefined, Fault> {
  if (!texts) return ok(undefined)
  const profiles: ProfileId[] = []
  for (const text of texts) {
    const profile = parseProfileId(text)
    if (!profile) return fail({ code: 'EQ_NAME_INVALID', what: 'profile', text })
    profiles.push(profile)
  }
  if (model !== undefined && new Set(profiles.map(providerOf)).size > 1) {
    const detail = '--model goes with credentials of one provider'
    return fail({ code: 'EQ_USAGE', detail, command: COMMAND })
  }
  return ok(profiles)
}
