/** `equabot completion`: a script for the shell that completes commands, options and their choices. */

import type { Command } from 'commander'
import { Argument } from 'commander'
import { ok } from '../domain/result.ts'
import type { CommandContext } from './command.ts'
import { action } from './command.ts'
import type { Shell } from './completion-script.ts'
import { examples } from './help.ts'
import { completionScript } from './completion-script.ts'

export function addCompletionCommand(program: Command, context: CommandContext): void {
  const completion = program
    .command('completion')
    .description('Print a script that completes commands and options in your shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(
      action(context, async (shell: Shell) => {
        return ok({ text: completionScript(program, shell), json: undefined })
      }),
    )
  examples(completion, [
    ['source <(equabot completion bash)', 'in ~/.bashrc'],
    ['source <(equabot completion zsh)', 'in ~/.zshrc, after compinit'],
    ['equabot completion fish > ~/.config/fish/completions/equabot.fish'],
  ])
}
