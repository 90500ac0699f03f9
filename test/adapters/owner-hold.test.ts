import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ForeignFile } from '../../src/adapters/foreign-file.ts'
import { createForeignFile } from '../../src/adapters/foreign-file.ts'
import { createOwnerHold } from '../../src/adapters/owner-hold.ts'
import { markOf } from '../../src/domain/grant.ts'
import type { Clock } from '../../src/domain/ports.ts'
import type { OwnerHold, RenewalTrouble } from '../../src/domain/renewal-ports.ts'
import type { Result } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { parseClaudeLogin } from '../../src/wire/claude-login.ts'
import { compileChildProgram } from './child-processes.ts'
import { temporaryFolder } from './temporary-folder.ts'

const REFRESH = 'fake-refresh-one'
const OLD = markOf(new Secret(REFRESH))
const NEXT = {
  type: 'oauth',
  access: new Secret('fake-access-two'),
  refresh: new Secret('fake-refresh-two'),
  expiresAt: 9_000,
} as const
const login = (more: object = {}) => ({
  mcpOAuth: { server: { a: [1] } },
  claudeAiOauth: {
    accessToken: 'fake-access-one',
    refreshToken: REFRESH,
    expiresAt: 5,
    scopes: ['user:inference'],
    subscriptionType: 'max',
    odd: { nested: null },
    ...more,
  },
  later: true,
})
const AFTER = login({
  accessToken: 'fake-access-two',
  refreshToken: 'fake-refresh-two',
  expiresAt: 9_000,
})

/** The real time, on which a wait is over at once. */
const clock: Clock = { now: () => new Date().getTime(), sleep: async () => undefined }

function setUp(
  content: unknown = login(),
  wrap: (file: ForeignFile) => ForeignFile = (file) => file,
) {
  const dir = join(temporaryFolder(), '.claude')
  mkdirSync(dir)
  const path = join(dir, '.credentials.json')
  if (content !== undefined) writeFileSync(path, JSON.stringify(content), { mode: 0o600 })
  const file = wrap(
    createForeignFile({ origin: 'claude-code', place: path, parse: parseClaudeLogin, clock }),
  )
  return {
    dir,
    path,
    hold: () => createOwnerHold({ dir, path, file, clock }),
    parsed: (): unknown => JSON.parse(readFileSync(path, 'utf8')),
    names: () => [...readdirSync(dir), ...readdirSync(join(dir, '..'))].toSorted(),
  }
}
const REST = ['.claude', '.credentials.json']

function held(result: Result<OwnerHold, RenewalTrouble>): OwnerHold {
  if (!result.ok) throw new Error(`${result.fault.reason}: ${result.fault.words}`)
  return result.value
}

describe('a held login', () => {
  it('is the one inside the locks, refresh token included', async () => {
    const { hold, names } = setUp(login({ clientId: 'client-1', accountUuid: 'me' }))
    const owner = held(await hold())
    expect(owner.login).toMatchObject({
      type: 'oauth',
      expiresAt: 5,
      clientId: 'client-1',
      accountId: 'me',
    })
    expect(owner.login.refresh?.reveal()).toBe(REFRESH)
    expect(owner.stillHeld()).toBe(true)
    expect(names()).toEqual([...REST, '.claude.lock', '.oauth_refresh.lock'].toSorted())
    await owner.release()
    expect(owner.stillHeld()).toBe(false)
    expect(names()).toEqual(REST)
  })

  it('is none while somebody holds the lock of the writers: nothing may be sent that could not be written', async () => {
    const { dir, hold, names } = setUp()
    mkdirSync(join(dir, '.storage-write.lock'))
    expect(await hold()).toMatchObject({ fault: { reason: 'owner_busy' } })
    expect(names()).toEqual([...REST, '.storage-write.lock'].toSorted())
  })

  it('is read again after the wait for the locks', async () => {
    let isWaiting = true
    const at = setUp()
    mkdirSync(join(at.dir, '.oauth_refresh.lock'))
    const owner = held(
      await createOwnerHold({
        dir: at.dir,
        path: at.path,
        file: createForeignFile({
          origin: 'claude-code',
          place: at.path,
          parse: parseClaudeLogin,
          clock,
        }),
        clock: {
          ...clock,
          sleep: async () => {
            if (!isWaiting) return
            isWaiting = false
            writeFileSync(at.path, JSON.stringify(AFTER))
            rmSync(join(at.dir, '.oauth_refresh.lock'), { recursive: true })
          },
        },
      }),
    )
    expect(owner.login.refresh?.reveal()).toBe('fake-refresh-two')
    await owner.release()
  })

  it.each([
    ['nothing', undefined, 'there is no login'],
    ['other things only', { mcpOAuth: {} }, 'there is no login'],
    ['no refresh token', login({ refreshToken: '' }), 'there is no refresh token'],
    ['a blanked login', login({ accessToken: '', refreshToken: '' }), 'EQ_FOREIGN_BLANK'],
  ])('is none where the file holds %s, and no lock stays', async (_, content, words) => {
    const at = setUp(content ?? {})
    if (content === undefined) rmSync(at.path)
    const result = await at.hold()
    expect(result).toMatchObject({ fault: { reason: 'owner_unreadable' } })
    expect(result).toHaveProperty('fault.words', expect.stringContaining(words))
    expect(at.names().filter((name) => name.endsWith('.lock'))).toEqual([])
  })

  it('is none in a file that others may write', async () => {
    const at = setUp()
    chmodSync(at.path, 0o666)
    expect(await at.hold()).toMatchObject({ fault: { reason: 'owner_unreadable' } })
  })

  it.each(['.oauth_refresh.lock', '../.claude.lock'])(
    'is not had while %s is held',
    async (name) => {
      const at = setUp()
      mkdirSync(join(at.dir, name))
      expect(await at.hold()).toMatchObject({ fault: { reason: 'owner_busy' } })
      expect(at.names().filter((entry) => entry.endsWith('.lock'))).toHaveLength(1)
    },
  )
})

describe('room for the new login', () => {
  it('is real bytes beside the file, with its mode, and gone when it was not needed', async () => {
    const at = setUp()
    chmodSync(at.path, 0o640)
    const owner = held(await at.hold())
    expect(await owner.reserve()).toEqual({ ok: true, value: undefined })
    expect(await owner.reserve()).toEqual({ ok: true, value: undefined })
    const [name = '', ...others] = readdirSync(at.dir).filter((entry) => entry.endsWith('.tmp'))
    expect(others).toEqual([])
    const facts = statSync(join(at.dir, name))
    expect(facts.size).toBeGreaterThan(statSync(at.path).size + 32 * 1024)
    expect(facts.blocks * 512).toBeGreaterThanOrEqual(facts.size)
    expect(facts.mode & 0o777).toBe(0o640)
    expect(readFileSync(join(at.dir, name), 'latin1')).not.toContain('fake-')
    await owner.release()
    expect(at.names()).toEqual(REST)
  })

  it('that cannot be made is told before anything is sent', async () => {
    const at = setUp()
    const owner = held(await at.hold())
    rmSync(at.dir, { recursive: true })
    expect(await owner.reserve()).toMatchObject({ fault: { reason: 'owner_unwritable' } })
    expect(owner.stillHeld()).toBe(false)
    await owner.release()
  })

  it('takes the place of what a killed process of ours left there, and of nothing else', async () => {
    const at = setUp()
    const [ours, theirs, young] = [
      '.credentials.json.equabot-0123456789ab.tmp',
      '.credentials.json.0123456789ab.tmp',
      '.credentials.json.equabot-aaaaaaaaaaaa.tmp',
    ].map((name) => join(at.dir, name)) as [string, string, string]
    for (const path of [ours, theirs, young]) writeFileSync(path, 'x')
    utimesSync(ours, 1_000, 1_000)
    utimesSync(theirs, 1_000, 1_000)
    const owner = held(await at.hold())
    await owner.reserve()
    expect([ours, theirs, young].map((path) => existsSync(path))).toEqual([false, true, true])
    await owner.release()
  })
})

describe('writing back', () => {
  it.each([0o600, 0o640, 0o400])(
    'changes three values and nothing else; mode %o stays',
    async (mode) => {
      const at = setUp()
      chmodSync(at.path, mode)
      const owner = held(await at.hold())
      await owner.reserve()
      expect(await owner.writeBack(OLD, NEXT)).toEqual({ ok: true, value: true })
      expect(readFileSync(at.path, 'utf8')).toBe(JSON.stringify(AFTER))
      expect(statSync(at.path).mode & 0o777).toBe(mode)
      await owner.release()
      expect(at.names()).toEqual(REST)
    },
  )

  it('keeps the indentation of the file', async () => {
    const at = setUp()
    writeFileSync(at.path, `${JSON.stringify(login(), null, 2)}\n`)
    const owner = held(await at.hold())
    await owner.writeBack(OLD, NEXT)
    expect(readFileSync(at.path, 'utf8')).toBe(`${JSON.stringify(AFTER, null, 2)}\n`)
    await owner.release()
  })

  it.runIf(process.getuid?.() === 0)('keeps the group of the file', async () => {
    const at = setUp()
    chownSync(at.path, 0, 12_345)
    chmodSync(at.path, 0o640)
    const owner = held(await at.hold())
    await owner.reserve()
    await owner.writeBack(OLD, NEXT)
    expect(statSync(at.path)).toMatchObject({ uid: 0, gid: 12_345 })
    expect(statSync(at.path).mode & 0o777).toBe(0o640)
    await owner.release()
  })

  it('works through a link to the folder', async () => {
    const at = setUp()
    const link = join(temporaryFolder(), 'linked')
    symlinkSync(at.dir, link)
    const path = join(link, '.credentials.json')
    const file = createForeignFile({
      origin: 'claude-code',
      place: path,
      parse: parseClaudeLogin,
      clock,
    })
    const owner = held(await createOwnerHold({ dir: link, path, file, clock }))
    expect(existsSync(`${at.dir}.lock`)).toBe(true)
    expect(await owner.writeBack(OLD, NEXT)).toEqual({ ok: true, value: true })
    expect(at.parsed()).toEqual(AFTER)
    await owner.release()
    expect(at.names()).toEqual(REST)
  })

  it.each([
    ['another login', login({ refreshToken: 'somebody-else' })],
    ['a blanked one', login({ accessToken: '', refreshToken: '', expiresAt: 0 })],
    ['none', { mcpOAuth: {} }],
  ])('leaves %s that has come meanwhile, byte for byte', async (_, content) => {
    const at = setUp()
    const owner = held(await at.hold())
    await owner.reserve()
    writeFileSync(at.path, JSON.stringify(content))
    const before = statSync(at.path, { bigint: true })
    expect(await owner.writeBack(OLD, NEXT)).toEqual({ ok: true, value: false })
    const after = statSync(at.path, { bigint: true })
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs])
    expect(at.parsed()).toEqual(content)
    await owner.release()
    expect(at.names()).toEqual(REST)
  })

  it('keeps what another has added in the very last moment', async () => {
    let looks = 0
    const added = { ...login(), added: { while: 'we wrote' } }
    const at = setUp(login(), (file) => ({
      ...file,
      async readBytes() {
        const read = await file.readBytes()
        looks += 1
        // The two of the hold, then the first of the write: a writer without a lock comes right after it.
        if (looks === 3) writeFileSync(at.path, JSON.stringify(added))
        return read
      },
    }))
    const owner = held(await at.hold())
    expect(await owner.writeBack(OLD, NEXT)).toEqual({ ok: true, value: true })
    expect(at.parsed()).toEqual({ ...AFTER, added: { while: 'we wrote' } })
    await owner.release()
  })

  it('gives up on a file that is written all the time', async () => {
    let count = 0
    const at = setUp(login(), (file) => ({
      ...file,
      async readBytes() {
        const read = await file.readBytes()
        count += 1
        if (count > 2) writeFileSync(at.path, JSON.stringify({ ...login(), count }))
        return read
      },
    }))
    const owner = held(await at.hold())
    expect(await owner.writeBack(OLD, NEXT)).toMatchObject({ fault: { reason: 'owner_busy' } })
    expect(at.parsed()).toMatchObject(login())
    await owner.release()
    expect(at.names()).toEqual(REST)
  })

  it('waits for the lock of the writers, and says so when it stays', async () => {
    const at = setUp()
    const owner = held(await at.hold())
    mkdirSync(join(at.dir, '.storage-write.lock'))
    expect(await owner.writeBack(OLD, NEXT)).toMatchObject({ fault: { reason: 'owner_busy' } })
    expect(at.parsed()).toEqual(login())
    rmSync(join(at.dir, '.storage-write.lock'), { recursive: true })
    expect(await owner.writeBack(OLD, NEXT)).toEqual({ ok: true, value: true })
    await owner.release()
    expect(at.names()).toEqual(REST)
  })

  it('is done when what it would write stands there already', async () => {
    const at = setUp()
    const owner = held(await at.hold())
    await owner.writeBack(OLD, NEXT)
    const before = statSync(at.path, { bigint: true })
    expect(await owner.writeBack(OLD, NEXT)).toEqual({ ok: true, value: true })
    expect(statSync(at.path, { bigint: true }).mtimeNs).toBe(before.mtimeNs)
    await owner.release()
  })

  it('keeps the old refresh token where the provider gave no new one', async () => {
    const at = setUp()
    const owner = held(await at.hold())
    const { refresh: _, ...next } = NEXT
    expect(await owner.writeBack(OLD, next)).toEqual({ ok: true, value: true })
    expect(at.parsed()).toEqual(login({ accessToken: 'fake-access-two', expiresAt: 9_000 }))
    await owner.release()
  })

  it('still serves when the owner has taken the locks meanwhile: a spent token must not stay there', async () => {
    const at = setUp()
    const owner = held(await at.hold())
    rmSync(join(at.dir, '.oauth_refresh.lock'), { recursive: true })
    mkdirSync(join(at.dir, '.oauth_refresh.lock'))
    expect(owner.stillHeld()).toBe(false)
    expect(await owner.writeBack(OLD, NEXT)).toEqual({ ok: true, value: true })
    await owner.release()
    expect(at.names()).toContain('.oauth_refresh.lock')
  })
})

describe('beside an owner in another process', () => {
  const start = compileChildProgram('owner-hold', 'owner-child.ts')

  it('no refresh token is ever sent twice, and the last one issued is the one that stands there', async () => {
    const at = setUp()
    const server = temporaryFolder()
    writeFileSync(join(server, 'issued'), REFRESH)
    const jobs = [
      ['owner', '10000'],
      ['owner', '60000'],
      ['neighbour', '0'],
      ['neighbour', '0'],
    ] as const
    const children = jobs.map(([job, staleMs]) => start(job, at.dir, server, '12', staleMs))
    for (const child of children) await child.exit
    const printed = children.map(({ lines }) => lines)
    const all = printed.flat()
    expect(all.filter((line) => line.startsWith('trouble'))).toEqual([])
    expect(all.filter((line) => line === 'reused')).toEqual([])
    for (const lines of printed) expect(lines.filter((line) => line === 'renewed')).toHaveLength(12)
    expect(readdirSync(server).filter((name) => name.startsWith('spent-'))).toHaveLength(48)

    const last = readFileSync(join(server, 'issued'), 'utf8')
    const stands = at.parsed()
    expect(stands).toMatchObject({ claudeAiOauth: { refreshToken: last } })
    const { accessToken, refreshToken, expiresAt } = (stands as ReturnType<typeof login>)
      .claudeAiOauth
    expect(stands).toEqual(login({ accessToken, refreshToken, expiresAt }))
    expect(Object.keys(stands as object)).toEqual(Object.keys(login()))
    expect(statSync(at.path).mode & 0o777).toBe(0o600)
    expect(at.names()).toEqual(REST)
  }, 60_000)
})
