import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Beginning } from '../../src/domain/ports.ts'
import { BEGINNINGS, LONGEST_BEGINNING, watchBeginning } from '../../src/wire/reply-beginning.ts'
import { chunked, chunkSizes } from './byte-stream.ts'

const STREAM = { 'content-type': 'text/event-stream; charset=utf-8' }
const JSON_BODY = { 'content-type': 'application/json' }
const event = (data: unknown, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`

const ERROR = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
const NOTHING_SAID: readonly (readonly [string, string])[] = [
  ['a comment', ': OPENROUTER PROCESSING\n\n'],
  ['a ping', event({ type: 'ping' }, 'ping')],
  ['a ping without content', event({}, 'ping')],
  ['the start of a message', event({ type: 'message_start', message: { content: [] } })],
  [
    'the start of an empty block',
    event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  ],
  ['a role', event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] })],
  ['a filter of the prompt', event({ choices: [], prompt_filter_results: [{}] })],
  [
    'a response that is in progress',
    event({ type: 'response.created', response: { error: null } }),
  ],
]
const WORDS: readonly (readonly [string, string])[] = [
  ['text of Anthropic', event({ type: 'content_block_delta', delta: { text: 'H' } })],
  [
    'a call of a tool',
    event({ type: 'content_block_start', content_block: { type: 'tool_use', id: 't', input: {} } }),
  ],
  ['text of OpenAI', event({ choices: [{ delta: { content: 'H' } }] })],
  ['a thought', event({ choices: [{ delta: { content: null, reasoning_content: 'Hm' } }] })],
  ['a call by OpenAI', event({ choices: [{ delta: { tool_calls: [{ index: 0 }] } }] })],
  ['an end', event({ choices: [{ delta: {}, finish_reason: 'stop' }] })],
  ['the end of a message', event({ type: 'message_stop' })],
  ['the last line', event('[DONE]')],
  ['a word of the Responses', event({ type: 'response.output_text.delta', delta: 'H' })],
  ['something unheard of', event({ type: 'tomorrow' })],
  ['no JSON', event('tomorrow')],
]
const ERRORS: readonly (readonly [string, string])[] = [
  ['Anthropic', event(ERROR, 'error')],
  ['OpenAI', event({ error: { code: 'server_is_overloaded', message: 'Overloaded' } })],
  ['OpenRouter, in a choice', event({ choices: [{ delta: {}, error: { code: 502 } }] })],
  ['a plain text', event({ error: 'Overloaded' })],
  ['a bare event', event({ message: 'Overloaded' }, 'error')],
  [
    'the Responses',
    event({ type: 'response.failed', response: { error: { code: 'server_error' } } }),
  ],
]

/** What is told after each chunk, without repeats; the last is for good. */
async function told(
  text: string,
  headers: Readonly<Record<string, string>>,
  sizes: readonly number[] = [],
): Promise<Beginning> {
  const watch = watchBeginning(headers)
  for await (const chunk of chunked(text, sizes)) {
    const said = watch.push(chunk)
    if (said.kind !== 'undecided') return said
  }
  return watch.end()
}

describe('a stream', () => {
  test.each(NOTHING_SAID)('that has brought %s is undecided, and cut if it ends so', (_, text) => {
    const watch = watchBeginning(STREAM)
    expect(watch.push(Buffer.from(text))).toEqual({ kind: 'undecided' })
    expect(watch.streams()).toBe(true)
    expect(watch.end()).toEqual({ kind: 'cut' })
  })

  test.each(WORDS)('is a reply as soon as there is %s, whatever comes after it', (_, text) => {
    const opening = NOTHING_SAID.map(([, data]) => data).join('')
    expect(watchBeginning(STREAM).push(Buffer.from(opening + text))).toEqual({ kind: 'reply' })
    expect(watchBeginning(STREAM).push(Buffer.from(text + event(ERROR)))).toEqual({ kind: 'reply' })
  })

  test.each(ERRORS)('is an error when that of %s comes before any word', async (_, text) => {
    const opening = NOTHING_SAID.map(([, data]) => data).join('')
    expect(await told(opening + text, STREAM)).toMatchObject({ kind: 'error' })
    // The last event of a server that hangs up in haste.
    expect(await told(text.trimEnd(), STREAM)).toMatchObject({ kind: 'error' })
  })

  test('gives the error as an error answer has it', async () => {
    const body = JSON.stringify(ERROR)
    expect(await told(event(ERROR), STREAM)).toEqual({ kind: 'error', body })
    const failed = { type: 'response.failed', response: { error: { code: 'rate_limit_exceeded' } } }
    expect(await told(event(failed), STREAM)).toEqual({
      kind: 'error',
      body: '{"error":{"code":"rate_limit_exceeded"}}',
    })
  })

  test('is told from a JSON body by its first characters, whatever its type says', async () => {
    expect(await told(event(ERROR), JSON_BODY)).toMatchObject({ kind: 'error' })
    expect(await told(JSON.stringify(ERROR), STREAM)).toMatchObject({ kind: 'error' })
    expect(await told(event(ERROR), {})).toMatchObject({ kind: 'error' })
    expect(await told('{"id":"x","choices":[]}', STREAM)).toEqual({ kind: 'reply' })
  })
})

describe('a JSON body', () => {
  test.each([
    ['an error of OpenRouter', { error: { code: 429, message: 'Rate limited' }, user_id: 'u' }],
    ['an error of Anthropic', ERROR],
    ['an error of Google, in a list', [{ error: { code: 400, status: 'INVALID_ARGUMENT' } }]],
    ['an error in a choice', { choices: [{ message: { content: 'He' }, error: { code: 502 } }] }],
    ['a response that failed', { object: 'response', error: { code: 'server_error' } }],
  ])('that holds %s is an error, with all of it', async (_, value) => {
    const body = JSON.stringify(value)
    expect(await told(body, JSON_BODY)).toEqual({ kind: 'error', body })
  })

  test.each([
    ['a message', { type: 'message', content: [{ type: 'text', text: '{"error":{"x":1}}' }] }],
    ['a completion', { choices: [{ message: { content: 'error' }, error: null }], error: null }],
    ['a response', { object: 'response', status: 'completed', error: {} }],
    ['nothing', {}],
  ])('that holds %s is a reply, told at its end', async (_, value) => {
    const watch = watchBeginning(JSON_BODY)
    expect(watch.push(Buffer.from(JSON.stringify(value)))).toEqual({ kind: 'undecided' })
    expect(watch.streams()).toBe(false)
    expect(watch.end()).toEqual({ kind: 'reply' })
  })

  test('that is longer than is looked at, or broken off, passes', async () => {
    const long = JSON.stringify({ content: 'x'.repeat(LONGEST_BEGINNING), error: ERROR.error })
    expect(watchBeginning(JSON_BODY).push(Buffer.from(long))).toEqual({ kind: 'reply' })
    expect(await told('{"content":', JSON_BODY)).toEqual({ kind: 'reply' })
  })
})

describe('what is no reply of a model', () => {
  test.each([
    ['nothing', '', {}],
    ['nothing but blanks', ' \n', JSON_BODY],
    ['a page', '<!DOCTYPE html><title>Hello</title>', { 'content-type': 'text/html' }],
    ['a page with a type that is not true', '<html></html>', JSON_BODY],
    ['a word', 'OK', { 'content-type': 'text/plain' }],
  ])('is an error: %s', async (_, text, headers) => {
    expect(await told(text, headers)).toEqual({ kind: 'error', body: text.trim() })
  })

  test('is one too when it is longer than is looked at', () => {
    const page = `<html>${'x'.repeat(LONGEST_BEGINNING)}`
    const said = watchBeginning({ 'content-type': 'text/html' }).push(Buffer.from(page))
    expect(said).toEqual({ kind: 'error', body: page.slice(0, LONGEST_BEGINNING) })
  })
})

test.each([
  ['compressed', { ...JSON_BODY, 'content-encoding': 'gzip' }],
  ['of another type', { 'content-type': 'application/vnd.amazon.eventstream' }],
])('a body that is %s passes before anything of it has come', (_, headers) => {
  expect(watchBeginning(headers).push(new Uint8Array())).toEqual({ kind: 'reply' })
})

test('however the bytes are cut into chunks, the same is told', () => {
  const parts = [...NOTHING_SAID, ...WORDS, ...ERRORS].map(([, text]) => text)
  const bodies = fc.oneof(
    fc.array(fc.constantFrom(...parts), { maxLength: 6 }).map((events) => events.join('')),
    fc.constantFrom(...parts).map((text) => text.replaceAll('\n', '\r\n')),
    fc.constantFrom(...parts).map((text) => text.replaceAll('\n', '\r')),
    fc.json(),
    fc.constantFrom(
      JSON.stringify(ERROR),
      `\ufeff${JSON.stringify(ERROR)}`,
      '<html>é</html>',
      'da',
    ),
    fc.string({ unit: 'binary' }),
  )
  const types = fc.constantFrom<Record<string, string>>(STREAM, JSON_BODY, {})
  return fc.assert(
    fc.asyncProperty(bodies, types, chunkSizes, async (text, headers, sizes) => {
      expect(await told(text, headers, sizes)).toEqual(await told(text, headers))
    }),
    { numRuns: 500 },
  )
})

test('a body that broke off was no fault of the host being out of reach', () => {
  const broken = Object.assign(new Error('secret'), { code: 'ETIMEDOUT' })
  expect(BEGINNINGS.broken(broken, 'example.com')).toEqual({
    reason: 'network',
    words: 'connecting to example.com took too long (ETIMEDOUT)',
  })
  const idle = Object.assign(new Error('x'), { code: 'UND_ERR_BODY_TIMEOUT' })
  expect(BEGINNINGS.broken(idle, 'example.com')).toMatchObject({ reason: 'timeout' })
  expect(BEGINNINGS.broken(undefined, 'example.com')).toMatchObject({ reason: 'network' })
})
