import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { UpstreamFailure } from '../../../src/domain/cooldown.ts'
import type { ReplyWish } from '../../../src/domain/neutral.ts'
import type { Protocol } from '../../../src/domain/provider.ts'
import { orThrow } from '../../../src/domain/equabot-error.ts'
import type { ReplyContext } from '../../../src/wire/translate/replies.ts'
import {
  translateRequest,
  translateStream,
  translateWhole,
} from '../../../src/wire/translate/translation.ts'
import { chunked, chunkSizes, collect } from '../byte-stream.ts'
import type { Assembled } from './grammar.ts'
import { checkChatStream, checkMessagesStream, checkResponsesStream } from './grammar.ts'
import type { Recorded } from './recorded.ts'
import { answer, bytes, factsOf, RECORDED, streamText } from './recorded.ts'

const SSE = 'text/event-stream; charset=utf-8'

function contextOf(wish: ReplyWish): ReplyContext {
  return { id: 'spare', model: 'spare-model', createdSeconds: 1_700_000_000, wish }
}

function wishOf(recorded: Recorded, more: Record<string, unknown> = {}): ReplyWish {
  const body = bytes({ ...recorded.request, ...more })
  return orThrow(translateRequest(recorded.source, body, factsOf(recorded), recorded.model)).wish
}

const STREAMED: Record<Protocol, Record<string, unknown>> = {
  'anthropic-messages': { stream: true },
  'openai-chat': { stream: true, stream_options: { include_usage: true } },
  'openai-responses': { stream: true },
}

async function told(recorded: Recorded, text: string, sizes: readonly number[]): Promise<string> {
  const wish = wishOf(recorded, STREAMED[recorded.source])
  const failures: UpstreamFailure[] = []
  const texts = await collect(
    translateStream(recorded, answer(chunked(text, sizes), SSE), contextOf(wish), (failure) =>
      failures.push(failure),
    ),
  )
  expect(failures).toEqual([])
  return texts.join('')
}

function check(source: Protocol, text: string): Assembled {
  if (source === 'anthropic-messages') return checkMessagesStream(text)
  return source === 'openai-chat' ? checkChatStream(text, true) : checkResponsesStream(text)
}

/** A whole reply as the same client would have put it together from a stream. */
function assembled(source: Protocol, reply: Recorded['told']): Assembled {
  const usage = reply['usage']
  const id = String(reply['id'])
  if (source === 'openai-chat') {
    const [choice] = reply['choices'] as { message: Record<string, never>; finish_reason: string }[]
    const { content, reasoning_content, tool_calls } = (choice?.message ?? {}) as {
      content?: string
      reasoning_content?: string
      tool_calls?: { id: string; function: { name: string; arguments: string } }[]
    }
    return {
      id,
      texts: content ? [content] : [],
      thoughts: reasoning_content ? [reasoning_content] : [],
      calls: (tool_calls ?? []).map((call) => ({
        id: call.id,
        name: call.function.name,
        input: call.function.arguments,
      })),
      stop: choice?.finish_reason ?? '',
      usage,
    }
  }
  type Block = Record<string, string> & {
    content?: { text: string }[]
    summary?: { text: string }[]
  }
  const blocks = (reply['content'] ?? reply['output']) as Block[]
  const ofType = (...types: string[]): Block[] =>
    blocks.filter(({ type }) => types.includes(type ?? ''))
  const incomplete = reply['incomplete_details'] as { reason: string } | null | undefined
  return {
    id,
    texts: ofType('text', 'message').map(({ text, content }) => text ?? content?.[0]?.text ?? ''),
    thoughts: ofType('thinking', 'reasoning').map(
      ({ thinking, summary }) => thinking ?? summary?.[0]?.text ?? '',
    ),
    calls: ofType('tool_use', 'function_call').map((call) => ({
      id: call['call_id'] ?? call['id'] ?? '',
      name: call['name'] ?? '',
      input: call['arguments'] ?? JSON.stringify(call['input']),
    })),
    stop: incomplete?.reason ?? String(reply['stop_reason'] ?? reply['status']),
    usage,
  }
}

/** A call without any input is one of an empty object, however it is written. */
function normal(reply: Assembled): Assembled {
  const calls = reply.calls.map((call) => ({
    ...call,
    input: JSON.stringify(JSON.parse(call.input || '{}')),
  }))
  return { ...reply, calls }
}

describe.each(RECORDED)('$source on $target: $title', (recorded) => {
  const { source, target, model, request } = recorded

  test('the model is sent the same request in its own protocol', () => {
    const made = orThrow(translateRequest(source, bytes(request), factsOf(recorded), model))
    expect(JSON.parse(made.body)).toEqual(recorded.sent)
    expect([...made.dropped].sort()).toEqual([...recorded.dropped].sort())
    const version = target === 'anthropic-messages' ? '2023-06-01' : undefined
    expect(made.headers['anthropic-version']).toBe(version)
  })

  test('its whole reply is told in the protocol of the client', async () => {
    const body = chunked(JSON.stringify(recorded.reply))
    const whole = await translateWhole(
      recorded,
      answer(body, 'application/json'),
      contextOf(wishOf(recorded)),
    )
    const reply = JSON.parse(orThrow(whole as { ok: true; value: string })) as Recorded['told']
    expect(reply).toMatchObject(recorded.told)
    // A response says back its request too, which the recordings leave out.
    const extra = new Set(source === 'openai-responses' ? Object.keys(reply) : [])
    const unrecorded = Object.keys(reply).filter((key) => !(key in recorded.told))
    expect(unrecorded.filter((key) => !extra.has(key))).toEqual([])
  })

  test('its stream is told in the order of the client, however it is cut, and says the same', async () => {
    const text = streamText(recorded)
    const once = await told(recorded, text, [])
    expect(normal(check(source, once))).toEqual(normal(assembled(source, recorded.told)))
    await fc.assert(
      fc.asyncProperty(chunkSizes, async (sizes) => {
        expect(await told(recorded, text, sizes)).toBe(once)
      }),
      { numRuns: 15 },
    )
  })

  test('a stream is put together for a client that wants it whole, and the other way', async () => {
    const wish = wishOf(recorded)
    const whole = await translateWhole(
      recorded,
      answer(chunked(streamText(recorded)), SSE),
      contextOf(wish),
    )
    const reply = JSON.parse(orThrow(whole as { ok: true; value: string })) as Recorded['told']
    expect(normal(assembled(source, reply))).toEqual(normal(assembled(source, recorded.told)))

    const streamed = wishOf(recorded, STREAMED[source])
    const body = answer(chunked(JSON.stringify(recorded.reply)), 'application/json')
    const texts = await collect(
      translateStream(recorded, body, contextOf(streamed), () => undefined),
    )
    expect(normal(check(source, texts.join('')))).toEqual(normal(assembled(source, recorded.told)))
  })

  test('a stream without its last event is an error, wherever it ends', async () => {
    // A finish reason is an end too.
    const withoutEnd = recorded.stream
      .slice(0, -1)
      .filter((data) => !/"finish_reason":"/.test(JSON.stringify(data)))
    const text = streamText({ target, stream: withoutEnd })
    await expect(told(recorded, text, [])).rejects.toThrow('the stream ended before the reply did')
  })
})
