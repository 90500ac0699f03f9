/** A request of OpenAI's Chat Completions, understood. */

import * as v from 'valibot'
import type { NeutralRequest, NeutralTool, ReplyFormat, ToolChoice } from '../../domain/neutral.ts'
import { EFFORTS } from '../../domain/neutral.ts'
import { fail, ok } from '../../domain/result.ts'
import { chatMessage, messagesFrom } from './chat-content.ts'
import type { DecodeRequest } from './decoded.ts'
import { anyObject, checkStops, checkTemperature, given, tokens, userName } from './decoded.ts'
import { noteFates } from './fields.ts'
import type { Notes } from './notes.ts'
import { createNotes, fitted } from './notes.ts'

const named = v.looseObject({ name: v.string() })
const toolSchema = v.looseObject({
  type: v.nullish(v.string()),
  function: v.nullish(
    v.looseObject({
      name: v.string(),
      description: v.nullish(v.string()),
      parameters: v.nullish(anyObject),
      strict: v.nullish(v.boolean()),
    }),
  ),
})

const bodySchema = v.looseObject({
  model: v.string(),
  messages: v.array(chatMessage),
  max_tokens: tokens,
  max_completion_tokens: tokens,
  stream: v.nullish(v.boolean()),
  stream_options: v.nullish(v.looseObject({ include_usage: v.nullish(v.boolean()) })),
  tools: v.nullish(v.array(toolSchema)),
  tool_choice: v.nullish(
    v.union([
      v.picklist(['auto', 'none', 'required']),
      v.looseObject({ type: v.string(), function: v.nullish(named) }),
    ]),
  ),
  parallel_tool_calls: v.nullish(v.boolean()),
  temperature: v.nullish(v.number()),
  top_p: v.nullish(v.number()),
  stop: v.nullish(v.union([v.string(), v.array(v.string())])),
  reasoning_effort: v.nullish(v.picklist(EFFORTS)),
  response_format: v.nullish(
    v.looseObject({
      type: v.string(),
      json_schema: v.nullish(
        v.looseObject({
          name: v.nullish(v.string()),
          description: v.nullish(v.string()),
          schema: v.nullish(anyObject),
          strict: v.nullish(v.boolean()),
        }),
      ),
    }),
  ),
  user: v.nullish(v.string()),
})
type Body = v.InferOutput<typeof bodySchema>

export const decodeChatRequest: DecodeRequest = (input, target) => {
  const notes = createNotes(target)
  const body = fitted(bodySchema, input, '', notes)
  if (body) noteFates(body, 'openai-chat', notes)
  const request = body && requestFrom(body, notes)
  const fault = notes.fault()
  if (fault || !request) return fail(fault ?? { code: 'EQ_INTERNAL', detail: 'unread request' })
  const { effort, stream } = request
  return ok({
    request,
    wish: {
      stream,
      thinking: effort !== undefined && effort !== 'none',
      usage: body.stream_options?.include_usage ?? false,
    },
    dropped: notes.dropped(),
  })
}

function requestFrom(body: Body, notes: Notes): NeutralRequest {
  const stop = typeof body.stop === 'string' ? [body.stop] : (body.stop ?? [])
  checkTemperature(body.temperature, notes)
  checkStops(stop, 'stop', notes)
  return {
    model: body.model,
    stream: body.stream ?? false,
    ...messagesFrom(body.messages, notes),
    tools: (body.tools ?? []).flatMap((tool, index) => toolFrom(tool, index, notes)),
    ...given('toolChoice', choiceFrom(body.tool_choice, notes)),
    ...given('parallelCalls', body.parallel_tool_calls),
    stop,
    ...given('maxTokens', body.max_completion_tokens ?? body.max_tokens),
    ...given('temperature', body.temperature),
    ...given('topP', body.top_p),
    ...given('effort', body.reasoning_effort),
    ...given('format', formatFrom(body.response_format, notes)),
    ...given('user', userName(body.user ?? undefined, 'user', notes)),
  }
}

function toolFrom(
  { type, function: described }: v.InferOutput<typeof toolSchema>,
  index: number,
  notes: Notes,
): readonly NeutralTool[] {
  if ((type ?? 'function') !== 'function' || !described) {
    notes.refuse(`tools.${index}.type`)
    return []
  }
  const { name, description, parameters, strict } = described
  return [
    {
      name,
      ...given('description', description),
      ...given('input', parameters),
      ...given('strict', strict),
    },
  ]
}

function choiceFrom(choice: Body['tool_choice'], notes: Notes): ToolChoice | undefined {
  if (choice === 'required') return { kind: 'any' }
  if (choice === 'auto' || choice === 'none') return { kind: choice }
  if (!choice) return undefined
  if (choice.type === 'function' && choice.function) {
    return { kind: 'one', name: choice.function.name }
  }
  notes.refuse('tool_choice.type')
  return undefined
}

function formatFrom(format: Body['response_format'], notes: Notes): ReplyFormat | undefined {
  if (!format || format.type === 'text') return undefined
  const described = format.json_schema
  if (format.type !== 'json_schema' || !described?.schema) {
    notes.refuse('response_format.type')
    return undefined
  }
  return {
    schema: described.schema,
    ...given('name', described.name),
    ...given('description', described.description),
    ...given('strict', described.strict),
  }
}
