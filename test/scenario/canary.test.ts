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
  }
  const everything = printed.join('\n') + commandLines.join('\n')
  for (const secret of [...Object.values(CANARIES), gateway.token]) {
    for (const form of formsOf(secret)) expect(everything).not.toContain(form)
  }
  for (const { name, path, text } of await filesUnder(user.home)) {
    for (const secret of [...Object.values(CANARIES), gateway.token]) {
      if (homes[name]?.includes(secret)) continue
      for (const form of formsOf(secret)) {
        expect(text.includes(form), `${form.slice(0, 12)}… in ${path}`).toBe(false)
      }
    }
  }
})

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
