import { describe, expect, test } from 'vitest'
import type { RequestRecord } from '../../src/domain/ledger.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { Dispatch, DispatchRequest } from '../../src/services/dispatch.ts'
import { createRecordedDispatch } from '../../src/services/recording.ts'
import { aBook, anAnswer, aProfile, memoryLedger } from '../../src/testing.ts'
import { safeWords } from '../../src/wire/safe-words.ts'
import { createUsagePeek } from '../../src/wire/usage-peek.ts'
import { provider, session } from '../names-from.ts'
import type { Furnishing } from './house.ts'
import { encode, house } from './house.ts'

const JSON_BODY = { 'content-type': 'application/json' }
const STREAM = { 'content-type': 'text/event-stream' }
const ANSWER = JSON.stringify({ usage: { input_tokens: 7, output_tokens: 3 } })

const WORK = aProfile('anthropic:work')
const TEAM = aProfile('anthropic:team')

async function recorded(furnishing: Furnishing = {}) {
  const rooms = house({ books: { main: aBook(WORK) }, ...furnishing })
  const ledger = memoryLedger()
  const dispatch = createRecordedDispatch({
    dispatch: rooms.dispatch,
    ledger,
    clock: rooms.clock,
    newId: () => 'x'.repeat(10),
    watch: createUsagePeek,
    safe: (text) => safeWords(text, 120),
  })
  const loaded = await rooms.loadWorld()
  if (!loaded.ok) throw new Error(loaded.fault.code)
  const stopping = new AbortController()
  const request: DispatchRequest = {
    world: loaded.value,
    models: [{ provider: provider('anthropic'), model: 'claude-test' }],
    encode,
    signal: stopping.signal,
  }
  return { ...rooms, ledger, dispatch, request, stopping }
}

async function bodyOf(outcome: Awaited<ReturnType<Dispatch>>): Promise<AsyncIterable<Uint8Array>> {
  if (!outcome.ok) throw new Error(outcome.fault.code)
  return outcome.value.answer.body
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return chunks
}

const only = (records: readonly RequestRecord[]): RequestRecord | undefined => {
  expect(records).toHaveLength(1)
  return records[0]
}

describe('a request that is served', () => {
  test('leaves one record when its answer has been read: who asked, who served, how long, how much', async () => {
    const { dispatch, request, ledger, clock } = await recorded({
      upstream: () => anAnswer(200, JSON_BODY, ANSWER),
    })
    const started = clock.now()
    const outcome = await dispatch({
      ...request,
      asked: 'opus',
      session: session('monday'),
      client: 'claude-cli',
    })
    expect(ledger.records).toEqual([])
    clock.advance(400)
    for await (const _ of await bodyOf(outcome)) clock.advance(600)
    expect(only(ledger.records)).toEqual({
      id: expect.stringMatching(/^[0-9a-z]{9}x{10}$/),
      at: started,
      agent: 'main',
      session: 'monday',
      client: 'claude-cli',
      asked: 'opus',
      model: 'anthropic/claude-test',
      profile: 'anthropic:work',
      lane: 'metered',
      outcome: 'served',
      attempts: 1,
      firstByteMs: 400,
      totalMs: 1_000,
      usage: { inputTokens: 7, outputTokens: 3 },
    })
  })

  test('gets the very chunks that came, one when it asks for one', async () => {
    const sent = [new Uint8Array([1, 2]), new Uint8Array([3])]
    let taken = 0
    async function* body(): AsyncGenerator<Uint8Array, void> {
      for (const chunk of sent) {
        taken += 1
        yield chunk
      }
    }
    const { dispatch, request } = await recorded({
      upstream: () => ({
        status: 200,
        headers: { 'content-type': 'application/octet-stream' },
        body: body(),
      }),
    })
    const got = (await bodyOf(await dispatch(request)))[Symbol.asyncIterator]()
    expect(taken).toBe(0)
    const first = await got.next()
    expect(first.value).toBe(sent[0])
    expect(taken).toBe(1)
    expect((await got.next()).value).toBe(sent[1])
    expect((await got.next()).done).toBe(true)
  })

  test('after another profile failed is one request with two attempts and the reason of the first', async () => {
    const { dispatch, request, ledger } = await recorded({
      books: { main: aBook(WORK, TEAM) },
      upstream: (_, index) => (index === 0 ? anAnswer(429) : anAnswer(200, JSON_BODY, ANSWER)),
    })
    await readAll(await bodyOf(await dispatch(request)))
    expect(only(ledger.records)).toMatchObject({
      outcome: 'served',
      attempts: 2,
      reason: 'rate_limit',
    })
  })
})

describe('an answer that does not come whole', () => {
  const start =
    'data: {"type":"message_start","message":{"usage":{"input_tokens":9}}}\n\n' +
    'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"He"}}\n\n'

  async function recordOf(
    body: () => AsyncGenerator<Uint8Array, void>,
    read: (
      body: AsyncIterable<Uint8Array>,
      stopping: AbortController,
    ) => Promise<unknown> = readAll,
  ): Promise<RequestRecord | undefined> {
    const { dispatch, request, ledger, stopping } = await recorded({
      upstream: () => ({ status: 200, headers: STREAM, body: body() }),
    })
    await read(await bodyOf(await dispatch(request)), stopping).catch(() => undefined)
    return only(ledger.records)
  }
  async function* begun(): AsyncGenerator<Uint8Array, void> {
    yield new TextEncoder().encode(start)
  }

  test('because its connection broke is cut, with the tokens known until then', async () => {
    const broken = async function* () {
      yield* begun()
      throw new Error('ECONNRESET')
    }
    expect(await recordOf(broken)).toMatchObject({ outcome: 'cut', usage: { inputTokens: 9 } })
  })

  test('because its stream ended politely without a last event is cut', async () => {
    expect(await recordOf(begun)).toMatchObject({ outcome: 'cut' })
  })

  test('because the provider said no inside it is cut', async () => {
    const refusing = async function* () {
      yield* begun()
      yield new TextEncoder().encode('data: {"type":"error","error":{"type":"api_error"}}\n\n')
    }
    expect(await recordOf(refusing)).toMatchObject({ outcome: 'cut' })
  })

  test.each([
    ['overloaded_error', { models: new Map([['anthropic/claude-test', expect.anything()]]) }],
    [
      'rate_limit_error',
      { profiles: new Map([[WORK.id, expect.objectContaining({ failures: 1 })]]) },
    ],
  ])('because of an %s inside it teaches what that says', async (type, learnt) => {
    const refusing = async function* () {
      yield* begun()
      const key = 'fake-key-of-anthropic:work'
      yield new TextEncoder().encode(
        `data: {"type":"error","error":{"type":"${type}","message":"no ${key}"}}\n\n`,
      )
    }
    const rooms = await recorded({
      upstream: () => ({ status: 200, headers: STREAM, body: refusing() }),
    })
    await readAll(await bodyOf(await rooms.dispatch(rooms.request)))
    expect(rooms.states.state()).toMatchObject(learnt)
    expect(rooms.happenings).toMatchObject([{ kind: 'credential.resting' }])
    const line = rooms.log.lines.find(({ event }) => event === 'reply.failed')
    expect(line).toMatchObject({ level: 'warn', fields: { profile: 'anthropic:work' } })
    expect(JSON.stringify([rooms.log.lines, [...rooms.states.state().profiles]])).not.toContain(
      'fake-key',
    )
  })

  test.each([
    ['an error of the server', 'data: {"type":"error","error":{"type":"api_error"}}\n\n'],
    ['a line that broke', new Error('ECONNRESET')],
  ])('because of %s teaches nothing about the credential', async (_, end) => {
    const ending = async function* () {
      yield* begun()
      if (end instanceof Error) throw end
      yield new TextEncoder().encode(end)
    }
    const rooms = await recorded({
      upstream: () => ({ status: 200, headers: STREAM, body: ending() }),
    })
    await readAll(await bodyOf(await rooms.dispatch(rooms.request))).catch(() => undefined)
    expect(rooms.states.state().profiles.get(WORK.id)).not.toHaveProperty('lastFailure')
    expect(rooms.happenings).toEqual([])
  })

  test('because the caller read no further is stopped', async () => {
    const record = await recordOf(begun, async (body) => {
      for await (const _ of body) return
    })
    expect(record).toMatchObject({ outcome: 'cancelled', usage: { inputTokens: 9 } })
  })

  test('because the caller was gone before reading anything is stopped', async () => {
    const record = await recordOf(begun, async (_, stopping) => stopping.abort())
    expect(record).toMatchObject({ outcome: 'cancelled' })
    expect(record).not.toHaveProperty('firstByteMs')
  })

  test('is told once, though its caller leaves and its connection breaks', async () => {
    const record = await recordOf(begun, async (body, stopping) => {
      for await (const _ of body) stopping.abort()
    })
    expect(record).toMatchObject({ outcome: 'cancelled' })
  })

  test('but had come to its own end when the caller turned away was served', async () => {
    const ended = async function* () {
      yield* begun()
      yield new TextEncoder().encode('data: {"type":"message_stop"}\n\n')
      yield new TextEncoder().encode(': bye\n\n')
    }
    const record = await recordOf(ended, async (body) => {
      let chunks = 0
      for await (const _ of body) if ((chunks += 1) === 2) return
    })
    expect(record).toMatchObject({ outcome: 'served' })
  })
})

describe('a request that nobody serves', () => {
  test('leaves a record of who failed it last, and why', async () => {
    const { dispatch, request, ledger } = await recorded({ upstream: () => anAnswer(401) })
    const outcome = await dispatch(request)
    expect(outcome).toMatchObject({ ok: false, fault: { code: 'EQ_UPSTREAM_FAILED' } })
    expect(only(ledger.records)).toMatchObject({
      outcome: 'failed',
      fault: 'EQ_UPSTREAM_FAILED',
      reason: 'auth',
      profile: 'anthropic:work',
      lane: 'metered',
      model: 'anthropic/claude-test',
      asked: 'anthropic/claude-test',
      attempts: 1,
    })
  })

  test('for want of a credential was not tried at all', async () => {
    const { dispatch, request, ledger } = await recorded({ books: {} })
    await dispatch(request)
    expect(only(ledger.records)).toMatchObject({
      outcome: 'failed',
      fault: 'EQ_CREDENTIAL_NONE',
      attempts: 0,
    })
  })

  test('because it was called off was stopped, not failed', async () => {
    const { dispatch, request, ledger, stopping } = await recorded()
    stopping.abort()
    await dispatch(request)
    expect(only(ledger.records)).toMatchObject({ outcome: 'cancelled' })
  })
})

test('what a caller calls a model or itself is kept without secrets and without what steers a terminal', async () => {
  const { dispatch, request, ledger } = await recorded({ books: {} })
  const secret = 'sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz'
  await dispatch({
    ...request,
    asked: `${secret}\u001b[2J`,
    client: new Secret('x').reveal() + secret,
  })
  const text = JSON.stringify(ledger.records)
  expect(text).not.toContain('abcdefghijklmnop')
  expect(text).not.toContain('\\u001b')
})
