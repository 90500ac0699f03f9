import JSON5 from 'json5'
import { describe, expect, test } from 'vitest'
import type { ConfiguredProgram, SetupFacts } from '../../src/domain/setup.ts'
import { CONFIGURED_PROGRAMS } from '../../src/domain/setup.ts'
import { editProgramConfig } from '../../src/wire/program-config.ts'
import { client } from '../names-from.ts'

const FACTS: SetupFacts = {
  url: 'http://127.0.0.1:18789',
  client: client('laptop'),
  keyPath: "/home/o'hara/.equabot/client-keys/laptop",
  models: [
    { id: 'anthropic/claude-test', title: 'Claude', protocol: 'anthropic-messages' },
    { id: 'openai/gpt-test', title: 'GPT', protocol: 'openai-chat' },
    { id: 'openai-codex/gpt', title: 'Codex', protocol: 'openai-responses' },
  ],
}

function edited(program: ConfiguredProgram, text?: string, facts = FACTS): string {
  const result = editProgramConfig(program, text, facts)
  if (!result.ok) throw new Error(JSON.stringify(result.fault))
  return result.value
}

const problemOf = (program: ConfiguredProgram, text: string): unknown => {
  const result = editProgramConfig(program, text, FACTS)
  return result.ok ? 'changed' : result.fault.problem
}

describe.each(CONFIGURED_PROGRAMS)('%s', (program) => {
  test('an edit of what was edited changes nothing', () => {
    for (const text of [undefined, '', SAMPLES[program]]) {
      const once = edited(program, text)
      expect(edited(program, once)).toBe(once)
    }
  })

  test('another address replaces the first, and nothing else', () => {
    const first = edited(program, SAMPLES[program])
    const moved = { ...FACTS, url: 'http://127.0.0.1:4000' }
    const second = edited(program, first, moved)
    expect(second).toBe(first.replaceAll('127.0.0.1:18789', '127.0.0.1:4000'))
  })
})

const SAMPLES: Readonly<Record<ConfiguredProgram, string>> = {
  'claude-code': '{\n  // Mine.\n  "theme": "dark",\n  "env": {\n    "A": "b" // kept\n  },\n}\n',
  opencode:
    '{\n  /* Mine. */\n  "theme": "dark",\n  "provider": {\n    "mine": { "npm": "x" },\n    "equabot": { "models": { "own": {} }, "options": { "timeout": 5 } }\n  }\n}\n',
  codex:
    '# Mine.\nmodel = "gpt-5.6" # newest\nmodel_provider = "openai"\r\nargs = [\n  "a", # [not.a.table]\n  ["b"],\n]\n\n[model_providers.mine]\nname = "Mine = [x]"\n\n[mcp_servers."a.b"]\ncommand = \'x\'\n',
}

describe('Claude Code', () => {
  test('gets the address, and a helper that prints the key', () => {
    expect(JSON.parse(edited('claude-code'))).toEqual({
      apiKeyHelper: `cat '/home/o'\\''hara/.equabot/client-keys/laptop'`,
      env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:18789' },
    })
  })

  test('comments, order and other settings stay', () => {
    const text = edited('claude-code', SAMPLES['claude-code'])
    expect(text).toContain('// Mine.')
    expect(text).toContain('"A": "b", // kept')
    expect(JSON5.parse(text)).toMatchObject({ theme: 'dark', env: { A: 'b' } })
    // Other readers may know JSON with comments at most.
    expect(text).not.toMatch(/^\s*\w+:/m)
  })

  test.each([
    ['{"env":{"ANTHROPIC_AUTH_TOKEN":"x"}}', 'in_the_way'],
    ['{"env":{"ANTHROPIC_API_KEY":"x"}}', 'in_the_way'],
    ['{"env":[]}', 'shape'],
    ['{"a":', 'syntax'],
    ['[]', 'syntax'],
    ['{ // mine\n}', 'shape'],
  ])('%s is left alone', (text, problem) => {
    expect(problemOf('claude-code', text)).toBe(problem)
  })
})

describe('opencode', () => {
  test('gets a provider for each protocol that it speaks, with the models of that protocol', () => {
    expect(JSON.parse(edited('opencode')).provider).toEqual({
      equabot: {
        name: 'Equabot',
        npm: '@ai-sdk/anthropic',
        options: {
          baseURL: 'http://127.0.0.1:18789/v1',
          apiKey: `{file:${FACTS.keyPath}}`,
        },
        models: { 'anthropic/claude-test': { name: 'Claude' } },
      },
      'equabot-openai': {
        name: 'Equabot (OpenAI)',
        npm: '@ai-sdk/openai-compatible',
        options: {
          baseURL: 'http://127.0.0.1:18789/v1',
          apiKey: `{file:${FACTS.keyPath}}`,
        },
        models: { 'openai/gpt-test': { name: 'GPT' } },
      },
    })
  })

  test('other providers, and what was added to ours, stay', () => {
    const text = edited('opencode', SAMPLES.opencode)
    expect(text).toContain('/* Mine. */')
    expect(JSON5.parse(text).provider).toMatchObject({
      mine: { npm: 'x' },
      equabot: { options: { timeout: 5 }, models: { own: {}, 'anthropic/claude-test': {} } },
    })
  })
})

describe('Codex', () => {
  test('gets a provider of its own, whose key a command prints, and chooses it', () => {
    expect(edited('codex')).toBe(
      [
        'model_provider = "equabot"',
        '',
        '[model_providers.equabot]',
        'name = "Equabot"',
        'base_url = "http://127.0.0.1:18789/v1"',
        'wire_api = "responses"',
        '',
        '[model_providers.equabot.auth]',
        'command = "cat"',
        `args = ["/home/o'hara/.equabot/client-keys/laptop"]`,
        '',
      ].join('\n'),
    )
  })

  test('everything else stays line by line', () => {
    const before = SAMPLES.codex.replaceAll('\r\n', '\n')
    const lines = edited('codex', before).split('\n')
    for (const line of before.split('\n')) {
      expect(lines).toContain(
        line.startsWith('model_provider =') ? 'model_provider = "equabot"' : line,
      )
    }
    expect(edited('codex', before.replaceAll('\n', '\r\n'))).not.toMatch(/[^\r]\n/)
  })

  test('our provider is replaced where it stands', () => {
    const old = '[model_providers.equabot]\nname = "Old"\nenv_key = "X"\n'
    const text = edited('codex', `a = 1\n\n${old}\n[later]\nb = 2\n`)
    expect(text).not.toContain('Old')
    expect(text).not.toContain('env_key')
    expect(text.indexOf('[model_providers.equabot]')).toBeLessThan(text.indexOf('[later]'))
    expect(text.match(/model_providers\.equabot\]/g)).toHaveLength(1)
    expect(edited('codex', text)).toBe(text)
  })

  test.each([
    ['a = """\n[x]\n"""', 'several_lines'],
    ["a = '''\n'''", 'several_lines'],
    ['model_providers = { equabot = {} }', 'shape'],
    ['model_providers.equabot.name = "x"', 'shape'],
    ['[model_providers]\nequabot = { name = "x" }', 'shape'],
    ['[model_providers]\nequabot.name = "x"', 'shape'],
    ['[[model_providers]]\nname = "x"', 'shape'],
    ['model_provider = "a"\nmodel_provider = "b"', 'shape'],
    ['[unfinished', 'syntax'],
    ['a = "unfinished', 'syntax'],
    ['a = [1,', 'syntax'],
    ['a = ]', 'syntax'],
    ['no setting', 'syntax'],
    ['[model_providers."equ\\u0061bot"]', 'syntax'],
  ])('%j is left alone', (text, problem) => {
    expect(problemOf('codex', text)).toBe(problem)
  })

  test('a table that only looks like ours in a text or an array is none', () => {
    const text =
      'a = "[model_providers.equabot]"\nb = [\n  "x",\n  ["model_providers.equabot"],\n]\n'
    expect(edited('codex', text)).toContain(text)
  })
})
