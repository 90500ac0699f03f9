/** The tree of commands. What a command does is loaded when it runs; here are names, options and help. */

import { Command } from 'commander'
import { addAgentCommands } from './agent.ts'
import { addAgentsCommands } from './agents.ts'
import { addChatCommands } from './chat.ts'
import { addClientsCommands } from './clients.ts'
import type { CommandContext } from './command.ts'
import { addCompletionCommand } from './completion.ts'
import { addConfigCommands } from './config.ts'
import { addDoctorCommand } from './doctor.ts'
import { addEventsCommand } from './events.ts'
import { addGatewayCommands } from './gateway.ts'
import { addGroupExamples, examples } from './help.ts'
import { createLayout } from './layout.ts'
import { addModelsCommands } from './models.ts'
import { addRequestsCommand } from './requests.ts'
import { addSandboxCommands } from './sandbox.ts'
import { addSessionsCommands } from './sessions.ts'
import { addSetupCommand } from './setup.ts'
import { addUpCommands } from './up.ts'
import { addUsageCommand } from './usage.ts'

/** Headings of the help, each with its commands, in this order. */
const GROUPS: readonly (readonly [heading: string, commands: readonly string[]])[] = [
  ['Talk:', ['up', 'chat', 'agent', 'sessions']],
  ['Logins and models:', ['models', 'agents', 'sandbox']],
  [
    'The machine:',
    [
      'gateway',
      'clients',
      'setup',
      'usage',
      'requests',
      'events',
      'doctor',
      'config',
      'completion',
    ],
  ],
]

export function createProgram(context: CommandContext): Command {
  const { terminal, version } = context
  const program = new Command('equabot')
    .description('Keeps your AI-model logins healthy and puts them behind one local address.')
    .version(version, '-v, --version', 'print the version')
    .option('--no-color', 'print without colours')
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      // A mistake is told once, by whoever runs the program.
      outputError: () => undefined,
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
    })
    .action(() => terminal.out(`${welcome(context)}\n`))
  examples(program, FIRST_STEPS)

  addUpCommands(program, context)
  addChatCommands(program, context)
  addAgentCommands(program, context)
  addSessionsCommands(program, context)
  addModelsCommands(program, context)
  addAgentsCommands(program, context)
  addSandboxCommands(program, context)
  addGatewayCommands(program, context)
  addClientsCommands(program, context)
  addSetupCommand(program, context)
  addUsageCommand(program, context)
  addRequestsCommand(program, context)
  addEventsCommand(program, context)
  addDoctorCommand(program, context)
  addConfigCommands(program, context)
  addCompletionCommand(program, context)
  addGroupExamples(program)
  for (const [heading, names] of GROUPS) {
    for (const command of program.commands) {
      if (names.includes(command.name())) command.helpGroup(heading)
    }
  }
  return program
}

const FIRST_STEPS: readonly (readonly [line: string, remark: string])[] = [
  ['equabot up', 'start the gateway and talk to a model; no login is needed to try'],
  ['equabot models auth add', 'give it the key or token of a provider'],
  ['equabot models status', 'which model and login serve you, and why'],
]

/** What a newcomer reads who types the bare name. */
function welcome({ terminal }: CommandContext): string {
  const layout = createLayout(terminal)
  const steps = FIRST_STEPS.map(([line, remark]) => [layout.paint('strong', line), remark])
  return [
    'Type first:',
    layout.table(steps, { indent: 2 }),
    '',
    'Equabot keeps your AI-model logins healthy and puts them behind one local address.',
    'All commands: equabot --help',
  ].join('\n')
}
