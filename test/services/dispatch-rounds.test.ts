import { expect, test } from 'vitest'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { withoutProfile } from '../../src/domain/profile.ts'
import { ok } from '../../src/domain/result.ts'
import { MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts'
import type { DispatchRequest } from '../../src/services/dispatch.ts'
import { aBook, anAnswer, aProfile } from '../../src/testing.ts'
import { MODEL } from '../arbitrary-worlds.ts'
import { profile, provider } from '../names-from.ts'
import type { House } from './house.ts'
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
