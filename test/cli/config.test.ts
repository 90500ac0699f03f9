import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addConfigCommands } from '../../src/cli/config.ts'
import { formatConfigPath, parseConfigPath, valueAt } from '../../src/cli/config-path.ts'
import type { LoadedSettings, SettingsStore } from '../../src/domain/ports.ts'
import type { ConfigFault } from '../../src/domain/fault.ts'
import type { Result } from '../../src/domain/result.ts'
import { ok } from '../../src/domain/result.ts'
import { editSettings, parseSettings } from '../../src/wire/settings-file.ts'
import { fakeApp, runCommand, STATE_DIR } from './fake-chat-app.ts'

const PATH = `${STATE_DIR}/equabot.json`
const SECRET = 'sk-made-up-0123456789-not-a-key-0123456789'

interface Shell {
  (...argv: string[]): ReturnType<typeof runCommand>
  text(): string
}

/** A settings file in memory, with the real parser and the real editor. */
function shell(text: string): Shell {
  let current = text
  const read = (): Result<LoadedSettings, ConfigFault> => {
    const parsed = parseSettings(current, PATH)
    return parsed.ok ? ok({ ...parsed.value, path: PATH, exists: true }) : parsed
  }
  const settings: SettingsStore = {
    path: () => PATH,
    read: async () => read(),
    async edit(edits) {
      const loaded = read()
      if (!loaded.ok) return loaded
      const edited = editSettings(current, PATH, edits(loaded.value))
      if (!edited.ok) return edited
      current = edited.value
      return read()
    },
  }
  const app = fakeApp({ parts: { settings } })
  const type = (...argv: string[]): ReturnType<typeof runCommand> =>
    runCommand(['config', ...argv], addConfigCommands, { app })
  return Object.assign(type, { text: () => current })
}

describe('a place in the config', () => {
  test.each([
    ['gateway.port', ['gateway', 'port']],
    ['models.providers["my.host"].baseUrl', ['models', 'providers', 'my.host', 'baseUrl']],
    ["models.providers['my.host'].baseUrl", ['models', 'providers', 'my.host', 'baseUrl']],
    [
      'agents.defaults.models."anthropic/claude".alias',
      ['agents', 'defaults', 'models', 'anthropic/claude', 'alias'],
    ],
    [
      'agents.defaults.models.anthropic/claude.alias',
      ['agents', 'defaults', 'models', 'anthropic/claude', 'alias'],
    ],
    ['agents.list[0].name', ['agents', 'list', '0', 'name']],
    ['agents.list.0.name', ['agents', 'list', '0', 'name']],
    ['auth.profiles.anthropic:work', ['auth', 'profiles', 'anthropic:work']],
    ['["a\\"b"]', ['a"b']],
  ])('%s', (text, steps) => {
    expect(parseConfigPath(text)).toEqual(ok(steps))
  })

  test.each(['', '.', 'a.', '.a', 'a..b', 'a[', 'a[b]', 'a["b"', 'a"b"', 'a]'])(
    '%j is not one',
    (text) => {
      expect(parseConfigPath(text)).toMatchObject({ ok: false, fault: { code: 'EQ_USAGE' } })
    },
  )

  test('what is formatted is parsed back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (steps) => {
        expect(parseConfigPath(formatConfigPath(steps))).toEqual(ok(steps))
      }),
    )
  })

  test('a name of every object is not a value', () => {
    expect(valueAt({}, ['constructor'])).toBeUndefined()
    expect(valueAt('text', ['length'])).toBeUndefined()
  })
})

describe('config get', () => {
  test('prints a value as it stands in the file', async () => {
    const type = shell('{ gateway: { port: 18790, bind: "127.0.0.1" } }')
    expect(await type('get', 'gateway.port')).toMatchObject({ exit: 0, out: '18790\n' })
    expect(await type('get', 'gateway.bind')).toMatchObject({ out: '127.0.0.1\n' })
    expect(await type('get', 'gateway.bind', '--json')).toMatchObject({ out: '"127.0.0.1"\n' })
    expect(JSON.parse((await type('get')).out)).toEqual({
      gateway: { port: 18_790, bind: '127.0.0.1' },
    })
  })

  test('what is not set exits 1 and names the key', async () => {
    const { exit, err } = await shell('{}')('get', 'gateway.port')
    expect(exit).toBe(1)
    expect(err).toContain('gateway.port is not set')
  })

  test('masks a secret in the open wherever it is asked for; a reference stays', async () => {
    const type = shell(
      `{ models: { providers: {
          "my.host": { baseUrl: "http://127.0.0.1:1/v1", apiKey: "${SECRET}" },
          other: { baseUrl: "http://127.0.0.1:1/v1", apiKey: "\${OTHER_KEY}" },
      } } }`,
    )
    const key = 'models.providers["my.host"].apiKey'
    for (const argv of [['get'], ['get', '--json'], ['get', 'models'], ['get', key]]) {
      const { out } = await type(...argv)
      expect(out).toContain('[secret]')
      expect(out).not.toContain(SECRET)
    }
    expect(await type('get', 'models.providers.other.apiKey')).toMatchObject({
      out: '${OTHER_KEY}\n',
    })
  })
})

describe('config set', () => {
  test('takes JSON5, else text, and keeps comments', async () => {
    const type = shell('{\n  // the port\n  gateway: { port: 1 },\n}\n')
    await type('set', 'gateway.port', '18790')
    await type('set', 'agents.defaults.model', 'anthropic/claude-sonnet-5')
    await type('set', 'gateway.allowedHosts', "['my.host']")
    expect(type.text()).toContain('// the port')
    expect(JSON.parse((await type('get')).out)).toEqual({
      gateway: { port: 18_790, allowedHosts: ['my.host'] },
      agents: { defaults: { model: 'anthropic/claude-sonnet-5' } },
    })
  })

  test('says what is set now, and where', async () => {
    const { out } = await shell('{}')('set', 'gateway.port', '18790')
    expect(out).toBe('gateway.port is now 18790 in ~/.equabot/equabot.json\n')
  })

  test('a value that does not fit changes nothing', async () => {
    const type = shell('{ gateway: { port: 1 } }')
    const { exit, err } = await type('set', 'gateway.port', 'many')
    expect(exit).toBe(78)
    expect(err).toContain('gateway.port')
    expect(err).not.toMatch(/line \d|config validate/)
    expect(type.text()).toBe('{ gateway: { port: 1 } }')
  })

  test('a secret is refused and never shown', async () => {
    const type = shell('{ models: { providers: { mine: { baseUrl: "http://127.0.0.1:1/v1" } } } }')
    const { exit, out, err } = await type('set', 'models.providers.mine.apiKey', SECRET)
    expect(exit).toBe(64)
    expect(out + err + type.text()).not.toContain(SECRET)
  })

  test('a place that cannot be read is a usage error', async () => {
    expect(await shell('{}')('set', 'gateway..port', '1')).toMatchObject({ exit: 64 })
  })
})

describe('config unset', () => {
  test('removes a value and keeps the others', async () => {
    const type = shell('{ gateway: { port: 1, bind: "::1" } }')
    expect(await type('unset', 'gateway.port')).toMatchObject({ exit: 0 })
    expect(JSON.parse((await type('get')).out)).toEqual({ gateway: { bind: '::1' } })
  })

  test('what is not set exits 1', async () => {
    expect(await shell('{}')('unset', 'gateway.port')).toMatchObject({ exit: 1 })
  })
})

describe('config validate and path', () => {
  test('a good file is said to be good', async () => {
    expect(await shell('{}')('validate')).toMatchObject({
      exit: 0,
      out: '~/.equabot/equabot.json is valid\n',
    })
  })

  test('a bad file is told with line and field', async () => {
    const { exit, err } = await shell('{\n  gateway: { prot: 1 },\n}')('validate')
    expect(exit).toBe(78)
    expect(err).toContain('line 2')
    expect(err).toContain('gateway.prot')
    expect(await shell('{\n  gateway: {')('validate')).toMatchObject({ exit: 78 })
  })

  test('older spellings and secrets in the open are named', async () => {
    const type = shell(
      `{ auth: { profiles: { "anthropic:claude-cli": { provider: "anthropic", mode: "token" } } },
         env: { MY_API_KEY: "${SECRET}" } }`,
    )
    const { out } = await type('validate')
    expect(out).toContain('auth.profiles.anthropic:claude-cli.mode has an older spelling')
    expect(out).toContain('env.MY_API_KEY holds a secret')
    expect(out).not.toContain(SECRET)
  })

  test('path prints the path and nothing else, also when the file is bad', async () => {
    expect(await shell('{')('path')).toMatchObject({ exit: 0, out: `${PATH}\n` })
  })
})
