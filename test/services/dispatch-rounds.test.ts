import { describe, expect, test } from 'vitest'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { withoutProfile } from '../../src/domain/profile.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts'
import type { DispatchRequest } from '../../src/services/dispatch.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { MODEL } from '../arbitrary-worlds.ts'
import { profile, provider } from '../names-from.ts'
import type { Furnishing, House } from './house.ts'
import { encode, house, outcome, sentKey } from './house.ts'

const OTHER = { provider: provider('openai'), model: 'gpt-test' }
const page = (): ReturnType<typeof anAnswer> =>
  anAnswer(403, { 'content-type': 'text/html' }, '<html>Denied</html>')
const sent = (at: House): readonly string[] =>
  at.upstream.requests.map((request) => sentKey(request)?.replace('fake-key-of-', '') ?? '')

async function send(at: House, more: Partial<DispatchRequest> = {}): ReturnType<House['dispatch']> {
  return at.dispatch({
    world: orThrow(await at.loadWorld(MAIN_AGENT)),
    models: [MODEL],
    encode,
    signal: new AbortController().signal,
    ...more,
  })
}

test('after a wait everything is looked at anew: who has gone meanwhile is not tried', async () => {
  const at = house({
    books: { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) },
    upstream: () => anAnswer(429, { 'retry-after': '4' }),
  })
  const answer = await send(at, {
    onWait: () =>
      void at.profiles
        .transact(MAIN_AGENT, async (book) =>
          ok({ book: withoutProfile(book, profile('anthropic:a')), value: undefined }),
        )
        .then(() => at.clock.advance(5 * SECOND_MS)),
  })
  expect(outcome(answer)).toBe('EQ_UPSTREAM_FAILED')
  expect(sent(at)).toEqual(['anthropic:a', 'anthropic:b', 'anthropic:b', 'anthropic:b'])
})

test('what another request met in the same millisecond does not keep this one from trying', async () => {
  const at = house({
    books: { main: aBook(aProfile('anthropic:a')) },
    upstream: (_, index) => (index === 0 ? page() : anAnswer(200)),
  })
  expect(outcome(await send(at))).toBe('EQ_UPSTREAM_FAILED')
  expect(orThrow(await send(at)).candidate.id).toBe('anthropic:a')
})

test('a firewall that one login has met keeps out those too that rest by themselves', async () => {
  const at = house({
    books: { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) },
    upstream: (_, index) => (index === 0 ? anAnswer(402) : page()),
  })
  const both = { auth: { order: { anthropic: ['anthropic:a', 'anthropic:b'] } } }
  await at.settings.edit(() => [{ path: ['auth'], value: both.auth }])
  expect(outcome(await send(at))).toBe('EQ_UPSTREAM_FAILED')
  at.clock.advance(20 * MINUTE_MS)
  expect(outcome(await send(at))).toBe('EQ_UPSTREAM_FAILED')
  // `a` still rests because of itself when `b` meets the firewall.
  expect(sent(at)).toEqual(['anthropic:a', 'anthropic:b', 'anthropic:b'])
})

test('what another request was told meanwhile holds for this one', async () => {
  let fail: (answer: ReturnType<typeof anAnswer>) => void = () => undefined
  const at = house({
    books: { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) },
    upstream: (request) =>
      sentKey(request)?.endsWith(':b')
        ? anAnswer(429, { 'retry-after': '60' })
        : new Promise((resolve) => (fail = resolve)),
  })
  const slow = send(at)
  const other = { ...MODEL, profile: profile('anthropic:b') }
  expect(outcome(await send(at, { models: [other] }))).toBe('EQ_UPSTREAM_FAILED')
  fail(anAnswer(500))
  expect(outcome(await slow)).toBe('EQ_UPSTREAM_FAILED')
  expect(sent(at)).toEqual(['anthropic:a', 'anthropic:b'])
})

test('nobody is waited for whose model the request does not fit into', async () => {
  const at = house({
    books: { main: aBook(aProfile('anthropic:a'), aProfile('openai:x')) },
    upstream: (request) =>
      sentKey(request)?.includes('openai')
        ? anAnswer(400, {}, '{"error":{"code":"context_length_exceeded","message":"too long"}}')
        : anAnswer(429, { 'retry-after': '4' }),
  })
  const answer = await send(at, {
    models: [MODEL, OTHER],
    onWait: () => expect.unreachable('it waits for nothing'),
  })
  expect(outcome(answer)).toMatch(/^EQ_UPSTREAM_/)
  expect(sent(at)).toEqual(['anthropic:a', 'openai:x'])
})

test('whom a request means is asked anew after a wait', async () => {
  const rest = { reason: 'rate_limit', source: 'provider', scope: 'profile' } as const
  const at = house({
    books: {
      main: aBook(
        aProfile('anthropic:login', {
          credential: { type: 'oauth', access: new Secret('fake-key-of-anthropic:login') },
        }),
        aProfile('anthropic:key'),
      ),
    },
    config: {
      auth: {
        order: { anthropic: ['anthropic:key', 'anthropic:login'] },
        strategy: 'spread',
        lanes: { crossing: 'deny' },
      },
    },
    states: {
      main: {
        profiles: new Map([
          [
            'anthropic:key',
            {
              lastUsedAt: FAKE_NOW - MINUTE_MS,
              rest: { ...rest, since: FAKE_NOW, until: FAKE_NOW + 4 * SECOND_MS },
            },
          ],
        ]),
        models: new Map(),
      },
    },
    upstream: (_, index) => anAnswer(index === 0 ? 500 : 200),
  })
  const answer = orThrow(
    await send(at, { onWait: () => queueMicrotask(() => at.clock.advance(5 * SECOND_MS)) }),
  )
  expect(sent(at)).toEqual(['anthropic:login', 'anthropic:key'])
  expect(answer.crossed).toBeUndefined()
  expect(at.happenings.map(({ kind }) => kind)).not.toContain('lane.crossed')
})

describe('a request has only so many tries', () => {
  const STAND_IN = { provider: provider('backup'), model: 'm' }
  const chained = (upstream: Furnishing['upstream'], profiles = ['a', 'b', 'c']): House =>
    house({
      books: {
        main: aBook(
          ...[...profiles.map((id) => `anthropic:${id}`), 'backup:x'].map((id) => aProfile(id)),
        ),
      },
      config: {
        auth: { order: { anthropic: profiles.map((id) => `anthropic:${id}`) } },
        models: {
          providers: {
            backup: { baseUrl: 'https://backup.invalid', protocol: 'anthropic-messages' },
          },
        },
      },
      ...(upstream && { upstream }),
    })
  const fails =
    (answer: () => ReturnType<typeof anAnswer>): Furnishing['upstream'] =>
    (request) =>
      sentKey(request)?.includes('anthropic') ? answer() : anAnswer(200)
  const models = [MODEL, STAND_IN]

  test('a provider that fails twice by itself is left for one that stands in', async () => {
    const at = chained(fails(() => anAnswer(500)))
    orThrow(await send(at, { models }))
    expect(sent(at)).toEqual(['anthropic:a', 'anthropic:b', 'backup:x'])
  })

  test('where nobody stands in, all its credentials are tried', async () => {
    const at = chained(fails(() => anAnswer(500)))
    await send(at)
    expect(sent(at)).toEqual(['anthropic:a', 'anthropic:b', 'anthropic:c'])
  })

  test('how long a model is to be left alone holds for every credential', async () => {
    const at = chained(fails(() => anAnswer(529, { 'retry-after': '30' })))
    orThrow(await send(at, { models }))
    expect(sent(at)).toEqual(['anthropic:a', 'backup:x'])
  })

  test('of those that rest by our own guess one is tried before somebody who is well', async () => {
    const at = chained(fails(() => anAnswer(401)))
    orThrow(await send(at, { models }))
    expect(sent(at)).toEqual(['anthropic:a', 'anthropic:b', 'anthropic:c', 'backup:x'])
    orThrow(await send(at, { models }))
    expect(sent(at).slice(4)).toEqual(['anthropic:a', 'backup:x'])
  })

  test('a credential that was refused is not tried again with another model', async () => {
    const at = chained(
      fails(() => anAnswer(401)),
      ['a'],
    )
    const other = { ...MODEL, model: 'claude-small' }
    orThrow(await send(at, { models: [MODEL, other, STAND_IN] }))
    expect(sent(at)).toEqual(['anthropic:a', 'backup:x'])
  })
})
