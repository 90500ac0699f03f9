import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { FakeUpstream, User } from './harness.ts'
import { anthropicError, anthropicStream, bookPath, fakeUpstream, newUser } from './harness.ts'

const FILE = '.claude/.credentials.json'
const ACCESS = `sk-ant-oat01-${'Fa4Ke5'.repeat(16)}`
const REFRESH = `sk-ant-ort01-${'Fa6Ke7'.repeat(16)}`
const RENEWED = `sk-ant-oat01-${'Ne8We9'.repeat(16)}`
const ROTATED = `sk-ant-ort01-${'Ne4We5'.repeat(16)}`

let user: User
let provider: FakeUpstream
let taken: string

beforeEach(async () => {
  user = await newUser()
  taken = RENEWED
  provider = await fakeUpstream((request, response) => {
    if (request.path === '/token') {
      response
        .writeHead(200)
        .end(JSON.stringify({ access_token: RENEWED, refresh_token: ROTATED, expires_in: 28_800 }))
    } else if (request.headers.authorization === `Bearer ${taken}`) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(anthropicStream('hello'))
    } else {
      response.writeHead(401).end(anthropicError('authentication_error', 'expired'))
    }
  })
  await configure({})
})
afterEach(async () => {
  await provider.close()
  await user.leave()
})

function configure(auth: object): Promise<void> {
  return user.write(
    '.equabot/equabot.json',
    JSON.stringify({
      auth,
      models: {
        providers: {
          anthropic: { baseUrl: provider.url, oauth: { tokenUrl: `${provider.url}/token` } },
        },
      },
    }),
  )
}

function claude(leftMs: number, more: object = {}): Promise<void> {
  return user.write(
    FILE,
    JSON.stringify({
      mcpOAuth: { server: 'kept' },
      claudeAiOauth: {
        accessToken: ACCESS,
        refreshToken: REFRESH,
        expiresAt: Date.now() + leftMs,
        scopes: ['user:inference'],
        subscriptionType: 'max',
        ...more,
      },
    }),
  )
}
const HOUR = 3_600_000
const sentTokens = (): number => provider.seen.filter(({ path }) => path === '/token').length
const inBook = async (): Promise<Record<string, unknown>> =>
  JSON.parse(await user.read(bookPath())).profiles['anthropic:claude-cli']

describe('the login that Claude Code has', () => {
  test('is taken over by models status, which names its owner, its home and who renews it', async () => {
    await claude(HOUR)
    const status = await user.run(['models', 'status'])
    expect(status.code).toBe(0)
    expect(status.out).toContain('Uses anthropic:claude-cli')
    expect(status.out).toMatch(
      /from +the login of Claude Code in ~\/\.claude\/\.credentials\.json, its access\s+copied to/,
    )
    expect(status.out).toMatch(/grant +borrowed from Claude Code: renewed here, under its owner's/)
    expect(await inBook()).toMatchObject({ type: 'oauth', access: ACCESS, origin: 'claude-code' })
    expect(await inBook()).not.toHaveProperty('refresh')
  })

  test('is taken over by no command that only reads', async () => {
    await claude(HOUR)
    for (const args of [
      ['models', 'auth', 'list'],
      ['models', 'auth', 'order', 'get', '--provider', 'anthropic'],
      ['models', 'list'],
      ['config', 'get'],
    ]) {
      expect((await user.run(args)).code).toBe(0)
    }
    await expect(user.read(bookPath())).rejects.toThrow('ENOENT')
  })

  test('serves, and is renewed in its own home when it must be, where everything else stays', async () => {
    await claude(-HOUR)
    const before = await stat(join(user.home, FILE))
    const ran = await user.run(['agent', '--message', 'hi'])
    expect(ran).toMatchObject({ code: 0, out: 'hello\n', err: '' })
    expect(sentTokens()).toBe(1)
    expect(JSON.parse(provider.seen[0]?.body ?? '')).toMatchObject({ refresh_token: REFRESH })
    const file = JSON.parse(await user.read(FILE))
    expect(file).toMatchObject({
      mcpOAuth: { server: 'kept' },
      claudeAiOauth: {
        accessToken: RENEWED,
        refreshToken: ROTATED,
        scopes: ['user:inference'],
        subscriptionType: 'max',
      },
    })
    const after = await stat(join(user.home, FILE))
    expect([after.mode, after.uid]).toEqual([before.mode, before.uid])
    expect(await inBook()).not.toHaveProperty('refresh')
    expect(Object.keys(await user.files()).filter((path) => path.startsWith('.claude'))).toEqual([
      FILE,
    ])
  })

  test('that its owner has renewed is used at once, by a gateway that runs', async () => {
    await claude(HOUR)
    const gateway = await user.startGateway()
    await claude(2 * HOUR, { accessToken: RENEWED, refreshToken: ROTATED })
    const body = JSON.stringify({ model: 'claude-x', stream: true, messages: [] })
    const answer = await gateway.call('/v1/messages', { method: 'POST', body })
    expect(answer.status).toBe(200)
    expect(sentTokens()).toBe(0)
  })

  test('that has changed and has ended again is renewed when a person asks', async () => {
    await claude(-2 * HOUR)
    await user.run(['models', 'auth', 'sync'])
    const OTHER = `sk-ant-oat01-${'Ot8He9'.repeat(16)}`
    await claude(-HOUR, { accessToken: OTHER })
    const ran = await user.run(['models', 'auth', 'renew', 'anthropic:claude-cli'])
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toContain('ends in 8 h')
    expect(sentTokens()).toBe(1)
    expect(await inBook()).toMatchObject({ access: RENEWED })
  })

  test('is left alone where config says never: nothing is sent, and its file is not touched', async () => {
    await configure({ foreign: { claudeCode: { renew: 'never' } } })
    await claude(-HOUR)
    const before = await stat(join(user.home, FILE), { bigint: true })
    const text = await user.read(FILE)
    const ran = await user.run(['agent', '--message', 'hi'])
    expect(ran.code).toBe(1)
    expect(ran.err).toContain('waiting for Claude Code')
    expect((await user.run(['models', 'status', '--check'])).code).toBe(1)
    await user.run(['models', 'auth', 'renew', 'anthropic:claude-cli'])
    expect(sentTokens()).toBe(0)
    const after = await stat(join(user.home, FILE), { bigint: true })
    expect([after.mtimeNs, after.ino, await user.read(FILE)]).toEqual([
      before.mtimeNs,
      before.ino,
      text,
    ])
  })

  test('is not looked at where it is switched off', async () => {
    await claude(HOUR)
    const off = { variables: { EQUABOT_FOREIGN_LOGINS: '0' } }
    expect((await user.run(['models', 'status'], off)).out).not.toContain('claude-cli')
    await configure({ foreign: { claudeCode: { enabled: false } } })
    expect((await user.run(['models', 'status'])).out).not.toContain('claude-cli')
  })

  test.each([
    ['the config', { foreign: { claudeCode: { enabled: false } } }, {}],
    ['the environment', {}, { EQUABOT_FOREIGN_LOGINS: '0' }],
  ])('that was taken over before is passed over where %s leaves it out', async (_, auth, more) => {
    await claude(HOUR)
    taken = ACCESS
    await user.run(['models', 'auth', 'sync'])
    await configure(auth)
    const off = { variables: more }
    const status = (await user.run(['models', 'status'], off)).out
    expect(status).toMatch(/passed over\s.*To\s+use\s+it:/s)
    expect(status).not.toContain('refresh token')
    expect((await user.run(['agent', '--message', 'hi'], off)).out).not.toContain('hello')
    const renewed = await user.run(['models', 'auth', 'renew', 'anthropic:claude-cli'], off)
    expect(renewed).toMatchObject({ code: 78 })
    expect(renewed.err).toContain('To use it: ')
    expect(provider.seen).toEqual([])
    expect(await inBook()).toMatchObject({ access: ACCESS })
  })

  test('that is blanked is told as logged out, and what was there before still serves', async () => {
    await claude(HOUR)
    taken = ACCESS
    await user.run(['models', 'status'])
    await claude(HOUR, { accessToken: '', refreshToken: '', expiresAt: 0 })
    const status = await user.run(['models', 'status'])
    expect(status.out).toContain('Claude Code has logged out')
    expect(await user.run(['agent', '--message', 'hi'])).toMatchObject({ code: 0, out: 'hello\n' })
    const json = JSON.parse((await user.run(['models', 'status', '--json'])).out)
    expect(json.foreign).toMatchObject([{ code: 'EQ_FOREIGN_BLANK' }])
  })
})
