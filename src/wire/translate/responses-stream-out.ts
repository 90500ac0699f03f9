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
    return closed + added + innerFrame(open, 'added')
  }

  /** Words stand in a part of their item; a call's input stands in the item itself. */
  function innerFrame(item: Open, what: 'added' | 'done'): string {
    const { part } = item
    const words = what === 'done' && part.type !== 'call' ? part.text : ''
    if (part.type === 'text') {
      const fields = { ...place(item), content_index: 0, part: textPart(words) }
      return frame(`response.content_part.${what}`, fields)
    }
    if (part.type === 'thinking') {
      const fields = { ...place(item), summary_index: 0, part: summaryPart(words) }
      return frame(`response.reasoning_summary_part.${what}`, fields)
    }
    return ''
  }

  function add(item: Open, more: string): string {
    const { part } = item
    if (part.type === 'call') {
      open = { ...item, part: { ...part, input: part.input + more } }
      return frame('response.function_call_arguments.delta', { ...place(item), delta: more })
    }
    open = { ...item, part: { ...part, text: part.text + more } }
    return part.type === 'text'
      ? frame('response.output_text.delta', {
          ...place(item),
          content_index: 0,
          delta: more,
          logprobs: [],
        })
      : frame('response.reasoning_summary_text.delta', {
          ...place(item),
          summary_index: 0,
          delta: more,
        })
  }

  function endOfWords(item: Open): string {
    const { part } = item
    if (part.type === 'call') {
      const fields = { ...place(item), name: part.name, arguments: part.input || '{}' }
      return frame('response.function_call_arguments.done', fields)
    }
    const words = { ...place(item), text: part.text }
    return part.type === 'text'
      ? frame('response.output_text.done', { ...words, content_index: 0, logprobs: [] })
      : frame('response.reasoning_summary_text.done', { ...words, summary_index: 0 })
  }

  function close(): string {
    if (!open) return ''
    const item = itemOf(open.part, open.id, 'completed')
    const ended = endOfWords(open) + innerFrame(open, 'done')
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
