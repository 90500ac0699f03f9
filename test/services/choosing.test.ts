import { describe, expect, test } from 'vitest'
import { explain } from '../../src/domain/explain.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { ResolvedModel } from '../../src/domain/models.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { Secret } from '../../src/domain/secret.ts'
import { MINUTE_MS } from '../../src/domain/time.ts'
import type { DispatchRequest } from '../../src/services/dispatch.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { MODEL } from '../arbitrary-worlds.ts'
import { profile, provider, session } from '../names-from.ts'
import type { Furnishing, House } from './house.ts'
import { encode, house, outcome, sentKey } from './house.ts'

const OPENAI: ResolvedModel = { provider: provider('openai'), model: 'gpt-test' }
const LOGIN = aProfile('anthropic:login', {
  credential: { type: 'oauth', access: new Secret('fake-key-of-anthropic:login') },
})
const KEY = aProfile('anthropic:key')

async function send(
  from: House,
  more: Partial<DispatchRequest> = {},
): ReturnType<House['dispatch']> {
  return from.dispatch({
    world: orThrow(await from.loadWorld(MAIN_AGENT)),
    models: [MODEL],
    encode,
    signal: new AbortController().signal,
    ...more,
  })
}
const sent = (from: House): readonly string[] =>
  from.upstream.requests.map((request) => sentKey(request)?.replace(/^fake-key-of-/, '') ?? '')

/** Answers by the secret that a request carries; 200 where nothing is said. */
function byKey(
  answers: Readonly<Record<string, () => ReturnType<typeof anAnswer>>>,
): NonNullable<Furnishing['upstream']> {
  return (request) =>
    answers[sentKey(request)?.replace('fake-key-of-', '') ?? '']?.() ?? anAnswer(200)
}

describe('a request that was meant for a subscription and costs money by use', () => {
  const limited = (config: object = {}): House =>
    house({
      config: { ...config },
      books: { main: aBook(LOGIN, KEY) },
      upstream: byKey({ 'anthropic:login': () => anAnswer(429, { 'retry-after': '60' }) }),
    })

  test('says so: to the caller, in the log, and once to those who listen', async () => {
    const at = limited()
    const served = orThrow(await send(at, { session: session('monday') }))
    const from = { profile: 'anthropic:login', lane: 'subscription' }
    const to = { profile: 'anthropic:key', lane: 'metered' }
    expect(served.crossed).toEqual({ from, to })
    const again = orThrow(await send(at, { session: session('monday') }))
    expect(again).toMatchObject({ attempts: [], crossed: { from, to } })
    expect(at.happenings.filter(({ kind }) => kind === 'lane.crossed')).toEqual([
      { kind: 'lane.crossed', agent: 'main', session: 'monday', from, to },
    ])
    expect(at.log.lines.filter(({ event }) => event === 'request.crossed')).toHaveLength(2)

    at.clock.advance(MINUTE_MS)
    const back = house({ books: { main: aBook(LOGIN, KEY) } })
    expect(orThrow(await send(back))).not.toHaveProperty('crossed')
  })

  test('is told anew after the subscription has served again', async () => {
    let isLimited = true
    const at = house({
      books: { main: aBook(LOGIN, KEY) },
      upstream: byKey({
        'anthropic:login': () =>
          isLimited ? anAnswer(429, { 'retry-after': '30' }) : anAnswer(200),
      }),
    })
    await send(at)
    isLimited = false
    at.clock.advance(MINUTE_MS)
    expect(orThrow(await send(at)).candidate.id).toBe('anthropic:login')
    isLimited = true
    await send(at)
    expect(at.happenings.filter(({ kind }) => kind === 'lane.crossed')).toHaveLength(2)
  })

  test('also when the login has ended: what is dead is still what was meant', async () => {
    const dead = aProfile('anthropic:old', {
      credential: { type: 'token', token: new Secret('fake'), expiresAt: FAKE_NOW - 1 },
    })
    const at = house({ books: { main: aBook(dead, KEY) } })
    expect(orThrow(await send(at)).crossed).toMatchObject({ from: { profile: 'anthropic:old' } })
  })

  test('does not happen where crossing is denied, and the fault names the setting', async () => {
    const at = limited({ auth: { lanes: { crossing: 'deny' } } })
    const failed = await send(at)
    expect(failed).toMatchObject({
      fault: {
        code: 'EQ_UPSTREAM_FAILED',
        barred: [{ profile: 'anthropic:key', why: { code: 'lane_denied' } }],
      },
    })
    expect(sent(at)).toEqual(['anthropic:login'])
    const resting = await send(at)
    expect(outcome(resting)).toBe('EQ_CREDENTIAL_RESTING')
    for (const result of [failed, resting]) {
      if (result.ok) continue
      expect(explain(result.fault, FAKE_NOW)).toMatchObject({
        message: expect.stringContaining('auth.lanes.crossing is deny'),
        hint: expect.stringContaining('equabot config set auth.lanes.crossing announce'),
        http: 429,
      })
    }
  })

  test('does not happen by way of a fallback model either', async () => {
    const at = house({
      config: { auth: { lanes: { crossing: 'deny' } } },
      books: { main: aBook(LOGIN, aProfile('openai:key')) },
      upstream: byKey({ 'anthropic:login': () => anAnswer(500) }),
    })
    expect(outcome(await send(at, { models: [MODEL, OPENAI] }))).toBe('EQ_UPSTREAM_FAILED')
    expect(sent(at)).toEqual(['anthropic:login'])
  })

  test('is no crossing when the user names the credential, or has none but metered ones', async () => {
    const at = limited({ auth: { lanes: { crossing: 'deny' } } })
    expect(orThrow(await send(at, { pin: profile('anthropic:key') }))).not.toHaveProperty('crossed')
    const metered = house({ books: { main: aBook(KEY) } })
    expect(orThrow(await send(metered))).not.toHaveProperty('crossed')
  })
})

describe('when all rest', () => {
  const KEYED = { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) }

  async function resting(a: string, b: string, config: object = {}): Promise<House> {
    let awake = false
    const at = house({
      config: { ...config },
      books: KEYED,
      upstream: (request) => {
        if (awake) return anAnswer(200)
        if (sentKey(request)?.endsWith(':b')) awake = true
        return anAnswer(429, { 'retry-after': sentKey(request)?.endsWith(':a') ? a : b })
      },
    })
    return at
  }

  test('a short rest is waited for, announced before, and then served', async () => {
    const at = await resting('60', '8')
    let told: unknown
    const waiting = new Promise<void>((resolve) => {
      void send(at, {
        onWait: (wait) => {
          told = wait
          resolve()
        },
      }).then((served) => {
        told = { served }
      })
    })
    await waiting
    expect(told).toEqual({ provider: 'anthropic', profile: 'anthropic:b', until: FAKE_NOW + 8_000 })
    expect(at.happenings).toContainEqual({
      kind: 'all.resting',
      agent: 'main',
      provider: 'anthropic',
      until: FAKE_NOW + 8_000,
    })
    at.clock.advance(8_000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toMatchObject({
      served: { ok: true, value: { candidate: { id: 'anthropic:b' } } },
    })
    expect(sent(at)).toEqual(['anthropic:a', 'anthropic:b', 'anthropic:b'])
  })

  test('a long rest is told at once, with one reason for each profile', async () => {
    const at = await resting('60', '11')
    expect(outcome(await send(at))).toBe('EQ_UPSTREAM_FAILED')
    expect(await send(at)).toMatchObject({
      fault: {
        code: 'EQ_CREDENTIAL_RESTING',
        until: FAKE_NOW + 11_000,
        passedOver: [{ profile: 'anthropic:a' }, { profile: 'anthropic:b' }],
      },
    })
    expect(at.happenings.filter(({ kind }) => kind === 'all.resting')).toHaveLength(1)
  })

  test('nobody waits where the config says so', async () => {
    const at = await resting('60', '1', { auth: { waitForRestMs: 0 } })
    expect(outcome(await send(at))).toBe('EQ_UPSTREAM_FAILED')
  })

  test('a caller who leaves is not waited for', async () => {
    const at = await resting('60', '8')
    const caller = new AbortController()
    const failed = await send(at, { signal: caller.signal, onWait: () => caller.abort() })
    expect(outcome(failed)).toBe('EQ_REQUEST_CANCELLED')
    expect(at.upstream.requests).toHaveLength(2)
  })

  test('limits are 429, and a provider that is overloaded is 503', async () => {
    const overloaded = house({
      books: KEYED,
      upstream: () => anAnswer(529, { 'retry-after': '60' }),
    })
    await send(overloaded)
    const failed = await send(overloaded)
    expect(failed.ok ? 0 : explain(failed.fault).http).toBe(503)
  })
})

describe('a provider in trouble', () => {
  test('gets at most a tenth more than its requests, and the fault says why it was not asked again', async () => {
    const at = house({
      books: { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) },
      upstream: () => anAnswer(500),
    })
    const requests = 400
    let last: Awaited<ReturnType<typeof send>> | undefined
    for (let index = 0; index < requests; index += 1) {
      last = await send(at)
      at.clock.advance(100)
    }
    expect(at.upstream.requests.length).toBeLessThanOrEqual(requests * 1.1 + 10)
    expect(at.upstream.requests.length).toBeGreaterThan(requests)
    expect(last).toMatchObject({
      fault: { heldBack: 'anthropic', attempts: [{ profile: expect.any(String) }] },
    })
    expect(last?.ok === false && explain(last.fault).message).toContain('exceed 10 % of its load')
  })

  test('is forgiven after a quiet minute, and a single user always has a second try', async () => {
    const at = house({
      books: { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) },
      upstream: () => anAnswer(500),
    })
    for (let index = 0; index < 12; index += 1) await send(at)
    expect(at.upstream.requests).toHaveLength(22)
    at.clock.advance(MINUTE_MS + 5_000)
    await send(at)
    expect(at.upstream.requests).toHaveLength(24)
  })
})

describe('a host that cannot be reached', () => {
  const unreachable = {
    reason: 'network' as const,
    words: 'could not find the host',
    unreachable: true,
  }

  test('is tried once, however many profiles there are, and named with the profile', async () => {
    const at = house({
      books: { main: aBook(...['a', 'b', 'c'].map((name) => aProfile(`anthropic:${name}`))) },
      upstream: () => unreachable,
    })
    expect(await send(at, { models: [MODEL, { ...MODEL, model: 'other' }] })).toMatchObject({
      fault: { attempts: [{ profile: 'anthropic:a', host: 'api.anthropic.com' }] },
    })
    expect(at.upstream.requests).toHaveLength(1)
  })

  test('leaves the next host less time, so that both together are told within ten seconds', async () => {
    const at = house({
      books: { main: aBook(aProfile('anthropic:a'), aProfile('openai:b')) },
      upstream: () => unreachable,
    })
    await send(at, { models: [MODEL, OPENAI] })
    const limits = at.upstream.requests.map(({ timeouts }) => timeouts.connectTimeoutMs)
    expect(limits).toHaveLength(2)
    expect(limits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(10_000)
  })
})

describe('a request that is too long for its model', () => {
  const TOO_LONG =
    '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}'
  const large: ResolvedModel = { ...MODEL, model: 'claude-large' }
  const small: ResolvedModel = { ...MODEL, model: 'claude-small' }
  const unknown: ResolvedModel = { ...MODEL, model: 'claude-unknown' }
  const at = (): House =>
    house({
      books: { main: aBook(aProfile('anthropic:a')) },
      windows: {
        'anthropic/claude-test': 200_000,
        'anthropic/claude-large': 1_000_000,
        'anthropic/claude-small': 100_000,
      },
      upstream: (request) =>
        String(request.body).includes('claude-large') ? anAnswer(200) : anAnswer(400, {}, TOO_LONG),
    })

  test('goes to a model that is known to hold more, and to no other', async () => {
    const from = at()
    const served = await send(from, { models: [MODEL, small, unknown, large] })
    expect(orThrow(served).model.model).toBe('claude-large')
    expect(from.upstream.requests).toHaveLength(2)
  })

  test('comes back as it is where there is none', async () => {
    const from = at()
    expect(await send(from, { models: [MODEL, small, unknown] })).toMatchObject({
      fault: { code: 'EQ_UPSTREAM_REJECTED', attempt: { reason: 'context_overflow' } },
    })
    expect(from.upstream.requests).toHaveLength(1)
  })
})

test.each([
  [
    'a policy',
    '{"error":{"type":"invalid_request_error","message":"blocked by content filtering policy"}}',
  ],
  ['a bad request', '{"error":{"type":"invalid_request_error","message":"max_tokens"}}'],
])(
  'a request refused for %s goes to nobody else, whatever fallbacks there are',
  async (_, body) => {
    const at = house({
      books: {
        main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b'), aProfile('openai:c')),
      },
      upstream: () => anAnswer(400, {}, body),
    })
    expect(outcome(await send(at, { models: [MODEL, OPENAI] }))).toBe('EQ_UPSTREAM_REJECTED')
    expect(at.upstream.requests).toHaveLength(1)
  },
)

test('a refusal, a rest and a recovery are told once each', async () => {
  let status = 401
  const at = house({
    books: { main: aBook(aProfile('anthropic:a')) },
    upstream: () => anAnswer(status),
  })
  await send(at)
  await send(at)
  status = 200
  at.clock.advance(20 * MINUTE_MS)
  await send(at)
  await send(at)
  expect(at.happenings.map(({ kind }) => kind)).toEqual([
    'credential.refused',
    'credential.resting',
    'credential.recovered',
  ])
})

describe('a session', () => {
  test('stays with whoever served it, while another would have its turn', async () => {
    const at = house({ books: { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) } })
    await send(at)
    await send(at, { keep: profile('anthropic:a') })
    await send(at, { keep: profile('anthropic:a') })
    expect(sent(at)).toEqual(['anthropic:a', 'anthropic:a', 'anthropic:a'])
  })

  test('yields when that one fails', async () => {
    const at = house({
      books: { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) },
      upstream: byKey({ 'anthropic:a': () => anAnswer(401) }),
    })
    expect(orThrow(await send(at, { keep: profile('anthropic:a') })).candidate.id).toBe(
      'anthropic:b',
    )
  })
})
