import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { ProbeHeard } from '../../src/domain/probe.ts'
import type { ProviderFacts } from '../../src/domain/provider.ts'
import { BUILT_IN_PROVIDERS } from '../../src/domain/provider.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import { probeRequest } from '../../src/wire/probe-dialects.ts'
import { hearProbe } from '../../src/wire/probe-reply.ts'
import { chunkSizes, chunked } from './byte-stream.ts'

function facts(id: string): ProviderFacts {
  const found = BUILT_IN_PROVIDERS.find((entry) => entry.id === id)
  if (!found) throw new TypeError(`there is no provider ${id}`)
  return found
}
const anthropic = facts('anthropic')
const openai = facts('openai')
const codex = facts('openai-codex')

const sse = (...events: readonly unknown[]): string =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')

interface Given {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly breaks?: boolean
  readonly sizes?: readonly number[]
}

async function hear(
  provider: ProviderFacts,
  text: string,
  { status = 200, headers = {}, breaks = false, sizes = [] }: Given = {},
): Promise<ProbeHeard> {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* chunked(text, sizes)
    if (breaks) throw new Error('ECONNRESET')
  }
  const answer = { status, headers, body: body() }
  return hearProbe(provider, answer, (said) => said.replaceAll('hunter2', '[secret]'), FAKE_NOW)
}
const reasonOf = (heard: ProbeHeard): string =>
  heard.kind === 'failed' ? heard.failure.reason : heard.kind

const START = { type: 'message_start', message: { usage: { input_tokens: 8, output_tokens: 1 } } }
const STREAMS: readonly (readonly [ProviderFacts, string])[] = [
  [
    anthropic,
    sse(
      START,
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'P' } },
      { type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ),
  ],
  [
    openai,
    `${sse(
      { choices: [{ delta: { content: 'P' }, finish_reason: 'length' }] },
      { choices: [], usage: { prompt_tokens: 8, completion_tokens: 1 } },
    )}data: [DONE]\n\n`,
  ],
  [
    codex,
    sse(
      { type: 'response.created', response: { id: 'r' } },
      { type: 'response.output_text.delta', delta: 'P' },
      {
        type: 'response.incomplete',
        response: { usage: { input_tokens: 8, output_tokens: 1 } },
      },
    ),
  ],
]

describe('the answer to a probe', () => {
  test('is good when it comes to its end, in every dialect and however its bytes are cut', async () => {
    for (const [provider, text] of STREAMS) {
      await fc.assert(
        fc.asyncProperty(chunkSizes, async (sizes) => {
          const usage = { inputTokens: 8, outputTokens: 1 }
          expect(await hear(provider, text, { sizes })).toEqual({ kind: 'ok', usage })
        }),
        { numRuns: 30 },
      )
    }
  })

  test('that ends before its last event was cut, at whatever byte', async () => {
    for (const [provider, text] of STREAMS) {
      const events = text.split('\n\n').slice(0, -1)
      for (let count = 1; count < events.length; count += 1) {
        const part = `${events.slice(0, count).join('\n\n')}\n\n`
        expect(await hear(provider, part)).toEqual({ kind: 'cut' })
        expect(await hear(provider, part.slice(0, -9), { breaks: true })).toEqual({ kind: 'cut' })
      }
    }
  })

  test('whole instead of streamed is good, and half of it is not', async () => {
    const whole = JSON.stringify({ type: 'message', content: [{ type: 'text', text: 'pong' }] })
    expect(await hear(anthropic, whole)).toEqual({ kind: 'ok' })
    expect(await hear(anthropic, whole.slice(0, 20), { breaks: true })).toEqual({ kind: 'cut' })
  })

  test.each([
    [anthropic, { type: 'error', error: { type: 'overloaded_error', message: 'busy' } }],
    [
      openai,
      { error: { code: 529, message: 'busy', metadata: { error_type: 'overloaded_error' } } },
    ],
    [
      codex,
      {
        type: 'response.failed',
        response: { error: { code: 'server_is_overloaded', message: 'busy' } },
      },
    ],
  ] as const)(
    'of status 200 that holds an error is that error: %# as a stream and whole',
    async (provider, error) => {
      for (const text of [sse(START, error), `${sse(error)}data: [DONE]\n\n`]) {
        const heard = await hear(provider, text)
        expect(heard).toMatchObject({
          kind: 'failed',
          failure: { reason: 'overloaded', words: 'busy' },
        })
      }
    },
  )

  test('of status 200 that is an error as a whole is that error', async () => {
    const body = JSON.stringify({ error: { code: 402, message: 'Insufficient credits' } })
    expect(reasonOf(await hear(facts('openrouter'), body))).toBe('billing')
  })

  test('of another program is no reply of a model', async () => {
    for (const text of ['<html>Sign in to the hotel network</html>', 'OK', '']) {
      expect(reasonOf(await hear(anthropic, text))).toBe('server_error')
    }
  })

  test.each([
    [401, 'auth'],
    [402, 'billing'],
    [403, 'permission'],
    [404, 'not_found'],
    [400, 'invalid_request'],
    [429, 'rate_limit'],
    [500, 'server_error'],
    [529, 'overloaded'],
  ])('of status %i is %s, also when its body breaks off', async (status, reason) => {
    expect(reasonOf(await hear(anthropic, '{}', { status }))).toBe(reason)
    expect(reasonOf(await hear(anthropic, '{"err', { status, breaks: true }))).toBe(reason)
  })

  test('is judged without what must not be repeated', async () => {
    const heard = await hear(anthropic, '{"error":{"message":"bad key hunter2"}}', { status: 401 })
    expect(heard).toMatchObject({ failure: { words: 'bad key [secret]' } })
    const streamed = await hear(
      anthropic,
      sse({ type: 'error', error: { type: 'authentication_error', message: 'bad key hunter2' } }),
    )
    expect(streamed).toMatchObject({ failure: { reason: 'auth', words: 'bad key [secret]' } })
  })

  test('that one token was too few for is good: the credential was taken', async () => {
    const message =
      'Could not finish the message because max_tokens or model output limit was reached.'
    const body = JSON.stringify({ error: { type: 'invalid_request_error', message } })
    expect(await hear(openai, body, { status: 400 })).toEqual({ kind: 'ok' })
    expect(reasonOf(await hear(openai, body, { status: 403 }))).toBe('permission')
    const quoted = JSON.stringify({ error: { message: `Bad request: ${message}` } })
    expect(reasonOf(await hear(openai, quoted, { status: 400 }))).toBe('invalid_request')
  })

  test('without an end is not read without an end', async () => {
    let read = 0
    const body = (async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        read += 1
        yield new Uint8Array(16 * 1024).fill(120)
      }
    })()
    const heard = await hearProbe(anthropic, { status: 500, headers: {}, body }, (t) => t, FAKE_NOW)
    expect(reasonOf(heard)).toBe('server_error')
    expect(read).toBeLessThan(10)
    const endless = (async function* (): AsyncGenerator<Uint8Array> {
      for (;;) yield new Uint8Array(256 * 1024).fill(120)
    })()
    const good = { status: 200, headers: {}, body: endless }
    expect(reasonOf(await hearProbe(anthropic, good, (t) => t, FAKE_NOW))).toBe('server_error')
  })
})

describe('the request of a probe', () => {
  test('asks for as little as the dialect allows, in a stream', () => {
    const asked = (id: string): unknown => {
      const { path, body } = probeRequest(facts(id), 'some-model')
      return { path, ...(JSON.parse(body) as object) }
    }
    const chat = { path: '/chat/completions', model: 'some-model', stream: true }
    expect(asked('anthropic')).toMatchObject({ path: '/v1/messages', max_tokens: 1, stream: true })
    expect(asked('groq')).toMatchObject({ ...chat, max_tokens: 1 })
    expect(asked('openrouter')).toMatchObject({ ...chat, max_tokens: 16 })
    expect(asked('openai-codex')).toMatchObject({ path: '/responses', store: false, stream: true })
    expect(asked('openai-codex')).not.toHaveProperty('max_output_tokens')
    const own = probeRequest({ ...openai, protocol: 'openai-responses' }, 'm')
    expect(JSON.parse(own.body)).toMatchObject({ max_output_tokens: 16 })
  })
})
