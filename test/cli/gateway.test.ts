import { describe, expect, test } from 'vitest'
import { addGatewayCommands, typedPort } from '../../src/cli/gateway.ts'
import { fail, ok } from '../../src/domain/result.ts'
import type { FakeApp, Ran } from './fake-chat-app.ts'
import { fakeApp, RECORD, runCommand } from './fake-chat-app.ts'

function gateway(argv: readonly string[], app: FakeApp, signal = told()): Promise<Ran> {
  return runCommand(['gateway', ...argv], addGatewayCommands, { app, signal })
}

/** A process that was told to end before it began to wait. */
function told(): AbortSignal {
  return AbortSignal.abort()
}

describe('gateway run', () => {
  test('says in one line where it listens, where its token is, and who answers', async () => {
    const { exit, out } = await gateway(['run'], fakeApp())
    expect(out).toBe(
      'Gateway at http://127.0.0.1:18789 · state in ~/.equabot · token in ~/.equabot/gateway-token · sandbox/sandbox-echo by sandbox:builtin\n',
    )
    expect(out).not.toContain('made-up-gateway-token')
    expect(exit).toBe(0)
  })

  test('names the variable that the token comes from, where that is so', async () => {
    const { out } = await gateway(['run'], fakeApp({ tokenVariable: 'EQUABOT_GATEWAY_TOKEN' }))
    expect(out).toContain('token in EQUABOT_GATEWAY_TOKEN')
    expect(out).not.toContain('gateway-token ')
  })

  test('is what gateway alone does', async () => {
    const app = fakeApp()
    await gateway(['--port', '0', '--bind', '::1'], app)
    expect(app.starts).toEqual([{ port: 0, bind: '::1', logToStderr: true }])
  })

  test('runs until the process is told to end, then stops in good order', async () => {
    const ending = new AbortController()
    const app = fakeApp()
    const ran = gateway(['run'], app, ending.signal)
    expect(app.stops()).toBe(0)
    ending.abort()
    expect(await ran).toMatchObject({ exit: 0 })
    expect(app.stops()).toBe(1)
  })

  test('a second start exits 75 and names the process', async () => {
    const startFaults = [{ code: 'EQ_GATEWAY_RUNNING', pid: 4242, port: 18_789 }] as const
    const { exit, err } = await gateway(['run'], fakeApp({ startFaults }))
    expect(exit).toBe(75)
    expect(err).toContain('4242')
  })

  test('a port that is taken is told with what to do', async () => {
    const fault = {
      code: 'EQ_GATEWAY_PORT',
      bind: '127.0.0.1',
      port: 18_789,
      errno: 'EADDRINUSE',
    } as const
    const { exit, err } = await gateway(['run'], fakeApp({ startFaults: [fault] }))
    expect(exit).toBe(75)
    expect(err).toContain('--port 0')
  })

  test('a model choice that cannot be resolved does not keep the gateway from running', async () => {
    const fault = { code: 'EQ_MODEL_UNKNOWN', model: 'nope', nearest: [] } as const
    const { exit, out } = await gateway(['run'], fakeApp({ answering: fail(fault) }))
    expect(out).toContain('nope')
    expect(exit).toBe(0)
  })

  test.each(['65536', '-1', '1.5', 'http', ''])('--port %j is a usage error', async (port) => {
    const app = fakeApp()
    expect(await gateway(['run', `--port=${port}`], app)).toMatchObject({ exit: 64 })
    expect(app.starts).toEqual([])
  })
})

test('a port is a whole number from 0 to 65535', () => {
  expect(typedPort('0', 'equabot up')).toEqual(ok(0))
  expect(typedPort('65535', 'equabot up')).toEqual(ok(65_535))
  expect(typedPort(undefined, 'equabot up')).toEqual(ok(undefined))
})

describe('gateway status', () => {
  test('shows a running gateway', async () => {
    const { exit, out } = await gateway(['status'], fakeApp({ gatewayRuns: true }))
    expect(exit).toBe(0)
    expect(out).toContain('http://127.0.0.1:18789')
    expect(out).toContain('4242')
    expect(out).toContain('~/.equabot/gateway-token')
  })

  test('--json gives the same facts', async () => {
    const { out } = await gateway(['status', '--json'], fakeApp({ gatewayRuns: true }))
    expect(JSON.parse(out)).toEqual({
      url: 'http://127.0.0.1:18789',
      ...RECORD,
      uptimeMs: 60_000,
      ready: true,
      stateDir: '/home/ada/.equabot',
      tokenPath: '/home/ada/.equabot/gateway-token',
    })
  })

  test('a token of the environment has a variable and no path', async () => {
    const app = fakeApp({ gatewayRuns: true, tokenVariable: 'EQUABOT_GATEWAY_TOKEN' })
    expect((await gateway(['status'], app)).out).toMatch(/Token +EQUABOT_GATEWAY_TOKEN/)
    const told: unknown = JSON.parse((await gateway(['status', '--json'], app)).out)
    expect(told).toMatchObject({ tokenVariable: 'EQUABOT_GATEWAY_TOKEN' })
    expect(told).not.toHaveProperty('tokenPath')
  })

  test('exits 69 when none is running', async () => {
    const { exit, err } = await gateway(['status'], fakeApp())
    expect(exit).toBe(69)
    expect(err).toContain('equabot gateway run')
  })

  test('a gateway that runs and does not answer is a fault', async () => {
    const gatewayFault = {
      code: 'EQ_GATEWAY_SILENT',
      pid: 4242,
      port: 18_789,
      detail: 'no answer in 2 s',
    } as const
    const { exit, err } = await gateway(['status'], fakeApp({ gatewayFault }))
    expect(exit).toBe(69)
    expect(err).toContain('pid 4242')
  })
})
