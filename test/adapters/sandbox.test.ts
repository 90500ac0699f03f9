import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/adapters/sandbox.ts'
import { createSandbox } from '../../src/adapters/sandbox.ts'
import { ACCESS_LIFETIME_MS, issueSandboxGrant } from '../../src/adapters/sandbox/grants.ts'
import { SANDBOX_KEYS } from '../../src/adapters/sandbox/keys.ts'
import { sandboxReply } from '../../src/adapters/sandbox/replies.ts'
import type { ReplyEvent } from '../../src/domain/chat.ts'
import type { Protocol } from '../../src/domain/provider.ts'
import type { Clock } from '../../src/domain/ports.ts'
import { decodeAnthropicStream } from '../../src/wire/anthropic-messages.ts'
import { decodeOpenaiStream } from '../../src/wire/openai-chat.ts'
import type { SseEvent } from '../../src/wire/sse.ts'
import { sseEvents } from '../../src/wire/sse.ts'
import { judgeReply } from '../../src/wire/upstream-reply.ts'
import { collect } from '../wire/byte-stream.ts'

const START = Date.parse('2026-11-22T12:00:00Z')
let now = START
const sleeps: number[] = []
const clock: Clock = {
  now: () => now,
  sleep: async (ms) => {
    sleeps.push(ms)
  },
}

const DIALECTS = [
  ['/v1/messages', 'anthropic-messages'],
  ['/v1/chat/completions', 'openai-chat'],
] as const

function decode(protocol: Protocol, events: AsyncIterable<SseEvent>): AsyncIterable<ReplyEvent> {
  return protocol === 'openai-chat' ? decodeOpenaiStream(events) : decodeAnthropicStream(events)
}

let sandbox: Sandbox
let origin: string
beforeAll(async () => {
  sandbox = createSandbox({ clock, wordDelayMs: 0 })
  origin = await sandbox.origin()
})
afterAll(() => sandbox.close())
beforeEach(() => {
  now = START
  sleeps.length = 0
})

const anthropic = (apiKey = 'sandbox-ok'): Anthropic =>
  new Anthropic({ apiKey, baseURL: origin, maxRetries: 0 })
const openai = (apiKey = 'sandbox-ok'): OpenAI =>
  new OpenAI({ apiKey, baseURL: `${origin}/v1`, maxRetries: 0 })

const user = (content: string): { role: 'user'; content: string } => ({ role: 'user', content })
const asked = (content: string): Asked => ({
  model: 'sandbox-echo',
  max_tokens: 1_000,
  messages: [user(content)],
})

interface Asked {
  model: string
  max_tokens: number
  messages: { role: 'user'; content: string }[]
}

function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(origin + path, { method: 'POST', body: JSON.stringify(body), headers })
}

function bodyOf(response: Response): AsyncIterable<Uint8Array> {
  if (!response.body) throw new Error('no body')
  return response.body
}

describe('the Anthropic SDK', () => {
  test('gets a whole message', async () => {
    const message = await anthropic().messages.create(asked('two words'))
    expect(message).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: 'sandbox-echo',
      stop_reason: 'end_turn',
      content: [{ type: 'text', text: sandboxReply('two words') }],
      usage: { input_tokens: 2 },
    })
  })

  test('gets a stream in the order of the real one', async () => {
    const events: string[] = []
    const stream = anthropic().messages.stream(asked('count to 3'))
    stream.on('streamEvent', ({ type }) => events.push(type))
    const final = await stream.finalMessage()
    expect(final.content).toMatchObject([{ type: 'text', text: sandboxReply('count to 3') }])
    expect(final.usage.output_tokens).toBeGreaterThan(3)
    expect(events.slice(0, 2)).toEqual(['message_start', 'content_block_start'])
    expect(events.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop'])
  })

  test('is stopped at its own limit', async () => {
    const message = await anthropic().messages.create({ ...asked('count to 50'), max_tokens: 4 })
    expect(message).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 4 } })
  })

  test('counts tokens and lists models', async () => {
    const { input_tokens } = await anthropic().messages.countTokens({
      model: 'sandbox-echo',
      system: 'be brief',
      messages: [user('a b c')],
    })
    expect(input_tokens).toBe(5)
    const models = await collect(anthropic().models.list())
    expect(models.map(({ id }) => id)).toEqual(['sandbox-echo', 'sandbox-slow'])
  })

  test('sees an error as the class of its status', async () => {
    await expect(anthropic('sandbox-401').messages.create(asked('hi'))).rejects.toBeInstanceOf(
      Anthropic.AuthenticationError,
    )
    await expect(anthropic('sandbox-429').messages.create(asked('hi'))).rejects.toBeInstanceOf(
      Anthropic.RateLimitError,
    )
  })
})

describe('the OpenAI SDK', () => {
  test('gets a whole completion', async () => {
    const completion = await openai().chat.completions.create(asked('two words'))
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { role: 'assistant', content: sandboxReply('two words') },
    })
    expect(completion.usage?.prompt_tokens).toBe(2)
  })

  test('gets a stream, with its usage when it asks for it', async () => {
    const stream = await openai().chat.completions.create({
      ...asked('count to 3'),
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await collect(stream)
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
    expect(text).toBe(sandboxReply('count to 3'))
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 3 } })
  })

  test('lists models', async () => {
    const models = await collect(openai().models.list())
    expect(models.map(({ id }) => id)).toEqual(['sandbox-echo', 'sandbox-slow'])
  })

  test('sees an error as the class of its status', async () => {
    await expect(openai('sandbox-401').chat.completions.create(asked('hi'))).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    )
  })
})

describe('a key', () => {
  test.each([
    ['sandbox-401', 401, { reason: 'auth' }],
    ['sandbox-403-claude-code-only', 403, { reason: 'permission', policyRefused: true }],
    ['sandbox-402', 402, { reason: 'billing' }],
    ['sandbox-429-retry-after-30', 429, { reason: 'rate_limit', retryAfterMs: 30_000 }],
    ['sandbox-429-retry-after-7', 429, { reason: 'rate_limit', retryAfterMs: 7_000 }],
    ['sandbox-429', 429, { reason: 'rate_limit' }],
    ['sandbox-500', 500, { reason: 'server_error' }],
    ['sandbox-529', 529, { reason: 'overloaded' }],
    ['sandbox-nonsense', 401, { reason: 'auth' }],
    ['something else', 401, { reason: 'auth' }],
  ])('%s is judged as a real provider that answers %i', async (key, status, judged) => {
    for (const [path, protocol] of DIALECTS) {
      const response = await post(path, asked('hi'), { authorization: `Bearer ${key}` })
      const headers = Object.fromEntries(response.headers)
      const body = await response.text()
      const { words, ...rest } = judgeReply(protocol, response.status, headers, body, now)
      expect(rest).toEqual({ status, ...judged })
      expect(words).not.toBe('')
    }
  })

  test('that does not exist is told so', async () => {
    const response = await post('/v1/messages', asked('hi'), { 'x-api-key': 'sandbox-nonsense' })
    expect(await response.text()).toContain('equabot sandbox keys')
  })

  test.each([{}, { 'x-api-key': 'builtin' }, { authorization: 'Bearer sandbox-ok' }])(
    'is not needed: %o is served',
    async (headers) => {
      const response = await post('/v1/messages', asked('hi'), headers)
      expect(response.status).toBe(200)
      await response.text()
    },
  )

  test('of every listed kind does something, and has a description', () => {
    expect(SANDBOX_KEYS.length).toBeGreaterThan(10)
    for (const { key, does } of SANDBOX_KEYS) {
      expect(key).toMatch(/^sandbox-[a-z0-9-]+$/)
      expect(does).not.toBe('')
    }
  })

  test('for a cut closes the connection after so many events', async () => {
    for (const [path, protocol] of DIALECTS) {
      const request = { ...asked('count to 9'), stream: true }
      const response = await post(path, request, { 'x-api-key': 'sandbox-cut-after-4' })
      let events = 0
      async function* counted(): AsyncGenerator<{ data: string }, void> {
        for await (const event of sseEvents(bodyOf(response))) {
          events += 1
          yield event
        }
      }
      await expect(collect(decode(protocol, counted()))).rejects.toThrow()
      expect(events).toBe(4)
    }
  })

  test('for a cut also cuts a reply that is not streamed', async () => {
    const response = await post('/v1/messages', asked('hi'), { 'x-api-key': 'sandbox-cut-after-4' })
    await expect(response.text()).rejects.toThrow()
  })

  test('for an error event breaks the stream off with one', async () => {
    for (const [path, protocol] of DIALECTS) {
      const request = { ...asked('count to 9'), stream: true }
      const response = await post(path, request, { 'x-api-key': 'sandbox-error-event-after-5' })
      const events = await collect(decode(protocol, sseEvents(bodyOf(response))))
      expect(events.at(-1)).toMatchObject({
        type: 'error',
        words: 'Overloaded (sandbox)',
        failure: { reason: 'overloaded' },
      })
      expect(events.some(({ type }) => type === 'text')).toBe(true)
    }
  })

  test('that hangs takes the request and never answers', async () => {
    const stop = new AbortController()
    const hanging = fetch(`${origin}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify(asked('hi')),
      headers: { 'x-api-key': 'sandbox-hang' },
      signal: stop.signal,
    })
    await (await post('/v1/messages', asked('hi'))).text()
    stop.abort()
    await expect(hanging).rejects.toThrow('aborted')
  })

  test.each([
    ['key', { 'x-api-key': 'sandbox-slow' }, 'sandbox-echo'],
    ['model', {}, 'sandbox-slow'],
  ])('or model that is slow waits before the first word: %s', async (_what, headers, model) => {
    await (await post('/v1/messages', { ...asked('hi'), model, stream: true }, headers)).text()
    expect(sleeps).toEqual([3_000])
  })
})

test('words come at the pace that is set', async () => {
  const paced = createSandbox({ clock, wordDelayMs: 12 })
  const response = await fetch(`${await paced.origin()}/v1/messages`, {
    method: 'POST',
    body: JSON.stringify({ ...asked('hi'), max_tokens: 4, stream: true }),
  })
  await response.text()
  await paced.close()
  expect(sleeps).toEqual([12, 12, 12])
})

test('a caller who leaves is not written to any longer', async () => {
  const left = new Promise<void>((resolve) => {
    const patient: Clock = {
      now: () => now,
      sleep: (_ms, signal) =>
        new Promise((wake) => {
          signal?.addEventListener('abort', () => {
            wake()
            resolve()
          })
        }),
    }
    const slow = createSandbox({ clock: patient })
    void leaveAfterFirstBytes(slow)
  })
  await left
})

async function leaveAfterFirstBytes(slow: Sandbox): Promise<void> {
  const stop = new AbortController()
  const response = await fetch(`${await slow.origin()}/v1/messages`, {
    method: 'POST',
    body: JSON.stringify({ ...asked('hi'), model: 'sandbox-slow', stream: true }),
    signal: stop.signal,
  })
  const reader = bodyOf(response)[Symbol.asyncIterator]()
  await reader.next()
  stop.abort()
  await expect(reader.next()).rejects.toThrow('aborted')
  await slow.close()
}

test('an answer names the limits of the account, in the headers of its dialect', async () => {
  const messages = await post('/v1/messages', asked('hi'))
  expect(messages.headers.get('anthropic-ratelimit-requests-reset')).toBe(
    '2026-11-22T12:01:00.000Z',
  )
  expect(messages.headers.get('request-id')).toMatch(/^req_sandbox_\d+$/)
  const chat = await post('/v1/chat/completions', asked('hi'))
  expect(chat.headers.get('x-ratelimit-remaining-requests')).toBe('999')
  expect(chat.headers.get('x-request-id')).toMatch(/^req_sandbox_\d+$/)
})

describe('a grant', () => {
  const renew = async (
    refresh: string,
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await post('/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: refresh,
      client_id: 'any',
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  test('serves for a minute', async () => {
    const grant = issueSandboxGrant(now)
    expect(grant.expiresAt).toBe(now + ACCESS_LIFETIME_MS)
    const authorization = `Bearer ${grant.access.reveal()}`
    now += ACCESS_LIFETIME_MS - 1
    expect((await post('/v1/messages', asked('hi'), { authorization })).status).toBe(200)
    now += 1
    const late = await post('/v1/messages', asked('hi'), { authorization })
    expect(late.status).toBe(401)
    expect(await late.text()).toContain('expired')
  })

  test('is renewed once by each refresh token', async () => {
    const first = issueSandboxGrant(now).refresh.reveal()
    const renewed = await renew(first)
    expect(renewed).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 60 } })
    expect(await renew(first)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    const second = String(renewed.body['refresh_token'])
    expect((await renew(second)).status).toBe(200)
    expect(second).not.toBe(first)
  })

  test('is renewed by a form as well as by JSON', async () => {
    const response = await fetch(`${origin}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: issueSandboxGrant(now).refresh.reveal(),
      }),
    })
    expect(response.status).toBe(200)
  })

  test('that is forged, or of another type, is refused', async () => {
    expect(await renew('sandbox-refresh-x.1.0')).toMatchObject({ body: { error: 'invalid_grant' } })
    const password = await post('/oauth/token', { grant_type: 'password', refresh_token: 'x' })
    expect(await password.json()).toMatchObject({ error: 'unsupported_grant_type' })
    expect((await post('/oauth/token', {})).status).toBe(400)
    const authorization = 'Bearer sandbox-access-x.1.9999999999999.00'
    expect((await post('/v1/messages', asked('hi'), { authorization })).status).toBe(401)
  })
})

describe('a request that is wrong', () => {
  test.each([
    ['no JSON', '/v1/messages', 'nonsense', 400, 'not JSON'],
    ['no messages', '/v1/messages', { model: 'sandbox-echo', max_tokens: 1 }, 400, 'messages'],
    ['no model', '/v1/chat/completions', { messages: [user('hi')] }, 400, 'model'],
    ['no such model', '/v1/messages', { ...asked('hi'), model: 'sandbox-9' }, 404, 'sandbox-echo'],
    ['no such path', '/v2/anything', {}, 404, 'POST /v2/anything'],
  ])('%s is refused with the reason', async (_what, path, body, status, words) => {
    const response = await fetch(origin + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    expect(response.status).toBe(status)
    expect(await response.text()).toContain(words)
  })

  test('but asks for a real model by name is served', async () => {
    const response = await post('/v1/messages', { ...asked('hi'), model: 'claude-sonnet-5' })
    expect(await response.json()).toMatchObject({ model: 'claude-sonnet-5' })
  })
})

test('a sandbox that was closed listens again when it is asked for', async () => {
  const other = createSandbox({ clock, wordDelayMs: 0 })
  await other.close()
  const first = await other.origin()
  expect(await other.origin()).toBe(first)
  await other.close()
  await expect(fetch(first)).rejects.toThrow()
  expect((await fetch(`${await other.origin()}/v1/models`)).status).toBe(200)
  await other.close()
})
