/** A neutral request as one of OpenAI's Responses API. */

import type {
  CallPart,
  NeutralMessage,
  NeutralRequest,
  NeutralTool,
  Part,
  ReplyWish,
  TextPart,
  ToolResult,
} from '../../domain/neutral.ts'
import type { ProviderFacts } from '../../domain/provider.ts'
import type { JsonObject } from '../decode.ts'
import { ERROR_MARK, textOf, urlOf } from './chat-request-out.ts'
import { given } from './decoded.ts'
import { openaiEffort } from './efforts.ts'
import { isLogin } from './lost-fields.ts'

export function encodeResponsesRequest(
  request: NeutralRequest,
  facts: Pick<ProviderFacts, 'id'>,
  { thinking }: Pick<ReplyWish, 'thinking'>,
): JsonObject {
  const asLogin = isLogin(facts)
  const effort = openaiEffort(request)
  const { format, toolChoice } = request
  const instructions = request.system.join('\n\n')
  return {
    model: request.model,
    ...((asLogin || instructions !== '') && {
      instructions: instructions || 'You are a helpful assistant.',
    }),
    input: request.messages.flatMap(itemsOf),
    // Nothing refers to it later: the caller's protocol sends the conversation each time.
    store: false,
    ...((asLogin || request.stream) && { stream: true }),
    ...(request.tools.length > 0 && {
      tools: request.tools.map(toolOf),
      ...(toolChoice && { tool_choice: choiceOf(toolChoice) }),
      ...given('parallel_tool_calls', request.parallelCalls),
    }),
    // What it thinks is shown to those who ask alone.
    ...(effort && { reasoning: { effort, ...(thinking && { summary: 'auto' }) } }),
    ...(format && {
      text: { format: { type: 'json_schema', strict: true, name: 'reply', ...format } },
    }),
    ...(!asLogin && {
      ...given('max_output_tokens', request.maxTokens),
      ...given('temperature', request.temperature),
      ...given('top_p', request.topP),
      ...given('user', request.user),
    }),
  }
}

function itemsOf(message: NeutralMessage): readonly JsonObject[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'developer', content: message.text }]
    case 'user':
      return [{ role: 'user', content: contentOf(message.parts) }]
    case 'assistant':
      return message.parts.map(assistantItem)
    case 'tool':
      return message.results.map(outputOf)
    default:
      return message satisfies never
  }
}

function assistantItem(part: TextPart | CallPart): JsonObject {
  return part.type === 'text'
    ? { role: 'assistant', content: part.text }
    : { type: 'function_call', call_id: part.id, name: part.name, arguments: part.input }
}

function outputOf({ callId, parts, isError }: ToolResult): JsonObject {
  const mark = isError ? ERROR_MARK : ''
  const isText = parts.every(({ type }) => type === 'text')
  const output = isText
    ? mark + textOf(parts)
    : [...(isError ? [{ type: 'input_text', text: mark.trim() }] : []), ...parts.map(partOf)]
  return { type: 'function_call_output', call_id: callId, output }
}

function contentOf(parts: readonly Part[]): unknown {
  const [first] = parts
  return parts.length === 1 && first?.type === 'text' ? first.text : parts.map(partOf)
}

function partOf(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image':
      return { type: 'input_image', detail: 'auto', image_url: urlOf(part.source) }
    case 'document':
      return {
        type: 'input_file',
        filename: part.name ?? 'document.pdf',
        file_data: urlOf(part.source),
      }
    default:
      return part satisfies never
  }
}

/** Strictness is this protocol's default; what the caller did not ask for is not to be. */
function toolOf({ name, description, input, strict }: NeutralTool): JsonObject {
  return {
    type: 'function',
    name,
    ...given('description', description),
    parameters: input ?? { type: 'object', properties: {} },
    strict: strict ?? false,
  }
}

function choiceOf(choice: NonNullable<NeutralRequest['toolChoice']>): unknown {
  if (choice.kind === 'one') return { type: 'function', name: choice.name }
  return choice.kind === 'any' ? 'required' : choice.kind
}
