import { describe, expect, test } from 'vitest'

import type { OauthCredential } from '../../src/domain/credential.ts'
import { markOf, newGrantId } from '../../src/domain/grant.ts'
import type {
  Journal,
  RawAnswer,
  TokenExchange,
  TokenRequest,
} from '../../src/domain/renewal-ports.ts'
import type { OauthFacts } from '../../src/domain/provider.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts'
import type { ProtocolDeps, RenewalEnd, RenewalJob } from '../../src/services/renewal-job.ts'
import { renewOnce } from '../../src/services/renewal-protocol.ts'
import { bookHome } from '../../src/services/token-home.ts'
import type { FakeClock, MemoryGrantStore, MemoryProfileStore } from '../../src/testing.ts'
import {
  aBook,
  fakeClock,
  fakeStopwatch,
  FAKE_NOW,
  memoryGrantStore,
  memoryProfileStore,
} from '../../src/testing.ts'
import { judgeTokenAnswer } from '../../src/wire/token-response.ts'
import { agent, profile, provider } from '../names-from.ts'

const ID = profile('acme:me')
const MAIN = agent('main')
const GRANT = newGrantId(provider('acme'), new Secret('refresh-0'))
const FACTS: OauthFacts = {
  tokenUrl: 'https://tokens.example/token',
  clientId: 'equabot',
  scopes: [],
  body: 'form',
  replay: 'unknown',
}

const json = (status: number, body: unknown): RawAnswer => ({
  status,
  headers: {},
  body: Buffer.from(JSON.stringify(body)),
  complete: true,
})
const tokens = (n: number, more: object = {}): RawAnswer =>
  json(200, {
    access_token: `access-${n}`,
    refresh_token: `refresh-${n}`,
    expires_in: 3600,
    ...more,
  })
const answered = (answer: RawAnswer): TokenExchange => ({ kind: 'answered', answer })
const LOST: TokenExchange = { kind: 'lost', words: 'reset' }

interface Stage {
  readonly clock: FakeClock
  readonly profiles: MemoryProfileStore
  readonly grants: MemoryGrantStore
  readonly sent: TokenRequest[]
  run(more?: Partial<RenewalJob>): Promise<RenewalEnd>
  login(): OauthCredential
  tokens(): readonly (string | undefined)[]
  outcome(): unknown
}

/** A login in a book, and a provider that answers by script. */
function stage(
  script: (index: number, request: TokenRequest) => TokenExchange | Promise<TokenExchange>,
  login: Partial<OauthCredential> = {},
): Stage {
  const clock = fakeClock()
  const grants = memoryGrantStore()
  const credential: OauthCredential = {
    type: 'oauth',
    access: new Secret('access-0'),
    refresh: new Secret('refresh-0'),
    expiresAt: FAKE_NOW - 1,
    ...login,
  }
  const profiles = memoryProfileStore({
    main: aBook({ id: ID, credential, origin: 'equabot' }),
  })
  const sent: TokenRequest[] = []
  let ids = 0
  const deps: ProtocolDeps = {
    // The helper's own pauses between replays go by at once.
    clock: {
      now: clock.now,
      sleep: async (ms) => clock.advance(ms),
    },
    stopwatch: fakeStopwatch(clock),
    endpoint: {
      async redeem(request, beforeSend) {
        if (!(await beforeSend())) return { kind: 'held_back' }
        sent.push(request)
        return script(sent.length - 1, request)
      },
    },
    judge: judgeTokenAnswer,
    random: () => 0.5,
    newId: () => `attempt-${(ids += 1)}`,
    connectTimeoutMs: 1,
  }
  const stored = (): OauthCredential => {
    const found = profiles.book().profiles.get(ID)?.credential
    if (found?.type !== 'oauth') throw new TypeError('no login')
    return found
  }
  return {
    clock,
    profiles,
    grants,
    sent,
    run: (more) =>
      renewOnce(deps, {
        home: bookHome(profiles, MAIN, ID, (next) => ({ ...next, grantId: GRANT })),
        journal: grants.journal(GRANT),
        facts: FACTS,
        unwanted: markOf(stored().access),
        urge: 'use',
        ...more,
      }),
    login: stored,
    tokens: () => [stored().access.reveal(), stored().refresh?.reveal()],
    outcome: () => grants.page(GRANT).verdict?.outcome,
  }
}

describe('a renewal', () => {
  test('puts new tokens, their end and the id of the grant into the book, and leaves a clean journal', async () => {
    const at = stage(() => answered(tokens(1)))
    expect(await at.run()).toBe('renewed')
    expect(at.tokens()).toEqual(['access-1', 'refresh-1'])
    expect(at.login()).toMatchObject({
      expiresAt: FAKE_NOW + HOUR_MS,
      renewedAt: FAKE_NOW,
      grantId: GRANT,
    })
    expect(at.grants.page(GRANT).attempt).toBeUndefined()
    expect(at.outcome()).toEqual({ kind: 'renewed', spacingMs: MINUTE_MS })
  })

  test('sends what RFC 6749 asks for, with the client that the grant was given to', async () => {
    const at = stage(() => answered(tokens(1)), { clientId: 'theirs' })
    await at.run()
    const { refresh_token: refresh, ...fields } = at.sent[0]?.fields ?? {}
    expect(fields).toEqual({ grant_type: 'refresh_token', client_id: 'theirs' })
    expect(refresh instanceof Secret && refresh.reveal()).toBe('refresh-0')
  })

  test('keeps the refresh token where the provider gives no other', async () => {
    const at = stage(() => answered(tokens(1, { refresh_token: undefined })))
    await at.run()
    expect(at.tokens()).toEqual(['access-1', 'refresh-0'])
    expect(at.grants.page(GRANT).spent.size).toBe(0)
  })

  test('of what somebody else has renewed already sends nothing', async () => {
    const at = stage(() => answered(tokens(1)), { expiresAt: FAKE_NOW + HOUR_MS })
    expect(await at.run({ unwanted: markOf(new Secret('older')) })).toBe('nothing_to_do')
    expect(at.sent).toEqual([])
  })

  test('of what somebody else has put there, and what has ended too, is sent', async () => {
    const at = stage(() => answered(tokens(1)))
    expect(await at.run({ unwanted: markOf(new Secret('older')) })).toBe('renewed')
    expect(at.sent).toHaveLength(1)
  })

  test('of what was renewed just now sends nothing, also where a clock says that it has ended', async () => {
    const at = stage(() => answered(tokens(1, { expires_in: 30 })))
    const unwanted = markOf(at.login().access)
    await at.run({ unwanted })
    at.clock.advance(29_000)
    expect(await at.run({ unwanted, urge: 'user' })).toBe('nothing_to_do')
    expect(at.sent).toHaveLength(1)
  })

  test('follows no other within a minute, unless a person asks', async () => {
    const at = stage((index) => answered(tokens(index + 1)))
    await at.run()
    expect(await at.run({ urge: 'refused' })).toBe('held_off')
    expect(await at.run({ urge: 'user' })).toBe('renewed')
    at.clock.advance(MINUTE_MS)
    expect(await at.run({ urge: 'refused' })).toBe('renewed')
    expect(at.sent).toHaveLength(3)
  })

  test('is not sent where the book cannot be written', async () => {
    const at = stage(() => answered(tokens(1)))
    at.profiles.damage(MAIN, { code: 'EQ_STORE_UNREADABLE', path: '/book', errno: 'EIO' })
    expect(await at.run()).toBe('failed')
    expect(at.sent).toEqual([])
  })

  /** A journal that takes its time over the first reservations. */
  const sleeping = (at: Stage, times: number): Journal => {
    const journal = at.grants.journal(GRANT)
    let slept = 0
    return {
      ...journal,
      async reserve(attempt) {
        slept += 1
        if (slept <= times) at.clock.advance(11 * SECOND_MS)
        return journal.reserve(attempt)
      },
    }
  }

  test('after a pause between decision and send is not sent, but decided anew at once', async () => {
    const at = stage(() => answered(tokens(1)))
    const verdicts: string[] = []
    const journal = sleeping(at, 1)
    const watched: Journal = {
      ...journal,
      async putVerdict(verdict) {
        verdicts.push(verdict.outcome.kind)
        return journal.putVerdict(verdict)
      },
    }
    expect(await at.run({ journal: watched })).toBe('renewed')
    expect(at.sent).toHaveLength(1)
    expect(at.clock.now()).toBe(FAKE_NOW + 11 * SECOND_MS)
    expect(verdicts).toEqual(['renewed'])
  })

  test('that the machine lets sleep again and again waits, and says so', async () => {
    const at = stage(() => answered(tokens(1)))
    expect(await at.run({ journal: sleeping(at, Infinity) })).toBe('failed')
    expect(at.sent).toEqual([])
    expect(at.outcome()).toMatchObject({ kind: 'not_sent', reason: 'slept' })
    expect(at.grants.page(GRANT).attempt).toBeUndefined()
  })
})

describe('a token', () => {
  test('that has served is never sent again, though a backup brings it back', async () => {
    const at = stage(() => answered(tokens(1)))
    const before = at.login()
    await at.run()
    await at.profiles.transact<void, never>(MAIN, async () =>
      ok({ book: aBook({ id: ID, credential: before, origin: 'equabot' }), value: undefined }),
    )
    at.clock.advance(HOUR_MS)
    expect(await at.run({ urge: 'user' })).toBe('failed')
    expect(at.sent).toHaveLength(1)
    expect(at.outcome()).toEqual({ kind: 'spent', spentAt: FAKE_NOW })
  })

  test('that the provider refuses is dead, and is not asked for again', async () => {
    const at = stage(() =>
      answered(json(400, { error: 'invalid_grant', error_description: 'gone' })),
    )
    expect(await at.run()).toBe('failed')
    expect(at.outcome()).toEqual({ kind: 'rejected', error: 'invalid_grant', words: 'gone' })
    expect(at.tokens()).toEqual(['access-0', 'refresh-0'])
    await at.run({ urge: 'user' })
    expect(at.sent).toHaveLength(1)
  })

  test('that is refused while somebody logs in anew says nothing about the new login', async () => {
    const at: Stage = stage(async () => {
      const credential = { ...at.login(), refresh: new Secret('refresh-new') }
      await at.profiles.transact<void, never>(MAIN, async () =>
        ok({ book: aBook({ id: ID, credential, origin: 'equabot' }), value: undefined }),
      )
      return answered(json(400, { error: 'invalid_grant' }))
    })
    await at.run()
    expect(at.outcome()).toBeUndefined()
  })

  test('for another account is kept aside, and the login stays as it was', async () => {
    const at = stage(() => answered(tokens(1, { account: { uuid: 'acc_2' } })), {
      accountId: 'acc_1',
    })
    expect(await at.run()).toBe('failed')
    expect(at.tokens()).toEqual(['access-0', 'refresh-0'])
    expect(at.outcome()).toEqual({ kind: 'quarantined', expected: 'acc_1', got: 'acc_2' })
    // It has been exchanged: sending it once more could only end the grant.
    expect(await at.run({ urge: 'user' })).toBe('failed')
    expect(at.sent).toHaveLength(1)
  })
})

describe('an answer that the disk does not take', () => {
  /** Book and journal that refuse new tokens until then. */
  function refusing(at: Stage, until: number): Partial<RenewalJob> {
    const isOver = (): boolean => at.clock.now() >= until
    const journal = at.grants.journal(GRANT)
    const home = bookHome(at.profiles, MAIN, ID, (next) => next)
    return {
      journal: {
        ...journal,
        keepAnswer: async (...page) =>
          isOver()
            ? journal.keepAnswer(...page)
            : fail({ code: 'EQ_STORE_UNWRITABLE', path: '/answer', errno: 'EIO' }),
      },
      home: {
        ...home,
        async prepare() {
          const ready = await home.prepare()
          if (!ready.ok) return ready
          const { put } = ready.value
          return ok({
            ...ready.value,
            put: async (...tokens) =>
              isOver() ? put(...tokens) : fail({ reason: 'storage', words: 'refused' }),
          })
        },
      },
    }
  }

  test('is held in memory until it does', async () => {
    const at = stage(() => answered(tokens(1)))
    expect(await at.run(refusing(at, FAKE_NOW + MINUTE_MS))).toBe('renewed')
    expect(at.tokens()).toEqual(['access-1', 'refresh-1'])
    expect(at.sent).toHaveLength(1)
    expect(at.clock.now()).toBe(FAKE_NOW + MINUTE_MS)
  })

  test('at all is a lost one, which a server that repeats itself gives again', async () => {
    const at = stage(() => answered(tokens(1)))
    expect(await at.run(refusing(at, FAKE_NOW + 121 * SECOND_MS))).toBe('renewed')
    expect(at.sent).toHaveLength(2)
    expect(at.tokens()).toEqual(['access-1', 'refresh-1'])
  })
})

describe('an answer that is lost', () => {
  test('is asked for again at once, and one sending too many does no harm where the server forgives', async () => {
    const at = stage((index) => (index < 2 ? LOST : answered(tokens(1))))
    expect(await at.run()).toBe('renewed')
    expect(at.sent).toHaveLength(3)
    expect(at.clock.now()).toBe(FAKE_NOW + 5 * SECOND_MS)
  })

  test('leaves the login parked, never dead, however often it is lost', async () => {
    const at = stage(() => LOST)
    for (let day = 0; day < 12; day += 1) {
      await at.run()
      at.clock.advance(HOUR_MS)
    }
    expect(at.outcome()).toMatchObject({ kind: 'ambiguous', lostAt: FAKE_NOW })
    expect(at.tokens()).toEqual(['access-0', 'refresh-0'])
  })

  test('waits with a strict server until the access token is nearly over, or is refused', async () => {
    const strict: OauthFacts = { ...FACTS, replay: 'strict' }
    const at = stage((index) => (index === 0 ? LOST : answered(tokens(1))), {
      expiresAt: FAKE_NOW + HOUR_MS,
    })
    await at.run({ facts: strict })
    await at.run({ facts: strict })
    expect(at.sent).toHaveLength(1)
    at.clock.advance(HOUR_MS - MINUTE_MS)
    expect(await at.run({ facts: strict })).toBe('renewed')
  })

  test('says so when the provider refuses in the end', async () => {
    const at = stage((index) =>
      index === 0 ? LOST : answered(json(400, { error: 'invalid_grant' })),
    )
    await at.run()
    expect(at.outcome()).toMatchObject({ kind: 'rejected', lostAt: FAKE_NOW })
  })

  test('is not replayed more often because access is refused than its ladder allows', async () => {
    const at = stage(() => LOST)
    await at.run()
    const sent = at.sent.length
    for (let request = 0; request < 10; request += 1) await at.run({ urge: 'refused' })
    expect(at.sent).toHaveLength(sent)
  })

  test.each([
    ['puts the next sending off', json(429, { error: 'slow_down' })],
    ['complains about the client at the next sending', json(401, { error: 'invalid_client' })],
  ])('is asked for again also where the server %s', async (_, answer) => {
    const script = [LOST, answered(answer), answered(tokens(1))]
    const at = stage((index) => script[index] ?? LOST)
    expect(await at.run()).toBe('failed')
    expect(at.sent).toHaveLength(2)
    expect(await at.run({ urge: 'user' })).toBe('renewed')
    expect(at.sent).toHaveLength(3)
    expect(at.tokens()).toEqual(['access-1', 'refresh-1'])
  })

  test('is not forgotten when the next try does not even get out', async () => {
    const at = stage((index) =>
      index === 0 ? LOST : { kind: 'not_sent', reason: 'network', words: 'no line' },
    )
    await at.run()
    expect(at.outcome()).toMatchObject({ kind: 'ambiguous', lostAt: FAKE_NOW, words: 'no line' })
    expect(at.grants.page(GRANT).attempt).toMatchObject({ phase: 'sent' })
  })
})

describe('a try that comes to nothing', () => {
  test.each<[string, TokenExchange, object]>([
    [
      'nothing was sent',
      { kind: 'not_sent', reason: 'network', words: 'no line' },
      { kind: 'not_sent', reason: 'network', words: 'no line' },
    ],
    ['a limit', answered(json(429, {})), { kind: 'not_consumed', status: 429 }],
    ['a wrong client', answered(json(401, { error: 'invalid_client' })), { kind: 'config' }],
  ])('leaves the login and a clean journal: %s', async (_, exchange, outcome) => {
    const at = stage(() => exchange)
    expect(await at.run()).toBe('failed')
    expect(at.tokens()).toEqual(['access-0', 'refresh-0'])
    expect(at.outcome()).toMatchObject(outcome)
    expect(at.grants.page(GRANT).attempt).toBeUndefined()
    expect(await at.run()).toBe('held_off')
    expect(at.sent).toHaveLength(1)
  })

  test('over a wrong client is tried again when config names another', async () => {
    const at = stage((index) =>
      answered(index === 0 ? json(401, { error: 'invalid_client' }) : tokens(1)),
    )
    await at.run()
    expect(await at.run({ facts: { ...FACTS, clientId: 'another' } })).toBe('renewed')
  })

  test('for which the provider named a time waits for it, though access is refused', async () => {
    const at = stage(() => answered({ ...json(429, {}), headers: { 'retry-after': '600' } }))
    await at.run({ urge: 'refused' })
    expect(await at.run({ urge: 'refused' })).toBe('held_off')
    at.clock.advance(10 * MINUTE_MS)
    await at.run({ urge: 'refused' })
    expect(at.sent).toHaveLength(2)
  })

  test('repeats no token that the provider quotes', async () => {
    const at = stage(() =>
      answered(json(400, { error: 'invalid_grant', error_description: 'no: refresh-0' })),
    )
    await at.run()
    expect(JSON.stringify(at.outcome())).not.toContain('refresh-0')
  })
})
