/** Messages of OpenAI's Chat Completions and their parts, understood. */

import * as v from 'valibot'
import type {
  CallPart,
  NeutralMessage,
  NeutralRequest,
  Part,
  Source,
  TextPart,
} from '../../domain/neutral.ts'
import { given } from './decoded.ts'
import type { Notes } from './notes.ts'
import { fitted } from './notes.ts'

const text = v.nullish(v.string())
type ChatPart = Readonly<Record<string, unknown>> & { readonly type: string }

/** As it stands in the request. */
export interface ChatMessageInput {
  readonly role: string
  readonly content?: string | readonly ChatPart[] | null | undefined
  readonly refusal?: string | null | undefined
  readonly name?: string | null | undefined
  readonly tool_call_id?: string | null | undefined
  readonly tool_calls?:
    | readonly {
        readonly id: string
        readonly type?: string | null | undefined
        readonly function?:
          | { readonly name: string; readonly arguments?: string | null | undefined }
          | null
          | undefined
      }[]
    | null
    | undefined
  readonly function_call?: unknown
  readonly audio?: unknown
}

export const chatMessage: v.GenericSchema<unknown, ChatMessageInput> = v.looseObject({
  role: v.string(),
  content: v.nullish(v.union([v.string(), v.array(v.looseObject({ type: v.string() }))])),
  refusal: text,
  name: text,
  tool_call_id: text,
  tool_calls: v.nullish(
    v.array(
      v.looseObject({
        id: v.string(),
        type: text,
        function: v.nullish(v.looseObject({ name: v.string(), arguments: text })),
      }),
    ),
  ),
  function_call: v.nullish(v.unknown()),
  audio: v.nullish(v.unknown()),
})

const textSchema = v.object({ text: v.string() })
const refusalSchema = v.object({ refusal: v.string() })
const imageSchema = v.object({ image_url: v.object({ url: v.string() }) })
const fileSchema = v.object({
  file: v.object({ file_data: text, filename: text }),
})

/** What the conversation begins with is its system; the rest of that kind stays where it stands. */
export function messagesFrom(
  messages: readonly ChatMessageInput[],
  notes: Notes,
): Pick<NeutralRequest, 'system' | 'messages'> {
  const system: string[] = []
  const said: NeutralMessage[] = []
  for (const [index, message] of messages.entries()) {
    const place = `messages.${index}`
    if (message.name) notes.drop('messages.name')
    switch (message.role) {
      case 'system':
      case 'developer': {
        const words = joined(textsOf(message, place, notes), '\n\n')
        if (words === '') break
        if (said.length === 0) system.push(words)
        else said.push({ role: 'system', text: words })
        break
      }
      case 'user': {
        const parts = partsOf(message).flatMap((part, at) =>
          partFrom(part, `${place}.content.${at}`, notes),
        )
        if (parts.length > 0) said.push({ role: 'user', parts })
        break
      }
      case 'assistant': {
        const parts = assistantParts(message, place, notes)
        if (parts.length > 0) said.push({ role: 'assistant', parts })
        break
      }
      case 'tool':
        addResult(said, message, place, notes)
        break
      default:
        notes.refuse(`${place}.role`)
    }
  }
  return { system, messages: said }
}

function addResult(
  said: NeutralMessage[],
  message: ChatMessageInput,
  place: string,
  notes: Notes,
): void {
  if (!message.tool_call_id) return notes.misfit(`${place}.tool_call_id`, 'is missing')
  const result = {
    callId: message.tool_call_id,
    parts: textsOf(message, place, notes),
    isError: false,
  }
  const last = said.at(-1)
  if (last?.role === 'tool') {
    said[said.length - 1] = { role: 'tool', results: [...last.results, result] }
  } else said.push({ role: 'tool', results: [result] })
}

function assistantParts(
  message: ChatMessageInput,
  place: string,
  notes: Notes,
): readonly (TextPart | CallPart)[] {
  if (message.function_call) notes.refuse(`${place}.function_call`)
  if (message.audio) notes.refuse(`${place}.audio`)
  const refusal = message.refusal ? [{ type: 'text', text: message.refusal } as const] : []
  const calls = (message.tool_calls ?? []).flatMap((call, index): readonly CallPart[] => {
    if ((call.type ?? 'function') !== 'function' || !call.function) {
      notes.refuse(`${place}.tool_calls.${index}.type`)
      return []
    }
    const { name, arguments: input } = call.function
    return [{ type: 'call', id: call.id, name, input: input || '{}' }]
  })
  return [...textsOf(message, place, notes), ...refusal, ...calls]
}

function textsOf(message: ChatMessageInput, place: string, notes: Notes): readonly TextPart[] {
  return partsOf(message).flatMap((part, index): readonly TextPart[] => {
    const at = `${place}.content.${index}`
    if (part.type === 'text') return textFrom(fitted(textSchema, part, at, notes)?.text)
    if (part.type === 'refusal') return textFrom(fitted(refusalSchema, part, at, notes)?.refusal)
    notes.refuse(`${at}.type`)
    return []
  })
}

function partFrom(part: ChatPart, place: string, notes: Notes): readonly Part[] {
  switch (part.type) {
    case 'text':
      return textFrom(fitted(textSchema, part, place, notes)?.text)
    case 'image_url': {
      const url = fitted(imageSchema, part, place, notes)?.image_url.url
      const source = url === undefined ? undefined : sourceFrom(url)
      if (source) return [{ type: 'image', source }]
      notes.refuse(`${place}.image_url.url`)
      return []
    }
    case 'file': {
      const file = fitted(fileSchema, part, place, notes)?.file
      return documentFrom(file?.file_data, file?.filename, `${place}.file`, notes)
    }
    default:
      notes.refuse(`${place}.type`)
      return []
  }
}

/** A file that has come with the request; one that was left with the provider before is not ours to send. */
export function documentFrom(
  data: string | null | undefined,
  name: string | null | undefined,
  place: string,
  notes: Notes,
): readonly Part[] {
  const source = data ? sourceFrom(data) : undefined
  if (source?.kind === 'data') return [{ type: 'document', source, ...given('name', name) }]
  notes.refuse(place)
  return []
}

/** Base64 in a data URL, or an address that the provider fetches itself. */
export function sourceFrom(url: string): Source | undefined {
  if (/^https?:\/\//i.test(url)) return { kind: 'url', url }
  const comma = url.indexOf(',')
  const mediaType = /^data:([^;,]+);base64$/i.exec(url.slice(0, Math.max(0, comma)))?.[1]
  return mediaType === undefined
    ? undefined
    : { kind: 'data', mediaType, data: url.slice(comma + 1) }
}

function textFrom(words: string | undefined): readonly TextPart[] {
  return words ? [{ type: 'text', text: words }] : []
}

function partsOf({ content: given }: ChatMessageInput): readonly ChatPart[] {
  return typeof given === 'string' ? [{ type: 'text', text: given }] : (given ?? [])
}

function joined(parts: readonly TextPart[], by: string): string {
  return parts.map((part) => part.text).join(by)
}
