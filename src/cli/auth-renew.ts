/** `equabot models auth renew`: new access for a login now, instead of at its next use. */

import type { Command } from 'commander'

import type { Fault } from '../domain/fault.ts'
import { parseProfileId } from '../domain/names.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { dateText, MINUTE_MS, relative } from '../domain/time.ts'
import type { App } from '../services/app.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import { createLayout, lines } from './layout.ts'
import type { Layout } from './layout.ts'
import { withProgress } from './progress.ts'
import { typedAgent } from './typed-names.ts'

interface Options {
  readonly agent?: string
}

export function addRenewCommand(auth: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  const renew = auth
    .command('renew')
    .description('Renew the access of an OAuth login now, whatever failed before')
    .argument('<profile>', 'a profile id such as openai:team')
    .option('--agent <id>', 'through the eyes of this agent')
    .option('--json', 'print JSON')
    .action(
      appAction(context, (app, profile: string, options: Options) =>
        renewLogin(app, context, layout, profile, options),
      ),
    )
  examples(renew, [
    ['equabot models auth renew openai:team'],
    ['equabot models auth renew anthropic:claude-cli --json'],
  ])
}

/** A renewal may replay a lost one; the person sees it through. */
const WAIT_MS: number = 2 * MINUTE_MS

async function renewLogin(
  app: App,
  { terminal, signal }: CommandContext,
  layout: Layout,
  text: string,
  options: Options,
): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const profile = parseProfileId(text)
  if (!profile) return fail({ code: 'EQ_NAME_INVALID', what: 'profile', text })
  const world = await app.loadWorld(agent.value)
  if (!world.ok) return world
  const renewed = await withProgress(app.clock, terminal, `Renewing ${profile} …`, () =>
    app.renewals.renew({
      agent: world.value.agent,
      profile,
      urge: 'user',
      waitMs: WAIT_MS,
      signal,
    }),
  )
  if (!renewed.ok) {
    const isLeft = signal.aborted && renewed.fault.code === 'EQ_RENEWAL_BUSY'
    return isLeft ? fail({ code: 'EQ_RENEWAL_GOES_ON', profile }) : renewed
  }
  const { expiresAt } = renewed.value
  const now = app.clock.now()
  const end =
    expiresAt === undefined
      ? 'no end is known'
      : `ends ${relative(expiresAt, now)} (${dateText(expiresAt)})`
  return ok({
    text: lines(
      `Renewed ${layout.paint('strong', profile)}: ${end}`,
      'Next: equabot models status',
    ),
    json: { renewed: true, profile, ...(expiresAt !== undefined && { expiresAt }) },
  })
}
