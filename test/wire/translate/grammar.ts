/**
 * The order of events in a stream, checked as each protocol has it, and the reply that a client would put together from
 * them. Written from the protocols, not from our encoders.
 */

interface Frame {
  readonly event?: string
  readonly data: string
}

/** A reply as a client sees it at the end of a stream. */
export interface Assembled {
  readonly id: string
  readonly texts: readonly string[]
  readonly thoughts: readonly string[]
  readonly calls: readonly { readonly id: string; readonly name: string; readonly input: string }[]
  readonly stop: string
  readonly usage: unknown
}

type Json = Readonly<Record<string, unknown>>

function must(condition: boolean, words: string): asserts condition {
  if (!condition) throw new Error(`grammar: ${words}`)
}

function textOf(value: unknown): string {
  must(typeof value === 'string', `${JSON.stringify(value)} is no text`)
  return value
}

export function framesOf(text: string): readonly Frame[] {
  must(text.endsWith('\n\n'), 'the stream ends inside an event')
  return text
    .slice(0, -2)
    .split('\n\n')
    .flatMap((block): readonly Frame[] => {
      const lines = block.split('\n').filter((line) => !line.startsWith(':'))
      if (lines.length === 0) return []
      const event = lines.find((line) => line.startsWith('event: '))?.slice('event: '.length)
      const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6))
      must(lines.length === data.length + (event === undefined ? 0 : 1), `strange line in ${block}`)
      must(data.length > 0, 'an event without data')
      return [{ ...(event !== undefined && { event }), data: data.join('\n') }]
    })
}

/** message_start, blocks one after the other, message_delta, message_stop; pings anywhere between. */
export function checkMessagesStream(text: string): Assembled {
  const events = framesOf(text).map(({ event, data }) => {
    const parsed = JSON.parse(data) as Json & { type: string }
    must(event === parsed.type, `event: ${event} does not name ${parsed.type}`)
    return parsed
  })
  const told = events.filter(({ type }) => type !== 'ping')
  const first = told[0]
  must(first?.type === 'message_start', `begins with ${first?.type}`)
  const message = first['message'] as Json
  must(Array.isArray(message['content']) && message['content'].length === 0, 'content at the start')
  must(message['stop_reason'] === null, 'a stop reason at the start')
  must(typeof (message['usage'] as Json)['input_tokens'] === 'number', 'no usage at the start')
  must(told.at(-1)?.type === 'message_stop', `ends with ${told.at(-1)?.type}`)
  const delta = told.at(-2)
  must(delta?.type === 'message_delta', `${delta?.type} before message_stop`)

  const texts: string[] = []
  const thoughts: string[] = []
  const calls: { id: string; name: string; input: string }[] = []
  let open: string | undefined
  let index = -1
  for (const event of told.slice(1, -2)) {
    if (event.type === 'content_block_start') {
      must(open === undefined, 'a block inside a block')
      index += 1
      const block = event['content_block'] as Json
      open = String(block['type'])
      if (open === 'text') texts.push(String(block['text']))
      else if (open === 'thinking') {
        must(block['signature'] === '', 'no signature')
        thoughts.push(String(block['thinking']))
      } else {
        must(open === 'tool_use' && JSON.stringify(block['input']) === '{}', `block of ${open}`)
        calls.push({ id: String(block['id']), name: String(block['name']), input: '' })
      }
    } else if (event.type === 'content_block_delta') {
      const piece = event['delta'] as Json
      const kind = { text: 'text_delta', thinking: 'thinking_delta', tool_use: 'input_json_delta' }
      must(piece['type'] === kind[open as 'text'], `${String(piece['type'])} in ${open}`)
      const last = calls.at(-1)
      if (open === 'text') texts[texts.length - 1] += String(piece['text'])
      else if (open === 'thinking') thoughts[thoughts.length - 1] += String(piece['thinking'])
      else if (last) last.input += String(piece['partial_json'])
    } else {
      must(event.type === 'content_block_stop' && open !== undefined, `${event.type} out of place`)
      open = undefined
    }
    must(event['index'] === index, `index ${String(event['index'])} instead of ${index}`)
  }
  must(open === undefined, 'a block that does not end')
  const stop = String((delta['delta'] as Json)['stop_reason'])
  return { id: String(message['id']), texts, thoughts, calls, stop, usage: delta['usage'] }
}

/** A role chunk, deltas, one finish_reason, the usage where it was asked for, [DONE]. */
export function checkChatStream(text: string, withUsage: boolean): Assembled {
  const frames = framesOf(text)
  must(
    frames.every(({ event }) => event === undefined),
    'a named event',
  )
  must(frames.at(-1)?.data === '[DONE]', `ends with ${frames.at(-1)?.data}`)
  const chunks = frames.slice(0, -1).map(({ data }) => JSON.parse(data) as Json)
  must(new Set(chunks.map((chunk) => chunk['id'])).size === 1, 'several ids')
  must(
    chunks.every((chunk) => chunk['object'] === 'chat.completion.chunk' && chunk['model']),
    'a chunk without its head',
  )
  const last = chunks.at(-1)
  const usage = last?.['usage'] ?? undefined
  if (usage !== undefined) {
    must(withUsage, 'usage that was not asked for')
    must(JSON.stringify(last?.['choices']) === '[]', 'choices beside the usage')
  }
  must(
    chunks
      .slice(0, -1)
      .every((chunk) => (withUsage ? chunk['usage'] === null : !('usage' in chunk))),
    'usage in a chunk before the last',
  )
  const choices = chunks.slice(0, usage === undefined ? undefined : -1).map((chunk) => {
    const [choice, ...others] = chunk['choices'] as readonly (Json & { delta: Json })[]
    must(choice !== undefined && others.length === 0 && choice['index'] === 0, 'not one choice')
    return choice
  })
  must(choices[0]?.delta['role'] === 'assistant', 'no role chunk first')
  must(
    choices.filter((choice) => choice['finish_reason'] !== null).length === 1,
    'several finishes',
  )
  const finish = choices.at(-1)
  must(
    finish?.['finish_reason'] !== null && Object.keys(finish?.delta ?? { a: 1 }).length === 0,
    'the finish is not last',
  )

  let content = ''
  let thoughts = ''
  const calls: { id: string; name: string; input: string }[] = []
  for (const { delta } of choices) {
    content += typeof delta['content'] === 'string' ? delta['content'] : ''
    thoughts += typeof delta['reasoning_content'] === 'string' ? delta['reasoning_content'] : ''
    for (const call of (delta['tool_calls'] ?? []) as readonly (Json & { function: Json })[]) {
      const at = call['index'] as number
      if (call['id'] !== undefined) {
        must(at === calls.length, `call ${at} begins after ${calls.length}`)
        calls.push({ id: textOf(call['id']), name: textOf(call.function['name']), input: '' })
      }
      const open = calls[at]
      must(open !== undefined && at === calls.length - 1, `a piece of call ${at} out of turn`)
      open.input += String(call.function['arguments'])
    }
  }
  return {
    id: String(chunks[0]?.['id']),
    texts: content === '' ? [] : [content],
    thoughts: thoughts === '' ? [] : [thoughts],
    calls,
    stop: textOf(finish?.['finish_reason']),
    usage,
  }
}

/** Items one after the other, each with its parts, deltas, and dones; a sequence without gaps. */
export function checkResponsesStream(text: string): Assembled {
  const events = framesOf(text).map(({ event, data }, index) => {
    const parsed = JSON.parse(data) as Json & { type: string }
    must(event === parsed.type, `event: ${event} does not name ${parsed.type}`)
    must(parsed['sequence_number'] === index, `sequence ${String(parsed['sequence_number'])}`)
    return parsed
  })
  must(events[0]?.type === 'response.created', `begins with ${events[0]?.type}`)
  must(events[1]?.type === 'response.in_progress', `goes on with ${events[1]?.type}`)
  const last = events.at(-1)
  must(/^response\.(?:completed|incomplete)$/.test(last?.type ?? ''), `ends with ${last?.type}`)
  const response = last?.['response'] as Json & { output: readonly Json[] }
  must(last?.type === `response.${String(response['status'])}`, 'status and event differ')

  const texts: string[] = []
  const thoughts: string[] = []
  const calls: { id: string; name: string; input: string }[] = []
  const done: Json[] = []
  let item: Json | undefined
  let said = ''
  for (const event of events.slice(2, -1)) {
    must(event['output_index'] === done.length, `${event.type} at ${String(event['output_index'])}`)
    if (event.type === 'response.output_item.added') {
      must(item === undefined, 'an item inside an item')
      item = event['item'] as Json
      said = ''
      continue
    }
    must(item !== undefined, `${event.type} without an item`)
    if (event.type === 'response.output_item.done') {
      const ended = event['item'] as Json
      must(ended['id'] === item['id'], 'another id at the end')
      done.push(ended)
      if (ended['type'] === 'message') texts.push(said)
      else if (ended['type'] === 'reasoning') thoughts.push(said)
      else {
        calls.push({
          id: String(ended['call_id']),
          name: String(ended['name']),
          input: String(ended['arguments']),
        })
      }
      item = undefined
      continue
    }
    must(event['item_id'] === item['id'], `${event.type} of another item`)
    if (event.type.endsWith('.delta')) said += String(event['delta'])
    if (event.type === 'response.output_text.done') must(event['text'] === said, 'another text')
    if (event.type === 'response.function_call_arguments.done') {
      must(event['arguments'] === (said || '{}'), 'another input')
    }
  }
  must(item === undefined, 'an item that does not end')
  must(JSON.stringify(done) === JSON.stringify(response.output), 'another output at the end')
  const stop = String(
    (response['incomplete_details'] as Json | null)?.['reason'] ?? response['status'],
  )
  return { id: String(response['id']), texts, thoughts, calls, stop, usage: response['usage'] }
}
