import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { OauthCredential } from '../../../src/domain/credential.ts'
import type { Fault } from '../../../src/domain/fault.ts'
import type { ForeignReading } from '../../../src/domain/foreign.ts'
import type { RenewalOutcome } from '../../../src/domain/grant.ts'
import { borrowedGrantId, markOf, newGrantId } from '../../../src/domain/grant.ts'
import type { GrantViews } from '../../../src/domain/renewal-ports.ts'
import type { Profile } from '../../../src/domain/profile.ts'
import { withProfile } from '../../../src/domain/profile.ts'
import { tellFinding } from '../../../src/domain/finding-words.ts'
import { fail, ok } from '../../../src/domain/result.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/domain/time.ts'
import { aBook, aProfile, FAKE_NOW } from '../../../src/testing.ts'
import { agent, profile, provider } from '../../names-from.ts'
import type { Clinic, Illness } from './clinic.ts'
import { clinic, only } from './clinic.ts'

const TEAM = 'openai-codex:team'
const TWO_AGENTS = { agents: { list: [{ id: 'research' }] } }

function oauth(refresh: string | undefined, more: Partial<OauthCredential> = {}): OauthCredential {
  return {
    type: 'oauth',
    access: new Secret(`fake-access-of-${refresh ?? 'nothing'}`),
    ...(refresh !== undefined && { refresh: new Secret(refresh) }),
    expiresAt: FAKE_NOW + HOUR_MS,
    ...more,
  }
}

function login(id: string, refresh: string, more: Partial<OauthCredential> = {}): Profile {
  return aProfile(id, { credential: oauth(refresh, more) })
}

describe('one login', () => {
  test('in two books is an error; that of main stays', async () => {
    const report = await clinic({
      config: TWO_AGENTS,
      books: {
        main: aBook(login(TEAM, 'fake-refresh-1')),
        research: aBook({ ...login('openai-codex:copy', 'fake-refresh-1'), storedAt: FAKE_NOW }),
      },
    }).examine()
    expect(only(report, 'DR_GRANT_TWICE')).toMatchObject({
      severity: 'error',
      fixable: true,
      keep: { agent: 'main', profile: TEAM },
      others: [{ agent: 'research', profile: 'openai-codex:copy' }],
    })
  })

  test('under two names of one book keeps the one that was stored last', async () => {
    const report = await clinic({
      books: {
        main: aBook(
          { ...login('openai-codex:old', 'fake-refresh-1'), storedAt: 1 },
          { ...login('openai-codex:new', 'fake-refresh-1'), storedAt: 2 },
        ),
      },
    }).examine()
    expect(only(report, 'DR_GRANT_TWICE').keep.profile).toBe('openai-codex:new')
  })

  test('in two generations keeps the newer one, also outside main', async () => {
    const grantId = newGrantId(provider('openai-codex'), new Secret('fake-refresh-0'))
    const report = await clinic({
      config: TWO_AGENTS,
      books: {
        main: aBook(login(TEAM, 'fake-refresh-1', { grantId, renewedAt: 1 })),
        research: aBook(login(TEAM, 'fake-refresh-2', { grantId, renewedAt: 2 })),
      },
    }).examine()
    expect(only(report, 'DR_GRANT_TWICE').keep.agent).toBe('research')
  })

  test('whose copy is dead keeps the living one', async () => {
    const grantId = newGrantId(provider('openai-codex'), new Secret('fake-refresh-0'))
    const report = await clinic({
      books: {
        main: aBook(
          login(TEAM, 'fake-refresh-2', { grantId, renewedAt: 2 }),
          login('openai-codex:old', 'fake-refresh-1', { grantId, renewedAt: 1 }),
        ),
      },
      world: { grants: views(TEAM, { kind: 'spent', spentAt: 1 }, 'fake-refresh-2') },
    }).examine()
    expect(only(report, 'DR_GRANT_TWICE').keep.profile).toBe('openai-codex:old')
  })

  test('of each kind is no duplicate of another, nor is a key that stands twice', async () => {
    const key = { type: 'api_key', key: new Secret('fake-key-1') } as const
    const machine = clinic({
      books: {
        main: aBook(
          login('openai-codex:a', 'fake-refresh-1'),
          login('openai-codex:b', 'fake-refresh-2'),
          aProfile('anthropic:a', { credential: key }),
          aProfile('anthropic:b', { credential: key }),
        ),
      },
    })
    expect(await machine.codes()).toEqual([])
  })

  test('that other copies share a grant or a token with is always one group', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 8 }),
        async (tokens) => {
          const profiles = tokens.map((token, index) =>
            login(`openai-codex:p${index}`, `fake-refresh-${token}`),
          )
          const { findings } = await clinic({ books: { main: aBook(...profiles) } }).examine()
          const twice = findings.flatMap((found) =>
            found.code === 'DR_GRANT_TWICE' ? [found] : [],
          )
          const kept = new Set(tokens).size
          const removed = twice.reduce((sum, { others }) => sum + others.length, 0)
          expect(removed).toBe(tokens.length - kept)
        },
      ),
      { numRuns: 50 },
    )
  })
})

test('a copy of the login that Claude Code keeps is an error that names its owner', async () => {
  const place = '/home/.claude/.credentials.json'
  const refreshMark = markOf(new Secret('fake-refresh-1'))
  const access = new Secret('fake-access')
  const reading = ok({ origin: 'claude-code', place, access, type: 'oauth', refreshMark } as const)
  const grant = borrowedGrantId('claude-code', place)
  const report = await clinic({
    books: { main: aBook(login('anthropic:mine', 'fake-refresh-1')) },
    world: { foreign: [{ origin: 'claude-code', grant, place, reading }] },
  }).examine()
  expect(only(report, 'DR_GRANT_TWIN')).toMatchObject({
    place: { agent: 'main', profile: 'anthropic:mine' },
    owner: place,
    severity: 'error',
    fixable: true,
  })
})

function views(
  id: string,
  outcome: RenewalOutcome,
  refresh = 'fake-refresh-1',
  againAfterMs?: number,
): GrantViews {
  const token = markOf(new Secret(refresh))
  const moment = { at: FAKE_NOW - MINUTE_MS, boot: 'boot', upMs: FAKE_NOW - MINUTE_MS }
  const again = againAfterMs === undefined ? {} : { againAfterMs }
  return new Map([
    [profile(id), { way: 'ours', verdict: { token, moment, outcome, tries: 1, ...again } }],
  ])
}

describe('what the last renewal has shown', () => {
  const found = (outcome: RenewalOutcome, againAfterMs?: number, more = {}) =>
    clinic({
      books: { main: aBook(login(TEAM, 'fake-refresh-1', more)) },
      world: {
        moment: { at: FAKE_NOW, boot: 'boot', upMs: FAKE_NOW },
        grants: views(TEAM, outcome, 'fake-refresh-1', againAfterMs),
      },
    }).examine()

  test('is nothing to tell when it succeeded', async () => {
    expect((await found({ kind: 'renewed', spacingMs: 60_000 })).findings).toEqual([])
  })

  test('is an error when the grant is dead', async () => {
    const rejected = await found({ kind: 'rejected', error: 'invalid_grant', words: 'gone' })
    expect(only(rejected, 'DR_GRANT_DEAD')).toMatchObject({
      severity: 'error',
      fault: { code: 'EQ_GRANT_DEAD', error: 'invalid_grant', at: FAKE_NOW - MINUTE_MS },
    })
    const spent = await found({ kind: 'spent', spentAt: 5 })
    expect(only(spent, 'DR_GRANT_DEAD').fault).toMatchObject({ code: 'EQ_GRANT_SPENT', spentAt: 5 })
  })

  const putOff: RenewalOutcome = { kind: 'not_consumed', status: 429, words: 'slow down' }
  test('is only worth knowing while access serves and it is tried again, with the time of that', async () => {
    const report = await found(putOff, 5 * MINUTE_MS)
    expect(only(report, 'DR_GRANT_WAITING')).toMatchObject({
      severity: 'info',
      fault: { code: 'EQ_RENEWAL_PUT_OFF', againAt: FAKE_NOW + 4 * MINUTE_MS },
    })
  })

  test('is a warning once access has ended, or when it is not tried again by itself', async () => {
    const expired = { expiresAt: FAKE_NOW - 1 }
    expect(only(await found(putOff, 5 * MINUTE_MS, expired), 'DR_GRANT_STUCK').severity).toBe(
      'warn',
    )
    const outcomes: readonly (readonly [RenewalOutcome, string])[] = [
      [{ kind: 'config', error: 'invalid_client', words: '' }, 'EQ_RENEWAL_CONFIG'],
      [{ kind: 'quarantined', expected: 'a', got: 'b' }, 'EQ_RENEWAL_ACCOUNT'],
      [{ kind: 'kept', words: 'disk full' }, 'EQ_RENEWAL_KEPT'],
      [{ kind: 'ambiguous', words: 'cut', lostAt: 1, replays: 3 }, 'EQ_RENEWAL_LOST'],
      [{ kind: 'not_sent', reason: 'storage', words: 'no room' }, 'EQ_RENEWAL_NOT_SENT'],
    ]
    for (const [outcome, code] of outcomes) {
      expect(only(await found(outcome), 'DR_GRANT_STUCK').fault.code).toBe(code)
    }
  })
})

describe('a login of ours whose access has ended', () => {
  const books = { main: aBook(login(TEAM, 'fake-refresh-1', { expiresAt: FAKE_NOW - 1 })) }

  test('is renewed now, which proves that it lives; offline it is left alone', async () => {
    const asked: string[] = []
    const renew = async (agent: string, id: string) => {
      asked.push(`${agent} ${id}`)
      return ok()
    }
    const machine = clinic({ books, deps: { renew } })
    expect(await machine.codes(true)).toEqual([])
    expect(asked).toEqual([])
    expect(only(await machine.examine(false), 'DR_GRANT_RENEWED').severity).toBe('info')
    expect(asked).toEqual([`main ${TEAM}`])
  })

  test('that could not be renewed says why: dead is an error, all else a warning', async () => {
    const refused: Fault = {
      code: 'EQ_GRANT_DEAD',
      profile: profile(TEAM),
      origin: 'equabot',
      error: 'invalid_grant',
      words: '',
      at: 1,
    }
    const dead = clinic({ books, deps: { renew: async () => fail(refused) } })
    expect(await dead.codes(false)).toEqual(['DR_GRANT_DEAD'])
    const busy: Fault = { code: 'EQ_RENEWAL_BUSY', profile: profile(TEAM), waitedMs: 1 }
    const late = clinic({ books, deps: { renew: async () => fail(busy) } })
    expect(await late.codes(false)).toEqual(['DR_GRANT_STUCK'])
  })

  test('is announced before, for it may take a while', async () => {
    const told: string[] = []
    const asked: string[] = []
    const machine = clinic({
      books,
      deps: {
        async renew(_, id) {
          asked.push(`${told.length} ${id}`)
          return ok()
        },
      },
    })
    await machine.doctor.examine({ offline: false, onRenewal: (id) => void told.push(id) })
    expect([told, asked]).toEqual([[TEAM], [`1 ${TEAM}`]])
  })

  test('that is stuck does not send its reader to doctor', async () => {
    for (const reason of ['storage', 'owner_unwritable'] as const) {
      const stuck: Fault = {
        code: 'EQ_RENEWAL_NOT_SENT',
        profile: profile(TEAM),
        reason,
        words: 'EACCES',
      }
      const machine = clinic({ books, deps: { renew: async () => fail(stuck) } })
      const found = only(await machine.examine(false), 'DR_GRANT_STUCK')
      const { fix } = tellFinding(found, { show: (path) => path, now: FAKE_NOW })
      expect(fix).toMatch(/^(?:Make room or mend|Mend) the rights of/)
      expect(fix).not.toContain('equabot doctor')
    }
  })

  test('is not sent again when it is known to be dead, and others are not renewed at all', async () => {
    const renew = async () => {
      throw new Error('nothing may be renewed')
    }
    const grants = views(TEAM, { kind: 'spent', spentAt: 1 })
    await clinic({ books, world: { grants }, deps: { renew } }).examine(false)
    const others = aBook(
      login('openai-codex:live', 'fake-refresh-2'),
      aProfile('anthropic:claude-cli', {
        origin: 'claude-code',
        credential: oauth(undefined, { expiresAt: 1 }),
      }),
    )
    await clinic({ books: { main: others }, deps: { renew } }).examine(false)
  })
})

describe('no renewal proves a login', () => {
  const place = '/home/.claude/.credentials.json'
  const grant = borrowedGrantId('claude-code', place)
  const expired = { expiresAt: FAKE_NOW - 1 }
  const askedFor = async (books: Illness['books'], world: Illness['world'] = {}) => {
    const asked: string[] = []
    const renew = async (agentId: string, id: string) => {
      asked.push(`${agentId} ${id}`)
      return ok()
    }
    const machine = clinic({
      ...(books && { books }),
      world,
      config: TWO_AGENTS,
      deps: { renew },
    })
    await machine.examine(false)
    return asked
  }

  test('that stands in several places', async () => {
    const grantId = newGrantId(provider('openai-codex'), new Secret('fake-refresh-0'))
    const asked = await askedFor({
      main: aBook(
        login('openai-codex:a', 'fake-refresh-1', expired),
        login('openai-codex:alone', 'fake-refresh-3', expired),
        login('openai-codex:older', 'fake-refresh-4', { ...expired, grantId }),
      ),
      research: aBook(
        login('openai-codex:b', 'fake-refresh-1', expired),
        login('openai-codex:newer', 'fake-refresh-5', { ...expired, grantId }),
      ),
    })
    expect(asked).toEqual(['main openai-codex:alone'])
  })

  test('that is a copy of one that another program keeps', async () => {
    const refreshMark = markOf(new Secret('fake-refresh-1'))
    const access = new Secret('fake-access')
    const found = { origin: 'claude-code', place, access, type: 'oauth', refreshMark } as const
    const books = {
      main: aBook(
        login('anthropic:mine', 'fake-refresh-1', expired),
        login('anthropic:own', 'fake-refresh-2', expired),
      ),
    }
    const seen = (reading: ForeignReading) =>
      askedFor(books, { foreign: [{ origin: 'claude-code', grant, place, reading }] })
    expect(await seen(ok(found))).toEqual(['main anthropic:own'])
    expect(await seen(ok({ ...found, fallback: true }))).toEqual([])
  })

  test('of a provider whose other program cannot be looked into', async () => {
    const books = {
      main: aBook(
        login('anthropic:own', 'fake-refresh-1', expired),
        login(TEAM, 'fake-2', expired),
      ),
    }
    const unread = (code: 'EQ_FOREIGN_OWNER' | 'EQ_FOREIGN_KEY_ONLY') => {
      const reading = fail({ code, origin: 'claude-code', place } as const)
      return askedFor(books, { foreign: [{ origin: 'claude-code', grant, place, reading }] })
    }
    expect(await unread('EQ_FOREIGN_OWNER')).toEqual([`main ${TEAM}`])
    expect(await unread('EQ_FOREIGN_KEY_ONLY')).toEqual(['main anthropic:own', `main ${TEAM}`])
  })
})

test('what is judged after a renewal is what the renewal has left', async () => {
  const before = login(TEAM, 'fake-refresh-1', { expiresAt: FAKE_NOW - 1 })
  const machine: Clinic = clinic({
    books: { main: aBook(before) },
    deps: {
      renew: async () =>
        machine.profiles.transact(agent('main'), async (book) =>
          ok({ book: withProfile(book, login('openai-codex:second', 'fake-refresh-2')), value: 1 }),
        ),
    },
  })
  expect((await machine.examine(false)).looked.profiles).toBe(2)
})

test('of a borrowed login that is dead, only that is told', async () => {
  const borrowed = aProfile('anthropic:claude-cli', {
    origin: 'claude-code',
    credential: oauth(undefined, { expiresAt: FAKE_NOW - 1 }),
  })
  const [verdict] = [...views(borrowed.id, { kind: 'spent', spentAt: 1 }).values()].map(
    (view) => view.verdict,
  )
  const grants: GrantViews = new Map([[borrowed.id, { way: 'never', ...(verdict && { verdict }) }]])
  const machine = clinic({ books: { main: aBook(borrowed) }, world: { grants } })
  expect(await machine.codes()).toEqual(['DR_GRANT_DEAD'])
})

describe('a journal', () => {
  const named = newGrantId(provider('openai-codex'), new Secret('fake-refresh-1'))
  const lost = 'b'.repeat(32)
  const folder = { kind: 'folder', mode: 0o700 } as const
  const books = { main: aBook(login(TEAM, 'fake-refresh-1')) }

  test('that a profile names is as it should be', async () => {
    const entries = { [`grants/${named}`]: folder, [`grants/${named}/verdict`]: {} }
    expect(await clinic({ books, entries }).codes()).toEqual([])
  })

  test('that no profile names goes when it is 30 days old and nothing lies in it', async () => {
    const aged = async (days: number, file: string) => {
      const modifiedAt = FAKE_NOW - days * DAY_MS
      const entries = {
        [`grants/${lost}`]: { ...folder, modifiedAt },
        [`grants/${lost}/${file}`]: { modifiedAt },
      }
      return only(await clinic({ books, entries }).examine(), 'DR_GRANT_ORPHAN')
    }
    expect(await aged(30, 'spent')).toMatchObject({ severity: 'info', fixable: false })
    expect(await aged(31, 'spent')).toMatchObject({ grant: lost, fixable: true })
    expect(await aged(31, 'answer')).toMatchObject({ unfinished: true, fixable: false })
  })

  test('with an answer that was kept aside is a warning', async () => {
    const entries = { [`grants/${named}/answer.quarantine`]: {} }
    const report = await clinic({ books, entries }).examine()
    expect(only(report, 'DR_GRANT_ASIDE')).toMatchObject({ severity: 'warn', fixable: false })
  })

  test('of a borrowed login is named by its place', async () => {
    const place = '/home/.codex/auth.json'
    const borrowed = aProfile('openai-codex:codex-cli', {
      origin: 'codex-cli',
      place,
      credential: oauth(undefined),
    })
    const entries = { [`grants/${borrowedGrantId('codex-cli', place)}`]: folder }
    expect(await clinic({ books: { main: aBook(borrowed) }, entries }).codes()).toEqual([])
  })
})
