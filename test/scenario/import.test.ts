import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { markOf } from '../../src/domain/grant.ts'
import { Secret } from '../../src/domain/secret.ts'
import { renderSpentLine } from '../../src/wire/grant-journal.ts'
import type { User } from './harness.ts'
import { bookPath, newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const IMPORT = ['models', 'auth', 'import'] as const
const LATER = 4_102_444_800_000
const SECRETS = {
  access: 'fake-access-of-the-older-tool-1',
  refresh: 'fake-refresh-of-the-older-tool-1',
  key: 'fake-key-of-the-older-tool-number-1',
  other: 'fake-refresh-of-the-older-tool-2',
}

const MOMENT = { at: 1_767_225_600_000, boot: 'boot-1', upMs: 1_000 }
/** Claude Code's own file; the older tool holds a copy of its login. */
const WHOLE = JSON.stringify({
  claudeAiOauth: { accessToken: 'fake', refreshToken: SECRETS.refresh, expiresAt: LATER },
})

/** The state folder of an older tool, with every kind of file that it has kept logins in. */
async function installOlderTool(): Promise<void> {
  const oauth = {
    type: 'oauth',
    provider: 'anthropic',
    access: SECRETS.access,
    refresh: SECRETS.refresh,
    expires: LATER,
    email: 'me@example.com',
  }
  const main = {
    version: 1,
    profiles: {
      'anthropic:default': oauth,
      'anthropic:claude-cli': { ...oauth, refresh: 'fake-refresh-of-claude-code' },
      'openai:work': { type: 'api_key', provider: 'openai', key: SECRETS.key },
      'groq:torn': { type: 'api_key', provider: 'groq' },
    },
    order: { openai: ['openai:work'] },
    usageStats: { 'openai:work': { cooldownUntil: LATER, errorCount: 3 } },
  }
  const sub = { version: 1, profiles: { 'anthropic:copy': oauth } }
  await user.write('.older/agents/main/agent/auth-profiles.json', JSON.stringify(main))
  await user.write('.older/agents/sub/agent/auth-profiles.json', JSON.stringify(sub))
  await user.write(
    '.older/credentials/oauth.json',
    JSON.stringify({
      'openai-codex': { access: 'fake-access-2', refresh: SECRETS.other, expires: LATER },
    }),
  )
}

async function profiles(): Promise<Record<string, Record<string, unknown>>> {
  const book = JSON.parse(await user.read(bookPath())) as {
    profiles: Record<string, Record<string, unknown>>
  }
  return book.profiles
}

interface Report {
  readonly changes: boolean
  readonly backup?: string
  readonly entries: readonly {
    readonly name: string
    readonly profile?: string
    readonly outcome: string
    readonly why?: { readonly code: string }
  }[]
}

function outcomes(out: string): Record<string, string> {
  const { entries } = JSON.parse(out) as Report
  return Object.fromEntries(
    entries.map(({ name, outcome, why }) => [name, why ? `${outcome}: ${why.code}` : outcome]),
  )
}

test('a whole state folder is imported: each entry is told, the source stays, the logins serve', async () => {
  await installOlderTool()
  const source = await user.files()
  const dry = await user.run([...IMPORT, '.older', '--dry-run', '--json'])
  expect(dry).toMatchObject({ code: 0, err: '' })
  expect(await user.files()).toEqual(source)

  const ran = await user.run([...IMPORT, '.older', '--json'])
  expect(ran).toMatchObject({ code: 0, err: '' })
  expect(outcomes(ran.out)).toEqual({
    'anthropic:default': 'added',
    'anthropic:claude-cli': 'skipped: foreign',
    'openai:work': 'added',
    'groq:torn': 'skipped: unreadable',
    'anthropic:copy': 'skipped: stands_elsewhere',
    'openai-codex': 'added',
  })
  expect(outcomes(dry.out)).toEqual(outcomes(ran.out))
  expect(await user.files()).toMatchObject(source)

  const stored = await profiles()
  expect(Object.keys(stored).toSorted()).toEqual([
    'anthropic:default',
    'openai-codex:default',
    'openai:work',
  ])
  expect(stored['anthropic:default']).toMatchObject({
    type: 'oauth',
    access: SECRETS.access,
    refresh: SECRETS.refresh,
    expires: LATER,
    email: 'me@example.com',
    grant: expect.stringMatching(/^[0-9a-f]{32}$/),
  })
  expect(await user.read('.equabot/equabot.json')).toContain('"anthropic:default"')
  const listed = await user.run(['models', 'auth', 'list'])
  expect(listed.out).toMatch(/anthropic:default +oauth/)
  expect(listed.out).not.toContain('cooldown')
  const order = await user.run(['models', 'auth', 'order', 'get', '--provider', 'openai', '--json'])
  expect(JSON.parse(order.out)).toMatchObject({ own: ['openai:work'] })
  for (const { out } of [dry, ran, listed]) {
    for (const secret of Object.values(SECRETS)) expect(out).not.toContain(secret)
  }
})

test('for people it names what was left out and why, and warns of two owners of one login', async () => {
  await installOlderTool()
  const ran = await user.run([...IMPORT, '.older'])
  expect(ran).toMatchObject({ code: 0, err: '' })
  expect(ran.out).toMatch(/anthropic:default +oauth +[0-9a-f]{8} +added +~\/\.older/)
  expect(ran.out).toContain('anthropic:claude-cli: it is the login of Claude Code')
  expect(ran.out).toContain('groq:torn: key: expected')
  expect(ran.out).toContain('anthropic:copy: the same login is anthropic:default already')
  expect(ran.out).toContain('two owners of one refresh token log each other out')
  expect(ran.out).toMatch(/Next: equabot models status\n$/)
  const again = await user.run([...IMPORT, '.older'])
  expect(again.code).toBe(0)
  expect(again.out).toContain('here already')
  expect(again.out).toContain('Nothing was changed')
  expect(again.out).not.toContain('two owners')
})

test('importing twice changes no byte the second time', async () => {
  await installOlderTool()
  await user.run([...IMPORT, '.older'])
  const before = await user.files()
  const again = await user.run([...IMPORT, '.older', '--replace'])
  expect(again).toMatchObject({ code: 0, err: '' })
  expect(await user.files()).toEqual(before)
})

test('the book as it was is kept beside it, for its owner alone', async () => {
  await installOlderTool()
  await user.paste('fake-key-number-1', 'groq:mine')
  const before = await user.read(bookPath())
  const ran = await user.run([...IMPORT, '.older', '--json'])
  const { backup = '' } = JSON.parse(ran.out) as Report
  expect(backup).toMatch(/\/auth-profiles\.json\.before-import-\d{4}-\d\d-\d\dT[\d.-]+Z$/)
  expect(await user.read(backup.slice(user.home.length + 1))).toBe(before)
  expect((await stat(backup)).mode & 0o777).toBe(0o600)
})

test('a name that holds another credential is left, and replaced only with --replace and a yes', async () => {
  await installOlderTool()
  await user.paste('fake-key-of-my-own-number-1', 'openai:work')
  const ran = await user.run([...IMPORT, '.older', '--json'])
  expect(outcomes(ran.out)).toMatchObject({ 'openai:work': 'kept: another_credential' })
  expect((await profiles())['openai:work']).toMatchObject({ token: 'fake-key-of-my-own-number-1' })

  const before = await user.files()
  const refused = await user.run([...IMPORT, '.older', '--replace'])
  expect(refused).toMatchObject({ code: 64, out: '' })
  expect(refused.err).toContain('openai:work would be replaced')
  expect(await user.files()).toEqual(before)
  const seat = user.sit([...IMPORT, '.older', '--replace'])
  await seat.see(/Replace openai:work\?/)
  seat.type('n')
  expect(await seat.ended()).toBe(1)
  expect(await user.files()).toEqual(before)

  const yes = await user.run([...IMPORT, '.older', '--replace', '--yes', '--json'])
  expect(outcomes(yes.out)).toMatchObject({ 'openai:work': 'replaced' })
  expect((await profiles())['openai:work']).toMatchObject({ type: 'api_key', key: SECRETS.key })
  expect(await user.read('.equabot/equabot.json')).toMatch(
    /"openai:work": \{\s*provider: "openai",\s*mode: "api_key"/,
  )
})

test("opencode's file is imported by its path, into the book of the agent that is named", async () => {
  await user.run(['agents', 'add', 'work'])
  const file = { mistral: { type: 'api', key: 'fake-key-of-opencode-number-1' } }
  await user.write('.local/share/opencode/auth.json', JSON.stringify(file))
  const ran = await user.run([
    ...IMPORT,
    join(user.home, '.local/share/opencode/auth.json'),
    '--agent',
    'work',
  ])
  expect(ran).toMatchObject({ code: 0, err: '' })
  expect(await user.read(bookPath('work'))).toContain('mistral:default')
  expect(await user.files()).not.toHaveProperty([bookPath()])
})

test.each([
  ['nothing there', 'gone', 64, /gone does not exist/],
  ['a folder without logins', 'bin', 1, /holds no login[\s\S]*Looked for: auth-profiles\.json/],
  ['our own state folder', '.equabot', 64, /own state folder/],
  ['a torn file', 'torn.json', 65, /torn\.json is not valid JSON: line 1, column/],
  ['a file without logins', 'empty.json', 1, /holds no login/],
])('%s is told and changes nothing', async (_what, path, code, words) => {
  await user.paste('fake-key-number-1', 'groq:mine')
  await user.write('torn.json', '{"openai": {"type": "api_key", "key": "fake')
  await user.write('empty.json', '{}')
  await user.write('bin/tool', '')
  const before = await user.files()
  const ran = await user.run([...IMPORT, path])
  expect(ran).toMatchObject({ code, out: '' })
  expect(ran.err).toMatch(words)
  expect(ran.err).not.toContain('fake')
  expect(await user.files()).toEqual(before)
})

test('an unreadable book of ours is left as it is', async () => {
  await installOlderTool()
  await user.write(bookPath(), '{"profiles": ')
  const before = await user.files()
  const ran = await user.run([...IMPORT, '.older'])
  expect(ran).toMatchObject({ code: 65, out: '' })
  expect(await user.files()).toEqual(before)
})

test('only logins that stay elsewhere: the answer is no', async () => {
  await user.write('.claude/.credentials.json', '{"claudeAiOauth": {"accessToken": "fake"}}')
  const ran = await user.run([...IMPORT, '.claude/.credentials.json'])
  expect(ran).toMatchObject({ code: 1, err: '' })
  expect(ran.out).toContain('login of Claude Code, which Equabot borrows by itself')
  expect(ran.out).toContain('Nothing was changed')
})

/** A folder whose two files have an entry of one name: a subscription, and a key. */
async function installTwins(): Promise<void> {
  const oauth = { access: SECRETS.access, refresh: SECRETS.refresh, expires: LATER }
  await user.write('.twins/oauth.json', JSON.stringify({ anthropic: oauth }))
  await user.write(
    '.twins/auth.json',
    JSON.stringify({ anthropic: { type: 'api_key', key: SECRETS.key } }),
  )
}

function places(out: string): readonly string[] {
  const { entries } = JSON.parse(out) as Report
  return entries.map(({ profile, outcome }) => `${profile} ${outcome}`)
}

test('two logins of one name both come, and coming again changes no byte, as folder or file by file', async () => {
  await installTwins()
  const dry = await user.run([...IMPORT, '.twins', '--dry-run'])
  expect(dry.code).toBe(0)
  expect(dry.out).toMatch(/anthropic:default +api_key +[0-9a-f]{8} +added/)
  expect(dry.out).toMatch(/anthropic:default-oauth +oauth +[0-9a-f]{8} +added/)
  const ran = await user.run([...IMPORT, '.twins', '--json'])
  expect(ran).toMatchObject({ code: 0, err: '' })
  expect(places(ran.out)).toEqual(['anthropic:default added', 'anthropic:default-oauth added'])
  expect(await profiles()).toMatchObject({
    'anthropic:default': { key: SECRETS.key },
    'anthropic:default-oauth': { refresh: SECRETS.refresh },
  })
  const before = await user.files()
  for (const path of ['.twins', '.twins/oauth.json', '.twins/auth.json']) {
    for (const how of [[], ['--dry-run']]) {
      const again = await user.run([...IMPORT, path, ...how])
      expect(again).toMatchObject({ code: 0, err: '' })
      expect(again.out).toMatch(/Nothing w(?:as|ould be) changed: all of it is here already/)
    }
  }
  expect(await user.files()).toEqual(before)
})

test('a login whose name is taken here is left with a no, and comes under a name that is given', async () => {
  await installTwins()
  await user.run([...IMPORT, '.twins/oauth.json'])
  const before = await user.files()
  for (const how of [[], ['--dry-run']]) {
    const left = await user.run([...IMPORT, '.twins/auth.json', ...how])
    expect(left).toMatchObject({ code: 1, err: '' })
    const words = left.out.replace(/\s+/g, ' ')
    expect(words).toContain('--profile-id gives it a name of its own')
    expect(words).toMatch(/anthropic:default +api_key +\w{8} +not taken/)
    expect(words).toMatch(/this name holds another credential here \(oauth \w{8}\), which stays/)
    expect(left.out).not.toContain('here already')
  }
  expect(await user.files()).toEqual(before)
  const named = [...IMPORT, '.twins/auth.json', '--profile-id', 'work']
  expect(places((await user.run([...named, '--dry-run', '--json'])).out)).toEqual([
    'anthropic:work added',
  ])
  expect(await user.run(named)).toMatchObject({ code: 0, err: '' })
  expect(await profiles()).toMatchObject({ 'anthropic:work': { key: SECRETS.key } })
  const after = await user.files()
  for (const again of [named, [...IMPORT, '.twins']]) {
    expect((await user.run(again)).out).toContain('all of it is here already')
  }
  expect(await user.files()).toEqual(after)
})

test.each([
  [
    'two logins',
    '.twins',
    'work',
    /there are 2 to import: anthropic:default, anthropic:default-oauth/,
  ],
  ['one of another provider', '.twins/auth.json', 'openai:work', /anthropic/],
  ['one that is called what no profile is', '.twins/auth.json', 'a b', /"a b" cannot serve/],
  ['a name that is kept for keys outside the book', '.twins/auth.json', 'env', /anthropic:env/],
])('--profile-id for %s is a mistake, and nothing is imported', async (_what, path, id, words) => {
  await installTwins()
  const before = await user.files()
  for (const how of [[], ['--dry-run']]) {
    const ran = await user.run([...IMPORT, path, '--profile-id', id, ...how])
    expect(ran).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toMatch(words)
  }
  expect(await user.files()).toEqual(before)
})

test('a name that no profile can have is a mistake also where nothing is left to be named', async () => {
  await installTwins()
  await user.run([...IMPORT, '.twins'])
  const ran = await user.run([...IMPORT, '.twins', '--profile-id', 'a b'])
  expect(ran).toMatchObject({ code: 64, out: '' })
  const gone = await user.run([...IMPORT, '/nope'])
  expect(gone).toMatchObject({ code: 64, out: '' })
  expect(gone.err).toContain('/nope does not exist')
})

test('the help says how it ends and what a second login of one name is called', async () => {
  const { out } = await user.run([...IMPORT, '--help'])
  expect(out).toContain('Ends with 0 when a login was taken, or is here already')
  expect(out).toContain('anthropic:default-api_key')
  expect(out).toContain('--profile-id <id>')
})

test.each([
  ['that others may write', WHOLE, 0o664],
  ['that is torn', WHOLE.slice(0, -2), 0o600],
])(
  "while Claude Code's file is one %s, nothing that may be its own is taken",
  async (_what, text, mode) => {
    await installOlderTool()
    await user.write('.claude/.credentials.json', text)
    await chmod(join(user.home, '.claude/.credentials.json'), mode)
    const ran = await user.run([...IMPORT, '.older', '--json'])
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(outcomes(ran.out)).toMatchObject({
      'anthropic:default': 'skipped: owner_unknown',
      'anthropic:copy': 'skipped: owner_unknown',
      'openai:work': 'added',
      'openai-codex': 'added',
    })
    expect(await user.read(bookPath())).not.toContain(SECRETS.refresh)
  },
)

test('a state of our login from before its last renewal is not taken under another name', async () => {
  await installOlderTool()
  const spent = markOf(new Secret(SECRETS.refresh))
  await user.write(`.equabot/grants/${'a'.repeat(32)}/spent`, renderSpentLine(spent, MOMENT))
  const ran = await user.run([...IMPORT, '.older', '--json'])
  expect(ran).toMatchObject({ code: 0, err: '' })
  expect(outcomes(ran.out)).toMatchObject({
    'anthropic:default': 'skipped: spent',
    'anthropic:copy': 'skipped: spent',
  })
  expect(await user.read(bookPath())).not.toContain(SECRETS.refresh)
})

test('a file with more logins than anybody has is told, and nothing is imported', async () => {
  const key = (at: number) => [
    `openai:u${at}`,
    { type: 'api_key', provider: 'openai', key: `fake-key-${at}` },
  ]
  const profilesOf = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => key(at)))
  await user.write('big.json', JSON.stringify({ version: 1, profiles: profilesOf(20_000) }))
  const ran = await user.run([...IMPORT, 'big.json'])
  expect(ran).toMatchObject({ code: 65, out: '' })
  expect(ran.err).toContain('big.json is too large to be what it should be')
  await user.write('big.json', JSON.stringify({ version: 1, profiles: profilesOf(1_000) }))
  expect(await user.run([...IMPORT, 'big.json'])).toMatchObject({ code: 0, err: '' })
})
