/** The input of OpenAI's Responses API: a list of items, understood as messages. */

import * as v from 'valibot'
import type {
  CallPart,
  NeutralMessage,
  NeutralRequest,
  Part,
  TextPart,
  ToolResult,
} from '../../domain/neutral.ts'
import { documentFrom, sourceFrom } from './chat-content.ts'
import type { Notes } from './notes.ts'
import { fitted } from './notes.ts'

const text = v.nullish(v.string())
type InputPart = Readonly<Record<string, unknown>> & { readonly type: string }
type Item = Readonly<Record<string, unknown>>

export const inputSchema: v.GenericSchema<unknown, string | readonly Item[]> = v.union([
  v.string(),
  v.array(v.looseObject({})),
])

const content = v.union([v.string(), v.array(v.looseObject({ type: v.string() }))])
const messageSchema = v.object({ role: v.string(), content })
const callSchema = v.object({ call_id: v.string(), name: v.string(), arguments: text })
const outputSchema = v.object({ call_id: v.string(), output: content })
const textSchema = v.object({ text: v.string() })
const refusalSchema = v.object({ refusal: v.string() })
const imageSchema = v.object({ image_url: text })
const fileSchema = v.object({ file_data: text, filename: text })

/** What the input begins with of that kind belongs to the system. */
export function messagesFrom(
  input: string | readonly Item[],
  notes: Notes,
): Pick<NeutralRequest, 'system' | 'messages'> {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input
  const system: string[] = []
  const said: NeutralMessage[] = []
  for (const [index, item] of items.entries()) {
    const place = `input.${index}`
    const type: unknown = item['type'] ?? 'message'
    if (type === 'message') addMessage(system, said, item, place, notes)
    else if (type === 'function_call') {
      const call = fitted(callSchema, item, place, notes)
      if (call) addToAssistant(said, callFrom(call))
    } else if (type === 'function_call_output') {
      const output = fitted(outputSchema, item, place, notes)
      if (output) addResult(said, resultFrom(output, `${place}.output`, notes))
    } else if (type === 'reasoning') {
      // Thoughts are sealed for the model that had them.
      notes.drop('input.reasoning')
    } else notes.refuse(`${place}.type`)
  }
  return { system, messages: said }
}

function addMessage(
  system: string[],
  said: NeutralMessage[],
  item: Item,
  place: string,
  notes: Notes,
): void {
  const message = fitted(messageSchema, item, place, notes)
  if (!message) return
  const parts = partsFrom(message.content, `${place}.content`, notes)
  if (parts.length === 0) return
  switch (message.role) {
    case 'system':
    case 'developer': {
      const words = textsOf(parts, place, notes).map((part) => part.text)
      if (said.length === 0) system.push(words.join('\n\n'))
      else said.push({ role: 'system', text: words.join('\n\n') })
      break
    }
    case 'user':
      said.push({ role: 'user', parts })
      break
    case 'assistant':
      addToAssistant(said, ...textsOf(parts, place, notes))
      break
    default:
      notes.refuse(`${place}.role`)
  }
}

/** What an assistant says and calls in one turn stands in several items. */
function addToAssistant(said: NeutralMessage[], ...parts: readonly (TextPart | CallPart)[]): void {
  const last = said.at(-1)
  if (last?.role === 'assistant') {
    said[said.length - 1] = { role: 'assistant', parts: [...last.parts, ...parts] }
  } else said.push({ role: 'assistant', parts })
}

function addResult(said: NeutralMessage[], result: ToolResult): void {
  const last = said.at(-1)
  if (last?.role === 'tool') {
    said[said.length - 1] = { role: 'tool', results: [...last.results, result] }
  } else said.push({ role: 'tool', results: [result] })
}

function callFrom(call: v.InferOutput<typeof callSchema>): CallPart {
  return { type: 'call', id: call.call_id, name: call.name, input: call.arguments || '{}' }
}

function resultFrom(
  { call_id: callId, output }: v.InferOutput<typeof outputSchema>,
  place: string,
  notes: Notes,
): ToolResult {
  return { callId, parts: partsFrom(output, place, notes), isError: false }
}

function partsFrom(
  given: string | readonly InputPart[],
  place: string,
  notes: Notes,
): readonly Part[] {
  if (typeof given === 'string') return given === '' ? [] : [{ type: 'text', text: given }]
  return given.flatMap((part, index) => partFrom(part, `${place}.${index}`, notes))
}

function partFrom(part: InputPart, place: string, notes: Notes): readonly Part[] {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return wordsOf(fitted(textSchema, part, place, notes)?.text)
    case 'refusal':
      return wordsOf(fitted(refusalSchema, part, place, notes)?.refusal)
    case 'input_image': {
      const url = fitted(imageSchema, part, place, notes)?.image_url
      const source = url ? sourceFrom(url) : undefined
      if (source) return [{ type: 'image', source }]
      notes.refuse(`${place}.image_url`)
      return []
    }
    case 'input_file': {
      const file = fitted(fileSchema, part, place, notes)
      return documentFrom(file?.file_data, file?.filename, place, notes)
    }
    default:
      notes.refuse(`${place}.type`)
      return []
  }
}

function wordsOf(words: string | undefined): readonly TextPart[] {
  return words ? [{ type: 'text', text: words }] : []
}

function textsOf(parts: readonly Part[], place: string, notes: Notes): readonly TextPart[] {
  return parts.flatMap((part) => {
    if (part.type === 'text') return [part]
    notes.refuse(`${place}.content`)
    return []
  })
}
