import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { markOf } from '../../src/domain/grant.ts'
import { explain } from '../../src/domain/explain.ts'
import type { CheckFinding } from '../../src/domain/health.ts'
import { assess, check } from '../../src/domain/health.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { Candidate } from '../../src/domain/rotation.ts'
import { rank } from '../../src/domain/rotation.ts'
import { Secret } from '../../src/domain/secret.ts'
import {
  accessWords,
  credentialCommand,
  failoverWords,
  passedOverWords,
  findingFix,
  findingWords,
  grantWords,
  policyWords,
  reasonWords,
  restWords,
  sourceWords,
  verdictWords,
} from '../../src/domain/wording.ts'
import { quotaWords } from '../../src/domain/wording-quota.ts'
import { aWorld, FAKE_NOW } from '../../src/testing.ts'
import { rankInputs, reasons } from '../arbitrary-worlds.ts'
import { profile, provider } from '../names-from.ts'

const shown = (path: string): string => path.replace('/home/me', '~')
const line = /^[^\n]+$/

test('every verdict, fact, source and finding of any candidate is one line of words, with a clock or without', () => {
  fc.assert(
    fc.property(rankInputs, (input) => {
      const ranked = rank(input)
      const world = aWorld({ state: input.state, now: input.now })
      for (const now of [FAKE_NOW, undefined]) {
        for (const entry of ranked) {
          const { access, grant, quota, policy } = assess(entry.candidate, world)
          const words = [
            verdictWords(entry, now),
            accessWords(access, now),
            grantWords(grant, now),
            quotaWords(quota, now),
            policyWords(policy, now),
            sourceWords(entry.candidate.source, shown),
          ]
          for (const text of words) {
            expect(text).toMatch(line)
            expect(text).not.toMatch(/undefined|NaN|\[object|impossible|fake-/)
          }
        }
      }
      const { findings } = check(
        [{ provider: provider('anthropic'), ranked, needsOwn: false }],
        world,
      )
      for (const finding of findings) {
        expect(findingWords(finding)).toMatch(line)
        expect(findingFix(finding)).toMatch(line)
      }
    }),
  )
})

test('every reason has its words', () => {
  fc.assert(fc.property(reasons, (reason) => reasonWords(reason).length > 3))
})

describe('a source', () => {
  test.each([
    [{ kind: 'process' }, 'KEY from the environment of this process'],
    [
      { kind: 'env_file', path: '/home/me/.equabot/.env', line: 3 },
      'KEY from ~/.equabot/.env, line 3',
    ],
    [{ kind: 'config', field: 'env.vars.KEY' }, 'KEY from env.vars.KEY in the config'],
    [{ kind: 'shell', shell: '/bin/zsh' }, 'KEY from the login shell /bin/zsh'],
  ] as const)('%j is told', (from, words) => {
    expect(sourceWords({ kind: 'variable', variable: 'KEY', from }, shown)).toBe(words)
  })
})

test('a login that is left out names the switch and what takes it in again', () => {
  const words = (by: 'config' | 'environment'): string =>
    passedOverWords({ code: 'left_out', origin: 'codex-cli', by }, undefined)
  expect(words('config')).toBe(
    'the config leaves the login of Codex out. To use it: equabot config set auth.foreign.codexCli.enabled true',
  )
  expect(words('environment')).toContain('unset EQUABOT_FOREIGN_LOGINS')
})

test('a rest tells who said so and how long it still is', () => {
  const rest = {
    scope: 'profile',
    reason: 'rate_limit',
    since: FAKE_NOW,
    until: FAKE_NOW + 90_000,
    source: 'provider',
  } as const
  expect(restWords(rest, FAKE_NOW)).toBe('rests for 2 min more (rate limit; as the provider asked)')
  expect(restWords({ ...rest, source: 'ladder' }, undefined)).toBe(
    'rests until 2026-01-01 00:01 UTC (rate limit; our own guess)',
  )
})

describe('a failover', () => {
  const served = {
    id: profile('anthropic:b'),
    fingerprint: '',
    source: { kind: 'none_needed' },
    origin: 'equabot',
  } as const
  const attempt = {
    profile: profile('anthropic:a'),
    model: 'anthropic/x',
    host: 'h',
    reason: 'billing',
    words: '',
  } as const

  test('that did not happen is not told', () => {
    expect(failoverWords([], { ...served, lane: 'metered' })).toEqual([])
  })

  test('names who failed and why, and that the one who answers is paid by use', () => {
    expect(failoverWords([attempt], { ...served, lane: 'metered' })).toEqual([
      'anthropic:a could not serve: no credit, or a spending limit. Answered by anthropic:b (paid by use)',
    ])
    expect(failoverWords([attempt], { ...served, lane: 'subscription' })[0]).not.toContain('paid')
  })
})

test('the command that gives a provider a credential names it', () => {
  expect(credentialCommand('openai')).toBe('equabot models auth paste-token --provider openai')
  expect(credentialCommand('sandbox')).toBe('equabot models auth add')
})

test('a token that was issued for a term shows its day of issue beside its end', () => {
  const until = FAKE_NOW + 365 * 86_400_000
  expect(accessWords({ state: 'usable', until, issuedAt: FAKE_NOW }, FAKE_NOW)).toBe(
    'usable, issued 2026-01-01, ends in 365 days (2027-01-01 00:00 UTC)',
  )
  expect(accessWords({ state: 'usable', until }, undefined)).toBe(
    'usable, ends on 2027-01-01 00:00 UTC (2027-01-01 00:00 UTC)',
  )
})

describe('the fix of a finding', () => {
  const fixOf = (
    id: string,
    given: Partial<Candidate>,
    problem: CheckFinding['problem'] = 'expired',
  ): string =>
    findingFix({
      provider: provider('anthropic'),
      problem,
      candidate: {
        id: profile(id),
        fingerprint: '',
        origin: 'equabot',
        lane: 'subscription',
        source: { kind: 'store', agent: MAIN_AGENT, path: '/state' },
        ...given,
      },
    })
  const token = (issuedAt?: number): Partial<Candidate> => ({
    credential: {
      type: 'token',
      token: new Secret('fake-token'),
      ...(issuedAt !== undefined && { issuedAt }),
    },
  })
  const paste = 'equabot models auth paste-token --provider anthropic'

  test('that the provider asks of the config names the config, as a request does', () => {
    const login: Partial<Candidate> = {
      credential: { type: 'oauth', access: new Secret('fake-access'), refresh: new Secret('fake') },
      grant: {
        way: 'ours',
        verdict: {
          token: markOf(new Secret('fake')),
          moment: { at: FAKE_NOW, boot: '', upMs: 0 },
          outcome: { kind: 'config', error: 'invalid_client', words: '' },
          tries: 1,
        },
      },
    }
    expect(fixOf('anthropic:work', login)).toBe(
      'check models.providers.anthropic.oauth in the config',
    )
    expect(fixOf('anthropic:work', login, 'refused')).toContain('paste-token')
  })

  test('of a setup-token is another one, under its own name', () => {
    for (const problem of ['expired', 'expiring', 'rejected'] as const) {
      expect(fixOf('anthropic:claude-cli', token(), problem)).toBe(
        'equabot models auth setup-token',
      )
      expect(fixOf('anthropic:work', token(FAKE_NOW), problem)).toBe(
        'equabot models auth setup-token --profile-id anthropic:work',
      )
    }
    expect(fixOf('anthropic:work', token())).toBe(`${paste} --profile-id anthropic:work`)
    expect(fixOf('anthropic:claude-cli', token(), 'refused')).toBe(
      `${paste} --profile-id anthropic:claude-cli`,
    )
  })

  test("of a borrowed login is its owner's, and a key of our own where the provider refuses the use", () => {
    const lent = { origin: 'claude-code' } as const
    expect(fixOf('anthropic:claude-cli', lent)).toBe('claude auth login')
    expect(fixOf('anthropic:claude-cli', lent, 'refused')).toBe(paste)
  })

  test("of a borrowed login whose owner's file cannot be read is what the file needs", () => {
    const place = '/home/me/.claude/.credentials.json'
    const lent = { origin: 'claude-code', grant: { way: 'never' } } as const
    const id = 'anthropic:claude-cli'
    const unread = { code: 'EQ_FOREIGN_UNREADABLE', origin: 'claude-code', place } as const
    expect(fixOf(id, { ...lent, unread: { ...unread, errno: 'EACCES' } })).toBe(
      `Give yourself the right to: chmod 600 ${place}`,
    )
    const link = { code: 'EQ_FOREIGN_LINK', origin: 'claude-code', place } as const
    expect(fixOf(id, { ...lent, unread: link })).toContain('Put the file itself there')
    expect(fixOf(id, { ...lent, unread: link }, 'refused')).toBe(paste)
  })

  test('of a login that its owner alone renews is what a renewal says', () => {
    const lent = { origin: 'claude-code', grant: { way: 'never' } } as const
    const id = profile('anthropic:claude-cli')
    const { hint } = explain({ code: 'EQ_RENEWAL_OWNERS', profile: id, origin: 'claude-code' })
    expect(fixOf(id, lent)).toBe(hint)
    const why = { code: 'awaiting_owner', at: FAKE_NOW, owner: 'claude-code' } as const
    const none = { code: 'EQ_CREDENTIAL_NONE', provider: provider('anthropic') } as const
    expect(explain({ ...none, variables: [], passedOver: [{ profile: id, why }] }).hint).toBe(hint)
  })

  test('of one whose renewal waits is to ask for it', () => {
    const renew = 'equabot models auth renew anthropic:work'
    expect(fixOf('anthropic:work', {}, 'waiting')).toBe(renew)
    const why = { code: 'awaiting_renewal', at: FAKE_NOW } as const
    const passedOver = [{ profile: profile('anthropic:work'), why }]
    const none = { code: 'EQ_CREDENTIAL_NONE', provider: provider('anthropic') } as const
    expect(explain({ ...none, variables: [], passedOver }).hint).toContain(renew)
  })

  test('of one that is tried again by itself is to wait, and a script is told to come back', () => {
    const id = profile('anthropic:work')
    const none = { code: 'EQ_CREDENTIAL_NONE', provider: provider('anthropic') } as const
    const at = FAKE_NOW - 1
    const timed = { code: 'awaiting_renewal', at, againAt: FAKE_NOW + 30_000 } as const
    const explained = (why: typeof timed | { code: 'awaiting_renewal'; at: number }) =>
      explain({ ...none, variables: [], passedOver: [{ profile: id, why }] })
    expect(explained(timed)).toMatchObject({ exit: 75, http: 503 })
    expect(explained({ code: 'awaiting_renewal', at })).toMatchObject({ exit: 1, http: 403 })
    const owners = { code: 'awaiting_owner', at, owner: 'claude-code' } as const
    expect(
      explain({ ...none, variables: [], passedOver: [{ profile: id, why: owners }] }),
    ).toMatchObject({ exit: 1, http: 403 })
  })
})
