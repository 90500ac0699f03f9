import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { User } from './harness.ts'
import { bookPath, newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const SETUP_TOKEN = `sk-ant-oat01-${'Fake_0123'.repeat(11)}`
const PASTE = ['models', 'auth', 'paste-token'] as const
const ANTHROPIC = [...PASTE, '--provider', 'anthropic'] as const
const ORDER = ['models', 'auth', 'order'] as const

async function stored(id: string, agent?: string): Promise<Record<string, unknown>> {
  const { profiles } = JSON.parse(await user.read(bookPath(agent))) as {
    profiles: Record<string, Record<string, unknown>>
  }
  return profiles[id] ?? {}
}

describe('paste-token', () => {
  test.each([
    ['as it is', SETUP_TOKEN],
    ['with Windows line ends', `${SETUP_TOKEN}\r\n`],
    [
      'wrapped over lines',
      `${SETUP_TOKEN.slice(0, 40)}\n  ${SETUP_TOKEN.slice(40, 80)}\r\n${SETUP_TOKEN.slice(80)}`,
    ],
    ['in quotes, as a shell line', `export ANTHROPIC_AUTH_TOKEN="${SETUP_TOKEN}";\n`],
    ['as a header', `Authorization: Bearer ${SETUP_TOKEN}`],
  ])('takes a token %s', async (_how, input) => {
    const ran = await user.run([...ANTHROPIC, '--expires-in', '365d', '--json'], { input })
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(ran.out)).toMatchObject({
      profile: 'anthropic:manual',
      type: 'token',
      replaced: false,
      unfamiliar: false,
    })
    expect(await stored('anthropic:manual')).toMatchObject({ type: 'token', token: SETUP_TOKEN })
    const { expires, storedAt } = await stored('anthropic:manual')
    expect(Number(expires) - Number(storedAt)).toBe(365 * 86_400_000)
  })

  test('writes the book and the config entry, and leaves comments and references alone', async () => {
    await user.write(
      '.equabot/equabot.json',
      '{\n  // my office\n  models: { providers: { office: { baseUrl: "http://127.0.0.1:9/v1", apiKey: "${OFFICE}", models: [{ id: "big" }] } } },\n}\n',
    )
    const ran = await user.run([...ANTHROPIC, '--profile-id', 'work'], { input: SETUP_TOKEN })
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/^Stored anthropic:work\n[\s\S]*Next: equabot models status\n$/)
    expect(ran.out).not.toContain(SETUP_TOKEN.slice(13, 30))
    const config = await user.read('.equabot/equabot.json')
    expect(config).toContain('// my office')
    expect(config).toContain('apiKey: "${OFFICE}"')
    expect(config).toMatch(/"anthropic:work": \{\s+provider: "anthropic",\s+mode: "token",\s+\}/)
    expect((await user.run(ANTHROPIC, { input: SETUP_TOKEN })).out).toMatch(
      /^Stored anthropic:manual/,
    )
    expect((await user.run(ANTHROPIC, { input: SETUP_TOKEN })).out).toMatch(
      /^Replaced anthropic:manual/,
    )
  })

  const MISTAKES: readonly (readonly [string, readonly string[], string, RegExp])[] = [
    [
      'a truncated token, with both lengths',
      ANTHROPIC,
      SETUP_TOKEN.slice(0, 60),
      /at least 100 characters, this has 60/,
    ],
    ['nothing', ANTHROPIC, ' \r\n', /Nothing was pasted/],
    ['a placeholder', ANTHROPIC, '<your-token>', /placeholder/],
    ['a masked secret', ANTHROPIC, 'sk-ant-…', /placeholder/],
    ['words around the secret', ANTHROPIC, `${SETUP_TOKEN} is it`, /Character \d+ of the secret/],
    [
      'an unknown provider, with the nearest',
      [...PASTE, '--provider', 'antropic'],
      SETUP_TOKEN,
      /Did you mean anthropic\?/,
    ],
    [
      'a profile of another provider',
      [...ANTHROPIC, '--profile-id', 'groq:work'],
      SETUP_TOKEN,
      /groq:work is not a profile of anthropic/,
    ],
    [
      'a reserved name',
      [...ANTHROPIC, '--profile-id', 'env'],
      SETUP_TOKEN,
      /anthropic:env is a name that Equabot gives/,
    ],
    ['an unknown agent', [...ANTHROPIC, '--agent', 'nobody'], SETUP_TOKEN, /no agent "nobody"/],
    ['a missing provider', PASTE, SETUP_TOKEN, /'--provider <id>' not specified/],
    ['a secret among the arguments', [...ANTHROPIC, SETUP_TOKEN], '', /Too many arguments/],
    ...['tomorrow', '-1d', '0', '3 moons'].map(
      (time) =>
        [
          `the time "${time}"`,
          [...ANTHROPIC, `--expires-in=${time}`],
          SETUP_TOKEN,
          /is not a length of time/,
        ] as const,
    ),
  ]

  test('changes no byte of any file on any mistake, and says what is wrong', async () => {
    await user.paste('fake-token-number-1', 'anthropic:one')
    await user.run(['models', 'set', 'anthropic/claude-opus-5'])
    const before = await user.files()
    for (const [what, args, input, words] of MISTAKES) {
      const ran = await user.run(args, { input })
      expect(ran, what).toMatchObject({ code: 64, out: '' })
      expect(ran.err, what).toMatch(words)
      expect(ran.err, what).not.toContain(SETUP_TOKEN.slice(13, 33))
    }
    expect(await user.files()).toEqual(before)
  })

  test('is taken back out of the book when the config cannot be written', async () => {
    await user.paste('fake-token-number-1', 'anthropic:one')
    await user.run([...ORDER, 'set', '--provider', 'anthropic', 'anthropic:one'])
    const before = JSON.parse(await user.read(bookPath())) as unknown
    // Nobody, not even root, can make a file there.
    const variables = { EQUABOT_CONFIG_PATH: '/proc/equabot.json' }
    for (const name of ['one', 'two']) {
      const args = [...ANTHROPIC, '--profile-id', name]
      const ran = await user.run(args, { variables, input: 'fake-token-number-2' })
      expect(ran).toMatchObject({ code: 77, out: '' })
      expect(ran.err).toContain('Nothing was changed')
      expect(JSON.parse(await user.read(bookPath()))).toEqual(before)
    }
  })

  test.each([
    ['12h', 12 * 3_600_000],
    ['90m', 90 * 60_000],
    ['1.5d', 36 * 3_600_000],
    ['30', 30 * 86_400_000],
  ])('--expires-in %s is understood', async (time, ms) => {
    await user.paste(SETUP_TOKEN, 'anthropic:x', '--expires-in', time)
    const { expires, storedAt } = await stored('anthropic:x')
    expect(Number(expires) - Number(storedAt)).toBe(ms)
  })

  test('an API key, known by its shape, gets no end; --type rules where the shape does not tell', async () => {
    const key = `sk-ant-api03-${'Fake_0123'.repeat(11)}`
    const ran = await user.paste(key, 'anthropic:key', '--expires-in', '30d')
    expect(ran.out).toContain('not kept')
    expect(await stored('anthropic:key')).toMatchObject({ type: 'api_key', key })
    await user.paste('fake-key-number-1', 'ollama:x', '--type', 'api_key')
    expect(await stored('ollama:x')).toMatchObject({ type: 'api_key' })
  })

  test('many at once lose nothing', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `anthropic:${name}`)
    await Promise.all(ids.map((id) => user.paste(`fake-token-of-${id}`, id)))
    const listed = await user.run(['models', 'auth', 'list'])
    const config = await user.read('.equabot/equabot.json')
    for (const id of ids) {
      expect(listed.out).toContain(id)
      expect(config).toContain(id)
    }
  })

  test('a new profile goes first into an order that is set, and says so', async () => {
    await user.paste('fake-token-number-1', 'anthropic:one')
    await user.run([...ORDER, 'set', '--provider', 'anthropic', 'anthropic:one'])
    const ran = await user.paste('fake-token-number-2', 'anthropic:two')
    expect(ran.out).toContain("first in the agent's order")
    const order = await user.run([...ORDER, 'get', '--provider', 'anthropic', '--json'])
    expect(JSON.parse(order.out)).toMatchObject({ own: ['anthropic:two', 'anthropic:one'] })
  })
})

describe('paste-token at a terminal', () => {
  test('shows nothing of what is typed or pasted', async () => {
    const seat = user.sit(ANTHROPIC)
    await seat.see(/will not be shown\): /)
    seat.type(`\u001b[200~${SETUP_TOKEN.slice(0, 50)}\r${SETUP_TOKEN.slice(50)}\u001b[201~`)
    seat.type('\r')
    await seat.see(/Stored anthropic:manual/)
    expect(await seat.ended()).toBe(0)
    expect(seat.screen()).not.toContain(SETUP_TOKEN.slice(13, 25))
    expect(await stored('anthropic:manual')).toMatchObject({ token: SETUP_TOKEN })
  })

  test('Ctrl-C writes nothing and exits 130', async () => {
    const seat = user.sit(ANTHROPIC)
    await seat.see(/will not be shown\): /)
    seat.type(SETUP_TOKEN.slice(0, 30))
    seat.type('\u0003')
    expect(await seat.ended()).toBe(130)
    expect(seat.screen()).toContain('nothing was changed')
    expect(seat.screen()).not.toContain(SETUP_TOKEN.slice(13, 25))
    expect(await user.files()).toEqual({})
  })

  test('`add` lets the provider be chosen, then asks for its secret', async () => {
    const seat = user.sit(['models', 'auth', 'add'])
    await seat.see(/Which provider\?[\s\S]*Anthropic/)
    seat.type('\r')
    await seat.see(/will not be shown\): /)
    seat.type(`${SETUP_TOKEN}\r`)
    await seat.see(/Stored anthropic:manual/)
    expect(await seat.ended()).toBe(0)
  })

  test('`remove` asks, and a no changes nothing', async () => {
    await user.paste('fake-token-number-1', 'anthropic:one')
    const before = await user.files()
    const seat = user.sit(['models', 'auth', 'remove', 'anthropic:one'])
    await seat.see(/Remove anthropic:one\?/)
    seat.type('n')
    await seat.see(/Nothing was changed/)
    expect(await seat.ended()).toBe(1)
    expect(await user.files()).toEqual(before)
  })
})

test('without a terminal, what would ask says what to do instead', async () => {
  await user.paste('fake-token-number-1', 'anthropic:one')
  const before = await user.files()
  const add = await user.run(['models', 'auth', 'add'])
  expect(add).toMatchObject({ code: 64, out: '' })
  expect(add.err).toContain('equabot models auth paste-token --provider <provider> < file')
  const remove = await user.run(['models', 'auth', 'remove', 'anthropic:one'])
  expect(remove).toMatchObject({ code: 64, out: '' })
  expect(remove.err).toContain('Add --yes')
  expect(await user.files()).toEqual(before)
})

describe('auth list and remove', () => {
  test('list shows type, fingerprint, health and place, and no part of a secret', async () => {
    await user.paste(SETUP_TOKEN, 'anthropic:work', '--expires-in', '90d')
    await user.paste('fake-groq-key-number-1', 'groq:work')
    const ran = await user.run(['models', 'auth', 'list'])
    expect(ran.out).toMatch(/anthropic:work +token +[0-9a-f]{8} +ok +in 90 days/)
    expect(ran.out).toContain('groq:work')
    const json = await user.run(['models', 'auth', 'list', '--provider', 'anthropic', '--json'])
    expect(json.out).toContain('anthropic:work')
    expect(json.out).not.toContain('groq:work')
    for (const { out } of [ran, json]) expect(out).not.toMatch(/Fake_0123|sk-ant|fake-groq/)
    expect((await user.run(['models', 'auth', 'list', '--provider', 'nosuch'])).code).toBe(64)
  })

  test('remove says what used the profile and forgets its secret everywhere', async () => {
    await user.paste('fake-token-number-1', 'anthropic:one')
    await user.paste('fake-token-number-2', 'anthropic:two')
    await user.run([...ORDER, 'set', '--provider', 'anthropic', 'anthropic:one', 'anthropic:two'])
    await user.run(['agents', 'add', 'research'])
    await user.run([
      'agent',
      '--session',
      'monday',
      '--message',
      '/model claude-opus-5@anthropic:one',
    ])
    const ran = await user.run(['models', 'auth', 'remove', 'anthropic:one', '--yes'])
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/^Removed anthropic:one from agent main/)
    expect(ran.out).toContain("It stood in the agent's order")
    expect(ran.out).toContain('research')
    expect(ran.out).toContain('main/monday')
    const files = await user.files()
    expect(Object.values(files).join('\n')).not.toContain('fake-token-number-1')
    expect(files['.equabot/equabot.json']).not.toContain('anthropic:one')
    expect(files[bookPath()]).toContain('fake-token-number-2')

    const again = await user.run(['models', 'auth', 'remove', 'anthropic:tow', '--yes'])
    expect(again.code).toBe(64)
    expect(again.err).toContain('Did you mean anthropic:two?')
  })
})

describe('auth order', () => {
  beforeEach(async () => {
    await user.writeBook({
      version: 1,
      profiles: {
        'anthropic:a': { type: 'token', provider: 'anthropic', token: 'fake-token-a' },
        'anthropic:b': { type: 'api_key', provider: 'anthropic', key: 'fake-key-b' },
        'anthropic:old': {
          type: 'token',
          provider: 'anthropic',
          token: 'fake-token-o',
          expires: 1,
        },
        'groq:work': { type: 'api_key', provider: 'groq', key: 'fake-key-g' },
      },
    })
  })

  const of = (verb: string, ...ids: readonly string[]): readonly string[] => [
    ...ORDER,
    verb,
    '--provider',
    'anthropic',
    '--json',
    ...ids,
  ]

  test('set shows the order as the next request resolves it; clear goes back', async () => {
    const before = await user.run(of('get'))
    expect(JSON.parse(before.out)).toMatchObject({ resolved: ['anthropic:a', 'anthropic:b'] })
    expect(JSON.parse(before.out)).not.toHaveProperty('own')
    const set = await user.run(of('set', 'anthropic:b', 'anthropic:old', 'anthropic:a'))
    expect(JSON.parse(set.out)).toMatchObject({
      own: ['anthropic:b', 'anthropic:old', 'anthropic:a'],
      resolved: ['anthropic:b', 'anthropic:a'],
    })
    expect((await user.run(['models', 'auth', 'explain'])).out).toMatch(/^Next +anthropic:b\n/)
    const cleared = await user.run(of('clear'))
    expect(JSON.parse(cleared.out)).toMatchObject({
      cleared: true,
      resolved: ['anthropic:a', 'anthropic:b'],
    })
    expect(JSON.parse((await user.run(of('clear'))).out)).toMatchObject({ cleared: false })
  })

  test('unknown and foreign profiles are refused, and nothing is changed', async () => {
    const before = await user.files()
    for (const [id, words] of [
      ['anthropic:aa', 'Did you mean anthropic:a?'],
      ['groq:work', 'groq:work is not a profile of anthropic'],
      ['no such', 'cannot serve as profile name'],
      ['nonsense', 'no profile "anthropic:nonsense"'],
      [' ', 'needs at least one profile'],
    ] as const) {
      const ran = await user.run([...ORDER, 'set', '--provider', 'anthropic', id])
      expect(ran).toMatchObject({ code: 64, out: '' })
      expect(ran.err).toContain(words)
    }
    expect((await user.run([...ORDER, 'get'])).code).toBe(64)
    expect(await user.files()).toEqual(before)
  })

  test('an agent has its own order, and main keeps its', async () => {
    await user.run(['agents', 'add', 'research'])
    const set = await user.run(of('set', 'anthropic:b', '--agent', 'research'))
    expect(JSON.parse(set.out)).toMatchObject({ agent: 'research', resolved: ['anthropic:b'] })
    expect(JSON.parse((await user.run(of('get'))).out)).toMatchObject({
      resolved: ['anthropic:a', 'anthropic:b'],
    })
    expect(JSON.parse(await user.read(bookPath('research')))).toMatchObject({ profiles: {} })
  })
})

describe('auth explain', () => {
  test('names every candidate with its reason, taken or passed over, and agrees with the request', async () => {
    await user.writeBook({
      version: 1,
      profiles: {
        'sandbox:good': { type: 'api_key', provider: 'sandbox', key: 'sandbox-ok' },
        'sandbox:old': { type: 'token', provider: 'sandbox', token: 'fake-token-o', expires: 1 },
      },
    })
    await user.run(['models', 'set', 'sandbox/sandbox-echo'])
    const ran = await user.run(['models', 'auth', 'explain'])
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(
      /^Next +sandbox:good\nModel +sandbox\/sandbox-echo\nBecause +set in the config/,
    )
    expect(ran.out).toMatch(/- +sandbox:old[\s\S]*passed over +expired/)
    const turn = await user.run(['agent', '--message', 'hi', '--json'])
    expect(JSON.parse(turn.out)).toMatchObject({
      profile: 'sandbox:good',
      model: 'sandbox/sandbox-echo',
    })

    const pinned = await user.run([
      'models',
      'auth',
      'explain',
      '--json',
      '--model',
      'sandbox/sandbox-echo@sandbox:good',
    ])
    expect(JSON.parse(pinned.out)).toMatchObject({ next: 'sandbox:good', pin: 'sandbox:good' })
    expect((await user.run(['models', 'auth', 'explain', '--session', 'nosuch'])).code).toBe(64)
    const nobody = await user.run(['models', 'auth', 'explain', '--model', 'openai/gpt-5.1'])
    expect(nobody.code).toBe(1)
    expect(nobody.out).toMatch(/^Next +none can serve/)
  })
})
