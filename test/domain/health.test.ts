import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProfileUsage } from '../../src/domain/cooldown.ts'
import { afterFailure } from '../../src/domain/learning.ts'
import type { Credential } from '../../src/domain/credential.ts'
import { bearerOf } from '../../src/domain/credential.ts'
import type { Verdict } from '../../src/domain/grant.ts'
import { markOf } from '../../src/domain/grant.ts'
import type { Health } from '../../src/domain/health.ts'
import { assess, check, checkServing } from '../../src/domain/health.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { Secret } from '../../src/domain/secret.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts'
import type { World } from '../../src/domain/world.ts'
import { rankFor } from '../../src/domain/world.ts'
import { aBook, aProfile, aWorld, FAKE_NOW, plainFingerprint } from '../../src/testing.ts'
import { effectiveBook } from '../../src/domain/profile.ts'
import type { GrantView } from '../../src/domain/grant.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { rank } from '../../src/domain/rotation.ts'
import { ANTHROPIC, MODEL, usages } from '../arbitrary-worlds.ts'
import { profile, provider } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const NOW = FAKE_NOW
const text = new Secret('fake-secret')
const KEY: Credential = { type: 'api_key', key: text }
const token = (leftMs: number): Credential => ({
  type: 'token',
  token: text,
  expiresAt: NOW + leftMs,
})
const login = (leftMs: number): Credential => ({
  type: 'oauth',
  access: text,
  refresh: new Secret('fake-refresh'),
  expiresAt: NOW + leftMs,
})
const stored = (name: string, credential: Credential, more: Partial<Profile> = {}): Profile =>
  aProfile(`anthropic:${name}`, { credential, ...more })

const withUsage = (usage: ProfileUsage, name = 'a'): World['state'] => ({
  profiles: new Map([[`anthropic:${name}`, { fingerprint: plainFingerprint(text), ...usage }]]),
  models: new Map(),
})
const failed = (
  reason: 'auth' | 'billing' | 'rate_limit' | 'permission',
  policyRefused = false,
): World['state'] =>
  withUsage(
    afterFailure(
      undefined,
      { reason, words: 'words', ...(policyRefused && { policyRefused }) },
      plainFingerprint(text),
      NOW - 1_000,
    ),
  )

function health(world: World): Health {
  const [entry] = rankFor(world, MODEL)
  if (!entry) throw new TypeError('nobody to assess')
  return assess(entry.candidate, world)
}
const judge = (world: World, needsOwn = false): ReturnType<typeof check> =>
  check([{ provider: ANTHROPIC, ranked: rankFor(world, MODEL), needsOwn }], world)
const problems = (world: World): readonly string[] =>
  judge(world).findings.map(({ candidate, problem }) => `${candidate?.id ?? 'nobody'} ${problem}`)

describe('the four facts', () => {
  test.each([
    ['an API key', stored('a', KEY), 'usable', 'static', 'static'],
    [
      'a token without an end',
      stored('a', { type: 'token', token: text }),
      'usable',
      'static',
      'static',
    ],
    ['a token with time left', stored('a', token(30 * DAY_MS)), 'usable', 'static', 'ok'],
    ['a token that ends soon', stored('a', token(2 * HOUR_MS)), 'usable', 'static', 'expiring'],
    ['a token that ended', stored('a', token(-1)), 'expired', 'static', 'expired'],
    ['a login', stored('a', login(HOUR_MS)), 'usable', 'renewable', 'ok'],
    ['a login whose access ended', stored('a', login(-1)), 'expired', 'renewable', 'ok'],
    [
      'a borrowed login',
      stored('a', login(HOUR_MS), { origin: 'claude-code' }),
      'usable',
      'borrowed',
      'ok',
    ],
    [
      'an empty secret',
      stored('a', { type: 'api_key', key: new Secret('') }),
      'missing',
      'static',
      'missing',
    ],
  ] as const)('of %s', (_, held, access, grant, summary) => {
    const way = held.origin === 'equabot' ? ('ours' as const) : ('neighbour' as const)
    const grants = held.credential.type === 'oauth' ? new Map([[held.id, { way }]]) : new Map()
    const facts = health(aWorld({ profiles: [held], grants }))
    expect(facts.access.state).toBe(access)
    expect(facts.grant.state).toBe(grant)
    expect(facts.summary).toBe(summary)
    expect(facts.quota.state).toBe('unknown')
    expect(facts.policy.state).toBe('unknown')
  })

  test('of a login that was left to its owner since its renewal failed say who renews it', () => {
    const held = stored('a', login(-1), { origin: 'claude-code' })
    const outcome = { kind: 'not_sent', reason: 'network', words: '' } as const
    const moment = { at: NOW, boot: '', upMs: 0 }
    const verdict = { token: markOf(text), moment, tries: 1, outcome, againAfterMs: 60_000 }
    const grantIn = (way: GrantView['way']): Health['grant'] =>
      health(aWorld({ profiles: [held], grants: new Map([[held.id, { way, verdict }]]) })).grant
    expect(grantIn('never')).toMatchObject({ state: 'borrowed', way: 'never' })
    expect(grantIn('neighbour').state).toBe('unsettled')
  })

  test('tell a rejected secret, a limit, an empty account and a forbidden use apart', () => {
    const after = (state: World['state']): Health =>
      health(aWorld({ profiles: [stored('a', KEY)], state }))
    expect(after(failed('auth'))).toMatchObject({
      access: { state: 'rejected' },
      summary: 'refused',
    })
    expect(after(failed('rate_limit'))).toMatchObject({
      quota: { state: 'resting' },
      summary: 'cooldown',
    })
    expect(after(failed('billing'))).toMatchObject({
      quota: { state: 'resting' },
      summary: 'disabled',
    })
    expect(after(failed('permission', true))).toMatchObject({
      policy: { state: 'refused' },
      summary: 'refused',
    })
  })

  test.each([
    [
      'config',
      { settings: settingsFrom({ auth: { foreign: { claudeCode: { enabled: false } } } }) },
    ],
    ['environment', { foreignOff: true }],
  ] as const)('of a login that the %s leaves out claim nothing about its owner', (by, more) => {
    const borrowed = stored('claude-cli', login(HOUR_MS), { origin: 'claude-code' })
    const world = aWorld({ profiles: [borrowed, stored('b', KEY)], ...more })
    const why = { code: 'left_out', origin: 'claude-code', by }
    const [own, entry] = rankFor(world, MODEL)
    expect(own).toMatchObject({ taken: true })
    expect(entry).toMatchObject({ taken: false, why })
    expect(entry && assess(entry.candidate, world).grant).toEqual({
      state: 'left_out',
      owner: 'claude-code',
      by,
    })
    expect(problems(world)).toEqual([])
    expect(problems(aWorld({ profiles: [borrowed], ...more }))).toEqual(['nobody none'])
  })

  test('of a secret that was replaced know nothing of the one before', () => {
    const replaced = { type: 'api_key', key: new Secret('fake-other') } as const
    const facts = health(aWorld({ profiles: [stored('a', replaced)], state: failed('auth') }))
    expect(facts).toMatchObject({ access: { state: 'usable' }, summary: 'static' })
  })

  test('say since when a credential is proven', () => {
    const state = withUsage({ lastGoodAt: NOW - HOUR_MS })
    expect(health(aWorld({ profiles: [stored('a', KEY)], state }))).toMatchObject({
      grant: { provenAt: NOW - HOUR_MS },
      policy: { state: 'allowed', at: NOW - HOUR_MS },
    })
  })

  test('of the sandbox need no grant', () => {
    const world = aWorld()
    const [entry] = rankFor(world, { provider: provider('sandbox'), model: 'sandbox-echo' })
    expect(entry && assess(entry.candidate, world)).toMatchObject({
      access: { state: 'usable' },
      grant: { state: 'none_needed' },
    })
  })
})

describe('--check exits', () => {
  const exit = (world: World): number => judge(world).exit

  test('0 for an API key alone', () => {
    expect(judge(aWorld({ profiles: [stored('a', KEY)] }))).toEqual({ exit: 0, findings: [] })
  })

  test('2 for a token that ends in two hours, also beside one that is good', () => {
    const soon = stored('a', token(2 * HOUR_MS))
    expect(exit(aWorld({ profiles: [soon] }))).toBe(2)
    expect(exit(aWorld({ profiles: [soon, stored('b', KEY)] }))).toBe(2)
  })

  test('1 for an expired token, also beside one that is good', () => {
    const world = aWorld({ profiles: [stored('a', token(-1)), stored('b', KEY)] })
    expect(exit(world)).toBe(1)
    expect(problems(world)).toEqual(['anthropic:a expired'])
  })

  test('1 where there is no credential', () => {
    expect(exit(aWorld())).toBe(1)
    expect(problems(aWorld())).toEqual(['nobody none'])
  })

  test('1 where the sandbox only stands in, 0 where it was chosen', () => {
    const world = aWorld()
    const sandbox = provider('sandbox')
    const ranked = rankFor(world, { provider: sandbox, model: 'sandbox-echo' })
    expect(check([{ provider: sandbox, ranked, needsOwn: true }], world)).toEqual({
      exit: 1,
      findings: [{ provider: 'sandbox', problem: 'none' }],
    })
    expect(check([{ provider: sandbox, ranked, needsOwn: false }], world).exit).toBe(0)
  })

  test('1 for a secret that was rejected, refused, emptied or whose variable is not set', () => {
    const held = [stored('a', KEY), stored('b', token(30 * DAY_MS))]
    expect(problems(aWorld({ profiles: held, state: failed('auth') }))).toEqual([
      'anthropic:a rejected',
    ])
    expect(problems(aWorld({ profiles: held, state: failed('permission', true) }))).toEqual([
      'anthropic:a refused',
    ])
    const blank = stored('c', { type: 'api_key', key: new Secret('') })
    expect(problems(aWorld({ profiles: [...held, blank] }))).toEqual(['anthropic:c missing'])
    const settings = settingsFrom({ models: { providers: { anthropic: { apiKey: '${NOPE}' } } } })
    expect(problems(aWorld({ profiles: held, settings }))).toEqual(['anthropic:config missing'])
  })

  test('0 for a login that renews itself, though its hourly access ends or has ended', () => {
    for (const left of [MINUTE_MS, -HOUR_MS]) {
      const held = stored('a', login(left))
      const grants = new Map([[held.id, { way: 'ours' as const }]])
      expect(exit(aWorld({ profiles: [held], grants }))).toBe(0)
    }
  })

  test('1 for one whose access has ended while its renewal must wait, and 0 when it need not', () => {
    for (const [againAfterMs, found] of [
      [MINUTE_MS, 1],
      [0, 0],
    ] as const) {
      const held = stored('a', login(-HOUR_MS))
      const verdict: Verdict = {
        token: markOf(new Secret('refresh')),
        moment: { at: FAKE_NOW, boot: 'boot', upMs: FAKE_NOW },
        tries: 1,
        outcome: { kind: 'not_consumed', status: 429, words: '' },
        againAfterMs,
      }
      const grants = new Map([[held.id, { way: 'ours' as const, verdict }]])
      expect(exit(aWorld({ profiles: [held], grants }))).toBe(found)
    }
  })

  test('1 for one that has a refresh token, of a provider whose logins nobody here can renew', () => {
    const held = stored('a', login(-HOUR_MS))
    const grants = new Map([[held.id, { way: 'none' as const }]])
    expect(problems(aWorld({ profiles: [held], grants }))).toEqual(['anthropic:a expired'])
  })

  test('1 for a login without a refresh token whose access has ended', () => {
    const dead: Credential = { type: 'oauth', access: text, expiresAt: NOW - 1 }
    expect(exit(aWorld({ profiles: [stored('a', dead)] }))).toBe(1)
  })

  test('0 for a credential that rests: rests end by themselves', () => {
    expect(exit(aWorld({ profiles: [stored('a', KEY)], state: failed('rate_limit') }))).toBe(0)
  })

  test('as if what the user left out were not there', () => {
    const book = aBook(stored('a', token(-1)), stored('b', KEY))
    const ordered = { ...book, order: new Map([[ANTHROPIC, [profile('anthropic:b')]]]) }
    const world = aWorld({ book: effectiveBook(MAIN_AGENT, ordered, ordered) })
    expect(exit(world)).toBe(0)
    const modes = settingsFrom({
      auth: { profiles: { 'anthropic:a': { provider: 'anthropic', mode: 'api_key' } } },
    })
    expect(exit(aWorld({ profiles: [stored('a', token(-1))], settings: modes }))).toBe(1)
    expect(problems(aWorld({ profiles: [stored('a', token(-1))], settings: modes }))).toEqual([
      'nobody none',
    ])
  })

  test('by the warning time that is set', () => {
    const settings = settingsFrom({ auth: { warnWithinHours: 1 } })
    expect(exit(aWorld({ profiles: [stored('a', token(2 * HOUR_MS))], settings }))).toBe(0)
    expect(exit(aWorld({ profiles: [stored('a', token(HOUR_MS))], settings }))).toBe(2)
  })

  test('never better as time passes: an alarm does not turn green by expiring', () => {
    const worse = { 0: 0, 2: 1, 1: 2 }
    const lives = fc.array(fc.integer({ min: -3 * DAY_MS, max: 3 * DAY_MS }), {
      minLength: 1,
      maxLength: 4,
    })
    const steps = fc.array(fc.integer({ min: 0, max: DAY_MS }), { maxLength: 8 })
    fc.assert(
      fc.property(lives, steps, usages, (left, waits, usage) => {
        const profiles = left.map((ms, index) => stored(`p${index}`, token(ms)))
        const state = withUsage({ ...usage, fingerprint: plainFingerprint(text) }, 'p0')
        let now = NOW
        let before = 0
        for (const wait of [0, ...waits]) {
          now += wait
          const level = worse[judge(aWorld({ profiles, state, now })).exit]
          expect(level).toBeGreaterThanOrEqual(before)
          before = level
        }
      }),
    )
  })

  test('0 only when nothing was found, and names every bad credential', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }), (bad) => {
        const profiles = bad.map((is, index) => stored(`p${index}`, is ? token(-1) : KEY))
        const { exit: code, findings } = judge(aWorld({ profiles }))
        expect(findings).toHaveLength(bad.filter(Boolean).length)
        expect(code).toBe(findings.length > 0 ? 1 : 0)
      }),
    )
  })
})

describe('--check --serving', () => {
  const serving = (world: World, needsOwn = false): number =>
    checkServing([{ provider: ANTHROPIC, ranked: rankFor(world, MODEL), needsOwn }]).exit

  test('is content when somebody can serve', () => {
    expect(serving(aWorld({ profiles: [stored('a', token(-1)), stored('b', KEY)] }))).toBe(0)
    expect(serving(aWorld({ profiles: [stored('a', token(-1))] }))).toBe(1)
    expect(serving(aWorld())).toBe(1)
  })

  test('names a credential that there is and does not serve as what it is', () => {
    const outcome = { kind: 'not_sent', reason: 'network', words: '' } as const
    const moment = { at: NOW, boot: '', upMs: 0 }
    const verdict = { token: markOf(text), moment, tries: 1, outcome, againAfterMs: 60_000 }
    const judged = (grant?: GrantView, credential: Credential = login(-1)) => {
      const [candidate] = rankFor(aWorld({ profiles: [stored('a', credential)] }), MODEL).map(
        (entry) => ({ ...entry.candidate, ...(grant && { grant }) }),
      )
      const ranked = rank({
        candidates: candidate ? [candidate] : [],
        model: MODEL,
        state: { profiles: new Map(), models: new Map() },
        now: NOW,
        moment,
      })
      const { findings } = checkServing([{ provider: ANTHROPIC, ranked, needsOwn: false }])
      return findings.map((entry) => [entry.candidate?.id, entry.problem])
    }
    expect(judged({ way: 'ours', verdict })).toEqual([['anthropic:a', 'waiting']])
    expect(judged({ way: 'never' })).toEqual([['anthropic:a', 'expired']])
    expect(judged(undefined, token(-1))).toEqual([['anthropic:a', 'expired']])
    expect(judged({ way: 'ours' })).toEqual([])
  })

  test('does not take the stand-in for somebody', () => {
    const sandbox = provider('sandbox')
    const ranked = rankFor(aWorld(), { provider: sandbox, model: 'sandbox-echo' })
    expect(checkServing([{ provider: sandbox, ranked, needsOwn: true }]).exit).toBe(1)
    expect(checkServing([{ provider: sandbox, ranked, needsOwn: false }]).exit).toBe(0)
  })
})

test('an assessment never shows a secret', () => {
  for (const credential of [KEY, token(1), login(1)]) {
    const world = aWorld({ profiles: [stored('a', credential)] })
    expect(JSON.stringify(health(world))).not.toContain(bearerOf(credential).reveal())
  }
})
