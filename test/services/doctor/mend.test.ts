import { describe, expect, test } from 'vitest'

import type { OauthCredential } from '../../../src/domain/credential.ts'
import { orThrow } from '../../../src/domain/equabot-error.ts'
import { borrowedGrantId, markOf, newGrantId } from '../../../src/domain/grant.ts'
import type { Mended } from '../../../src/domain/doctor-report.ts'
import { withoutProfile } from '../../../src/domain/profile.ts'
import { fail, ok } from '../../../src/domain/result.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/domain/time.ts'
import { aBook, aProfile, FAKE_NOW } from '../../../src/testing.ts'
import { agent, profile, provider } from '../../names-from.ts'
import type { Clinic, Illness } from './clinic.ts'
import { clinic } from './clinic.ts'

const main = agent('main')
const research = agent('research')
const TEAM = profile('openai-codex:team')
const OPENAI = provider('openai-codex')
const BOOK = '/state/agents/main/agent/auth-profiles.json'
const LOCK = {
  origin: 'claude-code',
  path: '/home/.claude/.oauth_refresh.lock',
  modifiedAt: FAKE_NOW - HOUR_MS,
} as const

function oauth(refresh: string): OauthCredential {
  return {
    type: 'oauth',
    access: new Secret(`fake-access-of-${refresh}`),
    refresh: new Secret(refresh),
    expiresAt: FAKE_NOW + HOUR_MS,
  }
}

async function mended(machine: Clinic): Promise<readonly Mended[]> {
  return machine.doctor.mend(await machine.examine())
}

describe('mending', () => {
  test('a healthy machine does nothing', async () => {
    const machine = clinic()
    expect(await mended(machine)).toEqual([])
    expect(machine.done).toEqual([])
  })

  const small: readonly (readonly [string, Illness['entries'], string])[] = [
    ['an open file', { '.env': { mode: 0o644 } }, 'keepToOwner /state/.env'],
    ['a closed file', { '.env': { mode: 0 } }, 'keepToOwner /state/.env'],
    ['an open state folder', { '': { kind: 'folder', mode: 0o755 } }, 'keepToOwner /state'],
    [
      'a stray file',
      { '.env.0123456789ab.tmp': { modifiedAt: FAKE_NOW - DAY_MS } },
      'removeStray /state/.env.0123456789ab.tmp',
    ],
    [
      'an old journal that nobody names',
      { [`grants/${'a'.repeat(32)}`]: { kind: 'folder', mode: 0o700, modifiedAt: 1 } },
      `removeJournal /state/grants/${'a'.repeat(32)}`,
    ],
  ]
  test.each(small)('%s is one change of the disk', async (_, entries = {}, done) => {
    const machine = clinic({ entries })
    expect(await mended(machine)).toMatchObject([{ backups: [] }])
    expect(machine.done).toEqual([done])
  })

  test('a file of another user, a link, a hard link: nothing is done', async () => {
    for (const entry of [
      { isOurs: false, mode: 0o644 },
      { kind: 'link', leadsTo: '/elsewhere' } as const,
      { links: 2 },
    ]) {
      const machine = clinic({ entries: { '.env': entry } })
      expect(await mended(machine)).toEqual([])
      expect(machine.done).toEqual([])
    }
  })

  test('one that fails does not stop the others, and says why', async () => {
    const fault = { code: 'EQ_STORE_UNWRITABLE', path: '/state/.env', errno: 'EROFS' } as const
    const machine = clinic({
      entries: { '.env': { mode: 0o644 }, '.env.0123456789ab.tmp': { modifiedAt: 1 } },
    })
    const { inspection } = machine.deps
    const failing = clinic({
      entries: { '.env': { mode: 0o644 }, '.env.0123456789ab.tmp': { modifiedAt: 1 } },
      deps: { inspection: { ...inspection, keepToOwner: async () => fail(fault) } },
    })
    expect(await mended(failing)).toMatchObject([
      { finding: { code: 'DR_FILE_OPEN' }, fault },
      { finding: { code: 'DR_FILE_STRAY' } },
    ])
    expect(machine.done).toEqual(['removeStray /state/.env.0123456789ab.tmp'])
  })

  test('an unreadable book puts the last good copy back and keeps the broken one', async () => {
    const machine = clinic()
    const previous = `${BOOK}.prev`
    const fault = { code: 'EQ_STORE_SYNTAX', path: BOOK, line: 1, column: 1, previous } as const
    machine.profiles.damage(main, { ...fault, agent: main })
    expect(await mended(machine)).toMatchObject([{ backups: [`${BOOK}.damaged`] }])
    expect((await machine.examine()).ok).toBe(true)
  })

  test('older spellings are renewed by the settings store itself', async () => {
    const edits: unknown[] = []
    const machine = clinic()
    const settings: typeof machine.settings = {
      ...machine.settings,
      async read() {
        const read = await machine.settings.read()
        return read.ok ? ok({ ...read.value, migrated: ['a.b'] }) : read
      },
      async edit(change) {
        edits.push(change(orThrow(await machine.settings.read())))
        return machine.settings.read()
      },
    }
    const older = clinic({ deps: { settings } })
    expect(await mended(older)).toMatchObject([
      { finding: { code: 'DR_CONFIG_OLDER' }, backups: ['/state/equabot.json.bak'] },
    ])
    expect(edits).toEqual([[]])
  })
})

describe('a lock of another program', () => {
  test('is removed when it shows no sign of life for longer than a living owner waits', async () => {
    const machine = clinic({ locks: [LOCK] })
    const report = await machine.examine()
    const mending = machine.doctor.mend(report)
    machine.clock.advance(5_999)
    await Promise.resolve()
    expect(machine.done).toEqual([])
    machine.clock.advance(1)
    expect(await mending).toMatchObject([{ finding: { code: 'DR_FOREIGN_LOCK' } }])
    expect(machine.locks).toEqual([])
  })

  test('that was touched meanwhile has a living owner and stays', async () => {
    const machine = clinic({ locks: [LOCK] })
    const mending = machine.doctor.mend(await machine.examine())
    machine.locks.splice(0, 1, { ...LOCK, modifiedAt: FAKE_NOW })
    machine.clock.advance(MINUTE_MS)
    expect(await mending).toMatchObject([{ left: true }])
    expect(machine.locks).toHaveLength(1)
    expect(machine.done).toEqual([])
  })
})

describe('an order', () => {
  test('loses what is not there, and goes when nothing is left of it', async () => {
    const ghost = profile('anthropic:gone')
    const lost = profile('groq:lost')
    const order = new Map([
      [provider('anthropic'), [ghost, profile('anthropic:work')]],
      [provider('groq'), [lost]],
    ])
    const machine = clinic({
      books: { main: { ...aBook(aProfile('anthropic:work')), order } },
      config: {
        auth: { order: { anthropic: ['anthropic:gone', 'anthropic:work'], groq: [lost] } },
      },
    })
    const done = await mended(machine)
    expect(done.map(({ fault, left }) => ({ fault, left }))).toEqual(done.map(() => ({})))
    expect([...machine.profiles.book().order]).toEqual([['anthropic', ['anthropic:work']]])
    expect(machine.settings.raw()).toEqual({ auth: { order: { anthropic: ['anthropic:work'] } } })
    expect(machine.done).toEqual([`backUp ${BOOK}`, 'backUp /state/equabot.json'])
    expect((await machine.examine()).ok).toBe(true)
  })

  test('keeps a profile that has come back since it was looked at', async () => {
    const ghost = profile('anthropic:gone')
    const order = new Map([[provider('anthropic'), [ghost]]])
    const machine = clinic({ books: { main: { ...aBook(aProfile('anthropic:work')), order } } })
    const report = await machine.examine()
    orThrow(
      await machine.profiles.transact(main, async (book) =>
        ok({
          book: { ...book, profiles: new Map(book.profiles).set(ghost, aProfile(ghost)) },
          value: undefined,
        }),
      ),
    )
    expect(await machine.doctor.mend(report)).toMatchObject([{ left: true }])
    expect(machine.profiles.book().order.get(provider('anthropic'))).toEqual([ghost])
  })
})

describe('one login in two places', () => {
  const copy = profile('openai-codex:copy')
  const machineWithTwo = (): Clinic =>
    clinic({
      config: {
        agents: { list: [{ id: 'research' }] },
        auth: {
          profiles: { [copy]: { provider: 'openai-codex', mode: 'oauth' } },
          order: { 'openai-codex': [copy] },
        },
      },
      books: {
        main: aBook(aProfile(TEAM, { credential: oauth('fake-refresh-1') })),
        research: {
          ...aBook(aProfile(copy, { credential: oauth('fake-refresh-1') })),
          order: new Map([[OPENAI, [copy]]]),
        },
      },
    })

  test('keeps one home; orders that named the other name it; what changes is copied before', async () => {
    const machine = machineWithTwo()
    const [done] = await mended(machine)
    const theirs = BOOK.replace('main', 'research')
    expect(done?.backups).toEqual([`${theirs}.before-doctor`, '/state/equabot.json.before-doctor'])
    expect([...machine.profiles.book().profiles.keys()]).toEqual([TEAM])
    const book = machine.profiles.book(research)
    expect({ profiles: book.profiles.size, order: book.order.get(OPENAI) }).toEqual({
      profiles: 0,
      order: [TEAM],
    })
    expect(machine.settings.raw()).toMatchObject({
      auth: { profiles: {}, order: { 'openai-codex': [TEAM] } },
    })
    expect((await machine.examine()).ok).toBe(true)
  })

  test('is left alone when the one to keep has gone, or the other was renewed meanwhile', async () => {
    const gone = machineWithTwo()
    const report = await gone.examine()
    orThrow(
      await gone.profiles.transact(main, async (book) =>
        ok({ book: withoutProfile(book, TEAM), value: undefined }),
      ),
    )
    expect(await gone.doctor.mend(report)).toMatchObject([{ left: true }])
    expect(gone.profiles.book(research).profiles.size).toBe(1)

    const renewed = machineWithTwo()
    const before = await renewed.examine()
    orThrow(
      await renewed.profiles.transact(research, async (book) =>
        ok({
          book: {
            ...book,
            profiles: new Map([[copy, aProfile(copy, { credential: oauth('fake-refresh-2') })]]),
          },
          value: undefined,
        }),
      ),
    )
    expect(await renewed.doctor.mend(before)).toMatchObject([{ left: true }])
    expect(renewed.profiles.book(research).profiles.size).toBe(1)
  })

  test('is left while a process renews it, and nobody renews it while it is mended', async () => {
    const grant = newGrantId(OPENAI, new Secret('fake-refresh-1'))
    const machine = machineWithTwo()
    const { profiles, settings, loadWorld } = machine.deps
    const steps: string[] = []
    const watched: typeof profiles = {
      ...profiles,
      async transact(...given) {
        steps.push('write')
        return profiles.transact(...given)
      },
    }
    let renewing = true
    const patient = clinic({
      deps: {
        profiles: watched,
        settings,
        loadWorld,
        async holdGrant(wanted) {
          steps.push(wanted === grant ? 'hold' : 'hold another')
          return ok(renewing ? undefined : () => void steps.push('let go'))
        },
      },
    })
    expect(await mended(patient)).toMatchObject([{ left: true, renewing: true, backups: [] }])
    expect(steps).toEqual(['hold'])
    expect(machine.profiles.book(research).profiles.size).toBe(1)
    renewing = false
    expect(await mended(patient)).toMatchObject([{ finding: { code: 'DR_GRANT_TWICE' } }])
    expect(steps.slice(1)).toEqual(['hold', 'write', 'let go'])
  })

  test('is not touched when its lock cannot be taken', async () => {
    const fault = { code: 'EQ_LOCK_UNAVAILABLE', detail: 'no locks here' } as const
    const machine = machineWithTwo()
    const { profiles, settings, loadWorld } = machine.deps
    const locked = clinic({
      deps: { profiles, settings, loadWorld, holdGrant: async () => fail(fault) },
    })
    expect(await mended(locked)).toMatchObject([{ fault }])
    expect(machine.profiles.book(research).profiles.size).toBe(1)
  })

  test('is not touched when no copy of the book can be made first', async () => {
    const fault = { code: 'EQ_STORE_UNWRITABLE', path: BOOK, errno: 'ENOSPC' } as const
    const machine = machineWithTwo()
    const { inspection, profiles, settings, loadWorld } = machine.deps
    const full = clinic({
      deps: {
        profiles,
        settings,
        loadWorld,
        inspection: { ...inspection, backUp: async () => fail(fault) },
      },
    })
    expect(await mended(full)).toMatchObject([{ fault }])
    expect(machine.profiles.book(research).profiles.size).toBe(1)
  })
})

test('a copy of a foreign login goes, and the login is taken over from its owner', async () => {
  const place = '/home/.claude/.credentials.json'
  const refreshMark = markOf(new Secret('fake-refresh-1'))
  const access = new Secret('fake-access')
  const reading = ok({ origin: 'claude-code', place, access, type: 'oauth', refreshMark } as const)
  const grant = borrowedGrantId('claude-code', place)
  let adoptions = 0
  let renewing = true
  const mine = profile('anthropic:mine')
  const machine = clinic({
    books: {
      main: {
        ...aBook(
          aProfile(mine, { credential: oauth('fake-refresh-1') }),
          aProfile('anthropic:claude-cli', { origin: 'claude-code', place }),
        ),
        order: new Map([[provider('anthropic'), [mine]]]),
      },
    },
    world: { foreign: [{ origin: 'claude-code', grant, place, reading }] },
    deps: {
      holdGrant: async () => ok(renewing ? undefined : () => undefined),
      async adopt() {
        adoptions += 1
        return { changes: [], faults: [] }
      },
    },
  })
  expect(await mended(machine)).toMatchObject([{ left: true, renewing: true }])
  expect(machine.profiles.book().profiles.size).toBe(2)
  renewing = false
  const [done] = await mended(machine)
  expect(done).toMatchObject({ finding: { code: 'DR_GRANT_TWIN' } })
  expect(done?.backups).toEqual([`${BOOK}.before-doctor`])
  expect(adoptions).toBe(3)
  const book = machine.profiles.book()
  expect([...book.profiles.keys()]).toEqual(['anthropic:claude-cli'])
  expect(book.order.get(provider('anthropic'))).toEqual(['anthropic:claude-cli'])
})
