/** `equabot models auth remove`, `logout` and `restore`: changes that take something away, so they ask. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import { providerOf } from '../domain/names.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { lostWords } from '../domain/wording-restored.ts'
import type { App } from '../services/app.ts'
import type { RemovedProfile } from '../services/removal.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { confirmed, NOT_DONE } from './confirmed.ts'
import { examples } from './help.ts'
import { createLayout, lines } from './layout.ts'
import { revocationJson, revocationLines } from './revocation-line.ts'
import type { Terminal } from './terminal.ts'
import { typedAgent } from './typed-names.ts'

interface Options {
  readonly agent?: string
  readonly yes?: boolean
}

export function addRemovalCommands(auth: Command, context: CommandContext): void {
  const { terminal } = context
  const remove = withRemovalOptions(
    auth.command('remove').description('Forget a profile and its secret; says what used it'),
  ).action(
    appAction(context, (app, profile: string, options: Options) =>
      removeLogin(app, terminal, profile, options, REMOVAL),
    ),
  )
  examples(remove, [
    ['equabot models auth remove anthropic:work'],
    ['equabot models auth remove anthropic:work --yes', 'in a script'],
  ])

  const logout = withRemovalOptions(
    auth
      .command('logout')
      .description('End a login: revoke it where its provider can, then forget the profile'),
  ).action(
    appAction(context, (app, profile: string, options: Options) =>
      removeLogin(app, terminal, profile, options, LOGOUT),
    ),
  )
  examples(logout, [
    ['equabot models auth logout sandbox:sandbox@example.com'],
    ['equabot models auth logout acme:work --yes --json', 'in a script'],
  ])

  const restore = auth
    .command('restore')
    .description('Put the last good book back in the place of an unreadable one')
    .option('--agent <id>', 'the book of this agent')
    .option('--yes', 'do not ask, even if the book can be read')
    .option('--json', 'print JSON')
    .action(appAction(context, (app, options: Options) => restoreBook(app, terminal, options)))
  examples(restore, [
    ['equabot models auth restore'],
    ['equabot models auth restore --agent research'],
  ])
}

/** The same deed, by the name that the person gave it. */
interface Deed {
  readonly ask: string
  readonly done: string
  readonly undone: string
}

const REMOVAL: Deed = { ask: 'Remove', done: 'Removed', undone: 'removed' }
const LOGOUT: Deed = { ask: 'Log out', done: 'Logged out', undone: 'logged out' }

function withRemovalOptions(command: Command): Command {
  return command
    .argument('<profile>', 'a profile id such as anthropic:work')
    .option('--agent <id>', 'out of the book of this agent')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
}

async function removeLogin(
  app: App,
  terminal: Terminal,
  profile: string,
  options: Options,
  deed: Deed,
): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const uses = await app.vault.whoUses(agent.value, profile)
  if (!uses.ok) return uses
  const question = [`${deed.ask} ${uses.value.profile}?`, ...usesOf(uses.value)].join(' ')
  const agreed = await confirmed(
    terminal,
    options.yes,
    question,
    `${uses.value.profile} was not ${deed.undone}`,
  )
  if (!agreed.ok) return agreed
  if (!agreed.value) return NOT_DONE
  const removed = await app.vault.removeProfile(agent.value, profile)
  if (!removed.ok) return removed
  const { paint } = createLayout(terminal)
  const { revocation, ...rest } = removed.value
  const ended = revocation ? revocationLines(revocation, providerOf(rest.profile)) : []
  return ok({
    text: lines(
      `${deed.done} ${paint('strong', rest.profile)} from agent ${rest.agent}`,
      ...ended.map((line) => `  ${line}`),
      ...usesOf(rest).map((use) => `  ${use}`),
    ),
    json: {
      removed: true,
      ...rest,
      ...(revocation && { revocation: revocationJson(revocation) }),
    },
  })
}

/** Restoring over a book that can be read would lose what was stored last, so that needs a yes. */
async function restoreBook(
  app: App,
  terminal: Terminal,
  options: Options,
): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const world = await app.loadWorld(agent.value)
  if (!world.ok) return world
  const book = await app.profiles.read(world.value.agent)
  if (book.ok) {
    const question = 'The book can be read. Put its previous generation in its place?'
    const agreed = await confirmed(terminal, options.yes, question, 'the book can be read as it is')
    if (!agreed.ok) return agreed
    if (!agreed.value) return NOT_DONE
  }
  const restored = await app.vault.restore(agent.value)
  if (!restored.ok) return restored
  const { bookPath, setAside, lost } = restored.value
  const back = await app.profiles.read(restored.value.agent)
  if (!back.ok) return back
  const profiles = [...back.value.book.profiles.keys()]
  return ok({
    text: lines(
      `Restored ${app.show(bookPath)}`,
      `  It holds ${profiles.length > 0 ? profiles.join(', ') : 'no profiles'}`,
      `  ${lostWords(lost)}`,
      `  The damaged file is kept: ${app.show(setAside)}`,
      'Next: equabot models status',
    ),
    json: { restored: true, ...restored.value, profiles },
  })
}

function usesOf({ usedBy }: RemovedProfile): readonly string[] {
  const orders = usedBy.orders.map((order) =>
    order === 'agent' ? "It stood in the agent's order." : 'It stood in auth.order of the config.',
  )
  const agents =
    usedBy.agents.length > 0 ? [`Agents that used it too: ${usedBy.agents.join(', ')}.`] : []
  const sessions = usedBy.sessions.map(({ agent, session }) => `${agent}/${session}`)
  const pins = sessions.length > 0 ? [`Sessions pinned to it: ${sessions.join(', ')}.`] : []
  return [...orders, ...agents, ...pins]
}
