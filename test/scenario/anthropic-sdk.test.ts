import Anthropic from '@anthropic-ai/sdk'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { FakeUpstream, Gateway, User } from './harness.ts'
import { anthropicError, anthropicMessage, fakeUpstream, newUser } from './harness.ts'

let user: User
let upstream: FakeUpstream | undefined

beforeEach(async () => {
  user = await newUser()
})

afterEach(async () => {
  await user.leave()
  await upstream?.close()
  upstream = undefined
})

const HELLO = { max_tokens: 64, messages: [{ role: 'user' as const, content: 'hello there' }] }

function clientOf(gateway: Gateway): Anthropic {
  return new Anthropic({ baseURL: gateway.url, apiKey: gateway.token, maxRetries: 0 })
}

async function twoKeys(url: string): Promise<void> {
  await user.write(
    '.equabot/equabot.json',
    `{ models: { providers: { anthropic: { baseUrl: "${url}" } } } }`,
  )
  for (const [name, key] of [
    ['first', 'fake-key-first-0001'],
    ['second', 'fake-key-second-002'],
  ] as const) {
    const pasted = await user.run(
      [
        'models',
        'auth',
        'paste-token',
        '--provider',
        'anthropic',
        '--type',
        'api_key',
        '--profile-id',
        `anthropic:${name}`,
      ],
      { input: key },
    )
    expect(pasted.code).toBe(0)
  }
  const ordered = await user.run([
    'models',
    'auth',
    'order',
    'set',
    '--provider',
    'anthropic',
    'anthropic:first',
    'anthropic:second',
  ])
  expect(ordered.code).toBe(0)
}

describe('the official Anthropic SDK, unmodified', () => {
  test('talks to the sandbox on a machine without credentials', async () => {
    const gateway = await user.startGateway()
    const message = await clientOf(gateway).messages.create({ model: 'sandbox-echo', ...HELLO })
    expect(message.content[0]).toMatchObject({ type: 'text' })
    expect(JSON.stringify(message.content)).toContain('hello there')
    expect(JSON.stringify(message.content).toLowerCase()).toContain('sandbox')
  })

  test('gets a claude model answered by the sandbox, which says so, where nothing was set up', async () => {
    const gateway = await user.startGateway()
    const message = await clientOf(gateway).messages.create({
      model: 'claude-sonnet-5-5',
      ...HELLO,
    })
    expect(JSON.stringify(message).toLowerCase()).toContain('sandbox')
  })

  test('streams in the protocol’s own order', async () => {
    const gateway = await user.startGateway()
    const stream = clientOf(gateway).messages.stream({ model: 'sandbox-echo', ...HELLO })
    const types: string[] = []
    for await (const event of stream) types.push(event.type)
    expect(types[0]).toBe('message_start')
    expect(types.at(-1)).toBe('message_stop')
    expect(types.filter((type) => type === 'content_block_delta').length).toBeGreaterThan(3)
    expect(await stream.finalText()).toContain('hello there')
  })

  test('reaches the real protocol with the key from the environment, and its bytes come through', async () => {
    upstream = await fakeUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_upstream' })
      response.end(anthropicMessage('from upstream'))
    })
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } } }`,
    )
    const gateway = await user.startGateway({
      variables: { ANTHROPIC_API_KEY: 'fake-environment-key-1' },
    })
    const message = await clientOf(gateway).messages.create({
      model: 'claude-sonnet-5-5',
      ...HELLO,
    })
    expect(message.content[0]).toMatchObject({ text: 'from upstream' })
    const [seen] = upstream.seen
    expect(seen?.headers['x-api-key']).toBe('fake-environment-key-1')
    expect(seen?.headers['authorization']).toBeUndefined()
    expect(seen?.headers['user-agent']).toMatch(/^equabot\//)
    expect(JSON.stringify(seen?.headers)).not.toContain(gateway.token)
    expect(seen?.path).toBe('/v1/messages')
    expect(JSON.parse(seen?.body ?? '{}')).toMatchObject({ model: 'claude-sonnet-5-5', ...HELLO })
  })

  test('is served by the second profile when the first is answered 401', async () => {
    upstream = await fakeUpstream((request, response) => {
      const good = request.headers['x-api-key'] === 'fake-key-second-002'
      response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' })
      response.end(
        good
          ? anthropicMessage('second served')
          : anthropicError('authentication_error', 'invalid x-api-key'),
      )
    })
    await twoKeys(upstream.url)
    const gateway = await user.startGateway()
    const { data, response } = await clientOf(gateway)
      .messages.create({ model: 'claude-sonnet-5-5', ...HELLO })
      .withResponse()
    expect(data.content[0]).toMatchObject({ text: 'second served' })
    expect(response.headers.get('x-equabot-profile')).toBe('anthropic:second')
    expect(upstream.seen.map((request) => request.headers['x-api-key'])).toEqual([
      'fake-key-first-0001',
      'fake-key-second-002',
    ])
    const status = await user.run(['models', 'status', '--json'])
    expect(status.out).toContain('anthropic:second')
  })

  test('is told in its own dialect when nobody can serve, and never an upstream 401', async () => {
    upstream = await fakeUpstream((_request, response) => {
      response.writeHead(401, { 'content-type': 'application/json' })
      response.end(anthropicError('authentication_error', 'invalid x-api-key'))
    })
    await twoKeys(upstream.url)
    const gateway = await user.startGateway()
    const refused: unknown = await clientOf(gateway)
      .messages.create({ model: 'claude-sonnet-5-5', ...HELLO })
      .catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Anthropic.PermissionDeniedError)
    expect(String(refused)).toContain('anthropic:first')
    expect(String(refused)).toContain('EQ_UPSTREAM_FAILED')
  })

  test('ends the upstream request when it aborts', async () => {
    upstream = await fakeUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(
        'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
      )
    })
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } } }`,
    )
    const gateway = await user.startGateway({
      variables: { ANTHROPIC_API_KEY: 'fake-environment-key-1' },
    })
    const stream = clientOf(gateway).messages.stream({ model: 'claude-sonnet-5-5', ...HELLO })
    stream.on('error', () => {})
    stream.on('abort', () => {})
    await new Promise<void>((resolve) => stream.once('streamEvent', () => resolve()))
    stream.abort()
    await upstream.seen[0]?.abandoned
    await expect(stream.finalMessage()).rejects.toThrow()
  })

  test('with a wrong token is refused without any word of its header', async () => {
    const gateway = await user.startGateway()
    const wrong = new Anthropic({
      baseURL: gateway.url,
      apiKey: 'sk-ant-oat01-not-the-gateways',
      maxRetries: 0,
    })
    const refused: unknown = await wrong.messages
      .create({ model: 'sandbox-echo', ...HELLO })
      .catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Anthropic.AuthenticationError)
    expect(String(refused)).not.toMatch(/x-api-key/i)
    expect(gateway.printed.out + gateway.printed.err).not.toContain('not-the-gateways')
  })
})
