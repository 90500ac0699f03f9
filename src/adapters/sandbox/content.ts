/** Text of the messages of a request, in the form that both dialects share. */

import * as v from 'valibot'
import type { Misfit } from '../../wire/decode.ts'
import { pieces } from './replies.ts'

/** A text, or blocks of which some bear text. Other roles and blocks are let through, as real servers grow them. */
export const contentSchema: v.GenericSchema<unknown, Content> = v.union([
  v.string(),
  v.null(),
  v.array(v.looseObject({ text: v.optional(v.string()) })),
])
export const messagesSchema: v.GenericSchema<unknown, readonly Message[]> = v.pipe(
  v.array(v.looseObject({ role: v.string(), content: v.optional(contentSchema) })),
  v.minLength(1, 'at least one message'),
)

export type Content = string | null | readonly { readonly text?: string | undefined }[]

interface Message {
  readonly role: string
  readonly content?: Content | undefined
}

export function textOf(content: Content | undefined): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((block) => block.text ?? '').join('\n')
}

/** What is wrong with a request, in the words of its refusal. */
export function misfitWords({ field, expected }: Misfit): string {
  return `${field || 'the body'}: expected ${expected}`
}

/** The last thing the user said. */
export function lastMessage(messages: readonly Message[]): string {
  return textOf(messages.findLast(({ role }) => role === 'user')?.content)
}

/** A word counts as a token. */
export function tokensOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + pieces(text).length, 0)
}
