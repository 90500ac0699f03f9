import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { UpstreamFailure } from '../../src/domain/cooldown.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { RequestRecord } from '../../src/domain/ledger.ts'
import type { UpstreamAnswer, UpstreamRequest } from '../../src/domain/ports.ts'
import type { ProbeResult } from '../../src/domain/probe.ts'
import { probeExit } from '../../src/domain/probe.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS, SECOND_MS } from '../../src/domain/time.ts'
import { createCredentials } from '../../src/services/credentials.ts'
import type { ProbeOptions } from '../../src/services/probe.ts'
import { createProbe } from '../../src/services/probe.ts'
import { createLessons } from '../../src/services/lessons.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW, plainFingerprint } from '../../src/testing.ts'
import { readQuota } from '../../src/wire/rate-headers.ts'
import { probeRequest } from '../../src/wire/probe-dialects.ts'
import { hearProbe } from '../../src/wire/probe-reply.ts'
import { profile, provider } from '../names-from.ts'
import { anthropicError, anthropicMessage } from '../scenario/harness.ts'
import type { Furnishing, House } from './house.ts'
import { house, outcome, renewedAccess, renewingHelper, sentKey } from './house.ts'

type Answer = UpstreamAnswer | UpstreamFailure | Promise<UpstreamAnswer>
const good = (): UpstreamAnswer => anAnswer(200, {}, anthropicMessage('pong'))
const refused = (): UpstreamAnswer =>
  anAnswer(401, {}, anthropicError('authentication_error', 'invalid x-api-key'))
const never = (): Promise<UpstreamAnswer> => new Promise(() => undefined)

const keyOf = (id: string): string => `fake-key-of-${id}`

/** Answers by the name of the profile whose made-up key a request carries; well where nothing is said. */
function byProfile(answers: Readonly<Record<string, () => Answer>>) {
  return (request: UpstreamRequest): Answer => {
    const id = sentKey(request)?.replace('fake-key-of-', '') ?? ''
    return (answers[id] ?? good)()
  }
}

function machine(furnishing: Furnishing): {
  readonly at: House
  readonly records: readonly Omit<RequestRecord, 'id'>[]
  readonly probe: (
    options?: Partial<ProbeOptions>,
  ) => ReturnType<ReturnType<typeof createProbe>['run']>
} {
  const at = house({ upstream: good, ...furnishing })
  const { clock, renewals, states, upstream } = at
  const records: Omit<RequestRecord, 'id'>[] = []
  const probe = createProbe({
    resolveWorld: at.loadWorld,
    credentials: createCredentials({ renewals, clock, fingerprint: plainFingerprint }),
    upstream,
    request: probeRequest,
    hear: hearProbe,
    lessons: createLessons({ states, clock, random: () => 0 }),
    readQuota,
    settle: () => states.flush(),
    record: (record) => void records.push(record),
    clock,
  })
  const usual = { timeoutMs: 8_000, concurrency: 4, signal: new AbortController().signal }
  return { at, records, probe: (options) => probe.run({ ...usual, ...options }) }
}

const books = (...ids: readonly string[]): NonNullable<Furnishing['books']> => ({
  main: aBook(...ids.map((id) => aProfile(id))),
})

async function resultsOf(
  running: ReturnType<ReturnType<typeof createProbe>['run']>,
): Promise<readonly ProbeResult[]> {
  return orThrow(await running).results
}
const statuses = (results: readonly ProbeResult[]): Readonly<Record<string, string>> =>
  Object.fromEntries(results.map(({ candidate, status }) => [candidate.id, status]))
const sent = (at: House): readonly (string | undefined)[] => at.upstream.requests.map(sentKey)

describe('a probe', () => {
  test('says auth of a dead key beside a good one, and ok of the good one', async () => {
    const { at, probe } = machine({
      books: books('anthropic:dead', 'anthropic:good'),
      upstream: byProfile({ 'anthropic:dead': refused }),
    })
    expect(statuses(await resultsOf(probe()))).toEqual({
      'anthropic:dead': 'auth',
      'anthropic:good': 'ok',
    })
    expect(new Set(sent(at))).toEqual(new Set([keyOf('anthropic:dead'), keyOf('anthropic:good')]))
    expect(sent(at)).toHaveLength(2)
  })

  test('of a named credential sends that one and no other, whatever comes of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(200, 400, 401, 402, 403, 404, 429, 500, 503, 529),
        fc.constantFrom('anthropic:a', 'anthropic:b', 'anthropic:c', 'openai:d'),
        async (status, id) => {
          const { at, probe } = machine({
            books: books('anthropic:a', 'anthropic:b', 'anthropic:c', 'openai:d'),
            upstream: () => (status === 200 ? good() : anAnswer(status, {}, '{}')),
          })
          const results = await resultsOf(probe({ profiles: [profile(id)] }))
          expect(sent(at)).toEqual([keyOf(id)])
          expect(results.map(({ candidate }) => candidate.id)).toEqual([id])
          expect(results[0]?.status === 'ok').toBe(status === 200)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('asks for one token, with our own user agent, and tells what it cost', async () => {
    const { at, probe } = machine({
      books: books('anthropic:a'),
      upstream: () =>
        anAnswer(
          200,
          { 'content-type': 'text/event-stream' },
          [
            { type: 'message_start', message: { usage: { input_tokens: 8, output_tokens: 1 } } },
            { type: 'message_stop' },
          ]
            .map((event) => `data: ${JSON.stringify(event)}\n\n`)
            .join(''),
        ),
    })
    const [result] = await resultsOf(probe())
    expect(result).toMatchObject({ status: 'ok', http: 200, host: 'api.anthropic.com' })
    expect(result?.usage).toEqual({ inputTokens: 8, outputTokens: 1 })
    const [request] = at.upstream.requests
    expect(JSON.parse(String(request?.body))).toMatchObject({ max_tokens: 1 })
    expect(Object.keys(request?.headers ?? {})).not.toContain('user-agent')
    // A connection that does not come about is told as that, not as a deadline.
    expect(request?.timeouts.connectTimeoutMs).toBe(6_000)
  })

  test('teaches what a request teaches: a refusal rests the profile, a good answer ends its rest', async () => {
    let answer = (): Answer => anAnswer(429, { 'retry-after': '60' }, '{}')
    const { at, probe } = machine({ books: books('anthropic:a'), upstream: () => answer() })
    expect(statuses(await resultsOf(probe()))).toEqual({ 'anthropic:a': 'rate_limit' })
    const world = orThrow(await at.loadWorld())
    expect(world.state.profiles.get('anthropic:a')?.rest).toMatchObject({
      reason: 'rate_limit',
      until: FAKE_NOW + 60 * SECOND_MS,
    })
    answer = good
    // A person who asks is answered during the rest, too.
    expect(statuses(await resultsOf(probe()))).toEqual({ 'anthropic:a': 'ok' })
    expect(orThrow(await at.loadWorld()).state.profiles.get('anthropic:a')).toEqual({
      fingerprint: plainFingerprint(new Secret(keyOf('anthropic:a'))),
      lastUsedAt: FAKE_NOW,
      lastGoodAt: FAKE_NOW,
    })
  })

  test('rests the model, not the key, when the provider is overloaded', async () => {
    const { at, probe } = machine({
      books: books('anthropic:a'),
      upstream: () => anAnswer(529, {}, anthropicError('overloaded_error', 'Overloaded')),
    })
    await probe({ model: 'claude-x' })
    const { state } = orThrow(await at.loadWorld())
    expect(state.profiles.get('anthropic:a')?.rest).toBeUndefined()
    expect([...state.models.keys()]).toEqual(['anthropic/claude-x'])
  })

  test('ends at its deadline and not later, and our own impatience teaches nothing', async () => {
    const { at, probe } = machine({
      books: books('anthropic:slow', 'anthropic:b'),
      upstream: byProfile({ 'anthropic:slow': never }),
    })
    let answered = 0
    const running = probe({ timeoutMs: 3_000, onProgress: (done) => void (answered = done) })
    await until(() => answered === 1)
    at.clock.advance(2_999)
    at.clock.advance(1)
    expect(statuses(await resultsOf(running))).toEqual({
      'anthropic:slow': 'timeout',
      'anthropic:b': 'ok',
    })
    expect(orThrow(await at.loadWorld()).state.profiles.has('anthropic:slow')).toBe(false)
  })

  test('of a body that stalls ends at the deadline', async () => {
    const { at, probe } = machine({
      books: books('anthropic:stall'),
      upstream: () => ({
        status: 200,
        headers: { 'content-type': 'text/event-stream' },
        body: (async function* () {
          yield new TextEncoder().encode(': wait\n\n')
          await new Promise(() => undefined)
        })(),
      }),
    })
    const running = probe()
    await until(() => sent(at).length === 1)
    at.clock.advance(8_000)
    expect(statuses(await resultsOf(running))).toEqual({ 'anthropic:stall': 'timeout' })
  })

  test('that is stopped tells what is known, and of the others that they were stopped', async () => {
    const stop = new AbortController()
    const { at, probe } = machine({
      books: books('anthropic:a', 'anthropic:b', 'anthropic:c'),
      upstream: byProfile({ 'anthropic:b': never }),
    })
    const running = probe({ signal: stop.signal, concurrency: 1 })
    await until(() => sent(at).length === 2)
    stop.abort()
    const report = orThrow(await running)
    expect(statuses(report.results)).toEqual({
      'anthropic:a': 'ok',
      'anthropic:b': 'cancelled',
      'anthropic:c': 'cancelled',
    })
    expect(probeExit(report)).toBe(130)
    expect(sent(at)).toHaveLength(2)
  })

  test('asks no more at once than it may, and all of them', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `anthropic:${name}`)
    let open = 0
    let most = 0
    const { probe } = machine({
      books: books(...ids),
      upstream: async () => {
        most = Math.max(most, (open += 1))
        await Promise.resolve()
        open -= 1
        return good()
      },
    })
    const results = await resultsOf(probe({ concurrency: 3 }))
    expect(results.map(({ candidate }) => candidate.id)).toEqual(ids)
    expect(most).toBe(3)
  })

  test('leaves a record of each request', async () => {
    const { at, probe, records } = machine({
      books: books('anthropic:dead', 'anthropic:slow', 'anthropic:good'),
      upstream: byProfile({ 'anthropic:dead': refused, 'anthropic:slow': never }),
    })
    let answered = 0
    const running = probe({ model: 'claude-x', onProgress: (done) => void (answered = done) })
    await until(() => answered === 2)
    at.clock.advance(8_000)
    await running
    await until(() => records.length === 3)
    const asked = { client: 'probe', asked: 'anthropic/claude-x', attempts: 1, lane: 'metered' }
    expect(records).toMatchObject([
      { ...asked, profile: 'anthropic:dead', outcome: 'failed', reason: 'auth' },
      { ...asked, profile: 'anthropic:good', outcome: 'served' },
      { ...asked, profile: 'anthropic:slow', outcome: 'cancelled', totalMs: 8_000 },
    ])
  })

  test('never repeats a secret that a careless provider sends back', async () => {
    const { probe } = machine({
      books: books('anthropic:a'),
      upstream: (request) =>
        anAnswer(401, {}, anthropicError('authentication_error', `bad key ${sentKey(request)}`)),
    })
    const [result] = await resultsOf(probe())
    expect(result).toMatchObject({ status: 'auth', words: 'bad key [secret]' })
  })
})

describe('whom a probe asks', () => {
  test('every credential of the providers that are set up: profiles, variables and keys of the config', async () => {
    const { probe } = machine({
      books: books('anthropic:a'),
      variables: { OPENAI_API_KEY: 'fake-openai-key', OFFICE_KEY: 'fake-office-key' },
      config: {
        models: {
          providers: {
            office: {
              baseUrl: 'http://127.0.0.1:9/v1',
              apiKey: '${OFFICE_KEY}',
              models: [{ id: 'big' }],
            },
          },
        },
      },
    })
    const results = await resultsOf(probe())
    expect(results.map(({ candidate, model }) => [candidate.id, model?.model])).toEqual([
      ['anthropic:a', 'claude-haiku-5-5'],
      ['openai:env', 'gpt-4.1-nano'],
      ['office:config', 'big'],
    ])
  })

  test('those that cannot serve are told with their reason, and nothing is sent for them', async () => {
    const { at, probe } = machine({
      books: {
        main: aBook(
          aProfile('anthropic:ended', {
            credential: { type: 'token', token: new Secret('fake-old'), expiresAt: FAKE_NOW - 1 },
          }),
          aProfile('anthropic:blank', { credential: { type: 'api_key', key: new Secret('') } }),
          aProfile('anthropic:other'),
        ),
      },
      config: { auth: { order: { anthropic: ['anthropic:ended', 'anthropic:blank'] } } },
    })
    const results = await resultsOf(probe())
    expect(results.map(({ candidate, passedOver }) => [candidate.id, passedOver?.code])).toEqual([
      ['anthropic:ended', 'expired'],
      ['anthropic:blank', 'blank'],
      ['anthropic:other', 'not_in_order'],
    ])
    expect(sent(at)).toEqual([])
    // Who is named is asked although the order leaves it out.
    const named = await resultsOf(probe({ profiles: [profile('anthropic:other')] }))
    expect(statuses(named)).toEqual({ 'anthropic:other': 'ok' })
  })

  test('a credential whose use the provider has refused is asked again only by name', async () => {
    const state = {
      profiles: new Map([
        [
          'anthropic:a',
          {
            fingerprint: plainFingerprint(new Secret(keyOf('anthropic:a'))),
            refusedPolicy: { at: FAKE_NOW, words: 'only elsewhere' },
          },
        ],
      ]),
      models: new Map(),
    }
    const { probe } = machine({ books: books('anthropic:a'), states: { main: state } })
    expect(statuses(await resultsOf(probe()))).toEqual({ 'anthropic:a': 'skipped' })
    const named = await resultsOf(probe({ profiles: [profile('anthropic:a')] }))
    expect(statuses(named)).toEqual({ 'anthropic:a': 'ok' })
  })

  test('a model that is named with its credential names both', async () => {
    const { at, probe } = machine({ books: books('anthropic:a', 'anthropic:b', 'openai:c') })
    await probe({ model: 'anthropic/claude-x@anthropic:b' })
    expect(sent(at)).toEqual([keyOf('anthropic:b')])
    await probe({ model: 'claude-y' })
    expect(sent(at).slice(1)).toEqual([keyOf('anthropic:a'), keyOf('anthropic:b')])
    expect(at.upstream.requests.map(({ body }) => JSON.parse(String(body)).model)).toEqual([
      'claude-x',
      'claude-y',
      'claude-y',
    ])
  })

  test('the model is the one in use, else a cheap one; a provider without any is not asked', async () => {
    const { at, probe } = machine({
      books: books('anthropic:a', 'ollama:x'),
      config: { agents: { defaults: { model: { primary: 'anthropic/claude-opus-5' } } } },
    })
    const results = await resultsOf(probe())
    expect(results.map(({ status, model }) => [status, model?.model])).toEqual([
      ['ok', 'claude-opus-5'],
      ['no_model', undefined],
    ])
    expect(sent(at)).toHaveLength(1)
  })

  test('an unknown name is refused with the nearest, one of another provider as foreign', async () => {
    const { probe } = machine({ books: books('anthropic:work') })
    const unknown = await probe({ profiles: [profile('anthropic:wrok')] })
    expect(unknown).toMatchObject({
      fault: { code: 'EQ_PROFILE_UNKNOWN', nearest: 'anthropic:work' },
    })
    const foreign = await probe({
      profiles: [profile('anthropic:work')],
      providers: [provider('openai')],
    })
    expect(outcome(foreign)).toBe('EQ_PROFILE_FOREIGN')
  })
})

describe('a login', () => {
  const ID = profile('anthropic:me')
  const login = (leftMs: number): Profile => ({
    id: ID,
    origin: 'equabot',
    credential: {
      type: 'oauth',
      access: new Secret('access-0'),
      refresh: new Secret('refresh-0'),
      expiresAt: FAKE_NOW + leftMs,
    },
  })
  const fresh = renewedAccess(ID).reveal()

  test('whose access has ended is renewed first', async () => {
    const { at, probe } = machine({ books: { main: aBook(login(-1)) }, helper: renewingHelper })
    const [result] = await resultsOf(probe())
    expect(result).toMatchObject({ status: 'ok', renewed: true })
    expect(sent(at)).toEqual([fresh])
  })

  test('that is refused is renewed once and asked again, with itself', async () => {
    const { at, probe } = machine({
      books: { main: aBook(login(HOUR_MS), aProfile('anthropic:key')) },
      helper: renewingHelper,
      upstream: (request) => (sentKey(request) === fresh ? good() : refused()),
    })
    const [result] = await resultsOf(probe({ profiles: [ID] }))
    expect(result).toMatchObject({ status: 'ok', renewed: true })
    expect(sent(at)).toEqual(['access-0', fresh])
  })

  test('that is refused twice is auth, after two requests', async () => {
    const { at, probe } = machine({
      books: { main: aBook(login(HOUR_MS)) },
      helper: renewingHelper,
      upstream: refused,
    })
    expect(statuses(await resultsOf(probe()))).toEqual({ [ID]: 'auth' })
    expect(sent(at)).toEqual(['access-0', fresh])
  })

  test('that cannot be renewed says why, and nothing is sent', async () => {
    const { at, probe } = machine({ books: { main: aBook(login(-1)) } })
    const [result] = await resultsOf(probe())
    expect(result).toMatchObject({ status: 'server_error', fault: { code: 'EQ_RENEWAL_HELPER' } })
    expect(sent(at)).toEqual([])
  })

  test('whose renewal is slow ends at the deadline', async () => {
    let asked = false
    const { at, probe } = machine({
      books: { main: aBook(login(-1)) },
      helper: () => {
        asked = true
        return new Promise(() => undefined)
      },
    })
    const running = probe({ timeoutMs: 2_000 })
    await until(() => asked)
    at.clock.advance(2_000)
    expect(statuses(await resultsOf(running))).toEqual({ [ID]: 'timeout' })
    expect(sent(at)).toEqual([])
  })
})

/** Lets everything that is ready run until this holds. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !holds(); turn += 1) await Promise.resolve()
  expect(holds()).toBe(true)
}
