import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { explain } from '../../src/domain/explain.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { fail } from '../../src/domain/result.ts'
import type { AgentId } from '../../src/domain/names.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { ResolvedModel } from '../../src/domain/models.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import type { DispatchRequest } from '../../src/services/dispatch.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW, plainFingerprint } from '../../src/testing.ts'
import { ANTHROPIC, MODEL } from '../arbitrary-worlds.ts'
import { agent, profile, provider } from '../names-from.ts'
import type { Furnishing, House } from './house.ts'
import { encode, house, outcome, sentKey } from './house.ts'

const OPENAI: ResolvedModel = { provider: provider('openai'), model: 'gpt-test' }
const keyOf = (id: string): string => `fake-key-of-${id}`
const books = (...ids: readonly string[]): NonNullable<Furnishing['books']> => ({
  main: aBook(...ids.map((id) => aProfile(id))),
})

async function send(
  from: House,
  { agent = MAIN_AGENT, ...more }: Partial<DispatchRequest> & { agent?: AgentId } = {},
): ReturnType<House['dispatch']> {
  return from.dispatch({
    world: orThrow(await from.loadWorld(agent)),
    models: [MODEL],
    encode,
    signal: new AbortController().signal,
    ...more,
  })
}
const sent = (from: House): readonly (string | undefined)[] => from.upstream.requests.map(sentKey)
const used = (from: House, id: string): unknown => from.states.state().profiles.get(id)

/** Answers by the secret that a request carries; 200 where nothing is said. */
function byKey(
  answers: Readonly<Record<string, () => ReturnType<typeof anAnswer>>>,
): NonNullable<Furnishing['upstream']> {
  return (request) =>
    answers[sentKey(request)?.replace('fake-key-of-', '') ?? '']?.() ?? anAnswer(200)
}

describe('a request', () => {
  test('is served by the first candidate and recorded as good', async () => {
    const at = house({ books: books('anthropic:a', 'anthropic:b') })
    const served = orThrow(await send(at))
    expect(served).toMatchObject({ candidate: { id: 'anthropic:a' }, model: MODEL, attempts: [] })
    expect(sent(at)).toEqual([keyOf('anthropic:a')])
    expect(used(at, 'anthropic:a')).toEqual({
      fingerprint: plainFingerprint(new Secret(keyOf('anthropic:a'))),
      lastUsedAt: FAKE_NOW,
      lastGoodAt: FAKE_NOW,
    })
  })

  test('whose credential is rejected is served by the next, and the rejection is known', async () => {
    const at = house({
      books: books('anthropic:a', 'anthropic:b'),
      upstream: byKey({
        'anthropic:a': () => anAnswer(401, {}, '{"error":{"message":"invalid x-api-key"}}'),
      }),
    })
    const served = orThrow(await send(at))
    expect(served.candidate.id).toBe('anthropic:b')
    expect(served.attempts).toMatchObject([
      { profile: 'anthropic:a', reason: 'auth', status: 401, host: 'api.anthropic.com' },
    ])
    expect(used(at, 'anthropic:a')).toMatchObject({
      lastFailure: { reason: 'auth' },
      rest: { source: 'ladder' },
    })
    expect(at.log.lines).toMatchObject([{ level: 'warn', event: 'attempt.failed' }])
  })

  test('that meets the used-up plan of an account tries no other login of it, and the next account at once', async () => {
    const login = (id: string, accountId: string) =>
      aProfile(id, {
        credential: { type: 'oauth', access: new Secret(keyOf(id)), accountId },
      })
    const window = 'anthropic-ratelimit-unified-5h'
    const usedUp = {
      [`${window}-status`]: 'rejected',
      [`${window}-reset`]: String((FAKE_NOW + HOUR_MS) / 1_000),
    }
    const at = house({
      books: {
        main: aBook(
          login('anthropic:a', 'acc_1'),
          login('anthropic:b', 'acc_1'),
          login('anthropic:c', 'acc_2'),
        ),
      },
      upstream: byKey({
        'anthropic:a': () => anAnswer(429, usedUp, '{"error":{"type":"rate_limit_error"}}'),
      }),
    })
    expect(orThrow(await send(at)).candidate.id).toBe('anthropic:c')
    expect(sent(at)).toEqual(['anthropic:a', 'anthropic:c'].map(keyOf))
    expect(at.states.state().accounts?.get('anthropic:acc_1')).toMatchObject({
      scope: 'account',
      until: FAKE_NOW + HOUR_MS,
    })
    expect(used(at, 'anthropic:a')).toMatchObject({ quota: [{ name: '5h', status: 'rejected' }] })
  })

  test('that is limited rests its profile exactly as long as the provider says, and the next is tried at once', async () => {
    const at = house({
      books: books('anthropic:a', 'anthropic:b'),
      upstream: byKey({ 'anthropic:a': () => anAnswer(429, { 'retry-after': '30' }) }),
    })
    expect(orThrow(await send(at)).candidate.id).toBe('anthropic:b')
    expect(at.clock.now()).toBe(FAKE_NOW)
    expect(used(at, 'anthropic:a')).toMatchObject({
      rest: { until: FAKE_NOW + 30_000, source: 'provider', reason: 'rate_limit' },
    })
    at.clock.advance(29_999)
    await send(at)
    expect(sent(at).at(-1)).toBe(keyOf('anthropic:b'))
    at.clock.advance(1)
    await send(at)
    expect(sent(at).slice(3)).toEqual([keyOf('anthropic:a'), keyOf('anthropic:b')])
  })

  test.each([402, 403, 429, 500, 504])(
    'answered with %d is tried with the next',
    async (status) => {
      const at = house({
        books: books('anthropic:a', 'anthropic:b'),
        upstream: byKey({ 'anthropic:a': () => anAnswer(status) }),
      })
      expect(orThrow(await send(at)).candidate.id).toBe('anthropic:b')
    },
  )

  test('that got no answer is tried with the next', async () => {
    const at = house({
      books: books('anthropic:a', 'anthropic:b'),
      upstream: (_, index) =>
        index === 0 ? { reason: 'network', words: 'refused' } : anAnswer(200),
    })
    expect(orThrow(await send(at)).candidate.id).toBe('anthropic:b')
    expect(used(at, 'anthropic:a')).not.toHaveProperty('rest')
  })

  test('that is wrong itself is not tried again, and its answer comes back', async () => {
    const body = '{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens"}}'
    const at = house({
      books: books('anthropic:a', 'anthropic:b'),
      upstream: () => anAnswer(400, {}, body),
    })
    expect(await send(at)).toMatchObject({
      fault: { code: 'EQ_UPSTREAM_REJECTED', body, attempt: { status: 400 } },
    })
    expect(at.upstream.requests).toHaveLength(1)
    expect(used(at, 'anthropic:a')).not.toHaveProperty('lastFailure')
  })

  test('is encoded for the provider and sent with its credential and nothing of the others', async () => {
    const at = house({ books: books('anthropic:a', 'openai:b') })
    await send(at, { models: [OPENAI] })
    expect(at.upstream.requests).toMatchObject([
      { url: 'https://api.openai.com/v1/v1/messages', body: '{"model":"gpt-test"}' },
    ])
    expect(sent(at)).toEqual([keyOf('openai:b')])
  })

  test('costs five attempts at most', async () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `anthropic:${name}`)
    const at = house({ books: books(...many, 'openai:a'), upstream: () => anAnswer(401) })
    const failed = await send(at, { models: [MODEL, OPENAI] })
    expect(failed).toMatchObject({ fault: { code: 'EQ_UPSTREAM_FAILED' } })
    expect(at.upstream.requests).toHaveLength(5)
  })

  test.each([401, 402, 403, 429])(
    'that was answered %d five times names those that were not tried, and the next goes on with them',
    async (status) => {
      const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `anthropic:${name}`)
      const at = house({
        books: {
          main: {
            ...aBook(...many.map((id) => aProfile(id))),
            order: new Map([[ANTHROPIC, many.map(profile)]]),
          },
        },
        upstream: byKey(
          Object.fromEntries(many.slice(0, 5).map((id) => [id, () => anAnswer(status)])),
        ),
      })
      const stopped = await send(at)
      expect(stopped).toMatchObject({
        fault: {
          untried: [
            { profile: 'anthropic:f', model: 'anthropic/claude-test' },
            { profile: 'anthropic:g', model: 'anthropic/claude-test' },
          ],
        },
      })
      if (stopped.ok) throw new TypeError('served')
      expect(explain(stopped.fault)).toMatchObject({
        exit: 75,
        http: 503,
        hint: 'Send it again: the next request goes on with those that were not tried',
      })
      expect(explain(stopped.fault).message).toMatch(
        /^This request stopped after 5 of 7: .*; not tried: anthropic:f, anthropic:g$/,
      )
      expect(orThrow(await send(at)).candidate.id).toBe('anthropic:f')
    },
  )

  test('that met five errors which make nobody rest says how to name one that was not tried', async () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `anthropic:${name}`)
    const at = house({ books: books(...many), upstream: () => anAnswer(500) })
    const stopped = await send(at)
    expect(stopped.ok ? '' : explain(stopped.fault).hint).toBe(
      'Send it again, or name one that was not tried, as in --model anthropic/claude-test@anthropic:f',
    )
  })

  test('that has asked everybody there is leaves nobody untried', async () => {
    const at = house({ books: books('anthropic:a', 'anthropic:b'), upstream: () => anAnswer(401) })
    const failed = await send(at, { models: [MODEL, OPENAI] })
    expect(failed.ok ? failed : failed.fault).not.toHaveProperty('untried')
  })

  test('that nobody serves names every attempt, in order', async () => {
    const at = house({ books: books('anthropic:a', 'anthropic:b'), upstream: () => anAnswer(401) })
    expect(await send(at)).toMatchObject({
      fault: { attempts: [{ profile: 'anthropic:a' }, { profile: 'anthropic:b' }] },
    })
  })

  test('that names no model is our own fault', async () => {
    expect(outcome(await send(house(), { models: [] }))).toBe('EQ_INTERNAL')
  })
})

describe('a provider that forbids this use', () => {
  const FORBIDDEN =
    '{"type":"error","error":{"type":"permission_error","message":"This credential is only authorized for use with Claude Code and cannot be used for other API requests."}}'

  test('is not asked again with that credential until it is replaced', async () => {
    const at = house({
      books: books('anthropic:a', 'anthropic:b'),
      upstream: byKey({ 'anthropic:a': () => anAnswer(403, {}, FORBIDDEN) }),
    })
    await send(at)
    expect(used(at, 'anthropic:a')).toMatchObject({ refusedPolicy: { at: FAKE_NOW } })
    at.clock.advance(400 * 24 * HOUR_MS)
    await send(at)
    expect(sent(at)).toEqual(['a', 'b', 'b'].map((name) => keyOf(`anthropic:${name}`)))
  })
})

describe('an answer that calls itself good and is none', () => {
  const STREAM = { 'content-type': 'text/event-stream' }
  const limited = '{"type":"error","error":{"type":"rate_limit_error","message":"Too many"}}'
  const WORD = 'data: {"type":"content_block_delta","delta":{"text":"H"}}\n\n'
  const from = (answer: () => ReturnType<typeof anAnswer>): House =>
    house({
      books: books('anthropic:a', 'anthropic:b'),
      upstream: byKey({ 'anthropic:a': answer }),
    })

  test.each([
    ['a JSON error', () => anAnswer(200, { 'retry-after': '30' }, limited)],
    [
      'an error event',
      () => anAnswer(200, { ...STREAM, 'retry-after': '30' }, `data: ${limited}\n\n`),
    ],
  ])(
    'because of %s is tried with the next, and teaches what an error answer does',
    async (_, answer) => {
      const at = from(answer)
      const served = orThrow(await send(at))
      expect(served.candidate.id).toBe('anthropic:b')
      expect(served.attempts).toMatchObject([
        { profile: 'anthropic:a', reason: 'rate_limit', words: 'Too many', retryAfterMs: 30_000 },
      ])
      expect(used(at, 'anthropic:a')).toMatchObject({
        rest: { until: FAKE_NOW + 30_000, source: 'provider', reason: 'rate_limit' },
      })
      expect(used(at, 'anthropic:a')).not.toHaveProperty('lastGoodAt')
    },
  )

  test('because it is empty, or a page, is a broken server', async () => {
    for (const page of [' ', '<html><title>Welcome</title></html>']) {
      const served = orThrow(await send(from(() => anAnswer(200, {}, page))))
      expect(served.attempts).toMatchObject([{ reason: 'server_error' }])
      expect(served.candidate.id).toBe('anthropic:b')
    }
  })

  test('because it broke off before its first word is a matter of the line', async () => {
    const at = from(() => anAnswer(200, STREAM, 'data: {"type":"message_start","message":{}}\n\n'))
    expect(orThrow(await send(at)).attempts).toMatchObject([
      { profile: 'anthropic:a', reason: 'network' },
    ])
    expect(used(at, 'anthropic:a')).not.toHaveProperty('rest')
  })

  test('because the request itself is wrong comes back, secrets taken out', async () => {
    const key = keyOf('anthropic:a')
    const body = `{"error":{"type":"invalid_request_error","message":"max_tokens ${key}"}}`
    const failed = await send(from(() => anAnswer(200, {}, body)))
    expect(failed).toMatchObject({
      fault: { code: 'EQ_UPSTREAM_REJECTED', attempt: { reason: 'invalid_request' } },
    })
    expect(JSON.stringify(failed)).not.toContain(key)
  })

  test('is none as soon as a word has come: then it is a reply', async () => {
    const at = from(() => anAnswer(200, STREAM, `${WORD}data: ${limited}\n\n`))
    expect(orThrow(await send(at))).toMatchObject({
      candidate: { id: 'anthropic:a' },
      attempts: [],
    })
  })

  test('is not waited for when its caller has gone', async () => {
    const caller = new AbortController()
    async function* silent(): AsyncIterable<Uint8Array> {
      queueMicrotask(() => caller.abort())
      yield await new Promise<Uint8Array>(() => undefined)
    }
    const at = from(() => ({ status: 200, headers: STREAM, body: silent() }))
    expect(outcome(await send(at, { signal: caller.signal }))).toBe('EQ_REQUEST_CANCELLED')
    expect(used(at, 'anthropic:a')).toBeUndefined()
  })
})

describe('an abort', () => {
  test('before anything was sent sends nothing', async () => {
    const at = house({ books: books('anthropic:a') })
    expect(outcome(await send(at, { signal: AbortSignal.abort() }))).toBe('EQ_REQUEST_CANCELLED')
    expect(at.upstream.requests).toEqual([])
  })

  test('while the upstream thinks stops at once, tries nobody else and teaches nothing', async () => {
    const controller = new AbortController()
    const at = house({
      books: books('anthropic:a', 'anthropic:b'),
      upstream: () => {
        controller.abort()
        return new Promise(() => undefined)
      },
    })
    expect(outcome(await send(at, { signal: controller.signal }))).toBe('EQ_REQUEST_CANCELLED')
    expect(at.upstream.requests).toHaveLength(1)
    expect(used(at, 'anthropic:a')).toBeUndefined()
  })

  test('while an error answer comes in counts as an abort', async () => {
    const controller = new AbortController()
    const at = house({
      books: books('anthropic:a', 'anthropic:b'),
      upstream: () => {
        queueMicrotask(() => controller.abort())
        return anAnswer(500, {}, 'broken')
      },
    })
    expect(outcome(await send(at, { signal: controller.signal }))).toBe('EQ_REQUEST_CANCELLED')
  })
})

describe('fallback models', () => {
  test('are tried when nobody serves the first', async () => {
    const at = house({
      books: books('anthropic:a', 'openai:b'),
      upstream: byKey({ 'anthropic:a': () => anAnswer(529) }),
    })
    const served = orThrow(await send(at, { models: [MODEL, OPENAI] }))
    expect(served).toMatchObject({ model: OPENAI, candidate: { id: 'openai:b' } })
    expect(served.attempts).toMatchObject([{ profile: 'anthropic:a', reason: 'overloaded' }])
  })

  test('are tried when the provider of the first has no credential, does not exist, or cannot be asked so', async () => {
    const at = house({ books: books('openai:b') })
    const nobody = { provider: provider('nobody'), model: 'x' }
    expect(orThrow(await send(at, { models: [MODEL, nobody, OPENAI] })).model).toEqual(OPENAI)
    const served = await send(house({ books: books('anthropic:a', 'openai:b') }), {
      models: [MODEL, OPENAI],
      encode: (facts, model) =>
        facts.id === ANTHROPIC
          ? fail({ code: 'EQ_REQUEST_BODY', field: 'x', problem: 'y' })
          : encode(facts, model),
    })
    expect(orThrow(served).model).toEqual(OPENAI)
  })

  test('are tried when the provider does not know the first, whose credential is not blamed', async () => {
    const at = house({
      books: books('anthropic:a', 'anthropic:b', 'openai:b'),
      upstream: byKey({
        'anthropic:a': () =>
          anAnswer(404, {}, '{"error":{"type":"not_found_error","message":"model"}}'),
      }),
    })
    expect(orThrow(await send(at, { models: [MODEL, OPENAI] })).model).toEqual(OPENAI)
    expect(sent(at)).toEqual([keyOf('anthropic:a'), keyOf('openai:b')])
  })

  test('do not ask a profile again that its provider has just told to wait', async () => {
    const other: ResolvedModel = { ...MODEL, model: 'claude-other' }
    const at = house({
      books: books('anthropic:a'),
      upstream: () => anAnswer(429, { 'retry-after': '60' }),
    })
    expect(outcome(await send(at, { models: [MODEL, other] }))).toBe('EQ_UPSTREAM_FAILED')
    expect(at.upstream.requests).toHaveLength(1)
  })

  test('that repeat the first are not tried again: nothing is tried twice', async () => {
    const at = house({ books: books('anthropic:a', 'anthropic:b'), upstream: () => anAnswer(500) })
    await send(at, { models: [MODEL, MODEL, { ...MODEL, alias: 'again' }] })
    expect(sent(at)).toEqual([keyOf('anthropic:a'), keyOf('anthropic:b')])
  })

  test('leave the first fault to be told when nobody could be asked', async () => {
    expect(await send(house(), { models: [MODEL, OPENAI] })).toMatchObject({
      fault: {
        code: 'EQ_CREDENTIAL_NONE',
        provider: 'anthropic',
        variables: ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN'],
      },
    })
  })
})

describe('a pin', () => {
  test('is strict: nobody else is tried when it fails', async () => {
    const at = house({ books: books('anthropic:a', 'anthropic:b'), upstream: () => anAnswer(500) })
    await send(at, { pin: profile('anthropic:b') })
    expect(sent(at)).toEqual([keyOf('anthropic:b')])
  })

  test('typed with the model wins over that of the session', async () => {
    const at = house({ books: books('anthropic:a', 'anthropic:b') })
    const model = { ...MODEL, profile: profile('anthropic:b') }
    await send(at, { models: [model], pin: profile('anthropic:a') })
    expect(sent(at)).toEqual([keyOf('anthropic:b')])
  })

  test('does not bind a model of another provider', async () => {
    const at = house({ books: books('anthropic:a', 'openai:b') })
    await send(at, { models: [OPENAI], pin: profile('anthropic:a') })
    expect(sent(at)).toEqual([keyOf('openai:b')])
  })

  test('to a profile that is gone, or that cannot serve, says so', async () => {
    const at = house({ books: books('anthropic:a') })
    expect(await send(at, { pin: profile('anthropic:x') })).toMatchObject({
      fault: { code: 'EQ_PIN_UNUSABLE', why: { code: 'gone' } },
    })
    const expired = aProfile('anthropic:old', {
      credential: { type: 'token', token: new Secret('fake'), expiresAt: FAKE_NOW },
    })
    const other = house({ books: { main: aBook(expired, aProfile('anthropic:a')) } })
    expect(await send(other, { pin: expired.id })).toMatchObject({
      fault: { code: 'EQ_PIN_UNUSABLE', why: { code: 'expired' } },
    })
    expect(other.upstream.requests).toEqual([])
  })
})

describe('when nobody can be tried', () => {
  test('every resting candidate is named, and when the first wakes', async () => {
    const at = house({
      books: books('anthropic:a', 'anthropic:b'),
      upstream: (_, index) => anAnswer(429, { 'retry-after': index === 0 ? '60' : '30' }),
    })
    await send(at)
    expect(await send(at)).toMatchObject({
      fault: {
        code: 'EQ_CREDENTIAL_RESTING',
        until: FAKE_NOW + 30_000,
        passedOver: [{ profile: 'anthropic:a' }, { profile: 'anthropic:b' }],
      },
    })
    expect(at.upstream.requests).toHaveLength(2)
  })

  const UNREADABLE = { code: 'EQ_STORE_SYNTAX', path: '/book', line: 1, column: 1 } as const

  test('an unreadable book is told, for a pin too, and only then', async () => {
    const at = house({ books: books('anthropic:a') })
    at.profiles.damage(MAIN_AGENT, UNREADABLE)
    expect(await send(at)).toEqual({ ok: false, fault: UNREADABLE })
    expect(await send(at, { pin: profile('anthropic:a') })).toEqual({
      ok: false,
      fault: UNREADABLE,
    })

    const keyed = house({
      books: books('anthropic:a'),
      variables: { ANTHROPIC_API_KEY: 'fake-env' },
    })
    keyed.profiles.damage(MAIN_AGENT, UNREADABLE)
    expect(orThrow(await send(keyed)).candidate.id).toBe('anthropic:env')
  })
})

describe('what is learnt', () => {
  const WORK = agent('work')
  const config = { agents: { list: [{ id: 'work' }] } }

  test('is kept with the agent whose book holds the profile', async () => {
    const at = house({
      config,
      books: { main: aBook(aProfile('anthropic:shared')), work: aBook(aProfile('openai:own')) },
    })
    await send(at, { agent: WORK })
    await send(at, { agent: WORK, models: [OPENAI] })
    expect([...at.states.state(MAIN_AGENT).profiles.keys()]).toEqual(['anthropic:shared'])
    expect([...at.states.state(WORK).profiles.keys()]).toEqual(['openai:own'])
  })

  test('about a key of the environment is kept with main', async () => {
    const at = house({ config, variables: { ANTHROPIC_API_KEY: 'fake' } })
    await send(at, { agent: WORK })
    // Under its secret too: another shell may have another key in the same variable.
    expect([...at.states.state(MAIN_AGENT).profiles.keys()]).toEqual([
      expect.stringMatching(/^anthropic:env#[0-9a-f]{8}$/),
    ])
  })

  test('of an overload is a short rest of the model for all keys, forgotten by the next success', async () => {
    const at = house({
      books: books('anthropic:a', 'anthropic:b'),
      upstream: (_, index) =>
        index === 0 ? anAnswer(529, { 'retry-after': '12' }) : anAnswer(200),
    })
    await send(at)
    expect(at.states.state().models.get('anthropic/claude-test')).toMatchObject({
      scope: 'model',
      until: FAKE_NOW + 12_000,
    })
    expect(used(at, 'anthropic:a')).not.toHaveProperty('rest')
    expect(outcome(await send(at))).toBe('EQ_CREDENTIAL_RESTING')
    at.clock.advance(12_000)
    expect(orThrow(await send(at)).candidate.id).toBe('anthropic:b')
    expect(at.states.state().models.size).toBe(0)
  })
})

test('a secret that the provider repeats reaches neither answer, log nor record', async () => {
  const key = keyOf('anthropic:a')
  const bodies = [400, 401].map(
    (status) => () => anAnswer(status, {}, `{"error":{"message":"bad ${key}"}}`),
  )
  for (const answer of bodies) {
    const at = house({ books: books('anthropic:a'), upstream: answer })
    const failed = await send(at)
    const state = [...at.states.state().profiles]
    expect(JSON.stringify([failed, at.log.lines, state])).not.toContain(key)
  }
})

test('an error body is read to its first 64 KiB and one that breaks off is judged by what came', async () => {
  let chunks = 0
  async function* endless(): AsyncIterable<Uint8Array> {
    for (;;) {
      chunks += 1
      yield new Uint8Array(16 * 1024)
    }
  }
  async function* broken(): AsyncIterable<Uint8Array> {
    yield new TextEncoder().encode('{"error":{"message":"no such model"}}')
    throw new Error('reset')
  }
  const at = house({
    books: books('anthropic:a', 'anthropic:b'),
    upstream: (_, index) => ({
      status: index === 0 ? 500 : 400,
      headers: {},
      body: index === 0 ? endless() : broken(),
    }),
  })
  expect(await send(at)).toMatchObject({ fault: { attempt: { words: 'no such model' } } })
  expect(chunks).toBe(4)
})

test('an error answer that stalls is judged by its status after a while, and the next is tried', async () => {
  let stalls: () => void = () => undefined
  const stalling = new Promise<void>((resolve) => {
    stalls = resolve
  })
  const at = house({
    books: books('anthropic:a', 'anthropic:b'),
    upstream: (_, index, signal) => {
      if (index > 0) return anAnswer(200)
      return { status: 429, headers: { 'retry-after': '30' }, body: stalledBody(signal, stalls) }
    },
  })
  const served = send(at)
  await stalling
  at.clock.advance(5_000)
  expect(orThrow(await served)).toMatchObject({ candidate: { id: 'anthropic:b' } })
})

async function* stalledBody(signal: AbortSignal, stalls: () => void): AsyncIterable<Uint8Array> {
  yield new TextEncoder().encode('{"error":')
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve())
  })
  stalls()
  await aborted
  throw new Error('aborted')
}

test('a stored secret that no header can hold is passed over, and the next serves', async () => {
  const malformed = aProfile('anthropic:a', {
    credential: { type: 'api_key', key: new Secret('fake\r\nx-evil: 1') },
  })
  const at = house({ books: { main: aBook(malformed, aProfile('anthropic:b')) } })
  expect(orThrow(await send(at))).toMatchObject({ candidate: { id: 'anthropic:b' }, attempts: [] })
})

test('whatever upstreams answer: no pair of profile and model is tried twice, five attempts at most', () => {
  const answers = fc.array(fc.constantFrom(200, 400, 401, 402, 403, 404, 429, 500, 529), {
    minLength: 8,
    maxLength: 8,
  })
  const models = fc.array(
    fc.constantFrom<ResolvedModel>(MODEL, { ...MODEL, model: 'claude-other' }, OPENAI),
    { minLength: 1, maxLength: 4 },
  )
  return fc.assert(
    fc.asyncProperty(answers, models, async (statuses, asked) => {
      const at = house({
        books: books('anthropic:a', 'anthropic:b', 'openai:a'),
        // An overload that does not say how long it lasts is the one thing that is tried twice.
        upstream: (_, index) => anAnswer(statuses[index] ?? 200, { 'retry-after': '60' }),
      })
      const result = await send(at, { models: asked })
      const tries = at.upstream.requests.map(
        (request) => `${sentKey(request)} ${String(request.body)}`,
      )
      expect(new Set(tries).size).toBe(tries.length)
      expect(tries.length).toBeLessThanOrEqual(5)
      const lastStatus = statuses[tries.length - 1]
      expect(result.ok).toBe(lastStatus === 200)
    }),
  )
})
