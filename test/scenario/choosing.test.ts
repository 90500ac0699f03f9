import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FakeUpstream, Gateway, User } from './harness.ts'
import {
  anthropicError,
  anthropicMessage,
  anthropicStream,
  fakeUpstream,
  newUser,
} from './harness.ts'

let user: User
let upstream: FakeUpstream

/** What the upstream answers to a secret, one after the other; the last one stays. Absent: it is served. */
let answers: Map<string, (readonly [status: number, headers: Record<string, string>])[]>

const TOKEN = `sk-ant-oat01-${'t'.repeat(100)}`
const LOGIN = 'anthropic:subscription'
const KEY = 'anthropic:key'

beforeEach(async () => {
  user = await newUser()
  answers = new Map()
  upstream = await fakeUpstream((request, response) => {
    const bearer = String(request.headers.authorization ?? '').replace(/^Bearer /, '')
    const secret = String(request.headers['x-api-key'] ?? bearer)
    const queue = answers.get(secret) ?? []
    const [status, headers] = (queue.length > 1 ? queue.shift() : queue[0]) ?? [200, {}]
    const streamed = status === 200 && /"stream":\s*true/.test(request.body)
    response.writeHead(status, {
      'content-type': streamed ? 'text/event-stream' : 'application/json',
      ...headers,
    })
    if (status !== 200) response.end(anthropicError('some_error', 'not now'))
    else response.end(streamed ? anthropicStream('hello') : anthropicMessage('hello'))
  })
  await user.write(
    '.equabot/equabot.json',
    `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } },
       agents: { defaults: { model: "anthropic/claude-opus-5" } } }`,
  )
})

afterEach(async () => {
  await user.leave()
  await upstream.close()
})

const say = (message: string, ...more: readonly string[]) =>
  user.run(['agent', '--message', message, ...more])
const ask = (gateway: Gateway, headers: Record<string, string> = {}): Promise<Response> =>
  gateway.call('/v1/messages', {
    method: 'POST',
    headers,
    body: JSON.stringify({
      model: 'claude-opus-5',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'hello' }],
    }),
  })
const profileOf = (answer: Response): string | null => answer.headers.get('x-equabot-profile')

describe('money', () => {
  beforeEach(async () => {
    await user.paste(TOKEN, LOGIN)
    await user.paste('fake-key-that-costs-1', KEY, '--type', 'api_key')
    answers.set(TOKEN, [[429, { 'retry-after': '600' }]])
  })

  test('is not spent without a word: the chat says who pays now, once', async () => {
    const first = await say('hello')
    expect(first.code).toBe(0)
    expect(first.err).toContain(`Paid by use: ${KEY} stands in for ${LOGIN} (subscription)`)
    const second = await say('again')
    expect(second.code).toBe(0)
    expect(second.err).not.toContain('Paid by use')
  })

  test('is not spent at all where the config says so, and the refusal names the setting', async () => {
    await user.run(['config', 'set', 'auth.lanes.crossing', 'deny'])
    const refused = await say('hello')
    expect(refused).toMatchObject({ out: '' })
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('auth.lanes.crossing is deny')
    expect(refused.err).toContain('equabot config set auth.lanes.crossing announce')
    expect(upstream.seen).toHaveLength(1)
    const explained = await user.run(['models', 'auth', 'explain'])
    expect(explained.out).toMatch(/anthropic:key[\s\S]*paid by use/)
  })
})

describe('limits', () => {
  test('of one key cost the request less than a second when another key is well', async () => {
    await user.paste('fake-key-first-0001', 'anthropic:a', '--type', 'api_key')
    await user.paste('fake-key-second-002', 'anthropic:b', '--type', 'api_key')
    answers.set('fake-key-first-0001', [[429, { 'retry-after': '600' }]])
    const gateway = await user.startGateway()
    await (await gateway.call('/healthz')).text()
    const begun = performance.now()
    const answer = await ask(gateway)
    await answer.text()
    expect(performance.now() - begun).toBeLessThan(1_000)
    expect([answer.status, profileOf(answer)]).toEqual([200, 'anthropic:b'])
    expect(answer.headers.get('x-equabot-attempts')).toBe('2')
    expect(answer.headers.get('x-should-retry')).toBe('false')
    expect(answer.headers.get('x-equabot-lane')).toBe('metered')
  })

  test('that end soon are waited for, and the wait is announced', async () => {
    await user.paste('fake-key-first-0001', 'anthropic:a', '--type', 'api_key')
    answers.set('fake-key-first-0001', [
      [429, { 'retry-after': '1' }],
      [200, {}],
    ])
    const ran = await say('hello')
    expect(ran).toMatchObject({ code: 0, out: expect.stringContaining('hello') })
    expect(ran.err).toMatch(/Every credential rests; waiting [12] s for anthropic:a/)
    expect(upstream.seen).toHaveLength(2)
  })

  test('that last are told at once, with the time to wait, and clients are asked not to hurry', async () => {
    await user.paste('fake-key-first-0001', 'anthropic:a', '--type', 'api_key')
    answers.set('fake-key-first-0001', [[429, { 'retry-after': '600' }]])
    const gateway = await user.startGateway()
    await (await ask(gateway)).text()
    const answer = await ask(gateway)
    expect(answer.status).toBe(429)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(590)
    expect(answer.headers.get('x-should-retry')).toBe('false')
    expect(await answer.text()).toContain('anthropic:a: rests for 10 min more')
    expect(upstream.seen).toHaveLength(1)
  })
})

test('a host that nobody can find is told within ten seconds, by name, whatever profiles there are', async () => {
  await user.write(
    '.equabot/equabot.json',
    `{ models: { providers: { anthropic: { baseUrl: "https://provider.invalid" } } },
       agents: { defaults: { model: "anthropic/claude-opus-5" } } }`,
  )
  for (const name of ['a', 'b', 'c']) {
    await user.paste(`fake-key-number-${name}-1`, `anthropic:${name}`, '--type', 'api_key')
  }
  const begun = performance.now()
  const ran = await say('hello')
  expect(performance.now() - begun).toBeLessThan(10_000)
  expect(ran.code).toBe(69)
  expect(ran.err).toMatch(/anthropic:a at provider\.invalid: could not be reached/)
  expect(ran.err).not.toContain('anthropic:b')
})

describe('a session', () => {
  beforeEach(async () => {
    await user.paste('fake-key-first-0001', 'anthropic:a', '--type', 'api_key')
    await user.paste('fake-key-second-002', 'anthropic:b', '--type', 'api_key')
  })

  test('is kept by whoever served it, for the chat and for programs that name it', async () => {
    await say('hello', '--session', 'monday')
    const shown = await user.run(['sessions', 'show', 'monday'])
    const kept = /Pin +kept on (anthropic:[ab]) for the prompt cache/.exec(shown.out)?.[1]
    expect(kept).toBeDefined()
    const gateway = await user.startGateway()
    const named = async (): Promise<string | null> => {
      const answer = await ask(gateway, { 'x-equabot-session': 'monday' })
      await answer.text()
      return profileOf(answer)
    }
    const others = [profileOf(await ask(gateway)), profileOf(await ask(gateway))]
    expect(new Set(others)).toEqual(new Set(['anthropic:a', 'anthropic:b']))
    expect([await named(), await named(), await named()]).toEqual([kept, kept, kept])

    const secret = kept === 'anthropic:a' ? 'fake-key-first-0001' : 'fake-key-second-002'
    answers.set(secret, [[401, {}]])
    const other = kept === 'anthropic:a' ? 'anthropic:b' : 'anthropic:a'
    expect([await named(), await named()]).toEqual([other, other])
    const after = await user.run(['sessions', 'show', 'monday'])
    expect(after.out).toContain(`kept on ${other}`)
  })

  test('with a person’s pin is served by it or not at all, and /model unpin lets go', async () => {
    await say('/model claude-opus-5@anthropic:b', '--session', 'monday')
    answers.set('fake-key-second-002', [[429, { 'retry-after': '600' }]])
    await say('hello', '--session', 'monday')
    const refused = await say('hello', '--session', 'monday')
    expect(refused.code).toBe(75)
    expect(refused.err).toContain('This session is pinned to anthropic:b')
    expect(refused.err).toContain('/model unpin')
    expect(upstream.seen.map(({ headers }) => headers['x-api-key'])).toEqual([
      'fake-key-second-002',
    ])
    await say('/model unpin', '--session', 'monday')
    expect(await say('hello', '--session', 'monday')).toMatchObject({ code: 0 })
  })

  test('finds a model by part of its name, and takes none where several may be meant', async () => {
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { box: { baseUrl: "${upstream.url}", protocol: "anthropic-messages", models: [{ id: "zebra-large" }, { id: "zebra-small" }] } } },
         agents: { defaults: { model: "box/zebra-large" } } }`,
    )
    const found = await say('/model zebra-s')
    expect(found.out).toContain('box/zebra-small (found by the beginning of its name, score 82')
    const unclear = await say('/model zebra')
    expect(unclear.code).toBe(64)
    expect(unclear.err).toMatch(/box\/zebra-large \(\d+\), box\/zebra-small \(\d+\)/)
  })
})
