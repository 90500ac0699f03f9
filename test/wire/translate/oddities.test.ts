/** What servers of Chat Completions and others do that the protocols do not say. */

import { describe, expect, test } from 'vitest'
import type { NeutralEvent } from '../../../src/domain/neutral.ts'
import type { Protocol } from '../../../src/domain/provider.ts'
import { sseEvents } from '../../../src/wire/sse.ts'
import { TRANSLATION_DIALECTS } from '../../../src/wire/translate/dialects.ts'
import type { ReplyContext } from '../../../src/wire/translate/replies.ts'
import { translateStream, translateWhole } from '../../../src/wire/translate/translation.ts'
import { chunked, collect } from '../byte-stream.ts'
import { checkMessagesStream } from './grammar.ts'
import { answer, streamText } from './recorded.ts'

const CONTEXT: ReplyContext = {
  id: 'spare',
  model: 'spare-model',
  createdSeconds: 1_700_000_000,
  wish: { stream: true, thinking: false, usage: true },
}

function decoded(target: Protocol, events: readonly unknown[]): Promise<readonly NeutralEvent[]> {
  const text = streamText({ target, stream: events as Record<string, unknown>[] })
  return collect(TRANSLATION_DIALECTS[target].decodeStream(sseEvents(chunked(text))))
}

const chunk = (delta: unknown, finish: string | null = null) => ({
  id: 'c1',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
})
const call = (index: number | undefined, id: string | undefined, name?: string, args?: string) => ({
  tool_calls: [{ index, id, function: { name, arguments: args } }],
})
const names = (events: readonly NeutralEvent[]): readonly string[] =>
  events.map((event) =>
    event.type === 'call'
      ? `call ${event.id} ${event.name}`
      : event.type === 'input'
        ? `input ${event.json}`
        : event.type === 'text'
          ? `text ${event.text}`
          : event.type === 'stop'
            ? `stop ${event.reason}`
            : event.type,
  )

describe('a stream of Chat Completions', () => {
  test('may tell of calls by turns: each is told whole, the first as it comes', async () => {
    const events = await decoded('openai-chat', [
      chunk(call(0, 'a', 'f', '{"x":')),
      chunk(call(1, 'b', 'g', '{"y":')),
      chunk(call(0, undefined, undefined, '1}')),
      chunk(call(1, undefined, undefined, '2}')),
      chunk({ content: 'late' }, 'tool_calls'),
      '[DONE]',
    ])
    expect(names(events)).toEqual([
      'start',
      'call a f',
      'input {"x":',
      'input 1}',
      'call b g',
      'input {"y":',
      'input 2}',
      'text late',
      'stop tool_use',
    ])
  })

  test('may give several calls one number, no ids, and finish as any other reply', async () => {
    const events = await decoded('openai-chat', [
      chunk(call(0, 'a', 'f', '{}')),
      chunk(call(0, 'b', 'g', '{"y":2}')),
      chunk({}, 'stop'),
      '[DONE]',
    ])
    expect(names(events)).toEqual([
      'start',
      'call a f',
      'input {}',
      'call b g',
      'input {"y":2}',
      'stop tool_use',
    ])
    const nameless = await decoded('openai-chat', [
      chunk(call(undefined, '', 'f', '{}'), 'tool_calls'),
    ])
    expect(names(nameless)).toEqual(['start', 'call call_c1_0 f', 'input {}', 'stop tool_use'])
  })

  test('may repeat the id and the name of a call with each piece', async () => {
    const events = await decoded('openai-chat', [
      chunk(call(0, 'a', 'f', '{"x"')),
      chunk(call(0, 'a', 'f', ':1}'), 'tool_calls'),
      '[DONE]',
    ])
    expect(names(events)).toEqual(['start', 'call a f', 'input {"x"', 'input :1}', 'stop tool_use'])
  })

  test('may end after its finish without [DONE]', async () => {
    const events = await decoded('openai-chat', [chunk({ content: 'x' }, 'stop')])
    expect(names(events)).toEqual(['start', 'text x', 'stop end'])
  })

  test('that refuses is told as a refusal', async () => {
    const events = await decoded('openai-chat', [chunk({ refusal: 'No.' }), chunk({}, 'stop')])
    expect(names(events)).toEqual(['start', 'text No.', 'stop refusal'])
  })

  test('with an event that is no JSON, and one longer than a mebibyte, is an error', async () => {
    const stream = (text: string) =>
      collect(TRANSLATION_DIALECTS['openai-chat'].decodeStream(sseEvents(chunked(text))))
    await expect(stream('data: {"choices"\n\n')).rejects.toThrow('not JSON')
    const long = JSON.stringify(chunk({ content: 'x'.repeat(1024 * 1024) }))
    await expect(stream(`data: ${long}\n\n`)).rejects.toThrow('longer than 1 MiB')
  })

  test('with more held back than memory should hold is an error', async () => {
    const piece = 'x'.repeat(512 * 1024)
    const more = Array.from({ length: 9 }, () => chunk(call(1, undefined, undefined, piece)))
    const events = [chunk(call(0, 'a', 'f')), chunk(call(1, 'b', 'g')), ...more]
    await expect(decoded('openai-chat', events)).rejects.toThrow('longer than 4 MiB')
  })
})

test('a Messages server may put a whole call into its first event', async () => {
  const block = { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } }
  const events = await decoded('anthropic-messages', [
    { type: 'message_start', message: { id: 'm' } },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
    { type: 'message_stop' },
  ])
  expect(names(events)).toEqual(['start', 'call a f', 'input {"x":1}', 'stop tool_use'])
})

test('a call without any input is one of an empty object', async () => {
  const block = { type: 'tool_use', id: 'a', name: 'f', input: {} }
  const events = await decoded('anthropic-messages', [
    { type: 'message_start', message: { id: 'm' } },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', delta: { type: 'input_json_delta', partial_json: '' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'message_stop' },
  ])
  expect(names(events)).toEqual(['start', 'call a f', 'input {}', 'stop end'])
})

test('a Responses server may tell of the input of a call at its end alone', async () => {
  const item = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{"x":1}' }
  const events = await decoded('openai-responses', [
    { type: 'response.created', response: { id: 'r' } },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { status: 'completed' } },
  ])
  expect(names(events)).toEqual(['start', 'call a f', 'input {"x":1}', 'stop tool_use'])
})

describe.each<[Protocol, unknown]>([
  ['openai-chat', { error: { message: 'Overloaded', code: 529 } }],
  [
    'anthropic-messages',
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  ],
  [
    'openai-responses',
    {
      type: 'response.failed',
      response: { error: { code: 'server_is_overloaded', message: 'Overloaded' } },
    },
  ],
])('an error of %s', (target, error) => {
  test('ends the stream, and its words are kept', async () => {
    const events = await decoded(target, [error, { type: 'ping' }])
    expect(events).toMatchObject([{ type: 'error', failure: { words: 'Overloaded' } }])
  })

  test('where a whole reply should be is no reply', async () => {
    const body = (error as { response?: unknown }).response ?? error
    const source = target === 'openai-chat' ? 'anthropic-messages' : 'openai-chat'
    const whole = await translateWhole(
      { source, target },
      answer(chunked(JSON.stringify(body)), 'application/json'),
      CONTEXT,
    )
    expect(whole).toMatchObject({ fault: { kind: 'failed', failure: { words: 'Overloaded' } } })
  })
})

test('what comes after the stop does not spoil the reply', async () => {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* chunked(
      streamText({ target: 'openai-chat', stream: [chunk({ content: 'x' }), '[DONE]'] }),
    )
    throw new Error('connection reset')
  }
  const way = { source: 'anthropic-messages', target: 'openai-chat' } as const
  const texts = await collect(
    translateStream(way, answer(body(), 'text/event-stream'), CONTEXT, () => undefined),
  )
  expect(checkMessagesStream(texts.join('')).texts).toEqual(['x'])
})

test('a body that is compressed though that was not asked for is not guessed at', async () => {
  const given = answer(chunked('\u001f\u008b'), 'application/json')
  const whole = await translateWhole(
    { source: 'anthropic-messages', target: 'openai-chat' },
    { ...given, headers: { ...given.headers, 'content-encoding': 'gzip' } },
    CONTEXT,
  )
  expect(whole).toMatchObject({ fault: { kind: 'unreadable' } })
})

test('thoughts are told to those alone who ask for them', async () => {
  const events = [chunk({ reasoning_content: 'hm' }), chunk({ content: 'x' }, 'stop'), '[DONE]']
  const text = streamText({ target: 'openai-chat', stream: events })
  const way = { source: 'anthropic-messages', target: 'openai-chat' } as const
  for (const thinking of [true, false]) {
    const context = { ...CONTEXT, wish: { ...CONTEXT.wish, thinking } }
    const given = answer(chunked(text), 'text/event-stream')
    const texts = await collect(translateStream(way, given, context, () => undefined))
    expect(checkMessagesStream(texts.join('')).thoughts).toEqual(thinking ? ['hm'] : [])
  }
})

test('a stream is read no faster than it is told, and left when its client leaves', async () => {
  let pulled = 0
  let left = false
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        pulled += 1
        yield* chunked(streamText({ target: 'openai-chat', stream: [chunk({ content: 'x' })] }))
      }
    } finally {
      left = true
    }
  }
  const way = { source: 'anthropic-messages', target: 'openai-chat' } as const
  const told = translateStream(way, answer(body(), 'text/event-stream'), CONTEXT, () => undefined)
  for (let taken = 0; taken < 3; taken += 1) await told.next()
  expect(pulled).toBeLessThanOrEqual(4)
  await told.return()
  expect(left).toBe(true)
})
