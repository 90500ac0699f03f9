import { describe, expect, test } from 'vitest'
import type { LoginFault } from '../../src/domain/fault.ts'
import type { Profile } from '../../src/domain/profile.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail, ok } from '../../src/domain/result.ts'
import type { IssuedTokens } from '../../src/domain/renewal-ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { aBook, aProfile } from '../../src/testing.ts'
import type { LoginMachine, Person } from './login-app.ts'
import { loginApp, ran } from './login-app.ts'

const LOGIN = ['models', 'auth', 'login', '--provider', 'sandbox'] as const
const LOGOUT = ['models', 'auth', 'logout', 'sandbox:work'] as const
const URL_SHOWN = 'https://login.example.com/sandbox'

const tokens = (): Result<IssuedTokens, LoginFault> =>
  ok({
    access: new Secret('fake-access-canary'),
    refresh: new Secret('fake-refresh-canary'),
    lifetimeMs: 60_000,
    email: 'me@example.com',
  })

function machine(more: LoginMachine = {}) {
  return loginApp({ logins: { tokens }, ...more })
}

function oauth(email: string, more: Partial<Profile> = {}): Profile {
  return aProfile('sandbox:work', {
    credential: {
      type: 'oauth',
      access: new Secret('fake-access-old'),
      refresh: new Secret('fake-refresh-old'),
      email,
    },
    ...more,
  })
}

describe('login', () => {
  test('opens the page, waits, and says whose login is kept where', async () => {
    const at = machine({ browser: 'works' })
    const { exit, out, err } = await ran(LOGIN, at)
    expect(exit).toBe(0)
    expect(at.opened).toEqual([URL_SHOWN])
    expect(err).toContain('opens in your browser')
    expect(err).toContain(`\n\n  ${URL_SHOWN}\n\n`)
    expect(err).toContain('Waiting up to 5 min')
    expect(out).toMatch(/^Logged in to Sandbox .* as me@example\.com\n/)
    expect(out).toMatch(/Profile +sandbox:me@example\.com \(new\)/)
    expect(out).toMatch(/Access +ends in 1 min \(2026-01-01 00:01 UTC\), and is renewed by itself/)
    expect(out).toMatch(/Book +~\/\.equabot\/agents\/main\/agent\/auth-profiles\.json/)
    expect(out).toMatch(/Next: equabot models status\n$/)
    expect(out + err).not.toMatch(/canary/)
    expect(at.logins.open()).toBe(0)
  })

  test.each<readonly [string, LoginMachine, readonly string[], readonly string[]]>([
    ['fails', { browser: 'fails' }, [], [URL_SHOWN]],
    ['is not wanted', { browser: 'works' }, ['--no-browser'], []],
    ['is not at hand', {}, [], []],
  ])('prints the address when a browser %s', async (_how, more, options, opened) => {
    const at = machine(more)
    const { exit, err } = await ran([...LOGIN, ...options], at)
    expect({ exit, opened: at.opened }).toEqual({ exit: 0, opened })
    expect(err).toContain(`Open this address in a browser on this machine:\n\n  ${URL_SHOWN}\n`)
  })

  test('on a host without a browser lets the person bring the answer', async () => {
    const at = machine()
    const { exit, err, asked } = await ran(LOGIN, at, { answers: { secret: 'an answer' } })
    expect(exit).toBe(0)
    expect(err).toContain(`Open this address in any browser, and agree:\n\n  ${URL_SHOWN}\n`)
    expect(asked).toEqual(['Paste that address (it will not be shown)'])
    expect(at.opened).toEqual([])
  })

  test('takes a piped answer with --paste', async () => {
    const given: string[] = []
    const logins: LoginMachine['logins'] = {
      tokens(answer) {
        given.push(answer)
        return tokens()
      },
    }
    const at = machine({ browser: 'works', logins })
    const { exit } = await ran([...LOGIN, '--paste'], at, { input: 'a piped answer\n' })
    expect({ exit, given, opened: at.opened }).toEqual({
      exit: 0,
      given: ['a piped answer\n'],
      opened: [],
    })
  })

  test('asks again for a slip of the paste, three times at most', async () => {
    const person: Person = { answers: { secret: 'slip' } }
    const slip = fail({ code: 'EQ_LOGIN_ANSWER', expected: 'an address' } as const)
    let slips = 0
    const logins: LoginMachine['logins'] = { tokens: () => (++slips < 3 ? slip : tokens()) }
    const mended = await ran(LOGIN, machine({ logins }), person)
    expect(mended.exit).toBe(0)
    expect(mended.err.match(/Once more/g)).toHaveLength(2)
    const never = await ran(LOGIN, machine({ logins: { tokens: () => slip } }), person)
    expect(never.exit).toBe(64)
    expect(never.asked).toHaveLength(3)
    const piped = await ran([...LOGIN, '--paste'], machine({ logins: { tokens: () => slip } }))
    expect(piped.exit).toBe(64)
  })

  test.each([
    ['Ctrl-C while a paste is waited for', {}, { answers: {} }, 130],
    ['a refusal', { logins: { tokens: () => fail(DENIED) } }, {}, 1],
    ['a page that cannot be had', { logins: { begin: DENIED } }, {}, 1],
  ] as const)('%s changes nothing', async (_what, more, person, code) => {
    const at = machine(more)
    const { exit, out, err } = await ran(LOGIN, at, person)
    expect({ exit, out, saves: at.profiles.saves(), open: at.logins.open() }).toEqual({
      exit: code,
      out: '',
      saves: 0,
      open: 0,
    })
    expect(err).toMatch(/nothing was changed/)
  })

  test('says when it has the answer and asks for the tokens', async () => {
    const { err } = await ran(LOGIN, machine())
    expect(err).toMatch(/Waiting up to .* for the answer…\nAsking .* for the tokens …\n/)
  })

  test('names the whole command that starts it again', async () => {
    const timeout = { code: 'EQ_LOGIN_TIMEOUT', waitedMs: 300_000 } as const
    const at = machine({ logins: { tokens: () => fail(timeout) } })
    const { err } = await ran([...LOGIN, '--profile-id', 'work'], at)
    expect(err).toContain(
      'Start again: equabot models auth login --provider sandbox --profile-id sandbox:work',
    )
  })

  test('of an empty input says that nothing was pasted', async () => {
    const { exit, err } = await ran([...LOGIN, '--paste'], machine(), { input: '' })
    expect(exit).toBe(64)
    expect(err).toContain('Nothing was pasted')
  })

  test('tells programs the same as data, and no secret', async () => {
    const at = machine({ books: { main: aBook(oauth('me@example.com')) } })
    const { exit, out } = await ran([...LOGIN, '--json'], at)
    expect(exit).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      profile: 'sandbox:work',
      account: 'me@example.com',
      replaced: true,
      replacedLogin: { kind: 'revoked' },
    })
    expect(out).not.toMatch(/canary|fake-/)
  })

  const REPLACING = [...LOGIN, '--profile-id', 'work'] as const

  const QUESTION =
    'sandbox:work is the login of you@example.com. Replace it by the one of me@example.com?'
  const overAnother = async (argv: readonly string[], person: Person) => {
    const at = machine({ books: { main: aBook(oauth('you@example.com')) } })
    const { exit, err, asked } = await ran(argv, at, person)
    const revoked = at.logins.revocations.map(({ token }) => token.reveal())
    return { exit, err, asked: asked.filter((question) => !question.startsWith('Paste')), revoked }
  }

  test.each<readonly [string, Person, readonly string[]]>([
    ['nobody can be asked', {}, []],
    ['the person says no', { answers: { secret: 'x', yes: false } }, [QUESTION]],
  ])("another account's login stays when %s; the new one is given back", async (_who, ...given) => {
    const [person, asked] = given
    expect(await overAnother(REPLACING, person)).toEqual({
      exit: 1,
      err: expect.stringContaining('sandbox:work is the login of you@example.com'),
      asked,
      revoked: ['fake-refresh-canary'],
    })
  })

  test.each<readonly [string, readonly string[], Person, readonly string[]]>([
    ['the person says yes', [], { answers: { secret: 'x', yes: true } }, [QUESTION]],
    ['--yes was given', ['--yes'], {}, []],
  ])("another account's login is replaced when %s", async (_who, more, person, asked) => {
    expect(await overAnother([...REPLACING, ...more], person)).toMatchObject({
      exit: 0,
      asked,
      revoked: ['fake-refresh-old'],
    })
  })

  test.each([
    [['--provider', 'openai'], 64, /there is no tokenUrl/],
    [['--provider', 'nosuch'], 64, /nosuch/],
    [['--provider', 'sandbox', '--profile-id', 'groq:x'], 64, /not a profile of sandbox/],
    [['--provider', 'sandbox', '--agent', 'no one'], 64, /no one/],
    [[], 64, /--provider/],
  ])('models auth login %j', async (options, code, words) => {
    const { exit, err } = await ran(['models', 'auth', 'login', ...options], machine())
    expect(exit).toBe(code)
    expect(err).toMatch(words)
  })
})

const DENIED = { code: 'EQ_LOGIN_DENIED', error: 'access_denied', words: 'no' } as const

describe('logout', () => {
  test('asks, ends the login at its provider, and forgets it', async () => {
    const at = machine({ books: { main: aBook(oauth('me@example.com')) } })
    const { exit, out, asked } = await ran(LOGOUT, at, { answers: { yes: true } })
    expect(exit).toBe(0)
    expect(asked).toEqual(['Log out sandbox:work?'])
    expect(out).toBe(
      'Logged out sandbox:work from agent main\n  The login was revoked at sandbox.\n',
    )
    expect(at.profiles.book().profiles.size).toBe(0)
  })

  test('says why a login was not ended at its provider', async () => {
    const failing: LoginFault = { code: 'EQ_LOGIN_FAILED', host: 'h', words: 'down', status: 503 }
    const at = machine({
      books: { main: aBook(oauth('me@example.com')) },
      logins: { revoke: failing },
    })
    const { exit, out } = await ran([...LOGOUT, '--yes', '--json'], at)
    expect(exit).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      removed: true,
      revocation: { kind: 'failed', error: { code: 'EQ_LOGIN_FAILED' } },
    })
    const again = machine({
      books: { main: aBook(oauth('me@example.com')) },
      logins: { revoke: failing },
    })
    const told = await ran([...LOGOUT, '--yes'], again)
    expect(told.out).toContain(
      'The login is removed here and still valid at sandbox: revoking it failed (h failed (HTTP 503): down).',
    )
    expect(told.out).toContain('End it there')
    expect(told.out).not.toContain('nothing was changed')
    const borrowed = oauth('me@example.com', { origin: 'claude-code' })
    const other = machine({ books: { main: aBook(borrowed) } })
    const lent = await ran([...LOGOUT, '--yes'], other)
    expect(lent.out).toContain('comes back at the next sync while Claude Code is logged in')
    expect(lent.out).toContain('equabot config set auth.foreign.claudeCode.enabled false')
    expect(other.logins.revocations).toEqual([])
  })

  test('of a key is a removal; `remove` ends a login too', async () => {
    const key = machine({ books: { main: aBook(aProfile('sandbox:work')) } })
    expect((await ran([...LOGOUT, '--yes'], key)).out).toBe(
      'Logged out sandbox:work from agent main\n',
    )
    const real = machine({ books: { main: aBook(aProfile('anthropic:work')) } })
    const { out } = await ran(['models', 'auth', 'logout', 'anthropic:work', '--yes'], real)
    expect(out).toContain('The API key itself goes on living at anthropic.')
    expect(out).toContain('To end it there: https://console.anthropic.com/settings/keys')
    const login = machine({ books: { main: aBook(oauth('me@example.com')) } })
    const removed = await ran(['models', 'auth', 'remove', 'sandbox:work', '--yes'], login)
    expect(removed.out).toBe(
      'Removed sandbox:work from agent main\n  The login was revoked at sandbox.\n',
    )
  })

  test('without a yes changes nothing', async () => {
    const at = machine({ books: { main: aBook(oauth('me@example.com')) } })
    expect((await ran(LOGOUT, at)).exit).toBe(64)
    expect((await ran(LOGOUT, at, { answers: { yes: false } })).exit).toBe(1)
    expect(at.profiles.saves()).toBe(0)
    expect(at.logins.revocations).toEqual([])
  })
})
