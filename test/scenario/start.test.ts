import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

import type { User } from './harness.ts'
import { newUser } from './harness.ts'

const START = { script: fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url)) }

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

test('npm start goes to a streamed reply on a machine without anything, twice in a row', async () => {
  for (const turns of ['1 turn,', '2 turns,']) {
    const ran = await user.run(['--port', '0'], { ...START, input: 'good morning\n/status\n' })
    expect(ran.code).toBe(0)
    expect(ran.out).toContain('You said: "good morning"')
    expect(ran.out).toContain(`Session: main of agent main, ${turns}`)
    expect(ran.err).toMatch(/gateway at http:\/\/127\.0\.0\.1:\d+ \(started here\)/)
    expect(ran.err).toContain('export ANTHROPIC_BASE_URL=')
  }
})

test('npm start joins a gateway that is running, and leaves it running', async () => {
  const gateway = await user.startGateway()
  const ran = await user.run([], { ...START, input: 'hello\n' })
  expect(ran.code).toBe(0)
  expect(ran.err).toContain(`gateway at ${gateway.url} (was running)`)
  expect((await gateway.call('/healthz')).status).toBe(200)
})

test('npm start takes another port where the usual one is taken, and says so', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const variables = { EQUABOT_GATEWAY_PORT: String(port) }
  const ran = await user.run([], { ...START, variables, input: 'hello\n' })
  expect(ran.code).toBe(0)
  expect(ran.err).toMatch(new RegExp(`Port ${port} is taken by another program; using port \\d+`))
  const asked = await user.run(['--port', String(port)], { ...START, input: 'hello\n' })
  expect(asked).toMatchObject({ code: 75, out: '' })
  await new Promise((resolve) => server.close(resolve))
})

test('npm start without input keeps the gateway running until SIGTERM, which exits 0', async () => {
  const running = user.start(['--port', '0'], { ...START, input: '' })
  const told = await running.until(/through the gateway at/)
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(told)?.[0] ?? ''
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  expect((await user.run(['gateway', 'status'])).code).toBe(0)
  expect(await running.stop()).toMatchObject({ code: 0 })
  expect((await user.run(['gateway', 'status'])).code).toBe(69)
})
