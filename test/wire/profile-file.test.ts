import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseProfileId, parseProviderId, profileId, providerOf } from '../../src/domain/names.ts'
import type { ProfileId, ProviderId } from '../../src/domain/names.ts'
import type { Profile, ProfileBook } from '../../src/domain/profile.ts'
import { withOrder, withProfile, withoutProfile } from '../../src/domain/profile.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { ProfileFile } from '../../src/wire/profile-file.ts'
import {
  NO_PROFILE_FILE,
  parseProfileFile,
  renderProfileFile,
  sameBook,
} from '../../src/wire/profile-file.ts'

const id = (text: string): ProfileId => parseProfileId(text) ?? profileId(provider('x'), 'bad')
const provider = (text: string): ProviderId => {
  const parsed = parseProviderId(text)
  if (!parsed) throw new Error(text)
  return parsed
}

function parse(document: unknown): ProfileFile {
  const parsed = parseProfileFile(JSON.stringify(document))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault))
  return parsed.value
}

const token = (text: string): Profile => ({
  id: id('anthropic:work'),
  credential: { type: 'token', token: new Secret(text) },
  origin: 'equabot',
})

/** The file that older tools write, with fields that we do not know on every level. */
const OLDER = {
  version: 1,
  profiles: {
    'anthropic:default': {
      type: 'api_key',
      provider: 'anthropic',
      key: 'made-up-key',
      note: 'mine',
    },
    'anthropic:claude-cli': {
      type: 'oauth',
      provider: 'anthropic',
      access: 'made-up-access',
      refresh: 'made-up-refresh',
      expires: 1_800_000_000_000,
      clientId: 'client',
      accountId: 'account',
      email: 'someone@example.com',
    },
    'openai:odd': { type: 'mystery', provider: 'openai', blob: [1, { a: null }] },
  },
  order: { anthropic: ['anthropic:claude-cli', 'anthropic:default'] },
  lastGood: { anthropic: 'anthropic:default' },
  usageStats: { 'anthropic:default': { lastUsed: 1_700_000_000_000, errorCount: 2 } },
  somethingElse: { deep: [true] },
}

describe('reading auth-profiles.json', () => {
  it('understands what older tools wrote', () => {
    const { book, problems } = parse(OLDER)
    expect([...book.profiles.keys()]).toEqual(['anthropic:default', 'anthropic:claude-cli'])
    const oauth = book.profiles.get(id('anthropic:claude-cli'))?.credential
    expect(oauth).toMatchObject({
      type: 'oauth',
      expiresAt: 1_800_000_000_000,
      accountId: 'account',
      email: 'someone@example.com',
    })
    expect(oauth?.type === 'oauth' && oauth.refresh?.reveal()).toBe('made-up-refresh')
    expect(book.order.get(provider('anthropic'))).toEqual([
      'anthropic:claude-cli',
      'anthropic:default',
    ])
    expect(problems).toEqual([
      {
        field: 'profiles.openai:odd.type',
        problem: 'expected one of "api_key", "token", "oauth"',
      },
    ])
  })

  it.each([
    ['{"profiles": {', { code: 'EQ_STORE_SYNTAX', line: 1, column: 15 }],
    ['', { code: 'EQ_STORE_SYNTAX', line: 1, column: 1 }],
    ['[]', { code: 'EQ_STORE_FIELD', field: 'the whole file', expected: 'an object' }],
    ['{"profiles": []}', { code: 'EQ_STORE_FIELD', field: 'profiles', expected: 'an object' }],
    ['{"order": "x"}', { code: 'EQ_STORE_FIELD', field: 'order', expected: 'an object' }],
    ['{"version": "1"}', { code: 'EQ_STORE_FIELD', field: 'version', expected: 'a number' }],
    ['{"version": 2}', { code: 'EQ_STORE_NEWER', version: 2, supported: 1 }],
  ])('%s is refused as a whole', (text, fault) => {
    expect(parseProfileFile(text)).toEqual({ ok: false, fault })
  })

  it.each([
    ['no colon', { type: 'token', provider: 'x', token: 'made-up' }, ''],
    ['x:a', 'text', ''],
    ['x:a', { provider: 'x', token: 'made-up' }, '.type'],
    ['x:a', { type: 'token', token: 'made-up' }, '.provider'],
    ['x:a', { type: 'token', provider: 'y', token: 'made-up' }, '.provider'],
    ['x:a', { type: 'token', provider: 'x', token: 7 }, '.token'],
    ['x:a', { type: 'token', provider: 'x', token: ' ' }, '.token'],
    ['x:a', { type: 'api_key', provider: 'x' }, '.key'],
    ['x:a', { type: 'oauth', provider: 'x', access: 'made-up', refresh: 1 }, '.refresh'],
    ['x:a', { type: 'token', provider: 'x', token: 'made-up', expires: 'soon' }, '.expires'],
    ['x:a', { type: 'token', provider: 'x', token: 'made-up', origin: 'martian' }, '.origin'],
  ])('an entry %s: %j is a problem of that entry alone', (name, entry, field) => {
    const good = { type: 'token', provider: 'x', token: 'made-up' }
    const { book, problems } = parse({ profiles: { [name]: entry, 'x:good': good } })
    expect([...book.profiles.keys()]).toEqual(['x:good'])
    expect(problems).toEqual([
      { field: `profiles.${name}${field}`, problem: expect.stringMatching(/^expected /) },
    ])
  })

  it.each([undefined, null, 0, -5, 1e300])(
    'an expiry of %j means that no end is known',
    (expires) => {
      const { book, problems } = parse({
        profiles: { 'x:a': { type: 'token', provider: 'x', token: 'made-up', expires } },
      })
      expect(problems).toEqual([])
      expect(book.profiles.get(id('x:a'))?.credential).not.toHaveProperty('expiresAt')
    },
  )

  it('keeps of an order what it can use and reports the rest', () => {
    const { book, problems } = parse({ order: { x: ['x:a', 'y:b', 5, 'x:a'], y: 'y:b', z: [] } })
    expect([...book.order]).toEqual([['x', ['x:a']]])
    expect(problems.map((problem) => problem.field)).toEqual(['order.x', 'order.y'])
  })

  it('reads the first of two spellings of one name and reports the second', () => {
    const entry = (key: string) => ({ type: 'api_key', provider: 'x', key })
    const { book, problems } = parse({
      profiles: { 'X:a': entry('made-up-1'), 'x:a': entry('made-up-2') },
    })
    const credential = book.profiles.get(id('x:a'))?.credential
    expect(credential?.type === 'api_key' && credential.key.reveal()).toBe('made-up-1')
    expect(problems.map((problem) => problem.field)).toEqual(['profiles.x:a'])
  })

  it('takes usage of older tools as state of its own', () => {
    const { legacyState } = parse({
      usageStats: {
        'x:a': { lastUsed: 5, errorCount: 2, cooldownUntil: 90, lastFailureAt: 7 },
        'x:b': { cooldownUntil: 10, disabledUntil: 99, disabledReason: 'billing' },
        'x:c': 'nonsense',
        'x:d': { cooldownUntil: 'later' },
      },
    })
    const rest = { scope: 'profile', source: 'ladder' }
    expect(Object.fromEntries(legacyState.profiles)).toEqual({
      'x:a': {
        lastUsedAt: 5,
        failures: 2,
        rest: { ...rest, reason: 'rate_limit', since: 7, until: 90 },
      },
      'x:b': { rest: { ...rest, reason: 'billing', since: 0, until: 99 } },
      'x:d': {},
    })
  })
})

describe('writing auth-profiles.json', () => {
  it('starts a file with a version', () => {
    const text = renderProfileFile(
      NO_PROFILE_FILE,
      withProfile(NO_PROFILE_FILE.book, token('made-up')),
    )
    expect(text).toBe(
      `${JSON.stringify(
        {
          version: 1,
          profiles: {
            'anthropic:work': { type: 'token', provider: 'anthropic', token: 'made-up' },
          },
        },
        null,
        2,
      )}\n`,
    )
  })

  it('changes the edited entry and nothing else', () => {
    const file = parse(OLDER)
    const next = withProfile(file.book, {
      id: id('anthropic:default'),
      credential: { type: 'api_key', key: new Secret('made-up-other') },
      origin: 'equabot',
      storedAt: 42,
    })
    expect(JSON.parse(renderProfileFile(file, next))).toEqual({
      ...OLDER,
      profiles: {
        ...OLDER.profiles,
        'anthropic:default': {
          type: 'api_key',
          provider: 'anthropic',
          key: 'made-up-other',
          note: 'mine',
          storedAt: 42,
        },
      },
    })
  })

  it('keeps the spelling of an entry that it changes', () => {
    const file = parse({ profiles: { 'X:a': { type: 'api_key', provider: 'X', key: 'made-up' } } })
    const next = withProfile(file.book, {
      id: id('x:a'),
      credential: { type: 'api_key', key: new Secret('made-up-2') },
      origin: 'equabot',
    })
    expect(Object.keys(JSON.parse(renderProfileFile(file, next)).profiles)).toEqual(['X:a'])
  })

  it('takes a removed profile out of the file and leaves an entry that it cannot read', () => {
    const file = parse(OLDER)
    const written = JSON.parse(
      renderProfileFile(file, withoutProfile(file.book, id('anthropic:default'))),
    )
    expect(Object.keys(written.profiles)).toEqual(['anthropic:claude-cli', 'openai:odd'])
    expect(written.order).toEqual({ anthropic: ['anthropic:claude-cli'] })
  })

  it('keeps keys such as __proto__ as plain keys', () => {
    const text = '{"__proto__": {"a": 1}, "profiles": {"__proto__": {"b": 2}, "constructor": 3}}'
    const parsed = parseProfileFile(text)
    if (!parsed.ok) throw new Error('refused')
    const written = renderProfileFile(
      parsed.value,
      withProfile(parsed.value.book, token('made-up')),
    )
    expect(written).toContain('"__proto__": {\n    "a": 1\n  }')
    expect(written).toContain('"__proto__": {\n      "b": 2\n    }')
    expect(Object.hasOwn(Object.prototype, 'a')).toBe(false)
  })
})

const texts = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '')
const secrets = texts.map((text) => new Secret(text))
const instants = fc.integer({ min: 1, max: 8_640_000_000_000_000 })
const optional = <T extends Record<string, fc.Arbitrary<unknown>>>(model: T) =>
  fc.record(model, { requiredKeys: [] })
const names = fc
  .tuple(fc.constantFrom('anthropic', 'openai', 'x'), fc.stringMatching(/^[a-z0-9]{1,8}$/))
  .map(([of, name]) => profileId(provider(of), name))
const credentials = fc.oneof(
  fc
    .tuple(secrets, optional({ email: texts }))
    .map(([key, rest]) => ({ type: 'api_key' as const, key, ...rest })),
  fc
    .tuple(secrets, optional({ email: texts, expiresAt: instants }))
    .map(([value, rest]) => ({ type: 'token' as const, token: value, ...rest })),
  fc
    .tuple(
      secrets,
      optional({ refresh: secrets, email: texts, expiresAt: instants, accountId: texts }),
    )
    .map(([access, rest]) => ({ type: 'oauth' as const, access, ...rest })),
)
const profiles: fc.Arbitrary<Profile> = fc
  .tuple(
    names,
    credentials,
    fc.constantFrom('equabot' as const, 'claude-code' as const, 'codex-cli' as const),
    optional({ storedAt: instants }),
  )
  .map(([name, credential, origin, rest]) => ({ id: name, credential, origin, ...rest }))
const books: fc.Arbitrary<ProfileBook> = fc
  .tuple(fc.array(profiles, { maxLength: 6 }), fc.array(names, { maxLength: 6 }))
  .map(([entries, ordered]) => {
    const book = entries.reduce(withProfile, NO_PROFILE_FILE.book)
    return ordered.reduce((before, name) => {
      const of = providerOf(name)
      return withOrder(before, of, [...(before.order.get(of) ?? []), name])
    }, book)
  })

describe('auth-profiles.json, read and written', () => {
  it('gives every book back as it was', () => {
    fc.assert(
      fc.property(books, (book) => {
        const parsed = parseProfileFile(renderProfileFile(NO_PROFILE_FILE, book))
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault))
        expect(parsed.value.problems).toEqual([])
        expect(sameBook(parsed.value.book, book)).toBe(true)
      }),
    )
  })

  it('turns any book into any other', () => {
    fc.assert(
      fc.property(books, books, (first, second) => {
        const file = parseProfileFile(renderProfileFile(NO_PROFILE_FILE, first))
        if (!file.ok) throw new Error(JSON.stringify(file.fault))
        const next = parseProfileFile(renderProfileFile(file.value, second))
        expect(next.ok && sameBook(next.value.book, second)).toBe(true)
        expect(sameBook(first, second)).toBe(sameBook(second, first))
      }),
    )
  })

  it('lets every field that it does not know survive an edit', () => {
    const unknown = fc.dictionary(
      fc.string().filter((key) => !['version', 'profiles', 'order'].includes(key)),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(unknown, unknown, unknown, profiles, (top, inProfiles, inEntry, profile) => {
        const entry = { ...inEntry, type: 'token', provider: 'keep', token: 'made-up' }
        const document = {
          ...top,
          profiles: { ...inProfiles, 'keep:entry': entry },
          order: { ...inProfiles },
        }
        const expected = JSON.parse(JSON.stringify(document))
        const file = parse(document)
        const written = JSON.parse(renderProfileFile(file, withProfile(file.book, profile)))
        delete written.profiles[profile.id]
        delete written.version
        expect(JSON.stringify(written)).toBe(JSON.stringify(expected))
      }),
    )
  })
})
