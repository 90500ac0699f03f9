/** What was typed after a slash in a chat. Knows the commands' grammar, not their effect. */

import type { SlashFault } from './fault.ts'
import type { ModelMatch } from './model-match.ts'
import type { ModelRef } from './names.ts'
import { parseModelRef } from './names.ts'
import { nearestOf } from './nearest.ts'
import type { Result } from './result.ts'
import { fail, ok } from './result.ts'

export type SlashCommand =
  | { readonly name: 'model_list' }
  | { readonly name: 'model_status' }
  | { readonly name: 'model_unpin' }
  | { readonly name: 'model_pick'; readonly number: number }
  | {
      readonly name: 'model_set'
      readonly ref: ModelRef
      /** How the model was found, where its name was not typed in full. */
      readonly match?: ModelMatch
    }
  | { readonly name: 'models'; readonly provider?: string }
  | { readonly name: 'status' }
  | { readonly name: 'new'; readonly rest: string }
  | { readonly name: 'help' }

/** One row of `/help` per command. */
export const SLASH_COMMANDS: readonly { readonly usage: string; readonly gives: string }[] = [
  { usage: '/model', gives: 'pick a model from a numbered list (also /model list)' },
  { usage: '/model <n>', gives: 'take number n of that list' },
  { usage: '/model <model or alias>', gives: 'switch this session to a model' },
  { usage: '/model <model>@<profile>', gives: 'switch, and pin this session to one credential' },
  { usage: '/model status', gives: 'show the candidates in order, the next one marked' },
  { usage: '/model unpin', gives: 'remove the pin; keep the model' },
  { usage: '/models [provider]', gives: 'list known models' },
  { usage: '/status', gives: 'show this session: model, credential, turns' },
  {
    usage: '/new [message]',
    gives: 'start the conversation afresh (also /reset); keeps the model and your pin',
  },
  { usage: '/help', gives: 'show this list' },
]

const NAMES = ['model', 'models', 'status', 'new', 'reset', 'help']

/**
 * The command that a message is, or undefined when it is plain text. A path such as `/etc/hosts` is text.
 *
 * @param aliases configured model aliases: `/opus` means `/model opus`
 * @faults `EQ_SLASH_UNKNOWN` with the nearest command, `EQ_SLASH_ARGUMENT` when it cannot take what follows
 */
export function parseSlash(
  message: string,
  aliases: readonly string[],
): Result<SlashCommand, SlashFault> | undefined {
  const match = /^\/([A-Za-z][A-Za-z0-9_.-]*)(?:\s*:\s*|\s+|$)([\s\S]*)$/.exec(message.trim())
  if (!match) return undefined
  const command = (match[1] ?? '').toLowerCase()
  const argument = (match[2] ?? '').trim()
  switch (command) {
    case 'model':
      return parseModel(argument)
    case 'models':
      return /\s/.test(argument)
        ? wrong(command, argument)
        : ok(argument === '' ? { name: 'models' } : { name: 'models', provider: argument })
    case 'status':
    case 'help':
      return argument === '' ? ok({ name: command }) : wrong(command, argument)
    case 'new':
    case 'reset':
      return ok({ name: 'new', rest: argument })
    default:
      return parseAlias(command, argument, aliases)
  }
}

function parseModel(argument: string): Result<SlashCommand, SlashFault> {
  const word = argument.toLowerCase()
  if (word === '' || word === 'list') return ok({ name: 'model_list' })
  if (word === 'status') return ok({ name: 'model_status' })
  if (word === 'unpin') return ok({ name: 'model_unpin' })
  if (/^\d+$/.test(word)) return ok({ name: 'model_pick', number: Number(word) })
  const ref = parseModelRef(argument)
  const profileAlone = argument.startsWith('@') || /^(?:list|status)@/i.test(argument)
  return ref && !profileAlone ? ok({ name: 'model_set', ref }) : wrong('model', argument)
}

function parseAlias(
  command: string,
  argument: string,
  aliases: readonly string[],
): Result<SlashCommand, SlashFault> {
  const alias = aliases.find((name) => name.toLowerCase() === command)
  if (alias !== undefined) {
    return argument === ''
      ? ok({ name: 'model_set', ref: { model: alias } })
      : wrong(command, argument)
  }
  const nearest = nearestOf(command, [...NAMES, ...aliases])
  return fail({ code: 'EQ_SLASH_UNKNOWN', command, ...(nearest !== undefined && { nearest }) })
}

function wrong(command: string, text: string): Result<never, SlashFault> {
  return fail({ code: 'EQ_SLASH_ARGUMENT', command, text: text.slice(0, 80) })
}
