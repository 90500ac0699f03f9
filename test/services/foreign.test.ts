import { describe, expect, it } from 'vitest'
import { bearerOf } from '../../src/domain/credential.ts'
import type { ForeignFault, StoreFault } from '../../src/domain/fault.ts'
import { borrowedGrantId } from '../../src/domain/grant.ts'
import type { AgentId } from '../../src/domain/names.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import { createForeign } from '../../src/services/foreign.ts'
import { aBook, aForeignLogin, aProfile, FAKE_NOW, memoryForeignSource } from '../../src/testing.ts'
import { agent, profile, provider } from '../names-from.ts'
import { house } from './house.ts'

const CLAUDE = profile('anthropic:claude-cli')
const CODEX = profile('openai-codex:codex-cli')
const PLACE = '/home/me/.claude/.credentials.json'
const BLANK: ForeignFault = { code: 'EQ_FOREIGN_BLANK', origin: 'claude-code', place: PLACE }
const login = (expiresAt: number, text = `until-${expiresAt}`) =>
  aForeignLogin({ access: new Secret(text), expiresAt })
const SOON = FAKE_NOW + HOUR_MS

function claudeHouse(more: Parameters<typeof house>[0] = {}) {
  const source = memoryForeignSource('claude-code', ok(login(SOON)))
  const at = house({ sources: [source], ...more })
  const outcomes = async (options?: { readonly prompting?: boolean }) =>
    (await at.foreign.adopt(options)).sources.map(({ outcome, because }) =>
      because === undefined ? outcome : `${outcome} ${because}`,
    )
  return { at, source, outcomes }
}

describe('adopting', () => {
  it('puts a login into the book of main, once', async () => {
    const { at, outcomes } = claudeHouse()
    expect(await outcomes()).toEqual(['added'])
    expect(await outcomes()).toEqual(['same'])
    expect(at.profiles.saves()).toBe(1)
    expect(at.profiles.book().profiles.get(CLAUDE)).toMatchObject({
      origin: 'claude-code',
      place: PLACE,
      credential: { type: 'oauth', expiresAt: SOON },
    })
  })

  it('follows the source, and tells what it found', async () => {
    const { at, source } = claudeHouse()
    await at.foreign.adopt()
    source.put(ok({ ...login(SOON + 1), email: 'me@x.example' }))
    expect(await at.foreign.adopt()).toEqual({
      changed: true,
      sources: [
        {
          origin: 'claude-code',
          place: PLACE,
          profile: CLAUDE,
          outcome: 'updated',
          login: { type: 'oauth', expiresAt: SOON + 1, email: 'me@x.example' },
        },
      ],
    })
    const kept = at.profiles.book().profiles.get(CLAUDE)
    expect(kept && bearerOf(kept.credential).reveal()).toBe(`until-${SOON + 1}`)
  })

  it('keeps the last good copy and names the fault', async () => {
    const { at, source, outcomes } = claudeHouse()
    await outcomes()
    source.put(fail(BLANK))
    expect(await at.foreign.adopt()).toEqual({
      changed: false,
      sources: [
        { origin: 'claude-code', place: PLACE, profile: CLAUDE, outcome: 'fault', fault: BLANK },
      ],
    })
    source.put(ok(undefined))
    expect(await outcomes()).toEqual(['absent'])
    expect(at.profiles.book().profiles.has(CLAUDE)).toBe(true)
    expect(at.profiles.saves()).toBe(1)
  })

  it('passes a remark on, and adopts all the same', async () => {
    const remark = {
      code: 'EQ_FOREIGN_OPEN',
      origin: 'claude-code',
      place: PLACE,
      mode: 0o644,
      writable: false,
    } as const
    const { at, source } = claudeHouse()
    source.put(ok({ ...login(SOON), remark }))
    expect((await at.foreign.adopt()).sources).toMatchObject([{ outcome: 'added', remark }])
  })

  it('leaves other profiles, the order and other agents alone', async () => {
    const others = aBook(aProfile('anthropic:default'), aProfile('anthropic:work'))
    const order = new Map([[provider('anthropic'), [profile('anthropic:work')]]])
    const { at, outcomes } = claudeHouse({
      books: { main: { ...others, order }, research: aBook(aProfile('anthropic:claude-cli')) },
    })
    const before = at.profiles.book(agent('research'))
    expect(await outcomes()).toEqual(['added'])
    const after = at.profiles.book()
    expect([...after.profiles.keys()]).toEqual(['anthropic:default', 'anthropic:work', CLAUDE])
    expect(after.profiles.get(profile('anthropic:work'))).toBe(
      others.profiles.get(profile('anthropic:work')),
    )
    expect(after.order).toBe(order)
    expect(at.profiles.book(agent('research'))).toBe(before)
  })

  it('says why a stored copy stays', async () => {
    const stored = aProfile(CLAUDE, {
      credential: { type: 'token', token: new Secret('mine') },
      storedAt: FAKE_NOW,
    })
    const { at, outcomes } = claudeHouse({ books: { main: aBook(stored) } })
    expect(await outcomes()).toEqual(['kept own_token'])
    expect(at.profiles.saves()).toBe(0)
  })

  it('decides again on the book as it is under its lock', async () => {
    const { at, source } = claudeHouse()
    const newer = aProfile(CLAUDE, {
      origin: 'claude-code',
      place: PLACE,
      credential: { type: 'oauth', access: new Secret('newer'), expiresAt: SOON + 5 },
    })
    // Another process writes between our look at the book and our turn at its lock.
    const profiles = {
      ...at.profiles,
      async read(of: AgentId) {
        const before = await at.profiles.read(of)
        await at.profiles.transact(of, async () => ok({ book: aBook(newer), value: undefined }))
        return before
      },
    }
    const { settings, clock } = at
    const foreign = createForeign({
      sources: [source],
      profiles,
      settings,
      clock,
      switchedOff: false,
    })
    expect(await foreign.adopt()).toMatchObject({
      changed: false,
      sources: [{ outcome: 'kept', because: 'stored_newer' }],
    })
    const kept = at.profiles.book().profiles.get(CLAUDE)
    expect(kept && bearerOf(kept.credential).reveal()).toBe('newer')
  })

  it('handles both sources in one write, and one that fails does not hold up the other', async () => {
    const codex = memoryForeignSource(
      'codex-cli',
      ok(aForeignLogin({ origin: 'codex-cli', expiresAt: SOON })),
    )
    const claude = memoryForeignSource('claude-code', ok(login(SOON)))
    const both = house({ sources: [claude, codex] })
    const synced = await both.foreign.adopt()
    expect(synced.sources.map(({ outcome }) => outcome)).toEqual(['added', 'added'])
    expect(both.profiles.saves()).toBe(1)
    expect([...both.profiles.book().profiles.keys()]).toEqual([CLAUDE, CODEX])

    claude.put(fail(BLANK))
    codex.put(ok(aForeignLogin({ origin: 'codex-cli', expiresAt: SOON + 1 })))
    const later = await both.foreign.adopt()
    expect(later.sources.map(({ outcome }) => outcome)).toEqual(['fault', 'updated'])
  })

  it('counts an owner that uses an API key as one without a login', async () => {
    const fault = { code: 'EQ_FOREIGN_KEY_ONLY', origin: 'codex-cli', place: '/x' } as const
    const at = house({ sources: [memoryForeignSource('codex-cli', fail(fault))] })
    expect((await at.foreign.adopt()).sources).toMatchObject([{ outcome: 'absent', fault }])
  })

  it('gives the trouble of the book, and throws nothing', async () => {
    const damage: StoreFault = { code: 'EQ_STORE_UNREADABLE', path: '/b', errno: 'EIO' }
    const { at } = claudeHouse()
    at.profiles.damage(MAIN_AGENT, damage)
    const synced = await at.foreign.adopt()
    expect(synced).toMatchObject({ changed: false, fault: damage })
    expect(synced.sources).toMatchObject([{ outcome: 'kept' }])
  })

  it('names the logins that the book could not take, and not those that it has already', async () => {
    const because: StoreFault = { code: 'EQ_STORE_UNWRITABLE', path: '/b', errno: 'EACCES' }
    const claude = memoryForeignSource('claude-code', ok(login(SOON)))
    const codex = memoryForeignSource(
      'codex-cli',
      ok(aForeignLogin({ origin: 'codex-cli', expiresAt: SOON })),
    )
    const { profiles, settings, clock, foreign } = house({ sources: [codex] })
    await foreign.adopt()
    const locked = createForeign({
      sources: [claude, codex],
      profiles: { ...profiles, transact: async () => fail(because) },
      settings,
      clock,
      switchedOff: false,
    })
    const synced = await locked.adopt()
    expect(synced).toMatchObject({ changed: false, fault: because })
    expect(synced.notStored).toEqual([
      { code: 'EQ_FOREIGN_NOT_STORED', origin: 'claude-code', place: PLACE, because },
    ])
  })

  it('does not read the book where no source has a login', async () => {
    const { at, source } = claudeHouse()
    at.profiles.damage(MAIN_AGENT, { code: 'EQ_STORE_UNREADABLE', path: '/b', errno: 'EIO' })
    source.put(ok(undefined))
    expect(await at.foreign.adopt()).not.toHaveProperty('fault')
  })
})

describe('a source that is switched off', () => {
  it.each([
    [
      'in the config',
      { config: { auth: { foreign: { claudeCode: { enabled: false } } } } },
      'config',
    ],
    ['by the variable', { foreignOff: true }, 'environment'],
  ])('%s is not looked at', async (_, more, because) => {
    const { at, source, outcomes } = claudeHouse(more)
    expect(await outcomes({ prompting: true })).toEqual([`off ${because}`])
    expect(await at.foreign.views()).toEqual([])
    expect(source.looks).toEqual([])
    expect(at.profiles.saves()).toBe(0)
  })
})

describe('looking', () => {
  it('changes nothing and gives the grant of the place', async () => {
    const { at } = claudeHouse()
    expect(await at.foreign.views()).toMatchObject([
      {
        origin: 'claude-code',
        place: PLACE,
        grant: borrowedGrantId('claude-code', PLACE),
        reading: { ok: true, value: { expiresAt: SOON } },
      },
    ])
    expect(at.profiles.saves()).toBe(0)
  })

  it('gives the place where the login was found', async () => {
    const { at, source } = claudeHouse()
    source.put(ok({ ...login(SOON), place: 'Keychain item "x"' }))
    const [view] = await at.foreign.views()
    expect(view?.place).toBe('Keychain item "x"')
    expect(view?.grant).toBe(borrowedGrantId('claude-code', 'Keychain item "x"'))
  })

  it('lets the system ask a person only when one has asked for it', async () => {
    const { at, source } = claudeHouse()
    await at.foreign.views()
    await at.foreign.adopt()
    await at.foreign.views(true)
    await at.foreign.adopt({ prompting: true })
    expect(source.looks).toEqual([false, false, true, true])
  })
})

describe('the log', () => {
  it('tells each change once, without a secret', async () => {
    const { at, source } = claudeHouse()
    await at.foreign.adopt()
    await at.foreign.adopt()
    source.put(fail(BLANK))
    await at.foreign.adopt()
    await at.foreign.adopt()
    source.put(ok(login(SOON + 1)))
    await at.foreign.adopt()
    expect(at.log.lines.map(({ level, fields }) => [level, fields['outcome']])).toEqual([
      ['info', 'added'],
      ['warn', 'fault'],
      ['info', 'updated'],
    ])
    expect(JSON.stringify(at.log.lines)).not.toContain('until-')
  })
})
