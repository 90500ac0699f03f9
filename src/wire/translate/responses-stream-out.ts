/** A neutral reply as it streams, as the events of OpenAI's Responses API. */

import type { NeutralEvent, NeutralReply, NeutralUsage, ReplyPart } from '../../domain/neutral.ts'
import type { JsonObject } from '../decode.ts'
import { renderSse } from '../sse.ts'
import type { EncodeEvent, ReplyContext } from './replies.ts'
import { laterUsage } from './replies.ts'
import {
  endingOf,
  itemId,
  itemOf,
  responseId,
  responseOf,
  responsesUsage,
  summaryPart,
  textPart,
} from './responses-reply-out.ts'

interface Open {
  readonly id: string
  readonly part: ReplyPart
}

export function createResponsesEncoder(context: ReplyContext): EncodeEvent {
  let named: Pick<NeutralReply, 'id' | 'model'> | undefined
  let sequence = 0
  let usage: NeutralUsage | undefined
  let open: Open | undefined
  const output: JsonObject[] = []

  function frame(type: string, fields: JsonObject): string {
    const data = JSON.stringify({ type, sequence_number: sequence, ...fields })
    sequence += 1
    return renderSse({ event: type, data })
  }

  /** Where the open item stands. */
  const place = ({ id }: Open): JsonObject => ({ item_id: id, output_index: output.length })

  function start(by: Pick<NeutralReply, 'id' | 'model'>): string {
    if (named) return ''
    named = by
    const response = responseOf(named, context, {})
    return frame('response.created', { response }) + frame('response.in_progress', { response })
  }

  function begin(part: ReplyPart): string {
    const closed = close()
    const id = itemId(responseId(named ?? {}, context), part.type, output.length)
    open = { id, part }
    const item = itemOf(part, id, 'in_progress')
    const added = frame('response.output_item.added', { output_index: output.length, item })
    return closed + added + framed(open, innerOf(part, 'added'))
  }

  function framed(item: Open, event: Framed | undefined): string {
    return event ? frame(event.type, { ...place(item), ...event.fields }) : ''
  }

  function add(item: Open, more: string): string {
    open = { ...item, part: grown(item.part, more) }
    return framed(item, deltaOf(item.part, more))
  }

  function close(): string {
    if (!open) return ''
    const item = itemOf(open.part, open.id, 'completed')
    const ended = framed(open, endOf(open.part)) + framed(open, innerOf(open.part, 'done'))
    const done = frame('response.output_item.done', { output_index: output.length, item })
    output.push(item)
    open = undefined
    return ended + done
  }

  function end({ reason }: Extract<NeutralEvent, { type: 'stop' }>): string {
    const closed = close()
    const ending = endingOf(reason)
    const response = responseOf(named ?? {}, context, {
      output,
      ...ending,
      usage: usage ? responsesUsage(usage) : null,
    })
    return closed + frame(`response.${ending.status}`, { response })
  }

  function say(type: 'text' | 'thinking', text: string): string {
    const begun = open?.part.type === type ? '' : begin({ type, text: '' })
    return begun + (open ? add(open, text) : '')
  }

  return (event) => {
    switch (event.type) {
      case 'start':
        return start(event)
      case 'text':
        return start({}) + say('text', event.text)
      case 'thinking':
        return context.wish.thinking ? start({}) + say('thinking', event.text) : ''
      case 'call':
        return start({}) + begin({ ...event, input: '' })
      case 'input':
        return open ? add(open, event.json) : ''
      case 'usage':
        usage = laterUsage(usage, event.usage)
        return ''
      case 'ping':
        return ': ping\n\n'
      case 'stop':
        return start({}) + end(event)
      case 'error':
        return ''
      default:
        return event satisfies never
    }
  }
}

/** An event about an item, without the item's place. */
interface Framed {
  readonly type: string
  readonly fields: JsonObject
}

function grown(part: ReplyPart, more: string): ReplyPart {
  return part.type === 'call'
    ? { ...part, input: part.input + more }
    : { ...part, text: part.text + more }
}

/** Words stand in a part of their item; a call's input stands in the item itself. */
function innerOf(part: ReplyPart, what: 'added' | 'done'): Framed | undefined {
  if (part.type === 'call') return undefined
  const words = what === 'done' ? part.text : ''
  return part.type === 'text'
    ? {
        type: `response.content_part.${what}`,
        fields: { content_index: 0, part: textPart(words) },
      }
    : {
        type: `response.reasoning_summary_part.${what}`,
        fields: { summary_index: 0, part: summaryPart(words) },
      }
}

const DELTAS: Readonly<Record<ReplyPart['type'], Framed>> = {
  text: { type: 'response.output_text.delta', fields: { content_index: 0, logprobs: [] } },
  thinking: { type: 'response.reasoning_summary_text.delta', fields: { summary_index: 0 } },
  call: { type: 'response.function_call_arguments.delta', fields: {} },
}

function deltaOf(part: ReplyPart, delta: string): Framed {
  const { type, fields } = DELTAS[part.type]
  return { type, fields: { ...fields, delta } }
}

/** What the words or the input have become in the end. */
function endOf(part: ReplyPart): Framed {
  const { type, fields } = DELTAS[part.type]
  const whole =
    part.type === 'call' ? { name: part.name, arguments: part.input || '{}' } : { text: part.text }
  return { type: type.replace(/delta$/, 'done'), fields: { ...fields, ...whole } }
}
