import { afterEach, beforeEach, expect, test } from 'vitest'

import type { FakeUpstream, User } from './harness.ts'
import {
  anthropicError,
  anthropicMessage,
  anthropicStream,
  fakeUpstream,
  newUser,
} from './harness.ts'

let user: User
let upstream: FakeUpstream
let refused: Set<string>

const KEY =
  'sk-ant-api03-a-fake-key-for-the-ledger-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const SPARE =
  'sk-ant-api03-a-spare-key-for-the-ledger-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY9'

beforeEach(async () => {
  user = await newUser()
  refused = new Set()
  upstream = await fakeUpstream((request, response) => {
    const key = String(request.headers['x-api-key'])
    if (refused.has(key)) {
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '60' })
      response.end(anthropicError('rate_limit_error', 'slow down'))
      return
    }
    const streams = request.body.includes('"stream":true')
    response.writeHead(200, {
      'content-type': streams ? 'text/event-stream' : 'application/json',
    })
    response.end(streams ? anthropicStream('hello') : anthropicMessage('hello'))
  })
})

afterEach(async () => {
  await user.leave()
  await upstream.close()
})

const settings = (profiles: unknown = {}): Promise<void> =>
  user.write(
    '.equabot/equabot.json',
    JSON.stringify({
      auth: { profiles },
      models: { providers: { anthropic: { baseUrl: upstream.url } } },
    }),
  )

const asked = (stream: boolean) => ({
  method: 'POST',
  headers: { 'user-agent': 'ledger-test/1.0' },
  body: JSON.stringify({
    model: 'claude-sonnet-4-5',
    stream,
    max_tokens: 9,
    messages: [{ role: 'user', content: 'what the user said' }],
  }),
})

test('nothing is recorded by who only looks; the first chat is, and reading leaves no trace', async () => {
  expect((await user.run(['usage'])).out).toContain('Nothing recorded yet')
  expect((await user.run(['requests'])).out).toContain('equabot agent --message hello')
  expect(Object.keys(await user.files())).toEqual([])

  await user.run(['agent', '--message', 'good morning'])
  const files = await user.files()
  expect(Object.keys(files).filter((path) => path.includes('ledger'))).toEqual([
    '.equabot/ledger.sqlite',
  ])
  expect(files['.equabot/ledger.sqlite']).not.toContain('good morning')
  const shown = await user.run(['requests', '--json'])
  expect(JSON.parse(shown.out)).toMatchObject({
    requests: [{ client: 'chat', session: 'main', outcome: 'served', lane: 'free', costUsd: 0 }],
  })
  expect((await user.run(['usage', '--by', 'lane'])).out).toMatch(/\nfree +1 /)
  expect(await user.files()).toEqual(files)
})

test('the gateway records who asked, who served after whom, tokens and an estimate; others read it meanwhile', async () => {
  await settings()
  await user.paste(KEY, 'anthropic:work')
  await user.paste(SPARE, 'anthropic:spare')
  await user.run([
    'agent',
    '--session',
    'monday',
    '--message',
    'hi',
    '--model',
    'anthropic/claude-sonnet-4-5',
  ])
  const gateway = await user.startGateway()
  const following = user.start(['requests', '--follow', '--json'], { input: '' })
  for (const stream of [false, true]) {
    const answer = await gateway.call('/v1/messages', asked(stream))
    expect(answer.status).toBe(200)
    await answer.text()
  }
  refused.add(KEY)
  refused.add(SPARE)
  const inSession = asked(false)
  const headers = { ...inSession.headers, 'x-equabot-session': 'monday' }
  const failed = await gateway.call('/v1/messages', { ...inSession, headers })
  expect(failed.status).toBeGreaterThanOrEqual(400)
  await following.until(/"outcome":"failed"/)

  const lines = (await following.stop('SIGINT')).out.trim().split('\n')
  const [chat, first, second, third] = lines.map((line): unknown => JSON.parse(line))
  expect(chat).toMatchObject({ client: 'chat', session: 'monday', outcome: 'served' })
  expect(first).not.toHaveProperty('session')
  expect(first).toMatchObject({
    client: 'ledger-test',
    asked: 'claude-sonnet-4-5',
    model: 'anthropic/claude-sonnet-4-5',
    lane: 'metered',
    outcome: 'served',
    attempts: 1,
    usage: { inputTokens: 3, outputTokens: 2 },
    costUsd: expect.closeTo(0.000039, 9),
  })
  expect(second).toMatchObject({ outcome: 'served', usage: { inputTokens: 3, outputTokens: 2 } })
  expect(third).toMatchObject({
    outcome: 'failed',
    reason: 'rate_limit',
    attempts: 2,
    session: 'monday',
  })

  const usage = JSON.parse((await user.run(['usage', '--by', 'client', '--json'])).out)
  expect(usage).toMatchObject({
    rows: [
      { client: 'chat', requests: 1 },
      { client: 'ledger-test', requests: 3, failed: 1, counted: 2, priced: 2 },
    ],
  })
  await gateway.stop()
  const texts = Object.entries(await user.files()).filter(([path]) => path.includes('ledger'))
  expect(texts).not.toEqual([])
  for (const [, text] of texts) {
    expect(text).not.toContain('what the user said')
    expect(text).not.toContain(KEY)
  }
})

test('a gateway that is killed has kept what it served more than a second before', async () => {
  await settings()
  await user.paste(KEY, 'anthropic:work')
  const gateway = await user.startGateway()
  await (await gateway.call('/v1/messages', asked(true))).text()
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  await gateway.stop('SIGKILL')
  expect(JSON.parse((await user.run(['requests', '--json'])).out).requests).toHaveLength(1)
})

test('budgets are shown with what is used of them', async () => {
  await settings({
    'anthropic:work': {
      provider: 'anthropic',
      mode: 'api_key',
      budget: { daily: { tokens: 5 }, monthly: { usd: 20 } },
    },
  })
  await user.paste(KEY, 'anthropic:work')
  await user.run(['agent', '--message', 'hi', '--model', 'anthropic/claude-sonnet-4-5'])
  const { out } = await user.run(['usage'])
  expect(out).toMatch(/anthropic:work +5 of 5 tokens today \(100 %\), not used for/)
  expect(out).toMatch(/\$0\.0000 of \$20\.00 this month \(0 %, estimated\)/)

  const gateway = await user.startGateway()
  await user.run(['agent', '--message', 'hi', '--model', 'anthropic/claude-sonnet-4-5'])
  const { events } = JSON.parse((await user.run(['events', '--json'])).out) as {
    events: { kind: string }[]
  }
  expect(events.filter(({ kind }) => kind === 'budget.reached')).toMatchObject([
    { profile: 'anthropic:work', period: 'daily', limit: 'hard' },
  ])
  await gateway.stop()

  await user.write(
    '.equabot/equabot.json',
    '{ auth: { profiles: { "a:b": { provider: "a", mode: "api_key", budget: { daily: {} } } } } }',
  )
  const refusedConfig = await user.run(['usage'])
  expect(refusedConfig.code).toBe(78)
  expect(refusedConfig.err).toContain('needs "usd" or "tokens"')
})

test('a program names its own session, and what is refused at once is on record too', async () => {
  const gateway = await user.startGateway()
  const ask = async (model: string): Promise<number> => {
    const { status } = await gateway.call('/v1/chat/completions', {
      method: 'POST',
      headers: { 'x-equabot-session': '6f1c2b9e-tuesday' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
    })
    return status
  }
  expect(await ask('nobody/some-model')).toBe(404)
  expect((await user.run(['sessions', 'list', '--json'])).out).not.toContain('tuesday')
  expect(await ask('sandbox/sandbox-echo')).toBe(200)
  expect((await user.run(['sessions', 'list', '--json'])).out).toContain('6f1c2b9e-tuesday')
  await gateway.stop()
  const { requests } = JSON.parse((await user.run(['requests', '--json'])).out) as {
    requests: readonly unknown[]
  }
  const session = '6f1c2b9e-tuesday'
  expect(requests).toMatchObject([
    {
      session,
      asked: 'nobody/some-model',
      outcome: 'failed',
      fault: 'EQ_PROVIDER_UNKNOWN',
      attempts: 0,
    },
    { session, asked: 'sandbox/sandbox-echo', outcome: 'served' },
  ])
  expect((await user.run(['requests', '--failed'])).out).toContain('EQ_PROVIDER_UNKNOWN')
})

test('a damaged ledger stops no request and is said', async () => {
  await user.write('.equabot/ledger.sqlite', 'junk'.repeat(1_000))
  const before = await user.run(['usage'])
  expect(before).toMatchObject({ code: 65 })
  const ran = await user.run(['agent', '--message', 'hi'])
  expect(ran).toMatchObject({ code: 0 })
  const after = await user.run(['usage'])
  expect(after.code).toBe(0)
  expect(after.out).toMatch(/Set aside because it could not be read.*ledger\.sqlite\.broken-/)
  expect(after.out).toMatch(/\nsandbox:builtin +1 /)
})
