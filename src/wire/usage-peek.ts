/**
 * What an answer says of its tokens while its bytes pass: nothing is changed, and of what has passed next to nothing is
 * kept. However the bytes are cut into chunks, the same is seen.
 */

import type { TokenUsage } from '../domain/ledger.ts'
import { isRecord } from '../domain/plain-data.ts'
import { parseJson } from './decode.ts'
import { createMemberWatch } from './json-watch.ts'
import { errorWithin } from './reply-error.ts'
import { mergedUsage, usageFrom } from './usage-fields.ts'

export interface UsagePeek {
  push(chunk: Uint8Array): void
  /** What is known after the bytes so far; at the end of the body, what it said. */
  seen(): Seen
}

export interface Seen {
  readonly usage?: TokenUsage
  /** Whether the answer has come to its own end; undefined where the body does not tell. */
  readonly whole?: boolean
  /** The provider's own error inside the answer, in the form of an error answer. */
  readonly error?: string
}

/** Longest event that is looked into, UTF-16 units; those that tell of tokens are far shorter. */
export const LONGEST_PEEKED: number = 128 * 1024

/** @param headers of the answer: how its body is to be read */
export function createUsagePeek(
  headers: Readonly<Record<string, string | readonly string[]>>,
): UsagePeek {
  const type = String(headers['content-type'] ?? '')
  // A compressed body is opaque.
  const isOpaque = headers['content-encoding'] !== undefined
  if (!isOpaque && type.startsWith('text/event-stream')) return createStreamPeek()
  if (!isOpaque && type.startsWith('application/json')) return createBodyPeek()
  return { push: () => undefined, seen: () => ({}) }
}

function createStreamPeek(): UsagePeek {
  const decoder = new TextDecoder()
  let usage: TokenUsage | undefined
  let whole = false
  let error: string | undefined
  /** Of the line that has not ended, and of the event's data so far; undefined: too long to be looked into. */
  let line: string | undefined = ''
  let data: string | undefined = ''
  let skipsNewline = false

  function endEvent(): void {
    if (data !== undefined && data !== '') hear(data)
    data = ''
  }

  function hear(text: string): void {
    if (text.trim() === '[DONE]') whole = true
    // Most events carry words alone and need no parsing.
    if (!/"usage"|"finish_reason"|"message_stop"|"response\.completed"|"error"/.test(text)) return
    const parsed = parseJson(text)
    if (!parsed.ok || !isRecord(parsed.value)) return
    const event = parsed.value
    usage = mergedUsage(usage, usageFrom(event))
    whole ||= isLast(event)
    error ??= errorWithin(event, text)
  }

  function endLine(): void {
    const ended = line
    line = ''
    if (ended === undefined) data = undefined
    else if (ended === '') endEvent()
    else if (ended.startsWith('data:')) {
      const more = ended.slice(ended.startsWith('data: ') ? 6 : 5)
      data = joined(data === '' ? '' : withBreak(data), more)
    }
  }

  return {
    push(chunk) {
      let text = decoder.decode(chunk, { stream: true })
      if (text === '') return
      if (skipsNewline && text.startsWith('\n')) text = text.slice(1)
      skipsNewline = text.endsWith('\r')
      const [first = '', ...rest] = text.split(/\r\n|\r|\n/)
      line = joined(line, first)
      for (const piece of rest) {
        endLine()
        line = joined('', piece)
      }
    },
    seen: () => ({ ...(usage && { usage }), whole, ...(error !== undefined && { error }) }),
  }
}

function withBreak(text: string | undefined): string | undefined {
  return joined(text, '\n')
}

function joined(text: string | undefined, more: string): string | undefined {
  return text === undefined || text.length + more.length > LONGEST_PEEKED ? undefined : text + more
}

function isLast(event: Readonly<Record<string, unknown>>): boolean {
  if (event['type'] === 'message_stop' || event['type'] === 'response.completed') return true
  const choices: unknown = event['choices']
  return (
    Array.isArray(choices) &&
    choices.some((choice) => isRecord(choice) && typeof choice['finish_reason'] === 'string')
  )
}

function createBodyPeek(): UsagePeek {
  const decoder = new TextDecoder()
  const watch = createMemberWatch(['usage', 'error'], LONGEST_PEEKED)
  return {
    push: (chunk) => watch.push(decoder.decode(chunk, { stream: true })),
    seen() {
      const usage = memberValue(watch.member('usage'))
      const text = `{"error":${watch.member('error') ?? null}}`
      const error = errorWithin({ error: memberValue(watch.member('error')) }, text)
      const told = usageFrom({ usage })
      return {
        ...(told && { usage: told }),
        whole: watch.isComplete(),
        ...(error !== undefined && { error }),
      }
    },
  }
}

function memberValue(text: string | undefined): unknown {
  const parsed = text === undefined ? undefined : parseJson(text)
  return parsed?.ok ? parsed.value : undefined
}
