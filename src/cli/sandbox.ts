/** `equabot sandbox`: keys of the built-in provider that fail in chosen ways, for fire drills. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { ProfileId } from '../domain/names.ts'
import { SANDBOX } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { relative } from '../domain/time.ts'
import type { App } from '../services/app.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, lines } from './layout.ts'
import { typedAgent, typedProfile } from './typed-names.ts'

interface GrantOptions {
  readonly agent?: string
  readonly profileId?: string
}

export function addSandboxCommands(program: Command, context: CommandContext): void {
  const sandbox = program
    .command('sandbox')
    .description('The built-in provider: it needs no account, and fails the way you ask it to')
  examples(
    sandbox
      .command('keys')
      .description('List the keys of the sandbox and what each one does')
      .option('--json', 'print JSON')
      .action(appAction(context, (app) => keys(app, createLayout(context.terminal)))),
    [
      ['equabot sandbox keys'],
      [
        'echo sandbox-401 | equabot models auth paste-token --provider sandbox --profile-id sandbox:bad',
        'then watch the next credential take over',
      ],
    ],
  )
  examples(
    sandbox
      .command('grant')
      .description('Store an OAuth login of the sandbox that ends after a minute')
      .option('--profile-id <id>', 'profile to store it as', `${SANDBOX}:grant`)
      .option('--agent <id>', 'agent whose book it goes into (default: the default agent)')
      .option('--json', 'print JSON')
      .action(appAction(context, grant)),
    [['equabot sandbox grant'], ['equabot sandbox grant --profile-id sandbox:second']],
  )
}

async function keys({ sandboxKeys }: App, layout: Layout): Promise<Result<Output, Fault>> {
  const rows = sandboxKeys.map(({ key, does }) => [layout.paint('strong', key), does] as const)
  return ok({ text: layout.facts(rows), json: { keys: sandboxKeys } })
}

async function grant(app: App, options: GrantOptions): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const profile: Result<ProfileId | undefined, Fault> = typedProfile(options.profileId, SANDBOX)
  if (!profile.ok) return profile
  const stored = await app.vault.storeSandboxGrant({
    ...(agent.value && { agent: agent.value }),
    ...(profile.value && { profile: profile.value }),
  })
  if (!stored.ok) return stored
  const { expiresAt, bookPath } = stored.value
  const ends = expiresAt === undefined ? '' : `; it ends ${relative(expiresAt, app.clock.now())}`
  return ok({
    text: lines(
      `Stored ${stored.value.profile} in ${app.show(bookPath)}${ends}`,
      'Watch it: equabot models status',
    ),
    json: stored.value,
  })
}
