import { describe, expect, test } from 'vitest'
import { addAgentCommands } from '../../src/cli/agent.ts'
import type { TurnEvent } from '../../src/domain/chat.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import type { FakeApp, FakeTerminal, Ran } from './fake-chat-app.ts'
import { fakeApp, fakeTerminal, runCommand, started } from './fake-chat-app.ts'

function agent(
  argv: readonly string[],
  given: { app?: FakeApp; terminal?: FakeTerminal } = {},
): Promise<Ran> {
  return runCommand(['agent', ...argv], addAgentCommands, given)
}

async function* cut(): AsyncIterable<TurnEvent> {
  yield started()
  yield { type: 'text', text: 'half' }
  const profile = 'sandbox:builtin' as ProfileId
  yield {
    type: 'failed',
    fault: { code: 'EQ_UPSTREAM_CUT', profile, model: 'sandbox/sandbox-echo', detail: 'cut' },
  }
}

describe('agent --message', () => {
  test('prints the reply, a line break, and nothing else', async () => {
    const { exit, out, err } = await agent(['--message', 'hello'])
    expect(out).toBe('You said: hello\n')
    expect(err).toBe('')
    expect(exit).toBe(0)
  })

  test('goes through the gateway when one runs', async () => {
    const app = fakeApp({ gatewayRuns: true })
    await agent(['--message', 'hello', '--session', 'Nightly', '--model', 'opus'], { app })
    expect(app.turns).toEqual([
      { via: 'gateway', session: 'nightly', model: 'opus', message: 'hello' },
    ])
  })

  test('notices go to stderr', async () => {
    const reply = async function* (): AsyncIterable<TurnEvent> {
      yield { type: 'notice', text: 'moved to a metered key' }
      yield { type: 'text', text: 'hi' }
      yield { type: 'finished', stopReason: 'end_turn' }
    }
    const { out, err } = await agent(['--message', 'hello'], { app: fakeApp({ reply }) })
    expect(out).toBe('hi\n')
    expect(err).toBe('moved to a metered key\n')
  })

  test('- reads the message from standard input', async () => {
    const app = fakeApp()
    await agent(['--message', '-'], {
      app,
      terminal: fakeTerminal({ input: 'line one\nline two\n' }),
    })
    expect(app.turns).toMatchObject([{ message: 'line one\nline two' }])
  })

  test.each([
    ['an empty message', ['--message', '  ']],
    ['an empty standard input', ['--message', '-']],
  ])('%s is a usage error and asks nobody', async (_name, argv) => {
    const app = fakeApp()
    expect(await agent(argv, { app })).toMatchObject({ exit: 64, out: '' })
    expect(app.turns).toEqual([])
  })

  test('--json gives the reply and who gave it', async () => {
    const { exit, out } = await agent(['--message', 'hello', '--json'])
    expect(JSON.parse(out)).toEqual({
      reply: 'You said: hello',
      model: 'sandbox/sandbox-echo',
      profile: 'sandbox:builtin',
      lane: 'free',
      attempts: [],
      usage: { inputTokens: 3, outputTokens: 5 },
      session: 'main',
      stopReason: 'end_turn',
    })
    expect(exit).toBe(0)
  })

  test('a reply that breaks off ends its line, tells why on stderr, and exits by the fault', async () => {
    const { exit, out, err } = await agent(['--message', 'hello'], { app: fakeApp({ reply: cut }) })
    expect(out).toBe('half\n')
    expect(err).toContain('broke off')
    expect(exit).toBe(69)
  })

  test('--json gives the fault as one object', async () => {
    const app = fakeApp({ reply: cut })
    const { exit, out } = await agent(['--message', 'hello', '--json'], { app })
    expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code: 'EQ_UPSTREAM_CUT' } })
    expect(exit).toBe(69)
  })

  test('a turn without an end is a fault of ours and not a success', async () => {
    const reply = async function* (): AsyncIterable<TurnEvent> {
      yield { type: 'text', text: 'hi' }
    }
    expect(await agent(['--message', 'x'], { app: fakeApp({ reply }) })).toMatchObject({ exit: 70 })
  })
})
