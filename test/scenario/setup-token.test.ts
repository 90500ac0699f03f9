import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { FakeUpstream, User } from './harness.ts'
import { anthropicError, anthropicStream, bookPath, fakeUpstream, newUser } from './harness.ts'

let user: User
const upstreams: FakeUpstream[] = []

beforeEach(async () => {
  user = await newUser()
})

afterEach(async () => {
  await user.leave()
  for (const upstream of upstreams.splice(0)) await upstream.close()
})

const TOKEN = `sk-ant-oat01-${'Fake_Y3ar'.repeat(10)}-FakeA`
const YEAR_MS = 365 * 86_400_000
const SETUP = ['models', 'auth', 'setup-token'] as const
const BY_HAND =
  'equabot models auth paste-token --provider anthropic --profile-id anthropic:claude-cli --expires-in 365d'

/** What the real program prints, wrapped where a narrow terminal wraps it; `ending` is what it does at the end. */
async function installClaude(ending = 'exit 0'): Promise<void> {
  const script = [
    '#!/bin/sh',
    'printf "%s\\n" "$0" "$@" > "$HOME/claude-arguments"',
    '/usr/bin/env > "$HOME/claude-environment"',
    'echo "Browser didn\'t open? Use the url below to sign in:"',
    'echo "https://claude.ai/oauth/authorize?code=true&client_id=fake&scope=user%3Ainference"',
    'printf "Paste code here if prompted > "',
    'read -r code',
    'echo "Your OAuth token (valid for 1 year):"',
    `echo "${TOKEN.slice(0, 80)}"`,
    `echo "${TOKEN.slice(80)}"`,
    'echo "Store this token securely. You will not be able to see it again."',
    ending,
  ].join('\n')
  await user.write('bin/claude', `${script}\n`)
  await chmod(join(user.home, 'bin/claude'), 0o755)
}

async function onInterrupt(command: string): Promise<void> {
  const script = await user.read('bin/claude')
  await user.write('bin/claude', script.replace('#!/bin/sh', `#!/bin/sh\ntrap '${command}' INT`))
}

/** Where the fake stands is the whole PATH, so no real one is ever started. */
function path(): Record<string, string> {
  return { PATH: `${join(user.home, 'bin')}:/usr/bin:/bin` }
}

async function provider(
  answer: (token: string | undefined) => { readonly status: number; readonly body: string },
): Promise<FakeUpstream> {
  const upstream = await fakeUpstream((request, response) => {
    const { status, body } = answer(request.headers.authorization)
    response.writeHead(status, {
      'content-type': status === 200 ? 'text/event-stream' : 'application/json',
    })
    response.end(body)
  })
  upstreams.push(upstream)
  await user.write(
    '.equabot/equabot.json',
    `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } } }`,
  )
  return upstream
}

async function stored(id: string): Promise<Record<string, unknown> | undefined> {
  const book = JSON.parse(await user.read(bookPath())) as {
    profiles: Record<string, Record<string, unknown>>
  }
  return book.profiles[id]
}

const paste = (text: string): string => `\u001b[200~${text}\u001b[201~\r`
/** As it is copied off a terminal of 80 columns. */
const WRAPPED = `${TOKEN.slice(0, 80)}\r\n  ${TOKEN.slice(80)}\n`

describe('setup-token', () => {
  test('runs the program, takes the wrapped token, tries it, and shows its year', async () => {
    await installClaude()
    const upstream = await provider(() => ({ status: 200, body: anthropicStream('Hi') }))
    const before = Date.now()
    const seat = user.sit(SETUP, { variables: path() })
    await seat.see(/Run claude setup-token here\?/)
    seat.type('y')
    await seat.see(/Paste code here if prompted/)
    seat.type('fake-code\r')
    await seat.see(/will not be shown\): /)
    seat.type(paste(WRAPPED))
    await seat.see(/Send one small request/)
    seat.type('y')
    await seat.see(/Stored anthropic:claude-cli/)
    await seat.see(/Tried +the provider takes it[\s\S]*Next: equabot models status/)
    expect(await seat.ended()).toBe(0)
    const issuedDay = new Date(before).toISOString().slice(0, 10)
    expect(seat.screen()).toContain(`Issued       ${issuedDay}`)
    expect(seat.screen()).toMatch(/Ends +in 365 days, a year \(\d{4}-\d\d-\d\d /)

    const entry = await stored('anthropic:claude-cli')
    expect(entry).toMatchObject({ type: 'token', provider: 'anthropic', token: TOKEN })
    expect(Number(entry?.['issuedAt'])).toBeGreaterThanOrEqual(before)
    expect(Number(entry?.['expires']) - Number(entry?.['issuedAt'])).toBe(YEAR_MS)
    expect(typeof entry?.['storedAt']).toBe('number')
    expect(await user.read('.equabot/equabot.json')).toMatch(
      /"anthropic:claude-cli": \{\s*provider: "anthropic",\s*mode: "oauth"/,
    )

    expect(upstream.seen).toHaveLength(1)
    expect(upstream.seen[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`)
    expect(JSON.parse(upstream.seen[0]?.body ?? '')).toMatchObject({ max_tokens: 1 })

    const status = await user.run(['models', 'status'])
    expect(status.out).toMatch(
      new RegExp(`usable, issued ${issuedDay}, ends in 365 days \\(\\d{4}-`),
    )
    expect(status.out).not.toContain('older spelling')
    const json = await user.run(['models', 'status', '--json'])
    expect(json.out).toContain(`"issuedAt": ${Number(entry?.['issuedAt'])}`)
  })

  test('the token is shown by its own program alone: not by us, in no argument, log or other file', async () => {
    await installClaude()
    await provider(() => ({ status: 200, body: anthropicStream('Hi') }))
    const seat = user.sit(SETUP, { variables: path() })
    await seat.see(/Run claude/)
    seat.type('y')
    await seat.see(/if prompted/)
    seat.type('fake-code\r')
    await seat.see(/will not be shown\): /)
    const shownBefore = seat.screen().length
    seat.type(paste(TOKEN))
    await seat.see(/Send one small request/)
    seat.type('y')
    await seat.ended()
    const part = TOKEN.slice(20, 40)
    expect(seat.screen().slice(shownBefore)).not.toContain(part)
    const log = await user.read('.equabot/logs/equabot.log').catch(() => '')
    expect(log).not.toContain(part)
    const files = Object.entries(await user.files()).filter(([, text]) => text.includes(part))
    expect(files.map(([name]) => name).toSorted()).toEqual([bookPath(), 'bin/claude'].toSorted())
  })

  test('the program gets its arguments, what a terminal program needs, and none of our secrets', async () => {
    await installClaude()
    const seat = user.sit([...SETUP, '--yes'], {
      variables: {
        ...path(),
        LC_ALL: 'C',
        CLAUDE_CONFIG_DIR: join(user.home, 'claude-home'),
        https_proxy: 'http://127.0.0.1:9',
        ANTHROPIC_API_KEY: 'fake-key-of-the-user',
        EQUABOT_GATEWAY_TOKEN: 'fake-gateway-token',
        NODE_OPTIONS: '--no-warnings',
      },
    })
    await seat.see(/if prompted/)
    seat.type('fake-code\r')
    await seat.see(/will not be shown\): /)
    seat.type(paste(TOKEN))
    await seat.see(/Tried +not yet/)
    expect(await seat.ended()).toBe(0)
    expect(await user.read('claude-arguments')).toBe(
      `${join(user.home, 'bin/claude')}\nsetup-token\n`,
    )
    const environment = await user.read('claude-environment')
    for (const name of ['HOME', 'PATH', 'TERM', 'LC_ALL', 'CLAUDE_CONFIG_DIR', 'https_proxy']) {
      expect(environment).toMatch(new RegExp(`^${name}=`, 'm'))
    }
    expect(environment).not.toMatch(/fake-key-of|fake-gateway|NODE_OPTIONS/)
  })

  test('with --json the screens go to the terminal and standard output keeps to the result', async () => {
    await installClaude()
    const seat = user.sit([...SETUP, '--yes', '--json'], { variables: path() })
    await seat.see(/if prompted/)
    seat.type('fake-code\r')
    await seat.see(/will not be shown\): /)
    seat.type(paste(TOKEN))
    const printed = await seat.see(/\{[\s\S]*\n\}/)
    const json = printed.slice(printed.indexOf('{')).replaceAll('\r', '')
    expect(JSON.parse(json)).toMatchObject({
      profile: 'anthropic:claude-cli',
      type: 'token',
      tried: { outcome: 'not_tried' },
    })
    expect(await seat.ended()).toBe(0)
  })

  test('a no, and a Ctrl-C at the question, run nothing and change nothing', async () => {
    await installClaude()
    const before = await user.files()
    for (const [key, exit] of [
      ['n', 1],
      ['\u0003', 130],
    ] as const) {
      const seat = user.sit(SETUP, { variables: path() })
      await seat.see(/Run claude setup-token here\?/)
      seat.type(key)
      expect(await seat.ended()).toBe(exit)
    }
    expect(await user.files()).toEqual(before)
  })

  test.each([
    ['that ends by it', undefined],
    ['that answers it with an exit code of its own', 'echo Cancelled by the program; exit 3'],
  ])('Ctrl-C in a program %s is the end, and nothing was changed', async (_how, answer) => {
    await installClaude()
    if (answer !== undefined) await onInterrupt(answer)
    const seat = user.sit([...SETUP, '--yes'], { variables: path() })
    await seat.see(/if prompted/)
    const before = Object.keys(await user.files())
    seat.type('\u0003')
    if (answer !== undefined) await seat.see(/Cancelled by the program/)
    await seat.see(/Interrupted; nothing was changed/)
    expect(await seat.ended()).toBe(130)
    expect(Object.keys(await user.files())).toEqual(before)
  })

  test.each([
    [1, 1, 'claude setup-token ended with 1; nothing was changed'],
    [130, 130, 'Interrupted; nothing was changed'],
  ])(
    'Ctrl-C as a mere key, to a program that reads keys and then ends with %i, exits %i',
    async (programs, ours, words) => {
      const script = [
        `#!${process.execPath}`,
        'process.stdin.setRawMode(true)',
        `process.stdin.on('data', (key) => key[0] === 3 && process.exit(${programs}))`,
        'process.stdout.write("Paste code here if prompted > ")',
      ].join('\n')
      await user.write('bin/claude', script)
      await chmod(join(user.home, 'bin/claude'), 0o755)
      const seat = user.sit([...SETUP, '--yes'], { variables: path() })
      await seat.see(/if prompted/)
      seat.type('\u0003')
      expect(await seat.ended()).toBe(ours)
      expect(seat.screen()).toContain(words)
      expect(await user.files()).not.toHaveProperty([bookPath()])
    },
  )

  test('a program that lives on after Ctrl-C, even after two, keeps the terminal', async () => {
    await installClaude()
    await onInterrupt('echo Press again to exit')
    const script = await user.read('bin/claude')
    await user.write('bin/claude', script.replace('read -r code', 'until read -r code; do :; done'))
    const seat = user.sit([...SETUP, '--yes'], { variables: path() })
    await seat.see(/if prompted/)
    for (let time = 1; time <= 2; time += 1) {
      seat.type('\u0003')
      await seat.see(/Press again to exit/)
    }
    seat.type('fake-code\r')
    await seat.see(/will not be shown\): /)
    seat.type(paste(TOKEN))
    await seat.see(/Stored anthropic:claude-cli/)
    expect(await seat.ended()).toBe(0)
  })

  test('Ctrl-C at the paste changes nothing', async () => {
    await installClaude()
    const seat = user.sit([...SETUP, '--yes'], { variables: path() })
    await seat.see(/if prompted/)
    seat.type('\r')
    await seat.see(/will not be shown\): /)
    seat.type(`${TOKEN.slice(0, 30)}\u0003`)
    await seat.see(/nothing was changed/)
    expect(await seat.ended()).toBe(130)
    expect(await user.files()).not.toHaveProperty([bookPath()])
  })

  test('a program that fails is told with its exit code and the way without it', async () => {
    await installClaude('echo "OAuth error: access denied" >&2; exit 7')
    const seat = user.sit([...SETUP, '--yes'], { variables: path() })
    await seat.see(/if prompted/)
    seat.type('\r')
    await seat.see(/claude setup-token ended with 7; nothing was changed/)
    expect(await seat.ended()).toBe(1)
    expect(seat.screen().replace(/\s+/g, ' ')).toContain(BY_HAND)
    expect(await user.files()).not.toHaveProperty([bookPath()])
  })

  test('half a token is refused with both lengths and asked for again', async () => {
    await installClaude()
    const seat = user.sit([...SETUP, '--yes'], { variables: path() })
    await seat.see(/if prompted/)
    seat.type('\r')
    await seat.see(/will not be shown\): /)
    seat.type(paste(TOKEN.slice(0, 80)))
    await seat.see(/at least 100 characters, this has 80/)
    await seat.see(/will not be shown\): /)
    seat.type(paste(`export CLAUDE_CODE_OAUTH_TOKEN=${TOKEN}`))
    await seat.see(/Stored anthropic:claude-cli/)
    expect(await seat.ended()).toBe(0)
    expect(await stored('anthropic:claude-cli')).toMatchObject({ token: TOKEN })
  })

  test('half a token three times over ends with nothing changed', async () => {
    await installClaude()
    const seat = user.sit([...SETUP, '--yes'], { variables: path() })
    await seat.see(/if prompted/)
    seat.type('\r')
    for (let time = 1; time <= 3; time += 1) {
      await seat.see(/will not be shown\): /)
      seat.type(paste(TOKEN.slice(0, 80)))
    }
    expect(await seat.ended()).toBe(64)
    expect(await user.files()).not.toHaveProperty([bookPath()])
  })

  test('a word, and an API key, are asked for again; the key is told where it belongs', async () => {
    await installClaude()
    const seat = user.sit([...SETUP, '--yes'], { variables: path() })
    await seat.see(/if prompted/)
    seat.type('\r')
    await seat.see(/will not be shown\): /)
    seat.type(paste('nonsense'))
    await seat.see(/The secret is cut off/)
    await seat.see(/will not be shown\): /)
    seat.type(paste(`sk-ant-api03-${'FakeKey0'.repeat(12)}-AA`))
    await seat.see(/is an API key, not a setup-token/)
    await seat.see(/To store that key: equabot models auth paste-token --provider anthropic/)
    await seat.see(/will not be shown\): /)
    seat.type(paste(TOKEN))
    await seat.see(/Stored anthropic:claude-cli/)
    expect(await seat.ended()).toBe(0)
  })

  test('an unknown beginning is a remark, no refusal', async () => {
    await installClaude()
    const seat = user.sit([...SETUP, '--yes'], { variables: path() })
    await seat.see(/if prompted/)
    seat.type('\r')
    await seat.see(/will not be shown\): /)
    seat.type(paste('sk-new-fake02-another-kind-of-token-0123456789'))
    await seat.see(/Note +it does not begin as secrets of this provider usually do/)
    expect(await seat.ended()).toBe(0)
  })

  test('a refusal of the provider is told with its hint, and the token stays', async () => {
    await installClaude()
    const words =
      'This credential is only authorized for use with Claude Code and cannot be used for other API requests.'
    await provider(() => ({
      status: 400,
      body: anthropicError('invalid_request_error', words),
    }))
    const seat = user.sit(SETUP, { variables: path() })
    await seat.see(/Run claude/)
    seat.type('y')
    await seat.see(/if prompted/)
    seat.type('\r')
    await seat.see(/will not be shown\): /)
    seat.type(paste(TOKEN))
    await seat.see(/Send one small request/)
    seat.type('y')
    await seat.see(/Next: equabot models status/)
    expect(await seat.ended()).toBe(1)
    const screen = seat.screen().replace(/\s+/g, ' ')
    expect(screen).toContain('only authorized for use with Claude Code')
    expect(screen).toContain('The token stays stored. Use an API key: equabot models auth paste')
    expect(await stored('anthropic:claude-cli')).toMatchObject({ token: TOKEN })
    expect((await user.run(['models', 'status'])).out).toContain('refused')
  })

  test('a borrowed login in use keeps its place; the token goes beside it', async () => {
    await installClaude()
    await user.writeBook({
      version: 1,
      profiles: {
        'anthropic:claude-cli': {
          type: 'oauth',
          provider: 'anthropic',
          access: 'fake-access-of-claude-code',
          expires: Date.now() + 3_600_000,
          origin: 'claude-code',
        },
      },
    })
    const seat = user.sit([...SETUP, '--yes'], { variables: path() })
    await seat.see(/if prompted/)
    seat.type('\r')
    await seat.see(/will not be shown\): /)
    seat.type(paste(TOKEN))
    await seat.see(/Stored anthropic:setup-token[\s\S]*anthropic:claude-cli, a login in use/)
    expect(await seat.ended()).toBe(0)
    expect(await stored('anthropic:claude-cli')).toMatchObject({
      access: 'fake-access-of-claude-code',
    })
    const named = user.sit([...SETUP, '--yes', '--profile-id', 'claude-cli'], {
      variables: path(),
    })
    await named.see(/is the login of Claude Code/)
    expect(await named.ended()).toBe(64)
  })
})

describe('setup-token that cannot run', () => {
  test('without the program, it says how to get on without it', async () => {
    const seat = user.sit(SETUP, { variables: path() })
    await seat.see(/The program claude is not on the PATH/)
    expect(await seat.ended()).toBe(69)
    expect(seat.screen().replace(/\s+/g, ' ')).toContain(BY_HAND)
    expect(await user.files()).toEqual({})
  })

  test('without a terminal, it says how to pipe a token in', async () => {
    await installClaude()
    const before = await user.files()
    for (const more of [[], ['--yes']]) {
      const ran = await user.run([...SETUP, ...more], { variables: path(), input: TOKEN })
      expect(ran).toMatchObject({ code: 64, out: '' })
      expect(ran.err).toContain('needs a terminal')
      expect(ran.err).toContain(`${BY_HAND} < file`)
    }
    expect(await user.files()).toEqual(before)
  })

  test('for another provider, it says what to use', async () => {
    const ran = await user.run([...SETUP, '--provider', 'openai'])
    expect(ran).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toContain('equabot models auth paste-token --provider openai')
    const foreign = user.sit([...SETUP, '--profile-id', 'groq:work'], { variables: path() })
    await foreign.see(/groq:work is not a profile of anthropic/)
    expect(await foreign.ended()).toBe(64)
  })
})
