/** `equabot chat`: a conversation in the terminal, or one message per line of standard input. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { OpenChatInput } from './chat-input.ts'
import type { ChatOptions } from './chat-options.ts'
import { chosenChat, withChatOptions } from './chat-options.ts'
import type { CommandContext, Output } from './command.ts'
import { action } from './command.ts'
import { examples } from './help.ts'

/** @param openInput where the messages come from; this process's standard input when left out */
export function addChatCommands(
  program: Command,
  context: CommandContext,
  openInput?: OpenChatInput,
): void {
  examples(
    withChatOptions(program.command('chat'))
      .description(
        'Talk to a model, through the running gateway or in this process. Without a terminal, each line of standard input is a message',
      )
      .action(action(context, (options: ChatOptions) => chat(context, options, openInput))),
    [
      ['equabot chat', 'go on in the session main'],
      ['equabot chat --session monday', 'another conversation'],
      ['equabot chat --model opus@anthropic:work', 'with one model and one credential'],
      ["printf '%s\\n' hello /status | equabot chat", 'each line is a message'],
    ],
  )
}

async function chat(
  context: CommandContext,
  options: ChatOptions,
  openInput: OpenChatInput | undefined,
): Promise<Result<Output, Fault>> {
  const chosen = chosenChat(options)
  if (!chosen.ok) return chosen
  const app = await context.openApp()
  if (!app.ok) return app
  const { exitOf, runChat } = await import('./chat-run.ts')
  const end = await runChat(context, app.value, chosen.value, openInput)
  if (!end.ok) return end
  const exit = context.signal.aborted ? 130 : exitOf(end.value, context.terminal)
  return ok({ text: '', json: {}, exit })
}
