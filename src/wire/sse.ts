/** Server-sent events: bytes to events, events to text. What an event means is its dialect's matter. */

import { createParser } from 'eventsource-parser'

export interface SseEvent {
  /** Where a reader goes on after it. */
  readonly id?: string
  readonly event?: string
  readonly data: string
}

/** Longest data of one event, in UTF-16 units: no provider comes near it. */
export const LONGEST_EVENT: number = 1024 * 1024

/**
 * The events of a stream, however its bytes are cut into chunks. What stands after the last blank line is no event.
 *
 * Throws when the body does, and when an event is longer than `LONGEST_EVENT`.
 *
 * @source WHATWG HTML, "Interpreting an event stream"
 */
export async function* sseEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<SseEvent, void> {
  const ready: SseEvent[] = []
  let tooLong = false
  const parser = createParser({
    // Twice the limit leaves room for field names, so that it is always the data's own length that decides.
    maxBufferSize: 2 * LONGEST_EVENT,
    onEvent: ({ id, event, data }) => {
      tooLong ||= data.length > LONGEST_EVENT
      if (tooLong) return
      ready.push({ ...(id !== undefined && { id }), ...(event !== undefined && { event }), data })
    },
    onError: (error) => {
      tooLong ||= error.type === 'max-buffer-size-exceeded'
    },
  })
  const decoder = new TextDecoder()
  let last = ''
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true })
    if (text === '') continue
    last = text
    parser.feed(text)
    yield* ready.splice(0)
    if (tooLong) throw new Error('an event of the stream is longer than 1 MiB')
  }
  // A carriage return at the very end waits for a line feed that would belong to it.
  if (last.endsWith('\r')) parser.feed('\n')
  yield* ready.splice(0)
}

/** An event as it travels. */
export function renderSse({ id, event, data }: SseEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`)
  const named = event === undefined ? '' : `event: ${event}\n`
  return `${id === undefined ? '' : `id: ${id}\n`}${named}${lines.join('')}\n`
}
