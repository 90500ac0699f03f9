/** Who is talked to: the agent, the session and the model that were named on the command line. */

import type { Command } from 'commander'
import type { TurnRequest } from '../domain/chat.ts'
import type { Fault } from '../domain/fault.ts'
import { DEFAULT_SESSION } from '../domain/names.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { typedAgent, typedSession } from './typed-names.ts'

export interface ChatOptions {
  readonly agent?: string
  readonly session?: string
  readonly model?: string
}

/** A turn without its message. */
export type ChosenChat = Omit<TurnRequest, 'message'>

/** Adds the options that every command with a chat in it takes. */
export function withChatOptions(command: Command): Command {
  return command
    .option('--agent <id>', 'agent to talk to (default: the default agent)')
    .option('--session <id>', `conversation to continue or begin (default: ${DEFAULT_SESSION})`)
    .option('--model <model>', 'model or alias, with @provider:name for one credential')
}

/** @faults `EQ_NAME_INVALID` */
export function chosenChat(options: ChatOptions): Result<ChosenChat, Fault> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const session = typedSession(options.session)
  if (!session.ok) return session
  return ok({
    ...(agent.value && { agent: agent.value }),
    session: session.value ?? DEFAULT_SESSION,
    ...(options.model !== undefined && { model: options.model }),
  })
}
