/** A request of OpenAI's Responses API, understood. */

import * as v from 'valibot'
import type { NeutralRequest, NeutralTool, ReplyFormat, ToolChoice } from '../../domain/neutral.ts'
import { EFFORTS } from '../../domain/neutral.ts'
import { fail, ok } from '../../domain/result.ts'
import type { JsonObject } from '../decode.ts'
import type { DecodeRequest } from './decoded.ts'
import { anyObject, checkTemperature, given, tokens, userName } from './decoded.ts'
import { noteFates } from './fields.ts'
import type { Notes } from './notes.ts'
import { createNotes, fitted } from './notes.ts'
import { inputSchema, messagesFrom } from './responses-input.ts'

const text = v.nullish(v.string())
const toolSchema = v.looseObject({
  type: v.string(),
  name: text,
  description: text,
  parameters: v.nullish(anyObject),
  strict: v.nullish(v.boolean()),
})

const bodySchema = v.looseObject({
  model: v.string(),
  input: v.nullish(inputSchema),
  instructions: text,
  max_output_tokens: tokens,
  stream: v.nullish(v.boolean()),
  tools: v.nullish(v.array(toolSchema)),
  tool_choice: v.nullish(
    v.union([
      v.picklist(['auto', 'none', 'required']),
      v.looseObject({ type: v.string(), name: text }),
    ]),
  ),
  parallel_tool_calls: v.nullish(v.boolean()),
  temperature: v.nullish(v.number()),
  top_p: v.nullish(v.number()),
  reasoning: v.nullish(v.looseObject({ effort: v.nullish(v.picklist(EFFORTS)), summary: text })),
  text: v.nullish(
    v.looseObject({
      format: v.nullish(
        v.looseObject({
          type: v.string(),
          name: text,
          description: text,
          schema: v.nullish(anyObject),
          strict: v.nullish(v.boolean()),
        }),
      ),
      verbosity: v.nullish(v.unknown()),
    }),
  ),
  user: text,
})
type Body = v.InferOutput<typeof bodySchema>

export const decodeResponsesRequest: DecodeRequest = (input, target) => {
  const notes = createNotes(target)
  const body = fitted(bodySchema, input, '', notes)
  if (body) noteFates(body, 'openai-responses', notes)
  const request = body && requestFrom(body, notes)
  const fault = notes.fault()
  if (fault || !request) return fail(fault ?? { code: 'EQ_INTERNAL', detail: 'unread request' })
  const summary = body.reasoning?.summary
  return ok({
    request,
    wish: {
      stream: request.stream,
      thinking: typeof summary === 'string' && summary !== 'none',
      usage: true,
      echo: echoOf(body),
    },
    dropped: notes.dropped(),
  })
}

function requestFrom(body: Body, notes: Notes): NeutralRequest {
  checkTemperature(body.temperature, notes)
  if (body.text?.verbosity) notes.drop('text.verbosity')
  const { system, messages } = messagesFrom(body.input ?? [], notes)
  return {
    model: body.model,
    stream: body.stream ?? false,
    system: body.instructions ? [body.instructions, ...system] : system,
    messages,
    tools: toolsFrom(body, notes),
    ...given('toolChoice', choiceFrom(body.tool_choice, notes)),
    ...given('parallelCalls', body.parallel_tool_calls),
    stop: [],
    ...given('maxTokens', body.max_output_tokens),
    ...given('temperature', body.temperature),
    ...given('topP', body.top_p),
    ...given('effort', body.reasoning?.effort),
    ...given('format', formatFrom(body.text?.format, notes)),
    ...given('user', userName(body.user ?? undefined, 'user', notes)),
  }
}

/** Web search that is offered beside tools of the caller's own is an offer that cannot be kept; the work goes on without. */
function toolsFrom({ tools }: Body, notes: Notes): readonly NeutralTool[] {
  const offered = tools ?? []
  const hasOwn = offered.some(({ type }) => type === 'function')
  return offered.flatMap((tool, index): readonly NeutralTool[] => {
    const { type, name, description, parameters, strict } = tool
    if (type === 'function' && name) {
      return [
        {
          name,
          ...given('description', description),
          ...given('input', parameters),
          ...given('strict', strict),
        },
      ]
    }
    if (type.startsWith('web_search') && hasOwn) notes.drop('tools.web_search')
    else notes.refuse(`tools.${index}.type`)
    return []
  })
}

function choiceFrom(choice: Body['tool_choice'], notes: Notes): ToolChoice | undefined {
  if (choice === 'required') return { kind: 'any' }
  if (choice === 'auto' || choice === 'none') return { kind: choice }
  if (!choice) return undefined
  if (choice.type === 'function' && choice.name) return { kind: 'one', name: choice.name }
  notes.refuse('tool_choice.type')
  return undefined
}

function formatFrom(
  format: NonNullable<Body['text']>['format'],
  notes: Notes,
): ReplyFormat | undefined {
  if (!format || format.type === 'text') return undefined
  if (format.type !== 'json_schema' || !format.schema) {
    notes.refuse('text.format.type')
    return undefined
  }
  return {
    schema: format.schema,
    ...given('name', format.name),
    ...given('description', format.description),
    ...given('strict', format.strict),
  }
}

/** A response says back what it was asked with. Nothing is kept here, whatever `store` said. */
function echoOf(body: Body): JsonObject {
  return {
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body['metadata'] ?? {},
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null, ...body.reasoning },
    store: false,
    temperature: body.temperature ?? null,
    text: body.text ?? { format: { type: 'text' } },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_p: body.top_p ?? null,
    truncation: 'disabled',
    user: body.user ?? null,
  }
}
