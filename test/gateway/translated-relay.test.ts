import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { aProfile } from '../../src/testing.ts'
import type { Reply, TestGateway } from './fake-app.ts'
import { call, deferred, withUpstream } from './fake-app.ts'

const CHAT_CHUNKS = [
  '{"id":"chatcmpl-7","object":"chat.completion.chunk","model":"gpt-5.1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}',
  '{"id":"chatcmpl-7","choices":[{"index":0,"delta":{"content":"Grüße "},"finish_reason":null}]}',
  '{"id":"chatcmpl-7","choices":[{"index":0,"delta":{"content":"🌍"},"finish_reason":null}]}',
  '{"id":"chatcmpl-7","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
  '{"id":"chatcmpl-7","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":5}}}',
  '[DONE]',
]
const CHAT_STREAM = CHAT_CHUNKS.map((data) => `data: ${data}\n\n`).join('')
const CHAT_WHOLE = JSON.stringify({
  id: 'chatcmpl-7',
  object: 'chat.completion',
  model: 'gpt-5.1',
  choices: [
    { index: 0, message: { role: 'assistant', content: 'Grüße 🌍' }, finish_reason: 'stop' },
  ],
  usage: { prompt_tokens: 9, completion_tokens: 4 },
})
const ASK = {
  model: 'openai/gpt-5.1',
  max_tokens: 50,
  messages: [{ role: 'user', content: 'hi' }],
}
const options = { profiles: [aProfile('openai:work'), aProfile('anthropic:work')] }

interface Seen {
  url?: string | undefined
  body: Record<string, unknown>
  headers: IncomingMessage['headers']
}

/** Asks a gateway whose providers are this one. */
async function asked(
  path: string,
  body: unknown,
  answer: (response: ServerResponse, seen: Seen) => void,
  headers: Record<string, string> = {},
  more: Partial<Parameters<typeof withUpstream>[2]> = {},
): Promise<{
  readonly reply: Reply
  readonly seen: readonly Seen[]
  readonly gateway: TestGateway
}> {
  const seen: Seen[] = []
  let told: { reply: Reply; gateway: TestGateway } | undefined
  await withUpstream(
    async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const one: Seen = {
        url: request.url,
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
      }
      seen.push(one)
      answer(response, one)
    },
    async (gateway) => {
      const text = JSON.stringify(body)
      told = { reply: await call(gateway.port, path, { body: text, headers }), gateway }
    },
    { ...options, ...more },
  )
  if (!told) throw new Error('no reply')
  return { ...told, seen }
}

const stream =
  (text: string) =>
  (response: ServerResponse): void => {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'x-ratelimit-limit-requests': '9',
    })
    response.end(text)
  }
const whole =
  (text: string) =>
  (response: ServerResponse): void => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    })
    response.end(text)
  }

describe('a client of the Messages API on a model of Chat Completions', () => {
  test('gets a whole reply, with the length of its own body', async () => {
    const { reply, seen } = await asked('/v1/messages?beta=true', ASK, whole(CHAT_WHOLE), {
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'one-2026',
    })
    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.body)).toEqual({
      id: 'msg_chatcmpl-7',
      type: 'message',
      role: 'assistant',
      model: 'gpt-5.1',
      content: [{ type: 'text', text: 'Grüße 🌍' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: {
        input_tokens: 9,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: 4,
      },
    })
    expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(reply.body)))
    expect(reply.headers['x-equabot-profile']).toBe('openai:work')
    expect(seen[0]?.url).toBe('/v1/chat/completions')
    expect(seen[0]?.body).toEqual({
      model: 'gpt-5.1',
      messages: [{ role: 'user', content: 'hi' }],
      max_completion_tokens: 50,
    })
    expect(Object.keys(seen[0]?.headers ?? {})).not.toContain('anthropic-beta')
  })

  test('gets a stream in the order of its own protocol', async () => {
    const { reply, seen } = await asked(
      '/v1/messages',
      { ...ASK, stream: true },
      stream(CHAT_STREAM),
    )
    expect(seen[0]?.body['stream_options']).toEqual({ include_usage: true })
    expect(reply.headers['content-type']).toContain('text/event-stream')
    expect(reply.headers['x-ratelimit-limit-requests']).toBe('9')
    expect(reply.body.match(/^event: .*$/gm)).toEqual(
      [
        'message_start',
        'content_block_start',
        'content_block_delta',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ].map((name) => `event: ${name}`),
    )
    expect(reply.body).toContain('"cache_read_input_tokens":5')
    expect(reply.body).toContain('"input_tokens":4')
  })
})

describe('what goes wrong on the way', () => {
  test('a stream without its last event ends with an error event of the client', async () => {
    const cut = CHAT_STREAM.slice(0, CHAT_STREAM.indexOf('🌍'))
    const { reply } = await asked('/v1/messages', { ...ASK, stream: true }, stream(cut))
    expect(reply.body).toMatch(/event: error\ndata: {"type":"error".*EQ_UPSTREAM_CUT.*\n\n$/)
    expect(reply.body).toContain('the stream ended before the reply did')
    expect(reply.body).not.toContain('message_stop')
  })

  test("a provider's error in the stream is told as the client's protocol tells it", async () => {
    const error = 'data: {"error":{"message":"Overloaded","type":"server_error","code":529}}\n\n'
    const { reply } = await asked(
      '/v1/messages',
      { ...ASK, stream: true },
      stream(
        CHAT_STREAM.slice(0, CHAT_STREAM.indexOf('data: {"id":"chatcmpl-7","choices":[],')) + error,
      ),
    )
    expect(reply.body).toMatch(
      /event: error\ndata: {"type":"error","error":{"type":"overloaded_error"/,
    )
  })

  test('a refusal of the request is told in our words, not in the protocol of the provider', async () => {
    const { reply } = await asked('/v1/messages', ASK, (response) => {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end('{"error":{"message":"max_tokens is too large","type":"invalid_request_error"}}')
    })
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.body)).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', code: 'EQ_UPSTREAM_REJECTED' },
    })
    expect(reply.body).toContain('max_tokens is too large')
  })

  test.each([
    // What is clearly no reply is a failure before the first word: others would have been asked.
    ['no JSON', '<html>', 'EQ_UPSTREAM_FAILED'],
    ['no choice', '{"choices":[]}', 'EQ_UPSTREAM_UNREADABLE'],
    [
      'a call with no JSON',
      '{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}}]}',
      'EQ_UPSTREAM_UNREADABLE',
    ],
  ])('a whole reply that is %s is a 502', async (_what, text, code) => {
    const { reply } = await asked('/v1/messages', ASK, whole(text))
    expect([reply.status, reply.body.includes(code)]).toEqual([502, true])
  })

  test('a whole reply that breaks off is a 502 and no half of an answer', async () => {
    const { reply } = await asked('/v1/messages', ASK, (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 5000 })
      response.write(CHAT_WHOLE, () => response.destroy())
    })
    expect([reply.status, reply.body.includes('EQ_UPSTREAM_FAILED')]).toEqual([502, true])
  })

  test('a field without an equal is a 400 that names it, and nothing is sent', async () => {
    const { reply, seen } = await asked('/v1/messages', { ...ASK, top_k: 3 }, whole(CHAT_WHOLE))
    expect(reply.status).toBe(400)
    expect(reply.body).toMatch(/top_k cannot be carried to a model that speaks openai-chat/)
    expect(seen).toEqual([])
  })

  test('a client that leaves ends the request upstream', async () => {
    const closed = deferred()
    const first = deferred()
    await withUpstream(
      (_request, response) => {
        response.on('close', () => closed.resolve())
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`data: ${CHAT_CHUNKS[0]}\n\ndata: ${CHAT_CHUNKS[1]}\n\n`)
      },
      async ({ port }) => {
        const leaving = new AbortController()
        const body = JSON.stringify({ ...ASK, stream: true })
        const onData = (): void => first.resolve()
        const { signal } = leaving
        const reply = call(port, '/v1/messages', { body, signal, onData }).catch(() => 'gone')
        await first.promise
        leaving.abort()
        await reply
        await closed.promise
      },
      options,
    )
  })
})

test('fields left out without harm are named', async () => {
  const more = { service_tier: 'auto', context_management: { edits: [] }, 'Odd name': 1 }
  const { reply } = await asked('/v1/messages', { ...ASK, ...more }, whole(CHAT_WHOLE))
  expect(reply.headers['x-equabot-dropped']).toBe('service_tier, context_management')
})

test('a fallback of another protocol serves, and its reply is translated', async () => {
  const model = { primary: 'anthropic/claude-sonnet-5', fallbacks: ['openai/gpt-5.1'] }
  const { reply, seen } = await asked(
    '/v1/messages',
    { ...ASK, model: 'claude-sonnet-5', top_k: undefined },
    (response, { url }) => {
      if (url === '/v1/messages') response.writeHead(529).end('{}')
      else whole(CHAT_WHOLE)(response)
    },
    {},
    { agents: { model } },
  )
  expect(seen.map(({ url }) => url)).toEqual(['/v1/messages', '/v1/chat/completions'])
  expect(JSON.parse(reply.body)).toMatchObject({ type: 'message', role: 'assistant' })
  expect(reply.headers['x-equabot-model']).toBe('openai/gpt-5.1')
})

test('a Responses request to OpenAI itself passes byte for byte, and so does its reply', async () => {
  const body = '{ "model":"gpt-5.1", "input":"h\\u00e9", "previous_response_id":"resp_0" }'
  const events = 'event: response.completed\ndata: {"type":"response.completed"}\n\n'
  let sent = ''
  await withUpstream(
    async (request, response) => {
      for await (const chunk of request) sent += String(chunk)
      stream(events)(response)
    },
    async ({ port }) => {
      const reply = await call(port, '/v1/responses', { body })
      expect(reply.body).toBe(events)
    },
    options,
  )
  expect(sent).toBe(body)
})

test('a Responses client is told of a stream that is cut by a response that failed', async () => {
  const body = { model: 'openai/gpt-5.1', input: 'hi', stream: true }
  const { reply } = await asked(
    '/v1/responses',
    body,
    stream(
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"a"}\n\n',
    ),
  )
  expect(reply.body).toMatch(
    /event: response.failed\ndata: {"type":"response.failed".*EQ_UPSTREAM_CUT/,
  )
})
