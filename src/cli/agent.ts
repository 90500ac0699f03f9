/** `equabot agent`: one message and its reply, for scripts. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import { formatModelKey } from '../domain/names.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { ChatOptions, ChosenChat } from './chat-options.ts'
import { chosenChat, withChatOptions } from './chat-options.ts'
import type { PlayedTurn } from './chat-turn.ts'
import type { CommandContext, Output } from './command.ts'
import { action } from './command.ts'
import { examples } from './help.ts'
import type { Terminal } from './terminal.ts'
import { openChat } from './chat-client.ts'
import { createScriptScreen } from './chat-screen.ts'
import { playTurn } from './chat-turn.ts'

interface AgentOptions extends ChatOptions {
  readonly message?: string
  readonly json?: boolean
}

export function addAgentCommands(program: Command, context: CommandContext): void {
  examples(
    withChatOptions(program.command('agent'))
      .description('Send one message and print the reply; nothing else goes to standard output')
      .option('--message <text>', 'the message; - reads it from standard input')
      .option('--json', 'print one object with the reply and who gave it')
      .action(action(context, (options: AgentOptions) => agent(context, options))),
    [
      ['equabot agent --message "Summarise: ..."'],
      ['git diff | equabot agent --message - --session review', 'the message is read from a pipe'],
      ['equabot agent --message hello --json', 'reply, model, credential and tokens as JSON'],
    ],
  )
}

async function agent(
  context: CommandContext,
  options: AgentOptions,
): Promise<Result<Output, Fault>> {
  const chosen = chosenChat(options)
  if (!chosen.ok) return chosen
  const message = await messageText(context.terminal, options.message)
  if (!message.ok) return message
  const app = await context.openApp()
  if (!app.ok) return app

  const chat = await openChat(app.value)
  if (!chat.ok) return chat
  const screen = createScriptScreen(context.terminal, app.value.clock.now)
  const shown = options.json ? { ...screen, reply: () => undefined } : screen
  const request = { ...chosen.value, message: message.value }
  const played = await playTurn(chat.value.turn(request, context.signal), shown)
  if (played.fault) return fail(played.fault)
  return ok({ text: '', json: playedJson(played, chosen.value) })
}

async function messageText(
  terminal: Terminal,
  given: string | undefined,
): Promise<Result<string, Fault>> {
  if (given === undefined) {
    const detail = 'There is no message; write it behind --message'
    return fail({ code: 'EQ_USAGE', detail, command: 'equabot agent' })
  }
  const text = given === '-' ? await terminal.readInput() : ok(given)
  if (!text.ok) return text
  const message = text.value.trim()
  if (message !== '') return ok(message)
  return fail({ code: 'EQ_USAGE', detail: 'The message is empty', command: 'equabot agent' })
}

function playedJson(played: PlayedTurn, { session }: ChosenChat): unknown {
  const { started } = played
  return {
    reply: played.reply,
    ...(started && {
      model: formatModelKey(started.model),
      profile: started.profile,
      lane: started.lane,
      attempts: started.attempts,
    }),
    ...(played.usage && { usage: played.usage }),
    session,
    stopReason: played.stopReason,
  }
}
