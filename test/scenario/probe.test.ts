import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { FakeUpstream, Ran, User } from './harness.ts'
import { anthropicError, anthropicStream, fakeUpstream, newUser } from './harness.ts'

const PROBE = ['models', 'auth', 'probe'] as const
const GOOD = 'fake-key-good-000001'
const DEAD = 'fake-key-dead-000002'

let user: User
let provider: FakeUpstream

beforeEach(async () => {
  user = await newUser()
  provider = await fakeUpstream((request, response) => {
    if (request.headers['x-api-key'] === GOOD) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(anthropicStream('pong'))
    } else {
      response.writeHead(401).end(anthropicError('authentication_error', 'invalid x-api-key'))
    }
  })
})

afterEach(async () => {
  await user.leave()
  await provider.close()
})

interface Probed {
  readonly exit: number
  readonly results: readonly {
    readonly profile: string
    readonly status: string
    readonly httpStatus?: number
    readonly words: string
    readonly reason?: string
    readonly fix?: string
    readonly latencyMs?: number
    readonly model?: string
    readonly host: string
    readonly renewed?: boolean
  }[]
}

const probedBy = (ran: Ran): Probed => JSON.parse(ran.out) as Probed
const statuses = (ran: Ran): Readonly<Record<string, string>> =>
  Object.fromEntries(probedBy(ran).results.map(({ profile, status }) => [profile, status]))

async function twoKeys(): Promise<void> {
  await user.write(
    '.equabot/equabot.json',
    `{ models: { providers: { anthropic: { baseUrl: "${provider.url}" } } } }`,
  )
  await user.paste(DEAD, 'anthropic:dead', '--type', 'api_key')
  await user.paste(GOOD, 'anthropic:good', '--type', 'api_key')
}

describe('models auth probe', () => {
  test('gives every drill key of the sandbox its own reason, in parallel', async () => {
    const listed = JSON.parse((await user.run(['sandbox', 'keys', '--json'])).out) as {
      readonly keys: readonly { readonly key: string }[]
    }
    const expected: Readonly<Record<string, string>> = {
      'sandbox-ok': 'ok',
      'sandbox-401': 'auth',
      'sandbox-402': 'billing',
      'sandbox-403-claude-code-only': 'policy',
      'sandbox-429': 'rate_limit',
      'sandbox-429-retry-after-30': 'rate_limit',
      'sandbox-500': 'server_error',
      'sandbox-529': 'overloaded',
      'sandbox-slow': 'ok',
      'sandbox-cut-after-3': 'network',
      'sandbox-error-event-after-3': 'overloaded',
      'sandbox-hang': 'timeout',
    }
    // A new drill key needs its place here.
    expect(listed.keys.map(({ key }) => key).toSorted()).toEqual(Object.keys(expected).toSorted())
    for (const { key } of listed.keys) await user.paste(key, `sandbox:${key}`)
    const options = ['--provider', 'sandbox', '--timeout', '6s', '--concurrency', '12', '--json']
    const ran = await user.run([...PROBE, ...options])
    expect(ran).toMatchObject({ code: 1, err: '' })
    expect(statuses(ran)).toEqual(
      Object.fromEntries(
        Object.entries(expected).map(([key, status]) => [`sandbox:${key}`, status]),
      ),
    )
    for (const { profile, status, fix, host, model } of probedBy(ran).results) {
      expect({ host, model }).toEqual({ host: 'the sandbox', model: 'sandbox/sandbox-echo' })
      expect(fix === undefined, profile).toBe(status === 'ok')
    }
  })

  test('says auth of a dead key beside a good one, where a request is served by the good one', async () => {
    await twoKeys()
    const ran = await user.run([...PROBE, '--json'])
    expect(ran.code).toBe(1)
    expect(statuses(ran)).toEqual({ 'anthropic:dead': 'auth', 'anthropic:good': 'ok' })
    const sent = provider.seen.map(({ headers }) => headers['x-api-key'])
    expect(sent).toHaveLength(2)
    expect(new Set(sent)).toEqual(new Set([DEAD, GOOD]))
    for (const { headers, body } of provider.seen) {
      expect(headers['user-agent']).toMatch(/^equabot\//)
      expect(JSON.parse(body)).toMatchObject({ max_tokens: 1, model: 'claude-haiku-5-5' })
    }
    const turn = await user.run(['agent', '--message', 'hello', '--json'])
    expect(JSON.parse(turn.out)).toMatchObject({ profile: 'anthropic:good' })

    const named = await user.run([...PROBE, '--profile', 'anthropic:dead', 'anthropic:dead'])
    expect(named).toMatchObject({ code: 1, err: '' })
    expect(named.out).toMatch(/anthropic:dead +auth +401 +\d+ ms/)
    expect(named.out).toContain('0 of 1 serve\n')
    expect(named.out).toContain(
      'Next: equabot models auth paste-token --provider anthropic --profile-id anthropic:dead',
    )
    expect(named.out).not.toContain('anthropic:good')
    const good = await user.run([...PROBE, '--profile', 'anthropic:good'])
    expect(good.code).toBe(0)
    expect(good.out).toMatch(/anthropic:good +ok +200 [\s\S]*1 of 1 serves\n$/)
  })

  test('teaches the next request: a refused key rests, and one that serves again is back', async () => {
    await user.paste('sandbox-401', 'sandbox:drill')
    await user.run([...PROBE, '--provider', 'sandbox'])
    expect((await user.run(['models', 'status'])).out).toMatch(/access +rejected/)
    await user.paste('sandbox-ok', 'sandbox:drill')
    expect((await user.run([...PROBE, '--provider', 'sandbox'])).code).toBe(0)
    expect((await user.run(['models', 'status'])).out).toMatch(/policy +allowed/)
  })

  test('uses a model that is named; an unknown one is not_found', async () => {
    const ran = await user.run([...PROBE, '--model', 'sandbox/sandbox-nosuch', '--json'])
    expect(ran.code).toBe(1)
    expect(probedBy(ran).results).toMatchObject([
      { profile: 'sandbox:builtin', status: 'not_found', model: 'sandbox/sandbox-nosuch' },
    ])
  })

  test('names what was not asked with its reason, and asks nobody for it', async () => {
    await user.writeBook({
      version: 1,
      profiles: {
        'anthropic:old': { type: 'token', provider: 'anthropic', token: 'fake-old', expires: 1000 },
      },
    })
    const ran = await user.run([...PROBE])
    expect(ran.code).toBe(1)
    expect(ran.out).toMatch(/anthropic:old +skipped/)
    expect(ran.out).toContain('not asked: expired')
    expect(provider.seen).toEqual([])
  })

  test('exits 69 when nothing could be reached, within the deadline', async () => {
    const silent = await blackHole()
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "http://127.0.0.1:${portOf(silent)}" } } } }`,
    )
    await user.paste(GOOD, 'anthropic:work', '--type', 'api_key')
    const began = Date.now()
    const ran = await user.run([...PROBE, '--timeout', '1s', '--json'])
    expect(Date.now() - began).toBeLessThan(6_000)
    expect(ran.code).toBe(69)
    expect(statuses(ran)).toEqual({ 'anthropic:work': 'timeout' })
    silent.close()
  })

  test('is stopped by Ctrl-C, prints what is known, and exits 130', async () => {
    await user.paste('sandbox-ok', 'sandbox:first')
    await user.paste('sandbox-hang', 'sandbox:hang')
    const seat = user.sit([...PROBE, '--timeout', '60s'])
    await seat.see(/1 of 2 answered/)
    seat.type('\u0003')
    expect(await seat.ended()).toBe(130)
    expect(seat.screen()).toMatch(/sandbox:first +ok[\s\S]*sandbox:hang +cancelled/)
  })

  test('without any credential says what to type', async () => {
    const ran = await user.run([...PROBE])
    expect(ran).toMatchObject({ code: 1, err: '' })
    expect(ran.out).toContain('equabot models auth add')
    const none = await user.run([...PROBE, '--provider', 'groq'])
    expect(none).toMatchObject({ code: 1, out: '' })
    expect(none.err).toContain('GROQ_API_KEY')
  })

  test.each([
    [['--profile', 'sandbox:fisrt'], 'Did you mean sandbox:first?'],
    [['--profile', 'nonsense'], 'provider:name'],
    [['--provider', 'antropic'], 'Did you mean anthropic?'],
    [['--timeout', 'soon'], 'length of time'],
    [['--timeout', '1h'], 'at most 10m'],
    [['--concurrency', '0'], 'from 1 to 32'],
    [['--model', ''], 'cannot serve as model name'],
    [['--profile', 'sandbox:first', 'openai:x', '--model', 'm'], 'one provider'],
  ])('%j exits 64 and says what is meant', async (args, words) => {
    await user.paste('sandbox-ok', 'sandbox:first')
    const ran = await user.run([...PROBE, ...args])
    expect(ran).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toContain(words)
  })

  test('says in its help that it costs something', async () => {
    const { out } = await user.run([...PROBE, '--help'])
    expect(out).toContain('a fraction of a cent')
  })
})

describe('a login', () => {
  const ACCESS = 'acme-access-0-made-up-for-this-test'
  const NEXT = 'acme-access-1-made-up-for-this-test'
  let acme: FakeUpstream
  let isSlow: boolean

  beforeEach(async () => {
    isSlow = false
    acme = await fakeUpstream((request, response) => {
      if (request.path === '/token') {
        if (isSlow) return
        response.writeHead(200, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            token_type: 'Bearer',
            access_token: NEXT,
            refresh_token: 'acme-refresh-1-made-up-for-this-test',
            expires_in: 3600,
          }),
        )
      } else if (request.headers.authorization === `Bearer ${NEXT}`) {
        const type = { 'content-type': 'text/event-stream' }
        response.writeHead(200, type).end(anthropicStream('pong'))
      } else response.writeHead(401).end(anthropicError('authentication_error', 'expired'))
    })
    await user.write(
      '.equabot/equabot.json',
      JSON.stringify({
        models: {
          providers: {
            acme: {
              baseUrl: acme.url,
              protocol: 'anthropic-messages',
              models: [{ id: 'm' }],
              oauth: { tokenUrl: `${acme.url}/token`, clientId: 'c' },
            },
          },
        },
      }),
    )
  })

  afterEach(() => acme.close())

  const hold = (expires: number): Promise<void> =>
    user.writeBook({
      version: 1,
      profiles: {
        'acme:me': {
          type: 'oauth',
          provider: 'acme',
          access: ACCESS,
          refresh: 'acme-refresh-0-made-up-for-this-test',
          expires,
        },
      },
    })
  const paths = (): readonly string[] => acme.seen.map(({ path }) => path)

  test('whose access has ended is renewed, then asked', async () => {
    await hold(1_700_000_000_000)
    const ran = await user.run([...PROBE, '--json'])
    expect(probedBy(ran).results).toMatchObject([{ status: 'ok', renewed: true, httpStatus: 200 }])
    expect(ran.code).toBe(0)
    expect(paths()).toEqual(['/token', '/v1/messages'])
  })

  test('that is refused is renewed once and asked again', async () => {
    await hold(4_102_444_800_000)
    const ran = await user.run([...PROBE, '--json'])
    expect(probedBy(ran).results).toMatchObject([{ status: 'ok', renewed: true }])
    expect(paths()).toEqual(['/v1/messages', '/token', '/v1/messages'])
  })

  test('whose renewal hangs ends at the deadline, and so does the command', async () => {
    isSlow = true
    await hold(1_700_000_000_000)
    const began = Date.now()
    const ran = await user.run([...PROBE, '--timeout', '2s', '--json'])
    expect(Date.now() - began).toBeLessThan(7_000)
    expect(statuses(ran)).toEqual({ 'acme:me': 'timeout' })
    expect(ran.code).toBe(69)
    expect(paths()).toEqual(['/token'])
  })
})

describe('models status --probe', () => {
  test('puts what came of it beside each credential, in text and as data', async () => {
    await twoKeys()
    const ran = await user.run(['models', 'status', '--probe', '--timeout', '5s'])
    expect(ran).toMatchObject({ code: 1, err: '' })
    expect(ran.out).toMatch(/anthropic:dead [\s\S]*probe +auth {2}HTTP 401/)
    expect(ran.out).toMatch(/anthropic:good [\s\S]*probe +ok {2}HTTP 200/)
    // The status already knows what the probes have met.
    expect(ran.out).toContain('Uses anthropic:good')
    const json = JSON.parse((await user.run(['models', 'status', '--probe', '--json'])).out) as {
      providers: { candidates: { profile: string; probe: { status: string } }[] }[]
    }
    const probes = json.providers.flatMap(({ candidates }) =>
      candidates.map(({ profile, probe }) => [profile, probe.status]),
    )
    expect(Object.fromEntries(probes)).toEqual({ 'anthropic:dead': 'auth', 'anthropic:good': 'ok' })
  })

  test('asks nobody without --probe', async () => {
    await twoKeys()
    await user.run(['models', 'status', '--check'])
    expect(provider.seen).toEqual([])
  })

  test('exits with the worse of check and probe', async () => {
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${provider.url}" } } } }`,
    )
    const variables = { ANTHROPIC_API_KEY: DEAD }
    expect((await user.run(['models', 'status', '--check'], { variables })).code).toBe(0)
    const dead = await user.run(['models', 'status', '--check', '--probe'], { variables })
    expect(dead.code).toBe(1)
    const good = { variables: { ANTHROPIC_API_KEY: GOOD } }
    expect((await user.run(['models', 'status', '--check', '--probe'], good)).code).toBe(0)
    const soon = Date.now() + 3_600_000
    await user.writeBook({
      version: 1,
      profiles: {
        'anthropic:soon': { type: 'api_key', provider: 'anthropic', key: GOOD },
        'anthropic:ending': { type: 'token', provider: 'anthropic', token: 'fake', expires: soon },
      },
    })
    const ending = await user.run(['models', 'status', '--check'])
    expect(ending.code).toBe(2)
    // Its key is taken as x-api-key alone, so the token is refused: worse than ending soon.
    expect((await user.run(['models', 'status', '--check', '--probe'])).code).toBe(1)
  })

  test.each([[['--probe', '--plain']], [['--timeout', '5s']]])('%j exits 64', async (options) => {
    expect((await user.run(['models', 'status', ...options])).code).toBe(64)
  })
})

/** Takes connections and never answers. */
async function blackHole(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return server
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port
