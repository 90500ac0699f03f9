/** `equabot models auth order`: which profile of a provider is tried first, for one agent. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import type { OrderView } from '../services/order.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout } from './layout.ts'
import { typedAgent } from './typed-names.ts'

interface OrderOptions {
  readonly provider: string
  readonly agent?: string
}

export function addOrderCommands(auth: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  const order = auth
    .command('order')
    .description('Which profile of a provider is tried first, for one agent')
  examples(order, [
    ['equabot models auth order get --provider anthropic'],
    ['equabot models auth order set --provider anthropic anthropic:claude-cli'],
    ['equabot models auth order clear --provider anthropic'],
  ])

  const get = withOrderOptions(order.command('get'))
    .description('The order that is set, and the order as a request resolves it now')
    .action(
      appAction(context, (app, options: OrderOptions) =>
        withAgent(options, async (agent) =>
          viewOutput(await app.orders.order(agent, options.provider), app, layout),
        ),
      ),
    )
  examples(get, [
    ['equabot models auth order get --provider anthropic'],
    ['equabot models auth order get --provider anthropic --agent research --json'],
  ])

  const set = withOrderOptions(order.command('set'))
    .description('Try these profiles, in this order, and no others')
    .argument('<profiles...>', 'profile ids such as anthropic:work')
    .action(
      appAction(context, (app, profiles: readonly string[], options: OrderOptions) =>
        withAgent(options, async (agent) =>
          viewOutput(await app.orders.setOrder(agent, options.provider, profiles), app, layout),
        ),
      ),
    )
  examples(set, [
    ['equabot models auth order set --provider anthropic anthropic:work anthropic:manual'],
  ])

  const clear = withOrderOptions(order.command('clear'))
    .description('Go back to the order of the config, or to the built-in one')
    .action(
      appAction(context, (app, options: OrderOptions) =>
        withAgent(options, async (agent) =>
          viewOutput(await app.orders.clearOrder(agent, options.provider), app, layout),
        ),
      ),
    )
  examples(clear, [['equabot models auth order clear --provider anthropic']])
}

function withOrderOptions(command: Command): Command {
  return command
    .requiredOption('--provider <id>', 'whose profiles')
    .option('--agent <id>', 'the agent; the default one when left out')
    .option('--json', 'print JSON')
}

async function withAgent(
  options: OrderOptions,
  work: (agent: Parameters<App['orders']['order']>[0]) => Promise<Result<Output, Fault>>,
): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  return agent.ok ? work(agent.value) : agent
}

function viewOutput(
  viewed: Result<OrderView & { readonly cleared?: boolean }, Fault>,
  app: App,
  layout: Layout,
): Result<Output, Fault> {
  if (!viewed.ok) return viewed
  const { agent, provider, bookPath, own, configured, resolved, cleared } = viewed.value
  const text = layout.facts([
    ['Provider', provider],
    ['Agent', agent],
    ['Book', app.show(bookPath)],
    ["Agent's order", own?.join(', ') ?? layout.paint('dim', 'none is set')],
    ['Order in config', configured?.join(', ') ?? layout.paint('dim', 'none is set')],
    [
      'Resolved now',
      resolved.length > 0 ? resolved.join(', ') : layout.paint('bad', 'nothing can serve'),
    ],
  ])
  const json = { agent, provider, bookPath, own, configured, resolved, cleared }
  return ok({ text, json })
}
