import fc from 'fast-check'
import JSON5 from 'json5'
import { describe, expect, test } from 'vitest'
import type { ConfigFault } from '../../src/domain/fault.ts'
import type { SettingsEdit } from '../../src/domain/ports.ts'
import { DEFAULT_SETTINGS } from '../../src/domain/settings.ts'
import type { Settings } from '../../src/domain/settings.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import { NEW_SETTINGS_TEXT, editSettings, parseSettings } from '../../src/wire/settings-file.ts'

const PATH = '/home/u/.equabot/equabot.json'

function settings(text: string): Settings {
  const parsed = parseSettings(text, PATH)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault))
  return parsed.value.settings
}

function fault(text: string): ConfigFault {
  const parsed = parseSettings(text, PATH)
  if (parsed.ok) throw new Error('it was accepted')
  return parsed.fault
}

function edited(text: string, ...edits: readonly SettingsEdit[]): string {
  const result = editSettings(text, PATH, edits)
  if (!result.ok) throw new Error(JSON.stringify(result.fault))
  return result.value
}

describe('a settings file', () => {
  test('that says nothing gives the defaults', () => {
    expect(settings('{}')).toEqual(DEFAULT_SETTINGS)
    expect(settings(NEW_SETTINGS_TEXT)).toEqual(DEFAULT_SETTINGS)
  })

  test('fills every part of the settings', () => {
    const read = settings(`{
      $schema: './equabot.schema.json',
      env: { shellEnv: { enabled: true }, vars: { A: '1' }, B: '2' },
      auth: {
        profiles: { 'Anthropic:work': { provider: 'anthropic', mode: 'oauth', email: 'a@b.c' } },
        order: { anthropic: ['anthropic:work', 'anthropic:work'] },
        warnWithinHours: 48,
      },
      models: { providers: { box: {
        baseUrl: 'http://192.168.1.5:8080/v1', protocol: 'openai-chat', apiKey: '\${BOX_KEY}',
        headers: { 'x-a': 'b' }, models: [{ id: 'm', maxTokens: 9 }],
        oauth: { tokenUrl: 'https://box.example/token' },
      } } },
      agents: {
        defaults: { model: 'anthropic/claude-sonnet-5', models: { 'box/m': { alias: 'mine' } },
          aliases: { fast: 'box/m' }, system: 'Be brief.' },
        list: [{ id: 'Work', model: { primary: 'fast', fallbacks: ['box/m'] }, default: true }],
      },
      gateway: { port: 0 }, upstream: { idleTimeoutMs: 5 },
    }`)
    expect(read.env.vars).toEqual(
      new Map([
        ['B', '2'],
        ['A', '1'],
      ]),
    )
    expect(read.env.shellEnv).toEqual({ enabled: true, timeoutMs: 5_000 })
    expect([...read.auth.profiles]).toEqual([
      ['anthropic:work', { provider: 'anthropic', mode: 'oauth', email: 'a@b.c' }],
    ])
    expect([...read.auth.order]).toEqual([['anthropic', ['anthropic:work']]])
    expect(read.auth.warnWithinMs).toBe(48 * HOUR_MS)
    expect([...read.models.providers]).toEqual([
      [
        'box',
        {
          baseUrl: 'http://192.168.1.5:8080/v1',
          protocol: 'openai-chat',
          apiKey: '${BOX_KEY}',
          headers: { 'x-a': 'b' },
          models: [{ id: 'm' }],
          oauth: { tokenUrl: 'https://box.example/token' },
        },
      ],
    ])
    expect(read.agents).toEqual({
      defaults: {
        model: { primary: 'anthropic/claude-sonnet-5' },
        models: new Map([['box/m', { alias: 'mine' }]]),
        aliases: new Map([['fast', 'box/m']]),
        system: 'Be brief.',
      },
      list: [{ id: 'work', default: true, model: { primary: 'fast', fallbacks: ['box/m'] } }],
    })
    expect(read.gateway).toEqual({ ...DEFAULT_SETTINGS.gateway, port: 0 })
    expect(read.upstream.idleTimeoutMs).toBe(5)
  })

  test('says how long requests are kept, and what a profile may use', () => {
    const read = settings(`{
      ledger: { keepDays: 30 },
      auth: { profiles: { 'a:b': { provider: 'a', mode: 'api_key',
        budget: { daily: { usd: 5 }, monthly: { tokens: 9, soft: 0.5, hard: false } } } } },
    }`)
    expect(read.ledger).toEqual({ ...DEFAULT_SETTINGS.ledger, keepDays: 30 })
    expect([...read.auth.profiles.values()][0]?.budget).toEqual({
      daily: { usd: 5 },
      monthly: { tokens: 9, soft: 0.5, hard: false },
    })
  })

  test('with broken JSON5 names the line and the column', () => {
    expect(fault('{\n  a b\n}')).toEqual({
      code: 'EQ_CONFIG_SYNTAX',
      path: PATH,
      line: 2,
      column: 5,
      detail: "invalid character 'b'",
    })
    expect(fault('').code).toBe('EQ_CONFIG_SYNTAX')
  })

  test('that is no object is refused', () => {
    for (const text of ['[]', '3', 'null', '"x"']) expect(fault(text).code).toBe('EQ_CONFIG_FIELD')
  })

  test.each<[string, string, string, string, number, string?]>([
    ['an unknown key', '{\n\n gatway: {} }', 'gatway', 'is not a setting', 3, 'gateway'],
    [
      'a deep unknown key',
      '{ gateway: {\n prot: 1 } }',
      'gateway.prot',
      'is not a setting',
      2,
      'port',
    ],
    [
      'an unknown key in a list',
      '{ agents: { list: [\n{ id: "a", defualt: true }] } }',
      'agents.list.0.defualt',
      'is not a setting',
      2,
      'default',
    ],
    [
      'an unknown key of an alternative',
      '{ agents: { defaults: { model: { primry: "x" } } } }',
      'agents.defaults.model.primry',
      'is not a setting',
      1,
      'primary',
    ],
    [
      'a setting taken for a variable',
      '{ env: { shellenv: {} } }',
      'env.shellenv',
      'must be text, found an object',
      1,
      'shellEnv',
    ],
    [
      'a wrong type',
      '{ gateway: { port: "1" } }',
      'gateway.port',
      'must be a number, found text',
      1,
    ],
    ['null', '{ auth: null }', 'auth', 'must be an object, found null', 1],
    [
      'a list for a number',
      '{ gateway: { port: [1] } }',
      'gateway.port',
      'must be a number, found a list',
      1,
    ],
    [
      'a wrong kind of model',
      '{ agents: { defaults: { model: 3 } } }',
      'agents.defaults.model',
      'must be text or an object, found a number',
      1,
    ],
    [
      'a wrong number',
      '{ gateway: { port: 1.5 } }',
      'gateway.port',
      'must be a whole number from 0 to 65535',
      1,
    ],
    [
      'a wrong choice',
      '{ auth: { profiles: { "x:y": { provider: "x", mode: "oath" } } } }',
      'auth.profiles.x:y.mode',
      'must be one of "api_key", "token", "oauth"',
      1,
      'oauth',
    ],
    [
      'a missing key',
      '{ auth: { profiles: {\n "x:y": { mode: "oauth" } } } }',
      'auth.profiles.x:y.provider',
      'is missing',
      2,
    ],
    [
      'a budget of nothing',
      '{ auth: { profiles: { "x:y": { provider: "x", mode: "oauth", budget: { daily: { soft: 0.5 } } } } } }',
      'auth.profiles.x:y.budget.daily',
      'needs "usd" or "tokens"',
      1,
    ],
    [
      'a budget of less than nothing',
      '{ auth: { profiles: { "x:y": { provider: "x", mode: "oauth", budget: { daily: { usd: 0 } } } } } }',
      'auth.profiles.x:y.budget.daily.usd',
      'must be more than 0',
      1,
    ],
    [
      'a share that is none',
      '{ auth: { profiles: { "x:y": { provider: "x", mode: "oauth", budget: { daily: { usd: 1, soft: 80 } } } } } }',
      'auth.profiles.x:y.budget.daily.soft',
      'must be from 0 to 1',
      1,
    ],
    [
      'a ledger too small for itself',
      '{ ledger: { maxBytes: 5 } }',
      'ledger.maxBytes',
      'must be a whole number from 1048576 to 9007199254740991',
      1,
    ],
    [
      'a profile of another provider',
      '{ auth: { profiles: { "x:y": { provider: "z", mode: "oauth" } } } }',
      'auth.profiles.x:y.provider',
      'must be "x", as in the profile\'s id',
      1,
    ],
    [
      'a reserved profile',
      '{ auth: { profiles: { "x:env": { provider: "x", mode: "oauth" } } } }',
      'auth.profiles.x:env',
      'cannot be used: "env" is a reserved name',
      1,
    ],
    [
      'a foreign profile in an order',
      '{ auth: { order: { x: ["x:a",\n "z:b"] } } }',
      'auth.order.x.1',
      'is a profile of another provider than "x"',
      2,
    ],
    [
      'one provider spelled twice',
      '{ models: { providers: { x: {}, X: {} } } }',
      'models.providers.X',
      'is the same as "x"',
      1,
    ],
    [
      'a provider without an address',
      '{ models: { providers: { office: { apiKey: "none", models: [{ id: "big" }] } } } }',
      'models.providers.office',
      'needs a "baseUrl", for it is no built-in provider',
      1,
    ],
    [
      'a built-in provider misspelled',
      '{ models: { providers: { claude: {}, opnai: { apiKey: "${KEY}" } } } }',
      'models.providers.opnai',
      'needs a "baseUrl", for it is no built-in provider',
      1,
      'openai',
    ],
    [
      'a bad alias',
      '{ agents: { defaults: { aliases: { "a b": "x/y" } } } }',
      'agents.defaults.aliases.a b',
      'is not an alias: a letter or digit, then also "_", ".", ":" and "-", at most 64',
      1,
    ],
    [
      'an alias of two models',
      '{ agents: { defaults: { aliases: { a: "x/y" }, models: { "x/z": { alias: "A" } } } } }',
      'agents.defaults.models.x/z.alias',
      'is an alias already',
      1,
    ],
    [
      'an alias of no model',
      '{ agents: { defaults: { aliases: { a: "y" } } } }',
      'agents.defaults.aliases.a',
      'is not a model: write it as "provider/model"',
      1,
    ],
    [
      'an agent listed twice',
      '{ agents: { list: [{ id: "a" },\n { id: "A" }] } }',
      'agents.list.1.id',
      'is listed already',
      2,
    ],
    [
      'two default agents',
      '{ agents: { list: [{ id: "a", default: true }, { id: "b", default: true }] } }',
      'agents.list.1.default',
      'is true for another agent already; only one can be the default',
      1,
    ],
    [
      'a bad variable name',
      '{ env: { "A-B": "1" } }',
      'env.A-B',
      'is not a variable name: letters, digits and "_" only',
      1,
    ],
    [
      'a header that would split',
      '{ models: { providers: { x: { headers: { a: "1\\r\\n2" } } } } }',
      'models.providers.x.headers.a',
      'must be one line of Latin text',
      1,
    ],
  ])('with %s names field, problem and line', (_, text, field, problem, line, nearest) => {
    expect(fault(text)).toEqual({
      code: 'EQ_CONFIG_FIELD',
      path: PATH,
      field,
      problem,
      line,
      ...(nearest !== undefined && { nearest }),
    })
  })

  test.each([
    ['{ gateway: [] }', 'gateway'],
    ['{ gateway: [1] }', 'gateway'],
    ['{ auth: { profiles: [] } }', 'auth.profiles'],
    ['{ agents: { defaults: { model: [] } } }', 'agents.defaults.model'],
    ['{ env: [] }', 'env'],
  ])("with a list in an object's place is refused: %s", (text, field) => {
    expect(fault(text)).toMatchObject({ field, problem: expect.stringContaining('found a list') })
  })

  test.each(['__proto__', 'constructor', 'prototype'])('with the key %s is refused', (key) => {
    const text = `{ agents: { defaults: { aliases: { ${key}: 'a/b' } } } }`
    expect(fault(text)).toMatchObject({ field: `agents.defaults.aliases.${key}`, line: 1 })
  })

  test('nested without end is refused', () => {
    expect(fault(`{ auth: ${'['.repeat(1e5)}${']'.repeat(1e5)} }`)).toMatchObject({ field: 'auth' })
  })

  test('a fault never repeats a value', () => {
    const text =
      '{ models: { providers: { x: { apiKey: ["sk-canary"], baseUrl: "http://u:canary@x" } } } }'
    expect(JSON.stringify(fault(text))).not.toContain('canary')
  })
})

describe('the mode of the login of Claude Code', () => {
  const text = `{ // mine
    auth: { profiles: {
      // from the tool
      'anthropic:claude-cli': { provider: 'anthropic', mode: 'token' },
    } } }`

  test('token is read as oauth', () => {
    const parsed = parseSettings(text, PATH)
    expect(parsed.ok && parsed.value.migrated).toEqual(['auth.profiles.anthropic:claude-cli.mode'])
    expect(settings(text).auth.profiles.values().next().value?.mode).toBe('oauth')
  })

  test('the next edit writes it so, comments kept', () => {
    const next = edited(text, { path: ['gateway', 'port'], value: 1 })
    expect(next).toContain(text.split('auth')[0])
    expect(next).toContain(
      "// from the tool\n      'anthropic:claude-cli': { provider: 'anthropic', mode: 'oauth' },",
    )
    const again = parseSettings(next, PATH)
    expect(again.ok && again.value.migrated).toEqual([])
  })

  test('other profiles keep the mode token', () => {
    const other =
      '{ auth: { profiles: { "anthropic:ci": { provider: "anthropic", mode: "token" } } } }'
    expect(settings(other).auth.profiles.values().next().value?.mode).toBe('token')
  })
})

describe('an edit', () => {
  test('starts a file with one comment', () => {
    const next = edited(NEW_SETTINGS_TEXT, { path: ['gateway', 'port'], value: 1_234 })
    expect(next).toBe(NEW_SETTINGS_TEXT.replace('{}', '{\n  gateway: {\n    port: 1234,\n  }\n}'))
  })

  test('reaches into lists', () => {
    const text = '{ agents: { list: [{ id: "a" }] } }'
    const next = edited(
      text,
      { path: ['agents', 'list', '0', 'name'], value: 'A' },
      { path: ['agents', 'list', '1'], value: { id: 'b' } },
    )
    expect(JSON5.parse(next)).toEqual({ agents: { list: [{ id: 'a', name: 'A' }, { id: 'b' }] } })
    expect(editSettings(text, PATH, [{ path: ['agents', 'list', '7'], value: {} }]).ok).toBe(false)
  })

  test('removing what is not there changes nothing', () => {
    expect(edited('{ /* x */ }', { path: ['auth', 'order', 'x'], value: undefined })).toBe(
      '{ /* x */ }',
    )
  })

  test('that would make the file wrong is refused', () => {
    const result = editSettings('{}', PATH, [{ path: ['gateway', 'port'], value: 'x' }])
    expect(result.ok || result.fault).toEqual({
      code: 'EQ_CONFIG_FIELD',
      path: PATH,
      field: 'gateway.port',
      problem: expect.any(String),
      refused: true,
    })
  })

  test('does not turn a value into its holder', () => {
    const text = '{ agents: { defaults: { model: "a/b" } } }'
    const path = ['agents', 'defaults', 'model', 'fallbacks']
    const result = editSettings(text, PATH, [{ path, value: ['c/d'] }])
    expect(result.ok || result.fault).toMatchObject({ field: 'agents.defaults.model' })
  })

  test('does not put a secret into the file', () => {
    const path = ['models', 'providers', 'openai', 'apiKey']
    const result = editSettings('{}', PATH, [{ path, value: 'sk-fake-0123456789abcdef0123' }])
    expect(result.ok || result.fault).toEqual({
      code: 'EQ_CONFIG_SECRET',
      path: PATH,
      field: 'models.providers.openai.apiKey',
    })
  })

  test('beside a secret that is there already is made', () => {
    const text = '{ models: { providers: { groq: { apiKey: "sk-fake-0123456789abcdef" } } } }'
    expect(edited(text, { path: ['gateway', 'port'], value: 1 })).toContain(
      'sk-fake-0123456789abcdef',
    )
  })
})

test('references, comments and order survive any edit', () => {
  const text = `// first
{
  upstream: { idleTimeoutMs: 0x100 }, // hex
  /* keys */
  env: { vars: { B: '\${A}', A: "x" } },
  models: { providers: { groq: { apiKey: '\${BOX}' /* later */ } } },
}
// last
`
  const edit = fc.oneof(
    fc.record({ path: fc.constant(['gateway', 'port']), value: fc.nat(65_535) }),
    fc.record({ path: fc.constant(['agents', 'defaults', 'system']), value: fc.string() }),
    fc.record({ path: fc.constant(['env', 'vars', 'C']), value: fc.constantFrom('y', undefined) }),
    fc.record({
      path: fc.constantFrom(['agents', 'defaults', 'model', 'fallbacks']),
      value: fc.constantFrom(['a/b'], ['a/b', 'c/d'], ['c/d'], undefined),
    }),
  )
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 6 }), (edits) => {
      const next = edits.reduce((before, one) => edited(before, one), text)
      for (const kept of [
        '// first',
        '0x100 }, // hex',
        '/* keys */',
        'B: \'${A}\', A: "x"',
        "'${BOX}' /* later */",
        '// last',
      ]) {
        expect(next).toContain(kept)
      }
      expect(Object.keys(JSON5.parse<object>(next)).slice(0, 3)).toEqual([
        'upstream',
        'env',
        'models',
      ])
    }),
  )
})
