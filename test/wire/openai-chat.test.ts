import { describe, expect, test } from 'vitest'
import { decodeOpenaiStream, encodeOpenaiRequest } from '../../src/wire/openai-chat.ts'
import { renderSse, sseEvents } from '../../src/wire/sse.ts'
import { chunked, collect } from './byte-stream.ts'

const frame = (chunk: object): string => renderSse({ data: JSON.stringify(chunk) })
const word = (content: string | null, finish: string | null = null): string =>
  frame({ choices: [{ delta: { content }, finish_reason: finish }], usage: null })
const DONE = 'data: [DONE]\n\n'

const decode = (text: string): ReturnType<typeof decodeOpenaiStream> =>
  decodeOpenaiStream(sseEvents(chunked(text)))

describe('encodeOpenaiRequest', () => {
  test('puts the system text first and asks for the usage', () => {
    const request = {
      model: 'llama-3.3-70b-versatile',
      system: 'be brief',
      messages: [{ role: 'user', text: 'hi' }],
      maxTokens: 9,
    } as const
    expect(JSON.parse(encodeOpenaiRequest(request))).toEqual({
      model: 'llama-3.3-70b-versatile',
      max_tokens: 9,
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'hi' },
      ],
    })
  })

  test.each([
    ['gpt-5.1', 'max_completion_tokens'],
    ['o3-mini', 'max_completion_tokens'],
    ['openai/gpt-5.1', 'max_completion_tokens'],
    ['gpt-4o', 'max_tokens'],
    ['olmo-2', 'max_tokens'],
  ])('%s is told its limit as %s', (model, limit) => {
    expect(JSON.parse(encodeOpenaiRequest({ model, messages: [], maxTokens: 9 }))).toHaveProperty(
      limit,
      9,
    )
  })
})

describe('decodeOpenaiStream', () => {
  test('gives text and usage, and the reason of the stop last', async () => {
    const usage = { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 }
    const text =
      frame({ choices: [{ delta: { role: 'assistant', content: '' } }] }) +
      word('one ') +
      word('two') +
      word(null, 'length') +
      frame({ choices: [], usage }) +
      DONE
    expect(await collect(decode(text))).toEqual([
      { type: 'text', text: 'one ' },
      { type: 'text', text: 'two' },
      { type: 'usage', usage: { inputTokens: 4, outputTokens: 2 } },
      { type: 'stop', reason: 'max_tokens' },
    ])
  })

  test.each([
    ['an object', { message: 'Provider returned error', code: 502 }],
    ['a text', 'Provider returned error'],
  ])('an error as %s is the last event', async (_form, error) => {
    const text = word('one') + frame({ error, choices: [{ delta: {}, finish_reason: 'error' }] })
    expect(await collect(decode(text))).toEqual([
      { type: 'text', text: 'one' },
      {
        type: 'error',
        words: 'Provider returned error',
        failure: expect.objectContaining({ reason: 'server_error' }),
      },
    ])
  })

  test('a stream without [DONE] throws, even after a reason of the stop', async () => {
    await expect(collect(decode(word('one', 'stop')))).rejects.toThrow('ended before the reply did')
  })
})
