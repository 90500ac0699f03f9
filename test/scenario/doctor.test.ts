import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  rename,
  stat,
  symlink,
  utimes,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { createClock } from '../../src/adapters/clock.ts'
import { createFiles } from '../../src/adapters/files.ts'
import { createGrantStore } from '../../src/adapters/grant-store.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import { grantLock } from '../../src/adapters/renewal-helper.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { markOf, newGrantId } from '../../src/domain/grant.ts'
import { Secret } from '../../src/domain/secret.ts'
import { provider } from '../names-from.ts'
import type { FakeUpstream, RunOptions, User } from './harness.ts'
import { bookPath, fakeUpstream, newUser } from './harness.ts'

const KEY = `sk-ant-api03-${'Fa2Ke3'.repeat(14)}`
const REFRESH = 'fake-refresh-77aa88bb99cc'
const HOUR_AGO = Date.now() / 1000 - 2 * 3_600

interface Told {
  readonly ok: boolean
  readonly findings: readonly {
    readonly code: string
    readonly severity: string
    readonly message: string
    readonly fix: string
    readonly fixable: boolean
    readonly fixed?: boolean
    readonly backups?: readonly string[]
  }[]
}

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

async function doctor(
  args: readonly string[] = [],
  options?: RunOptions,
): Promise<Told & { readonly code: number; readonly out: string }> {
  const { code, out, err } = await user.run(['doctor', '--json', ...args], options)
  expect(err).toBe('')
  return { code, out, ...(JSON.parse(out) as Told) }
}

/** Codes of what is wrong; what a container's disk is belongs to no test. */
function wrong({ findings }: Told): readonly string[] {
  return findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code)
}

const inState = (below: string): string => join(user.stateDir, below)
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

describe('a machine with one pasted key', () => {
  beforeEach(async () => {
    await user.paste(KEY, 'anthropic:work')
  })

  test('is healthy: doctor says so shortly and ends with 0', async () => {
    const { code, out, err } = await user.run(['doctor'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/All is well\nLooked at \d+ files, 1 profile, 1 agent; made \d+ checks\n$/)
    expect(await doctor(['--offline'])).toMatchObject({ code: 0, ok: true })
  })

  test('looking changes nothing: no byte, no mode, no new file', async () => {
    await chmod(inState('equabot.json'), 0o644)
    const before = await user.files()
    await doctor()
    expect(await user.files()).toEqual(before)
    expect(await modeOf(inState('equabot.json'))).toBe(0o644)
  })

  test('open files and folders are found, and --fix closes them without a terminal', async () => {
    const open = [user.stateDir, inState('agents/main'), join(user.home, bookPath())]
    await chmod(open[0] ?? '', 0o755)
    await chmod(open[1] ?? '', 0o777)
    await chmod(open[2] ?? '', 0o644)
    const found = await doctor()
    expect(found.code).toBe(1)
    expect(wrong(found)).toEqual(['DR_FILE_OPEN', 'DR_FILE_OPEN', 'DR_FILE_OPEN'])
    const fixed = await doctor(['--fix'])
    expect(fixed).toMatchObject({ code: 0, ok: true })
    expect(fixed.findings.filter((entry) => entry.fixed)).toHaveLength(3)
    expect(await Promise.all(open.map(modeOf))).toEqual([0o700, 0o700, 0o600])
    expect((await doctor()).code).toBe(0)
  })

  test('what Equabot does not make is neither told nor touched, and nobody loses an execute bit', async () => {
    const outside = join(user.home, 'tool')
    await user.write('.equabot/workspace/run.sh', '#!/bin/sh\n')
    await user.write('.equabot/workspace/objects/ab', 'fake object')
    await user.write('.equabot/workspace/my.0123456789ab.tmp', 'mine')
    await utimes(inState('workspace/my.0123456789ab.tmp'), HOUR_AGO, HOUR_AGO)
    await user.write('tool', 'fake tool')
    await mkdir(inState('logs'), { recursive: true, mode: 0o700 })
    await link(outside, inState('logs/tool'))
    await chmod(inState('workspace'), 0o755)
    await chmod(inState('workspace/run.sh'), 0o755)
    await chmod(inState('workspace/objects/ab'), 0o444)
    await chmod(outside, 0o755)
    await chmod(join(user.home, bookPath()), 0o755)
    const before = await readdir(inState('workspace'))
    const fixed = await doctor(['--fix'])
    expect(fixed).toMatchObject({ code: 0, ok: true })
    expect(fixed.findings.map(({ code }) => code)).toEqual(['DR_FILE_OPEN'])
    expect(await readdir(inState('workspace'))).toEqual(before)
    const modes = ['workspace', 'workspace/run.sh', 'workspace/objects/ab'].map(inState).map(modeOf)
    expect(await Promise.all(modes)).toEqual([0o755, 0o755, 0o444])
    expect(await modeOf(outside)).toBe(0o755)
    expect(await modeOf(join(user.home, bookPath()))).toBe(0o700)
  })

  test('where the state folder is the home, that is the finding, and no file is touched', async () => {
    const variables = { EQUABOT_STATE_DIR: user.home }
    const files = ['.env', 'gateway-token', 'locks/mine', 'equabot.json.0123456789ab.tmp']
    for (const below of files) {
      await user.write(below, '')
      await chmod(join(user.home, below), 0o644)
      await utimes(join(user.home, below), HOUR_AGO, HOUR_AGO)
    }
    const mode = await modeOf(user.home)
    const fixed = await doctor(['--fix', '--offline'], { variables })
    expect(fixed.code).toBe(1)
    expect(fixed.findings[0]).toMatchObject({ code: 'DR_STATE_SHARED', fixable: false })
    const modes = await Promise.all(files.map((below) => modeOf(join(user.home, below))))
    expect([mode, ...modes]).toEqual([await modeOf(user.home), 0o644, 0o644, 0o644, 0o644])
  })

  test('a broken book is found, --fix puts the last good one back, and the broken one is kept', async () => {
    await user.paste(KEY, 'anthropic:more')
    await user.write(bookPath(), '{ "version": 1, "profiles": {')
    expect(wrong(await doctor())).toEqual(['DR_BOOK_UNREADABLE'])
    const fixed = await doctor(['--fix'])
    expect(fixed).toMatchObject({ code: 0, ok: true })
    const [entry] = fixed.findings.filter(({ code }) => code === 'DR_BOOK_UNREADABLE')
    expect(entry).toMatchObject({ fixed: true, severity: 'error' })
    const [backup = ''] = entry?.backups ?? []
    expect(await user.read(backup.replace(/^~\//, ''))).toBe('{ "version": 1, "profiles": {')
    expect(await user.read(bookPath())).toContain('anthropic:work')
  })

  test('says what the copy that it puts back does not hold', async () => {
    await user.paste(KEY, 'anthropic:more')
    const book = await user.read(bookPath())
    await user.write(bookPath(), book.trimEnd().slice(0, -1))
    const fixed = await user.run(['doctor', '--fix'])
    expect(fixed.code).toBe(0)
    expect(fixed.out.replace(/\s+/g, ' ')).toContain(
      'Gone from the book, as that copy does not hold it: anthropic:more. What else was added or changed after it was made is gone too',
    )
  })

  test('leftovers of killed writers and older spellings go; comments and a copy stay', async () => {
    await user.write('.equabot/equabot.json.0123456789ab.tmp', KEY)
    await utimes(inState('equabot.json.0123456789ab.tmp'), HOUR_AGO, HOUR_AGO)
    const settings =
      '{ // mine\n auth: { profiles: { "anthropic:claude-cli": { provider: "anthropic", mode: "token" } } } }\n'
    await user.write('.equabot/equabot.json', settings)
    expect(wrong(await doctor())).toEqual(['DR_FILE_STRAY', 'DR_CONFIG_OLDER'])
    expect(await doctor(['--fix'])).toMatchObject({ code: 0, ok: true })
    expect(await user.read('.equabot/equabot.json')).toBe(settings.replace('"token"', '"oauth"'))
    expect(await user.read('.equabot/equabot.json.bak')).toBe(settings)
    expect(await readdir(user.stateDir)).not.toContain('equabot.json.0123456789ab.tmp')
    expect((await doctor()).code).toBe(0)
  })

  test('an order that names what is not there is mended in book and settings, with copies', async () => {
    const order = ['anthropic:gone', 'anthropic:work']
    const settings = JSON.stringify({ auth: { order: { anthropic: order } } })
    await user.write('.equabot/equabot.json', settings)
    const book = JSON.parse(await user.read(bookPath())) as object
    await user.writeBook({ ...book, order: { anthropic: order } })
    expect(wrong(await doctor())).toEqual(['DR_ORDER_UNKNOWN', 'DR_ORDER_UNKNOWN'])
    const fixed = await doctor(['--fix'])
    expect(fixed.code).toBe(0)
    const backups = fixed.findings.flatMap((entry) => entry.backups ?? [])
    expect(backups).toHaveLength(2)
    for (const path of backups) {
      expect(await user.read(path.replace(/^~\//, ''))).toContain('anthropic:gone')
      expect(await modeOf(join(user.home, path.replace(/^~\//, '')))).toBe(0o600)
    }
    expect(await user.read(bookPath())).not.toContain('anthropic:gone')
    expect(JSON.parse(await user.read('.equabot/equabot.json'))).toEqual({
      auth: { order: { anthropic: ['anthropic:work'] } },
    })
    expect((await doctor()).code).toBe(0)
  })

  test('links, hard links and things that are no file are named and left alone', async () => {
    const book = join(user.home, bookPath())
    const outside = join(user.home, 'dotfiles-book')
    await rename(book, outside)
    await symlink(outside, book)
    await symlink('/nowhere/at/all', inState('.env'))
    await user.write('.equabot/gateway-token', 'eqb_fake\n')
    await link(inState('gateway-token'), join(user.home, 'second-name'))
    const found = await doctor(['--fix'])
    expect(found.code).toBe(1)
    expect([...wrong(found)].toSorted()).toEqual(['DR_FILE_LINK', 'DR_FILE_LINK', 'DR_FILE_NAMES'])
    expect(found.findings.every(({ fixed, severity }) => severity === 'info' || !fixed)).toBe(true)
    expect((await lstat(book)).isSymbolicLink()).toBe(true)
    expect(await readdir(user.home)).toContain('second-name')
  })

  test('forsaken locks of Claude Code are removed; a fresh one belongs to somebody', async () => {
    const config = join(user.home, 'claude')
    const variables = { CLAUDE_CONFIG_DIR: config }
    await mkdir(config)
    const old = [join(config, '.oauth_refresh.lock'), `${config}.lock`]
    for (const path of old) {
      await mkdir(path)
      await utimes(path, HOUR_AGO, HOUR_AGO)
    }
    await mkdir(join(config, '.storage-write.lock'))
    const found = await doctor([], { variables })
    expect(wrong(found)).toEqual(['DR_FOREIGN_LOCK', 'DR_FOREIGN_LOCK'])
    expect(await doctor(['--fix'], { variables })).toMatchObject({ code: 0, ok: true })
    expect(await readdir(config)).toEqual(['.storage-write.lock'])
  })

  test('broken settings are named with their line; what does not need them is looked at', async () => {
    await user.write('.equabot/equabot.json', '{\n  gatway: {},\n}\n')
    await chmod(inState('equabot.json'), 0o644)
    const found = await doctor()
    expect(wrong(found)).toEqual(['DR_CONFIG_INVALID', 'DR_FILE_OPEN'])
    expect(found.findings.map(({ message }) => message).join('\n')).toContain('line 2')
  })
})

test('one login in two books keeps one home, once nobody renews it', async () => {
  const login = {
    type: 'oauth',
    provider: 'openai-codex',
    access: 'fake-access-1',
    refresh: REFRESH,
    expires: 4_102_444_800_000,
  }
  await user.writeBook({ version: 1, profiles: { 'openai-codex:team': login } })
  await user.writeBook({ version: 1, profiles: { 'openai-codex:copy': login } }, 'research')
  const found = await doctor(['--offline'])
  expect(wrong(found)).toEqual(['DR_GRANT_TWICE'])
  const locks = createLocks({ clock: createClock(), dir: inState('locks') })
  const grant = newGrantId(provider('openai-codex'), new Secret(REFRESH))
  const renewing = orThrow(await locks.tryHold(grantLock(grant)))
  expect(wrong(await doctor(['--offline', '--fix']))).toEqual(['DR_GRANT_TWICE'])
  expect(await user.read(bookPath('research'))).toContain(REFRESH)
  renewing?.release()
  // A renewal that was killed has left its note: the answer to it may lie there too.
  const { journal } = createGrantStore({ grantsDir: inState('grants'), files: createFiles() })
  const attempt = {
    id: 'a1',
    token: markOf(new Secret(REFRESH)),
    begun: { at: 1, boot: '', upMs: 1 },
    replays: 0,
  }
  orThrow(await journal(grant).reserve(attempt))
  expect(wrong(await doctor(['--offline', '--fix']))).toEqual(['DR_GRANT_TWICE'])
  orThrow(await journal(grant).clear())
  const fixed = await doctor(['--offline', '--fix'])
  expect(fixed).toMatchObject({ code: 0, ok: true })
  expect(await user.read(bookPath())).toContain(REFRESH)
  expect(await user.read(bookPath('research'))).not.toContain(REFRESH)
  expect((await doctor(['--offline'])).code).toBe(0)
})

describe('the login of Claude Code', () => {
  const claude = '.claude/.credentials.json'
  const login = (refreshToken: string): string =>
    JSON.stringify({
      claudeAiOauth: {
        accessToken: 'fake-claude-access-1',
        refreshToken,
        expiresAt: 4_102_444_800_000,
        scopes: ['user:inference'],
      },
    })

  test('is taken over and told; then all is well', async () => {
    await user.write(claude, login(REFRESH))
    const { code, out } = await user.run(['doctor', '--offline'])
    expect(out).toContain('Taken over from other programs\n  anthropic:claude-cli: added\n')
    expect(code).toBe(0)
    const again = await user.run(['doctor', '--offline'])
    expect(again.out).not.toContain('Taken over')
  })

  test('that was blanked, or that others may read, is named once with its own fix', async () => {
    await user.paste(KEY, 'anthropic:work')
    await user.write(
      claude,
      JSON.stringify({ claudeAiOauth: { accessToken: '', refreshToken: '', expiresAt: 0 } }),
    )
    const blank = await doctor(['--offline'])
    expect(wrong(blank)).toEqual(['DR_FOREIGN_LOGIN'])
    expect(blank.findings.map(({ fix }) => fix).join()).toContain('claude auth login')
    await user.write(claude, login(REFRESH))
    await chmod(join(user.home, claude), 0o644)
    const open = await doctor(['--offline'])
    expect(wrong(open)).toEqual(['DR_FOREIGN_LOGIN'])
    expect(open.findings.map(({ fix }) => fix).join()).toContain(`chmod 600 ~/${claude}`)
  })

  test('is kept where a copy of it stands in the book: the copy goes, with a backup', async () => {
    await user.write(claude, login(REFRESH))
    await user.writeBook({
      version: 1,
      profiles: {
        'anthropic:copy': {
          type: 'oauth',
          provider: 'anthropic',
          access: 'fake-access-1',
          refresh: REFRESH,
          expires: 4_102_444_800_000,
        },
      },
      order: { anthropic: ['anthropic:copy'] },
    })
    expect(wrong(await doctor(['--offline']))).toEqual(['DR_GRANT_TWIN'])
    const fixed = await doctor(['--offline', '--fix'])
    expect(fixed).toMatchObject({ code: 0, ok: true })
    expect(await user.read(claude)).toBe(login(REFRESH))
    const book = await user.read(bookPath())
    expect(book).not.toContain(REFRESH)
    expect(JSON.parse(book)).toMatchObject({
      profiles: { 'anthropic:claude-cli': {} },
      order: { anthropic: ['anthropic:claude-cli'] },
    })
  })
})

describe('a login of ours whose access has ended', () => {
  let upstream: FakeUpstream
  let status: number

  beforeEach(async () => {
    upstream = await fakeUpstream((_, response) => {
      const dead = { error: 'invalid_grant', error_description: 'refresh token not found' }
      const tokens = { token_type: 'Bearer', access_token: 'fake-access-2', expires_in: 3_600 }
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify(status === 200 ? { ...tokens, refresh_token: `${REFRESH}-2` } : dead))
    })
    const oauth = { tokenUrl: `${upstream.url}/token`, clientId: 'equabot-test' }
    const acme = { baseUrl: upstream.url, models: [{ id: 'm' }], oauth }
    await user.write(
      '.equabot/equabot.json',
      JSON.stringify({
        models: { providers: { acme } },
        agents: { defaults: { model: 'acme/m' } },
      }),
    )
    const login = { type: 'oauth', provider: 'acme', access: 'fake-access-1', refresh: REFRESH }
    await user.writeBook({ version: 1, profiles: { 'acme:team': { ...login, expires: 1_000 } } })
  })
  afterEach(() => upstream.close())

  test('is renewed as proof that it lives; offline nothing is sent', async () => {
    status = 200
    expect(await doctor(['--offline'])).toMatchObject({ code: 0, ok: true })
    expect(upstream.seen).toHaveLength(0)
    const told = await doctor()
    expect(told.code).toBe(0)
    expect(told.findings.map(({ code }) => code)).toContain('DR_GRANT_RENEWED')
    expect(upstream.seen).toHaveLength(1)
    expect(await user.read(bookPath())).toContain(`${REFRESH}-2`)
  })

  test('and that stands in two places is not renewed as proof', async () => {
    status = 200
    const login = { type: 'oauth', provider: 'acme', access: 'fake-access-1', refresh: REFRESH }
    await user.writeBook(
      { version: 1, profiles: { 'acme:copy': { ...login, expires: 1_000 } } },
      'b',
    )
    expect(wrong(await doctor())).toContain('DR_GRANT_TWICE')
    expect(upstream.seen).toHaveLength(0)
  })

  test('that the provider has ended is an error, and is not sent again', async () => {
    status = 400
    for (const args of [[], [], ['--offline']]) {
      const told = await doctor(args)
      expect(told.code).toBe(1)
      expect(wrong(told)).toEqual(['DR_GRANT_DEAD'])
    }
    expect(upstream.seen).toHaveLength(1)
  })
})

test('a new user has no credential, which is told with the command that gives one', async () => {
  const found = await doctor()
  expect(found.code).toBe(1)
  expect(wrong(found)).toEqual(['DR_CREDENTIAL_NONE'])
  expect(found.findings.map(({ fix }) => fix)).toContain('equabot models auth add')
  expect(await readdir(user.home)).toEqual([])
})

test('without a home it cannot look, and ends with 64 or more', async () => {
  const { code, out } = await user.run(['doctor', '--json'], { variables: { HOME: '' } })
  expect(code).toBe(78)
  expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code: 'EQ_HOME_MISSING' } })
})

test('its JSON may be shown to others: no secret, no mail address, no name of the home', async () => {
  const mail = 'jane.doe@example.com'
  await user.writeBook({
    version: 1,
    profiles: {
      [`anthropic:${mail}`]: { type: 'token', provider: 'anthropic', token: KEY, expires: 1_000 },
      'openai-codex:a': {
        type: 'oauth',
        provider: 'openai-codex',
        access: 'fake-access-1',
        refresh: REFRESH,
        email: mail,
        expires: 4_102_444_800_000,
      },
      'openai-codex:b': {
        type: 'oauth',
        provider: 'openai-codex',
        access: 'fake-access-2',
        refresh: REFRESH,
        email: mail,
        expires: 4_102_444_800_000,
      },
      'groq:broken': { type: 'api_key', provider: 'groq', key: { secret: KEY } },
    },
    order: { anthropic: [`anthropic:${mail}`, 'anthropic:gone'] },
  })
  await user.write('.equabot/.env', `${KEY}\nGROQ_API_KEY=${REFRESH}\n`)
  await user.write(
    '.equabot/equabot.json',
    JSON.stringify({ models: { providers: { groq: { apiKey: KEY } } } }),
  )
  await copyFile(join(user.home, bookPath()), inState('.env.0123456789ab.tmp'))
  await utimes(inState('.env.0123456789ab.tmp'), HOUR_AGO, HOUR_AGO)
  const found = await doctor(['--offline'])
  expect(wrong(found)).toEqual(
    expect.arrayContaining([
      'DR_ACCESS_ENDED',
      'DR_GRANT_TWICE',
      'DR_BOOK_ENTRY',
      'DR_CONFIG_SECRET',
      'DR_ENV_LINE',
      'DR_FILE_STRAY',
    ]),
  )
  const fixed = await doctor(['--offline', '--fix'])
  for (const secret of [KEY, KEY.slice(8, 40), REFRESH, 'fake-access', mail, user.home]) {
    expect(found.out).not.toContain(secret)
    expect(fixed.out).not.toContain(secret)
  }
})

test('a person at a terminal sees what is to be done, and is asked once', async () => {
  await user.paste(KEY, 'anthropic:work')
  await chmod(join(user.home, bookPath()), 0o644)
  const seat = user.sit(['doctor', '--fix'])
  await seat.see(/To be put right:[\s\S]*DR_FILE_OPEN[\s\S]*Do it\?/)
  seat.type('y')
  await seat.see(/done {2}DR_FILE_OPEN/)
  expect(await seat.ended()).toBe(0)
  expect(await modeOf(join(user.home, bookPath()))).toBe(0o600)
})
