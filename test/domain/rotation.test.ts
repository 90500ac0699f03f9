import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runningRest } from '../../src/domain/cooldown.ts'
import { isExpired } from '../../src/domain/credential.ts'
import { holdMs, isDead } from '../../src/domain/grant.ts'
import { canRenew } from '../../src/domain/renewal-rules.ts'
import type { RankInput } from '../../src/domain/rotation.ts'
import { rank, tried, usageOf } from '../../src/domain/rotation.ts'
import { acceptsType } from '../../src/domain/settings.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import { aProfile, aWorld, anEnvironment, FAKE_NOW, plainFingerprint } from '../../src/testing.ts'
import { rankFor } from '../../src/domain/world.ts'
import { MODEL, rankInputs } from '../arbitrary-worlds.ts'
import { profile, provider } from '../names-from.ts'

const RUNS = { numRuns: 500 }
const idsOf = (entries: readonly { readonly id: string }[]): readonly string[] =>
  entries.map(({ id }) => id)
const order = (input: RankInput): readonly string[] => idsOf(tried(rank(input)))

describe('a ranking', () => {
  test('names every candidate exactly once, those to be tried first', () => {
    fc.assert(
      fc.property(rankInputs, (input) => {
        const ranked = rank(input)
        expect(idsOf(ranked.map((entry) => entry.candidate)).toSorted()).toEqual(
          idsOf(input.candidates).toSorted(),
        )
        const taken = ranked.map((entry) => entry.taken)
        expect(taken).toEqual(taken.toSorted((a, b) => Number(b) - Number(a)))
      }),
      RUNS,
    )
  })

  test('does not depend on the order in which candidates come', () => {
    const shuffled = rankInputs.chain((input) =>
      fc.tuple(
        fc.constant(input),
        fc.shuffledSubarray([...input.candidates], { minLength: input.candidates.length }),
      ),
    )
    fc.assert(
      fc.property(shuffled, ([input, candidates]) => {
        expect(rank({ ...input, candidates })).toEqual(rank(input))
      }),
      RUNS,
    )
  })

  test('leaves what it was given as it was', () => {
    fc.assert(
      fc.property(rankInputs, (input) => {
        const before = idsOf(input.candidates)
        rank(input)
        expect(idsOf(input.candidates)).toEqual(before)
      }),
    )
  })

  test('never tries a candidate, or a model, inside a rest whose end the provider named', () => {
    fc.assert(
      fc.property(rankInputs, (input) => {
        const model = runningRest(input.state.models.get('anthropic/claude-test'), input.now)
        for (const candidate of tried(rank(input))) {
          const rest = runningRest(usageOf(candidate, input.state)?.rest, input.now)
          expect(rest?.source).not.toBe('provider')
          expect(model?.source).not.toBe('provider')
        }
      }),
      RUNS,
    )
  })

  test('never tries a credential that is blank, refused, mismatched, or expired and not to be renewed now', () => {
    fc.assert(
      fc.property(rankInputs, (input) => {
        for (const candidate of tried(rank(input))) {
          const { credential, mode, missingVariable } = candidate
          expect(missingVariable).toBeUndefined()
          expect(usageOf(candidate, input.state)?.refusedPolicy).toBeUndefined()
          const moment = { at: input.now, boot: '', upMs: 0 }
          const { grant } = candidate
          const isRenewedFirst =
            canRenew(grant) && !isDead(grant) && holdMs(grant?.verdict, moment) === 0
          expect(!credential || !isExpired(credential, input.now) || isRenewedFirst).toBe(true)
          expect(!credential || !mode || acceptsType(mode, credential.type)).toBe(true)
        }
      }),
      RUNS,
    )
  })

  test('obeys a pin strictly: nothing else is tried', () => {
    fc.assert(
      fc.property(rankInputs, (input) => {
        fc.pre(input.pin !== undefined)
        for (const id of order(input)) expect(id).toBe(input.pin)
        const others = rank(input).filter(({ candidate }) => candidate.id !== input.pin)
        for (const { why } of others) expect(why.code).toBe('another_pinned')
      }),
      RUNS,
    )
  })

  test('obeys an explicit order: nobody outside it, and its sequence, resting ones last', () => {
    fc.assert(
      fc.property(rankInputs, (input) => {
        fc.pre(input.order !== undefined && input.pin === undefined)
        const places = (last: boolean): readonly number[] =>
          rank(input)
            .filter((entry) => entry.taken && (entry.why.code === 'last_resort') === last)
            .map((entry) => input.order?.ids.indexOf(entry.candidate.id) ?? -1)
        const awake = places(false)
        expect([...awake, ...places(true)]).not.toContain(-1)
        expect(awake).toEqual(awake.toSorted((a, b) => a - b))
      }),
      RUNS,
    )
  })

  test('puts those that rest by our own guess last, the one that wakes first before the others', () => {
    fc.assert(
      fc.property(rankInputs, (input) => {
        const ends = rank(input).map((entry) =>
          entry.taken && entry.why.code === 'last_resort' ? entry.why.rest.until : 0,
        )
        const upTo = tried(rank(input)).length
        expect(ends.slice(0, upTo)).toEqual(ends.slice(0, upTo).toSorted((a, b) => a - b))
      }),
      RUNS,
    )
  })
})

describe('without an order', () => {
  const secret = (name: string): Secret => new Secret(`fake-${name}`)
  const key = (id: string) => aProfile(id, { credential: { type: 'api_key', key: secret(id) } })
  const token = (id: string) => aProfile(id, { credential: { type: 'token', token: secret(id) } })
  const oauth = (id: string) => aProfile(id, { credential: { type: 'oauth', access: secret(id) } })

  test('logins come before tokens, tokens before keys, keys before the environment, and there a token before a key', () => {
    const world = aWorld({
      profiles: [key('anthropic:a'), token('anthropic:b'), oauth('anthropic:c')],
      environment: anEnvironment({
        ANTHROPIC_API_KEY: 'fake-environment',
        CLAUDE_CODE_OAUTH_TOKEN: 'fake-token',
      }),
    })
    expect(idsOf(tried(rankFor(world, MODEL)))).toEqual([
      'anthropic:c',
      'anthropic:b',
      'anthropic:a',
      'anthropic:env-token',
      'anthropic:env',
    ])
  })

  test('the least recently used of a kind comes first, one never used before all', () => {
    const used = (
      id: string,
      lastUsedAt: number,
    ): [string, { lastUsedAt: number; fingerprint: string }] => [
      id,
      { lastUsedAt, fingerprint: plainFingerprint(secret(id)) },
    ]
    const world = aWorld({
      profiles: [key('anthropic:a'), key('anthropic:b'), key('anthropic:c')],
      state: {
        profiles: new Map([used('anthropic:a', 20), used('anthropic:b', 10)]),
        models: new Map(),
      },
    })
    expect(idsOf(tried(rankFor(world, MODEL)))).toEqual([
      'anthropic:c',
      'anthropic:b',
      'anthropic:a',
    ])
  })
})

describe('the reason', () => {
  const world = aWorld({
    profiles: [
      aProfile('anthropic:good'),
      aProfile('anthropic:old', {
        credential: { type: 'token', token: new Secret('fake'), expiresAt: FAKE_NOW - HOUR_MS },
      }),
      aProfile('anthropic:login', {
        credential: {
          type: 'oauth',
          access: new Secret('fake'),
          refresh: new Secret('fake'),
          expiresAt: FAKE_NOW - HOUR_MS,
        },
      }),
      aProfile('anthropic:blank', { credential: { type: 'api_key', key: new Secret('') } }),
    ],
  })

  test('tells an expired token from a login that awaits its renewal, and from an empty secret', () => {
    const reasons = Object.fromEntries(
      rankFor(world, MODEL).map((entry) => [entry.candidate.id, entry.why.code]),
    )
    expect(reasons).toEqual({
      'anthropic:good': 'kind_order',
      'anthropic:old': 'expired',
      'anthropic:login': 'awaiting_renewal',
      'anthropic:blank': 'blank',
    })
  })

  test('of a model rest that the provider named outranks our guess about the profile', () => {
    const rest = {
      scope: 'profile',
      reason: 'rate_limit',
      since: FAKE_NOW,
      until: FAKE_NOW + HOUR_MS,
      source: 'ladder',
    } as const
    const told = { ...rest, scope: 'model', source: 'provider', until: FAKE_NOW + 5_000 } as const
    const resting = {
      ...world,
      state: {
        profiles: new Map([['anthropic:good', { rest }]]),
        models: new Map([['anthropic/claude-test', told]]),
      },
    }
    expect(rankFor(resting, MODEL).every((entry) => !entry.taken)).toBe(true)
  })

  test('of a pinned profile that rests by our own guess is the pin: it is tried', () => {
    const rest = {
      scope: 'profile',
      reason: 'auth',
      since: FAKE_NOW,
      until: FAKE_NOW + 60_000,
      source: 'ladder',
    } as const
    const resting = {
      ...world,
      state: { profiles: new Map([['anthropic:good', { rest }]]), models: new Map() },
    }
    expect(rankFor(resting, MODEL, profile('anthropic:good'))[0]).toMatchObject({
      taken: true,
      why: { code: 'pinned' },
    })
  })
})

test('a provider that is not known has no candidates', () => {
  expect(rankFor(aWorld(), { provider: provider('nobody'), model: 'x' })).toEqual([])
})
