import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { orThrow } from '../../src/domain/equabot-error.ts'
import { newGrantId } from '../../src/domain/grant.ts'
import type { LegacyFile } from '../../src/domain/ports.ts'
import type { Profile, ProfileBook } from '../../src/domain/profile.ts'
import { withProfile } from '../../src/domain/profile.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { ImportReport } from '../../src/services/import.ts'
import { aBook, aProfile } from '../../src/testing.ts'
import { agent, profile, provider } from '../names-from.ts'
import { outcome } from './house.ts'
import type { Bench } from './import-bench.ts'
import { bench, brings, FROM, key, oauth, ORDER } from './import-bench.ts'

const DEFAULT = 'anthropic:default'
const LOGIN = oauth(DEFAULT, 'refresh-1')
const KEY = key(DEFAULT, 'key-1')
const TOKEN = aProfile(DEFAULT, { credential: { type: 'token', token: new Secret('token-1') } })

const file = (path: string, ...profiles: readonly Profile[]): LegacyFile => ({
  path,
  logins: ok({ entries: brings(...profiles), order: new Map() }),
})

/** Each profile in a file of its own: a state folder. */
const folder = (...profiles: readonly Profile[]): readonly LegacyFile[] =>
  profiles.map((each, index) => file(`/older/${index}`, each))

const verdicts = ({ entries }: ImportReport): readonly string[] =>
  entries.map(({ profile: id, outcome: { kind, ...rest } }) =>
    'why' in rest ? `${id} ${kind}: ${rest.why.code}` : `${id} ${kind}`,
  )

const secretsIn = (book: ProfileBook): Record<string, string> =>
  Object.fromEntries(
    [...book.profiles].map(([id, { credential }]) => {
      if (credential.type === 'api_key') return [id, credential.key.reveal()]
      if (credential.type === 'token') return [id, credential.token.reveal()]
      return [id, credential.refresh?.reveal() ?? '']
    }),
  )

async function runs(at: Bench, more: Partial<typeof ORDER> = {}): Promise<readonly string[]> {
  return verdicts(orThrow(await at.imports.run({ ...ORDER, ...more })))
}

describe('two logins of one name', () => {
  test('both come: the second one is called by its type, further ones are numbered', async () => {
    const more = folder(LOGIN, KEY, key(DEFAULT, 'key-2'), TOKEN, key(DEFAULT, 'key-3'))
    const at = bench({ more })
    expect(verdicts(orThrow(await at.imports.rehearse(ORDER)))).toEqual(await runs(at))
    expect(secretsIn(at.profiles.book())).toEqual({
      'anthropic:default': 'refresh-1',
      'anthropic:default-api_key': 'key-1',
      'anthropic:default-api_key-2': 'key-2',
      'anthropic:default-token': 'token-1',
      'anthropic:default-api_key-3': 'key-3',
    })
    expect(at.settings.raw()).toMatchObject({
      auth: { profiles: { 'anthropic:default-api_key': { mode: 'api_key' } } },
    })
  })

  test('importing them again, together or one by one, changes nothing and says so', async () => {
    const more = folder(LOGIN, KEY, key(DEFAULT, 'key-2'))
    const first = bench({ more })
    await first.imports.run(ORDER)
    const book = first.profiles.book()
    for (const files of [more, more.toReversed(), ...more.map((one) => [one])]) {
      for (const replace of [false, true]) {
        const at = bench({ more: files }, { books: { main: book } })
        const report = orThrow(await at.imports.run({ ...ORDER, replace }))
        expect(report.changes).toBe(false)
        expect(new Set(report.entries.map(({ outcome: { kind } }) => kind))).toEqual(
          new Set(['same']),
        )
      }
    }
  })

  test('a login that was renewed since, under whichever name, does not come twice', async () => {
    const theirs = oauth(DEFAULT, 'refresh-2', { email: 'two@example.com' })
    const mine = oauth(DEFAULT, 'refresh-1', { email: 'one@example.com' })
    const renewed = (login: Profile, id: string, first: string, now: string): Profile =>
      oauth(id, now, {
        ...(login.credential.email !== undefined && { email: login.credential.email }),
        grantId: newGrantId(provider('anthropic'), new Secret(first)),
      })
    const at = bench(
      { more: folder(mine, theirs) },
      {
        books: {
          main: aBook(
            renewed(mine, DEFAULT, 'refresh-1', 'refresh-8'),
            renewed(theirs, 'anthropic:default-oauth', 'refresh-2', 'refresh-9'),
          ),
        },
      },
    )
    expect(await runs(at, { replace: true })).toEqual([
      'anthropic:default same',
      'anthropic:default-oauth same',
    ])
    expect(at.profiles.saves()).toBe(0)
  })

  test('a second name whose key was changed here keeps the new one, and no third name appears', async () => {
    const at = bench(
      { more: folder(LOGIN, KEY) },
      { books: { main: aBook(LOGIN, key('anthropic:default-api_key', 'key-of-today')) } },
    )
    expect(await runs(at)).toEqual([
      'anthropic:default same',
      'anthropic:default-api_key kept: another_credential',
    ])
    expect(await runs(at, { replace: true })).toEqual([
      'anthropic:default same',
      'anthropic:default-api_key replaced',
    ])
  })

  test('copies of one secret come once', async () => {
    const at = bench({ more: folder(LOGIN, KEY, LOGIN, KEY, KEY) })
    expect(await runs(at)).toEqual([
      'anthropic:default added',
      'anthropic:default-api_key added',
      'anthropic:default same',
      'anthropic:default-api_key same',
      'anthropic:default-api_key same',
    ])
  })

  test('the one that is here already keeps the name, even against --replace', async () => {
    for (const replace of [false, true]) {
      const at = bench({ more: folder(LOGIN, KEY) }, { books: { main: aBook(KEY) } })
      expect(await runs(at, { replace })).toEqual([
        'anthropic:default-oauth added',
        'anthropic:default same',
      ])
      expect(at.profiles.book().profiles.get(profile(DEFAULT))).toBe(KEY)
    }
  })

  test('a name that cannot be had by the first leaves it to the second', async () => {
    const at = bench({ more: folder(key(DEFAULT, 'two words'), KEY) })
    expect(await runs(at)).toEqual([
      'anthropic:default skipped: malformed',
      'anthropic:default added',
    ])
  })

  test('a name of greatest length still leaves room for a second one', async () => {
    const long = `openai:${'x'.repeat(128)}`
    const at = bench({ more: folder(key(long, 'key-1'), key(long, 'key-2')) })
    await at.imports.run(ORDER)
    const [first, second = ''] = at.profiles.book().profiles.keys()
    expect(first).toBe(long)
    expect(profile(second)).toBe(`openai:${'x'.repeat(100)}-api_key`)
    expect((await runs(at)).every((verdict) => verdict.endsWith(' same'))).toBe(true)
  })

  test('an agent that inherits both gets neither of them again', async () => {
    const at = bench(
      { more: folder(LOGIN, KEY) },
      {
        config: { agents: { list: [{ id: 'work' }] } },
        books: { main: aBook(LOGIN, key('anthropic:default-api_key', 'key-1')) },
      },
    )
    expect(await runs(at, { agent: agent('work') })).toEqual([
      'anthropic:default same',
      'anthropic:default-api_key same',
    ])
    expect(at.profiles.saves()).toBe(0)
  })

  test('the order of a file means the logins of that file', async () => {
    const own: LegacyFile = {
      path: '/older/own',
      logins: ok({
        entries: brings(KEY, key('anthropic:more', 'key-2')),
        order: new Map([[provider('anthropic'), [profile(DEFAULT), profile('anthropic:more')]]]),
      }),
    }
    const at = bench({ more: [file('/older/main', LOGIN), own] })
    await at.imports.run(ORDER)
    expect(at.profiles.book().order.get(provider('anthropic'))).toEqual([
      'anthropic:default-api_key',
      'anthropic:more',
      'anthropic:default',
    ])
  })
})

describe('two OAuth logins of one name', () => {
  const other = (more: { readonly email?: string; readonly accountId?: string } = {}): Profile =>
    oauth(DEFAULT, 'refresh-2', more)

  test('of two accounts both come', async () => {
    const at = bench({
      more: folder(
        oauth(DEFAULT, 'refresh-1', { email: 'a@example.com' }),
        other({ email: 'b@example.com' }),
      ),
    })
    expect(await runs(at)).toEqual(['anthropic:default added', 'anthropic:default-oauth added'])
  })

  test.each([
    ['of one account', { email: 'A@example.com' }],
    ['that do not tell their accounts', {}],
  ])('%s may be two states of one grant: the second one does not come', async (_what, more) => {
    const first = oauth(DEFAULT, 'refresh-1', { email: 'a@example.com' })
    for (const replace of [false, true]) {
      const at = bench({ more: folder(first, other(more)) })
      for (const kind of ['added', 'same']) {
        expect(await runs(at, { replace })).toEqual([
          `anthropic:default ${kind}`,
          'anthropic:default kept: maybe_older',
        ])
      }
      expect(secretsIn(at.profiles.book())).toEqual({ [DEFAULT]: 'refresh-1' })
    }
  })

  test('nor does it behind a key that has the name', async () => {
    const at = bench({ more: folder(KEY, LOGIN, other()) })
    expect(await runs(at)).toEqual([
      'anthropic:default added',
      'anthropic:default-oauth added',
      'anthropic:default kept: maybe_older',
    ])
  })

  test('the second one comes when it is named', async () => {
    const more = folder(LOGIN, other())
    const at = bench({ more })
    await at.imports.run(ORDER)
    expect(await runs(at, { nameFor: () => ok(profile('anthropic:work')) })).toEqual([
      'anthropic:default same',
      'anthropic:work added',
    ])
    expect(await runs(at)).toEqual([
      'anthropic:default same',
      'anthropic:default skipped: stands_elsewhere',
    ])
  })
})

describe('a name that is given', () => {
  const named = { ...ORDER, nameFor: () => ok(profile('anthropic:work')) }

  test('is that of the only login, and of each of its copies', async () => {
    const at = bench({ more: folder(KEY, KEY) })
    expect(verdicts(orThrow(await at.imports.rehearse(named)))).toEqual([
      'anthropic:work added',
      'anthropic:work same',
    ])
    await at.imports.run(named)
    expect(secretsIn(at.profiles.book())).toEqual({ 'anthropic:work': 'key-1' })
    expect(orThrow(await at.imports.run(named)).changes).toBe(false)
    expect(await runs(at)).toEqual(['anthropic:work same', 'anthropic:work same'])
  })

  test('does for one that was left because its name is taken here', async () => {
    const at = bench({ more: folder(KEY, KEY) }, { books: { main: aBook(LOGIN) } })
    const left = 'anthropic:default kept: another_credential'
    expect(await runs(at)).toEqual([left, left])
    expect(verdicts(orThrow(await at.imports.run(named)))).toEqual([
      'anthropic:work added',
      'anthropic:work same',
    ])
    expect(await runs(at)).toEqual(['anthropic:work same', 'anthropic:work same'])
  })

  test('does not fit two logins, and nothing is imported then', async () => {
    const at = bench({ more: folder(LOGIN, KEY, KEY) })
    const fault = {
      code: 'EQ_IMPORT_NOT_ONE',
      logins: [profile(DEFAULT), profile('anthropic:default-api_key')],
    }
    expect(await at.imports.rehearse(named)).toEqual({ ok: false, fault })
    expect(await at.imports.run(named)).toEqual({ ok: false, fault })
    expect(at.profiles.saves()).toBe(0)
  })

  test('counts what is to come, not what is here already or never comes', async () => {
    const at = bench(
      { entries: [{ name: 'x', login: fail({ code: 'blank' }) }], more: folder(LOGIN, KEY) },
      { books: { main: aBook(LOGIN) } },
    )
    const report = orThrow(await at.imports.run(named))
    expect(report.entries.map(({ profile: id, outcome: { kind } }) => [id, kind])).toEqual([
      [undefined, 'skipped'],
      [DEFAULT, 'same'],
      ['anthropic:work', 'added'],
    ])
  })

  test('that another login of the import has stays with that one', async () => {
    const work = key('anthropic:work', 'key-of-work')
    for (const replace of [false, true]) {
      const at = bench({ more: folder(work, KEY) }, { books: { main: aBook(work) } })
      expect(verdicts(orThrow(await at.imports.run({ ...named, replace })))).toEqual([
        'anthropic:work same',
        'anthropic:work kept: came_before',
      ])
      expect(at.profiles.saves()).toBe(0)
    }
  })

  test('that holds another credential here is replaced only when told so', async () => {
    const work = key('anthropic:work', 'key-of-work')
    const at = bench({ more: folder(KEY) }, { books: { main: aBook(work) } })
    expect(verdicts(orThrow(await at.imports.run(named)))).toEqual([
      'anthropic:work kept: another_credential',
    ])
    expect(verdicts(orThrow(await at.imports.run({ ...named, replace: true })))).toEqual([
      'anthropic:work replaced',
    ])
  })

  test('that is refused refuses the import', async () => {
    const fault = { code: 'EQ_NAME_INVALID', what: 'profile', text: '!' } as const
    const at = bench({ more: folder(KEY) })
    expect(outcome(await at.imports.run({ ...ORDER, nameFor: () => fail(fault) }))).toBe(
      'EQ_NAME_INVALID',
    )
    expect(at.profiles.saves()).toBe(0)
  })
})

describe('for any logins of few names', () => {
  const names = ['openai:a', 'openai:a-api_key', 'openai:a-oauth', 'openai:a-api_key-2'] as const
  const login = fc
    .record({
      id: fc.constantFrom(...names),
      account: fc.option(fc.constantFrom('a@example.com', 'b@example.com'), { nil: undefined }),
      isKey: fc.boolean(),
      secret: fc.integer({ min: 1, max: 4 }),
    })
    .map(({ id, account, isKey, secret }) =>
      isKey
        ? key(id, `key-${secret}`)
        : oauth(id, `refresh-${secret}`, account === undefined ? {} : { email: account }),
    )
  const logins = fc.array(login, { maxLength: 8 })
  const own = fc.uniqueArray(login, { selector: ({ id }) => id, maxLength: 4 })

  test('every key comes into an empty book, and no refresh token has two homes', async () => {
    await fc.assert(
      fc.asyncProperty(logins, async (brought) => {
        const at = bench({ more: [oneMore, ...folder(...brought)] })
        await at.imports.run(ORDER)
        const held = Object.values(secretsIn(at.profiles.book()))
        const keys = brought.flatMap(({ credential }) =>
          credential.type === 'api_key' ? [credential.key.reveal()] : [],
        )
        expect(held).toEqual(expect.arrayContaining(keys))
        const refreshes = held.filter((secret) => secret.startsWith('refresh'))
        expect(new Set(refreshes).size).toBe(refreshes.length)
      }),
    )
  })

  test('no login of ours changes unless told so, and a second import changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(logins, own, fc.boolean(), async (brought, mine, replace) => {
        const before = mine.reduce(withProfile, aBook())
        const at = bench({ more: [oneMore, ...folder(...brought)] }, { books: { main: before } })
        await at.imports.run({ ...ORDER, replace })
        const after = at.profiles.book()
        for (const profileOfMine of replace ? [] : mine) {
          expect(after.profiles.get(profileOfMine.id)).toBe(profileOfMine)
        }
        const again = orThrow(await at.imports.run({ ...ORDER, replace }))
        expect(again.changes).toBe(false)
        expect(at.profiles.book()).toBe(after)
      }),
    )
  })

  const oneMore = file(FROM, key('groq:x', 'key-x'))
})
