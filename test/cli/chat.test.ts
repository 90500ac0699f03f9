import { describe, expect, test } from 'vitest'
import { addChatCommands } from '../../src/cli/chat.ts'
import type { InputOptions } from '../../src/cli/chat-input.ts'
import type { TurnEvent, TurnRequest } from '../../src/domain/chat.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import { fail } from '../../src/domain/result.ts'
import type { FakeApp, FakeTerminal, Ran } from './fake-chat-app.ts'
import {
  echo,
  fakeApp,
  fakeInput,
  fakeTerminal,
  NOW,
  runCommand,
  started,
} from './fake-chat-app.ts'

const PERSON = fakeTerminal({ person: true })

function chat(
  app: FakeApp,
  typed: readonly string[],
  given: { argv?: readonly string[]; terminal?: FakeTerminal; signal?: AbortSignal } = {},
): Promise<Ran> {
  const terminal = given.terminal ?? fakeTerminal({ person: true })
  return runCommand(
    ['chat', ...(given.argv ?? [])],
    (program, context) => addChatCommands(program, context, fakeInput(typed)),
    { app, terminal, ...(given.signal && { signal: given.signal }) },
  )
}

/** Answers until it is stopped. */
async function* endless(_request: TurnRequest, signal: AbortSignal): AsyncIterable<TurnEvent> {
  yield started()
  yield { type: 'text', text: 'and so on' }
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }
  yield { type: 'failed', fault: { code: 'EQ_REQUEST_CANCELLED' } }
}

async function* failing(): AsyncIterable<TurnEvent> {
  yield started()
  yield { type: 'text', text: 'half a' }
  const profile = 'sandbox:builtin' as ProfileId
  yield {
    type: 'failed',
    fault: { code: 'EQ_UPSTREAM_CUT', profile, model: 'sandbox/sandbox-echo', detail: 'cut' },
  }
}

describe('a chat in a terminal', () => {
  test('begins with who answers, through what, and how to get help', async () => {
    const { out } = await chat(fakeApp({ gatewayRuns: true }), [])
    expect(out).toContain('sandbox/sandbox-echo by sandbox:builtin')
    expect(out).toContain('through the gateway at http://127.0.0.1:18789')
    expect(out).toContain('/help')
  })

  test('says that it runs in this process when no gateway runs', async () => {
    const app = fakeApp()
    const { out } = await chat(app, ['hello'])
    expect(out).toContain('in this process; no gateway is running')
    expect(app.turns).toMatchObject([{ via: 'here', message: 'hello' }])
  })

  test('a gateway that is silent is a fault and not a chat beside it', async () => {
    const gatewayFault = {
      code: 'EQ_GATEWAY_SILENT',
      pid: 7,
      port: 18_789,
      detail: 'no answer',
    } as const
    const app = fakeApp({ gatewayFault })
    expect(await chat(app, ['hello'])).toMatchObject({ exit: 69 })
    expect(app.turns).toEqual([])
  })

  test('shows each reply on lines of its own and leaves with 0 at the end of the input', async () => {
    const { exit, out } = await chat(fakeApp(), ['hello'])
    expect(out).toContain('You said: hello\n')
    expect(exit).toBe(0)
  })

  test.each(['/exit', '/quit', ' /EXIT '])('%s leaves with 0 and is not sent', async (farewell) => {
    const app = fakeApp()
    expect(await chat(app, [farewell, 'never sent'])).toMatchObject({ exit: 0 })
    expect(app.turns).toEqual([])
  })

  test('Ctrl-C while a reply streams stops that reply; the chat goes on', async () => {
    let replies = 0
    const app = fakeApp({
      reply: (request, signal) => (++replies === 1 ? endless(request, signal) : echo(request)),
    })
    const { exit, out } = await chat(app, ['talk', 'stop', 'again'])
    expect(out).toContain('and so on\nstopped\n')
    expect(out).toContain('You said: again\n')
    expect(exit).toBe(0)
  })

  test('Ctrl-C at the prompt says how to leave; a second one leaves with 130', async () => {
    const once = await chat(fakeApp(), ['ctrl-c', 'hello', 'ctrl-c'])
    expect(once.out).toContain('Ctrl-D or /exit')
    expect(once.exit).toBe(0)
    expect(await chat(fakeApp(), ['ctrl-c', 'ctrl-c', 'hello'])).toMatchObject({ exit: 130 })
  })

  test('a fault is told with its hint, on a new line, and the chat goes on', async () => {
    let replies = 0
    const app = fakeApp({ reply: (request) => (++replies === 1 ? failing() : echo(request)) })
    const { exit, out } = await chat(app, ['one', 'two'])
    expect(out).toContain('half a\nThe reply of sandbox/sandbox-echo')
    expect(out).toContain('Send the message again\n')
    expect(out).toContain('You said: two\n')
    expect(exit).toBe(0)
  })

  test('escape sequences in a reply do not reach the terminal', async () => {
    const reply = async function* (): AsyncIterable<TurnEvent> {
      yield { type: 'text', text: 'a\u001b]0;title\u0007b\u001b[2Jc\r\n' }
      yield { type: 'finished', stopReason: 'end_turn' }
    }
    const { out } = await chat(fakeApp({ reply }), ['hello'])
    expect(out).toContain('abc\n')
    expect(out).not.toContain('\u001b')
  })

  test('a slash command is sent as a message and its answer is shown', async () => {
    const reply = async function* (): AsyncIterable<TurnEvent> {
      yield { type: 'command', text: 'two\nlines' }
      yield { type: 'finished', stopReason: 'command' }
    }
    const app = fakeApp({ reply })
    const { out } = await chat(app, ['/status'])
    expect(app.turns).toMatchObject([{ message: '/status' }])
    expect(out).toContain('two\nlines\n')
  })

  test('the arrow keys reach what the user said before in this session', async () => {
    const transcript = [
      { at: NOW, role: 'user', text: 'first' },
      { at: NOW, role: 'assistant', text: 'answer' },
      { at: NOW, role: 'user', text: 'second' },
      { at: NOW, role: 'user', text: 'of two\nlines' },
    ] as const
    const seen: { options?: InputOptions; closed?: boolean } = {}
    await runCommand(
      ['chat'],
      (program, context) => addChatCommands(program, context, fakeInput([], seen)),
      { app: fakeApp({ transcript }), terminal: PERSON },
    )
    expect(seen.options?.person?.history).toEqual(['first', 'second'])
    expect(seen.options?.person?.prompt).toBe('you › ')
    expect(seen.closed).toBe(true)
  })

  test('a model that /model chose wins over --model from then on', async () => {
    const app = fakeApp()
    await chat(app, ['one', '/model status', 'two', '/model opus', 'three'], {
      argv: ['--model', 'haiku'],
    })
    expect(app.turns.map((turn) => turn.model)).toEqual([
      'haiku',
      'haiku',
      'haiku',
      'haiku',
      undefined,
    ])
  })

  test('a wrong --model ends the command before anything is asked', async () => {
    const fault = { code: 'EQ_MODEL_UNKNOWN', model: 'nope', nearest: [] } as const
    const app = fakeApp({ answering: fail(fault) })
    expect(await chat(app, ['hello'], { argv: ['--model', 'nope'] })).toMatchObject({ exit: 64 })
    expect(app.turns).toEqual([])
  })

  test('a pin that is gone is told, and can be mended in the chat', async () => {
    const profile = 'anthropic:gone' as ProfileId
    const fault = { code: 'EQ_PIN_UNUSABLE', profile, why: { code: 'gone' } } as const
    const app = fakeApp({ answering: fail(fault) })
    const { exit, out } = await chat(app, ['/model unpin'])
    expect(out).toContain('pinned to anthropic:gone')
    expect(app.turns).toMatchObject([{ message: '/model unpin' }])
    expect(exit).toBe(0)
  })

  test('session and agent that cannot be names are refused', async () => {
    const { exit, err } = await chat(fakeApp(), [], { argv: ['--session', '../x'] })
    expect(exit).toBe(64)
    expect(err).toContain('session')
    expect(await chat(fakeApp(), [], { argv: ['--agent', 'a/b'] })).toMatchObject({ exit: 64 })
  })

  test('a process that is told to end leaves with 130', async () => {
    const ending = new AbortController()
    ending.abort()
    const app = fakeApp()
    expect(await chat(app, ['hello'], { signal: ending.signal })).toMatchObject({ exit: 130 })
    expect(app.turns).toEqual([])
  })
})

describe('a chat without a terminal', () => {
  const piped = (app: FakeApp, typed: readonly string[]): Promise<Ran> =>
    chat(app, typed, { terminal: fakeTerminal() })

  test('each line is a message; nothing but replies goes to stdout', async () => {
    const app = fakeApp()
    const { exit, out, err } = await piped(app, ['one', '', '  ', 'two'])
    expect(out).toBe('You said: one\nYou said: two\n')
    expect(err).toContain('sandbox/sandbox-echo')
    expect(exit).toBe(0)
  })

  test('exits 1 when the last turn failed, with the fault on stderr', async () => {
    const { exit, out, err } = await piped(fakeApp({ reply: failing }), ['one'])
    expect(out).toBe('half a\n')
    expect(err).toContain('broke off')
    expect(exit).toBe(1)
  })

  test('an earlier failure is forgiven by a later good turn', async () => {
    let replies = 0
    const app = fakeApp({ reply: (request) => (++replies === 1 ? failing() : echo(request)) })
    expect(await piped(app, ['one', 'two'])).toMatchObject({ exit: 0 })
  })

  test('notices go to stderr', async () => {
    const reply = async function* (): AsyncIterable<TurnEvent> {
      yield { type: 'notice', text: 'another credential took over' }
      yield { type: 'text', text: 'hi' }
      yield { type: 'finished', stopReason: 'end_turn' }
    }
    const { out, err } = await piped(fakeApp({ reply }), ['one'])
    expect(out).toBe('hi\n')
    expect(err).toContain('another credential took over\n')
  })
})
