import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import type { Ran, User } from './harness.ts'
import { newUser } from './harness.ts'

const FILE = '.equabot/equabot.json'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const config = (...args: readonly string[]): Promise<Ran> => user.run(['config', ...args])

test('set, get and unset change one value; comments, references and the rest survive', async () => {
  const text = `{
  // where I work
  models: {
    providers: {
      office: { baseUrl: 'http://127.0.0.1:9/v1', apiKey: '\${OFFICE_KEY}', models: [{ id: 'big' }] }, // the big one
    },
  },
  gateway: { port: 18790 }, /* not the usual */
}
`
  await user.write(FILE, text)
  expect((await config('get', 'gateway.port')).out).toBe('18790\n')
  expect((await config('set', 'gateway.port', '0')).code).toBe(0)
  expect(await user.read(FILE)).toBe(text.replace('18790', '0'))
  expect((await config('set', 'agents.defaults.system', 'Be brief')).code).toBe(0)
  expect((await config('unset', 'agents')).code).toBe(0)
  const after = await user.read(FILE)
  for (const kept of [
    '// where I work',
    "apiKey: '${OFFICE_KEY}'",
    '// the big one',
    '/* not the usual */',
  ]) {
    expect(after).toContain(kept)
  }
  expect((await config('get', 'models.providers.office.apiKey')).out).toBe('${OFFICE_KEY}\n')
  expect(JSON.parse((await config('get', '--json')).out)).toMatchObject({ gateway: { port: 0 } })
})

test('path and validate answer also where there is no file', async () => {
  expect((await config('path')).out).toBe(`${join(user.home, FILE)}\n`)
  const valid = await config('validate')
  expect(valid).toMatchObject({
    code: 0,
    out: '~/.equabot/equabot.json does not exist; the defaults count\n',
  })
  const elsewhere = { variables: { EQUABOT_CONFIG_PATH: join(user.home, 'mine.json5') } }
  expect((await user.run(['config', 'set', 'gateway.port', '0'], elsewhere)).code).toBe(0)
  expect(Object.keys(await user.files())).toEqual(['mine.json5'])
})

test('a value that is not set answers 1, for get and unset', async () => {
  for (const verb of ['get', 'unset']) {
    const ran = await config(verb, 'gateway.port')
    expect(ran).toMatchObject({ code: 1, out: '' })
    expect(ran.err).toContain('gateway.port is not set')
  }
})

test('unknown keys, wrong types and secrets are refused by set, and nothing is changed', async () => {
  await config('set', 'gateway.port', '0')
  const before = await user.files()
  for (const [path, value, code, words] of [
    ['gateway.prot', '5', 78, 'Did you mean port?'],
    ['gateway.port', 'many', 78, 'gateway.port must be a number'],
    ['gateway.port', '70000', 78, 'whole number from 0 to 65535'],
    ['models.providers.anthropic.apiKey', 'sk-ant-api03-fake-key-1', 64, '~/.equabot/.env'],
    ['models.providers.x.baseUrl', 'ftp://example.org', 78, 'models.providers.x.baseUrl'],
  ] as const) {
    const ran = await config('set', path, value)
    expect(ran, `${path} ${value}`).toMatchObject({ code, out: '' })
    expect(ran.err).toContain(words)
    expect(ran.err).not.toContain('sk-ant-api03-fake-key-1')
  }
  expect(await user.files()).toEqual(before)
})

test.each([
  [
    'an unknown key',
    '{\n  // c\n  gateway: { prot: 5 },\n}\n',
    /line 3: gateway\.prot is not a setting\nDid you mean port\?/,
  ],
  ['a wrong type', '{\n  gateway: { port: "x" },\n}\n', /line 2: gateway\.port must be a number/],
  ['half a file', '{\n  gateway: { port: 5\n', /equabot\.json, line 3, column 1: /],
  ['something else', '[]', /must be an object/],
])(
  '%s in the file stops every command with its line, and the file stays as it is',
  async (_what, text, words) => {
    await user.write(FILE, text)
    for (const args of [
      ['config', 'validate'],
      ['models', 'status', '--check'],
      ['models', 'auth', 'paste-token', '--provider', 'groq'],
      ['config', 'set', 'gateway.port', '0'],
      ['gateway', 'run', '--port', '0'],
      ['agent', '--message', 'hi'],
    ]) {
      const ran = await user.run(args, { input: 'fake-key-number-1' })
      expect(ran, args.join(' ')).toMatchObject({ code: 78, out: '' })
      expect(ran.err).toMatch(words)
    }
    expect(await user.files()).toEqual({ [FILE]: text })
  },
)

test('a secret that stands in the file is masked by get and named by validate', async () => {
  await user.write(FILE, '{ models: { providers: { groq: { apiKey: "fake-open-secret-1" } } } }')
  const got = await config('get')
  expect(got.out).toContain('[secret]')
  expect(got.out).not.toContain('fake-open-secret-1')
  expect((await config('validate')).out).toContain('models.providers.groq.apiKey holds a secret')
})
