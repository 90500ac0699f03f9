/** A request of Anthropic's Messages API, understood. */

import * as v from 'valibot'
import type { NeutralRequest, NeutralTool, ReplyFormat, ToolChoice } from '../../domain/neutral.ts'
import { EFFORTS } from '../../domain/neutral.ts'
import { fail, ok } from '../../domain/result.ts'
import type { DecodeRequest } from './decoded.ts'
import { anyObject, checkStops, checkTemperature, given, tokens, userName } from './decoded.ts'
import { noteFates } from './fields.ts'
import { contentSchema, messagesFrom, systemFrom } from './messages-content.ts'
import type { Notes } from './notes.ts'
import { createNotes, fitted } from './notes.ts'

const toolSchema = v.looseObject({
  type: v.nullish(v.string()),
  name: v.string(),
  description: v.nullish(v.string()),
  input_schema: v.nullish(anyObject),
  strict: v.nullish(v.boolean()),
})

const bodySchema = v.looseObject({
  model: v.string(),
  max_tokens: tokens,
  stream: v.nullish(v.boolean()),
  system: v.nullish(contentSchema),
  messages: v.array(v.looseObject({ role: v.string(), content: contentSchema })),
  tools: v.nullish(v.array(toolSchema)),
  tool_choice: v.nullish(
    v.looseObject({
      type: v.picklist(['auto', 'any', 'tool', 'none']),
      name: v.nullish(v.string()),
      disable_parallel_tool_use: v.nullish(v.boolean()),
    }),
  ),
  temperature: v.nullish(v.number()),
  top_p: v.nullish(v.number()),
  stop_sequences: v.nullish(v.array(v.string())),
  thinking: v.nullish(
    v.looseObject({
      type: v.string(),
      budget_tokens: v.nullish(v.number()),
      display: v.nullish(v.string()),
    }),
  ),
  output_config: v.nullish(
    v.looseObject({
      effort: v.nullish(v.picklist(EFFORTS)),
      format: v.nullish(v.looseObject({ type: v.string(), schema: v.nullish(anyObject) })),
    }),
  ),
  metadata: v.nullish(v.looseObject({ user_id: v.nullish(v.string()) })),
})
type Body = v.InferOutput<typeof bodySchema>

export const decodeMessagesRequest: DecodeRequest = (input, target) => {
  const notes = createNotes(target)
  const body = fitted(bodySchema, input, '', notes)
  if (body) noteFates(body, 'anthropic-messages', notes)
  const request = body && requestFrom(body, notes)
  const fault = notes.fault()
  if (fault || !request) return fail(fault ?? { code: 'EQ_INTERNAL', detail: 'unread request' })
  return ok({
    request,
    wish: { stream: request.stream, thinking: showsThinking(body), usage: true },
    dropped: notes.dropped(),
  })
}

function requestFrom(body: Body, notes: Notes): NeutralRequest {
  checkTemperature(body.temperature, notes)
  checkStops(body.stop_sequences ?? [], 'stop_sequences', notes)
  const { tool_choice: choice } = body
  return {
    model: body.model,
    stream: body.stream ?? false,
    system: systemFrom(body.system ?? '', notes),
    messages: messagesFrom(body.messages, notes),
    tools: (body.tools ?? []).flatMap((tool, index) => toolFrom(tool, index, notes)),
    ...given('toolChoice', choice ? choiceFrom(choice.type, choice.name, notes) : undefined),
    ...given('parallelCalls', choice?.disable_parallel_tool_use ? false : undefined),
    stop: body.stop_sequences ?? [],
    ...given('maxTokens', body.max_tokens),
    ...given('temperature', body.temperature),
    ...given('topP', body.top_p),
    ...given('effort', effortFrom(body)),
    ...given('format', formatFrom(body, notes)),
    ...given('user', userName(body.metadata?.user_id ?? undefined, 'metadata.user_id', notes)),
  }
}

/** With it a model finds tools that it was not told of; a translated request tells of all. */
const TOOL_SEARCH = /^tool_search_tool/

/** A tool of another type than the caller's own is Anthropic's: its servers run it, or its models alone know it. */
function toolFrom(
  tool: v.InferOutput<typeof toolSchema>,
  index: number,
  notes: Notes,
): readonly NeutralTool[] {
  if (TOOL_SEARCH.test(tool.type ?? '')) {
    notes.drop('tools.tool_search')
    return []
  }
  if ((tool.type ?? 'custom') !== 'custom') {
    notes.refuse(`tools.${index}.type`)
    return []
  }
  return [
    {
      name: tool.name,
      ...given('description', tool.description),
      ...given('input', tool.input_schema),
      ...given('strict', tool.strict),
    },
  ]
}

function choiceFrom(
  type: 'auto' | 'any' | 'tool' | 'none',
  name: string | null | undefined,
  notes: Notes,
): ToolChoice | undefined {
  if (type !== 'tool') return { kind: type }
  if (name) return { kind: 'one', name }
  notes.misfit('tool_choice.name', 'is missing')
  return undefined
}

/** Budgets below these are what one would set for little and for medium effort, tokens. */
const LOW_BUDGET = 4096
const MEDIUM_BUDGET = 16_384

function effortFrom({ thinking, output_config }: Body): NeutralRequest['effort'] {
  if (thinking?.type === 'disabled') return undefined
  if (output_config?.effort) return output_config.effort
  const budget = thinking?.budget_tokens
  if (typeof budget !== 'number') return undefined
  if (budget < LOW_BUDGET) return 'low'
  return budget < MEDIUM_BUDGET ? 'medium' : 'high'
}

function showsThinking(body: Body | undefined): boolean {
  const thinking = body?.thinking
  return !!thinking && thinking.type !== 'disabled' && thinking.display !== 'omitted'
}

function formatFrom({ output_config }: Body, notes: Notes): ReplyFormat | undefined {
  const format = output_config?.format
  if (!format) return undefined
  if (format.type === 'json_schema' && format.schema) return { schema: format.schema }
  notes.refuse('output_config.format')
  return undefined
}
