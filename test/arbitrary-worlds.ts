import fc from 'fast-check'
import type { AgentState, FailureReason, ProfileUsage, Rest } from '../src/domain/cooldown.ts'
import { FAILURE_REASONS } from '../src/domain/cooldown.ts'
import type { Credential } from '../src/domain/credential.ts'
import type { GrantView, RenewalOutcome, RenewalWay, Verdict } from '../src/domain/grant.ts'
import { markOf } from '../src/domain/grant.ts'
import type { ModelKey, ProfileId, ProviderId } from '../src/domain/names.ts'
import type { Origin, Profile } from '../src/domain/profile.ts'
import type { Candidate, CredentialSource, RankInput } from '../src/domain/rotation.ts'
import { Secret } from '../src/domain/secret.ts'
import { DAY_MS, HOUR_MS } from '../src/domain/time.ts'
import { FAKE_NOW, plainFingerprint } from '../src/testing.ts'
import { agent, profile, provider } from './names-from.ts'
import { bearerOf } from '../src/domain/credential.ts'

export const ANTHROPIC: ProviderId = provider('anthropic')
export const MODEL: ModelKey = { provider: ANTHROPIC, model: 'claude-test' }

export const reasons: fc.Arbitrary<FailureReason> = fc.constantFrom(...FAILURE_REASONS)

const ids: fc.Arbitrary<ProfileId> = fc.constantFrom(
  ...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => profile(`anthropic:${name}`)),
)
const instants = fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }).map((ms) => FAKE_NOW + ms)
const ends = fc.option(fc.oneof(instants, fc.constantFrom(FAKE_NOW, FAKE_NOW + 1)), {
  nil: undefined,
})

const REFRESH = new Secret('fake-refresh')

const credentials: fc.Arbitrary<Credential> = fc
  .tuple(
    fc.constantFrom('api_key' as const, 'token' as const, 'oauth' as const),
    fc.oneof({ weight: 9, arbitrary: fc.stringMatching(/^fake-[a-z]{4}$/) }, fc.constant('')),
    ends,
    fc.boolean(),
  )
  .map(([type, text, expiresAt, renewable]) => {
    const secret = new Secret(text)
    const end = expiresAt === undefined ? {} : { expiresAt }
    if (type === 'api_key') return { type, key: secret }
    if (type === 'token') return { type, token: secret, ...end }
    const refresh = renewable ? { refresh: REFRESH } : {}
    return { type, access: secret, ...refresh, ...end }
  })

export const rests: fc.Arbitrary<Rest> = fc
  .tuple(reasons, instants, fc.integer({ min: 0, max: DAY_MS }), fc.boolean())
  .map(([reason, since, ms, told]) => ({
    scope: 'profile',
    reason,
    since,
    until: since + ms,
    source: told ? 'provider' : 'ladder',
  }))

export const usages: fc.Arbitrary<ProfileUsage> = fc
  .record(
    {
      fingerprint: fc.constantFrom(plainFingerprint(new Secret('fake-aaaa')), 'ffffffff'),
      lastUsedAt: instants,
      lastGoodAt: instants,
      rest: rests,
      failures: fc.integer({ min: 1, max: 9 }),
      lastFailure: fc.record({ at: instants, reason: reasons, words: fc.constant('words') }),
      refusedPolicy: fc.record({ at: instants, words: fc.constant('words') }),
    },
    { requiredKeys: [] },
  )
  .map(({ refusedPolicy, ...usage }) =>
    // Rare, so that most worlds have somebody who can serve.
    refusedPolicy && refusedPolicy.at % 3 === 0 ? { ...usage, refusedPolicy } : usage,
  )

const states: fc.Arbitrary<AgentState> = fc
  .tuple(fc.array(fc.tuple(ids, usages)), fc.option(rests))
  .map(([profiles, rest]) => ({
    profiles: new Map<string, ProfileUsage>(profiles),
    models: new Map<string, Rest>(rest ? [['anthropic/claude-test', rest]] : []),
  }))

const origins = fc.constantFrom<Origin>('equabot', 'claude-code')

export const profiles: fc.Arbitrary<Profile> = fc
  .tuple(ids, credentials, origins)
  .map(([id, credential, origin]) => ({ id, credential, origin }))

const outcomes: fc.Arbitrary<RenewalOutcome> = fc.constantFrom<RenewalOutcome>(
  { kind: 'renewed', spacingMs: 60_000 },
  { kind: 'not_sent', reason: 'network', words: 'words' },
  { kind: 'not_consumed', status: 429, words: 'words' },
  { kind: 'config', error: 'invalid_client', words: 'words' },
  { kind: 'rejected', error: 'invalid_grant', words: 'words' },
  { kind: 'rejected', error: 'invalid_grant', words: 'words', lostAt: FAKE_NOW - 5_000 },
  { kind: 'ambiguous', words: 'words', lostAt: FAKE_NOW - 5_000, replays: 1 },
  { kind: 'quarantined', expected: 'acc_1', got: 'acc_2' },
  { kind: 'kept', words: 'words' },
  { kind: 'spent', spentAt: FAKE_NOW - 5_000 },
)

/** What the last renewal of the one grant of these worlds has shown. */
const verdicts: fc.Arbitrary<Verdict> = fc
  .tuple(
    outcomes,
    fc.integer({ min: 0, max: HOUR_MS }),
    fc.option(fc.integer({ min: 0, max: HOUR_MS })),
  )
  .map(([outcome, ago, againAfterMs]) => ({
    token: markOf(REFRESH),
    moment: { at: FAKE_NOW - ago, boot: 'boot', upMs: FAKE_NOW - ago },
    tries: 1,
    outcome,
    ...(againAfterMs !== null && { againAfterMs }),
  }))

const grantViews: fc.Arbitrary<GrantView> = fc
  .tuple(
    fc.constantFrom<RenewalWay>('ours', 'neighbour', 'owner', 'never', 'none'),
    fc.option(verdicts),
  )
  .map(([way, verdict]) => ({ way, ...(verdict && { verdict }) }))

const sources: fc.Arbitrary<CredentialSource> = fc.constantFrom(
  { kind: 'store', agent: agent('main'), path: '/state/book.json' },
  { kind: 'store', agent: agent('main'), path: '/state/book.json' },
  { kind: 'variable', variable: 'X', from: { kind: 'process' } },
  { kind: 'config', field: 'models.providers.anthropic.apiKey' },
)

const candidates: fc.Arbitrary<Candidate> = fc
  .tuple(
    profiles,
    sources,
    fc.option(fc.constantFrom('api_key' as const, 'token' as const, 'oauth' as const), {
      nil: undefined,
      freq: 3,
    }),
    fc.option(fc.constant('SOME_VARIABLE'), { nil: undefined, freq: 8 }),
    fc.boolean(),
    fc.option(grantViews),
  )
  .map(([{ id, credential, origin }, source, mode, wanting, missing, grant]) => ({
    id,
    credential,
    fingerprint: plainFingerprint(bearerOf(credential)),
    source,
    origin,
    lane: 'metered',
    ...(mode && { mode }),
    ...(missing && wanting !== undefined && { missingVariable: wanting }),
    ...(grant && credential.type === 'oauth' && { grant }),
  }))

/** Everything that a ranking may meet. */
export const rankInputs: fc.Arbitrary<RankInput> = fc
  .record({
    candidates: fc.uniqueArray(candidates, { selector: ({ id }) => id, maxLength: 7 }),
    order: fc.option(
      fc.record({
        from: fc.constantFrom('agent' as const, 'config' as const),
        ids: fc.uniqueArray(ids),
      }),
      { nil: undefined },
    ),
    pin: fc.option(ids, { nil: undefined, freq: 3 }),
    state: states,
  })
  .map(({ candidates: given, order, pin, state }) => ({
    candidates: given,
    ...(order && { order }),
    ...(pin && { pin }),
    model: MODEL,
    state,
    now: FAKE_NOW,
  }))

export const LONGEST_BELIEVED_MS: number = DAY_MS + 3 * HOUR_MS
