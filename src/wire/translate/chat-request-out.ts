/** A neutral request as one of OpenAI's Chat Completions. */

import type {
  CallPart,
  NeutralMessage,
  NeutralRequest,
  NeutralTool,
  Part,
  ToolChoice,
  ToolResult,
} from '../../domain/neutral.ts'
import type { JsonObject } from '../decode.ts'
import { limitField } from '../openai-chat.ts'
import { given } from './decoded.ts'
import { openaiEffort } from './efforts.ts'

export function encodeChatRequest(request: NeutralRequest): JsonObject {
  const system = request.system.join('\n\n')
  return {
    model: request.model,
    messages: [
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      ...request.messages.flatMap(messagesOf),
    ],
    ...(request.maxTokens !== undefined && { [limitField(request.model)]: request.maxTokens }),
    ...(request.stream && { stream: true, stream_options: { include_usage: true } }),
    ...(request.tools.length > 0 && {
      tools: request.tools.map(toolOf),
      ...(request.toolChoice && { tool_choice: choiceOf(request.toolChoice) }),
      ...given('parallel_tool_calls', request.parallelCalls),
    }),
    ...given('temperature', request.temperature),
    ...given('top_p', request.topP),
    ...(request.stop.length > 0 && { stop: request.stop }),
    ...given('reasoning_effort', openaiEffort(request)),
    ...(request.format && {
      response_format: {
        type: 'json_schema',
        json_schema: { strict: true, name: 'reply', ...request.format },
      },
    }),
    ...given('user', request.user),
  }
}

function messagesOf(message: NeutralMessage): readonly JsonObject[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: message.text }]
    case 'user':
      return [{ role: 'user', content: contentOf(message.parts) }]
    case 'assistant':
      return [assistantOf(message.parts)]
    case 'tool':
      return resultsOf(message.results)
    default:
      return message satisfies never
  }
}

function assistantOf(parts: Extract<NeutralMessage, { role: 'assistant' }>['parts']): JsonObject {
  const calls = parts.filter((part): part is CallPart => part.type === 'call')
  const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ id, name, input }) => ({
        id,
        type: 'function',
        function: { name, arguments: input },
      })),
    }),
  }
}

/** Results hold text alone in this protocol, so what else they hold follows them as the user's. */
function resultsOf(results: readonly ToolResult[]): readonly JsonObject[] {
  const shown = results.flatMap(({ callId, parts }) => {
    const others = parts.filter(({ type }) => type !== 'text')
    return others.length > 0
      ? [{ type: 'text', text: `Result of tool call ${callId}:` } as const, ...others]
      : []
  })
  return [
    ...results.map(({ callId, parts, isError }) => ({
      role: 'tool',
      tool_call_id: callId,
      content: (isError ? ERROR_MARK : '') + textOf(parts),
    })),
    ...(shown.length > 0 ? [{ role: 'user', content: contentOf(shown) }] : []),
  ]
}

/** OpenAI's protocols have no field that says so. */
export const ERROR_MARK = 'Error: '

export function textOf(parts: readonly Part[]): string {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
}

function contentOf(parts: readonly Part[]): unknown {
  const [first] = parts
  return parts.length === 1 && first?.type === 'text' ? first.text : parts.map(partOf)
}

function partOf(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return { type: 'image_url', image_url: { url: urlOf(part.source) } }
    case 'document':
      return {
        type: 'file',
        file: { filename: part.name ?? 'document.pdf', file_data: urlOf(part.source) },
      }
    default:
      return part satisfies never
  }
}

export function urlOf(source: Extract<Part, { type: 'image' }>['source']): string {
  return source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`
}

function toolOf({ name, description, input, strict }: NeutralTool): JsonObject {
  return {
    type: 'function',
    function: {
      name,
      ...given('description', description),
      ...given('parameters', input),
      ...given('strict', strict),
    },
  }
}

function choiceOf(choice: ToolChoice): unknown {
  switch (choice.kind) {
    case 'auto':
    case 'none':
      return choice.kind
    case 'any':
      return 'required'
    case 'one':
      return { type: 'function', function: { name: choice.name } }
    default:
      return choice satisfies never
  }
}
