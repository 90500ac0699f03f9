/**
 * Whether an answer that calls itself good is one, told from its beginning: some providers say 200 first and no
 * afterwards. However the bytes are cut into chunks, the same is told.
 */

import { createParser } from 'eventsource-parser'
import { isRecord } from '../domain/plain-data.ts'
import type { Beginning, Beginnings, BeginningWatch, UpstreamAnswer } from '../domain/ports.ts'
import { parseJson } from './decode.ts'
import { errorWithin } from './reply-error.ts'
import { judgeTransport } from './transport-failure.ts'

/** Of a beginning no more is looked at, bytes. */
export const LONGEST_BEGINNING: number = 64 * 1024

const UNDECIDED: Beginning = { kind: 'undecided' }
const REPLY: Beginning = { kind: 'reply' }

/** What a body is read as; its first characters tell, for its type is not always true. */
type Form = 'json' | 'stream' | 'words'

interface Reader {
  push(text: string): Beginning
  /** The body has ended. */
  end(): Beginning
  /** There is more than is looked at. */
  overflow(): Beginning
}

export const BEGINNINGS: Beginnings = {
  watch: watchBeginning,
  broken(cause, host) {
    if (cause === undefined) {
      return { reason: 'network', words: `${host} ended its answer before it had said anything` }
    }
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
    // It was reached: it has answered.
    const { unreachable: _, ...failure } = judgeTransport(code, host)
    return failure
  },
}

/** @param headers of the answer: a body that cannot be read passes as a reply */
export function watchBeginning(headers: UpstreamAnswer['headers']): BeginningWatch {
  const type = String(headers['content-type'] ?? '').toLowerCase()
  const isReadable = type === '' || /^text\/|^application\/(?:[\w.+-]*\+)?json\b/.test(type)
  if (!isReadable || headers['content-encoding'] !== undefined) {
    return { push: () => REPLY, end: () => REPLY, streams: () => false }
  }
  const decoder = new TextDecoder()
  let room = LONGEST_BEGINNING
  /** What has come before it was known how to read it. */
  let start = ''
  let form: Form | undefined
  let reader: Reader | undefined
  let told: Beginning = UNDECIDED

  function read(text: string, isEnd: boolean): Beginning {
    start += text
    form ??= formOf(start, type, isEnd)
    if (form === undefined) return UNDECIDED
    reader ??= READERS[form]()
    const given = start
    start = ''
    return reader.push(given)
  }

  return {
    push(chunk) {
      if (told.kind !== 'undecided') return told
      told = read(decoder.decode(chunk.subarray(0, room), { stream: true }), false)
      room -= Math.min(room, chunk.length)
      if (told.kind === 'undecided' && room === 0) told = reader?.overflow() ?? REPLY
      return told
    },
    end() {
      if (told.kind !== 'undecided') return told
      told = read(decoder.decode(), true)
      if (told.kind === 'undecided') told = reader?.end() ?? REPLY
      return told
    },
    streams: () => form === 'stream' || (form === undefined && type.startsWith(STREAM)),
  }
}

const STREAM = 'text/event-stream'

/** Undefined: too little has come to tell. */
function formOf(start: string, type: string, isEnd: boolean): Form | undefined {
  const text = start.trimStart()
  if (text.startsWith('{') || text.startsWith('[')) return 'json'
  if (text.startsWith('<')) return 'words'
  if (text === '') return isEnd ? 'words' : undefined
  if (type.startsWith(STREAM) || /^(?:data|event|id|retry)?:/.test(text)) return 'stream'
  return !isEnd && /^[a-z]{1,5}$/.test(text) ? undefined : 'words'
}

const READERS: Readonly<Record<Form, () => Reader>> = {
  json() {
    let text = ''
    return {
      push(more) {
        text += more
        return UNDECIDED
      },
      end() {
        const parsed = parseJson(text)
        const body = parsed.ok ? errorWithin(parsed.value, text) : undefined
        return body === undefined ? REPLY : { kind: 'error', body }
      },
      overflow: () => REPLY,
    }
  },

  /** A page of some server on the way, a word, or nothing at all: no model's reply looks so. */
  words() {
    let text = ''
    const said = (): Beginning => ({ kind: 'error', body: text.trim() })
    return {
      push(more) {
        text += more
        return UNDECIDED
      },
      end: said,
      overflow: said,
    }
  },

  stream() {
    let told: Beginning = UNDECIDED
    const parser = createParser({
      onEvent({ event, data }) {
        if (told.kind === 'undecided') told = toldBy(event, data)
      },
    })
    return {
      push(more) {
        parser.feed(more)
        return told
      },
      end() {
        // An error is often the last thing that a server says, and not always in good order.
        parser.feed('\n\n')
        return told.kind === 'undecided' ? { kind: 'cut' } : told
      },
      overflow: () => REPLY,
    }
  },
}

/** What one event of a stream tells of the answer that it belongs to. */
function toldBy(name: string | undefined, data: string): Beginning {
  if (data.trim() === '') return UNDECIDED
  const parsed = parseJson(data)
  const error = parsed.ok ? errorWithin(parsed.value, data) : undefined
  if (error !== undefined) return { kind: 'error', body: error }
  if (name === 'error') return { kind: 'error', body: data }
  if (OPENINGS.has(name)) return UNDECIDED
  return parsed.ok && isRecord(parsed.value) && isOpening(parsed.value) ? UNDECIDED : REPLY
}

const OPENINGS: ReadonlySet<unknown> = new Set([
  'ping',
  'message_start',
  'response.created',
  'response.queued',
  'response.in_progress',
])

/** Whether an event comes before anything is said. */
function isOpening(event: Readonly<Record<string, unknown>>): boolean {
  if (OPENINGS.has(event['type'])) return true
  if (event['type'] === 'content_block_start') return isBlankBut('type', event['content_block'])
  const choices: unknown = event['choices']
  return Array.isArray(choices) && choices.every(isOpeningChoice)
}

function isOpeningChoice(choice: unknown): boolean {
  return isRecord(choice) && isBlank(choice['finish_reason']) && isBlankBut('role', choice['delta'])
}

/** Whether there is nothing in it beside this member. */
function isBlankBut(name: string, value: unknown): boolean {
  if (!isRecord(value)) return false
  return Object.entries(value).every(([key, member]) => key === name || isBlank(member))
}

function isBlank(value: unknown): boolean {
  return (
    value === undefined || value === null || value === '' || (Array.isArray(value) && !value.length)
  )
}
