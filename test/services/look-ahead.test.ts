import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { UpstreamAnswer } from '../../src/domain/ports.ts'
import type { LookedAt } from '../../src/services/look-ahead.ts'
import { lookAhead } from '../../src/services/look-ahead.ts'
import { fakeClock } from '../../src/testing.ts'
import { watchBeginning } from '../../src/wire/reply-beginning.ts'
import { chunked, chunkSizes, collect } from '../wire/byte-stream.ts'

const STREAM = { 'content-type': 'text/event-stream' }
const PING = 'event: ping\ndata: {"type":"ping"}\n\n'
const WORD = 'data: {"type":"content_block_delta"}\n\n'
const ERROR = 'data: {"type":"error","error":{"type":"overloaded_error"}}\n\n'
const turnOfEvents = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

type Part = string | Error | Promise<string>

/** A body that notes what was asked of it; after its parts it never ends unless told. */
function bench(parts: readonly Part[], headers: UpstreamAnswer['headers'] = STREAM) {
  const noted = { asked: 0, closed: false, abandoned: false }
  async function* body(): AsyncGenerator<Uint8Array, void> {
    try {
      for (const part of parts) {
        noted.asked += 1
        if (part instanceof Error) throw part
        yield new TextEncoder().encode(await part)
      }
    } finally {
      noted.closed = true
    }
  }
  const clock = fakeClock()
  const caller = new AbortController()
  const looked = lookAhead(
    { clock, watch: watchBeginning(headers), abandon: () => void (noted.abandoned = true) },
    { status: 200, headers, body: body() },
    caller.signal,
  )
  return { noted, clock, caller, looked }
}

function bodyOf(looked: LookedAt): AsyncIterable<Uint8Array> {
  if (looked.kind !== 'reply') throw new Error(looked.kind)
  return looked.answer.body
}
const text = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString()

describe('a reply', () => {
  test('is passed on at its first word, and nothing more is read than its reader asks for', async () => {
    const { noted, looked } = bench([PING, WORD, 'more', 'and more'])
    const body = bodyOf(await looked)[Symbol.asyncIterator]()
    expect(noted.asked).toBe(2)
    await body.next()
    await body.next()
    expect(noted.asked).toBe(2)
    await body.next()
    expect(noted.asked).toBe(3)
  })

  test('comes with the bytes that were sent, however they were cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(PING, WORD, 'data: x\r\n\r\n', ': c\n\n', ERROR), {
          maxLength: 8,
        }),
        chunkSizes,
        async (events, sizes) => {
          const sent = WORD + events.join('')
          const looked = await lookAhead(
            { clock: fakeClock(), watch: watchBeginning(STREAM), abandon: () => undefined },
            { status: 200, headers: STREAM, body: chunked(sent, sizes) },
            new AbortController().signal,
          )
          expect(text(await collect(bodyOf(looked)))).toBe(sent)
        },
      ),
    ))

  test('that its reader leaves is closed', async () => {
    const { noted, looked } = bench([WORD, WORD])
    for await (const _ of bodyOf(await looked)) break
    expect(noted).toMatchObject({ closed: true, abandoned: false })
  })

  test('that breaks after its first word tells its reader so', async () => {
    const { looked } = bench([WORD, new Error('ECONNRESET')])
    const body = bodyOf(await looked)
    await expect(collect(body)).rejects.toThrow('ECONNRESET')
  })
})

describe('the opening of a stream', () => {
  const never = new Promise<string>(() => undefined)

  test('is held back for a second at most', async () => {
    let say: (word: string) => void = () => undefined
    const word = new Promise<string>((resolve) => {
      say = resolve
    })
    const { looked, clock } = bench([PING, word, 'the end'])
    let isThere = false
    void looked.then(() => (isThere = true))
    await turnOfEvents()
    clock.advance(999)
    await turnOfEvents()
    expect(isThere).toBe(false)
    clock.advance(1)
    const body = bodyOf(await looked)[Symbol.asyncIterator]()
    expect(text([(await body.next()).value ?? new Uint8Array()])).toBe(PING)
    say(WORD)
    const rest = await collect({ [Symbol.asyncIterator]: () => body })
    expect(text(rest)).toBe(`${WORD}the end`)
  })

  test('is held back so long also where nothing at all has come', async () => {
    const { looked, clock } = bench([never])
    await turnOfEvents()
    clock.advance(1_000)
    expect(await looked).toMatchObject({ kind: 'reply' })
  })

  test('whose reader leaves while the rest is waited for is abandoned', async () => {
    const { looked, clock, noted } = bench([PING, never])
    await turnOfEvents()
    clock.advance(1_000)
    for await (const _ of bodyOf(await looked)) break
    expect(noted.abandoned).toBe(true)
  })

  test('that breaks while nobody reads it yet tells whoever does', async () => {
    const { looked, clock } = bench([PING, Promise.reject(new Error('ECONNRESET'))])
    void clock
    expect(await looked).toMatchObject({ kind: 'broken', cause: { message: 'ECONNRESET' } })
  })

  test('of which nobody waits for any more is abandoned at once', async () => {
    const { looked, caller, noted } = bench([PING, never])
    await turnOfEvents()
    caller.abort()
    expect(await looked).toEqual({ kind: 'broken' })
    expect(noted.abandoned).toBe(true)
  })
})

test('a body that makes sense only as a whole is waited for longer than a second', async () => {
  let say: (rest: string) => void = () => undefined
  const rest = new Promise<string>((resolve) => {
    say = resolve
  })
  const { looked, clock } = bench(['\n{"error":', rest], { 'content-type': 'application/json' })
  await turnOfEvents()
  clock.advance(60_000)
  say('{"code":502}}')
  expect(await looked).toEqual({ kind: 'error', body: '\n{"error":{"code":502}}' })
})

test('an error is told with its words, and the rest of the answer is let go', async () => {
  const { looked, noted } = bench([PING, ERROR, 'more'])
  expect(await looked).toMatchObject({ kind: 'error', body: expect.stringContaining('overloaded') })
  await turnOfEvents()
  expect(noted).toMatchObject({ asked: 2, closed: true })
})

test('a stream that ends before its first word has broken off, without a cause', async () => {
  expect(await bench([PING]).looked).toEqual({ kind: 'broken' })
})
