import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { orThrow } from '../../src/domain/equabot-error.ts'
import type { StoreFault } from '../../src/domain/fault.ts'
import { keptWords, notImportedWords } from '../../src/domain/explain-import.ts'
import { markOf, newGrantId } from '../../src/domain/grant.ts'
import type { LegacyEntry } from '../../src/domain/legacy.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { LegacyFile } from '../../src/domain/ports.ts'
import type { Profile, ProfileBook } from '../../src/domain/profile.ts'
import { withOrder, withProfile } from '../../src/domain/profile.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { aBook, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { agent, profile, provider } from '../names-from.ts'
import { outcome } from './house.ts'
import type { Bench, Tool } from './import-bench.ts'
import { bench, brings, FROM, key, oauth, ORDER, outcomes } from './import-bench.ts'

const idsIn = (book: ProfileBook): readonly string[] => [...book.profiles.keys()]

describe('an import', () => {
  test('adds what is not there, with its mode in the config and the grant named', async () => {
    const at = bench({
      entries: brings(
        oauth('anthropic:default', 'refresh-1'),
        key('openai:work', 'key-1'),
        aProfile('anthropic:claude-cli', {
          credential: { type: 'token', token: new Secret('token-1') },
        }),
      ),
    })
    const report = orThrow(await at.imports.run(ORDER))
    expect(report).toMatchObject({ agent: 'main', changes: true })
    expect(report).not.toHaveProperty('backup')
    expect(new Set(Object.values(outcomes(report)))).toEqual(new Set(['added']))
    const held = at.profiles.book().profiles.get(profile('anthropic:default'))
    expect(held).toMatchObject({
      origin: 'equabot',
      storedAt: FAKE_NOW,
      credential: {
        grantId: newGrantId(provider('anthropic'), new Secret('refresh-1')),
      },
    })
    expect(at.settings.raw()).toEqual({
      auth: {
        profiles: {
          'anthropic:default': { provider: 'anthropic', mode: 'oauth' },
          'openai:work': { provider: 'openai', mode: 'api_key' },
          'anthropic:claude-cli': { provider: 'anthropic', mode: 'oauth' },
        },
      },
    })
  })

  test('keeps a copy of the book beside it first', async () => {
    const before = aBook(key('groq:mine', 'key-0'))
    const at = bench({ entries: brings(key('openai:work', 'key-1')) }, { books: { main: before } })
    const report = orThrow(await at.imports.run(ORDER))
    expect(report.backup).toBe(
      '/state/agents/main/agent/auth-profiles.json.before-import-2026-01-01T00-00-00.000Z',
    )
    expect(at.profiles.copies().get(report.backup ?? '')).toBe(before)
    expect(idsIn(at.profiles.book())).toEqual(['groq:mine', 'openai:work'])
  })

  test('a rehearsal says the same and writes nothing', async () => {
    const given = [
      { entries: brings(oauth('anthropic:default', 'refresh-1'), key('openai:work', 'key-1')) },
      { books: { main: aBook(key('openai:work', 'key-0')) } },
    ] as const
    const rehearsal = bench(...given)
    const rehearsed = orThrow(await rehearsal.imports.rehearse(ORDER))
    expect(rehearsal.profiles.saves()).toBe(0)
    expect(rehearsal.profiles.copies().size).toBe(0)
    expect(rehearsal.settings.raw()).toEqual({})
    const { backup: _, ...report } = orThrow(await bench(...given).imports.run(ORDER))
    expect(rehearsed).toEqual(report)
  })

  test('leaves a name alone that holds another credential, unless it is told to replace it', async () => {
    const books = { main: aBook(key('openai:work', 'key-mine')) }
    const entries = brings(key('openai:work', 'key-theirs'))
    const kept = bench({ entries }, { books })
    const report = orThrow(await kept.imports.run(ORDER))
    expect(outcomes(report)).toEqual({ 'openai:work': 'kept: another_credential' })
    expect(report.changes).toBe(false)
    expect(kept.profiles.saves()).toBe(0)

    const replaced = bench({ entries }, { books })
    const again = orThrow(await replaced.imports.run({ ...ORDER, replace: true }))
    expect(outcomes(again)).toEqual({ 'openai:work': 'replaced' })
    expect(again.backup).toBeDefined()
    const held = replaced.profiles.book().profiles.get(profile('openai:work'))?.credential
    expect(held?.type === 'api_key' && held.key.reveal()).toBe('key-theirs')
  })

  test('never replaces a borrowed login, nor a name that our file holds and cannot be read', async () => {
    const lent = aProfile('anthropic:lent', { origin: 'claude-code' })
    const at = bench(
      {
        entries: brings(key('anthropic:lent', 'key-1'), key('groq:torn', 'key-2')),
        problems: [{ field: 'profiles.groq:torn.key', problem: 'expected text' }],
      },
      { books: { main: aBook(lent) } },
    )
    const report = orThrow(await at.imports.run({ ...ORDER, replace: true }))
    expect(outcomes(report)).toEqual({
      'anthropic:lent': 'kept: borrowed',
      'groq:torn': 'kept: ours_unreadable',
    })
    expect(at.profiles.saves()).toBe(0)
  })

  test('skips with its reason what cannot serve here', async () => {
    const at = bench({
      entries: [
        { name: 'groq:blank', login: fail({ code: 'blank' }) },
        ...brings(
          key('openai:env', 'key-1'),
          key('nosuch:x', 'key-2'),
          key('openai:a', '${OPENAI_API_KEY}'),
          key('openai:b', 'two words'),
        ),
      ],
    })
    const report = orThrow(await at.imports.run(ORDER))
    expect(outcomes(report)).toEqual({
      'groq:blank': 'skipped: blank',
      'openai:env': 'skipped: reserved',
      'nosuch:x': 'skipped: unknown_provider',
      'openai:a': 'skipped: placeholder',
      'openai:b': 'skipped: malformed',
    })
    expect(report.changes).toBe(false)
  })

  test('a report holds no secret', async () => {
    const at = bench({
      entries: brings(oauth('anthropic:default', 'refresh-1'), key('openai:work', 'key-1')),
    })
    expect(JSON.stringify(orThrow(await at.imports.run(ORDER)))).not.toMatch(/refresh-1|key-1/)
  })
})

describe('one refresh token has one home', () => {
  test('it is not copied beside itself, within the book or into that of another agent', async () => {
    const at = bench(
      {
        entries: brings(
          oauth('anthropic:default', 'refresh-1'),
          oauth('anthropic:two', 'refresh-2'),
        ),
      },
      {
        config: { agents: { list: [{ id: 'work' }] } },
        books: {
          main: aBook(oauth('anthropic:mine', 'refresh-1')),
          work: aBook(oauth('anthropic:theirs', 'refresh-2')),
        },
      },
    )
    const report = orThrow(await at.imports.run(ORDER))
    expect(report.entries.map((entry) => entry.outcome)).toEqual([
      {
        kind: 'skipped',
        why: { code: 'stands_elsewhere', profile: 'anthropic:mine', agent: 'main' },
      },
      {
        kind: 'skipped',
        why: { code: 'stands_elsewhere', profile: 'anthropic:theirs', agent: 'work' },
      },
    ])
    expect(at.profiles.saves()).toBe(0)
  })

  test('copies of it in several files of the tool come once', async () => {
    const again: LegacyFile = {
      path: '/home/me/.older/agents/sub/agent/auth-profiles.json',
      logins: ok({
        entries: brings(
          oauth('anthropic:copy', 'refresh-1'),
          oauth('anthropic:default', 'refresh-older'),
        ),
        order: new Map(),
      }),
    }
    const at = bench({
      entries: brings(oauth('anthropic:default', 'refresh-1')),
      more: [again],
    })
    const report = orThrow(await at.imports.run({ ...ORDER, replace: true }))
    expect(report.entries.map(({ outcome: { kind } }) => kind)).toEqual([
      'added',
      'skipped',
      'kept',
    ])
    expect(report.entries[2]?.outcome).toMatchObject({
      why: { code: 'maybe_older', profile: 'anthropic:default' },
    })
    const held = at.profiles.book().profiles.get(profile('anthropic:default'))?.credential
    expect(held?.type === 'oauth' && held.refresh?.reveal()).toBe('refresh-1')
  })

  test('an older generation of a login that was imported and renewed since is the same login', async () => {
    const grantId = newGrantId(provider('anthropic'), new Secret('refresh-1'))
    const renewed = oauth('anthropic:default', 'refresh-9', { grantId })
    const at = bench(
      { entries: brings(oauth('anthropic:default', 'refresh-1')) },
      { books: { main: aBook(renewed) } },
    )
    expect(outcomes(orThrow(await at.imports.run({ ...ORDER, replace: true })))).toEqual({
      'anthropic:default': 'same',
    })
    expect(at.profiles.saves()).toBe(0)
  })

  test('one that stands in the home of Claude Code or Codex stays theirs', async () => {
    const at = bench({
      entries: brings(oauth('anthropic:default', 'refresh-1')),
      claudeMarks: new Set([markOf(new Secret('refresh-1'))]),
    })
    expect(outcomes(orThrow(await at.imports.run(ORDER)))).toEqual({
      'anthropic:default': 'skipped: foreign',
    })
    expect(at.profiles.saves()).toBe(0)
  })

  test('while the home of Claude Code cannot be read, no login of its provider is taken', async () => {
    const { credential } = oauth('anthropic:here', 'refresh-0')
    const at = bench(
      {
        entries: brings(
          oauth('anthropic:here', 'refresh-0'),
          oauth('anthropic:default', 'refresh-1'),
          oauth('openai-codex:default', 'refresh-2'),
          key('anthropic:key', 'key-1'),
        ),
        claudeMarks: 'unknown',
      },
      { books: { main: aBook(aProfile('anthropic:here', { credential })) } },
    )
    const report = orThrow(await at.imports.run({ ...ORDER, replace: true }))
    expect(outcomes(report)).toEqual({
      'anthropic:here': 'same',
      'anthropic:default': 'skipped: owner_unknown',
      'openai-codex:default': 'added',
      'anthropic:key': 'added',
    })
    expect(idsIn(at.profiles.book())).not.toContain('anthropic:default')
  })

  test('a refresh token of ours that has served is not taken, under whichever name it comes', async () => {
    const renewed = oauth('anthropic:mine', 'refresh-3', {
      grantId: newGrantId(provider('anthropic'), new Secret('refresh-1')),
    })
    const at = bench(
      {
        entries: brings(
          oauth('anthropic:other', 'refresh-2'),
          oauth('anthropic:mine', 'refresh-2'),
        ),
        spentMarks: [markOf(new Secret('refresh-2'))],
      },
      { books: { main: aBook(renewed) } },
    )
    const report = orThrow(await at.imports.run({ ...ORDER, replace: true }))
    expect(outcomes(report)).toEqual({
      'anthropic:other': 'skipped: spent',
      'anthropic:mine': 'skipped: spent',
    })
    expect(at.profiles.saves()).toBe(0)
  })

  test('a journal that cannot be read might say that it has served, so nothing is imported', async () => {
    const fault = { code: 'EQ_STORE_UNREADABLE', path: '/state/grants/x', errno: 'EIO' } as const
    const at = bench({
      entries: brings(oauth('anthropic:default', 'refresh-1')),
      spentFault: fault,
    })
    expect(outcome(await at.imports.rehearse(ORDER))).toBe('EQ_STORE_UNREADABLE')
    expect(outcome(await at.imports.run(ORDER))).toBe('EQ_STORE_UNREADABLE')
    expect(at.profiles.saves()).toBe(0)
  })

  test('what an agent inherits is not copied into its own book', async () => {
    const at = bench(
      { entries: brings(key('openai:work', 'key-1'), oauth('anthropic:a', 'refresh-1')) },
      {
        config: { agents: { list: [{ id: 'work' }] } },
        books: { main: aBook(key('openai:work', 'key-1'), oauth('anthropic:a', 'refresh-1')) },
      },
    )
    const report = orThrow(await at.imports.run({ ...ORDER, agent: agent('work') }))
    expect(new Set(Object.values(outcomes(report)))).toEqual(new Set(['same']))
    expect(at.profiles.saves()).toBe(0)
  })

  test('a book of another agent that cannot be read might be its home, so nothing is imported', async () => {
    const at = bench(
      { entries: brings(oauth('anthropic:default', 'refresh-1')) },
      { books: { work: aBook() } },
    )
    at.profiles.damage(agent('work'), {
      code: 'EQ_STORE_SYNTAX',
      path: '/state/agents/work/agent/auth-profiles.json',
      line: 1,
      column: 1,
    })
    expect(outcome(await at.imports.run(ORDER))).toBe('EQ_STORE_SYNTAX')
    expect(at.profiles.saves()).toBe(0)
  })
})

describe('the order', () => {
  const openai = provider('openai')
  const ids = (...names: string[]): readonly ProfileId[] => names.map(profile)

  test('is taken where none is set, with our own profiles behind it', async () => {
    const at = bench(
      {
        entries: brings(key('openai:b', 'key-b'), key('openai:a', 'key-a')),
        order: { openai: ids('openai:a', 'openai:gone', 'openai:b') },
      },
      { books: { main: aBook(key('openai:mine', 'key-0')) } },
    )
    expect(orThrow(await at.imports.run(ORDER)).orders).toEqual(['openai'])
    expect(at.profiles.book().order.get(openai)).toEqual(ids('openai:a', 'openai:b', 'openai:mine'))
  })

  test('that is set stays, and what came goes last in it', async () => {
    const own = withOrder(aBook(key('openai:mine', 'key-0')), openai, ids('openai:mine'))
    const tool = {
      entries: brings(key('openai:a', 'key-a')),
      order: { openai: ids('openai:a') },
    }
    const at = bench(tool, { books: { main: own } })
    expect(orThrow(await at.imports.run(ORDER)).orders).toEqual([])
    expect(at.profiles.book().order.get(openai)).toEqual(ids('openai:mine', 'openai:a'))

    const configured = bench(tool, {
      config: { auth: { order: { openai: ['openai:mine'] } } },
      books: { main: aBook(key('openai:mine', 'key-0')) },
    })
    expect(orThrow(await configured.imports.run(ORDER)).orders).toEqual([])
    expect(configured.profiles.book().order.size).toBe(0)
    expect(configured.settings.raw()).toMatchObject({
      auth: { order: { openai: ['openai:mine', 'openai:a'] } },
    })
  })
})

test('without a single login it says where it looked', async () => {
  expect(await bench({}).imports.run(ORDER)).toMatchObject({
    ok: false,
    fault: { code: 'EQ_IMPORT_NOTHING', looked: FROM },
  })
})

test('a file that cannot be read is told, and the others come', async () => {
  const fault = { code: 'EQ_STORE_SYNTAX', path: '/x', line: 1, column: 2 } as const
  const at = bench({
    entries: brings(key('openai:a', 'key-a')),
    more: [{ path: '/x', logins: fail(fault) }],
  })
  const report = orThrow(await at.imports.run(ORDER))
  expect(report.files).toEqual([{ path: FROM }, { path: '/x', fault }])
  expect(outcomes(report)).toEqual({ 'openai:a': 'added' })
  const broken = bench({ more: [{ path: '/x', logins: fail(fault) }] })
  expect(outcome(await broken.imports.run(ORDER))).toBe('EQ_STORE_SYNTAX')
})

const REFUSAL: StoreFault = {
  code: 'EQ_STORE_UNWRITABLE',
  path: '/state/agents/main/agent/auth-profiles.json',
  errno: 'EROFS',
}

describe('an import that fails', () => {
  const openai = provider('openai')
  const before = withOrder(aBook(key('openai:work', 'key-0')), openai, [profile('openai:work')])
  const tool: Tool = {
    entries: brings(
      key('openai:work', 'key-1'),
      key('openai:more', 'key-2'),
      key('groq:x', 'key-3'),
    ),
    order: { groq: [profile('groq:x')] },
  }

  test('leaves the book alone when the config cannot be written', async () => {
    const at = bench(
      { ...tool, settings: () => ({ edit: async () => fail(REFUSAL) }) },
      { books: { main: before } },
    )
    expect(outcome(await at.imports.run({ ...ORDER, replace: true }))).toBe('EQ_STORE_UNWRITABLE')
    expect(at.profiles.book()).toBe(before)
    expect(at.profiles.saves()).toBe(0)
  })

  test('never puts an old login back over one that was renewed meanwhile', async () => {
    const renewed = key('openai:work', 'key-newest')
    let renewal: Promise<unknown> = Promise.resolve()
    const at: Bench = bench(
      {
        ...tool,
        settings: () => ({
          async edit() {
            renewal = at.profiles.transact(MAIN_AGENT, async (book) =>
              ok({ book: withProfile(book, renewed), value: undefined }),
            )
            return fail(REFUSAL)
          },
        }),
      },
      { books: { main: before } },
    )
    await at.imports.run({ ...ORDER, replace: true })
    await renewal
    expect(idsIn(at.profiles.book())).toEqual(['openai:work'])
    const held = at.profiles.book().profiles.get(profile('openai:work'))?.credential
    expect(held?.type === 'api_key' && held.key.reveal()).toBe('key-newest')
  })

  test('takes its own words back out of the config when the book cannot be saved', async () => {
    const config = {
      auth: { order: { openai: ['openai:work'] }, profiles: {} },
      agents: { list: [{ id: 'main' }] },
    }
    const at = bench(
      {
        ...tool,
        transact: (store) => async (agentId, change) => {
          const read = orThrow(await store.read(agentId))
          const changed = await change(read.book)
          return changed.ok ? fail(REFUSAL) : changed
        },
      },
      { books: { main: before }, config },
    )
    expect(outcome(await at.imports.run({ ...ORDER, replace: true }))).toBe('EQ_STORE_UNWRITABLE')
    expect(at.settings.raw()).toEqual(config)
  })
})

describe('the size of an import', () => {
  const many = (count: number): readonly LegacyEntry[] =>
    brings(...Array.from({ length: count }, (_, at) => oauth(`anthropic:u${at}`, `refresh-${at}`)))

  test('is bounded: more entries than anybody has are no file of logins', async () => {
    const more: LegacyFile = {
      path: '/older/last',
      logins: ok({ entries: many(1), order: new Map() }),
    }
    const at = bench({ entries: many(1_000), more: [more] })
    expect(await at.imports.run(ORDER)).toEqual({
      ok: false,
      fault: { code: 'EQ_STORE_UNREADABLE', path: '/older/last', errno: 'EFBIG' },
    })
    expect(at.profiles.saves()).toBe(0)
  })

  test('costs no more than in proportion, whatever the book holds already', async () => {
    const held = Array.from({ length: 20_000 }, (_, at) => oauth(`anthropic:h${at}`, `held-${at}`))
    const at = bench({ entries: many(1_000) }, { books: { main: aBook(...held) } })
    const report = orThrow(await at.imports.rehearse(ORDER))
    expect(new Set(Object.values(outcomes(report)))).toEqual(new Set(['added']))
  })
})

describe('for any files and any book', () => {
  const names = ['anthropic:a', 'anthropic:b', 'openai:a', 'openai:b', 'openai:c'] as const
  const login = fc
    .record({
      id: fc.constantFrom(...names),
      type: fc.boolean(),
      secret: fc.integer({ max: 3, min: 1 }),
    })
    .map(({ id, type, secret }) =>
      type ? oauth(id, `refresh-${secret}`) : key(id, `key-${secret}`),
    )
  const order = fc.constantFrom(...names).map((id) => [profile(id)])
  const file = fc
    .record({ entries: fc.array(login, { maxLength: 6 }), order: fc.option(order) })
    .map(({ entries, order: ids }): LegacyFile => ({
      path: FROM,
      logins: ok({
        entries: brings(...entries),
        order: new Map(ids?.[0] ? [[provider(ids[0].split(':')[0] ?? ''), ids]] : []),
      }),
    }))
  const given = fc.record({
    own: fc.uniqueArray(login, { selector: ({ id }) => id, maxLength: 4 }),
    files: fc.array(file, { maxLength: 3 }),
    replace: fc.boolean(),
  })

  test('importing twice changes nothing the second time, and no refresh token has two homes', async () => {
    await fc.assert(
      fc.asyncProperty(given, async ({ own, files, replace }) => {
        const filled = [...files, oneMore]
        const at = bench({ more: filled }, { books: { main: aBook(...distinct(own)) } })
        const rehearsed = orThrow(await at.imports.rehearse({ ...ORDER, replace }))
        const { backup, ...first } = orThrow(await at.imports.run({ ...ORDER, replace }))
        expect(rehearsed).toEqual(first)
        expect(backup !== undefined).toBe(first.changes)
        const after = at.profiles.book()
        const config = at.settings.raw()
        const second = orThrow(await at.imports.run({ ...ORDER, replace }))
        expect(second.changes).toBe(false)
        expect(at.profiles.book()).toBe(after)
        expect(at.settings.raw()).toBe(config)
        const refreshes = [...after.profiles.values()].flatMap(({ credential }) =>
          credential.type === 'oauth' ? [credential.refresh?.reveal()] : [],
        )
        expect(new Set(refreshes).size).toBe(refreshes.length)
        const mine = distinct(own)
        expect([...after.profiles.keys()]).toEqual(expect.arrayContaining(mine.map(({ id }) => id)))
        const untouched = replace ? [] : mine
        for (const profileOfMine of untouched) {
          expect(after.profiles.get(profileOfMine.id)).toBe(profileOfMine)
        }
      }),
    )
  })

  const oneMore: LegacyFile = {
    path: '/older/last',
    logins: ok({ entries: brings(key('groq:last', 'key-last')), order: new Map() }),
  }

  /** A book of ours never holds one refresh token twice. */
  function distinct(profiles: readonly Profile[]): readonly Profile[] {
    const seen = new Set<string>()
    return profiles.filter(({ credential }) => {
      const refresh = credential.type === 'oauth' ? credential.refresh?.reveal() : undefined
      if (refresh === undefined) return true
      if (seen.has(refresh)) return false
      seen.add(refresh)
      return true
    })
  }
})

test('every outcome has its words', () => {
  const skipped = [
    { code: 'unreadable', field: 'key', expected: 'text' },
    { code: 'unreadable', field: '', expected: 'an object' },
    { code: 'unknown_type', type: 'passkey' },
    { code: 'blank' },
    { code: 'placeholder' },
    { code: 'malformed' },
    { code: 'unnameable' },
    { code: 'reserved' },
    { code: 'unknown_provider', provider: provider('nosuch') },
    { code: 'foreign', origin: 'codex-cli' },
    { code: 'foreign' },
    { code: 'owner_unknown', origin: 'claude-code' },
    { code: 'spent' },
    { code: 'stands_elsewhere', profile: profile('a:b'), agent: agent('main') },
    { code: 'stands_elsewhere', profile: profile('a:b'), agent: agent('work') },
  ] as const
  const kept = [
    { code: 'another_credential', type: 'api_key', fingerprint: '1a2b3c4d' },
    { code: 'borrowed', origin: 'claude-code' },
    { code: 'came_before' },
    { code: 'maybe_older', profile: profile('anthropic:default') },
    { code: 'ours_unreadable' },
  ] as const
  const words = [...skipped.map(notImportedWords), ...kept.map(keptWords)]
  expect(new Set(words).size).toBe(words.length)
  for (const text of words) expect(text).toMatch(/^[^\n]{10,}$/)
})
