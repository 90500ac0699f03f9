import { readdirSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import type { FakeUpstream, User } from './harness.ts'
import { anthropicError, fakeUpstream, newUser } from './harness.ts'

/** Each is planted in one place and may be found in its home alone. */
const CANARIES = {
  pasted: 'sk-ant-oat01-CANARYpasted' + 'a1B2'.repeat(24),
  variable: 'canary-variable-7c1f9e2d44aa',
  envFile: 'canary-dotenv-55d0b1e877cc',
  stored: 'canary-stored-9a8b7c6d5e4f',
  refresh: 'canary-refresh-1029384756ab',
}

let user: User
let upstream: FakeUpstream

beforeEach(async () => {
  user = await newUser()
  upstream = await fakeUpstream((request, response) => {
    // A careless provider that repeats what it was sent.
    const sent = JSON.stringify(request.headers)
    response.writeHead(request.body.includes('limit') ? 429 : 401, {
      'content-type': 'application/json',
    })
    response.end(anthropicError('authentication_error', `bad credential ${sent}`))
  })
})

afterEach(async () => {
  await user.leave()
  await upstream.close()
})

test('planted secrets are found in their home and nowhere else', async () => {
  await user.write(
    '.equabot/equabot.json',
    `{ models: { providers: {
        anthropic: { baseUrl: "${upstream.url}" },
        groq: { baseUrl: "${upstream.url}/v1" },
        openai: { baseUrl: "${upstream.url}/v1" },
        office: { baseUrl: "${upstream.url}/v1", apiKey: "\${OFFICE_KEY}", headers: { "x-tenant": "\${OFFICE_KEY}" }, models: [{ id: "big" }] } } } }`,
  )
  await user.write('.equabot/.env', `OFFICE_KEY=${CANARIES.envFile}\n`)
  await user.write(
    '.equabot/agents/main/agent/auth-profiles.json',
    JSON.stringify({
      version: 1,
      profiles: {
        'anthropic:stored': { type: 'api_key', provider: 'anthropic', key: CANARIES.stored },
        'openai:oauth': {
          type: 'oauth',
          provider: 'openai',
          access: CANARIES.stored,
          refresh: CANARIES.refresh,
          expires: 4102444800000,
        },
      },
    }),
  )
  const variables = { GROQ_API_KEY: CANARIES.variable }
  const printed: string[] = []
  const commandLines: string[] = []
  const run = async (args: readonly string[], input = ''): Promise<void> => {
    commandLines.push(args.join(' '))
    const ran = await user.run(args, { input, variables })
    printed.push(ran.out, ran.err)
  }

  // A key of a client is shown once, by the command that makes it.
  const added = await user.run(['clients', 'add', 'laptop', '--keep', '--json'], { variables })
  const clientKey = String(JSON.parse(added.out).key)
  await user.run(['clients', 'add', 'phone'], { variables })
  await run(['models', 'auth', 'paste-token', '--provider', 'anthropic'], `${CANARIES.pasted}\n`)
  await run(['models', 'auth', 'paste-token', '--provider', 'nosuch'], CANARIES.pasted)
  await run(
    ['models', 'auth', 'paste-token', '--provider', 'anthropic'],
    `${CANARIES.pasted} and words`,
  )
  for (const args of [
    ['models', 'status'],
    ['models', 'status', '--json'],
    ['models', 'status', '--check'],
    ['models', 'auth', 'list'],
    ['models', 'auth', 'list', '--json'],
    ['models', 'auth', 'explain', '--json'],
    ['models', 'auth', 'explain', '--model', 'office/big'],
    ['models', 'auth', 'order', 'get', '--provider', 'anthropic', '--json'],
    ['config', 'get'],
    ['config', 'get', '--json'],
    ['config', 'validate'],
    ['agents', 'list', '--json'],
    ['agent', '--message', 'hello', '--model', 'anthropic/claude-sonnet-5-5'],
    ['agent', '--message', 'limit', '--model', 'groq/llama', '--json'],
    ['agent', '--message', 'hello', '--model', 'office/big'],
    ['models', 'auth', 'probe'],
    ['models', 'auth', 'probe', '--json'],
    ['models', 'status', '--probe'],
    ['models', 'status', '--probe', '--check', '--json'],
    ['clients', 'list'],
    ['clients', 'list', '--json'],
    ['clients', 'show', 'laptop', '--json'],
    ['setup', 'claude-code', '--client', 'laptop', '--write'],
    ['setup', 'codex', '--client', 'laptop', '--write', '--json'],
    ['setup', 'opencode', '--client', 'laptop', '--write', '--json'],
    ['setup', 'sdk', '--client', 'laptop', '--json'],
    ['setup', 'curl', '--client', 'laptop'],
    ['sessions', 'list', '--json'],
    ['doctor', '--offline'],
    ['doctor', '--offline', '--json'],
  ]) {
    await run(args)
  }

  const gateway = await user.startGateway({ variables })
  for (const model of [
    'anthropic/claude-sonnet-5-5',
    'claude-opus-5-5@anthropic:stored',
    'office/big',
  ]) {
    const body = JSON.stringify({
      model,
      max_tokens: 5,
      messages: [{ role: 'user', content: 'hi' }],
    })
    const path = model === 'office/big' ? '/v1/chat/completions' : '/v1/messages'
    const answer = await gateway.call(path, { method: 'POST', body })
    printed.push(await answer.text(), JSON.stringify([...answer.headers]))
  }
  for (const path of [
    '/healthz',
    '/readyz',
    '/v1/models',
    '/api/status',
    '/api/explain',
    '/api/openapi.json',
    '/api/nothing',
  ]) {
    printed.push(await (await gateway.call(path)).text())
  }
  for (const path of ['/v1/models', '/v1/usage', '/api/status', '/v1/messages']) {
    // A caller that sends its key in both places, and a careless one that sends it with something wrong.
    const headers = { authorization: `Bearer ${clientKey}`, 'x-api-key': clientKey }
    const method = path === '/v1/messages' ? 'POST' : 'GET'
    const body = method === 'POST' ? JSON.stringify({ model: 'claude-opus-5-5' }) : undefined
    const answer = await gateway.call(path, { method, headers, ...(body && { body }) })
    printed.push(await answer.text())
    const wrong = { authorization: `Bearer ${clientKey}x` }
    printed.push(await (await gateway.call(path, { headers: wrong })).text())
  }
  const message = JSON.stringify({ session: 'main', message: '/model status' })
  printed.push(await (await gateway.call('/api/chat', { method: 'POST', body: message })).text())
  const ended = await gateway.stop()
  printed.push(ended.out, ended.err)
  printed.push(gateway.token.length > 20 ? '' : 'the gateway token is too short')

  expect(upstream.seen.length).toBeGreaterThan(3)
  const homes: Readonly<Record<string, readonly string[]>> = {
    'auth-profiles.json': [CANARIES.pasted, CANARIES.stored, CANARIES.refresh],
    'auth-profiles.json.prev': [CANARIES.pasted, CANARIES.stored, CANARIES.refresh],
    '.env': [CANARIES.envFile],
    'gateway-token': [gateway.token],
    // The copy that was asked for.
    laptop: [clientKey],
  }
  const everything = printed.join('\n') + commandLines.join('\n')
  for (const secret of [...Object.values(CANARIES), gateway.token, clientKey]) {
    for (const form of formsOf(secret)) expect(everything).not.toContain(form)
  }
  for (const { name, path, text } of await filesUnder(user.home)) {
    for (const secret of [...Object.values(CANARIES), gateway.token, clientKey]) {
      if (homes[name]?.includes(secret)) continue
      for (const form of formsOf(secret)) {
        expect(text.includes(form), `${form.slice(0, 12)}… in ${path}`).toBe(false)
      }
    }
  }
})

test('tokens of logins are found in their homes alone, and in no command line or environment', async () => {
  const tokens = {
    access: 'canary-access-aa11bb22cc33dd',
    refresh: 'canary-refresh-ee44ff55aa66bb',
    nextAccess: 'canary-next-access-77cc88dd99',
    nextRefresh: 'canary-next-refresh-00ee11ff22',
    ownersAccess: 'sk-ant-oat01-canary-owners-access-33aa44bb55cc',
    ownersRefresh: 'sk-ant-ort01-canary-owners-refresh-66dd77ee88ff',
    key: 'canary-key-of-the-shell-99aa00bb11',
  }
  const processes: string[] = []
  let answer: 'refuse' | 'cut' | 'renew' = 'refuse'
  const careless = await fakeUpstream((request, response) => {
    processes.push(...helpersNow())
    if (answer === 'cut') {
      response.socket?.destroy()
      return
    }
    // It repeats what it was sent.
    response.writeHead(answer === 'refuse' ? 429 : 200).end(
      answer === 'refuse'
        ? JSON.stringify({ error: 'slow_down', error_description: request.body })
        : JSON.stringify({
            access_token: tokens.nextAccess,
            refresh_token: tokens.nextRefresh,
            expires_in: 3600,
          }),
    )
  })
  await user.write(
    '.equabot/equabot.json',
    JSON.stringify({
      auth: { foreign: { claudeCode: { renew: 'never' } } },
      models: {
        providers: {
          acme: {
            baseUrl: `${careless.url}/v1`,
            models: [{ id: 'm' }],
            oauth: { tokenUrl: `${careless.url}/token`, clientId: 'c' },
          },
        },
      },
    }),
  )
  await user.writeBook({
    version: 1,
    profiles: {
      'acme:me': {
        type: 'oauth',
        provider: 'acme',
        access: tokens.access,
        refresh: tokens.refresh,
        expires: 1_700_000_000_000,
      },
    },
  })
  await user.write(
    '.claude/.credentials.json',
    JSON.stringify({
      claudeAiOauth: {
        accessToken: tokens.ownersAccess,
        refreshToken: tokens.ownersRefresh,
        expiresAt: 4_102_444_800_000,
        scopes: ['user:inference'],
      },
    }),
  )
  const printed: string[] = []
  const run = async (...args: readonly string[]): Promise<void> => {
    const ran = await user.run(args, { variables: { ACME_KEY: tokens.key } })
    printed.push(ran.out, ran.err)
  }
  for (const next of ['refuse', 'cut', 'renew'] as const) {
    answer = next
    await run('models', 'auth', 'renew', 'acme:me')
    await run('models', 'auth', 'renew', 'acme:me', '--json')
    await run('models', 'status')
    await run('models', 'status', '--json')
    await run('models', 'auth', 'explain', '--model', 'acme/m', '--json')
    await run('models', 'auth', 'probe', '--profile', 'acme:me')
    await run('models', 'auth', 'probe', '--profile', 'acme:me', '--json')
    await run('doctor', '--offline', '--json')
  }
  await run('models', 'auth', 'sync', '--json')
  await run('models', 'auth', 'import', join(user.home, '.equabot'), '--dry-run')
  await run('models', 'auth', 'logout', 'acme:me', '--yes')

  expect(careless.seen.length).toBeGreaterThan(4)
  expect(processes.length > 0 || process.platform !== 'linux').toBe(true)
  const everything = [...printed, ...processes].join('\n')
  const homes: Readonly<Record<string, readonly string[]>> = {
    // The access of a borrowed login, and nothing of one that was logged out.
    'auth-profiles.json': [tokens.ownersAccess],
    'auth-profiles.json.prev': [tokens.ownersAccess],
    '.credentials.json': [tokens.ownersAccess, tokens.ownersRefresh],
  }
  for (const secret of Object.values(tokens)) {
    for (const form of formsOf(secret)) expect(everything).not.toContain(form)
    for (const { name, path, text } of await filesUnder(user.home)) {
      if (homes[name]?.includes(secret)) continue
      for (const form of formsOf(secret)) {
        expect(text.includes(form), `${form.slice(0, 12)}… in ${path}`).toBe(false)
      }
    }
  }
  await careless.close()
})

/** Command lines and environments of the processes that renew, as any program of this user can see them. */
function helpersNow(): readonly string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      if (!line.includes('renew.js')) return []
      return [`${line} ${readFileSync(`/proc/${pid}/environ`, 'utf8')}`]
    } catch {
      // It has ended meanwhile, or is no process.
      return []
    }
  })
}

/** The whole, its middle part, and the usual encodings. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  return [
    secret,
    secret.slice(8, 22),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('hex'),
    encodeURIComponent(secret),
  ]
}

async function filesUnder(folder: string): Promise<{ name: string; path: string; text: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      return { name: entry.name, path, text: await readFile(path, 'utf8') }
    }),
  )
}
