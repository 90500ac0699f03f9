/** Messages of Anthropic's Messages API and their blocks, understood. */

import * as v from 'valibot'
import type { CallPart, NeutralMessage, Part, TextPart, ToolResult } from '../../domain/neutral.ts'
import { anyObject, given } from './decoded.ts'
import type { Notes } from './notes.ts'
import { fitted } from './notes.ts'

type Block = Readonly<Record<string, unknown>> & { readonly type: string }
export type Content = string | readonly Block[]

export const contentSchema: v.GenericSchema<unknown, Content> = v.union([
  v.string(),
  v.array(v.looseObject({ type: v.string() })),
])

const textSchema = v.object({ text: v.string() })
const referenceSchema = v.object({ tool_name: v.string() })
const sourceSchema = v.variant('type', [
  v.object({ type: v.literal('base64'), media_type: v.string(), data: v.string() }),
  v.object({ type: v.literal('url'), url: v.string() }),
  v.object({ type: v.literal('file') }),
  v.object({ type: v.literal('text') }),
  v.object({ type: v.literal('content') }),
])
const sourcedSchema = v.object({ source: sourceSchema, title: v.nullish(v.string()) })
const callSchema = v.object({ id: v.string(), name: v.string(), input: v.nullish(anyObject) })
const resultSchema = v.object({
  tool_use_id: v.string(),
  content: v.nullish(contentSchema),
  is_error: v.nullish(v.boolean()),
})

/** Claude Code's note to Anthropic, which changes with each request and is meant for no model. */
const BILLING_NOTE = /^x-anthropic-billing-header:/

export function systemFrom(content: Content, notes: Notes): readonly string[] {
  return textsOf(content, 'system', notes).filter((text) => {
    if (BILLING_NOTE.test(text)) notes.drop('system.0')
    return text !== '' && !BILLING_NOTE.test(text)
  })
}

export function messagesFrom(
  messages: readonly { readonly role: string; readonly content: Content }[],
  notes: Notes,
): readonly NeutralMessage[] {
  return messages.flatMap(({ role, content }, index): readonly NeutralMessage[] => {
    const place = `messages.${index}`
    switch (role) {
      case 'user':
        return userMessages(content, `${place}.content`, notes)
      case 'assistant': {
        const parts = assistantParts(content, `${place}.content`, notes)
        return parts.length > 0 ? [{ role, parts }] : []
      }
      case 'system': {
        const text = textsOf(content, `${place}.content`, notes).join('\n\n')
        return text === '' ? [] : [{ role, text }]
      }
      default:
        notes.refuse(`${place}.role`)
        return []
    }
  })
}

/** Results of tools stand before whatever else the user says with them. */
function userMessages(content: Content, place: string, notes: Notes): readonly NeutralMessage[] {
  const results: ToolResult[] = []
  const parts: Part[] = []
  for (const [index, block] of blocksOf(content).entries()) {
    const at = `${place}.${index}`
    if (block.type === 'tool_result') results.push(...resultFrom(block, at, notes))
    else parts.push(...partFrom(block, at, notes))
  }
  return [
    ...(results.length > 0 ? [{ role: 'tool', results } as const] : []),
    ...(parts.length > 0 ? [{ role: 'user', parts } as const] : []),
  ]
}

function assistantParts(
  content: Content,
  place: string,
  notes: Notes,
): readonly (TextPart | CallPart)[] {
  return blocksOf(content).flatMap((block, index): readonly (TextPart | CallPart)[] => {
    const at = `${place}.${index}`
    switch (block.type) {
      case 'text':
        return textFrom(block, at, notes)
      case 'tool_use': {
        const call = fitted(callSchema, block, at, notes)
        if (!call) return []
        const { id, name, input } = call
        return [{ type: 'call', id, name, input: JSON.stringify(input ?? {}) }]
      }
      // Thoughts are sealed for the model that had them.
      case 'thinking':
      case 'redacted_thinking':
        notes.drop('messages.thinking')
        return []
      default:
        notes.refuse(`${at}.type`)
        return []
    }
  })
}

function resultFrom(block: Block, place: string, notes: Notes): readonly ToolResult[] {
  const result = fitted(resultSchema, block, place, notes)
  if (!result) return []
  const parts = blocksOf(result.content ?? '').flatMap((inner, index) =>
    partFrom(inner, `${place}.content.${index}`, notes),
  )
  return [{ callId: result.tool_use_id, parts, isError: result.is_error ?? false }]
}

function partFrom(block: Block, place: string, notes: Notes): readonly Part[] {
  switch (block.type) {
    case 'text':
      return textFrom(block, place, notes)
    case 'image': {
      const source = fitted(sourcedSchema, block, place, notes)?.source
      if (source?.type === 'url')
        return [{ type: 'image', source: { kind: 'url', url: source.url } }]
      if (source?.type === 'base64') {
        const { media_type: mediaType, data } = source
        return [{ type: 'image', source: { kind: 'data', mediaType, data } }]
      }
      if (source) notes.refuse(`${place}.source.type`)
      return []
    }
    case 'document': {
      const read = fitted(sourcedSchema, block, place, notes)
      if (read?.source.type === 'base64') {
        const { media_type: mediaType, data } = read.source
        return [
          {
            type: 'document',
            source: { kind: 'data', mediaType, data },
            ...given('name', read.title),
          },
        ]
      }
      if (read) notes.refuse(`${place}.source.type`)
      return []
    }
    // Tools are told of all at once, so that a reference to one that was found is its name.
    case 'tool_reference': {
      const found = fitted(referenceSchema, block, place, notes)
      return found ? [{ type: 'text', text: found.tool_name }] : []
    }
    default:
      notes.refuse(`${place}.type`)
      return []
  }
}

function textFrom(block: Block, place: string, notes: Notes): readonly TextPart[] {
  const text = fitted(textSchema, block, place, notes)?.text ?? ''
  return text === '' ? [] : [{ type: 'text', text }]
}

function textsOf(content: Content, place: string, notes: Notes): readonly string[] {
  return blocksOf(content).flatMap((block, index) => {
    if (block.type === 'text') {
      return textFrom(block, `${place}.${index}`, notes).map(({ text }) => text)
    }
    notes.refuse(`${place}.${index}.type`)
    return []
  })
}

function blocksOf(content: Content): readonly Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}
