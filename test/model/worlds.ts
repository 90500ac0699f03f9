/** Worlds at random: what is stored, what is known, what was set, how the providers answer, and what happens one after another. */

import fc from 'fast-check'
import type { AgentState, ProfileUsage, Rest, RestScope } from '../../src/domain/cooldown.ts'
import type { Credential, CredentialType } from '../../src/domain/credential.ts'
import { bearerOf } from '../../src/domain/credential.ts'
import type { RenewalOutcome, Verdict } from '../../src/domain/grant.ts'
import { markOf, newGrantId } from '../../src/domain/grant.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import { providerOf } from '../../src/domain/names.ts'
import type { Pin } from '../../src/domain/pins.ts'
import type { Profile } from '../../src/domain/profile.ts'
import type { QuotaWindow } from '../../src/domain/quota.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { Strategy } from '../../src/domain/strategy.ts'
import { STRATEGIES } from '../../src/domain/strategy.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts'
import { FAKE_NOW, plainFingerprint } from '../../src/testing.ts'
import { profile } from '../names-from.ts'

/** How an upstream answers; `answers.ts` says in which words. */
export const ANSWERS = [
  'ok',
  'ok_near_wall',
  'limit',
  'limit_short',
  'limit_long',
  'limit_of_model',
  'plan_wall',
  'overloaded',
  'refused',
  'billing',
  'policy',
  'broken',
  'cut',
  'slow',
  'unreachable',
  'firewall',
  'forbidden_model',
  'bad_request',
  'unknown_model',
  'too_long',
] as const
export type Answer = (typeof ANSWERS)[number]

export interface ModelWorld {
  readonly main: readonly Profile[]
  /** Of the agent `work`, which inherits those of `main`. */
  readonly own: readonly Profile[]
  readonly state: AgentState
  readonly verdicts: Readonly<Record<string, Verdict>>
  readonly helper: 'renews' | 'fails' | 'put_off' | 'refused'
  readonly foreign: 'none' | 'fresh' | 'ended' | 'blank' | 'unreadable'
  readonly renew: 'neighbour' | 'never'
  readonly variables: Readonly<Record<string, string>>
  readonly mainOrder: readonly ProfileId[] | undefined
  readonly workOrder: readonly ProfileId[] | undefined
  readonly configOrder: readonly ProfileId[] | undefined
  readonly strategy: Strategy | undefined
  readonly crossing: 'announce' | 'deny'
  readonly quotaThreshold: number
  readonly waitForRestMs: number
  readonly fallbacks: readonly string[]
  readonly modes: ReadonlyMap<ProfileId, CredentialType>
  /** Used share of a daily budget, and whether it is hard. */
  readonly budgets: ReadonlyMap<ProfileId, { readonly share: number; readonly hard: boolean }>
  readonly sessions: readonly ModelSession[]
  /** Each profile's answers in turn. */
  readonly answers: ReadonlyMap<ProfileId, readonly Answer[]>
  readonly answerMs: number
  readonly steps: readonly Step[]
  readonly random: number
}

export interface ModelSession {
  readonly model?: string
  readonly pin?: Pin
}

export type Step =
  | {
      readonly kind: 'api'
      readonly agent: AgentName
      readonly model: string
      readonly session?: number
    }
  | {
      readonly kind: 'chat'
      readonly agent: AgentName
      readonly model?: string
      readonly session: number
    }
  | { readonly kind: 'command'; readonly session: number; readonly text: string }
  | { readonly kind: 'wait' | 'jump'; readonly ms: number }
  /** Somebody logs in anew, perhaps as somebody else. */
  | { readonly kind: 'login'; readonly profile: ProfileId; readonly account: string }

export type AgentName = 'main' | 'work'

export const PRIMARY = 'anthropic/claude-test'
export const SESSION_COUNT = 3

const anthropicIds = ['a', 'b', 'c', 'd'].map((name) => profile(`anthropic:${name}`))
const backupIds = ['x', 'y', 'z'].map((name) => profile(`backup:${name}`))
export const ALL_IDS: readonly ProfileId[] = [
  ...anthropicIds,
  ...backupIds,
  profile('anthropic:claude-cli'),
  profile('anthropic:env'),
  profile('anthropic:env-token'),
  profile('backup:config'),
]
const ids = fc.constantFrom(...anthropicIds, ...anthropicIds, ...backupIds)
const pinnable = fc.constantFrom(
  ...anthropicIds,
  ...backupIds,
  profile('anthropic:claude-cli'),
  profile('anthropic:env'),
  profile('anthropic:gone'),
)
const accounts = fc.constantFrom('acc_1', 'acc_1', 'acc_2', undefined)

const ends = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 4, arbitrary: fc.constant(FAKE_NOW + 3 * HOUR_MS) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(FAKE_NOW - HOUR_MS, FAKE_NOW + 20 * SECOND_MS, FAKE_NOW),
  },
  { weight: 1, arbitrary: fc.integer({ min: -5, max: 90 }).map((s) => FAKE_NOW + s * SECOND_MS) },
)

const credentials = fc
  .record({
    type: fc.constantFrom<CredentialType>('api_key', 'token', 'oauth', 'oauth'),
    account: accounts,
    end: ends,
    isRenewable: fc.boolean(),
    isBlank: fc.integer({ min: 0, max: 19 }).map((number) => number === 0),
  })
  .map(({ type, account, end, isRenewable, isBlank }) => (id: ProfileId): Credential => {
    const secret = new Secret(isBlank ? '' : `fake-secret-of-${id}`)
    const email = account === undefined ? {} : { email: `${account}@example.com` }
    const expiresAt = end === undefined ? {} : { expiresAt: end }
    if (type === 'api_key') return { type, key: secret, ...email }
    if (type === 'token') return { type, token: secret, ...expiresAt, ...email }
    return {
      type,
      access: secret,
      ...(isRenewable && { refresh: refreshOf(id) }),
      ...(account !== undefined && { accountId: account }),
      ...expiresAt,
      ...email,
    }
  })

export function refreshOf(id: ProfileId): Secret {
  return new Secret(`fake-refresh-of-${id}`)
}

const profiles: fc.Arbitrary<Profile> = fc
  .tuple(ids, credentials)
  .map(([id, credential]) => ({ id, credential: credential(id), origin: 'equabot' }))
const books = (maxLength: number): fc.Arbitrary<readonly Profile[]> =>
  fc.uniqueArray(profiles, { selector: ({ id }) => id, maxLength })

const restOf = (scope: RestScope): fc.Arbitrary<Rest> =>
  fc
    .record({
      reason: fc.constantFrom('rate_limit' as const, 'billing' as const, 'auth' as const),
      agoMs: fc.constantFrom(0, SECOND_MS, MINUTE_MS),
      aheadMs: fc.constantFrom(-1, 0, 1, 2 * SECOND_MS, 7 * SECOND_MS, MINUTE_MS, 2 * HOUR_MS),
      source: fc.constantFrom('provider' as const, 'ladder' as const),
    })
    .map(({ reason, agoMs, aheadMs, source }) => ({
      scope,
      reason: scope === 'model' && reason === 'auth' ? 'overloaded' : reason,
      since: FAKE_NOW - agoMs,
      until: FAKE_NOW + aheadMs,
      source,
    }))

const windows: fc.Arbitrary<QuotaWindow> = fc
  .record({
    name: fc.constantFrom('5h', '7d', 'requests'),
    used: fc.constantFrom(0.2, 0.8, 0.97, 0.98, 1),
    resetsInMs: fc.constantFrom(undefined, 0, 5 * SECOND_MS, HOUR_MS, 6 * DAY_MS),
  })
  .map(({ name, used, resetsInMs }) => ({
    name,
    used,
    seenAt: FAKE_NOW - MINUTE_MS,
    ...(resetsInMs !== undefined && { resetsAt: FAKE_NOW + resetsInMs }),
  }))

const rarely = <T>(arbitrary: fc.Arbitrary<T>, freq: number): fc.Arbitrary<T | undefined> =>
  fc
    .option(arbitrary, { nil: undefined, freq: 100 })
    .chain((value) =>
      fc.integer({ min: 0, max: 99 }).map((chance) => (chance < freq ? value : undefined)),
    )

interface Known {
  readonly rest: Rest | undefined
  readonly modelRest: Rest | undefined
  readonly quota: QuotaWindow | undefined
  readonly isRefused: boolean
  readonly isOfOtherSecret: boolean
  readonly usedMsAgo: number | undefined
  readonly goodMsAgo: number | undefined
}

const known: fc.Arbitrary<Known> = fc.record({
  rest: rarely(restOf('profile'), 35),
  modelRest: rarely(restOf('model'), 15),
  quota: rarely(windows, 30),
  isRefused: fc.integer({ min: 0, max: 14 }).map((number) => number === 0),
  isOfOtherSecret: fc.integer({ min: 0, max: 5 }).map((number) => number === 0),
  usedMsAgo: fc.constantFrom(undefined, 0, MINUTE_MS, HOUR_MS),
  goodMsAgo: fc.constantFrom(undefined, 0, MINUTE_MS, HOUR_MS),
})

function usageOf({ credential }: Profile, fact: Known): ProfileUsage {
  const { rest, modelRest, quota, usedMsAgo, goodMsAgo } = fact
  return {
    fingerprint: fact.isOfOtherSecret ? 'ffffffff' : plainFingerprint(bearerOf(credential)),
    ...(usedMsAgo !== undefined && { lastUsedAt: FAKE_NOW - usedMsAgo }),
    ...(goodMsAgo !== undefined && { lastGoodAt: FAKE_NOW - goodMsAgo }),
    ...(rest && { rest }),
    ...(modelRest && { models: new Map([[PRIMARY, modelRest]]) }),
    ...(quota && { quota: [quota] }),
    ...(fact.isRefused && { refusedPolicy: { at: FAKE_NOW - HOUR_MS, words: 'not this way' } }),
  }
}

const outcomes: fc.Arbitrary<RenewalOutcome> = fc.constantFrom<RenewalOutcome>(
  { kind: 'renewed', spacingMs: MINUTE_MS },
  { kind: 'not_sent', reason: 'network', words: 'words' },
  { kind: 'not_consumed', status: 429, words: 'words' },
  { kind: 'rejected', error: 'invalid_grant', words: 'words' },
  { kind: 'ambiguous', words: 'words', lostAt: FAKE_NOW - MINUTE_MS, replays: 1 },
)

const verdicts: fc.Arbitrary<(id: ProfileId) => Verdict> = fc
  .tuple(outcomes, fc.constantFrom(undefined, 0, SECOND_MS, 30 * SECOND_MS, HOUR_MS))
  .map(([outcome, againAfterMs]) => (id) => ({
    token: markOf(refreshOf(id)),
    moment: { at: FAKE_NOW, boot: 'boot', upMs: 0 },
    tries: 1,
    outcome,
    ...(againAfterMs !== undefined && { againAfterMs }),
  }))

const pins: fc.Arbitrary<Pin> = fc
  .record({
    profile: pinnable,
    source: fc.constantFrom('user' as const, 'auto' as const),
    account: accounts,
  })
  .map(({ profile: id, source, account }) => ({
    profile: id,
    source,
    ...(source === 'user' && account !== undefined && { account: { accountId: account } }),
  }))

const sessions: fc.Arbitrary<ModelSession> = fc
  .record({
    model: fc.constantFrom(undefined, undefined, PRIMARY, 'anthropic/claude-small', 'backup/m'),
    pin: fc.option(pins, { nil: undefined, freq: 2 }),
  })
  .map(({ model, pin }) => ({
    ...(model !== undefined && { model }),
    ...(pin && { pin }),
  }))

const models = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('default', PRIMARY) },
  { weight: 2, arbitrary: fc.constantFrom('backup/m', 'anthropic/claude-small', 'claude-test') },
  {
    weight: 2,
    arbitrary: pinnable.map((id) => `${providerOf(id) === 'backup' ? 'backup/m' : PRIMARY}@${id}`),
  },
  { weight: 1, arbitrary: fc.constantFrom('nobody/m', `${PRIMARY}@backup:x`) },
)

const agents = fc.constantFrom<AgentName>('main', 'main', 'main', 'work')
const places = fc.integer({ min: 0, max: SESSION_COUNT - 1 })
const passing = fc.constantFrom(1, SECOND_MS, 8 * SECOND_MS, MINUTE_MS, 10 * MINUTE_MS, 3 * HOUR_MS)

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(agents, models, fc.option(places, { nil: undefined }))
      .map(([agent, model, session]): Step => ({
        kind: 'api',
        agent,
        model,
        ...(session !== undefined && { session }),
      })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(agents, fc.option(models, { nil: undefined, freq: 2 }), places)
      .map(([agent, model, session]): Step => ({
        kind: 'chat',
        agent,
        session,
        ...(model !== undefined && { model }),
      })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        places,
        fc.oneof(
          pinnable.map((id) => `/model ${PRIMARY}@${id}`),
          fc.constantFrom('/model unpin', '/new', '/model default', '/model backup/m'),
        ),
      )
      .map(([session, text]): Step => ({ kind: 'command', session, text })),
  },
  { weight: 2, arbitrary: passing.map((ms): Step => ({ kind: 'wait', ms })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(passing, fc.boolean())
      .map(([ms, isBack]): Step => ({ kind: 'jump', ms: isBack ? -ms : ms })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(ids, fc.constantFrom('acc_1', 'acc_2', 'acc_3'))
      .map(([id, account]): Step => ({ kind: 'login', profile: id, account })),
  },
)

const answers: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 3, arbitrary: fc.constant('ok' as const) },
  { weight: 5, arbitrary: fc.constantFrom(...ANSWERS) },
)

const orders = fc.option(
  fc.uniqueArray(
    fc.constantFrom(...anthropicIds, profile('anthropic:env'), profile('anthropic:claude-cli')),
    { minLength: 1 },
  ),
  { nil: undefined, freq: 2 },
)

/** Everything that a request may meet. */
export const modelWorlds: fc.Arbitrary<ModelWorld> = fc
  .record({
    main: books(6),
    own: books(2),
    facts: fc.array(known, { minLength: 8, maxLength: 8 }),
    modelRest: rarely(restOf('model'), 15),
    accountRest: rarely(restOf('account'), 25),
    providerRest: rarely(restOf('provider'), 10),
    verdict: fc.option(verdicts, { nil: undefined, freq: 2 }),
    helper: fc.constantFrom('renews' as const, 'renews', 'fails', 'put_off', 'refused'),
    foreign: fc.constantFrom('none' as const, 'none', 'fresh', 'ended', 'blank', 'unreadable'),
    renew: fc.constantFrom('neighbour' as const, 'never' as const),
    keys: fc.subarray(['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN', 'BACKUP_KEY']),
    mainOrder: orders,
    workOrder: orders,
    configOrder: orders,
    strategy: fc.option(fc.constantFrom(...STRATEGIES), { nil: undefined, freq: 2 }),
    crossing: fc.constantFrom('announce' as const, 'announce', 'deny'),
    quotaThreshold: fc.constantFrom(0.98, 0.98, 0.5),
    waitForRestMs: fc.constantFrom(10_000, 10_000, 0, MINUTE_MS),
    fallbacks: fc.constantFrom([], [], ['backup/m'], ['anthropic/claude-small', 'backup/m']),
    modes: fc.dictionary(ids, fc.constantFrom<CredentialType>('api_key', 'token', 'oauth'), {
      maxKeys: 1,
    }),
    budgets: fc.uniqueArray(
      fc.tuple(ids, fc.record({ share: fc.constantFrom(0.5, 0.9, 1), hard: fc.boolean() })),
      { selector: ([id]) => id, maxLength: 2 },
    ),
    sessions: fc.array(sessions, { minLength: SESSION_COUNT, maxLength: SESSION_COUNT }),
    scripts: fc.array(fc.array(answers, { minLength: 1, maxLength: 4 }), {
      minLength: ALL_IDS.length,
      maxLength: ALL_IDS.length,
    }),
    answerMs: fc.constantFrom(0, 0, 400, 3 * SECOND_MS),
    steps: fc.array(steps, { minLength: 2, maxLength: 6 }),
    random: fc.constantFrom(0, 0.5, 1),
  })
  .map(
    ({ facts, modelRest, accountRest, providerRest, verdict, keys, modes, scripts, ...given }) => {
      const held = [...given.main, ...given.own]
      return {
        ...given,
        modes: new Map(Object.entries(modes).map(([id, mode]) => [profile(id), mode])),
        budgets: new Map(given.budgets),
        state: {
          profiles: new Map(
            held.flatMap((entry, index) => {
              const fact = facts[index]
              return fact ? [[entry.id, usageOf(entry, fact)] as const] : []
            }),
          ),
          models: new Map(modelRest ? [[PRIMARY, modelRest]] : []),
          accounts: new Map(accountRest ? [['anthropic:acc_1', accountRest]] : []),
          providers: new Map(providerRest ? [['anthropic', providerRest]] : []),
        },
        verdicts: Object.fromEntries(
          verdict
            ? held.map(({ id }) => [newGrantId(providerOf(id), refreshOf(id)), verdict(id)])
            : [],
        ),
        variables: Object.fromEntries(keys.map((name) => [name, `fake-value-of-${name}`])),
        answers: new Map(ALL_IDS.map((id, index) => [id, scripts[index] ?? []])),
      }
    },
  )
