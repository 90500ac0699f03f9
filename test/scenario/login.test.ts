import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Ran, RunOptions, User } from './harness.ts'
import { bookPath, fakeUpstream, newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const LOGIN = ['models', 'auth', 'login', '--provider', 'sandbox'] as const
const PAGE = /http:\/\/127\.0\.0\.1:\d+\/oauth\/authorize\?\S+/

/** What the person sees at the end of the page: the address that the browser is sent to. */
async function agree(printed: string, account?: string): Promise<string> {
  const page = new URL(PAGE.exec(printed)?.[0] ?? '')
  if (account !== undefined) page.searchParams.set('account', account)
  const response = await fetch(page, { redirect: 'manual' })
  expect(response.status).toBe(302)
  return response.headers.get('location') ?? ''
}

interface Way {
  readonly account?: string
  readonly more?: readonly string[]
  readonly options?: RunOptions
}

/** A login whose page is opened in a browser on this machine. */
async function logIn({ account, more = [], options }: Way = {}): Promise<Ran> {
  const running = user.start([...LOGIN, ...more], { input: '', ...options })
  const back = await agree(await running.until(/Waiting up to/), account)
  const page = await fetch(back)
  expect(page.status).toBe(200)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  return running.ended()
}

async function profiles(): Promise<Record<string, Record<string, unknown>>> {
  const { profiles: all } = JSON.parse(await user.read(bookPath())) as {
    profiles: Record<string, Record<string, unknown>>
  }
  return all
}

describe('a login by loopback', () => {
  test('becomes a profile that serves, and shows no secret anywhere but in its book', async () => {
    const ran = await logIn()
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/^Logged in to Sandbox .* as sandbox@example\.com\n/)
    const { 'sandbox:sandbox@example.com': profile = {} } = await profiles()
    expect(profile).toMatchObject({
      type: 'oauth',
      provider: 'sandbox',
      email: 'sandbox@example.com',
      clientId: 'equabot',
      grant: expect.stringMatching(/^[0-9a-f]{32}$/),
      accountId: expect.any(String),
      renewedAt: expect.any(Number),
      storedAt: expect.any(Number),
    })
    const explained = await user.run(['models', 'auth', 'explain', '--model', 'sandbox-echo'])
    expect(explained.out).toMatch(/Next +sandbox:sandbox@example\.com/)
    const said = await user.run(['agent', '--message', 'hello', '--model', 'sandbox-echo'])
    expect(said.code).toBe(0)
    const files = await user.files()
    for (const secret of [String(profile['access']), String(profile['refresh'])]) {
      const holders = Object.keys(files).filter((path) => files[path]?.includes(secret))
      expect(holders).toEqual([bookPath()])
      expect(ran.out + ran.err).not.toContain(secret.slice(20, 40))
    }
  })

  test('needs nobody but the browser, where there is one', async () => {
    // A browser that agrees at once: it follows the page wherever that leads.
    await user.write('bin/xdg-open', '#!/usr/bin/env node\nfetch(process.argv[2])\n')
    await chmod(join(user.home, 'bin/xdg-open'), 0o700)
    const PATH = `${join(user.home, 'bin')}:${process.env['PATH']}`
    const ran = await user.run(LOGIN, { variables: { PATH, DISPLAY: ':0' } })
    expect(ran.code).toBe(0)
    expect(ran.err).toContain('opens in your browser')
    expect(ran.err).toMatch(PAGE)
    expect(Object.keys(await profiles())).toEqual(['sandbox:sandbox@example.com'])
  })

  test('is refused with a foreign state, and waits on for the right one', async () => {
    const running = user.start(LOGIN, { input: '' })
    const back = new URL(await agree(await running.until(/Waiting up to/)))
    const foreign = new URL(back)
    foreign.searchParams.set('state', 'f'.repeat(43))
    const refused = await fetch(foreign)
    expect(refused.status).toBe(400)
    expect(await refused.text()).not.toContain('ffff')
    expect(await user.files()).toEqual({})
    expect((await fetch(back)).status).toBe(200)
    expect(await running.ended()).toMatchObject({ code: 0 })
  })

  test('that is refused, or ended by Ctrl-C, changes nothing', async () => {
    const denied = user.start(LOGIN, { input: '' })
    const back = new URL(await agree(await denied.until(/Waiting up to/)))
    back.searchParams.delete('code')
    back.searchParams.set('error', '<script>alert(1)</script>')
    const page = await (await fetch(back)).text()
    expect(page).not.toContain('<script>')
    expect(await denied.ended()).toMatchObject({ code: 1, out: '' })

    const left = user.start(LOGIN, { input: '' })
    await left.until(/Waiting up to/)
    expect(await left.stop('SIGINT')).toMatchObject({
      code: 130,
      out: '',
      err: expect.stringContaining('nothing was changed'),
    })
    expect(await user.files()).toEqual({})
  })

  test('of the same account replaces its profile; another account gets its own', async () => {
    await logIn({ more: ['--profile-id', 'work'] })
    const first = await profiles()
    const again = await logIn()
    expect(again.out).toMatch(/Profile +sandbox:work \(replaced\)/)
    expect(again.out).toContain('The old login was revoked at')
    const second = await profiles()
    expect(Object.keys(second)).toEqual(['sandbox:work'])
    expect(second['sandbox:work']?.['grant']).not.toBe(first['sandbox:work']?.['grant'])
    await logIn({ account: 'you@example.com' })
    expect(Object.keys(await profiles())).toEqual(['sandbox:work', 'sandbox:you@example.com'])
  })

  test('of another account is not put over a profile without a yes', async () => {
    await logIn({ more: ['--profile-id', 'work'] })
    const before = await user.files()
    const more = ['--profile-id', 'work']
    const refused = await logIn({ account: 'you@example.com', more })
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err).toContain('sandbox:work is the login of sandbox@example.com')
    expect(await user.files()).toEqual(before)
    const agreed = await logIn({ account: 'you@example.com', more: [...more, '--yes', '--json'] })
    expect(JSON.parse(agreed.out)).toMatchObject({
      profile: 'sandbox:work',
      account: 'you@example.com',
      replacedLogin: { kind: 'revoked' },
    })
  })
})

describe('a login by paste', () => {
  test('takes the address, or code#state, from a pipe', async () => {
    for (const form of ['address', 'pair'] as const) {
      const running = user.start([...LOGIN, '--paste'])
      const back = await agree(await running.until(/its address is the answer/))
      await expect(fetch(back)).rejects.toThrow()
      const { searchParams } = new URL(back)
      const pair = `${searchParams.get('code')}#${searchParams.get('state')}`
      running.process.stdin?.end(`${form === 'address' ? back : pair}\n`)
      expect(await running.ended()).toMatchObject({ code: 0 })
    }
    expect(Object.keys(await profiles())).toEqual(['sandbox:sandbox@example.com'])
  })

  test.each([
    ['nothing', () => '', 64],
    ['a bare code', (back: URL) => back.searchParams.get('code') ?? '', 64],
    ['another state', (back: URL) => `${back.searchParams.get('code')}#other`, 1],
    ['another code', (back: URL) => `other#${back.searchParams.get('state')}`, 69],
  ])('of %s changes nothing', async (_what, textOf, code) => {
    const running = user.start([...LOGIN, '--paste'])
    const back = await agree(await running.until(/its address is the answer/))
    running.process.stdin?.end(textOf(new URL(back)))
    expect(await running.ended()).toMatchObject({
      code,
      out: '',
      err: expect.not.stringContaining('sandbox-code-'),
    })
    expect(await user.files()).toEqual({})
  })

  test('is what a terminal by ssh gets by itself; a wrapped paste and a slip are forgiven', async () => {
    const seat = user.sit(LOGIN, {
      variables: { SSH_CONNECTION: '192.0.2.1 1 192.0.2.2 22', DISPLAY: ':0' },
    })
    const shown = await seat.see(/Paste that address \(it will not be shown\): /)
    seat.type('oops\r')
    await seat.see(/Once more[\s\S]*Paste that address \(it will not be shown\): /)
    const page = shown.replaceAll(/\r?\n(?=\S)/g, '')
    const back = await agree(page)
    seat.type(`\u001b[200~${back.slice(0, 60)}\n  ${back.slice(60)}\u001b[201~\r`)
    await seat.see(/Logged in to/)
    expect(await seat.ended()).toBe(0)
    expect(seat.screen()).not.toContain('sandbox-code-')
  })

  test('asks a person before another account is replaced', async () => {
    await logIn({ more: ['--profile-id', 'work'] })
    const before = await user.files()
    const seat = user.sit([...LOGIN, '--profile-id', 'work', '--paste'])
    const shown = await seat.see(/Paste that address \(it will not be shown\): /)
    const back = await agree(shown.replaceAll(/\r?\n(?=\S)/g, ''), 'you@example.com')
    seat.type(`${back}\r`)
    await seat.see(/Replace it by the one of you@example\.com\?/)
    seat.type('n')
    expect(await seat.ended()).toBe(1)
    expect(await user.files()).toEqual(before)
  })
})

describe('a provider of the config', () => {
  test('may be any standard one; its login is revoked by logout and gone from every file', async () => {
    const provider = await fakeUpstream(({ path }, response) =>
      response.end(
        path === '/token'
          ? JSON.stringify({
              access_token: 'fake-access-canary-1',
              refresh_token: 'fake-refresh-canary-1',
              expires_in: 3600,
              email: 'me@example.com',
            })
          : '',
      ),
    )
    try {
      const oauth = {
        authorizeUrl: `${provider.url}/authorize`,
        tokenUrl: `${provider.url}/token`,
        revokeUrl: `${provider.url}/revoke`,
        clientId: 'fake-client',
        body: 'json',
      }
      const acme = { baseUrl: `${provider.url}/v1`, models: [{ id: 'big' }], oauth }
      await user.write('.equabot/equabot.json', JSON.stringify({ models: { providers: { acme } } }))
      const running = user.start(['models', 'auth', 'login', '--provider', 'acme'], { input: '' })
      const printed = await running.until(/Waiting up to/)
      const page = new URL(/http:\S+\/authorize\?\S+/.exec(printed)?.[0] ?? '')
      const back = new URL(page.searchParams.get('redirect_uri') ?? '')
      back.search = new URLSearchParams({
        code: 'fake-code',
        state: page.searchParams.get('state') ?? '',
      }).toString()
      await fetch(back)
      expect(await running.ended()).toMatchObject({ code: 0 })
      expect(JSON.parse(provider.seen[0]?.body ?? '')).toMatchObject({
        code: 'fake-code',
        client_id: 'fake-client',
      })

      const out = await user.run(['models', 'auth', 'logout', 'acme:me@example.com', '--yes'])
      expect(out).toMatchObject({
        code: 0,
        out: 'Logged out acme:me@example.com from agent main\n  The login was revoked at acme.\n',
      })
      expect(provider.seen[1]?.path).toBe('/revoke')
      expect(new URLSearchParams(provider.seen[1]?.body).get('token')).toBe('fake-refresh-canary-1')
      expect(Object.values(await user.files()).join('\n')).not.toContain('canary')
    } finally {
      await provider.close()
    }
  })

  test('must be https: no page is shown and nothing is sent elsewhere', async () => {
    const oauth = { tokenUrl: 'http://192.168.1.7/token', clientId: 'fake-client' }
    const sandbox = { oauth }
    await user.write(
      '.equabot/equabot.json',
      JSON.stringify({ models: { providers: { sandbox } } }),
    )
    const ran = await user.run(LOGIN)
    expect(ran).toMatchObject({ code: 78, out: '' })
    expect(ran.err).toContain('models.providers.sandbox.oauth.tokenUrl is not https')
    expect(ran.err).not.toContain('authorize')
  })
})

test('without a client of ours there is no login, and no disguise', async () => {
  for (const provider of ['anthropic', 'openai-codex']) {
    const ran = await user.run(['models', 'auth', 'login', '--provider', provider])
    expect(ran).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toContain('there is no clientId')
  }
  expect(await user.files()).toEqual({})
})
