import { describe, expect, test } from 'vitest'
import type { ReplyEvent, TurnEvent, TurnRequest } from '../../src/domain/chat.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { ChatCodec, SessionHead } from '../../src/domain/ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { createConversation } from '../../src/services/conversation.ts'
import type { Refusal } from '../../src/services/refusals.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { session } from '../names-from.ts'
import type { Furnishing, House } from './house.ts'
import { house, sentKey } from './house.ts'

const MAIN = session('main')
const TWO = { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) }

/** A dialect in which every reply is one word. */
const PLAIN: ChatCodec = {
  path: '/plain',
  encode: (request) => JSON.stringify(request),
  async *decode(): AsyncIterable<ReplyEvent> {
    yield { type: 'text', text: 'yes' }
    yield { type: 'stop', reason: 'end_turn' }
  },
}

function talk(furnishing: Furnishing = {}): House & {
  readonly events: (message: string, more?: Partial<TurnRequest>) => AsyncIterable<TurnEvent>
  readonly say: (message: string, more?: Partial<TurnRequest>) => Promise<readonly TurnEvent[]>
  readonly head: () => Promise<SessionHead | undefined>
  readonly refusals: readonly Refusal[]
} {
  const at = house({ books: TWO, ...furnishing })
  const { loadWorld, dispatch, sessions, clock } = at
  const refusals: Refusal[] = []
  const conversation = createConversation({
    refused: (refusal) => void refusals.push(refusal),
    loadWorld,
    dispatch,
    sessions,
    codecs: { 'anthropic-messages': PLAIN },
    clock,
    catalogue: async (provider) =>
      provider === 'anthropic'
        ? ['claude-opus-4-5', 'claude-opus-4-6', 'claude-haiku-4-5'].map((id) => ({ id }))
        : [],
  })
  const events = (message: string, more: Partial<TurnRequest> = {}): AsyncIterable<TurnEvent> =>
    conversation.turn({ session: MAIN, message, ...more }, new AbortController().signal)
  return {
    ...at,
    refusals,
    events,
    async say(message, more) {
      const all: TurnEvent[] = []
      for await (const event of events(message, more)) all.push(event)
      return all
    },
    head: async () => orThrow(await sessions.read(MAIN_AGENT, MAIN)),
  }
}
const sent = (at: House): readonly string[] =>
  at.upstream.requests.map((request) => sentKey(request)?.replace('fake-key-of-', '') ?? '')
const notices = (events: readonly TurnEvent[]): readonly string[] =>
  events.flatMap((event) => (event.type === 'notice' ? [event.text] : []))
const told = (events: readonly TurnEvent[]): string =>
  events.map((event) => (event.type === 'command' ? event.text : '')).join('')

test('a turn that is refused before anybody is asked is told to whoever keeps records', async () => {
  const at = talk()
  await at.say('hi', { model: 'no-such-model' })
  await at.say('hi')
  expect(at.refusals).toMatchObject([
    {
      at: FAKE_NOW,
      agent: 'main',
      session: 'main',
      client: 'chat',
      asked: 'no-such-model',
      fault: { code: 'EQ_MODEL_UNKNOWN' },
    },
  ])
})

describe('a session', () => {
  test('stays with whoever served it first, while another session takes its turn', async () => {
    const at = talk()
    await at.say('one')
    await at.say('two', { session: session('other') })
    await at.say('three')
    expect(sent(at)).toEqual(['anthropic:a', 'anthropic:b', 'anthropic:a'])
    expect((await at.head())?.pin).toEqual({ profile: 'anthropic:a', source: 'auto' })
    expect(told(await at.say('/model status'))).toContain(
      'kept on anthropic:a for the prompt cache',
    )
  })

  test('goes over to whoever can serve, says so, and stays there', async () => {
    let isBroken = false
    const at = talk({
      upstream: (request) => anAnswer(isBroken && sentKey(request)?.endsWith(':a') ? 401 : 200),
    })
    await at.say('one')
    isBroken = true
    expect(notices(await at.say('two'))).toEqual([expect.stringContaining('anthropic:b')])
    isBroken = false
    await at.say('three')
    expect(sent(at)).toEqual(['anthropic:a', 'anthropic:a', 'anthropic:b', 'anthropic:b'])
  })

  test('begun afresh is kept by nobody; a person’s pin and the model stay', async () => {
    const at = talk()
    await at.say('one')
    await at.say('/new')
    expect(await at.head()).not.toHaveProperty('pin')
    await at.say('/model claude-opus-4-5@anthropic:b')
    await at.say('/new')
    expect(await at.head()).toMatchObject({
      model: 'anthropic/claude-opus-4-5',
      pin: { profile: 'anthropic:b', source: 'user' },
    })
  })

  test('with a model for one turn alone is tied to nobody by it', async () => {
    const at = talk()
    await at.say('one', { model: 'claude-opus-4-5@anthropic:b' })
    expect(await at.head()).not.toHaveProperty('pin')
  })

  test('lets go of what keeps it with /model unpin', async () => {
    const at = talk()
    await at.say('one')
    expect(told(await at.say('/model unpin'))).toBe('No longer kept on anthropic:a')
    expect(await at.head()).not.toHaveProperty('pin')
  })

  test('with a dead pin answers with the command that mends it, and never serves by another', async () => {
    const dead = aProfile('anthropic:old', {
      credential: { type: 'token', token: new Secret('fake'), expiresAt: FAKE_NOW + 1_000 },
    })
    const at = talk({ books: { main: aBook(dead, aProfile('anthropic:b')) } })
    await at.say('/model claude-opus-4-5@anthropic:old')
    at.clock.advance(2_000)
    expect(await at.say('hello')).toMatchObject([
      { type: 'failed', fault: { code: 'EQ_PIN_UNUSABLE', why: { code: 'expired' } } },
    ])
    expect(at.upstream.requests).toEqual([])
  })
})

test('a rest that is waited for is announced before the wait, and the reply comes after it', async () => {
  let isLimited = true
  const at = talk({
    books: { main: aBook(aProfile('anthropic:a')) },
    upstream: () => (isLimited ? anAnswer(429, { 'retry-after': '5' }) : anAnswer(200)),
  })
  const events = at.events('hello')[Symbol.asyncIterator]()
  expect(await events.next()).toEqual({
    done: false,
    value: { type: 'notice', text: 'Every credential rests; waiting 5 s for anthropic:a' },
  })
  isLimited = false
  const next = events.next()
  await new Promise((resolve) => setImmediate(resolve))
  at.clock.advance(5_000)
  expect(await next).toMatchObject({ value: { type: 'started', profile: 'anthropic:a' } })
})

test('a turn that begins to cost money says so, and those after it do not say it again', async () => {
  const login = aProfile('anthropic:login', {
    credential: { type: 'oauth', access: new Secret('fake-key-of-anthropic:login') },
  })
  const at = talk({
    books: { main: aBook(login, aProfile('anthropic:key')) },
    upstream: (request) =>
      sentKey(request)?.endsWith(':login')
        ? anAnswer(429, { 'retry-after': '3600' })
        : anAnswer(200),
  })
  const crossing =
    'Paid by use: anthropic:key stands in for anthropic:login (subscription). To forbid that: equabot config set auth.lanes.crossing deny'
  expect(notices(await at.say('one'))).toContain(crossing)
  expect(notices(await at.say('two'))).toEqual([])
  expect(await at.head()).not.toHaveProperty('pin')
})

describe('/model with part of a name', () => {
  test('takes the one model that it can mean, and says how it was found', async () => {
    const at = talk()
    expect(told(await at.say('/model haiku'))).toBe(
      'Model of this session: anthropic/claude-haiku-4-5 (found by a part of its name, score 49 of 100)',
    )
    expect((await at.head())?.model).toBe('anthropic/claude-haiku-4-5')
    expect(told(await at.say('/model haiku@anthropic:b'))).toContain('pinned to anthropic:b')
  })

  test.each(['opus', 'claude-opus'])(
    '%s may mean several: it names them and takes none',
    async (typed) => {
      const at = talk()
      expect(await at.say(`/model ${typed}`)).toMatchObject([
        {
          type: 'failed',
          fault: {
            code: 'EQ_MODEL_AMBIGUOUS',
            matches: [
              { model: 'anthropic/claude-opus-4-5' },
              { model: 'anthropic/claude-opus-4-6' },
            ],
          },
        },
      ])
      expect(await at.head()).toBeUndefined()
    },
  )

  test('takes a name that nobody knows as it is, where its beginning names the provider', async () => {
    const at = talk()
    expect(told(await at.say('/model claude-next-9'))).toBe(
      'Model of this session: anthropic/claude-next-9',
    )
  })
})
