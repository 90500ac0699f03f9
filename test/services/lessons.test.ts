import { describe, expect, test } from 'vitest'
import type { UpstreamFailure } from '../../src/domain/cooldown.ts'
import { restFor } from '../../src/domain/cooldown.ts'
import type { Candidate } from '../../src/domain/rotation.ts'
import { Secret } from '../../src/domain/secret.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts'
import type { Lessons } from '../../src/services/lessons.ts'
import { createLessons } from '../../src/services/lessons.ts'
import type { FakeClock, MemoryStateStore } from '../../src/testing.ts'
import { fakeClock, memoryStateStore, plainFingerprint } from '../../src/testing.ts'
import { MODEL } from '../arbitrary-worlds.ts'
import { agent, profile, provider } from '../names-from.ts'

const OTHER_MODEL = { ...MODEL, model: 'claude-other' }

function login(id: string, accountId?: string): Candidate {
  const access = new Secret(`fake-access-of-${id}`)
  return {
    id: profile(id),
    credential: { type: 'oauth', access, ...(accountId !== undefined && { accountId }) },
    fingerprint: plainFingerprint(access),
    source: { kind: 'store', agent: agent('main'), path: '/state/book.json' },
    origin: 'equabot',
    lane: 'subscription',
  }
}
const failed = (
  reason: UpstreamFailure['reason'],
  more: Partial<UpstreamFailure> = {},
): UpstreamFailure => ({ reason, words: 'words', ...more })

interface School {
  readonly clock: FakeClock
  readonly states: MemoryStateStore
  readonly lessons: Lessons
  readonly rest: (candidate: Candidate, model?: typeof MODEL) => ReturnType<typeof restFor>
}

function school(): School {
  const clock = fakeClock()
  const states = memoryStateStore()
  return {
    clock,
    states,
    lessons: createLessons({ states, clock, random: () => 0 }),
    rest: (candidate, model = MODEL) => restFor(candidate, model, states.state(), clock.now()),
  }
}

describe('a limit of an account', () => {
  const limit = failed('rate_limit', { scope: 'account', retryAfterMs: 3 * DAY_MS })

  test('rests every login of that account, and no other', () => {
    const { lessons, rest, clock } = school()
    lessons.learnFailure(login('anthropic:a', 'acc_1'), MODEL, limit, [])
    for (const id of ['anthropic:a', 'anthropic:b']) {
      expect(rest(login(id, 'acc_1'), OTHER_MODEL)).toMatchObject({
        scope: 'account',
        until: clock.now() + 3 * DAY_MS,
      })
    }
    expect(rest(login('anthropic:c', 'acc_2'))).toBeUndefined()
    expect(rest(login('openai:a', 'acc_1'))).toBeUndefined()
  })

  test('ends with a good answer to any login of it', () => {
    const { lessons, rest, clock } = school()
    lessons.learnFailure(login('anthropic:a', 'acc_1'), MODEL, limit, [])
    clock.advance(HOUR_MS)
    lessons.learnSuccess(login('anthropic:b', 'acc_1'), MODEL, [])
    expect(rest(login('anthropic:a', 'acc_1'))).toBeUndefined()
  })

  test('rests the one login where its account is not known', () => {
    const { lessons, rest } = school()
    lessons.learnFailure(login('anthropic:a'), MODEL, limit, [])
    expect(rest(login('anthropic:a'))?.scope).toBe('profile')
    expect(rest(login('anthropic:b'))).toBeUndefined()
  })
})

test('a wall before the provider rests everything there, and nothing elsewhere', () => {
  const { lessons, rest } = school()
  const wall = failed('permission', { scope: 'provider' })
  lessons.learnFailure(login('anthropic:a'), MODEL, wall, [])
  expect(rest(login('anthropic:b'), OTHER_MODEL)?.scope).toBe('provider')
  const elsewhere = { provider: provider('openai'), model: 'gpt-test' }
  expect(rest(login('openai:a'), elsewhere)).toBeUndefined()
})

test('an overload rests the model for every login and leaves the logins alone', () => {
  const { lessons, rest, states } = school()
  lessons.learnFailure(login('anthropic:a'), MODEL, failed('overloaded'), [])
  expect(rest(login('anthropic:b'))).toMatchObject({ scope: 'model', reason: 'overloaded' })
  expect(rest(login('anthropic:b'), OTHER_MODEL)).toBeUndefined()
  expect(states.state().profiles.get('anthropic:a')?.rest).toBeUndefined()
})

test('a forbidden model rests for the login that met it, and for no other', () => {
  const { lessons, rest } = school()
  lessons.learnFailure(login('anthropic:a'), MODEL, failed('permission'), [])
  expect(rest(login('anthropic:a'))?.scope).toBe('model')
  expect(rest(login('anthropic:a'), OTHER_MODEL)).toBeUndefined()
  expect(rest(login('anthropic:b'))).toBeUndefined()
})

test.each([
  'invalid_request',
  'not_found',
  'content_policy',
  'context_overflow',
  'cancelled',
] as const)('a failure of kind %s rests nothing at all', (reason) => {
  const { lessons, rest, states } = school()
  const fault = failed(reason, { retryAfterMs: MINUTE_MS, scope: 'provider' })
  lessons.learnFailure(login('anthropic:a', 'acc_1'), MODEL, fault, [])
  expect(rest(login('anthropic:a', 'acc_1'))).toBeUndefined()
  expect(states.state()).toMatchObject({ models: new Map() })
  expect(states.state().accounts ?? states.state().providers).toBeUndefined()
})

test('a good answer to a request that was sent before the rest began ends no rest of any kind', () => {
  const { lessons, rest, clock } = school()
  const candidate = login('anthropic:a', 'acc_1')
  const sentAt = clock.now()
  clock.advance(1_000)
  lessons.learnFailure(candidate, MODEL, failed('overloaded'), [])
  const limit = failed('rate_limit', { scope: 'account', retryAfterMs: HOUR_MS })
  lessons.learnFailure(candidate, MODEL, limit, [])
  lessons.learnSuccess(candidate, MODEL, [], sentAt)
  expect(rest(candidate)).toMatchObject({ scope: 'account' })
  lessons.learnSuccess(candidate, MODEL, [], clock.now())
  expect(rest(candidate)).toBeUndefined()
})

test('what an answer says of limits is kept, whether the answer was good or not', () => {
  const { lessons, states, clock } = school()
  const candidate = login('anthropic:a')
  const seen = (used: number) => [{ name: '5h', used, seenAt: clock.now() }]
  lessons.learnSuccess(candidate, MODEL, seen(0.4))
  expect(states.state().profiles.get('anthropic:a')?.quota).toEqual(seen(0.4))
  lessons.learnFailure(candidate, MODEL, failed('rate_limit'), seen(1))
  expect(states.state().profiles.get('anthropic:a')?.quota).toEqual(seen(1))
})

test('the lesson that is given back changes a state as the store is changed', () => {
  const { lessons, states } = school()
  const before = states.state()
  const wall = failed('permission', { scope: 'provider' })
  const lesson = lessons.learnFailure(login('anthropic:a'), MODEL, wall, [])
  expect(lesson(before)).toEqual(states.state())
})

describe('a key of the environment', () => {
  test('keeps its rest whatever another shell does with another key in the same variable', () => {
    const { lessons, rest } = school()
    const key = (text: string): Candidate => {
      const secret = new Secret(text)
      return {
        id: profile('anthropic:env'),
        credential: { type: 'api_key', key: secret },
        fingerprint: plainFingerprint(secret),
        source: { kind: 'variable', variable: 'ANTHROPIC_API_KEY', from: { kind: 'process' } },
        origin: 'equabot',
        lane: 'metered',
      }
    }
    const limit = failed('rate_limit', { retryAfterMs: 2 * MINUTE_MS })
    lessons.learnFailure(key('fake-key-of-the-gateway'), MODEL, limit, [])
    lessons.learnSuccess(key('fake-key-of-a-shell'), MODEL, [])
    expect(rest(key('fake-key-of-the-gateway'))).toMatchObject({ source: 'provider' })
    expect(rest(key('fake-key-of-a-shell'))).toBeUndefined()
  })
})
