import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { FakeUpstream, Gateway, User } from './harness.ts'
import { anthropicError, anthropicStream, fakeUpstream, newUser } from './harness.ts'

let user: User
let upstream: FakeUpstream

/** What the upstream says to a key with status 200 instead of a reply: in JSON, in a stream. */
let lies: Map<string, readonly [whole: string, stream: string]>
/** What the upstream answers to a key: status, headers; a key that is not here is served. */
let refusals: Map<string, readonly [status: number, headers: Record<string, string>]>

beforeEach(async () => {
  user = await newUser()
  refusals = new Map()
  lies = new Map()
  upstream = await fakeUpstream((request, response) => {
    const bearer = String(request.headers.authorization ?? '').replace(/^Bearer /, '')
    const key = String(request.headers['x-api-key'] ?? bearer)
    const [status, headers] = refusals.get(key) ?? [200, {}]
    const streamed = status === 200 && /"stream":\s*true/.test(request.body)
    const type = streamed ? 'text/event-stream' : 'application/json'
    response.writeHead(status, { 'content-type': type, ...headers })
    const lie = lies.get(key)
    if (lie) response.end(lie[streamed ? 1 : 0])
    else if (status !== 200) response.end(anthropicError('some_error', 'not now'))
    else if (streamed) response.end(anthropicStream(`by ${key}`))
    else response.end(completionOf(`by ${key}`))
  })
})

afterEach(async () => {
  await user.leave()
  await upstream.close()
})

/** A plain answer of the OpenAI protocol. */
function completionOf(content: string): string {
  return JSON.stringify({
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: 1,
    model: 'fake',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  })
}

const openAi = (gateway: Gateway): OpenAI =>
  new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.token, maxRetries: 0 })

const HELLO = [{ role: 'user' as const, content: 'hello there' }]

describe('the official OpenAI SDK, unmodified', () => {
  test('talks to the sandbox, streaming and not, and lists the models', async () => {
    const client = openAi(await user.startGateway())
    const whole = await client.chat.completions.create({ model: 'sandbox-echo', messages: HELLO })
    expect(whole.choices[0]?.message.content).toContain('hello there')
    const stream = await client.chat.completions.create({
      model: 'sandbox-echo',
      messages: HELLO,
      stream: true,
    })
    const parts: string[] = []
    for await (const chunk of stream) parts.push(chunk.choices[0]?.delta.content ?? '')
    expect(parts.length).toBeGreaterThan(3)
    expect(parts.join('')).toBe(whole.choices[0]?.message.content)
    const models = await client.models.list()
    expect(models.data.map(({ id }) => id).join()).toContain('sandbox-echo')
  })

  test('is served by the second key when the first must wait, and the first rests as long as it was asked to', async () => {
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { openai: { baseUrl: "${upstream.url}/v1" } } } }`,
    )
    await user.paste('fake-key-first-0001', 'openai:first', '--type', 'api_key')
    await user.paste('fake-key-second-002', 'openai:second', '--type', 'api_key')
    await user.run([
      'models',
      'auth',
      'order',
      'set',
      '--provider',
      'openai',
      'openai:first',
      'openai:second',
    ])
    refusals.set('fake-key-first-0001', [429, { 'retry-after': '600' }])
    const client = openAi(await user.startGateway())
    const ask = async (): Promise<string | null | undefined> => {
      const answer = await client.chat.completions.create({
        model: 'openai/gpt-5.1',
        messages: HELLO,
      })
      return answer.choices[0]?.message.content
    }
    expect(await ask()).toBe('by fake-key-second-002')
    expect(upstream.seen.map(({ path }) => path)).toEqual([
      '/v1/chat/completions',
      '/v1/chat/completions',
    ])
    expect(await ask()).toBe('by fake-key-second-002')
    expect(upstream.seen).toHaveLength(3)
    const status = await user.run(['models', 'status', '--json'])
    const explained = await user.run(['models', 'auth', 'explain', '--model', 'openai/gpt-5.1'])
    expect(status.out).toContain('"cooldown"')
    expect(explained.out).toMatch(/^Next +openai:second\n/)
    expect(explained.out).toMatch(
      /openai:first[\s\S]*rests for 10 min more \(rate limit; as the provider asked\)/,
    )
  })

  test.each([false, true])(
    'never sees an error that comes with status 200 while another key can serve (stream: %s)',
    async (stream) => {
      await user.write(
        '.equabot/equabot.json',
        `{ models: { providers: { openai: { baseUrl: "${upstream.url}/v1" } } },
           auth: { order: { openai: ["openai:first", "openai:second"] } } }`,
      )
      await user.paste('fake-key-first-0001', 'openai:first', '--type', 'api_key')
      await user.paste('fake-key-second-002', 'openai:second', '--type', 'api_key')
      const error = { error: { code: 402, message: 'Insufficient credits' }, user_id: 'user_1' }
      const role = { choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }
      const events = [role, error].map((data) => `data: ${JSON.stringify(data)}\n\n`)
      lies.set('fake-key-first-0001', [JSON.stringify(error), events.join('')])
      const gateway = await user.startGateway()
      const body = JSON.stringify({ model: 'openai/gpt-5.1', messages: HELLO, stream })
      const answer = await gateway.call('/v1/chat/completions', { method: 'POST', body })
      expect(answer.status).toBe(200)
      expect(answer.headers.get('x-equabot-profile')).toBe('openai:second')
      const said = await answer.text()
      expect(said).toContain('by fake-key-second-002')
      expect(said).not.toContain('Insufficient')
      const status = await user.run(['models', 'status', '--json'])
      expect(status.out).toContain('"billing"')
    },
  )

  test('gets a reply cut by an error inside it as it came, and what the error says is known afterwards', async () => {
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { openai: { baseUrl: "${upstream.url}/v1" } } } }`,
    )
    await user.paste('fake-key-first-0001', 'openai:first', '--type', 'api_key')
    const word = { choices: [{ index: 0, delta: { role: 'assistant', content: 'Hel' } }] }
    const error = { error: { code: 'rate_limit_exceeded', message: 'Slow down a little' } }
    const sent = [word, error].map((data) => `data: ${JSON.stringify(data)}\n\n`).join('')
    lies.set('fake-key-first-0001', ['', sent])
    const gateway = await user.startGateway()
    const body = JSON.stringify({ model: 'openai/gpt-5.1', messages: HELLO, stream: true })
    const answer = await gateway.call('/v1/chat/completions', { method: 'POST', body })
    expect(await answer.text()).toBe(sent)
    const events = await user.run(['events', '--json'])
    expect(JSON.parse(events.out)).toMatchObject({
      events: [{ kind: 'credential.resting', profile: 'openai:first', reason: 'rate_limit' }],
    })
    const explained = await user.run(['models', 'auth', 'explain', '--model', 'openai/gpt-5.1'])
    expect(explained.out).toMatch(/openai:first[\s\S]*rests for /)
  })

  test('is told in its own dialect that a field has no equal in the protocol of the model, and that a model is unknown', async () => {
    const client = openAi(
      await user.startGateway({ variables: { ANTHROPIC_API_KEY: 'fake-key-number-1' } }),
    )
    const wrong: unknown = await client.chat.completions
      .create({ model: 'anthropic/claude-opus-5', messages: HELLO, n: 2 })
      .catch((error: unknown) => error)
    expect(wrong).toBeInstanceOf(OpenAI.BadRequestError)
    expect(wrong).toMatchObject({
      code: 'EQ_REQUEST_UNCARRIED',
      message: expect.stringContaining('n cannot be carried'),
    })
    const unknown: unknown = await client.chat.completions
      .create({ model: 'nosuch', messages: HELLO })
      .catch((error: unknown) => error)
    expect(unknown).toBeInstanceOf(OpenAI.NotFoundError)
    expect(unknown).toMatchObject({ code: 'EQ_MODEL_UNKNOWN' })
  })
})

describe('a provider that cannot serve', () => {
  test('is replaced within the request: overloaded first, the fallback of another provider answers', async () => {
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" }, office: { baseUrl: "${upstream.url}", protocol: "anthropic-messages", apiKey: "\${OFFICE_KEY}", models: [{ id: "big" }] } } },
         agents: { defaults: { model: { primary: "anthropic/claude-opus-5", fallbacks: ["office/big"] } } } }`,
    )
    refusals.set('fake-anthropic-key-1', [529, {}])
    const variables = { ANTHROPIC_API_KEY: 'fake-anthropic-key-1', OFFICE_KEY: 'fake-office-key-1' }
    const ran = await user.run(['agent', '--message', 'hello', '--json'], { variables })
    expect(ran.code).toBe(0)
    expect(JSON.parse(ran.out)).toMatchObject({
      reply: 'by fake-office-key-1',
      model: 'office/big',
      profile: 'office:config',
      attempts: [{ profile: 'anthropic:env', status: 529 }],
    })
    expect(ran.err).toContain('anthropic:env could not serve')
  })

  test('is replaced also when nothing listens at its address', async () => {
    const gone = await fakeUpstream(() => undefined)
    await gone.close()
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${gone.url}" } } },
         agents: { defaults: { model: { primary: "anthropic/claude-opus-5", fallbacks: ["sandbox/sandbox-echo"] } } } }`,
    )
    const variables = { ANTHROPIC_API_KEY: 'fake-anthropic-key-1' }
    const ran = await user.run(['agent', '--message', 'hello', '--json'], { variables })
    expect(ran.code).toBe(0)
    expect(JSON.parse(ran.out)).toMatchObject({ model: 'sandbox/sandbox-echo' })
    const alone = await user.run(
      ['agent', '--message', 'hi', '--model', 'anthropic/claude-haiku-4-5'],
      { variables },
    )
    expect(alone).toMatchObject({ code: 69, out: '' })
    expect(alone.err).toContain('anthropic:env')
  })

  test('is not tried twice for a fault of the request itself', async () => {
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } } }`,
    )
    await user.paste('fake-key-first-0001', 'anthropic:first', '--type', 'api_key')
    await user.paste('fake-key-second-002', 'anthropic:second', '--type', 'api_key')
    for (const key of ['fake-key-first-0001', 'fake-key-second-002']) refusals.set(key, [400, {}])
    const ran = await user.run(['agent', '--message', 'hello'])
    expect(ran).toMatchObject({ code: 1, out: '' })
    expect(upstream.seen).toHaveLength(1)
  })
})

describe('the drill keys of the sandbox', () => {
  const drill = async (key: string): Promise<{ code: number; out: string; err: string }> => {
    await user.paste(key, 'sandbox:drill')
    return user.run([
      'agent',
      '--model',
      'sandbox/sandbox-echo',
      '--message',
      'one two three four five six',
    ])
  }

  test.each([
    ['sandbox-401', /did not accept the credential \(HTTP 401\)[\s\S]*Give it a new credential/],
    [
      'sandbox-403-claude-code-only',
      /only authorized for use with Claude Code[\s\S]*Use an API key/,
    ],
    ['sandbox-429-retry-after-30', /rate limit \(HTTP 429\)[\s\S]*Try again later/],
    ['sandbox-402', /no credit[\s\S]*Top up the account/],
    ['sandbox-529', /overloaded \(HTTP 529\)/],
    ['sandbox-500', /HTTP 500/],
  ])('%s is told with its reason and what to do, and exits 1', async (key, words) => {
    const ran = await drill(key)
    expect(ran).toMatchObject({ code: 1, out: '' })
    expect(ran.err).toMatch(words)
  })

  test('a refusal of policy is kept, and says to use an API key', async () => {
    await drill('sandbox-403-claude-code-only')
    const status = await user.run(['models', 'status', '--check'])
    expect(status.code).toBe(1)
    expect(status.out).toMatch(/sandbox:drill .*refused\n/)
    expect(status.out).toMatch(/policy +refused .*only authorized for use with Claude Code/)
  })

  test('a reply that is cut shows what came, says that it broke off, and exits 69', async () => {
    for (const key of ['sandbox-cut-after-6', 'sandbox-error-event-after-6']) {
      const ran = await drill(key)
      expect(ran.code).toBe(69)
      expect(ran.out).not.toBe('')
      expect(ran.err).toContain('broke off')
    }
    expect((await user.run(['sessions', 'show', 'main'])).out).toContain('ended early')
  })

  test('are listed with what they do; an unknown one is a wrong key', async () => {
    const listed = await user.run(['sandbox', 'keys'])
    expect(listed.out).toMatch(/^sandbox-ok +answers every request\n/)
    const json: unknown = JSON.parse((await user.run(['sandbox', 'keys', '--json'])).out)
    expect(json).toMatchObject({
      keys: expect.arrayContaining([expect.objectContaining({ key: 'sandbox-402' })]),
    })
    expect((await drill('sandbox-nosuch')).err).toContain('HTTP 401')
  })

  test('a grant of the sandbox is a login that ends after a minute', async () => {
    const ran = await user.run(['sandbox', 'grant'])
    expect(ran.out).toMatch(/^Stored sandbox:grant .*; it ends in (?:59 s|1 min)\n/)
    const turn = await user.run([
      'agent',
      '--model',
      'sandbox/sandbox-echo',
      '--message',
      'hi',
      '--json',
    ])
    expect(JSON.parse(turn.out)).toMatchObject({ profile: 'sandbox:grant' })
  })
})
