import { describe, expect, test } from 'vitest'
import type { OpenChatInput } from '../../src/cli/chat-input.ts'
import { addUpCommands } from '../../src/cli/up.ts'
import { fail, ok } from '../../src/domain/result.ts'
import type { FakeApp, FakeTerminal, Ran } from './fake-chat-app.ts'
import { explained, fakeApp, fakeInput, fakeTerminal, runCommand } from './fake-chat-app.ts'

const TAKEN = {
  code: 'EQ_GATEWAY_PORT',
  bind: '127.0.0.1',
  port: 18_789,
  errno: 'EADDRINUSE',
} as const

interface Given {
  readonly argv?: readonly string[]
  readonly typed?: readonly string[]
  readonly openInput?: OpenChatInput
  readonly terminal?: FakeTerminal
  readonly signal?: AbortSignal
}

function up(app: FakeApp, given: Given = {}): Promise<Ran> {
  const openInput = given.openInput ?? fakeInput(given.typed ?? ['hello'])
  return runCommand(
    ['up', ...(given.argv ?? [])],
    (program, context) => addUpCommands(program, context, openInput),
    {
      app,
      terminal: given.terminal ?? fakeTerminal({ person: true }),
      ...(given.signal && { signal: given.signal }),
    },
  )
}

describe('up in a terminal', () => {
  test('starts the gateway, chats through it, and stops it when the chat is left', async () => {
    const app = fakeApp()
    const { exit, out } = await up(app)
    expect(app.starts).toEqual([{}])
    expect(app.turns).toMatchObject([{ via: 'gateway', message: 'hello' }])
    expect(out).toContain('gateway at http://127.0.0.1:18789 (started here)')
    expect(out).toContain('You said: hello\n')
    expect(app.stops()).toBe(1)
    expect(exit).toBe(0)
  })

  test('tells how an SDK reaches it, with the path of the token and never the token', async () => {
    const { out } = await up(fakeApp())
    expect(out).toContain(
      'export ANTHROPIC_BASE_URL=http://127.0.0.1:18789 ANTHROPIC_AUTH_TOKEN="$(cat ~/.equabot/gateway-token)"',
    )
    expect(out).not.toContain('made-up-gateway-token')
  })

  test('a token of the environment is named by its variable, for the file may hold another', async () => {
    const { out } = await up(fakeApp({ tokenVariable: 'EQUABOT_GATEWAY_TOKEN' }))
    expect(out).toContain('ANTHROPIC_AUTH_TOKEN="$EQUABOT_GATEWAY_TOKEN"')
    expect(out).not.toContain('gateway-token')
  })

  test('a token path that a shell would split is quoted', async () => {
    const app = fakeApp({ parts: { show: () => "/srv/ada's files/gateway-token" } })
    const { out } = await up(app)
    expect(out).toContain("$(cat '/home/ada/.equabot/gateway-token')")
  })

  test('says that the sandbox answers and how to get a real model, only when that is so', async () => {
    const sandboxed = await up(fakeApp({ answering: ok(explained('sandbox')) }))
    expect(sandboxed.out).toContain('sandbox answers')
    expect(sandboxed.out).toContain('equabot models auth paste-token --provider anthropic')
    expect((await up(fakeApp())).out).not.toContain('paste-token')
  })

  test('joins a gateway that runs, and leaves it running', async () => {
    const app = fakeApp({ gatewayRuns: true })
    const { out } = await up(app)
    expect(out).toContain('(was running)')
    expect(app.starts).toEqual([])
    expect(app.turns).toMatchObject([{ via: 'gateway' }])
    expect(app.stops()).toBe(0)
  })

  test('a port that another program holds is replaced by a free one, and that is said', async () => {
    const app = fakeApp({ startFaults: [TAKEN] })
    const { exit, out, err } = await up(app)
    expect(app.starts).toEqual([{}, { port: 0 }])
    expect(err).toBe('Port 18789 is taken by another program; using port 40123 this time\n')
    expect(out).toContain('http://127.0.0.1:40123')
    expect(exit).toBe(0)
  })

  test('a port that the user asked for is not replaced', async () => {
    const app = fakeApp({ startFaults: [TAKEN] })
    expect(await up(app, { argv: ['--port', '18789'] })).toMatchObject({ exit: 75 })
    expect(app.starts).toEqual([{ port: 18_789 }])
  })

  test('an address that cannot be had at all is a fault', async () => {
    const app = fakeApp({ startFaults: [{ ...TAKEN, errno: 'EADDRNOTAVAIL' }] })
    expect(await up(app)).toMatchObject({ exit: 64 })
    expect(app.starts).toEqual([{}])
  })

  test('a wrong --model stops the gateway that was started for it', async () => {
    const fault = { code: 'EQ_MODEL_UNKNOWN', model: 'nope', nearest: [] } as const
    const app = fakeApp({ answering: fail(fault) })
    expect(await up(app, { argv: ['--model', 'nope'] })).toMatchObject({ exit: 64 })
    expect(app.stops()).toBe(1)
  })

  test('two times Ctrl-C leaves with 130 and stops the gateway', async () => {
    const app = fakeApp()
    expect(await up(app, { typed: ['ctrl-c', 'ctrl-c'] })).toMatchObject({ exit: 130 })
    expect(app.stops()).toBe(1)
  })

  test('a terminal whose input ends at once does not leave a gateway without a prompt', async () => {
    const app = fakeApp()
    expect(await up(app, { typed: [] })).toMatchObject({ exit: 0 })
    expect(app.stops()).toBe(1)
  })
})

describe('up without a terminal', () => {
  const piped = { terminal: fakeTerminal() }

  test('lines are messages, replies alone go to stdout, and the gateway ends with the input', async () => {
    const app = fakeApp()
    const { exit, out, err } = await up(app, { terminal: fakeTerminal(), typed: ['one', 'two'] })
    expect(out).toBe('You said: one\nYou said: two\n')
    expect(err).toContain('gateway at http://127.0.0.1:18789')
    expect(app.stops()).toBe(1)
    expect(exit).toBe(0)
  })

  test('without a single message the gateway runs until the process is told to end', async () => {
    const ending = new AbortController()
    const app = fakeApp()
    let ran: Promise<Ran> | undefined
    await new Promise<void>((close) => {
      const openInput: OpenChatInput = (options) => ({ ...fakeInput([])(options), close })
      ran = up(app, { ...piped, openInput, signal: ending.signal })
    })
    expect(app.stops()).toBe(0)
    ending.abort()
    expect(await ran).toMatchObject({ exit: 0 })
    expect(app.stops()).toBe(1)
  })

  test('a farewell ends it, also without a message before it', async () => {
    const app = fakeApp()
    expect(await up(app, { ...piped, typed: ['/exit'] })).toMatchObject({ exit: 0 })
    expect(app.stops()).toBe(1)
  })

  test('without a message there is nothing to stay for when another process runs the gateway', async () => {
    const app = fakeApp({ gatewayRuns: true })
    expect(await up(app, { ...piped, typed: [] })).toMatchObject({ exit: 0 })
  })
})
