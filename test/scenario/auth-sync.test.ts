import { chmod, stat, symlink, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { User } from './harness.ts'
import { bookPath, newUser } from './harness.ts'

const FILE = '.claude/.credentials.json'
const ACCESS = `sk-ant-oat01-${'Fa4Ke5'.repeat(16)}`
const REFRESH = `sk-ant-ort01-${'Fa6Ke7'.repeat(16)}`
const SYNC = ['models', 'auth', 'sync']

let user: User
beforeEach(async () => void (user = await newUser()))
afterEach(() => user.leave())

const claude = (more: object = {}) =>
  JSON.stringify({
    mcpOAuth: { kept: true },
    claudeAiOauth: {
      accessToken: ACCESS,
      refreshToken: REFRESH,
      expiresAt: new Date().getTime() + 7_200_000,
      scopes: ['user:inference'],
      ...more,
    },
  })

async function profiles(): Promise<Record<string, Record<string, unknown>>> {
  const book: unknown = JSON.parse(await user.read(bookPath()))
  return (book as { profiles: Record<string, Record<string, unknown>> }).profiles
}

describe('a login of Claude Code', () => {
  test('is taken over once, without its refresh token, and its file is left as it was', async () => {
    await user.write(FILE, claude())
    const before = await stat(join(user.home, FILE), { bigint: true })
    const first = await user.run(SYNC)
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out).toContain('Added anthropic:claude-cli: oauth, access ends in 2 h')
    expect((await profiles())['anthropic:claude-cli']).toMatchObject({
      type: 'oauth',
      access: ACCESS,
      origin: 'claude-code',
      source: join(user.home, FILE),
    })
    const book = await stat(join(user.home, bookPath()), { bigint: true })
    const second = await user.run(SYNC)
    expect(second.out).toContain('anthropic:claude-cli is up to date')
    expect((await stat(join(user.home, bookPath()), { bigint: true })).mtimeNs).toBe(book.mtimeNs)

    const after = await stat(join(user.home, FILE), { bigint: true })
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs])
    const ours = Object.entries(await user.files()).filter(([path]) => path !== FILE)
    for (const [, text] of ours) expect(text).not.toContain(REFRESH)
    expect(first.out + second.out).not.toContain(ACCESS.slice(-12))
  })

  test('serves by its name afterwards', async () => {
    await user.write(FILE, claude())
    await user.run(SYNC)
    const list = await user.run(['models', 'auth', 'list'])
    expect(list.out).toContain('anthropic:claude-cli')
  })

  test.each([
    [
      'is blanked',
      claude({ accessToken: '', refreshToken: '', expiresAt: 0 }),
      /has logged out/,
      1,
    ],
    ['is cut', claude().slice(0, 60), /is not whole JSON: line 1/, 65],
    ['is of another form', '{"claudeAiOauth":{"accessToken":5}}', /accessToken must be text/, 65],
  ])('that %s fails, and the last good copy stays', async (_, text, words, code) => {
    await user.write(FILE, claude())
    await user.run(SYNC)
    const before = await user.read(bookPath())
    await user.write(FILE, text)
    const ran = await user.run(SYNC)
    expect(ran.code).toBe(code)
    expect(ran.out).toMatch(words)
    expect(await user.read(bookPath())).toBe(before)
  })

  test('that others may write, and one behind a link, are not trusted', async () => {
    await user.write(FILE, claude())
    await chmod(join(user.home, FILE), 0o666)
    const open = await user.run([...SYNC, '--json'])
    expect(open.code).toBe(77)
    expect(JSON.parse(open.out).sources[0].fault).toMatchObject({ code: 'EQ_FOREIGN_OPEN' })

    await chmod(join(user.home, FILE), 0o600)
    await rename(join(user.home, FILE), join(user.home, 'elsewhere.json'))
    await symlink(join(user.home, 'elsewhere.json'), join(user.home, FILE))
    const linked = await user.run([...SYNC, '--json'])
    expect(JSON.parse(linked.out).sources[0].fault).toMatchObject({ code: 'EQ_FOREIGN_LINK' })
    expect(await user.files()).not.toHaveProperty([bookPath()])
  })

  test('stands where CLAUDE_CONFIG_DIR says', async () => {
    await user.write('elsewhere/.credentials.json', claude())
    const variables = { CLAUDE_CONFIG_DIR: join(user.home, 'elsewhere') }
    const ran = await user.run(SYNC, { variables })
    expect(ran.out).toContain('~/elsewhere/.credentials.json')
    expect(ran.out).toContain('Added anthropic:claude-cli')
  })

  test('is left alone when it is switched off', async () => {
    await user.write(FILE, claude())
    const off = await user.run(SYNC, { variables: { EQUABOT_FOREIGN_LOGINS: '0' } })
    expect(off).toMatchObject({ code: 0 })
    expect(off.out).toContain('EQUABOT_FOREIGN_LOGINS=0')
    await user.write('.equabot/equabot.json', '{auth: {foreign: {claudeCode: {enabled: false}}}}')
    const inConfig = await user.run(SYNC)
    expect(inConfig.out).toContain('it is switched off in the config')
    expect(await user.files()).not.toHaveProperty([bookPath()])
  })
})

test('a login of Codex is taken over beside it', async () => {
  const body = { exp: Math.floor(new Date().getTime() / 1_000) + 7_200 }
  const access = `fake.${Buffer.from(JSON.stringify(body)).toString('base64url')}.sign`
  const tokens = { access_token: access, refresh_token: REFRESH, account_id: 'me' }
  await user.write('codex/auth.json', JSON.stringify({ auth_mode: 'chatgpt', tokens }))
  const variables = { CODEX_HOME: join(user.home, 'codex') }
  const ran = await user.run(SYNC, { variables })
  expect(ran).toMatchObject({ code: 0 })
  expect(ran.out).toContain('Added openai-codex:codex-cli')
  expect((await profiles())['openai-codex:codex-cli']).toMatchObject({
    access,
    accountId: 'me',
    expires: body.exp * 1_000,
  })
})

test('without any login it says where a setup-token goes, and makes no book', async () => {
  const ran = await user.run(SYNC)
  expect(ran.code).toBe(0)
  expect(ran.out).toContain(
    'equabot models auth paste-token --provider anthropic --expires-in 365d',
  )
  expect(await user.files()).not.toHaveProperty([bookPath()])
})

test('a token in CLAUDE_CODE_OAUTH_TOKEN is a bearer token beside the key in ANTHROPIC_API_KEY', async () => {
  const variables = {
    ANTHROPIC_API_KEY: `sk-ant-api03-${'Fa2Ke3'.repeat(14)}`,
    CLAUDE_CODE_OAUTH_TOKEN: 'some-token-of-no-known-shape-at-all',
  }
  const list = await user.run(['models', 'auth', 'list', '--json'], { variables })
  const { providers } = JSON.parse(list.out) as {
    providers: { candidates: { profile: string; type: string; lane: string }[] }[]
  }
  const candidates = providers.flatMap((provider) => provider.candidates)
  expect(candidates.map(({ profile, type, lane }) => [profile, type, lane])).toEqual([
    ['anthropic:env-token', 'token', 'subscription'],
    ['anthropic:env', 'api_key', 'metered'],
  ])
})
