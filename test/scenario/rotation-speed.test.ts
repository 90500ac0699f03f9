import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { FakeUpstream, Gateway, User } from './harness.ts'
import { anthropicError, anthropicMessage, fakeUpstream, newUser } from './harness.ts'

const FIRST = 'fake-key-first-0001'
const SECOND = 'fake-key-second-002'
/** What the second key alone needs, ms. */
const SERVED_AFTER_MS = 300

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

describe('a rate limit', () => {
  let upstream: FakeUpstream
  let limit: Readonly<Record<string, string>>

  beforeEach(async () => {
    limit = {}
    upstream = await fakeUpstream((request, response) => {
      if (request.headers['x-api-key'] === FIRST) {
        response.writeHead(429, limit).end(anthropicError('rate_limit_error', 'slow down'))
        return
      }
      setTimeout(() => {
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(anthropicMessage('by the second'))
      }, SERVED_AFTER_MS)
    })
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } },
         auth: { order: { anthropic: ["anthropic:first", "anthropic:second"] } } }`,
    )
    await user.paste(FIRST, 'anthropic:first', '--type', 'api_key')
    await user.paste(SECOND, 'anthropic:second', '--type', 'api_key')
  })

  afterEach(() => upstream.close())

  async function askedMs(gateway: Gateway, model: string): Promise<number> {
    const began = performance.now()
    const messages = [{ role: 'user', content: 'hi' }]
    const answer = await gateway.call('/v1/messages', {
      method: 'POST',
      body: JSON.stringify({ model, max_tokens: 5, messages }),
    })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('by the second')
    return performance.now() - began
  }

  test.each([
    ['that does not say how long', {}],
    ['that asks for a long wait', { 'retry-after': '3600' }],
    ['that asks for a short wait', { 'retry-after': '20' }],
  ])(
    '%s rotates at once: the answer is there within a second of what the second profile alone needs',
    async (_, headers) => {
      limit = headers
      const gateway = await user.startGateway()
      await askedMs(gateway, 'anthropic/claude-x@anthropic:second')
      const aloneMs = await askedMs(gateway, 'anthropic/claude-x@anthropic:second')
      const rotatedMs = await askedMs(gateway, 'anthropic/claude-x')
      expect(upstream.seen.filter(({ headers: sent }) => sent['x-api-key'] === FIRST)).toHaveLength(
        1,
      )
      expect(rotatedMs - aloneMs).toBeLessThan(1_000)
      // And the next request does not meet the limit again.
      expect((await askedMs(gateway, 'anthropic/claude-x')) - aloneMs).toBeLessThan(1_000)
      expect(upstream.seen.filter(({ headers: sent }) => sent['x-api-key'] === FIRST)).toHaveLength(
        1,
      )
    },
  )
})

describe('a provider that cannot be reached', () => {
  const TOLD_MS = 10_000

  async function fails(baseUrl: string): Promise<{ readonly ms: number; readonly err: string }> {
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${baseUrl}" } } } }`,
    )
    await user.paste(FIRST, 'anthropic:work', '--type', 'api_key')
    const running = user.start(['agent', '--message', 'hello'], { input: '' })
    const began = performance.now()
    await running.until(/anthropic:work at/)
    const ms = performance.now() - began
    const ran = await running.ended()
    expect(ran).toMatchObject({ code: 69, out: '' })
    return { ms, err: ran.err }
  }

  test('because nothing listens is told at once, with host and profile', async () => {
    const gone = await fakeUpstream(() => undefined)
    await gone.close()
    const { ms, err } = await fails(gone.url)
    expect(ms).toBeLessThan(TOLD_MS)
    expect(err).toContain(`anthropic:work at ${new URL(gone.url).host}`)
    expect(err).toContain('nothing answers')
  })

  test('because its name does not resolve is told within 10 s, with host and profile', async () => {
    const { ms, err } = await fails('https://equabot-test.invalid')
    expect(ms).toBeLessThan(TOLD_MS)
    expect(err).toContain('anthropic:work at equabot-test.invalid')
    expect(err).toMatch(/could not find the host|could not look up the host|took too long/)
  })

  // Only Linux drops a connection for which the queue of the listener has no room.
  test.runIf(process.platform === 'linux')(
    'because it swallows every connection is told within 10 s, with host and profile',
    async () => {
      const hole = await fullListener()
      try {
        const { ms, err } = await fails(`http://127.0.0.1:${hole.port}`)
        expect(ms).toBeLessThan(TOLD_MS)
        expect(err).toContain(`anthropic:work at 127.0.0.1:${hole.port}`)
        expect(err).toContain('took too long')
      } finally {
        hole.close()
      }
    },
  )
})

/** A listener that accepts nobody, with a queue that is full. */
async function fullListener(): Promise<{ readonly port: number; readonly close: () => void }> {
  const script = `const s = require('node:net').createServer()
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(line.toString())
  child.kill('SIGSTOP')
  const sockets: Socket[] = Array.from({ length: 8 }, () =>
    connect(port, '127.0.0.1').on('error', () => undefined),
  )
  await Promise.all(sockets.slice(0, 1).map((socket) => once(socket, 'connect')))
  return {
    port,
    close() {
      for (const socket of sockets) socket.destroy()
      child.kill('SIGKILL')
    },
  }
}
