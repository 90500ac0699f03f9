import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Seen } from '../../src/wire/usage-peek.ts'
import { createUsagePeek, LONGEST_PEEKED } from '../../src/wire/usage-peek.ts'
import { chunked, chunkSizes } from './byte-stream.ts'

const STREAM = { 'content-type': 'text/event-stream; charset=utf-8' }
const JSON_BODY = { 'content-type': 'application/json' }

async function seen(
  headers: Parameters<typeof createUsagePeek>[0],
  text: string,
  sizes?: readonly number[],
): Promise<Seen> {
  const peek = createUsagePeek(headers)
  for await (const chunk of chunked(text, sizes)) peek.push(chunk)
  return peek.seen()
}

const events = (...data: readonly unknown[]): string =>
  data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('')

const ANTHROPIC = events(
  {
    type: 'message_start',
    message: {
      usage: {
        input_tokens: 10,
        cache_creation_input_tokens: 30,
        cache_read_input_tokens: 200,
        output_tokens: 1,
      },
    },
  },
  { type: 'content_block_delta', delta: { type: 'text_delta', text: 'grüße 😀 "usage"' } },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 55 } },
  { type: 'message_stop' },
)
const OPENAI = events(
  { choices: [{ delta: { content: 'hi' }, finish_reason: null }], usage: null },
  { choices: [{ delta: {}, finish_reason: 'stop' }], usage: null },
  {
    choices: [],
    usage: {
      prompt_tokens: 240,
      completion_tokens: 55,
      prompt_tokens_details: { cached_tokens: 200 },
    },
  },
  '[DONE]',
)

describe('a stream', () => {
  test("of Anthropic's tells its input at the start and its output at the end, the cache apart", async () => {
    expect(await seen(STREAM, ANTHROPIC)).toEqual({
      usage: { inputTokens: 240, outputTokens: 55, cacheReadTokens: 200, cacheWriteTokens: 30 },
      whole: true,
    })
  })

  test("of OpenAI's tells both in its last chunk, the cache among the input", async () => {
    expect(await seen(STREAM, OPENAI)).toEqual({
      usage: { inputTokens: 240, outputTokens: 55, cacheReadTokens: 200 },
      whole: true,
    })
  })

  test('of the responses protocol tells both in its last event', async () => {
    const usage = {
      input_tokens: 7,
      output_tokens: 8,
      input_tokens_details: { cached_tokens: 2 },
    }
    const text = events({ type: 'response.completed', response: { usage } })
    expect(await seen(STREAM, text)).toEqual({
      usage: { inputTokens: 7, outputTokens: 8, cacheReadTokens: 2 },
      whole: true,
    })
  })

  test('that has no last event is not whole, and what it said until then stands', async () => {
    const cut = ANTHROPIC.slice(0, ANTHROPIC.indexOf('data: {"type":"message_delta"'))
    expect(await seen(STREAM, cut)).toMatchObject({ whole: false, usage: { inputTokens: 240 } })
  })

  test('with an error inside says so', async () => {
    const text = events({ type: 'error', error: { type: 'overloaded_error' } })
    expect(await seen(STREAM, text)).toMatchObject({
      error: '{"type":"error","error":{"type":"overloaded_error"}}',
    })
    for (const said of [{ error: { code: 502 } }, { choices: [{ error: { code: 502 } }] }]) {
      expect(await seen(STREAM, events(said))).toMatchObject({ error: JSON.stringify(said) })
    }
  })

  test('says the same however its bytes are cut and its lines are ended', async () => {
    const texts = [ANTHROPIC, OPENAI, `\uFEFF: hello\n${ANTHROPIC}`]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...texts),
        fc.constantFrom('\n', '\r\n', '\r'),
        chunkSizes,
        async (text, newline, sizes) => {
          const sent = text.replaceAll('\n', newline)
          expect(await seen(STREAM, sent, sizes)).toEqual(await seen(STREAM, text))
        },
      ),
    )
  })

  test('with an event that is too long is read on after it', async () => {
    const long = `data: {"usage":{"input_tokens":1},"x":"${'y'.repeat(2 * LONGEST_PEEKED)}"}\n\n`
    expect(await seen(STREAM, long + ANTHROPIC)).toEqual(await seen(STREAM, ANTHROPIC))
    const lines = `${'data: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n'.repeat(10_000)}\n`
    expect(await seen(STREAM, lines + ANTHROPIC)).toEqual(await seen(STREAM, ANTHROPIC))
  })

  test('of anything at all is never a reason to throw', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (bytes) => {
        const peek = createUsagePeek(STREAM)
        peek.push(bytes)
        peek.push(new TextEncoder().encode('"usage"\n\n'))
        expect(peek.seen().usage).toBeUndefined()
      }),
    )
  })
})

const body = {
  id: 'msg',
  content: [{ type: 'text', text: 'a "usage": {"input_tokens": 9} } \\" [' }],
  'tricky,: key': { usage: { input_tokens: 1, output_tokens: 1 } },
  usage: { input_tokens: 3, output_tokens: 2, deep: [{ x: '}' }] },
  error: null,
}

describe('a JSON body', () => {
  test('tells what its own member says, and not what stands further in', async () => {
    expect(await seen(JSON_BODY, JSON.stringify(body))).toEqual({
      usage: { inputTokens: 3, outputTokens: 2 },
      whole: true,
    })
  })

  test('says the same however its bytes are cut and it is laid out', async () => {
    await fc.assert(
      fc.asyncProperty(chunkSizes, fc.constantFrom(0, 2), async (sizes, indent) => {
        const text = JSON.stringify(body, null, indent)
        expect(await seen(JSON_BODY, text, sizes)).toMatchObject({
          usage: { inputTokens: 3, outputTokens: 2 },
          whole: true,
        })
      }),
    )
  })

  test('finds in any JSON what parsing the whole of it finds', async () => {
    const usage = fc.record({ prompt_tokens: fc.nat(9999), completion_tokens: fc.nat(9999) })
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 }),
        usage,
        chunkSizes,
        async (others, counts, sizes) => {
          const { usage: _, error: __, ...rest } = others
          const text = JSON.stringify({ ...rest, usage: counts })
          expect((await seen(JSON_BODY, text, sizes)).usage).toEqual({
            inputTokens: counts.prompt_tokens,
            outputTokens: counts.completion_tokens,
          })
        },
      ),
    )
  })

  test('that breaks off is not whole', async () => {
    expect(await seen(JSON_BODY, JSON.stringify(body).slice(0, -1))).toMatchObject({ whole: false })
  })

  test('with an error inside a success says so', async () => {
    const text = JSON.stringify({ error: { message: 'no', code: 402 } })
    expect(await seen(JSON_BODY, text)).toMatchObject({ error: text, whole: true })
  })

  test('of many megabytes is counted through, and its usage found', async () => {
    const text = JSON.stringify({ data: 'z'.repeat(3_000_000), ...body })
    expect((await seen(JSON_BODY, text)).usage).toEqual({ inputTokens: 3, outputTokens: 2 })
  })
})

test('a body that cannot be read as it passes says nothing, not even whether it is whole', async () => {
  const compressed = { ...STREAM, 'content-encoding': 'gzip' }
  expect(await seen(compressed, ANTHROPIC)).toEqual({})
  expect(await seen({ 'content-type': 'audio/mpeg' }, ANTHROPIC)).toEqual({})
  expect(await seen({}, ANTHROPIC)).toEqual({})
})

test('counts that make no sense are left out', async () => {
  const text = JSON.stringify({ usage: { input_tokens: -1, output_tokens: 'many' } })
  expect((await seen(JSON_BODY, text)).usage).toBeUndefined()
})
