import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FakeUpstream, Gateway, User } from './harness.ts'
import { anthropicMessage, anthropicStream, fakeUpstream, newUser } from './harness.ts'

const run = promisify(execFile)

let user: User
let upstream: FakeUpstream

beforeEach(async () => {
  user = await newUser()
  upstream = await fakeUpstream((request, response) => {
    if (request.body.includes('endless')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(anthropicStream('hi').split('event: content_block_stop')[0])
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(anthropicMessage('hi'))
  })
  await user.write(
    '.equabot/equabot.json',
    `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } } }`,
  )
  await user.paste(`sk-ant-api03-${'a1B2'.repeat(24)}`, 'anthropic:default')
})

afterEach(async () => {
  await user.leave()
  await upstream.close()
})

async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const ran = await user.run([...args, '--json'])
  expect(ran.err).toBe('')
  return JSON.parse(ran.out)
}

const ask = (gateway: Gateway, key: unknown, more: object = {}): Promise<Response> =>
  gateway.call('/v1/messages', {
    method: 'POST',
    headers: { authorization: `Bearer ${String(key)}` },
    body: JSON.stringify({
      model: 'claude-sonnet-5-5',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'hi' }],
      ...more,
    }),
  })

describe('equabot clients', () => {
  test('a key serves from the moment it is made, is counted by its name, and ends when it is revoked', async () => {
    const gateway = await user.startGateway()
    const { key, client } = await json('clients', 'add', 'laptop', '--models', 'claude-*')
    expect([client, String(key)]).toEqual(['laptop', expect.stringMatching(/^eqb-[\w-]{43}$/)])
    expect((await ask(gateway, key)).status).toBe(200)
    const other = await ask(gateway, key, { model: 'openai/gpt-5.5' })
    expect(other.status).toBe(403)
    const control = await gateway.call('/api/status', {
      headers: { authorization: `Bearer ${String(key)}` },
    })
    expect(control.status).toBe(403)

    await expect
      .poll(async () => (await json('usage', '--by', 'client'))['rows'], { timeout: 5_000 })
      .toMatchObject([{ client: 'laptop', requests: 2, inputTokens: 3 }])
    expect(await json('clients', 'show', 'laptop')).toMatchObject({
      spent: { daily: { tokens: 5 } },
    })

    const stream = await ask(gateway, key, { stream: true, system: 'endless' })
    const told = stream.text()
    expect(await json('clients', 'revoke', 'laptop', '--yes')).toMatchObject({ revoked: true })
    expect((await ask(gateway, key)).status).toBe(401)
    expect(await told).toMatch(/event: error\ndata: .*EQ_CLIENT_ENDED/)
    const file = await stat(join(user.stateDir, 'clients.json'))
    expect(file.mode & 0o777).toBe(0o600)
  })

  test('a rotated key takes the place of the old one', async () => {
    const gateway = await user.startGateway()
    const first = await json('clients', 'add', 'laptop')
    const second = await json('clients', 'rotate', 'laptop')
    expect((await ask(gateway, first['key'])).status).toBe(401)
    expect((await ask(gateway, second['key'])).status).toBe(200)
  })

  test('are listed with what they may; mistakes exit 64 with what to type', async () => {
    await user.run(['clients', 'add', 'ci', '--budget', '5usd/day', '--rate', '60/min'])
    const listed = await user.run(['clients', 'list'])
    expect(listed.out).toMatch(/ci +5usd\/day; 60\/min/)
    for (const [args, words] of [
      [['add', 'ci'], 'equabot clients rotate ci'],
      [['add', 'x y'], 'cannot serve as client name'],
      [['add', 'a1', '--budget', '5'], '5usd/day'],
      [['show', 'cj'], 'Did you mean ci?'],
      [['revoke', 'nobody', '--yes'], 'There are: ci'],
    ] as const) {
      const ran = await user.run(['clients', ...args])
      expect([args, ran.code, ran.out]).toEqual([args, 64, ''])
      expect(ran.err).toContain(words)
    }
  })

  test('whoever sends its own Claude login is told so, and it goes nowhere', async () => {
    const gateway = await user.startGateway()
    const login = `sk-ant-oat01-canary${'x'.repeat(90)}`
    const refused = await ask(gateway, login)
    const words = await refused.text()
    expect(refused.status).toBe(401)
    expect(words).toContain('equabot setup claude-code')
    expect(words).not.toMatch(/canary|x-api-key/i)
    expect(upstream.seen).toEqual([])
    const ended = await gateway.stop()
    const files = await user.files()
    const log = await user.read('.equabot/logs/equabot.log')
    expect(ended.out + ended.err + log + JSON.stringify(files)).not.toContain('canary')
  })
})

describe('equabot setup', () => {
  test('what is written works: the helper prints a key that the gateway takes', async () => {
    const gateway = await user.startGateway()
    await user.write('.claude/settings.json', '{\n  // Mine.\n  "theme": "dark"\n}\n')
    const done = await json('setup', 'claude-code', '--write')
    expect(done).toMatchObject({ madeClient: true, written: { changed: true }, url: gateway.url })
    const text = await user.read('.claude/settings.json')
    expect(text).toContain('// Mine.')
    const helper = /"apiKeyHelper": "(.*)"/.exec(text)?.[1] ?? ''
    const printed = await run('sh', ['-c', helper])
    expect(text).not.toContain(printed.stdout.trim())
    expect((await ask(gateway, printed.stdout.trim())).status).toBe(200)

    const again = await user.run(['setup', 'claude-code', '--write'])
    expect(again.out).toContain('nothing was changed')
    expect(await user.read('.claude/settings.json')).toBe(text)
    const rotated = await json('clients', 'rotate', 'claude-code')
    expect((await run('sh', ['-c', helper])).stdout.trim()).toBe(rotated['key'])
  })

  test('the lines for curl work as they stand, and name the key in no command line', async () => {
    const gateway = await user.startGateway()
    const done = await json('setup', 'curl', '--write')
    const snippets = done['snippets'] as { title: string; text: string }[]
    expect(snippets).toHaveLength(3)
    const line = snippets[1]?.text ?? ''
    expect(line).toContain(gateway.url)
    const environment = { HOME: user.home, PATH: process.env['PATH'] }
    const answered = await run('sh', ['-c', line.replace('| curl ', '| curl -sS ')], {
      env: environment,
    })
    expect(JSON.parse(answered.stdout)).toMatchObject({ type: 'message' })
  })

  test('a file that cannot be changed safely stays as it is, and no key is made', async () => {
    await user.write('.codex/config.toml', 'notes = """\n[model_providers.equabot]\n"""\n')
    const ran = await user.run(['setup', 'codex', '--write'])
    expect(ran).toMatchObject({ code: 65, out: '' })
    expect(ran.err).toContain('~/.codex/config.toml')
    expect(await user.read('.codex/config.toml')).toContain('notes')
    expect((await json('clients', 'list'))['clients']).toEqual([])
  })

  test('an unknown program is refused with those that are known', async () => {
    const ran = await user.run(['setup', 'emacs'])
    expect(ran).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toMatch(/claude-code, codex, opencode, sdk, curl/)
  })
})
