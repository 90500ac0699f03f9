import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createClaudeCode } from '../../src/adapters/claude-code.ts'
import type { Keychain } from '../../src/adapters/keychain.ts'
import { claudePlaces } from '../../src/adapters/owner-places.ts'
import type { ForeignFault } from '../../src/domain/fault.ts'
import { markOf } from '../../src/domain/grant.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { createHandClock } from './hand-clock.ts'
import { temporaryFolder } from './temporary-folder.ts'

const ITEM = 'Keychain item "Claude Code-credentials"'
const DENIED: ForeignFault = {
  code: 'EQ_KEYCHAIN_DENIED',
  origin: 'claude-code',
  place: ITEM,
  remembered: false,
}
const text = (access: string, more: object = {}) =>
  JSON.stringify({
    claudeAiOauth: {
      accessToken: access,
      refreshToken: 'fake-refresh',
      expiresAt: 5,
      accountUuid: 'me',
      ...more,
    },
  })

interface Machine {
  readonly inFile?: string
  readonly platform?: string
  readonly keychain?: Result<Secret | undefined, ForeignFault>
}

function setUp({ inFile, platform = 'linux', keychain: item = ok(undefined) }: Machine) {
  const home = temporaryFolder()
  const dir = join(home, '.claude')
  mkdirSync(dir)
  const path = join(dir, '.credentials.json')
  if (inFile !== undefined) writeFileSync(path, inFile, { mode: 0o600 })
  const asked: {
    readonly service: string
    readonly account: string
    readonly prompting: boolean
  }[] = []
  const keychain: Keychain = {
    async read({ service, account }, prompting) {
      asked.push({ service, account, prompting })
      return item
    },
  }
  const places = claudePlaces(new Map(Object.entries({ HOME: home, USER: 'me' })))
  if (!places) throw new Error('no home')
  const source = createClaudeCode({ places, keychain, platform, clock: createHandClock() })
  const seen = async (prompting?: boolean) => {
    const read = await source.read(prompting)
    if (!read.ok) return read.fault
    return read.value && { ...read.value, access: read.value.access.reveal() }
  }
  return { source, seen, path, dir, asked }
}

describe('a login of Claude Code', () => {
  it('is shown without its refresh token, which has its mark', async () => {
    const { seen, path, source } = setUp({ inFile: text('one') })
    expect(await seen()).toEqual({
      origin: 'claude-code',
      place: path,
      access: 'one',
      type: 'oauth',
      refreshMark: markOf(new Secret('fake-refresh')),
      expiresAt: 5,
      accountId: 'me',
    })
    expect(source.place()).toBe(path)
  })

  it('is a token when nothing renews it', async () => {
    const { seen } = setUp({ inFile: text('one', { refreshToken: '' }) })
    expect(await seen()).toMatchObject({ type: 'token' })
    expect(await seen()).not.toHaveProperty('refreshMark')
  })

  it('is not looked for in a Keychain where there is none', async () => {
    const { seen, asked } = setUp({ keychain: ok(new Secret(text('keychain'))) })
    expect(await seen(true)).toBeUndefined()
    expect(asked).toEqual([])
  })

  it('can be held, and is as it was afterwards', async () => {
    const { source, dir } = setUp({ inFile: text('one') })
    const held = await source.hold()
    expect(held.ok && held.value.login.refresh?.reveal()).toBe('fake-refresh')
    if (held.ok) await held.value.release()
    expect(readdirSync(dir)).toEqual(['.credentials.json'])
  })
})

describe('on macOS', () => {
  const mac = { platform: 'darwin' }

  it('the Keychain comes first', async () => {
    const { seen, source, asked } = setUp({
      ...mac,
      inFile: text('file'),
      keychain: ok(new Secret(text('keychain'))),
    })
    expect(await seen(true)).toMatchObject({ access: 'keychain', place: ITEM })
    expect(await seen(true)).not.toHaveProperty('fallback')
    expect(source.place()).toBe(ITEM)
    expect(asked[0]).toEqual({ service: 'Claude Code-credentials', account: 'me', prompting: true })
  })

  it('the file serves where the Keychain has nothing', async () => {
    const { seen, path } = setUp({ ...mac, inFile: text('file') })
    expect(await seen(true)).toMatchObject({ access: 'file', place: path })
    expect(await seen(true)).not.toHaveProperty('fallback')
  })

  it.each([
    ['was not asked', false, ok(undefined)],
    ['refused', true, fail(DENIED)],
  ])('the file may be a leftover where the Keychain %s', async (_, prompting, keychain) => {
    const { seen } = setUp({ ...mac, inFile: text('file'), keychain })
    expect(await seen(prompting)).toMatchObject({ access: 'file', fallback: true })
  })

  it('the trouble of the Keychain is told where the file has no login', async () => {
    expect(await setUp({ ...mac, keychain: fail(DENIED) }).seen(true)).toEqual(DENIED)
    expect(
      await setUp({ ...mac, inFile: '{"mcpOAuth":{}}', keychain: fail(DENIED) }).seen(),
    ).toEqual(DENIED)
  })

  it('the trouble of the file is told where nothing else is known', async () => {
    const blank = text('', { refreshToken: '' })
    const { seen, path } = setUp({ ...mac, inFile: blank })
    expect(await seen()).toEqual({ code: 'EQ_FOREIGN_BLANK', origin: 'claude-code', place: path })
  })

  it('an item that is blank or broken is named by its item', async () => {
    const blank = setUp({ ...mac, keychain: ok(new Secret(text('', { refreshToken: '' }))) })
    expect(await blank.seen(true)).toMatchObject({ code: 'EQ_FOREIGN_BLANK', place: ITEM })
    const broken = setUp({ ...mac, keychain: ok(new Secret('{')) })
    expect(await broken.seen(true)).toMatchObject({ code: 'EQ_FOREIGN_SYNTAX', place: ITEM })
  })

  it('no login is held: it could not be put back', async () => {
    const { source, dir } = setUp({ ...mac, inFile: text('file') })
    expect(await source.hold()).toEqual({
      ok: false,
      fault: { reason: 'owner_unwritable', words: ITEM },
    })
    expect(readdirSync(dir)).toEqual(['.credentials.json'])
  })
})
