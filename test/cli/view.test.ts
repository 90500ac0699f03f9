import { describe, expect, it } from 'vitest'
import type { Fault } from '../../src/domain/fault.ts'
import { explain } from '../../src/domain/explain.ts'
import type { GatewayClient } from '../../src/domain/ports.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { explainJson, statusJson } from '../../src/wire/report-json.ts'
import type { LoginApp, LoginMachine } from './login-app.ts'
import { FAKE_KEY, loginApp, ran } from './login-app.ts'

const RECORD = { pid: 7, port: 18_789, bind: '127.0.0.1', startedAt: 0, version: '0.1.0' }
const WITH_KEY: LoginMachine = { variables: { ANTHROPIC_API_KEY: FAKE_KEY } }

/** A gateway that answers from an app of its own. */
function gatewayOf(
  { app }: LoginApp,
  version = RECORD.version,
): Pick<GatewayClient, 'record' | 'url' | 'ask'> & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    record: { ...RECORD, version },
    url: 'http://127.0.0.1:18789',
    asked,
    async ask(path) {
      asked.push(path)
      const reported = path.startsWith('/api/status')
        ? await app.report.status({})
        : await app.report.explain({})
      if (!reported.ok) return answer(reported.fault)
      const json =
        'providers' in reported.value ? statusJson(reported.value) : explainJson(reported.value)
      return ok(JSON.parse(JSON.stringify(json)) as unknown)
    },
  }
}

function answer(fault: Fault): Result<never, Fault> {
  return fail({ code: 'EQ_GATEWAY_ANSWER', faultCode: fault.code, ...explain(fault) })
}

function silent(fault: Fault): Pick<GatewayClient, 'record' | 'url' | 'ask'> {
  return { record: RECORD, url: 'http://127.0.0.1:18789', ask: async () => fail(fault) }
}

const SILENT: Fault = {
  code: 'EQ_GATEWAY_SILENT',
  pid: 7,
  port: 18_789,
  detail: 'no answer in time',
}

function viewOf(json: string): unknown {
  const { view, gateway, differences, gatewayFault, model } = JSON.parse(json) as Record<
    string,
    unknown
  >
  return { view, gateway, differences, gatewayFault, model }
}

describe('where a gateway runs', () => {
  it.each([[['models', 'status']], [['models', 'auth', 'explain']]])(
    '%j is its view, though this shell lacks its key, and says how the two differ',
    async (command) => {
      const machine = loginApp({ gateway: gatewayOf(loginApp(WITH_KEY)) })
      const { exit, out } = await ran(command, machine)
      expect(exit).toBe(0)
      const [line] = out.split('\n')
      expect(line).toBe(
        'View of the gateway at http://127.0.0.1:18789 (pid 7). This shell differs: here the model would be sandbox/sandbox-echo; ANTHROPIC_API_KEY is set for the gateway alone',
      )
      expect(out).toContain('ANTHROPIC_API_KEY from the environment of the gateway')
      const json = await ran([...command, '--json'], machine)
      expect(viewOf(json.out)).toMatchObject({
        view: 'gateway',
        gateway: { url: 'http://127.0.0.1:18789', pid: 7, version: '0.1.0' },
        model: expect.stringMatching(/^anthropic\//),
        differences: [
          { what: 'model', own: 'sandbox/sandbox-echo' },
          { what: 'variable', name: 'ANTHROPIC_API_KEY', side: 'gateway' },
        ],
      })
    },
  )

  it('no line is spent where the two are the same, unless a view was asked for', async () => {
    const machine = loginApp({ ...WITH_KEY, gateway: gatewayOf(loginApp(WITH_KEY)) })
    const { out } = await ran(['models', 'status'], machine)
    expect(out).toMatch(/^Default model/)
    const asked = await ran(['models', 'status', '--view', 'gateway'], machine)
    expect(asked.out).toBe(`View of the gateway at http://127.0.0.1:18789 (pid 7)\n\n${out}`)
  })

  it('--plain is one line all the same, the model of the gateway', async () => {
    const machine = loginApp({ gateway: gatewayOf(loginApp(WITH_KEY)) })
    const { out, err } = await ran(['models', 'status', '--plain'], machine)
    expect({ out, err }).toEqual({ out: expect.stringMatching(/^anthropic\/\S+\n$/), err: '' })
  })

  it('another version is said', async () => {
    const machine = loginApp({ gateway: gatewayOf(loginApp(), '0.0.9') })
    const { out } = await ran(['models', 'status'], machine)
    expect(out).toContain('the gateway is version 0.0.9, this program 0.1.0')
  })

  it('--view own and --check do not ask it', async () => {
    const gateway = gatewayOf(loginApp(WITH_KEY))
    const machine = loginApp({ gateway })
    const own = await ran(['models', 'status', '--view', 'own'], machine)
    expect(own.out).toMatch(/^View of this shell\n\nDefault model {2}sandbox\//)
    const checked = await ran(['models', 'status', '--check', '--json'], machine)
    expect(checked.exit).toBe(1)
    expect(viewOf(checked.out)).toMatchObject({ view: 'own', differences: [] })
    expect(gateway.asked).toEqual([])
    const both = await ran(['models', 'status', '--check', '--view', 'gateway'], machine)
    expect(both.exit).toBe(64)
  })

  it('is asked for the agent, session and model that were named', async () => {
    const gateway = gatewayOf(loginApp(WITH_KEY))
    const machine = loginApp({ gateway, config: { agents: { list: [{ id: 'research' }] } } })
    await ran(['models', 'status', '--agent', 'research'], machine)
    const names = ['--agent', 'research', '--session', 'monday', '--model', 'opus@a:b']
    await ran(['models', 'auth', 'explain', ...names], machine)
    expect(gateway.asked).toEqual([
      '/api/status?agent=research',
      '/api/explain?agent=research&session=monday&model=opus%40a%3Ab',
    ])
  })

  it('its refusal is the answer', async () => {
    const fault: Fault = { code: 'EQ_AGENT_UNKNOWN', agent: 'x', known: ['main'] }
    const gateway = { ...silent(SILENT), ask: async () => answer(fault) }
    const { exit, err } = await ran(['models', 'status'], loginApp({ gateway }))
    expect(exit).toBe(64)
    expect(err).toContain('no agent "x"')
  })
})

describe('where the gateway cannot be asked', () => {
  it.each([
    ['is silent', silent(SILENT)],
    ['knows another token', silent({ code: 'EQ_CALLER_UNKNOWN' })],
    [
      'is about to stop',
      { ...silent(SILENT), ask: async () => answer({ code: 'EQ_GATEWAY_STOPPING' }) },
    ],
    ['answers something else', { ...silent(SILENT), ask: async () => ok({ agent: 7 }) }],
  ])('because it %s, the own view is shown and said to be so', async (_, gateway) => {
    const machine = loginApp({ ...WITH_KEY, gateway })
    const { exit, out } = await ran(['models', 'status'], machine)
    expect(exit).toBe(0)
    expect(out).toMatch(/^View of this shell, which may differ from the gateway's: \S/)
    expect(out).toContain('Uses anthropic:env')
    const json = await ran(['models', 'status', '--json'], machine)
    expect(viewOf(json.out)).toMatchObject({
      view: 'own',
      gateway: { pid: 7 },
      gatewayFault: { code: expect.stringMatching(/^EQ_/) },
    })
    const asked = await ran(['models', 'status', '--view', 'gateway'], machine)
    expect(asked.exit).toBeGreaterThan(1)
    expect(asked.out).toBe('')
  })

  it('because there is none, nothing is said, unless its view was asked for', async () => {
    const machine = loginApp(WITH_KEY)
    expect((await ran(['models', 'status'], machine)).out).toMatch(/^Default model/)
    const asked = await ran(['models', 'auth', 'explain', '--view', 'gateway'], machine)
    expect(asked).toMatchObject({ exit: 69, out: '' })
    expect(asked.err).toContain('equabot gateway run')
  })
})
