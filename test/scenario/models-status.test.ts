import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { User } from './harness.ts'
import { anthropicMessage, bookPath, fakeUpstream, newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const FAR_FUTURE = 4_102_444_800_000
const HOUR_MS = 3_600_000
const STATUS = ['models', 'status'] as const

describe('models status', () => {
  test('without a credential names the sandbox, says why, and what to type; the check answers 1', async () => {
    const ran = await user.run([...STATUS, '--check'])
    expect(ran).toMatchObject({ code: 1, err: '' })
    expect(ran.out).toMatch(/Default model +sandbox\/sandbox-echo/)
    expect(ran.out).toMatch(/Because .*no real provider is set up, so the built-in sandbox answers/)
    expect(ran.out).toMatch(/Missing auth\n.*equabot models auth add/)
    expect((await user.run(STATUS)).code).toBe(0)
    expect(await user.files()).toEqual({})
  })

  test('shows a key of the environment with its source, and the check answers 0', async () => {
    const variables = { ANTHROPIC_API_KEY: 'fake-environment-key-1' }
    const ran = await user.run([...STATUS, '--check'], { variables })
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toMatch(/Default model +anthropic\//)
    expect(ran.out).toContain('ANTHROPIC_API_KEY from the environment of this process')
    expect(ran.out).not.toContain('Missing auth')
    expect(ran.out).not.toContain('fake-environment-key-1')
  })

  test('of a login that is well and rests answers 0 with a line that says so', async () => {
    await user.paste('sandbox-402', 'sandbox:broke', '--type', 'api_key')
    await user.run(['models', 'set', 'sandbox/sandbox-echo'])
    await user.run(['agent', '--message', 'hi'])
    const ran = await user.run([...STATUS, '--check'])
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toContain(
      'no login needs you, but sandbox is hardly served at this moment (sandbox:broke: rests)',
    )
  })

  test('says that a login of Claude Code could not be stored, and that the sandbox answers because of that', async () => {
    await user.write('.equabot/locks', 'a file where a folder belongs')
    const login = { accessToken: 'fake-access-1', refreshToken: 'fake-refresh-1' }
    await user.write(
      '.claude/.credentials.json',
      JSON.stringify({ claudeAiOauth: { ...login, expiresAt: FAR_FUTURE, scopes: [] } }),
    )
    const ran = await user.run([...STATUS, '--check'])
    expect(ran.code).toBe(1)
    expect(ran.out).toContain('the only login there is could not be stored (see below)')
    expect(ran.out).toMatch(
      /The login of Claude Code in ~\/\.claude\/\.credentials\.json could not be stored, so it is not used\. Cannot write ~\/\.equabot\/locks/,
    )
    const { foreign } = JSON.parse((await user.run([...STATUS, '--json'])).out)
    expect(foreign).toMatchObject([{ code: 'EQ_FOREIGN_NOT_STORED', exit: 77 }])
    expect((await user.run(['models', 'auth', 'sync'])).code).toBe(77)
  })

  test('names the line of .env that a key comes from', async () => {
    await user.write('.equabot/.env', '# keys\n\nexport ANTHROPIC_API_KEY="fake-dotenv-key-1"\n')
    const ran = await user.run(STATUS)
    expect(ran.out).toContain('ANTHROPIC_API_KEY from ~/.equabot/.env, line 3')
    expect(ran.out).not.toContain('fake-dotenv-key-1')
  })

  test('puts the environment of the process before .env, and .env before the config', async () => {
    await user.write(
      '.equabot/equabot.json',
      '{ env: { vars: { GROQ_API_KEY: "fake-config-key-1" } } }',
    )
    expect((await user.run(STATUS)).out).toContain('from env.vars.GROQ_API_KEY in the config')
    await user.write('.equabot/.env', 'GROQ_API_KEY=fake-dotenv-key-1\n')
    expect((await user.run(STATUS)).out).toContain('GROQ_API_KEY from ~/.equabot/.env, line 1')
    const variables = { GROQ_API_KEY: 'fake-environment-key-1' }
    expect((await user.run(STATUS, { variables })).out).toContain('environment of this process')
  })

  test('names the lines of .env that say nothing, and takes the others', async () => {
    await user.write('.equabot/.env', 'not a line\nGROQ_API_KEY=fake-dotenv-key-1\n')
    const ran = await user.run(STATUS)
    expect(ran.out).toContain('~/.equabot/.env, line 1: is not of the form NAME=value')
    expect(ran.out).toContain('Uses groq:env')
  })

  test('a broken usage file loses no login', async () => {
    await user.paste('sandbox-ok', 'sandbox:work')
    await user.run(['agent', '--model', 'sandbox/sandbox-echo', '--message', 'hi'])
    await user.write('.equabot/agents/main/agent/auth-state.json', '{ broken')
    const ran = await user.run([...STATUS, '--check'])
    expect(ran.code).not.toBe(65)
    expect(ran.out).toContain('Uses sandbox:work')
    const turn = await user.run(['agent', '--model', 'sandbox/sandbox-echo', '--message', 'hi'])
    expect(turn.code).toBe(0)
  })

  test('a .env in the current folder is not read', async () => {
    await user.write('.env', 'ANTHROPIC_API_KEY=fake-stray-key-1\n')
    expect((await user.run([...STATUS, '--plain'])).out).toBe('sandbox/sandbox-echo\n')
  })

  test('--plain is one line; --json parses, holds no secret, and excludes --plain', async () => {
    await user.writeBook({
      version: 1,
      profiles: {
        'anthropic:work': { type: 'token', provider: 'anthropic', token: 'fake-secret-token-77' },
      },
    })
    const plain = await user.run([...STATUS, '--plain'])
    expect(plain.out).toMatch(/^anthropic\/\S+\n$/)
    const json = await user.run([...STATUS, '--json'])
    expect(json.out).not.toContain('fake-secret')
    expect(JSON.parse(json.out)).toMatchObject({
      agent: 'main',
      model: plain.out.trim(),
      modelBecause: 'credential',
      check: { exit: 0, findings: [] },
      providers: [
        {
          provider: 'anthropic',
          effective: 'anthropic:work',
          candidates: [
            {
              profile: 'anthropic:work',
              taken: true,
              health: { access: {}, grant: {}, quota: {}, policy: {} },
            },
          ],
        },
      ],
    })
    const both = await user.run([...STATUS, '--json', '--plain'])
    expect(both.code).toBe(64)
    expect(both.out).toContain('exclude each other')
  })

  test('shows default, fallbacks and aliases of the config, and providers that lack a login', async () => {
    await user.write(
      '.equabot/equabot.json',
      `{ agents: { defaults: { model: { primary: "anthropic/claude-opus-5", fallbacks: ["openai/gpt-5.1"] },
         aliases: { opus: "anthropic/claude-opus-5" } } } }`,
    )
    const ran = await user.run([...STATUS, '--check'], {
      variables: { ANTHROPIC_API_KEY: 'fake-environment-key-1' },
    })
    expect(ran.code).toBe(1)
    expect(ran.out).toMatch(/Default model +anthropic\/claude-opus-5\nBecause +set in the config/)
    expect(ran.out).toMatch(/Fallbacks +openai\/gpt-5.1/)
    expect(ran.out).toMatch(/Aliases +opus -> anthropic\/claude-opus-5/)
    expect(ran.out).toMatch(
      /Missing auth\n +openai +equabot models auth paste-token --provider openai, or set OPENAI_API_KEY/,
    )
  })

  test('an unknown agent is refused with those that there are', async () => {
    const ran = await user.run([...STATUS, '--agent', 'nobody'])
    expect(ran).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toMatch(/no agent "nobody"\nKnown: main/)
  })
})

describe('models status --check', () => {
  const token = (expires: number, name = 'fake-token-1'): object => ({
    type: 'token',
    provider: 'anthropic',
    token: name,
    expires,
  })

  test('answers 2 for a token that ends within two hours, and tells when', async () => {
    await user.writeBook({
      version: 1,
      profiles: { 'anthropic:a': token(Date.now() + 2.5 * HOUR_MS) },
    })
    const ran = await user.run([...STATUS, '--check'])
    expect(ran.code).toBe(2)
    expect(ran.out).toMatch(/usable, ends in 2 h \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)/)
    expect(ran.out).toMatch(/Check\n +anthropic:a: ends soon; fix: equabot models auth paste-token/)
  })

  test('answers 1 for an expired login also where a good one serves; --serving asks for less', async () => {
    await user.writeBook({
      version: 1,
      profiles: { 'anthropic:good': token(FAR_FUTURE), 'anthropic:old': token(1_000) },
    })
    const strict = await user.run([...STATUS, '--check'])
    expect(strict.code).toBe(1)
    expect(strict.out).toMatch(/Check\n +anthropic:old: expired; fix:/)
    expect(strict.out).toContain('Uses anthropic:good')
    expect((await user.run([...STATUS, '--check', '--serving'])).code).toBe(0)
    const misused = await user.run([...STATUS, '--serving'])
    expect(misused).toMatchObject({ code: 64 })
  })

  test('a login that renews itself is not "ending soon" for its hourly token', async () => {
    await user.writeBook({
      version: 1,
      profiles: {
        'anthropic:oauth': {
          type: 'oauth',
          provider: 'anthropic',
          access: 'fake-access-1',
          refresh: 'fake-refresh-1',
          expires: Date.now() + HOUR_MS,
        },
      },
    })
    expect((await user.run([...STATUS, '--check'])).code).toBe(0)
  })
})

describe('a book of older tools', () => {
  const OLD = {
    version: 1,
    profiles: {
      'anthropic:claude-cli': {
        type: 'oauth',
        provider: 'anthropic',
        access: 'fake-access-1',
        refresh: 'fake-refresh-1',
        expires: FAR_FUTURE,
        email: 'ada@example.org',
        later: { x: 1 },
      },
    },
    order: { anthropic: ['anthropic:claude-cli'] },
    lastGood: { anthropic: 'anthropic:claude-cli' },
    usageStats: { 'anthropic:claude-cli': { lastUsed: 5, errorCount: 2, cooldownUntil: 1 } },
    somebodysOwn: 'keep',
  }

  test('is read as it is, and its unknown fields survive an edit', async () => {
    await user.writeBook(OLD)
    const before = await user.files()
    const shown = await user.run(STATUS)
    expect(shown.code).toBe(0)
    expect(shown.out).toContain('Uses anthropic:claude-cli')
    expect(shown.out).toContain('ada@example.org')
    expect(await user.files()).toEqual(before)

    await user.paste('fake-second-token', 'anthropic:work')
    const after: unknown = JSON.parse(await user.read(bookPath()))
    expect(after).toMatchObject({ ...OLD, order: { anthropic: expect.any(Array) } })
  })

  test('its mode "token" for the login of Claude Code is renewed on disk by the next edit, comments kept', async () => {
    await user.writeBook(OLD)
    await user.write(
      '.equabot/equabot.json',
      `{\n  // mine\n  auth: { profiles: { 'anthropic:claude-cli': { provider: "anthropic", mode: "token" } } }, /* old */\n}\n`,
    )
    const before = await user.files()
    const shown = await user.run(STATUS)
    expect(shown.code).toBe(0)
    expect(shown.out).toContain('auth.profiles.anthropic:claude-cli.mode: has an older spelling')
    expect(await user.files()).toEqual(before)

    expect((await user.run(['config', 'set', 'gateway.port', '0'])).code).toBe(0)
    const renewed = await user.read('.equabot/equabot.json')
    expect(renewed).toMatch(/'anthropic:claude-cli': \{ provider: "anthropic", mode: "oauth" \}/)
    expect(renewed).toContain('// mine')
    expect(renewed).toContain('/* old */')
    expect(await user.read('.equabot/equabot.json.bak')).toBe(before['.equabot/equabot.json'])
    expect((await user.run(STATUS)).out).not.toContain('older spelling')
  })
})

describe('a book that cannot be read', () => {
  const WRITERS = [
    ['models', 'auth', 'paste-token', '--provider', 'anthropic'],
    ['models', 'auth', 'order', 'clear', '--provider', 'anthropic'],
    ['models', 'auth', 'remove', 'anthropic:one', '--yes'],
  ]

  test('is named with its line and the command that restores it, and nothing is changed', async () => {
    await user.paste('fake-token-number-1', 'anthropic:one')
    await user.paste('fake-token-number-2', 'anthropic:two')
    const whole = await user.read(bookPath())
    await user.write(bookPath(), whole.slice(0, 100))
    const before = await user.files()

    for (const args of [
      STATUS,
      [...STATUS, '--check'],
      ['models', 'auth', 'explain'],
      ...WRITERS,
    ]) {
      const ran = await user.run(args, { input: 'fake-token-number-3' })
      expect(ran.code).toBe(65)
      expect(ran.out + ran.err).toMatch(
        /auth-profiles\.json is not valid JSON: line \d+, column \d+/,
      )
      expect(ran.out + ran.err).toContain('equabot models auth restore')
    }
    expect(await user.files()).toEqual(before)

    const restored = await user.run(['models', 'auth', 'restore'])
    expect(restored.code).toBe(0)
    expect((await user.run(['models', 'auth', 'list'])).out).toContain('anthropic:one')
    const kept = Object.entries(await user.files()).find(([path]) => path.includes('.broken-'))
    expect(kept?.[1]).toBe(whole.slice(0, 100))
  })

  test('does not stop a key of the environment from serving', async () => {
    await user.write(bookPath(), '{ "version": 1, "profiles"')
    const upstream = await fakeUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(anthropicMessage('served by the key'))
    })
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } } }`,
    )
    const variables = { ANTHROPIC_API_KEY: 'fake-environment-key-1' }
    const status = await user.run(STATUS, { variables })
    expect(status.code).toBe(65)
    expect(status.out).toContain('Uses anthropic:env')

    const gateway = await user.startGateway({ variables })
    const body = JSON.stringify({
      model: 'claude-sonnet-5-5',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'hi' }],
    })
    const answer = await gateway.call('/v1/messages', { method: 'POST', body })
    expect(await answer.text()).toContain('served by the key')
    expect(await user.read(bookPath())).toBe('{ "version": 1, "profiles"')
    await upstream.close()
  })

  test.each([
    [
      'a newer version',
      { version: 99, profiles: {} },
      /has version 99; this program knows up to 1/,
    ],
    ['profiles that are a list', { version: 1, profiles: [] }, /profiles must be an object/],
    [
      'an order that is a number',
      { version: 1, profiles: {}, order: 5 },
      /order must be an object/,
    ],
  ])('%s is refused for reading and writing with the field named', async (_what, book, words) => {
    await user.writeBook(book)
    const before = await user.files()
    for (const args of [['models', 'auth', 'list'], [...STATUS, '--check'], ...WRITERS]) {
      const ran = await user.run(args, { input: 'fake-token-number-3' })
      expect(ran.code).toBe(65)
      expect(ran.out + ran.err).toMatch(words)
    }
    expect(await user.files()).toEqual(before)
  })

  test('one entry of a wrong type is named by its field, left as it stands, and the others serve', async () => {
    await user.writeBook({
      version: 1,
      profiles: {
        'anthropic:number': { type: 'api_key', provider: 'anthropic', key: 5 },
        'anthropic:strange': { type: 'riddle', provider: 'anthropic', key: 'fake-key-1' },
        'groq:good': { type: 'api_key', provider: 'groq', key: 'fake-key-number-1' },
      },
    })
    const ran = await user.run(STATUS)
    expect(ran.out).toContain(`~/${bookPath()}: profiles.anthropic:number.key: expected text`)
    expect(ran.out).toContain('profiles.anthropic:strange.type: expected one of')
    expect(ran.out).toContain('The entry is left out')
    expect(ran.out).toContain('Uses groq:good')
    await user.paste('fake-token-number-3', 'groq:more')
    expect(JSON.parse(await user.read(bookPath()))).toMatchObject({
      profiles: { 'anthropic:number': { key: 5 }, 'anthropic:strange': { type: 'riddle' } },
    })
  })
})

describe('a running gateway', () => {
  test('takes a key that was changed in .env without a restart', async () => {
    const upstream = await fakeUpstream((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(anthropicMessage(`key ${String(request.headers['x-api-key'])}`))
    })
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } } }`,
    )
    await user.write('.equabot/.env', 'ANTHROPIC_API_KEY=fake-dotenv-first\n')
    const gateway = await user.startGateway()
    const ask = async (): Promise<void> => {
      const body = JSON.stringify({
        model: 'claude-sonnet-5-5',
        max_tokens: 5,
        messages: [{ role: 'user', content: 'hi' }],
      })
      await (await gateway.call('/v1/messages', { method: 'POST', body })).text()
    }
    await ask()
    await user.write('.equabot/.env', 'ANTHROPIC_API_KEY=fake-dotenv-second-and-longer\n')
    await ask()
    expect(upstream.seen.map(({ headers }) => headers['x-api-key'])).toEqual([
      'fake-dotenv-first',
      'fake-dotenv-second-and-longer',
    ])
    await upstream.close()
  })
})
