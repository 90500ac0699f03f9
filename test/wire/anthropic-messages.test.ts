import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeAnthropicStream, encodeAnthropicRequest } from '../../src/wire/anthropic-messages.ts'
import { renderSse, sseEvents } from '../../src/wire/sse.ts'
import { chunked, chunkSizes, collect } from './byte-stream.ts'

const frame = (type: string, fields: object = {}): string =>
  renderSse({ event: type, data: JSON.stringify({ type, ...fields }) })

const START = frame('message_start', {
  message: { usage: { input_tokens: 5, cache_read_input_tokens: 20, output_tokens: 1 } },
})
const HELLO = frame('content_block_delta', {
  index: 0,
  delta: { type: 'text_delta', text: 'héllo' },
})
const END =
  frame('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } }) +
  frame('message_stop')

const decode = (
  text: string,
  sizes: readonly number[] = [],
): ReturnType<typeof decodeAnthropicStream> =>
  decodeAnthropicStream(sseEvents(chunked(text, sizes)))

describe('encodeAnthropicRequest', () => {
  test('asks for a stream, and leaves out messages without text', () => {
    const messages = [
      { role: 'user', text: 'hi' },
      { role: 'assistant', text: '' },
      { role: 'user', text: 'still there?' },
    ] as const
    expect(
      JSON.parse(
        encodeAnthropicRequest({ model: 'm', system: 'be brief', messages, maxTokens: 9 }),
      ),
    ).toEqual({
      model: 'm',
      max_tokens: 9,
      stream: true,
      system: 'be brief',
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'user', content: 'still there?' },
      ],
    })
  })
})

describe('decodeAnthropicStream', () => {
  test('gives text, usage and the reason of the stop, however the bytes are cut', async () => {
    const text =
      START +
      frame('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }) +
      frame('ping') +
      HELLO +
      frame('content_block_delta', {
        index: 1,
        delta: { type: 'thinking_delta', thinking: 'hm' },
      }) +
      frame('an_event_of_the_future', { delta: 1 }) +
      END
    await fc.assert(
      fc.asyncProperty(chunkSizes, async (sizes) => {
        expect(await collect(decode(text, sizes))).toEqual([
          { type: 'usage', usage: { inputTokens: 25, outputTokens: 1 } },
          { type: 'text', text: 'héllo' },
          { type: 'usage', usage: { outputTokens: 7 } },
          { type: 'stop', reason: 'end_turn' },
        ])
      }),
    )
  })

  test('an error event is the last one, its words made safe', async () => {
    const error = frame('error', {
      error: { type: 'overloaded_error', message: 'Over\u001b[1mloaded' },
    })
    expect((await collect(decode(START + error + HELLO))).at(-1)).toEqual({
      type: 'error',
      words: 'Overloaded',
      failure: { reason: 'overloaded', status: 200, words: 'Overloaded' },
    })
  })

  test('a stream without its last event throws after what came', async () => {
    const seen: string[] = []
    const reading = (async (): Promise<void> => {
      for await (const event of decode(START + HELLO)) seen.push(event.type)
    })()
    await expect(reading).rejects.toThrow('the stream ended before the reply did')
    expect(seen).toEqual(['usage', 'text'])
  })

  test('an event that is no JSON throws', async () => {
    await expect(collect(decode('data: <html>\n\n'))).rejects.toThrow('not JSON')
  })
})
