import { describe, expect, test } from 'vitest'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { MODEL } from '../arbitrary-worlds.ts'
import type { House } from './house.ts'
import { encode, house, sentKey } from './house.ts'

const login = (id: string, accountId: string) =>
  aProfile(id, {
    credential: {
      type: 'oauth',
      access: new Secret(`fake-key-of-${id}`),
      accountId,
      email: 'a@example.com',
    },
  })
const PLAN = {
  'anthropic-ratelimit-unified-5h-status': 'rejected',
  'anthropic-ratelimit-unified-5h-reset': String((FAKE_NOW + HOUR_MS) / 1_000),
}
const ERROR_OF_MODEL =
  '{"error":{"message":"This request would exceed your organization\'s rate limit of 5 (model: claude-x)"}}'

async function send(at: House): ReturnType<House['dispatch']> {
  return at.dispatch({
    world: orThrow(await at.loadWorld(MAIN_AGENT)),
    models: [MODEL],
    encode,
    signal: new AbortController().signal,
  })
}
const restsOf = ({ happenings }: House) =>
  happenings.filter(({ kind }) => kind === 'credential.resting')

describe('a rest is told once, with what rests', () => {
  test.each([
    ['the profile', 'profile', () => anAnswer(429, { 'retry-after': '3600' })],
    ['one model of the profile', 'model', () => anAnswer(429, {}, ERROR_OF_MODEL)],
    ['its account', 'account', () => anAnswer(429, PLAN)],
    ['its provider', 'provider', () => anAnswer(403, {}, '<html>blocked</html>')],
  ])('%s', async (_, scope, answer) => {
    const at = house({ books: { main: aBook(login('anthropic:a', 'acc_1')) }, upstream: answer })
    await send(at)
    await send(at)
    expect(restsOf(at)).toEqual([
      {
        kind: 'credential.resting',
        profile: 'anthropic:a',
        scope,
        ...(scope === 'model' && { model: 'anthropic/claude-test' }),
        reason: expect.any(String),
        until: expect.any(Number),
      },
    ])
  })

  test('also where two requests meet it at once', async () => {
    let arrive: () => void = () => undefined
    const both = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const at = house({
      books: { main: aBook(aProfile('anthropic:a')) },
      upstream: async (_, index) => {
        if (index === 1) arrive()
        await both
        return anAnswer(429, { 'retry-after': '3600' })
      },
    })
    await Promise.all([send(at), send(at)])
    expect(at.upstream.requests).toHaveLength(2)
    expect(restsOf(at)).toHaveLength(1)
  })

  test('and anew when it begins anew', async () => {
    const at = house({
      books: { main: aBook(aProfile('anthropic:a')) },
      upstream: () => anAnswer(429, { 'retry-after': '60' }),
    })
    await send(at)
    at.clock.advance(HOUR_MS)
    await send(at)
    expect(restsOf(at)).toHaveLength(2)
  })
})

describe('a recovery is told once', () => {
  test('of the credential that was told to rest, whichever of its account serves', async () => {
    let isLimited = true
    const at = house({
      books: { main: aBook(login('anthropic:a', 'acc_1'), login('anthropic:b', 'acc_1')) },
      config: { auth: { order: { anthropic: ['anthropic:a', 'anthropic:b'] } } },
      upstream: (request) => {
        if (isLimited) return anAnswer(429, PLAN)
        return sentKey(request)?.endsWith(':a') ? anAnswer(500) : anAnswer(200)
      },
    })
    await send(at)
    isLimited = false
    at.clock.advance(2 * HOUR_MS)
    expect(orThrow(await send(at)).candidate.id).toBe('anthropic:b')
    await send(at)
    expect(at.happenings.filter(({ kind }) => kind === 'credential.recovered')).toEqual([
      { kind: 'credential.recovered', profile: 'anthropic:a' },
    ])
  })
})
