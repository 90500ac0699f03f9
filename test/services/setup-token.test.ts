import { describe, expect, test } from 'vitest'

import { orThrow } from '../../src/domain/equabot-error.ts'
import type { Fault } from '../../src/domain/fault.ts'
import { MAIN_AGENT, parseProviderId } from '../../src/domain/names.ts'
import type { ProgramEnd } from '../../src/domain/ports.ts'
import type { Result } from '../../src/domain/result.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { DAY_MS, HOUR_MS } from '../../src/domain/time.ts'
import type { SetupTokenPlan, SetupTokens } from '../../src/services/setup-token.ts'
import { createSetupTokens } from '../../src/services/setup-token.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { CHAT_CODECS } from '../../src/wire/chat-codecs.ts'
import { ANTHROPIC } from '../arbitrary-worlds.ts'
import { agent, profile } from '../names-from.ts'
import type { Furnishing, House } from './house.ts'
import { house, outcome, sentKey } from './house.ts'

const TOKEN = `sk-ant-oat01-${'FakeTok1'.repeat(12)}-AA`
const CLI = profile('anthropic:claude-cli')
const never = new AbortController().signal

interface Bench extends House {
  readonly tokens: SetupTokens
  readonly ran: string[][]
}

function bench(
  furnishing: Furnishing = {},
  program: { readonly path?: string; readonly end?: ProgramEnd } = { path: '/opt/bin/claude' },
): Bench {
  const at = house(furnishing)
  const ran: string[][] = []
  const tokens = createSetupTokens({
    ...at,
    codecs: CHAT_CODECS,
    programs: {
      find: async () => program.path,
      async run(path, args) {
        ran.push([path, ...args])
        return program.end ?? { kind: 'ended', exit: 0 }
      },
    },
  })
  return { ...at, tokens, ran }
}

async function planned(
  at: Bench,
  wanted?: string,
  who = MAIN_AGENT,
): Promise<Result<SetupTokenPlan, Fault>> {
  const world = orThrow(await at.loadWorld(who))
  const facts = world.providers.get(ANTHROPIC)
  if (!facts?.setupToken) throw new Error('anthropic issues setup-tokens')
  const { setupToken } = facts
  return at.tokens.plan(
    world,
    { ...facts, setupToken },
    wanted === undefined ? undefined : profile(wanted),
  )
}

const borrowed = (expiresAt: number) =>
  aProfile('anthropic:claude-cli', {
    origin: 'claude-code',
    place: '/home/me/.claude/.credentials.json',
    credential: { type: 'oauth', access: new Secret('fake-access-of-another'), expiresAt },
  })

describe('the plan', () => {
  test('names the profile of Claude Code and the program, and changes nothing', async () => {
    const at = bench()
    expect(orThrow(await planned(at))).toMatchObject({
      agent: 'main',
      profile: 'anthropic:claude-cli',
      path: '/opt/bin/claude',
    })
    expect(orThrow(await planned(at, 'anthropic:work')).profile).toBe('anthropic:work')
    expect(at.profiles.saves()).toBe(0)
    expect(at.ran).toEqual([])
  })

  test('leaves a borrowed login in use alone, and takes the place of one that has ended', async () => {
    const used = bench({ books: { main: aBook(borrowed(FAKE_NOW + HOUR_MS)) } })
    expect(orThrow(await planned(used))).toMatchObject({
      profile: 'anthropic:setup-token',
      leaves: 'anthropic:claude-cli',
    })
    expect(outcome(await planned(used, 'anthropic:claude-cli'))).toBe('EQ_PROFILE_BORROWED')
    const ended = bench({ books: { main: aBook(borrowed(FAKE_NOW - HOUR_MS)) } })
    const plan = orThrow(await planned(ended))
    expect(plan.profile).toBe(CLI)
    expect(plan).not.toHaveProperty('leaves')
  })

  test('does not hide a borrowed login that an agent inherits', async () => {
    const at = bench({
      config: { agents: { list: [{ id: 'work' }] } },
      books: { main: aBook(borrowed(FAKE_NOW + HOUR_MS)) },
    })
    expect(orThrow(await planned(at, undefined, agent('work')))).toMatchObject({
      agent: 'work',
      profile: 'anthropic:setup-token',
    })
  })

  test('leaves a login alone that its owner has at home, though the book does not hold it yet', async () => {
    const at = bench()
    const world = orThrow(await at.loadWorld())
    const facts = world.providers.get(ANTHROPIC)
    if (!facts?.setupToken) throw new Error('anthropic issues setup-tokens')
    const seen = (expiresAt: number | undefined): typeof world => ({
      ...world,
      foreign: [
        {
          origin: 'claude-code',
          grant: '0'.repeat(32) as never,
          place: '/home/me/.claude/.credentials.json',
          reading: ok({
            origin: 'claude-code',
            place: '/home/me/.claude/.credentials.json',
            access: new Secret('fake-access-of-another'),
            type: 'oauth',
            ...(expiresAt !== undefined && { expiresAt }),
          }),
        },
      ],
    })
    const issuer = { ...facts, setupToken: facts.setupToken }
    const profileFor = async (expiresAt: number | undefined): Promise<string> =>
      orThrow(await at.tokens.plan(seen(expiresAt), issuer, undefined)).profile
    expect(await profileFor(FAKE_NOW + HOUR_MS)).toBe('anthropic:setup-token')
    expect(await profileFor(undefined)).toBe('anthropic:setup-token')
    expect(await profileFor(FAKE_NOW)).toBe('anthropic:claude-cli')
  })

  test.each([
    ['groq:work', 'EQ_PROFILE_FOREIGN'],
    ['anthropic:env', 'EQ_PROFILE_RESERVED'],
  ])('refuses %s with %s', async (name, code) => {
    expect(outcome(await planned(bench(), name))).toBe(code)
  })

  test('without the program says what to do instead, with the profile that was wanted', async () => {
    const missing = await planned(bench({}, {}), 'anthropic:work')
    expect(missing).toMatchObject({
      ok: false,
      fault: {
        code: 'EQ_PROGRAM_MISSING',
        program: 'claude',
        instead: expect.stringContaining('--profile-id anthropic:work --expires-in 365d'),
      },
    })
  })
})

describe('showing', () => {
  test('runs the program by its path with its arguments', async () => {
    const at = bench()
    expect((await at.tokens.show(orThrow(await planned(at)), never)).ok).toBe(true)
    expect(at.ran).toEqual([['/opt/bin/claude', 'setup-token']])
  })

  test.each([
    [{ kind: 'ended', exit: 3 }, 'EQ_PROGRAM_FAILED'],
    [{ kind: 'interrupted' }, 'EQ_INTERRUPTED'],
  ] as const)('%o is %s', async (end, code) => {
    const at = bench({}, { path: '/opt/bin/claude', end })
    expect(outcome(await at.tokens.show(orThrow(await planned(at)), never))).toBe(code)
  })
})

describe('storing', () => {
  test('keeps the day of issue and a year from it; config accepts a login there too', async () => {
    const at = bench()
    at.clock.advance(5_000)
    const issuedAt = FAKE_NOW + 5_000
    const stored = orThrow(
      await at.tokens.store(
        orThrow(await planned(at)),
        `${TOKEN.slice(0, 80)}\n ${TOKEN.slice(80)}`,
      ),
    )
    expect(stored).toMatchObject({
      profile: 'anthropic:claude-cli',
      type: 'token',
      issuedAt,
      expiresAt: issuedAt + 365 * DAY_MS,
    })
    const held = at.profiles.book().profiles.get(CLI)
    expect(held).toMatchObject({
      storedAt: issuedAt,
      origin: 'equabot',
      credential: { type: 'token', issuedAt, expiresAt: issuedAt + 365 * DAY_MS },
    })
    expect(at.settings.raw()).toEqual({
      auth: { profiles: { 'anthropic:claude-cli': { provider: 'anthropic', mode: 'oauth' } } },
    })
  })

  test.each([
    ['an API key', `sk-ant-api03-${'FakeKey0'.repeat(12)}-AA`, 'EQ_SECRET_KEY'],
    ['a word', 'nonsense', 'EQ_SECRET_TRUNCATED'],
    ['the beginning of something unknown', 'ab1'.repeat(13), 'EQ_SECRET_TRUNCATED'],
  ])('%s is no setup-token, and changes nothing', async (_what, text, code) => {
    const at = bench()
    const stored = await at.tokens.store(orThrow(await planned(at)), text)
    expect(outcome(stored)).toBe(code)
    expect(at.profiles.saves()).toBe(0)
  })

  test('what begins otherwise and is as long as a token is taken with a warning', async () => {
    const at = bench()
    const stored = await at.tokens.store(orThrow(await planned(at)), 'ab12'.repeat(10))
    expect(orThrow(stored)).toMatchObject({ type: 'token', unfamiliar: true })
  })

  test('half a token changes nothing', async () => {
    const at = bench()
    const stored = await at.tokens.store(orThrow(await planned(at)), TOKEN.slice(0, 80))
    expect(outcome(stored)).toBe('EQ_SECRET_TRUNCATED')
    expect(at.profiles.saves()).toBe(0)
  })
})

describe('verifying', () => {
  const body = [
    'event: message_start\ndata: {"type":"message_start","message":{"usage":{}}}\n\n',
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  ].join('')

  async function storedIn(at: Bench): Promise<SetupTokenPlan> {
    const plan = orThrow(await planned(at))
    orThrow(await at.tokens.store(plan, TOKEN))
    return plan
  }

  test('sends one token of one message, with this profile and no other', async () => {
    const other = aProfile('anthropic:other')
    const at = bench({
      books: { main: aBook(other) },
      upstream: () => anAnswer(200, {}, body),
    })
    const plan = await storedIn(at)
    expect(outcome(await at.tokens.verify(plan, never))).toBeUndefined()
    expect(at.upstream.requests).toHaveLength(1)
    expect(sentKey(at.upstream.requests[0])).toBe(TOKEN)
    expect(JSON.parse(String(at.upstream.requests[0]?.body))).toMatchObject({
      model: 'claude-sonnet-5-5',
      max_tokens: 1,
    })
    expect(at.states.state().profiles.get(CLI)).toMatchObject({ lastGoodAt: FAKE_NOW })
  })

  test('asks for the model that the agent uses of this provider', async () => {
    const at = bench({
      config: {
        agents: {
          defaults: { model: { primary: 'groq/x', fallbacks: ['anthropic/claude-tiny'] } },
        },
      },
      upstream: () => anAnswer(200, {}, body),
    })
    orThrow(await at.tokens.verify(await storedIn(at), never))
    expect(JSON.parse(String(at.upstream.requests[0]?.body))).toMatchObject({
      model: 'claude-tiny',
    })
  })

  test('a refusal is recorded, tried with nobody else, and the token stays', async () => {
    const words = 'This credential is only authorized for use with Claude Code'
    const error = JSON.stringify({
      type: 'error',
      error: { type: 'permission_error', message: words },
    })
    const at = bench({
      books: { main: aBook(aProfile('anthropic:other')) },
      upstream: () => anAnswer(403, {}, error),
    })
    const verified = await at.tokens.verify(await storedIn(at), never)
    expect(verified).toMatchObject({
      ok: false,
      fault: { code: 'EQ_UPSTREAM_FAILED', attempts: [{ profile: CLI, reason: 'permission' }] },
    })
    expect(at.upstream.requests).toHaveLength(1)
    expect(at.profiles.book().profiles.has(CLI)).toBe(true)
    expect(at.states.state().profiles.get(CLI)?.refusedPolicy?.words).toContain('Claude Code')
  })

  test('an error inside a stream is one; a stream that is only cut is not', async () => {
    const error = 'event: error\ndata: {"type":"error","error":{"message":"overloaded"}}\n\n'
    const word = 'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"H"}}\n\n'
    const verified = async (text: string): Promise<unknown> => {
      const at = bench({ upstream: () => anAnswer(200, {}, text) })
      return outcome(await at.tokens.verify(await storedIn(at), never))
    }
    expect(await verified(error)).toBe('EQ_UPSTREAM_FAILED')
    expect(await verified(word + error)).toBe('EQ_UPSTREAM_CUT')
    expect(await verified(word)).toBeUndefined()
  })
})

test('only anthropic issues setup-tokens', async () => {
  const world = orThrow(await bench().loadWorld())
  const issuers = [...world.providers.values()].filter((facts) => facts.setupToken)
  expect(issuers.map(({ id }) => id)).toEqual([parseProviderId('anthropic')])
})
