import { describe, expect, it } from 'vitest'
import type { AgentId } from '../../src/domain/names.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { Secret } from '../../src/domain/secret.ts'
import { DAY_MS, HOUR_MS } from '../../src/domain/time.ts'
import { aBook, aProfile, FAKE_NOW, plainFingerprint } from '../../src/testing.ts'
import { FAKE_KEY, FAKE_TOKEN, loginApp, ran, token } from './login-app.ts'

const tokenEnding = (inMs: number) =>
  aBook(aProfile('anthropic:work', { credential: token(FAKE_NOW + inMs) }))

describe('models status', () => {
  it('is what a bare `models` shows', async () => {
    const machine = loginApp({ variables: { ANTHROPIC_API_KEY: FAKE_KEY } })
    const bare = await ran(['models'], machine)
    expect(bare).toEqual(await ran(['models', 'status'], machine))
    expect(bare.exit).toBe(0)
  })

  it('says which login serves the default model, from where, and why', async () => {
    const machine = loginApp({ variables: { ANTHROPIC_API_KEY: FAKE_KEY } })
    const { out } = await ran(['models', 'status'], machine)
    expect(out).toMatch(/^Default model {2}anthropic\/claude-/m)
    expect(out).toMatch(/^Because +none is set; the own default of the first provider/m)
    expect(out).toContain(
      'Uses anthropic:env (ANTHROPIC_API_KEY from the environment of this process): nothing else can serve',
    )
    expect(out).toContain(plainFingerprint(new Secret(FAKE_KEY)))
  })

  it('shows the four facts with ages, and the end in words and as a date', async () => {
    const used = {
      fingerprint: plainFingerprint(new Secret(FAKE_TOKEN)),
      lastGoodAt: FAKE_NOW - HOUR_MS,
    }
    const { out } = await ran(
      ['models', 'status'],
      loginApp({
        books: { main: tokenEnding(20 * DAY_MS) },
        states: { main: { profiles: new Map([['anthropic:work', used]]), models: new Map() } },
      }),
    )
    expect(out).toContain('access  usable, ends in 20 days (2026-01-21 00:00 UTC)')
    expect(out).toContain('grant   static (nothing renews it), last good answer 1 h ago')
    expect(out).toContain('quota   nothing known against it')
    expect(out).toContain('policy  allowed, seen 1 h ago')
    expect(out).toContain('from    ~/.equabot/agents/main/agent/auth-profiles.json')
  })

  it('gives passed-over logins their reason', async () => {
    const book = aBook(
      aProfile('anthropic:old', { credential: token(FAKE_NOW - 2 * DAY_MS) }),
      aProfile('anthropic:key'),
    )
    const { out } = await ran(['models', 'status'], loginApp({ books: { main: book } }))
    expect(out).toMatch(/-\s+anthropic:old.*expired\n\s+passed over\s+expired 2 days ago/)
  })

  it('names the next command for a provider in use without a login', async () => {
    const config = { agents: { defaults: { model: 'openrouter/openrouter/auto' } } }
    const { out } = await ran(['models', 'status'], loginApp({ config }))
    expect(out).toContain(
      'Missing auth\n  openrouter  equabot models auth paste-token --provider openrouter, or set OPENROUTER_API_KEY',
    )
  })

  it('tells a newcomer to add a login rather than one for the sandbox', async () => {
    const { out } = await ran(['models', 'status'])
    expect(out).toContain('equabot models auth add')
    expect(out).not.toContain('--provider sandbox')
  })

  it('prints exactly the default model with --plain', async () => {
    const machine = loginApp({ config: { agents: { defaults: { model: 'openai/gpt-5.1' } } } })
    expect(await ran(['models', 'status', '--plain'], machine)).toMatchObject({
      exit: 0,
      out: 'openai/gpt-5.1\n',
      err: '',
    })
  })

  it.each([
    ['20 days', 20 * DAY_MS, 0],
    ['2 hours', 2 * HOUR_MS, 2],
    ['the past', -HOUR_MS, 1],
  ])(
    '--check of a token that ends in %s prints the same and exits with the code',
    async (_, inMs, code) => {
      const machine = loginApp({ books: { main: tokenEnding(inMs) } })
      const plain = await ran(['models', 'status'], machine)
      const checked = await ran(['models', 'status', '--check'], machine)
      expect(plain.exit).toBe(0)
      expect(checked.exit).toBe(code)
      expect(checked.out).toBe(plain.out)
    },
  )

  it('gives each finding one line with what puts it right', async () => {
    const machine = loginApp({ books: { main: tokenEnding(-HOUR_MS) } })
    const { out } = await ran(['models', 'status', '--check'], machine)
    expect(out).toContain(
      'Check\n  anthropic:work: expired; fix: equabot models auth paste-token --provider anthropic --profile-id anthropic:work',
    )
  })

  it('asks with --check --serving only whether each model can be served', async () => {
    const book = aBook(
      aProfile('anthropic:old', { credential: token(FAKE_NOW - HOUR_MS) }),
      aProfile('anthropic:key'),
    )
    const machine = loginApp({ books: { main: book } })
    expect((await ran(['models', 'status', '--check'], machine)).exit).toBe(1)
    expect((await ran(['models', 'status', '--check', '--serving'], machine)).exit).toBe(0)
  })

  it.each([[['--json', '--plain']], [['--serving']]])('%j exits 64', async (options) => {
    expect((await ran(['models', 'status', ...options])).exit).toBe(64)
  })

  it('puts an unreadable book first, with its fix, shows the rest, and exits 65', async () => {
    const machine = loginApp({
      variables: { ANTHROPIC_API_KEY: FAKE_KEY },
      damage: {
        code: 'EQ_STORE_SYNTAX',
        path: '/state/agents/main/agent/auth-profiles.json',
        line: 3,
        column: 7,
        previous: '/state/agents/main/agent/auth-profiles.json.previous',
        agent: MAIN_AGENT,
      },
    })
    for (const options of [[], ['--check']]) {
      const { exit, out } = await ran(['models', 'status', ...options], machine)
      expect(exit).toBe(65)
      expect(out).toMatch(/^Unreadable store\n.*line 3, column 7/)
      expect(out).toContain('equabot models auth restore')
      expect(out).toContain('Uses anthropic:env')
    }
  })

  it('says why there is no default model and does not exit 0', async () => {
    const config = { agents: { defaults: { model: 'nosuch/model' } } }
    const { exit, out } = await ran(['models', 'status', '--check'], loginApp({ config }))
    expect(exit).toBe(64)
    expect(out).toContain('There is no provider "nosuch"')
  })

  it('prints the same facts as JSON', async () => {
    const machine = loginApp({ books: { main: tokenEnding(2 * HOUR_MS) } })
    const { exit, out, err } = await ran(['models', 'status', '--check', '--json'], machine)
    expect({ exit, err }).toEqual({ exit: 2, err: '' })
    expect(JSON.parse(out)).toMatchObject({
      agent: 'main',
      modelBecause: 'credential',
      providers: [{ provider: 'anthropic', effective: 'anthropic:work' }],
      check: { exit: 2, findings: [{ profile: 'anthropic:work', problem: 'expiring' }] },
    })
  })

  it('prints no secret in any form', async () => {
    const machine = loginApp({
      books: { main: tokenEnding(DAY_MS) },
      variables: { ANTHROPIC_API_KEY: FAKE_KEY },
    })
    for (const options of [[], ['--json'], ['--plain'], ['--check']]) {
      const { out, err } = await ran(['models', 'status', ...options], machine)
      for (const secret of [FAKE_TOKEN, FAKE_KEY]) {
        expect(out + err).not.toContain(secret.slice(-8))
        expect(out + err).not.toContain(secret.slice(0, 8))
      }
    }
  })

  it('keeps its lines within the terminal', async () => {
    const machine = loginApp({
      books: { main: tokenEnding(-HOUR_MS) },
      variables: { ANTHROPIC_API_KEY: FAKE_KEY, OPENAI_API_KEY: 'fake-openai-key' },
    })
    const { out } = await ran(['models', 'status'], machine, { width: 80 })
    const long = out.split('\n').filter((line) => line.length > 80)
    // Commands are left whole, so that they can be copied.
    expect(long.filter((line) => !line.includes('fix: equabot'))).toEqual([])
  })

  it('lets no name or mail address steer the terminal', async () => {
    const book = aBook(
      aProfile('anthropic:work', {
        credential: {
          type: 'api_key',
          key: new Secret(FAKE_KEY),
          email: 'a\u001b]0;title\u0007\u001b[2J\u202e@example.org',
        },
      }),
    )
    const machine = loginApp({ books: { main: book } })
    for (const options of [[], ['--json']]) {
      const { out } = await ran(['models', 'status', ...options], machine, { colour: true })
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      const rest = out.replace(/\u001b\[(?:1|2|22|31|32|33|39)m/g, '')
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      expect(rest).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
    }
  })

  it('looks through the eyes of --agent and refuses an unknown one', async () => {
    const config = { agents: { list: [{ id: 'research' }] } }
    const machine = loginApp({ config, variables: { ANTHROPIC_API_KEY: FAKE_KEY } })
    expect((await ran(['models', 'status', '--agent', 'research'], machine)).out).toMatch(
      /^Agent +research$/m,
    )
    const unknown = await ran(['models', 'status', '--agent', 'reserch'], machine)
    expect(unknown.exit).toBe(64)
    expect(unknown.err).toContain('Did you mean research?')
  })
})

describe('models set', () => {
  it('chooses the default model and names the file', async () => {
    const machine = loginApp()
    const { exit, out } = await ran(['models', 'set', 'openai/gpt-5.1'], machine)
    expect({ exit, out }).toEqual({
      exit: 0,
      out: 'Default model: openai/gpt-5.1 (in ~/.equabot/equabot.json)\n',
    })
    expect((await ran(['models', 'status', '--plain'], machine)).out).toBe('openai/gpt-5.1\n')
  })

  it('takes no profile, and its hint offers none', async () => {
    const { exit, err } = await ran(['models', 'set', 'anthropic/claude-x@anthropic:work'])
    expect(exit).toBe(64)
    expect(err).toContain('In the config it takes no profile')
    expect(err).not.toContain('with @provider:name')
  })

  it('refuses an unknown provider and says what is near', async () => {
    const { exit, err } = await ran(['models', 'set', 'antropic/claude-x'])
    expect(exit).toBe(64)
    expect(err).toContain('Did you mean anthropic?')
  })
})

describe('models list', () => {
  it('prints one provider/model per line with --plain', async () => {
    const machine = loginApp({ variables: { OPENAI_API_KEY: 'fake-openai-key' } })
    const { out } = await ran(['models', 'list', '--plain'], machine)
    expect(out.trim().split('\n')).toEqual(
      expect.arrayContaining([expect.stringMatching(/^openai\/\S+$/)]),
    )
  })

  it('marks the default model and whether a login serves each', async () => {
    const machine = loginApp({ variables: { OPENAI_API_KEY: 'fake-openai-key' } })
    const { out } = await ran(['models', 'list', '--json'], machine)
    const { models } = JSON.parse(out)
    expect(models[0]).toMatchObject({
      provider: 'openai',
      tags: expect.arrayContaining(['default']),
      usable: true,
    })
  })

  it('refuses an unknown provider', async () => {
    expect((await ran(['models', 'list', '--provider', 'nosuch'])).exit).toBe(64)
  })
})

describe('models aliases and fallbacks', () => {
  it('adds, lists and removes an alias', async () => {
    const machine = loginApp()
    await ran(['models', 'aliases', 'add', 'fast', 'openai/gpt-5.1'], machine)
    expect((await ran(['models', 'aliases'], machine)).out).toBe('fast  openai/gpt-5.1\n')
    expect((await ran(['models', 'aliases', 'remove', 'fast'], machine)).exit).toBe(0)
    expect((await ran(['models', 'aliases', 'list', '--json'], machine)).out).toContain(
      '"aliases": []',
    )
  })

  it('says what an alias stands for already instead of moving it', async () => {
    const machine = loginApp()
    await ran(['models', 'aliases', 'add', 'fast', 'openai/gpt-5.1'], machine)
    const { exit, err } = await ran(['models', 'aliases', 'add', 'fast', 'openai/gpt-5'], machine)
    expect(exit).toBe(64)
    expect(err).toContain('stands for openai/gpt-5.1')
  })

  it('adds, lists, removes and clears fallbacks in order', async () => {
    const machine = loginApp()
    await ran(['models', 'fallbacks', 'add', 'openai/gpt-5.1'], machine)
    await ran(['models', 'fallbacks', 'add', 'xai/grok-4'], machine)
    const listed = await ran(['models', 'fallbacks'], machine)
    expect(listed.out).toBe('1. openai/gpt-5.1\n2. xai/grok-4\n')
    await ran(['models', 'fallbacks', 'remove', 'openai/gpt-5.1'], machine)
    const { out } = await ran(['models', 'fallbacks', 'list', '--json'], machine)
    expect(JSON.parse(out)).toEqual({ fallbacks: ['xai/grok-4'] })
    expect((await ran(['models', 'fallbacks', 'clear'], machine)).out).toBe('No fallbacks\n')
  })
})

describe('an agent', () => {
  it('has a book of its own beside what it inherits', async () => {
    const research = 'research' as AgentId
    const machine = loginApp({
      config: { agents: { list: [{ id: research }] } },
      books: {
        main: aBook(aProfile('anthropic:work')),
        research: aBook(aProfile('anthropic:own')),
      },
    })
    const { out } = await ran(['models', 'auth', 'list', '--agent', research], machine)
    expect(out).toMatch(/anthropic:own .*agents\/research\/agent/)
    expect(out).toMatch(/anthropic:work .*agents\/main\/agent/)
  })
})
