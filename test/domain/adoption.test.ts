import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { Adoption } from '../../src/domain/adoption.ts'
import { adoption } from '../../src/domain/adoption.ts'
import { bearerOf, expiresAtOf, isExpired } from '../../src/domain/credential.ts'
import type { Credential } from '../../src/domain/credential.ts'
import type { ForeignLogin } from '../../src/domain/foreign.ts'
import { markOf } from '../../src/domain/grant.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import { aForeignLogin, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { renderProfileEntry } from '../../src/wire/profile-entry.ts'

const NOW = FAKE_NOW
const PLACE = '/home/me/.claude/.credentials.json'
const [PAST, SOON, LATE] = [NOW - HOUR_MS, NOW + HOUR_MS, NOW + 2 * HOUR_MS]

/** A login whose access token names its end, unless it is given. */
function login(expiresAt: number | undefined, more: Partial<ForeignLogin> = {}): ForeignLogin {
  return aForeignLogin({
    access: new Secret(`access-there-until-${expiresAt}`),
    ...(expiresAt !== undefined && { expiresAt }),
    refreshMark: markOf(new Secret('refresh-there')),
    ...more,
  })
}
const tokenLogin = (expiresAt: number | undefined) => {
  const { refreshMark: _, ...rest } = login(expiresAt, { type: 'token' })
  return rest
}

const ends = (expiresAt: number | undefined) => (expiresAt === undefined ? {} : { expiresAt })
const oauth = (expiresAt: number | undefined, more: object = {}): Credential => ({
  type: 'oauth',
  access: new Secret(`access-here-until-${expiresAt}`),
  ...ends(expiresAt),
  ...more,
})
const token = (expiresAt: number | undefined): Credential => ({
  type: 'token',
  token: new Secret(`token-here-until-${expiresAt}`),
  ...ends(expiresAt),
})
const stored = (credential: Credential, more: Partial<Profile> = {}): Profile =>
  aProfile('anthropic:claude-cli', { credential, ...more })
const borrowed = (credential: Credential, more: Partial<Profile> = {}): Profile =>
  stored(credential, { origin: 'claude-code', place: PLACE, ...more })
const withRefresh = (expiresAt: number | undefined, refresh = 'refresh-of-ours') =>
  oauth(expiresAt, { refresh: new Secret(refresh) })

const verdict = (decided: Adoption): string =>
  decided.kind === 'keep' ? `keep ${decided.because}` : decided.kind

describe('the table', () => {
  const rows: readonly (readonly [string, Profile | undefined, ForeignLogin, string])[] = [
    ['nothing stored', undefined, login(LATE), 'add'],
    ['nothing stored, an ended login', undefined, login(PAST), 'add'],
    ['nothing stored, a token', undefined, tokenLogin(LATE), 'add'],

    ['borrowed, later there', borrowed(oauth(SOON)), login(LATE), 'update'],
    ['borrowed, no end known there', borrowed(oauth(SOON)), login(undefined), 'update'],
    ['borrowed, no end known here', borrowed(oauth(undefined)), login(LATE), 'keep stored_newer'],
    ['borrowed, later here', borrowed(oauth(LATE)), login(SOON), 'keep stored_newer'],
    [
      'borrowed, both ended, later here',
      borrowed(oauth(PAST)),
      login(PAST - 1),
      'keep stored_newer',
    ],
    ['borrowed, both ended, later there', borrowed(oauth(PAST - 1)), login(PAST), 'update'],
    ['borrowed, ending alike', borrowed(oauth(SOON)), login(SOON), 'update'],
    ['borrowed token, a login that renews', borrowed(token(LATE)), login(SOON), 'update'],
    ['borrowed token, a later token', borrowed(token(SOON)), tokenLogin(LATE), 'update'],
    [
      'borrowed token, an earlier token',
      borrowed(token(LATE)),
      tokenLogin(SOON),
      'keep stored_newer',
    ],
    ['borrowed oauth, a token', borrowed(oauth(SOON)), tokenLogin(LATE), 'keep no_downgrade'],
    ['borrowed oauth that ended, a token', borrowed(oauth(PAST)), tokenLogin(SOON), 'update'],
    [
      'borrowed oauth that ended, a token that ended before',
      borrowed(oauth(PAST)),
      tokenLogin(PAST - 1),
      'keep stored_newer',
    ],
    [
      'borrowed, another account there',
      borrowed(oauth(LATE, { accountId: 'me' })),
      login(SOON, { accountId: 'you' }),
      'update',
    ],
    [
      'borrowed, an account known on one side only',
      borrowed(oauth(LATE)),
      login(SOON, { accountId: 'you' }),
      'keep stored_newer',
    ],
    [
      'borrowed, another account in a leftover',
      borrowed(oauth(LATE, { accountId: 'me' }), { place: 'Keychain item "x"' }),
      login(SOON, { accountId: 'you', fallback: true }),
      'keep stored_newer',
    ],

    ['ours, later there', stored(withRefresh(SOON)), login(LATE), 'update'],
    ['ours, ended', stored(withRefresh(PAST)), login(SOON), 'update'],
    [
      'ours, both ended, later here',
      stored(withRefresh(PAST)),
      login(PAST - 1),
      'keep stored_newer',
    ],
    ['ours, later here', stored(withRefresh(LATE)), login(SOON), 'keep stored_newer'],
    ['ours, a token there', stored(withRefresh(SOON)), tokenLogin(LATE), 'keep no_downgrade'],
    ['ours, ended, a token there', stored(withRefresh(PAST)), tokenLogin(SOON), 'update'],
    [
      'ours, with the refresh token of there',
      stored(withRefresh(LATE, 'refresh-there')),
      login(SOON),
      'update',
    ],

    ["an older tool's token", stored(token(LATE)), login(SOON), 'update'],
    ["an older tool's token, an ended login", stored(token(LATE)), login(PAST), 'update'],
    [
      "an older tool's token, an earlier one",
      stored(token(LATE)),
      tokenLogin(SOON),
      'keep stored_newer',
    ],
    ["an older tool's token, a later one", stored(token(SOON)), tokenLogin(LATE), 'update'],

    ["a person's token", stored(token(SOON), { storedAt: 1 }), login(LATE), 'keep own_token'],
    [
      "a person's token without end",
      stored(token(undefined), { storedAt: 1 }),
      login(LATE),
      'keep own_token',
    ],
    [
      "a person's token, a token",
      stored(token(SOON), { storedAt: 1 }),
      tokenLogin(LATE),
      'keep own_token',
    ],
    ["a person's ended token", stored(token(PAST), { storedAt: 1 }), login(SOON), 'update'],
    [
      "a person's ended token, a token",
      stored(token(PAST), { storedAt: 1 }),
      tokenLogin(SOON),
      'update',
    ],
    [
      "a person's ended token, a login that ended before",
      stored(token(PAST), { storedAt: 1 }),
      login(PAST - 1),
      'keep stored_newer',
    ],
    ["a person's key", aProfile('anthropic:claude-cli'), login(LATE), 'keep own_token'],
  ]
  test.each(rows)('%s', (_, profile, there, expected) => {
    expect(verdict(adoption(profile, there, NOW))).toBe(expected)
  })
})

describe('an adopted profile', () => {
  it('bears origin and place, has no refresh token, and was not stored by a person', () => {
    const decided = adoption(
      undefined,
      login(SOON, { accountId: 'me', email: 'me@x.example' }),
      NOW,
    )
    expect(decided).toEqual({
      kind: 'add',
      profile: {
        id: 'anthropic:claude-cli',
        origin: 'claude-code',
        place: PLACE,
        credential: {
          type: 'oauth',
          access: new Secret(''),
          expiresAt: SOON,
          accountId: 'me',
          email: 'me@x.example',
        },
      },
    })
  })

  it('is a token where nothing renews it', () => {
    const decided = adoption(undefined, tokenLogin(SOON), NOW)
    const profile = 'profile' in decided ? decided.profile : undefined
    expect(profile?.credential).toMatchObject({ type: 'token', expiresAt: SOON })
  })

  it('is the same again when what a renewal has shown stands beside it', () => {
    const there = login(SOON, { accountId: 'me' })
    const known = borrowed({
      type: 'oauth',
      access: there.access,
      expiresAt: SOON,
      renewedAt: NOW,
      email: 'me@x.example',
      accountId: 'me',
    })
    expect(adoption(known, there, NOW)).toEqual({ kind: 'same' })
  })

  it('keeps the address of the same account, and not that of another', () => {
    const known = borrowed(oauth(SOON, { accountId: 'me', email: 'me@x.example' }))
    const mine = adoption(known, login(LATE, { accountId: 'me' }), NOW)
    expect(mine).toHaveProperty('profile.credential.email', 'me@x.example')
    const yours = adoption(known, login(LATE, { accountId: 'you' }), NOW)
    expect(yours).not.toHaveProperty('profile.credential.email')
  })

  it('keeps the newer access token of a copy of the same grant, but not its refresh token', () => {
    const decided = adoption(stored(withRefresh(LATE, 'refresh-there')), login(SOON), NOW)
    const profile = 'profile' in decided ? decided.profile : undefined
    expect(profile).toMatchObject({ origin: 'claude-code', credential: { expiresAt: LATE } })
    expect(profile && bearerOf(profile.credential).reveal()).toBe(`access-here-until-${LATE}`)
    expect(profile?.credential).not.toHaveProperty('refresh')
  })
})

const instants = fc.option(fc.integer({ min: NOW - 5, max: NOW + 5 }), { nil: undefined })
const words = fc.constantFrom('a', 'b')
const accounts = fc.option(words, { nil: undefined })
const logins: fc.Arbitrary<ForeignLogin> = fc
  .record({
    type: fc.constantFrom('oauth' as const, 'token' as const),
    expiresAt: instants,
    access: words,
    refresh: words,
    accountId: accounts,
    fallback: fc.boolean(),
  })
  .map(({ type, expiresAt, access, refresh, accountId, fallback }) => ({
    origin: 'claude-code',
    place: PLACE,
    type,
    access: new Secret(access),
    ...(type === 'oauth' && { refreshMark: markOf(new Secret(refresh)) }),
    ...ends(expiresAt),
    ...(accountId !== undefined && { accountId }),
    ...(fallback && { fallback }),
  }))
const books: fc.Arbitrary<Profile> = fc
  .record({
    type: fc.constantFrom('oauth', 'token', 'api_key'),
    isOurs: fc.boolean(),
    expiresAt: instants,
    access: words,
    refresh: accounts,
    accountId: accounts,
    storedAt: fc.option(fc.constant(1), { nil: undefined }),
  })
  .map(({ type, isOurs, expiresAt, access, refresh, accountId, storedAt }) => {
    const secret = new Secret(access)
    const credential: Credential =
      type === 'api_key'
        ? { type, key: secret }
        : type === 'token'
          ? { type, token: secret, ...ends(expiresAt) }
          : {
              type: 'oauth',
              access: secret,
              ...(isOurs && refresh !== undefined && { refresh: new Secret(refresh) }),
              ...ends(expiresAt),
              ...(accountId !== undefined && { accountId }),
            }
    return isOurs
      ? stored(credential, storedAt === undefined ? {} : { storedAt })
      : borrowed(credential)
  })

describe('whatever is stored and whatever is there', () => {
  const all = (check: (profile: Profile | undefined, there: ForeignLogin) => void) =>
    fc.assert(fc.property(fc.option(books, { nil: undefined }), logins, check), { numRuns: 2_000 })

  it('a refresh token is never taken over', () => {
    all((profile, there) => {
      const decided = adoption(profile, there, NOW)
      const written = 'profile' in decided ? [decided.profile] : []
      for (const entry of written) {
        expect(renderProfileEntry(entry, {})).not.toHaveProperty('refresh')
        expect(entry.origin).toBe('claude-code')
      }
    })
  })

  it('adopting twice changes nothing more', () => {
    all((profile, there) => {
      const decided = adoption(profile, there, NOW)
      const after = 'profile' in decided ? decided.profile : profile
      const again = adoption(after, there, NOW)
      expect('profile' in again).toBe(false)
    })
  })

  it('what has ended never keeps a login out that has not', () => {
    all((profile, there) => {
      if (!profile || !isExpired(profile.credential, NOW)) return
      if (there.expiresAt !== undefined && there.expiresAt <= NOW) return
      expect(['update', 'same']).toContain(adoption(profile, there, NOW).kind)
    })
  })

  it("a person's token or key that serves is never replaced", () => {
    all((profile, there) => {
      if (!profile || profile.origin !== 'equabot' || profile.credential.type === 'oauth') return
      const isPersons = profile.storedAt !== undefined || profile.credential.type === 'api_key'
      if (!isPersons || isExpired(profile.credential, NOW)) return
      expect(verdict(adoption(profile, there, NOW))).toBe('keep own_token')
    })
  })

  it("an owner's refresh token never stays ours", () => {
    all((profile, there) => {
      if (profile?.credential.type !== 'oauth' || !profile.credential.refresh) return
      if (markOf(profile.credential.refresh) !== there.refreshMark) return
      expect(adoption(profile, there, NOW).kind).toBe('update')
    })
  })

  it('of one account, the stored copy ends no earlier than before, unless it had ended or becomes renewable', () => {
    all((profile, there) => {
      const decided = adoption(profile, there, NOW)
      if (!profile || decided.kind !== 'update') return
      const [before, after] = [profile.credential, decided.profile.credential]
      const accountBefore = before.type === 'oauth' ? before.accountId : undefined
      const isOther =
        accountBefore !== undefined &&
        there.accountId !== undefined &&
        accountBefore !== there.accountId
      const isUpgrade = before.type === 'token' && after.type === 'oauth'
      const isOwners = bearerOf(before).equals(there.access)
      if (isOther || isUpgrade || isOwners || isExpired(before, NOW)) return
      if (
        before.type === 'oauth' &&
        before.refresh &&
        markOf(before.refresh) === there.refreshMark
      ) {
        return
      }
      expect(expiresAtOf(after) ?? Infinity).toBeGreaterThanOrEqual(expiresAtOf(before) ?? Infinity)
    })
  })
})
