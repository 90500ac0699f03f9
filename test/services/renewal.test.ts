import { describe, expect, test } from 'vitest'

import { explain } from '../../src/domain/explain.ts'
import type { OauthCredential } from '../../src/domain/credential.ts'
import type { ForeignView } from '../../src/domain/foreign.ts'
import { borrowedGrantId, markOf, newGrantId } from '../../src/domain/grant.ts'
import type { Verdict } from '../../src/domain/grant.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS, SECOND_MS } from '../../src/domain/time.ts'
import type { RenewalRequest } from '../../src/services/renewal.ts'
import { aBook, aForeignLogin, FAKE_NOW, memoryForeignSource } from '../../src/testing.ts'
import { agent, profile, provider } from '../names-from.ts'
import type { Furnishing, House } from './house.ts'
import { house, outcome, renewedAccess, renewingHelper } from './house.ts'

const ID = profile('acme:me')
const REFRESH = new Secret('refresh-0')
const GRANT = newGrantId(provider('acme'), REFRESH)
const CONFIG = {
  models: {
    providers: {
      acme: {
        baseUrl: 'https://acme.example/v1',
        models: [{ id: 'm' }],
        oauth: { tokenUrl: 'https://acme.example/token', clientId: 'c' },
      },
    },
  },
}

const login = (more: Partial<OauthCredential> = {}): OauthCredential => ({
  type: 'oauth',
  access: new Secret('access-0'),
  refresh: REFRESH,
  expiresAt: FAKE_NOW - 1,
  ...more,
})
const stored = (more: Partial<Profile> = {}): Profile => ({
  id: ID,
  origin: 'equabot',
  credential: login(),
  ...more,
})
const verdict = (outcomeOf: Verdict['outcome'], againAfterMs?: number): Verdict => ({
  token: markOf(REFRESH),
  moment: { at: FAKE_NOW, boot: 'boot', upMs: FAKE_NOW },
  tries: 1,
  outcome: outcomeOf,
  ...(againAfterMs !== undefined && { againAfterMs }),
})
const at = (furnishing: Furnishing = {}): House =>
  house({ config: CONFIG, books: { main: aBook(stored()) }, ...furnishing })
const ASK: RenewalRequest = { agent: agent('main'), profile: ID, urge: 'use', waitMs: 0 }

describe('a caller who wants new access', () => {
  test('gets what the helper has put into the book', async () => {
    const renewed = await at({ helper: renewingHelper }).renewals.renew(ASK)
    expect(renewed.ok && renewed.value.access.equals(renewedAccess(ID))).toBe(true)
  })

  test('gets what stands there when it wants rid of an older token', async () => {
    const fresh = stored({ credential: login({ expiresAt: FAKE_NOW + HOUR_MS }) })
    const machine = at({ books: { main: aBook(fresh) } })
    const answer = await machine.renewals.renew({ ...ASK, unwanted: new Secret('older') })
    expect(answer.ok && answer.value.access.reveal()).toBe('access-0')
  })

  test('of an older token gets new access where what stands there has ended too', async () => {
    const machine = at({ helper: renewingHelper })
    const answer = await machine.renewals.renew({ ...ASK, unwanted: new Secret('older') })
    expect(answer.ok && answer.value.access.equals(renewedAccess(ID))).toBe(true)
  })

  test('shares one helper with all who ask at the same time', async () => {
    let helpers = 0
    const machine = at({
      helper: async (order, room) => {
        helpers += 1
        await Promise.resolve()
        return renewingHelper(order, room)
      },
    })
    const answers = await Promise.all(Array.from({ length: 50 }, () => machine.renewals.renew(ASK)))
    expect(answers.every((answer) => answer.ok)).toBe(true)
    expect(helpers).toBe(1)
  })

  test('waits for the access, though one who does not wait has had the renewal started', async () => {
    let calls = 0
    let finish = (): void => undefined
    const finished = new Promise<void>((resolve) => (finish = resolve))
    const { renewals } = at({
      helper: async (order, stores) => {
        calls += 1
        if (calls > 1) return renewingHelper(order, stores)
        await finished
        return fail({ code: 'EQ_RENEWAL_BUSY', profile: ID, waitedMs: 0 })
      },
    })
    const started = renewals.renew({ ...ASK, waitMs: 0 })
    const waited = renewals.renew({ ...ASK, waitMs: 1000 })
    finish()
    expect((await waited).ok).toBe(true)
    await started
  })

  test('after a failure starts the next helper: a failed flight is forgotten', async () => {
    let helpers = 0
    const machine = at({
      helper: async (order, room) => {
        helpers += 1
        return helpers === 1 ? ok() : renewingHelper(order, room)
      },
    })
    expect(outcome(await machine.renewals.renew(ASK))).toBe('EQ_RENEWAL_HELPER')
    expect((await machine.renewals.renew(ASK)).ok).toBe(true)
  })

  test.each<[string, Verdict, string]>([
    ['a dead grant', verdict({ kind: 'rejected', error: 'e', words: '' }), 'EQ_GRANT_DEAD'],
    ['a spent token', verdict({ kind: 'spent', spentAt: 1 }), 'EQ_GRANT_SPENT'],
    [
      'a try that must wait',
      verdict({ kind: 'not_sent', reason: 'network', words: '' }, 8 * SECOND_MS),
      'EQ_RENEWAL_NOT_SENT',
    ],
    [
      'a lost answer',
      verdict({ kind: 'ambiguous', words: '', lostAt: 1, replays: 0 }, HOUR_MS),
      'EQ_RENEWAL_LOST',
    ],
  ])('is told of %s without a helper', async (_, known, code) => {
    const machine = at({ verdicts: { [GRANT]: known } })
    expect(outcome(await machine.renewals.renew(ASK))).toBe(code)
  })

  test('starts a helper in spite of an earlier failure when a person asks', async () => {
    const known = verdict({ kind: 'not_sent', reason: 'network', words: '' }, HOUR_MS)
    const machine = at({ verdicts: { [GRANT]: known }, helper: renewingHelper })
    expect((await machine.renewals.renew({ ...ASK, urge: 'user' })).ok).toBe(true)
  })

  test('is told whether an answer came, and a person is not told to do again what they just did', async () => {
    const lost = {
      kind: 'ambiguous',
      words: 'HTTP 500: oops',
      lostAt: FAKE_NOW,
      replays: 0,
    } as const
    const known = verdict({ ...lost, answered: true }, HOUR_MS)
    const machine = at({ verdicts: { [GRANT]: known } })
    const held = await machine.renewals.renew(ASK)
    const { message, hint } = held.ok ? { message: '', hint: '' } : explain(held.fault)
    expect(message).toContain('its answer could not be used (HTTP 500: oops)')
    expect(hint).toContain('equabot models auth renew')
    const helper: NonNullable<Furnishing['helper']> = async (_, { grants }) => {
      await grants.journal(GRANT).putVerdict({ ...verdict(lost, HOUR_MS), tries: 2 })
      return ok()
    }
    const asked = await at({ helper }).renewals.renew({ ...ASK, urge: 'user' })
    const told = asked.ok ? { message: '', hint: '' } : explain(asked.fault)
    expect(told.message).toContain('its answer did not arrive (HTTP 500: oops)')
    expect(told.hint).not.toContain('renew')
  })

  test('keeps what was issued a moment ago, whatever a clock says of its end', async () => {
    const known = verdict({ kind: 'renewed', spacingMs: 60_000 })
    const answer = await at({ verdicts: { [GRANT]: known } }).renewals.renew(ASK)
    expect(answer.ok && answer.value.access.reveal()).toBe('access-0')
  })

  test('is told that there is nothing to renew with', async () => {
    const { refresh: _, ...static_ } = login()
    const machine = at({ books: { main: aBook(stored({ credential: static_ })) } })
    expect(outcome(await machine.renewals.renew(ASK))).toBe('EQ_GRANT_NONE')
    const key = stored({ credential: { type: 'api_key', key: new Secret('k') } })
    const answer = await at({ books: { main: aBook(key) } }).renewals.renew(ASK)
    expect(answer).toMatchObject({ fault: { code: 'EQ_GRANT_NONE', type: 'api_key' } })
    if (answer.ok) throw new TypeError('renewed')
    expect(explain(answer.fault)).toMatchObject({ exit: 64 })
    expect(explain(answer.fault).message).toContain('is an API key; nothing renews it')
    expect(outcome(await at({ books: {} }).renewals.renew(ASK))).toBe('EQ_PROFILE_UNKNOWN')
  })
})

describe('a borrowed login', () => {
  const CLAUDE = profile('anthropic:claude-cli')
  const borrowedAt = (expiresAt: number): Profile =>
    stored({
      id: CLAUDE,
      origin: 'claude-code',
      credential: { type: 'oauth', access: new Secret('access-0'), expiresAt },
    })
  const borrowed = borrowedAt(FAKE_NOW - 1)
  const view: ForeignView = {
    origin: 'claude-code',
    grant: borrowedGrantId('claude-code', '/home/me/.claude'),
    place: '/home/me/.claude/.credentials.json',
    reading: ok({
      origin: 'claude-code',
      place: '/home/me/.claude/.credentials.json',
      access: new Secret('access-0'),
      type: 'oauth',
      refreshMark: markOf(REFRESH),
    }),
  }
  const borrowing = (renew: string, more: Furnishing = {}): House =>
    house({
      config: { auth: { foreign: { claudeCode: { renew } } } },
      books: { main: aBook(borrowed) },
      foreign: [view],
      ...more,
    })
  const ask = { ...ASK, profile: CLAUDE }

  test('is renewed here as its neighbour', async () => {
    expect((await borrowing('neighbour', { helper: renewingHelper }).renewals.renew(ask)).ok).toBe(
      true,
    )
  })

  test('is left to its owner where config says so', async () => {
    const answer = await borrowing('never').renewals.renew(ask)
    expect(outcome(answer)).toBe('EQ_RENEWAL_OWNERS')
    expect(!answer.ok && explain(answer.fault).message).toContain('waiting for Claude Code')
  })

  test.each([
    ['neighbour', 'owner_program'],
    ['owner', 'owner_busy'],
  ] as const)('that is renewed by %s is not held up by %s from before', async (way, reason) => {
    const held = verdict({ kind: 'not_sent', reason, words: 'claude ended with 1' }, HOUR_MS)
    const machine = borrowing(way, {
      verdicts: { [view.grant]: held },
      helper: renewingHelper,
    })
    const world = await machine.loadWorld()
    expect(world.ok && world.value.grants.get(CLAUDE)).toEqual({ way })
    expect((await machine.renewals.renew(ask)).ok).toBe(true)
  })

  test('that is left to its owner and still serves says until when', async () => {
    const until = FAKE_NOW + 7 * HOUR_MS
    const machine = borrowing('never', { books: { main: aBook(borrowedAt(until)) } })
    const answer = await machine.renewals.renew({ ...ask, urge: 'user' })
    expect(answer).toMatchObject({ fault: { code: 'EQ_RENEWAL_OWNERS', usableUntil: until } })
    const { message } = answer.ok ? { message: '' } : explain(answer.fault)
    expect(message).toMatch(/its access serves until .*, and Claude Code alone renews its login$/)
    expect(message).not.toContain('expired')
  })

  test.each([
    ['config', { config: { auth: { foreign: { claudeCode: { enabled: false } } } } }],
    ['environment', { foreignOff: true }],
  ])('is left alone where the %s leaves it out, which says how to use it', async (by, more) => {
    const answer = await borrowing('neighbour', { helper: renewingHelper, ...more }).renewals.renew(
      ask,
    )
    expect(answer).toMatchObject({ fault: { code: 'EQ_RENEWAL_LEFT_OUT', by } })
  })

  test('is waited for while its file cannot be read', async () => {
    const machine = borrowing('neighbour', {
      foreign: [
        {
          ...view,
          reading: {
            ok: false,
            fault: {
              code: 'EQ_FOREIGN_SYNTAX',
              origin: 'claude-code',
              place: '/x',
              line: 1,
              column: 1,
            },
          },
        },
      ],
    })
    expect(outcome(await machine.renewals.renew(ask))).toBe('EQ_RENEWAL_OWNERS')
  })

  test.each([
    ['has ended too, is renewed', FAKE_NOW - HOUR_MS, 1],
    ['serves, is used as it is', FAKE_NOW + HOUR_MS, 0],
  ])('that its owner has replaced by one that %s', async (_, expiresAt, helpers) => {
    const newer = aForeignLogin({ access: new Secret('access-1'), expiresAt })
    const unwanted: string[] = []
    const machine = house({
      books: { main: aBook(borrowedAt(FAKE_NOW - 2 * HOUR_MS)) },
      sources: [memoryForeignSource('claude-code', ok(newer))],
      helper: async (order, room) => {
        unwanted.push(order.unwanted)
        return renewingHelper(order, room)
      },
    })
    const answer = await machine.renewals.renew({ ...ask, urge: 'user' })
    expect(unwanted).toEqual(helpers === 1 ? [markOf(newer.access)] : [])
    const access = helpers === 1 ? renewedAccess(CLAUDE) : newer.access
    expect(answer.ok && answer.value.access.equals(access)).toBe(true)
  })

  test('whose owner has gone has nothing behind it', async () => {
    const machine = borrowing('neighbour', { foreign: [{ ...view, reading: ok(undefined) }] })
    expect(outcome(await machine.renewals.renew(ask))).toBe('EQ_GRANT_NONE')
  })
})
