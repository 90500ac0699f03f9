import { request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { chmod, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { User } from './harness.ts'
import { anthropicStream, fakeUpstream, newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const HELLO = {
  model: 'sandbox-echo',
  max_tokens: 64,
  messages: [{ role: 'user', content: 'hello' }],
}

/** The status of a GET with headers that `fetch` would not let through. */
function statusOf(url: string, headers: IncomingHttpHeaders): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end()
  })
}

describe('the gateway', () => {
  test('is one per state folder: a second start exits 75, names the pid and leaves the first alone', async () => {
    const gateway = await user.startGateway()
    const before = await user.files()
    const second = await user.run(['gateway', 'run', '--port', '0'])
    expect(second).toMatchObject({ code: 75, out: '' })
    expect(second.err).toContain(`pid ${gateway.process.pid}`)
    expect(await user.files()).toEqual(before)
    expect((await gateway.call('/healthz')).status).toBe(200)
  })

  test('says that a port is taken, and exits 75', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const ran = await user.run(['gateway', 'run', '--port', String(port)])
    expect(ran).toMatchObject({ code: 75, out: '' })
    expect(ran.err).toContain(`Port ${port} on 127.0.0.1 is taken by another program`)
    expect(ran.err).toContain('--port 0')
    await new Promise((resolve) => server.close(resolve))
    expect((await user.run(['gateway', 'run', '--port', 'http'])).code).toBe(64)
    await user.startGateway()
  })

  test('tells its health to everybody and the rest to those who have the token', async () => {
    const gateway = await user.startGateway()
    expect(await (await fetch(`${gateway.url}/healthz`)).json()).toMatchObject({ ready: true })
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
    for (const [path, method] of [
      ['/v1/models', 'GET'],
      ['/v1/messages', 'POST'],
      ['/v1/chat/completions', 'POST'],
      ['/api/status', 'GET'],
      ['/api/explain', 'GET'],
      ['/api/events', 'GET'],
      ['/api/chat', 'POST'],
      ['/api/openapi.json', 'GET'],
      ['/nothing', 'GET'],
    ] as const) {
      const init = method === 'POST' ? { method, body: JSON.stringify(HELLO) } : {}
      const without = await fetch(`${gateway.url}${path}`, init)
      expect(without.status, path).toBe(401)
      expect(await without.text()).toContain('EQ_CALLER_UNKNOWN')
      const authorization = `Bearer ${gateway.token}x`
      expect((await gateway.call(path, { ...init, headers: { authorization } })).status).toBe(401)
    }
    const { status } = await fetch(`${gateway.url}/v1/models?token=${gateway.token}`)
    expect(status).toBe(401)
    for (const headers of [
      { authorization: `Bearer ${gateway.token}` },
      { 'x-api-key': gateway.token },
    ]) {
      expect((await fetch(`${gateway.url}/v1/models`, { headers })).status).toBe(200)
    }
    expect((await gateway.call('/nothing')).status).toBe(404)
    expect((await gateway.call('/v1/messages')).status).toBe(405)
  })

  test('refuses a foreign Host and a foreign Origin, unless the config allows them', async () => {
    const gateway = await user.startGateway()
    const authorization = `Bearer ${gateway.token}`
    const models = `${gateway.url}/v1/models`
    expect(await statusOf(models, { authorization, host: 'evil.example' })).toBe(421)
    expect(await statusOf(`${gateway.url}/healthz`, { host: 'evil.example' })).toBe(421)
    expect(await statusOf(models, { authorization, origin: 'http://evil.example' })).toBe(403)
    expect(await statusOf(models, { authorization })).toBe(200)
    await gateway.stop()
    await user.run(['config', 'set', 'gateway.allowedHosts', '["friend.example"]'])
    const friendly = await user.startGateway()
    expect(await statusOf(`${friendly.url}/healthz`, { host: 'friend.example' })).toBe(200)
  })

  test('describes itself in one OpenAPI document', async () => {
    const gateway = await user.startGateway()
    const document: unknown = await (await gateway.call('/api/openapi.json')).json()
    expect(document).toMatchObject({
      openapi: expect.stringMatching(/^3\./),
      paths: { '/api/chat': {}, '/api/status': {}, '/api/explain': {} },
    })
  })

  test('keeps its token between starts, readable by its owner alone', async () => {
    const first = await user.startGateway()
    for (const file of ['gateway.json', 'gateway-token']) {
      expect((await stat(join(user.stateDir, file))).mode & 0o777).toBe(0o600)
    }
    expect((await stat(user.stateDir)).mode & 0o777).toBe(0o700)
    expect(await first.stop()).toMatchObject({ code: 0 })
    const second = await user.startGateway()
    expect(second.token).toBe(first.token)
    await second.stop()
    const variables = { EQUABOT_GATEWAY_TOKEN: 'fake-token-of-the-environment-1' }
    const third = await user.startGateway({ variables })
    const headers = { authorization: `Bearer ${variables.EQUABOT_GATEWAY_TOKEN}` }
    expect((await third.call('/v1/models', { headers })).status).toBe(200)
    expect((await third.call('/v1/models')).status).toBe(401)
  })

  test('status tells of a running gateway, and exits 69 without one', async () => {
    const down = await user.run(['gateway', 'status'])
    expect(down).toMatchObject({ code: 69, out: '' })
    expect(down.err).toContain('equabot gateway run')
    const gateway = await user.startGateway()
    const up = await user.run(['gateway', 'status'])
    expect(up.code).toBe(0)
    expect(up.out).toContain(gateway.url)
    expect(up.out).toContain('~/.equabot/gateway-token')
    const json = await user.run(['gateway', 'status', '--json'])
    expect(JSON.parse(json.out)).toMatchObject({
      url: gateway.url,
      pid: gateway.process.pid,
      ready: true,
    })
    expect(up.out + json.out).not.toContain(gateway.token)
    await gateway.stop()
    expect((await user.run(['gateway', 'status'])).code).toBe(69)
  })

  test('that was killed does not stand in the way of the next start', async () => {
    const gateway = await user.startGateway()
    await gateway.stop('SIGKILL')
    expect((await user.run(['gateway', 'status'])).code).toBe(69)
    const next = await user.startGateway()
    expect((await next.call('/healthz')).status).toBe(200)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s takes no more requests, ends what it streams, then exits 0',
    async (signal) => {
      const [first = '', ...rest] = anthropicStream('to the end').split(/(?<=\n\n)/)
      let finish = (): void => undefined
      const upstream = await fakeUpstream((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(first)
        finish = () => response.end(rest.join(''))
      })
      await user.write(
        '.equabot/equabot.json',
        `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } } }`,
      )
      const variables = { ANTHROPIC_API_KEY: 'fake-environment-key-1' }
      const gateway = await user.startGateway({ variables })
      const body = JSON.stringify({ ...HELLO, model: 'claude-sonnet-5-5', stream: true })
      const answer = await gateway.call('/v1/messages', { method: 'POST', body })
      const ended = gateway.stop(signal)
      let open = true
      while (open)
        open = await fetch(`${gateway.url}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        )
      finish()
      expect(await answer.text()).toBe(anthropicStream('to the end'))
      expect(await ended).toMatchObject({ code: 0 })
      expect(Object.keys(await user.files())).not.toContain('.equabot/gateway.json')
      await upstream.close()
    },
  )
})

describe('a place that is not fit', () => {
  test('no HOME exits 78 and says what to set', async () => {
    for (const args of [
      ['models', 'status'],
      ['gateway', 'run'],
    ]) {
      const ran = await user.run(args, { variables: { HOME: '' } })
      expect(ran).toMatchObject({ code: 78, out: '' })
      expect(ran.err).toContain('Set HOME, or EQUABOT_STATE_DIR')
    }
    const variables = { HOME: '', EQUABOT_STATE_DIR: join(user.home, 'state') }
    expect((await user.run(['models', 'status'], { variables })).code).toBe(0)
  })

  test('a state folder under a file exits 77 and names the path', async () => {
    await user.write('file', 'not a folder')
    const variables = { EQUABOT_STATE_DIR: join(user.home, 'file', 'inner') }
    for (const args of [
      ['gateway', 'run', '--port', '0'],
      ['models', 'auth', 'paste-token', '--provider', 'groq'],
      ['config', 'set', 'gateway.port', '0'],
    ]) {
      const ran = await user.run(args, { variables, input: 'fake-key-number-1' })
      expect(ran, args.join(' ')).toMatchObject({ code: 77, out: '' })
      expect(ran.err).toMatch(/file\/inner\/.*\(ENOTDIR\)/)
    }
    expect(await user.files()).toEqual({ file: 'not a folder' })
  })

  // Root may write everywhere, so permissions show nothing there.
  test.skipIf(process.getuid?.() === 0)(
    'a read-only state folder exits 77, and reading still works',
    async () => {
      await user.paste('fake-key-number-1', 'groq:one')
      const before = await user.files()
      await chmod(user.stateDir, 0o500)
      for (const args of [
        ['gateway', 'run', '--port', '0'],
        ['config', 'set', 'gateway.port', '0'],
      ]) {
        const ran = await user.run(args)
        expect(ran).toMatchObject({ code: 77, out: '' })
        expect(ran.err).toContain('EACCES')
      }
      expect((await user.run(['models', 'status'])).code).toBe(0)
      expect(await user.files()).toEqual(before)
      await chmod(user.stateDir, 0o700)
    },
  )
})
