import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { explain, shownCode } from '../../src/domain/explain.ts'
import { attemptWords } from '../../src/domain/explain-dispatch.ts'
import { ownerProgramWords } from '../../src/domain/explain-foreign.ts'
import type { FailedAttempt, Fault } from '../../src/domain/fault.ts'
import type { OwnerProgramEnd } from '../../src/domain/renewal-ports.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import { reasons } from '../arbitrary-worlds.ts'
import { FAULT_SAMPLES } from '../fault-samples.ts'
import { profile } from '../names-from.ts'

const SAMPLES: readonly Fault[] = Object.values(FAULT_SAMPLES)
const EXITS = [1, 64, 65, 69, 70, 75, 77, 78, 130]
const COMMANDS = [
  'agent',
  'agents add',
  'agents list',
  'clients add',
  'clients list',
  'clients rotate',
  'clients show',
  'config get',
  'config set',
  'config validate',
  'doctor',
  'gateway run',
  'gateway status',
  'models aliases list',
  'models aliases remove',
  'models auth add',
  'models auth list',
  'models auth login',
  'models auth order clear',
  'models auth paste-token',
  'models auth remove',
  'models auth renew',
  'models auth restore',
  'models auth sync',
  'models fallbacks list',
  'models list',
  'models set',
  'models status',
  'sessions list',
  'setup claude-code',
  '--help',
]
/** Nothing can be typed against these. */
const NOTHING_TO_DO = ['EQ_INTERRUPTED', 'EQ_REQUEST_CANCELLED']

const attempts: fc.Arbitrary<FailedAttempt> = fc
  .record({
    reason: reasons,
    status: fc.option(fc.integer({ min: 100, max: 999 }), { nil: undefined }),
  })
  .map(({ reason, status }) => ({
    profile: profile('anthropic:work'),
    model: 'anthropic/claude-test',
    host: 'api.anthropic.com',
    reason,
    ...(status !== undefined && { status }),
    words: 'words of the provider',
  }))

describe.each(SAMPLES)('$code', (fault) => {
  const { message, hint, exit, http } = explain(fault, FAKE_NOW)

  test('says what happened in one line', () => {
    expect(message.trim()).not.toBe('')
    expect(`${message}${hint}`).not.toMatch(/[\n\r]|undefined|\[object|NaN/)
  })

  test('exits with a code of the design', () => {
    expect(EXITS).toContain(exit)
  })

  test('answers with an HTTP error', () => {
    expect(http).toBeGreaterThanOrEqual(400)
    expect(http).toBeLessThanOrEqual(599)
  })

  test('says what to do', () => {
    expect(hint === '').toBe(NOTHING_TO_DO.includes(fault.code))
  })

  test('names only commands that there are', () => {
    for (const [, command] of hint.matchAll(
      /equabot ((?:[a-z][a-z-]*|--help)(?: [a-z][a-z-]*)*)/g,
    )) {
      expect(COMMANDS.filter((known) => command?.startsWith(known))).not.toEqual([])
    }
  })

  test('is explained without a clock too', () => {
    expect(explain(fault).message.trim()).not.toBe('')
  })
})

describe("a renewal by its owner's program", () => {
  const patienceMs = 120_000

  test.each<[OwnerProgramEnd, string]>([
    [{ kind: 'ended', exit: 1 }, 'claude ended with 1'],
    [{ kind: 'ended', exit: 0 }, 'claude ran and did not renew its login'],
    [{ kind: 'killed', signal: 'SIGTERM' }, 'claude was ended by SIGTERM'],
    [{ kind: 'not_started', errno: 'ENOENT' }, 'claude is not on the PATH'],
    [{ kind: 'not_started', errno: 'EACCES' }, 'claude could not be started (EACCES)'],
    [{ kind: 'out_of_patience' }, 'claude did not end within 2 min'],
  ])('%o always has a reason', (end, words) => {
    expect(ownerProgramWords('claude-code', end, patienceMs)).toBe(words)
  })

  test.each([
    ['anthropic:claude-cli', 'Run claude once and log in there', 'claudeCode.renew neighbour'],
    ['openai-codex:codex-cli', 'Run codex once and log in there', 'codexCli.renew never'],
  ])('of %s names what helps', (id, run, setting) => {
    const { hint } = explain(
      {
        code: 'EQ_RENEWAL_NOT_SENT',
        profile: profile(id),
        reason: 'owner_program',
        words: 'it ended with 1',
      },
      FAKE_NOW,
    )
    expect(hint).toContain(run)
    expect(hint).toContain(`equabot config set auth.foreign.${setting}`)
  })
})

test('a renewal that we have started ourselves is nobody else’s', () => {
  const busy = FAULT_SAMPLES.EQ_RENEWAL_BUSY
  expect(explain(busy).message).toContain('by another process')
  const { message } = explain({ ...busy, ours: true })
  expect(message).toContain('goes on by itself')
  expect(message).not.toContain('another process')
})

test("a login's complaint about the client is told once, with the field that it is about", () => {
  const fault = { ...FAULT_SAMPLES.EQ_LOGIN_CONFIG, words: 'invalid_client: unknown client' }
  const { message, hint } = explain(fault)
  expect(message).toContain('(invalid_client: unknown client)')
  expect(hint).toBe(
    'Check models.providers.acme.oauth (clientId) in the config, then: equabot models auth login --provider acme',
  )
  expect(explain({ ...fault, words: '' }).message).toContain('(invalid_client)')
})

describe('an upstream failure', () => {
  test('answers with an HTTP error that is never the 401 of our own door, whatever the provider said', () => {
    fc.assert(
      fc.property(fc.array(attempts, { maxLength: 5 }), attempts, (failed, rejected) => {
        for (const fault of [
          { code: 'EQ_UPSTREAM_FAILED', attempts: failed } as const,
          { code: 'EQ_UPSTREAM_REJECTED', attempt: rejected, body: '' } as const,
        ]) {
          const { http, exit, message } = explain(fault)
          expect(http).toBeGreaterThanOrEqual(400)
          expect(http).toBeLessThanOrEqual(599)
          expect(http).not.toBe(401)
          expect(EXITS).toContain(exit)
          expect(message).not.toBe('')
        }
      }),
    )
  })

  test('names who failed, where, why and in which words', () => {
    const [attempt] = FAULT_SAMPLES.EQ_UPSTREAM_FAILED.attempts
    expect(attempt && attemptWords(attempt)).toBe(
      'anthropic:work at api.anthropic.com: the provider did not accept the credential (HTTP 401): invalid x-api-key',
    )
  })

  test('that no connection came of exits as unreachable and names what to check', () => {
    const [attempt] = FAULT_SAMPLES.EQ_UPSTREAM_FAILED.attempts
    const failed = attempt ? [{ ...attempt, reason: 'network' as const }] : []
    const { exit, hint } = explain({ code: 'EQ_UPSTREAM_FAILED', attempts: failed })
    expect(exit).toBe(69)
    expect(hint).toContain('models.providers.anthropic.baseUrl')
  })

  test('of a login is mended by logging in, of a key by another one', () => {
    const [attempt] = FAULT_SAMPLES.EQ_UPSTREAM_FAILED.attempts
    const hintOf = (login?: 'equabot' | 'claude-code') =>
      explain({
        code: 'EQ_UPSTREAM_FAILED',
        attempts: attempt ? [{ ...attempt, ...(login && { login }) }] : [],
      }).hint
    expect(hintOf('equabot')).toBe(
      'Log in again: equabot models auth login --provider anthropic --profile-id anthropic:work',
    )
    expect(hintOf('claude-code')).toBe('Log in again: claude auth login')
    expect(hintOf()).toContain('paste-token')
  })

  test('that a renewal came to exits as the renewal does', () => {
    const [attempt] = FAULT_SAMPLES.EQ_UPSTREAM_FAILED.attempts
    const exitOf = (fault: Fault) =>
      explain({ code: 'EQ_UPSTREAM_FAILED', attempts: attempt ? [{ ...attempt, fault }] : [] }).exit
    expect(exitOf(FAULT_SAMPLES.EQ_RENEWAL_PUT_OFF)).toBe(75)
    expect(exitOf(FAULT_SAMPLES.EQ_RENEWAL_LOST)).toBe(75)
    expect(exitOf(FAULT_SAMPLES.EQ_GRANT_DEAD)).toBe(1)
  })

  test('tells the caller of the limit that ends, where somebody else failed for good', () => {
    const [attempt] = FAULT_SAMPLES.EQ_UPSTREAM_FAILED.attempts
    const failed = attempt ? [attempt, { ...attempt, reason: 'rate_limit' as const }, attempt] : []
    expect(explain({ code: 'EQ_UPSTREAM_FAILED', attempts: failed }).http).toBe(429)
  })
})

test('a hint names the command where a command helps', () => {
  const hints = {
    EQ_CREDENTIAL_NONE:
      'equabot models auth paste-token --provider anthropic, or set ANTHROPIC_API_KEY',
    EQ_UPSTREAM_FAILED: 'equabot models auth paste-token --provider anthropic',
    EQ_GATEWAY_DOWN: 'equabot gateway run',
    EQ_STORE_SYNTAX: 'equabot models auth restore --agent main',
    EQ_PROFILE_INHERITED: 'equabot models auth remove anthropic:work --agent main',
    EQ_MODEL_NO_DEFAULT: 'equabot models set ollama/<model>',
  } as const
  for (const [code, hint] of Object.entries(hints)) {
    const sample = SAMPLES.find((fault) => fault.code === code)
    expect(sample && explain(sample, FAKE_NOW).hint).toContain(hint)
  }
})

test('what a user or a file wrote is shown on one short, printable line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      const { message } = explain({ code: 'EQ_NAME_INVALID', what: 'agent', text })
      expect(message).toMatch(/^[\x20-\x7e\u00a1-\u024f…]*$/)
      expect(message.length).toBeLessThan(140)
    }),
  )
})

test('a fault that a gateway passed on keeps its own code', () => {
  expect(shownCode(FAULT_SAMPLES.EQ_GATEWAY_ANSWER)).toBe('EQ_SESSION_BUSY')
  expect(shownCode(FAULT_SAMPLES.EQ_SESSION_BUSY)).toBe('EQ_SESSION_BUSY')
})
