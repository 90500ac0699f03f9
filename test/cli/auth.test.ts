import { describe, expect, it } from 'vitest'
import type { AgentId, ProfileId, SessionId } from '../../src/domain/names.ts'
import { bearerOf } from '../../src/domain/credential.ts'
import { Secret } from '../../src/domain/secret.ts'
import { DAY_MS, HOUR_MS } from '../../src/domain/time.ts'
import { aBook, aProfile, FAKE_NOW, plainFingerprint } from '../../src/testing.ts'
import type { LoginApp } from './login-app.ts'
import { FAKE_KEY, FAKE_TOKEN, loginApp, ran, token } from './login-app.ts'

const PASTE = ['models', 'auth', 'paste-token', '--provider', 'anthropic']
const DAMAGE = {
  code: 'EQ_STORE_SYNTAX',
  path: '/state/agents/main/agent/auth-profiles.json',
  line: 1,
  column: 1,
} as const

function stored({ profiles }: LoginApp, id: string) {
  const profile = profiles.book().profiles.get(id as ProfileId)
  return profile && { ...profile, text: bearerOf(profile.credential).reveal() }
}

describe('paste-token', () => {
  it('takes the secret from standard input and says what is where, but not the secret', async () => {
    const machine = loginApp()
    const { exit, out, err } = await ran([...PASTE, '--expires-in', '365d'], machine, {
      input: `export TOKEN="${FAKE_TOKEN.slice(0, 60)}\r\n${FAKE_TOKEN.slice(60)}"\r\n`,
    })
    expect({ exit, err }).toEqual({ exit: 0, err: '' })
    expect(out).toContain('Stored anthropic:manual')
    expect(out).toContain(plainFingerprint(new Secret(FAKE_TOKEN)))
    expect(out).toContain('in 365 days (2027-01-01 00:00 UTC)')
    expect(out).toContain('~/.equabot/agents/main/agent/auth-profiles.json')
    expect(out).toContain('Next: equabot models status')
    expect(out).not.toContain(FAKE_TOKEN.slice(-6))
    expect(stored(machine, 'anthropic:manual')).toMatchObject({
      text: FAKE_TOKEN,
      credential: { type: 'token', expiresAt: FAKE_NOW + 365 * DAY_MS },
    })
    expect(machine.settings.raw()).toMatchObject({
      auth: { profiles: { 'anthropic:manual': { provider: 'anthropic', mode: 'token' } } },
    })
  })

  it('asks without echo where somebody can be asked', async () => {
    const machine = loginApp()
    const person = { answers: { secret: FAKE_KEY } }
    const { exit, out, asked } = await ran([...PASTE, '--profile-id', 'work'], machine, person)
    expect(exit).toBe(0)
    expect(asked).toEqual([expect.stringContaining('Anthropic')])
    expect(out).toMatch(/Type +api_key/)
    expect(stored(machine, 'anthropic:work')?.text).toBe(FAKE_KEY)
  })

  it('writes nothing on Ctrl-C', async () => {
    const machine = loginApp()
    const { exit, err } = await ran(PASTE, machine, { answers: {} })
    expect(exit).toBe(130)
    expect(err).toContain('nothing was changed')
    expect(machine.profiles.saves()).toBe(0)
    expect(machine.settings.raw()).toEqual({})
  })

  it.each([
    ['nothing', '', 'Nothing was pasted'],
    ['half a token', FAKE_TOKEN.slice(0, 50), 'cut off'],
    ['a placeholder', 'your-api-key', 'placeholder'],
    ['words', 'my key is abc', 'visible ASCII'],
  ])('refuses %s and changes nothing', async (_, input, words) => {
    const machine = loginApp()
    const { exit, err } = await ran(PASTE, machine, { input })
    expect(exit).toBe(64)
    expect(err).toContain(words)
    expect(machine.profiles.saves()).toBe(0)
  })

  it.each([
    ['an unknown provider', ['--provider', 'antropic'], 'Did you mean anthropic?'],
    ['an impossible duration', ['--expires-in', 'banana'], 'not a length of time'],
    ['a profile of another provider', ['--profile-id', 'openai:x'], 'not a profile of anthropic'],
    ['a reserved name', ['--profile-id', 'env'], 'gives to keys outside the book'],
    ['an impossible name', ['--profile-id', 'a b'], 'cannot serve as profile name'],
    ['an unknown agent', ['--agent', 'nobody'], 'There is no agent'],
    ['an end for an api_key', ['--type', 'api_key', '--expires-in', '1d'], 'no end of its own'],
  ])('refuses %s before it asks for the secret', async (_, options, words) => {
    const machine = loginApp()
    const person = { answers: { secret: FAKE_TOKEN } }
    const { exit, err, asked } = await ran([...PASTE, ...options], machine, person)
    expect({ exit, asked }).toEqual({ exit: 64, asked: [] })
    expect(err).toContain(words)
    expect(machine.profiles.saves()).toBe(0)
  })

  it('does not ask for a secret that an unreadable book could not take', async () => {
    const machine = loginApp({ damage: DAMAGE })
    const person = { answers: { secret: FAKE_TOKEN } }
    expect(await ran(PASTE, machine, person)).toMatchObject({ exit: 65, asked: [] })
  })

  it('says that it replaced a profile, and that it does not look like its provider', async () => {
    const machine = loginApp({ books: { main: aBook(aProfile('anthropic:manual')) } })
    const { out } = await ran(PASTE, machine, { input: 'an-odd-secret-0123' })
    expect(out).toContain('Replaced anthropic:manual')
    expect(out).toContain('does not begin as secrets of this provider')
  })

  it('says what it did to an order that is set', async () => {
    const book = aBook(aProfile('anthropic:work'))
    const machine = loginApp({ books: { main: book } })
    const order = ['models', 'auth', 'order', 'set', '--provider', 'anthropic', 'anthropic:work']
    await ran(order, machine)
    const { out } = await ran(PASTE, machine, { input: FAKE_TOKEN })
    expect(out).toContain("first in the agent's order")
  })

  it('prints plain facts with --json and no secret', async () => {
    const { out } = await ran([...PASTE, '--json'], loginApp(), { input: FAKE_TOKEN })
    expect(JSON.parse(out)).toMatchObject({ profile: 'anthropic:manual', type: 'token' })
    expect(out).not.toContain(FAKE_TOKEN.slice(-6))
  })
})

describe('add', () => {
  it('asks for the provider, then for the secret', async () => {
    const machine = loginApp()
    const person = { answers: { choice: 'openrouter', secret: 'sk-or-v1-' + 'fa4e'.repeat(16) } }
    const { exit, asked } = await ran(['models', 'auth', 'add'], machine, person)
    expect(exit).toBe(0)
    expect(asked).toHaveLength(2)
    expect(stored(machine, 'openrouter:manual')).toBeDefined()
  })

  it('names paste-token where nobody can be asked', async () => {
    const { exit, err } = await ran(['models', 'auth', 'add'])
    expect(exit).toBe(64)
    expect(err).toContain('equabot models auth paste-token --provider <provider>')
  })
})

describe('list', () => {
  it('shows fingerprints and ends, never secrets', async () => {
    const book = aBook(aProfile('anthropic:work', { credential: token(FAKE_NOW + DAY_MS) }))
    const machine = loginApp({ books: { main: book }, variables: { OPENAI_API_KEY: FAKE_KEY } })
    const { out } = await ran(['models', 'auth', 'list'], machine)
    expect(out).toMatch(/^anthropic:work +token +[0-9a-f]{8} +expiring +in 24 h \(2026-01-02/m)
    expect(out).toMatch(/^openai:env +api_key .*OPENAI_API_KEY from the environment/m)
    for (const secret of [FAKE_TOKEN, FAKE_KEY]) expect(out).not.toContain(secret.slice(-6))
  })

  it('keeps to --provider', async () => {
    const book = aBook(aProfile('anthropic:work'), aProfile('openai:work'))
    const machine = loginApp({ books: { main: book } })
    const argv = ['models', 'auth', 'list', '--provider', 'openai', '--json']
    const { providers } = JSON.parse((await ran(argv, machine)).out)
    expect(providers.map((entry: { provider: string }) => entry.provider)).toEqual(['openai'])
  })

  it('does not pass off an unreadable book as an empty one', async () => {
    const { exit, err } = await ran(['models', 'auth', 'list'], loginApp({ damage: DAMAGE }))
    expect(exit).toBe(65)
    expect(err).toContain('not valid JSON')
  })
})

describe('order', () => {
  const two = () =>
    loginApp({ books: { main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b')) } })
  const order = (verb: string, ...ids: string[]) => [
    'models',
    'auth',
    'order',
    verb,
    '--provider',
    'anthropic',
    ...ids,
  ]

  it('set prints the order as it will be resolved', async () => {
    const { exit, out } = await ran(order('set', 'anthropic:b', 'anthropic:a'), two())
    expect(exit).toBe(0)
    expect(out).toMatch(/^Resolved now +anthropic:b, anthropic:a$/m)
  })

  it('get tells a set order from none', async () => {
    const machine = two()
    expect((await ran(order('get'), machine)).out).toMatch(/^Agent's order +none is set$/m)
    await ran(order('set', 'anthropic:b'), machine)
    const { out } = await ran([...order('get'), '--json'], machine)
    expect(JSON.parse(out)).toMatchObject({ own: ['anthropic:b'], resolved: ['anthropic:b'] })
  })

  it('clear goes back, also when none was set', async () => {
    const machine = two()
    await ran(order('set', 'anthropic:b'), machine)
    const first = JSON.parse((await ran([...order('clear'), '--json'], machine)).out)
    const second = JSON.parse((await ran([...order('clear'), '--json'], machine)).out)
    expect([first.cleared, second.cleared]).toEqual([true, false])
    expect(first.resolved).toEqual(['anthropic:a', 'anthropic:b'])
  })

  it.each([
    ['an unknown profile', ['anthropic:c']],
    ['a profile of another provider', ['openai:a']],
  ])('set refuses %s and changes nothing', async (_, ids) => {
    const machine = two()
    expect((await ran(order('set', ...ids), machine)).exit).toBe(64)
    expect(machine.profiles.saves()).toBe(0)
  })
})

describe('explain', () => {
  it('lists every candidate in order with its reason', async () => {
    const book = aBook(
      aProfile('anthropic:old', { credential: token(FAKE_NOW - HOUR_MS) }),
      aProfile('anthropic:work', { credential: token() }),
    )
    const machine = loginApp({ books: { main: book }, variables: { ANTHROPIC_API_KEY: FAKE_KEY } })
    const { exit, out } = await ran(['models', 'auth', 'explain'], machine)
    expect(exit).toBe(0)
    expect(out).toMatch(/^Next +anthropic:work$/m)
    const heads = out.match(/^ {2}(?:\d\.|-) {2}\S+/gm)
    expect(heads).toEqual(['  1.  anthropic:work', '  2.  anthropic:env', '  -  anthropic:old'])
    expect(out).toContain('expired 1 h ago')
  })

  it('exits 1 when nothing can serve', async () => {
    const config = { agents: { defaults: { model: 'openai/gpt-5.1' } } }
    const { exit, out } = await ran(['models', 'auth', 'explain'], loginApp({ config }))
    expect(exit).toBe(1)
    expect(out).toContain('none can serve')
    expect(out).toMatch(
      /Candidates\n  None\. Add one: equabot models auth paste-token --provider openai/,
    )
  })

  it('refuses an unknown session', async () => {
    const { exit, err } = await ran(['models', 'auth', 'explain', '--session', 'monday'])
    expect(exit).toBe(64)
    expect(err).toContain('no session "monday"')
  })
})

describe('remove', () => {
  const machineWithPin = () =>
    loginApp({
      books: { main: aBook(aProfile('anthropic:work')) },
      sessions: [
        {
          id: 'monday' as SessionId,
          agent: 'main' as AgentId,
          createdAt: FAKE_NOW,
          updatedAt: FAKE_NOW,
          turns: 1,
          pin: { profile: 'anthropic:work' as ProfileId, source: 'user' },
        },
      ],
    })
  const REMOVE = ['models', 'auth', 'remove', 'anthropic:work']

  it('needs --yes where nobody can be asked', async () => {
    const machine = machineWithPin()
    const { exit, err } = await ran(REMOVE, machine)
    expect(exit).toBe(64)
    expect(err).toContain('--yes')
    expect(machine.profiles.saves()).toBe(0)
  })

  it('says before and after what used it', async () => {
    const machine = machineWithPin()
    const { exit, out, asked } = await ran(REMOVE, machine, { answers: { yes: true } })
    expect(exit).toBe(0)
    for (const text of [asked[0], out]) expect(text).toContain('main/monday')
    expect(stored(machine, 'anthropic:work')).toBeUndefined()
  })

  it.each([
    ['no', { yes: false }, 1],
    ['Ctrl-C', {}, 130],
  ])('changes nothing on %s', async (_, answers, code) => {
    const machine = machineWithPin()
    expect((await ran(REMOVE, machine, { answers })).exit).toBe(code)
    expect(machine.profiles.saves()).toBe(0)
  })

  it('says which profile was nearly meant', async () => {
    const argv = ['models', 'auth', 'remove', 'anthropic:wrk', '--yes']
    const { exit, err } = await ran(argv, machineWithPin())
    expect(exit).toBe(64)
    expect(err).toContain('Did you mean anthropic:work?')
  })
})

describe('the list of logins', () => {
  const LEFT_OUT = { field: 'profiles.anthropic:work.token', problem: 'expected text' }

  it('tells of entries that cannot be read, in the words of models status', async () => {
    const machine = loginApp({ problems: [LEFT_OUT] })
    const { exit, out } = await ran(['models', 'auth', 'list'], machine)
    const status = await ran(['models', 'status'], machine)
    const notes = out.slice(out.indexOf('Notes\n'))
    expect(exit).toBe(0)
    expect(out).toMatch(/^No logins\n/)
    expect(notes).toContain('profiles.anthropic:work.token: expected text. The entry is left out')
    expect(status.out).toContain(notes)
  })

  it('--json holds them too', async () => {
    const machine = loginApp({ problems: [LEFT_OUT] })
    const { out } = await ran(['models', 'auth', 'list', '--json'], machine)
    expect(JSON.parse(out)).toMatchObject({
      problems: [{ field: expect.stringContaining(LEFT_OUT.field) }],
    })
  })

  it('is refused when the book cannot be read', async () => {
    const machine = loginApp({ damage: DAMAGE })
    const { exit, out, err } = await ran(['models', 'auth', 'list'], machine)
    expect({ exit, out }).toEqual({ exit: 65, out: '' })
    expect(err).toContain('auth-profiles.json')
  })
})

describe('restore', () => {
  it('puts the last good book back and names the file that was set aside', async () => {
    const machine = loginApp({ books: { main: aBook(aProfile('anthropic:work')) }, damage: DAMAGE })
    const { exit, out } = await ran(['models', 'auth', 'restore'], machine)
    expect(exit).toBe(0)
    expect(out).toContain('It holds anthropic:work\n')
    expect(out).toContain('What was added after that copy was made is gone from the book\n')
    expect(out).toMatch(/The damaged file is kept: .*auth-profiles\.json\.damaged\n/)
    expect((await ran(['models', 'auth', 'list'], machine)).out).toContain('anthropic:work')
  })

  it('asks first when the book can be read', async () => {
    const machine = loginApp({ books: { main: aBook(aProfile('anthropic:work')) } })
    expect((await ran(['models', 'auth', 'restore'], machine)).exit).toBe(64)
    const person = { answers: { yes: false } }
    expect((await ran(['models', 'auth', 'restore'], machine, person)).exit).toBe(1)
  })
})
