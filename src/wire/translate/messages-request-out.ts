/** A neutral request as one of Anthropic's Messages API. */

import type {
  NeutralMessage,
  NeutralRequest,
  NeutralTool,
  Part,
  TextPart,
  CallPart,
  ToolChoice,
  ToolResult,
} from '../../domain/neutral.ts'
import type { JsonObject } from '../decode.ts'
import { given } from './decoded.ts'
import { anthropicThinking } from './efforts.ts'
import { inputObject } from './replies.ts'

export function encodeMessagesRequest(request: NeutralRequest): JsonObject {
  const { effort, ...thinking } = anthropicThinking(request)
  const { format } = request
  return {
    model: request.model,
    max_tokens: request.maxTokens ?? longestReply(request.model),
    ...systemOf(request.system),
    messages: messagesOf(request.messages),
    ...(request.stream && { stream: true }),
    ...(request.tools.length > 0 && { tools: request.tools.map(toolOf), ...choiceOf(request) }),
    // One is what the model does anyway, and newer models refuse to be told.
    ...given('temperature', request.temperature === 1 ? undefined : request.temperature),
    ...given('top_p', request.topP === 1 ? undefined : request.topP),
    ...(request.stop.length > 0 && { stop_sequences: request.stop }),
    ...thinking,
    ...((effort ?? format) && {
      output_config: {
        ...given('effort', effort),
        ...(format && { format: { type: 'json_schema', schema: format.schema } }),
      },
    }),
    ...(request.user !== undefined && { metadata: { user_id: request.user } }),
  }
}

/** What the oldest and the current models of Anthropic can say at least, tokens. The protocol wants a limit; others do not. */
function longestReply(model: string): number {
  if (/claude-3-(?:opus|sonnet|haiku)/.test(model)) return 4096
  return /claude-[a-z]+-[4-9]/.test(model) ? 32_000 : 8192
}

function systemOf(system: readonly string[]): JsonObject {
  if (system.length === 0) return {}
  return { system: system.length === 1 ? system[0] : system.map(textBlock) }
}

/** Results of tools and what the user says after them are one message here. */
function messagesOf(messages: readonly NeutralMessage[]): readonly JsonObject[] {
  return messages.flatMap((message, index): readonly JsonObject[] => {
    switch (message.role) {
      case 'system':
        return [{ role: 'system', content: message.text }]
      case 'assistant':
        return [{ role: 'assistant', content: message.parts.map(assistantBlock) }]
      case 'tool': {
        const next = messages[index + 1]
        const more = next?.role === 'user' ? next.parts : []
        const content = [...message.results.map(resultBlock), ...more.map(blockOf)]
        return [{ role: 'user', content }]
      }
      case 'user':
        return messages[index - 1]?.role === 'tool'
          ? []
          : [{ role: 'user', content: contentOf(message.parts) }]
      default:
        return message satisfies never
    }
  })
}

function contentOf(parts: readonly Part[]): unknown {
  const [first] = parts
  return parts.length === 1 && first?.type === 'text' ? first.text : parts.map(blockOf)
}

function textBlock(text: string): JsonObject {
  return { type: 'text', text }
}

function blockOf(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
      return textBlock(part.text)
    case 'image':
      return { type: 'image', source: sourceOf(part.source) }
    case 'document':
      return { type: 'document', source: sourceOf(part.source), ...given('title', part.name) }
    default:
      return part satisfies never
  }
}

function sourceOf(source: Extract<Part, { type: 'image' }>['source']): JsonObject {
  return source.kind === 'url'
    ? { type: 'url', url: source.url }
    : { type: 'base64', media_type: source.mediaType, data: source.data }
}

function assistantBlock(part: TextPart | CallPart): JsonObject {
  if (part.type === 'text') return textBlock(part.text)
  const input = inputObject(part.input)
  // What a model wrote that is no object is still what it wrote.
  return {
    type: 'tool_use',
    id: legalId(part.id),
    name: part.name,
    input: input ?? { input: part.input },
  }
}

function resultBlock({ callId, parts, isError }: ToolResult): JsonObject {
  return {
    type: 'tool_result',
    tool_use_id: legalId(callId),
    ...(parts.length > 0 && { content: contentOf(parts) }),
    ...(isError && { is_error: true }),
  }
}

/** Anthropic takes letters, digits, `-` and `_` alone; ids of other providers differ in what stands for the rest. */
function legalId(id: string): string {
  return id.replace(/[^\w-]/g, (character) => `_${character.charCodeAt(0).toString(16)}`)
}

function toolOf({ name, description, input, strict }: NeutralTool): JsonObject {
  return {
    name,
    ...given('description', description),
    input_schema: input ?? { type: 'object', properties: {} },
    ...given('strict', strict),
  }
}

function choiceOf({ toolChoice, parallelCalls }: NeutralRequest): JsonObject {
  const single = parallelCalls === false && toolChoice?.kind !== 'none'
  if (!toolChoice && !single) return {}
  return {
    tool_choice: {
      ...typeOf(toolChoice ?? { kind: 'auto' }),
      ...(single && { disable_parallel_tool_use: true }),
    },
  }
}

function typeOf(choice: ToolChoice): JsonObject {
  return choice.kind === 'one' ? { type: 'tool', name: choice.name } : { type: choice.kind }
}
