/** `equabot agents`: named configurations, each with its own model, order and sessions. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { AgentReport } from '../services/agents.ts'
import type { App } from '../services/app.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { confirmed, NOT_DONE } from './confirmed.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, sections } from './layout.ts'
import type { Terminal } from './terminal.ts'

interface AddOptions {
  readonly name?: string
  readonly model?: string
  readonly default?: boolean
}

export function addAgentsCommands(program: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  const agents = program.command('agents').description('List, add and remove agents')
  examples(
    agents
      .command('list')
      .description('List the agents with their models, profiles and sessions')
      .option('--json', 'print JSON')
      .action(appAction(context, (app) => list(app, layout))),
    [['equabot agents list'], ['equabot agents list --json']],
  )
  examples(
    agents
      .command('add')
      .argument('<id>', 'short name, such as research')
      .description('Add an agent. It uses the profiles of main until it has its own')
      .option('--name <text>', 'name for people')
      .option('--model <model>', 'its default model or an alias')
      .option('--default', 'make it the agent that serves when none is named')
      .option('--json', 'print JSON')
      .action(
        appAction(context, (app, id: string, options: AddOptions) => add(app, layout, id, options)),
      ),
    [
      ['equabot agents add research --model opus'],
      ['equabot agents add work --name "At work" --default'],
    ],
  )
  examples(
    agents
      .command('remove')
      .argument('<id>', 'agent to remove')
      .description('Remove an agent from the config; its profiles and sessions stay on disk')
      .option('--yes', 'do not ask')
      .option('--json', 'print JSON')
      .action(
        appAction(context, (app, id: string, options: { readonly yes?: boolean }) =>
          remove(app, context.terminal, id, options.yes),
        ),
      ),
    [['equabot agents remove research'], ['equabot agents remove research --yes', 'in a script']],
  )
}

async function list(app: App, layout: Layout): Promise<Result<Output, Fault>> {
  const agents = await app.agents.list()
  if (!agents.ok) return agents
  const blocks = agents.value.map((agent) => agentBlock(layout, agent, app.show))
  return ok({ text: sections(...blocks), json: { agents: agents.value } })
}

async function add(
  app: App,
  layout: Layout,
  id: string,
  options: AddOptions,
): Promise<Result<Output, Fault>> {
  const added = await app.agents.add({
    id,
    ...(options.name !== undefined && { name: options.name }),
    ...(options.model !== undefined && { model: options.model }),
    ...(options.default && { makeDefault: true }),
  })
  if (!added.ok) return added
  const block = agentBlock(layout, added.value, app.show)
  return ok({ text: `Added agent ${added.value.id}\n${block}`, json: added.value })
}

async function remove(
  app: App,
  terminal: Terminal,
  id: string,
  yes: boolean | undefined,
): Promise<Result<Output, Fault>> {
  const question = `Remove agent ${id} from the config? Its profiles and sessions stay on disk`
  const sure = await confirmed(terminal, yes, question, `agent ${id} was not removed`)
  if (!sure.ok) return sure
  if (!sure.value) return NOT_DONE
  const removed = await app.agents.remove(id)
  if (!removed.ok) return removed
  const { id: agent, bookPath, hadProfiles } = removed.value
  const stay = hadProfiles === 1 ? '1 profile stays' : `${hadProfiles} profiles stay`
  const kept = hadProfiles === 0 ? '' : `\n${stay} in ${app.show(bookPath)}`
  return ok({ text: `Removed agent ${agent}${kept}`, json: removed.value })
}

function agentBlock(layout: Layout, agent: AgentReport, show: (path: string) => string): string {
  const title = agent.name === undefined ? agent.id : `${agent.id} (${agent.name})`
  const fallbacks = agent.fallbacks.length > 0 ? `, then ${agent.fallbacks.join(', ')}` : ''
  const heading = layout.heading(title) + (agent.isDefault ? layout.paint('dim', '  default') : '')
  const facts = layout.facts(
    [
      ['Model', agent.model === undefined ? 'none' : `${agent.model}${fallbacks}`],
      ['Profiles', `${agent.ownProfiles} own, ${agent.inheritedProfiles} of main`],
      ['Sessions', `${agent.sessions}`],
      ['Book', show(agent.bookPath)],
    ],
    { indent: 2 },
  )
  return `${heading}\n${facts}`
}
