import { describe, expect, test } from 'vitest'
import type { ReplyEvent, TurnEvent, TurnRequest } from '../../src/domain/chat.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { ChatCodec, UpstreamAnswer } from '../../src/domain/ports.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { createConversation } from '../../src/services/conversation.ts'
import { aBook, anAnswer, aProfile } from '../../src/testing.ts'
import { agent, profile, session } from '../names-from.ts'
import type { Furnishing, House } from './house.ts'
import { house, sentKey } from './house.ts'

const MAIN = session('main')
const KEYED = { books: { main: aBook(aProfile('anthropic:a')) } }

/** A dialect whose stream is its text, chunk by chunk; `!` is an error of the provider. */
const PLAIN: ChatCodec = {
  path: '/plain',
  encode: (request) => JSON.stringify(request),
  async *decode(body): AsyncIterable<ReplyEvent> {
    for await (const chunk of body) {
      const text = new TextDecoder().decode(chunk)
      yield text === '!'
        ? {
            type: 'error',
            words: 'overloaded',
            failure: { reason: 'overloaded', words: 'overloaded' },
          }
        : { type: 'text', text }
    }
    yield { type: 'usage', usage: { inputTokens: 3 } }
    yield { type: 'usage', usage: { outputTokens: 5 } }
    yield { type: 'stop', reason: 'end_turn' }
  },
}

function streamed(...chunks: readonly (string | Error | (() => void))[]): UpstreamAnswer {
  async function* body(): AsyncIterable<Uint8Array> {
    for (const chunk of chunks) {
      if (chunk instanceof Error) throw chunk
      if (typeof chunk === 'string') yield new TextEncoder().encode(chunk)
      else chunk()
    }
  }
  return { status: 200, headers: { 'content-type': 'application/x-plain' }, body: body() }
}

function talk(furnishing: Furnishing = KEYED): House & {
  readonly say: (
    message: string,
    more?: Partial<TurnRequest>,
    signal?: AbortSignal,
  ) => Promise<readonly TurnEvent[]>
  readonly conversation: ReturnType<typeof createConversation>
} {
  const at = house({ upstream: () => streamed('Hel', 'lo'), ...furnishing })
  const { loadWorld, dispatch, sessions, clock } = at
  const codecs = { 'anthropic-messages': PLAIN }
  const conversation = createConversation({ loadWorld, dispatch, sessions, codecs, clock })
  return {
    ...at,
    conversation,
    async say(message, more = {}, signal = new AbortController().signal) {
      const events: TurnEvent[] = []
      for await (const event of conversation.turn({ session: MAIN, message, ...more }, signal)) {
        events.push(event)
      }
      return events
    },
  }
}
const kinds = (events: readonly TurnEvent[]): readonly string[] => events.map(({ type }) => type)
const transcript = async (at: House) => orThrow(await at.sessions.transcript(MAIN_AGENT, MAIN))
const asked = (
  at: House,
  index = -1,
): { model: string; system?: string; messages: readonly { role: string; text: string }[] } =>
  JSON.parse(String(at.upstream.requests.at(index)?.body))

describe('a turn', () => {
  test('streams the reply between started and finished', async () => {
    const at = talk()
    expect(await at.say('hi')).toEqual([
      {
        type: 'started',
        model: { provider: 'anthropic', model: expect.any(String) },
        profile: 'anthropic:a',
        lane: 'metered',
        attempts: [],
      },
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      {
        type: 'finished',
        stopReason: 'end_turn',
        usage: { inputTokens: 3, outputTokens: 5 },
      },
    ])
  })

  test('is kept: what was said, who answered, and the session with its title', async () => {
    const at = talk()
    await at.say(
      '  What is a very long first line that goes on and on, further than a title may?\nMore',
    )
    expect(await transcript(at)).toMatchObject([
      { role: 'user' },
      { role: 'assistant', text: 'Hello', profile: 'anthropic:a', usage: { outputTokens: 5 } },
    ])
    const head = orThrow(await at.sessions.read(MAIN_AGENT, MAIN))
    expect(head).toMatchObject({ turns: 1 })
    expect(head?.title).toHaveLength(60)
    expect(head?.title).toMatch(/^What is .*…$/)
  })

  test('carries the conversation so far and the system text', async () => {
    const at = talk({ ...KEYED, config: { agents: { defaults: { system: 'Be brief' } } } })
    await at.say('one')
    await at.say('two')
    expect(asked(at)).toMatchObject({
      system: 'Be brief',
      messages: [
        { role: 'user', text: 'one' },
        { role: 'assistant', text: 'Hello' },
        { role: 'user', text: 'two' },
      ],
    })
  })

  test('tells who could not serve and who pays now', async () => {
    const at = talk({
      books: { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) },
      upstream: (_, index) => (index === 0 ? anAnswer(429) : streamed('ok')),
    })
    const events = await at.say('hi')
    expect(events.find(({ type }) => type === 'notice')).toEqual({
      type: 'notice',
      text: 'anthropic:a could not serve: rate limit. Answered by anthropic:b (paid by use)',
    })
  })

  test('uses the model that was asked for this turn alone', async () => {
    const at = talk()
    await at.say('hi', { model: 'claude-once' })
    expect(asked(at).model).toBe('claude-once')
    await at.say('hi')
    expect(asked(at).model).not.toBe('claude-once')
  })

  test('uses the fallbacks of the default', async () => {
    const at = talk({
      books: { main: aBook(aProfile('anthropic:a'), aProfile('sandbox:b')) },
      config: {
        agents: { defaults: { model: { primary: 'anthropic/x', fallbacks: ['sandbox/y'] } } },
      },
      upstream: (_, index) => (index === 0 ? anAnswer(529) : streamed('ok')),
    })
    expect(kinds(await at.say('hi'))).toEqual(['started', 'notice', 'text', 'finished'])
    expect(asked(at).model).toBe('y')
  })

  test('that nobody serves fails with the reason and leaves no trace', async () => {
    const at = talk({ ...KEYED, upstream: () => anAnswer(401) })
    expect(await at.say('hi')).toMatchObject([
      { type: 'failed', fault: { code: 'EQ_UPSTREAM_FAILED' } },
    ])
    expect(await transcript(at)).toEqual([])
    expect(orThrow(await at.sessions.list(MAIN_AGENT)).heads).toEqual([])
  })

  test('of a protocol that no chat speaks fails with it', async () => {
    const at = talk({ books: { main: aBook(aProfile('openai:c')) } })
    expect(await at.say('hi')).toMatchObject([{ fault: { code: 'EQ_REQUEST_PROTOCOL' } }])
    expect(at.upstream.requests).toEqual([])
  })

  test('of an unknown agent fails', async () => {
    expect(await talk().say('hi', { agent: agent('nobody') })).toMatchObject([
      { type: 'failed', fault: { code: 'EQ_AGENT_UNKNOWN' } },
    ])
  })
})

describe('a reply that ends early', () => {
  test('because the stream broke is kept as far as it came, and fails', async () => {
    const at = talk({ ...KEYED, upstream: () => streamed('Hel', new Error('reset')) })
    expect((await at.say('hi')).at(-1)).toMatchObject({
      fault: { code: 'EQ_UPSTREAM_CUT', profile: 'anthropic:a', detail: 'reset' },
    })
    expect(await transcript(at)).toMatchObject([{ role: 'user' }, { text: 'Hel', partial: true }])
  })

  test('because the provider said so is kept and fails with its words', async () => {
    const at = talk({ ...KEYED, upstream: () => streamed('Hel', '!') })
    expect((await at.say('hi')).at(-1)).toMatchObject({
      fault: { code: 'EQ_UPSTREAM_CUT', detail: 'overloaded' },
    })
    expect(await transcript(at)).toMatchObject([{ role: 'user' }, { partial: true }])
  })

  test('because the user stopped it is kept, and the session can go on', async () => {
    const controller = new AbortController()
    const at = talk({
      ...KEYED,
      upstream: (_, index) =>
        index === 0
          ? streamed('Hel', () => controller.abort(), new Error('aborted'))
          : streamed('again'),
    })
    const events = await at.say('hi', {}, controller.signal)
    expect(events.at(-1)).toEqual({ type: 'failed', fault: { code: 'EQ_REQUEST_CANCELLED' } })
    expect(await transcript(at)).toMatchObject([{ role: 'user' }, { text: 'Hel', partial: true }])
    expect(kinds(await at.say('go on'))).toContain('finished')
  })

  test('before its first word leaves no trace', async () => {
    const at = talk({ ...KEYED, upstream: () => streamed(new Error('reset')) })
    await at.say('hi')
    expect(await transcript(at)).toEqual([])
  })
})

describe('a session', () => {
  test('takes one message at a time; another session takes its own', async () => {
    const at = talk()
    const signal = new AbortController().signal
    const first = at.conversation
      .turn({ session: MAIN, message: 'one' }, signal)
      [Symbol.asyncIterator]()
    await first.next()
    expect(await at.say('two')).toMatchObject([{ fault: { code: 'EQ_SESSION_BUSY' } }])
    expect(kinds(await at.say('two', { session: session('other') }))).toContain('finished')
    await first.return?.()
    expect(kinds(await at.say('three'))).toContain('finished')
  })

  test('keeps what a slash command chose: model and pin', async () => {
    const at = talk({ books: { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) } })
    expect(await at.say('/model claude-x@anthropic:b')).toMatchObject([
      { type: 'command', text: expect.stringContaining('pinned to anthropic:b') },
      { type: 'finished', stopReason: 'command' },
    ])
    expect(at.upstream.requests).toEqual([])
    await at.say('hi')
    expect(asked(at).model).toBe('claude-x')
    expect(sentKey(at.upstream.requests[0])).toBe('fake-key-of-anthropic:b')
  })

  test('is not changed by a command that is wrong', async () => {
    const at = talk()
    expect(await at.say('/model nobody/x')).toMatchObject([
      { fault: { code: 'EQ_PROVIDER_UNKNOWN' } },
    ])
    expect(await at.say('/modle')).toMatchObject([{ fault: { code: 'EQ_SLASH_UNKNOWN' } }])
    expect(orThrow(await at.sessions.list(MAIN_AGENT)).heads).toEqual([])
  })

  test('forgets the conversation before /new, and sends what follows it', async () => {
    const at = talk()
    await at.say('one')
    at.clock.advance(1)
    expect(kinds(await at.say('/new two'))).toEqual([
      'command',
      'started',
      'text',
      'text',
      'finished',
    ])
    expect(asked(at).messages).toEqual([{ role: 'user', text: 'two' }])
  })

  test('knows the aliases of the config as commands', async () => {
    const at = talk({
      ...KEYED,
      config: { agents: { defaults: { aliases: { fast: 'anthropic/claude-fast' } } } },
    })
    expect(kinds(await at.say('/FAST'))).toEqual(['command', 'finished'])
    await at.say('hi')
    expect(asked(at).model).toBe('claude-fast')
  })

  test('takes a path for text', async () => {
    const at = talk()
    expect(kinds(await at.say('/etc/hosts'))).toContain('text')
  })
})

test('/model status in a chat says when somebody else began to pay for this session', async () => {
  const at = house(KEYED)
  const { loadWorld, dispatch, sessions, clock } = at
  const when = clock.now() - 60_000
  const from = { profile: profile('anthropic:a'), lane: 'subscription' } as const
  const to = { profile: profile('anthropic:key'), lane: 'metered' } as const
  const conversation = createConversation({
    loadWorld,
    dispatch,
    sessions,
    codecs: {},
    clock,
    crossings: {
      last: (_agent, asked) => (asked === MAIN ? { when, from, to } : undefined),
    },
  })
  const said: string[] = []
  for (const asked of [MAIN, session('other')]) {
    const turn = { session: asked, message: '/model status' }
    for await (const event of conversation.turn(turn, new AbortController().signal)) {
      if (event.type === 'command') said.push(event.text)
    }
  }
  expect(said[0]).toContain('Last change of payer: 1 min ago, from anthropic:a')
  expect(said[1]).not.toContain('payer')
})
