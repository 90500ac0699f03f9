import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { FakeUpstream, Gateway, SeenRequest, User } from './harness.ts'
import { anthropicStream, fakeUpstream, newUser } from './harness.ts'

let user: User
let upstream: FakeUpstream | undefined

beforeEach(async () => {
  user = await newUser()
})

afterEach(async () => {
  await user.leave()
  await upstream?.close()
  upstream = undefined
})

type Answer = Parameters<typeof fakeUpstream>[0]
type Response = Parameters<Answer>[1]

const anthropic = (gateway: Gateway): Anthropic =>
  new Anthropic({ baseURL: gateway.url, apiKey: gateway.token, maxRetries: 0 })
const openAi = (gateway: Gateway): OpenAI =>
  new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.token, maxRetries: 0 })

/** A gateway whose Anthropic and OpenAI are this upstream. */
async function gatewayOn(answer: Answer): Promise<Gateway> {
  upstream = await fakeUpstream(answer)
  const { url } = upstream
  await user.write(
    '.equabot/equabot.json',
    `{ models: { providers: { anthropic: { baseUrl: "${url}" }, openai: { baseUrl: "${url}/v1" } } } }`,
  )
  await user.paste('fake-key-of-openai-001', 'openai:work', '--type', 'api_key')
  await user.paste('fake-key-of-anthropic-1', 'anthropic:work', '--type', 'api_key')
  return user.startGateway()
}

function bodyOf({ body }: SeenRequest): Record<string, unknown> {
  return JSON.parse(body) as Record<string, unknown>
}

function sendStream(response: Response, events: readonly unknown[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of events) response.write(`data: ${JSON.stringify(event)}\n\n`)
  response.end('data: [DONE]\n\n')
}

const CALLS = [
  { index: 0, id: 'call_a', type: 'function', function: { name: 'read', arguments: '' } },
  { index: 0, function: { arguments: '{"path":"ä"}' } },
  { index: 1, id: 'call_b', type: 'function', function: { name: 'now', arguments: '{}' } },
]

/** Calls two tools, then says what came of them. */
const chatWithTools: Answer = (request, response) => {
  const { messages, stream } = bodyOf(request) as {
    messages: readonly { role: string }[]
    stream?: boolean
  }
  const answered = messages.some(({ role }) => role === 'tool')
  const head = { id: 'chatcmpl-9', model: 'gpt-5.1' }
  if (!stream) {
    const message = { role: 'assistant', content: 'whole' }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    const usage = { prompt_tokens: 7, completion_tokens: 2 }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ ...head, choices, usage }))
    return
  }
  const deltas = answered
    ? ['Grüße ', '🌍'].map((content) => ({ content }))
    : CALLS.map((call) => ({ tool_calls: [call] }))
  sendStream(response, [
    ...deltas.map((delta) => ({ ...head, choices: [{ index: 0, delta }] })),
    {
      ...head,
      choices: [{ index: 0, delta: {}, finish_reason: answered ? 'stop' : 'tool_calls' }],
    },
    { ...head, choices: [], usage: { prompt_tokens: 11, completion_tokens: 5 } },
  ])
}

const TOOLS = ['read', 'now'].map((name) => ({
  name,
  description: name,
  input_schema: { type: 'object' as const, properties: {} },
}))
const HELLO = [{ role: 'user' as const, content: 'hello' }]

describe('the Anthropic SDK on a model of OpenAI', () => {
  const base = { model: 'openai/gpt-5.1', max_tokens: 64 }

  test('gets a whole reply', async () => {
    const gateway = await gatewayOn(chatWithTools)
    const message = await anthropic(gateway).messages.create({ ...base, messages: HELLO })
    expect(message).toMatchObject({
      role: 'assistant',
      content: [{ type: 'text', text: 'whole' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 7, output_tokens: 2 },
    })
  })

  test('streams, calls tools side by side, gives their results, and hears the rest', async () => {
    const gateway = await gatewayOn(chatWithTools)
    const client = anthropic(gateway)
    const first = await client.messages
      .stream({ ...base, messages: HELLO, tools: TOOLS })
      .finalMessage()
    expect(first.stop_reason).toBe('tool_use')
    expect(first.content).toMatchObject([
      { type: 'tool_use', id: 'call_a', name: 'read', input: { path: 'ä' } },
      { type: 'tool_use', id: 'call_b', name: 'now', input: {} },
    ])
    const results = first.content.flatMap((block) =>
      block.type === 'tool_use'
        ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: `of ${block.name}` }]
        : [],
    )
    const second = client.messages.stream({
      ...base,
      tools: TOOLS,
      messages: [
        ...HELLO,
        { role: 'assistant', content: first.content },
        { role: 'user', content: results },
      ],
    })
    expect(await second.finalText()).toBe('Grüße 🌍')
    expect((await second.finalMessage()).usage).toMatchObject({
      input_tokens: 11,
      output_tokens: 5,
    })
    const { messages } = bodyOf(upstream?.seen.at(-1) as SeenRequest)
    expect(messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ id: 'call_a' }, { id: 'call_b' }] },
      { role: 'tool', tool_call_id: 'call_a', content: 'of read' },
      { role: 'tool', tool_call_id: 'call_b', content: 'of now' },
    ])
    await gateway.stop()
    const requests = await user.run(['requests', '--json'])
    expect(requests.out).toMatch(/"inputTokens": ?11\b/)
    expect(requests.out.match(/"outcome": ?"served"/g)).toHaveLength(2)
  })

  test('leaves in the middle of a stream, and the provider is left too', async () => {
    const gateway = await gatewayOn((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const choices = [{ index: 0, delta: { content: 'and so on ' } }]
      response.write(`data: ${JSON.stringify({ id: 'c', choices })}\n\n`)
    })
    const stream = anthropic(gateway).messages.stream({ ...base, messages: HELLO })
    for await (const event of stream) if (event.type === 'content_block_delta') break
    stream.abort()
    await upstream?.seen[0]?.abandoned
  })

  test('is told of an error in the stream, and of a field that cannot be carried, as by Anthropic', async () => {
    const gateway = await gatewayOn((_request, response) => {
      sendStream(response, [
        { id: 'c', choices: [{ index: 0, delta: { content: 'half' } }] },
        { error: { message: 'Overloaded', type: 'server_error', code: 529 } },
      ])
    })
    const client = anthropic(gateway)
    const cut = client.messages.stream({ ...base, messages: HELLO }).finalMessage()
    await expect(cut).rejects.toThrow(/overloaded_error|Overloaded/)
    const refused = client.messages.create({ ...base, messages: HELLO, container: 'c1' })
    await expect(refused).rejects.toMatchObject({ status: 400, type: 'invalid_request_error' })
    await expect(refused).rejects.toThrow('container cannot be carried')
  })
})

describe('the OpenAI SDK on a model of Anthropic', () => {
  const MODEL = 'anthropic/claude-sonnet-5-5'
  const messagesWithTool: Answer = (request, response) => {
    const { stream, messages } = bodyOf(request) as { stream?: boolean; messages: unknown }
    const usage = { input_tokens: 4, cache_read_input_tokens: 6, output_tokens: 3 }
    const calls = !JSON.stringify(messages).includes('tool_result')
    const block = calls
      ? { type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'ä' } }
      : { type: 'text', text: 'done' }
    const reason = calls ? 'tool_use' : 'end_turn'
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-5-5' }
    if (!stream) {
      response.writeHead(200, { 'content-type': 'application/json' })
      const whole = {
        ...message,
        content: [block],
        stop_reason: reason,
        stop_sequence: null,
        usage,
      }
      response.end(JSON.stringify(whole))
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(
      calls
        ? [
            { type: 'message_start', message: { ...message, content: [], usage } },
            { type: 'content_block_start', index: 0, content_block: { ...block, input: {} } },
            { type: 'ping' },
            {
              type: 'content_block_delta',
              index: 0,
              delta: { type: 'input_json_delta', partial_json: '{"path":"ä"}' },
            },
            { type: 'content_block_stop', index: 0 },
            {
              type: 'message_delta',
              delta: { stop_reason: reason, stop_sequence: null },
              usage: { output_tokens: 3 },
            },
            { type: 'message_stop' },
          ]
            .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
            .join('')
        : anthropicStream('done'),
    )
  }

  test('Chat Completions: whole and streamed, with tools and usage', async () => {
    const gateway = await gatewayOn(messagesWithTool)
    const client = openAi(gateway)
    const tools = TOOLS.map(({ name, description, input_schema: parameters }) => ({
      type: 'function' as const,
      function: { name, description, parameters },
    }))
    const whole = await client.chat.completions.create({ model: MODEL, messages: HELLO, tools })
    const call = whole.choices[0]?.message.tool_calls?.[0]
    expect(call).toMatchObject({ id: 'toolu_1', function: { arguments: '{"path":"ä"}' } })
    expect(whole.choices[0]?.finish_reason).toBe('tool_calls')
    expect(whole.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 3 })

    const streamed = client.chat.completions.stream({
      model: MODEL,
      messages: HELLO,
      tools,
      stream_options: { include_usage: true },
    })
    const final = await streamed.finalChatCompletion()
    expect(final.choices[0]?.message.tool_calls).toMatchObject([
      { id: 'toolu_1', function: { name: 'read', arguments: '{"path":"ä"}' } },
    ])
    expect(final.usage).toMatchObject({ prompt_tokens: 10, total_tokens: 13 })

    const [seen] = upstream?.seen ?? []
    expect(seen?.path).toBe('/v1/messages')
    expect(seen?.headers).toMatchObject({
      'x-api-key': 'fake-key-of-anthropic-1',
      'anthropic-version': '2023-06-01',
    })
  })

  test('Responses: whole and streamed, and the result of a call sent back', async () => {
    const gateway = await gatewayOn(messagesWithTool)
    const client = openAi(gateway)
    const tools = TOOLS.map(({ name, description, input_schema: parameters }) => ({
      type: 'function' as const,
      name,
      description,
      parameters,
      strict: false,
    }))
    const first = await client.responses.create({ model: MODEL, input: 'hello', tools })
    expect(first.status).toBe('completed')
    expect(first.output).toMatchObject([
      { type: 'function_call', call_id: 'toolu_1', name: 'read', arguments: '{"path":"ä"}' },
    ])
    const stream = client.responses.stream({
      model: MODEL,
      tools,
      input: [
        { role: 'user', content: 'hello' },
        { type: 'function_call', call_id: 'toolu_1', name: 'read', arguments: '{}' },
        { type: 'function_call_output', call_id: 'toolu_1', output: 'text' },
      ],
    })
    const types: string[] = []
    for await (const event of stream) types.push(event.type)
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect((await stream.finalResponse()).output_text).toBe('done')
  })

  test('Responses: a stream that is cut ends as failed', async () => {
    const gateway = await gatewayOn((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const text = anthropicStream('half')
      response.end(text.slice(0, text.indexOf('event: message_delta')))
    })
    const stream = await openAi(gateway).responses.create({
      model: MODEL,
      input: 'hello',
      stream: true,
    })
    const events: { type: string; response?: unknown }[] = []
    for await (const event of stream) events.push(event)
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'EQ_UPSTREAM_CUT' } },
    })
  })
})

test('without any credential the sandbox serves a Responses client too', async () => {
  const gateway = await user.startGateway()
  const reply = await openAi(gateway).responses.create({ model: 'sandbox-echo', input: 'hi there' })
  expect(reply.output_text).toContain('hi there')
})
