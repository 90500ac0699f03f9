/** An app without files, network or clock for the tests of the talking commands, and a terminal that remembers. */

import { Command } from 'commander'
import type { OpenChatInput, Typed } from '../../src/cli/chat-input.ts'
import type { CommandContext } from '../../src/cli/command.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import type { TranscriptEntry, TurnEvent, TurnRequest } from '../../src/domain/chat.ts'
import type { Fault } from '../../src/domain/fault.ts'
import type { AgentId, ProfileId, ProviderId, SessionId } from '../../src/domain/names.ts'
import type { GatewayRecord, LoadedSettings, SessionHead } from '../../src/domain/ports.ts'
import type { ExplainReport } from '../../src/domain/report.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { DEFAULT_SETTINGS } from '../../src/domain/settings.ts'
import type { App, GatewayOptions } from '../../src/services/app.ts'

export const NOW = 1_800_000_000_000
export const STATE_DIR = '/home/ada/.equabot'
const MODEL = { provider: 'sandbox' as ProviderId, model: 'sandbox-echo' }

export const RECORD: GatewayRecord = {
  pid: 4242,
  port: 18_789,
  bind: '127.0.0.1',
  startedAt: NOW - 60_000,
  version: '0.1.0',
}

export interface FakeTerminal extends Terminal {
  readonly stdout: () => string
  readonly stderr: () => string
}

export function fakeTerminal(
  options: { readonly person?: boolean; readonly input?: string; readonly yes?: boolean } = {},
): FakeTerminal {
  const written = { out: '', err: '' }
  const person = options.person ?? false
  return {
    interactive: person,
    inputIsTerminal: person,
    outputIsTerminal: person,
    colour: false,
    width: 200,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    readInput: async () => ok(options.input ?? ''),
    askSecret: async (_question, instead) => fail({ code: 'EQ_PROMPT_NO_TTY', instead }),
    confirm: async () => ok(options.yes ?? false),
    choose: async (_question, _options, instead) => fail({ code: 'EQ_PROMPT_NO_TTY', instead }),
    stdout: () => written.out,
    stderr: () => written.err,
  }
}

export interface FakeApp extends App {
  /** Every turn that was asked for, and through whom. */
  readonly turns: (TurnRequest & { readonly via: 'gateway' | 'here' })[]
  /** Every start of the gateway, and every stop. */
  readonly starts: GatewayOptions[]
  readonly stops: () => number
}

export interface FakeAppOptions {
  /** A gateway of another process. */
  readonly gatewayRuns?: boolean
  readonly gatewayFault?: Fault
  /** How starting goes, one answer per start; a start beyond them works. */
  readonly startFaults?: readonly Fault[]
  readonly reply?: (request: TurnRequest, signal: AbortSignal) => AsyncIterable<TurnEvent>
  readonly answering?: Result<ExplainReport, Fault>
  readonly sessions?: readonly SessionHead[]
  readonly transcript?: readonly TranscriptEntry[]
  readonly raw?: LoadedSettings['raw']
  /** The variable that gives the gateway's token, instead of its file. */
  readonly tokenVariable?: string
  readonly parts?: Partial<App>
}

export async function* echo(request: TurnRequest): AsyncIterable<TurnEvent> {
  yield started()
  for (const word of ['You said: ', request.message]) yield { type: 'text', text: word }
  yield { type: 'finished', stopReason: 'end_turn', usage: { inputTokens: 3, outputTokens: 5 } }
}

export function started(): Extract<TurnEvent, { type: 'started' }> {
  const profile = 'sandbox:builtin' as ProfileId
  return { type: 'started', model: MODEL, profile, lane: 'free', attempts: [] }
}

export function explained(because: ExplainReport['modelBecause'] = 'settings'): ExplainReport {
  return {
    agent: 'main' as AgentId,
    now: NOW,
    model: MODEL,
    modelBecause: because,
    endpoint: 'http://127.0.0.1',
    protocol: 'anthropic-messages',
    candidates: [],
    // Of the next candidate only the name is shown.
    next: { profile: 'sandbox:builtin' as ProfileId } as NonNullable<ExplainReport['next']>,
  }
}

export function head(id: string, more: Partial<SessionHead> = {}): SessionHead {
  return {
    id: id as SessionId,
    agent: 'main' as AgentId,
    createdAt: NOW - 3_600_000,
    updatedAt: NOW - 60_000,
    turns: 1,
    ...more,
  }
}

export function fakeApp(options: FakeAppOptions = {}): FakeApp {
  const turns: FakeApp['turns'] = []
  const starts: GatewayOptions[] = []
  const startFaults = [...(options.startFaults ?? [])]
  let stops = 0
  let port = options.gatewayRuns ? RECORD.port : undefined
  const reply = options.reply ?? echo
  const turn =
    (via: 'gateway' | 'here') =>
    (request: TurnRequest, signal: AbortSignal): AsyncIterable<TurnEvent> => {
      turns.push({ ...request, via })
      return reply(request, signal)
    }
  const parts = {
    version: '0.1.0',
    clock: { now: () => NOW, sleep: async () => undefined },
    stateDir: STATE_DIR,
    show: (path: string) => path.replace('/home/ada', '~'),
    settings: fakeSettings(options.raw ?? {}),
    sessions: fakeSessions(options),
    loadWorld: async (agent?: AgentId) => ok({ agent: agent ?? 'main' }),
    report: { explain: async () => options.answering ?? ok(explained()) },
    conversation: { turn: turn('here') },
    gatewayFiles: {
      token: async () => ok(new Secret('made-up-gateway-token')),
      tokenSource: () =>
        options.tokenVariable === undefined
          ? { kind: 'file', path: `${STATE_DIR}/gateway-token` }
          : { kind: 'variable', name: options.tokenVariable },
    },
    sandboxKeys: [{ key: 'sandbox-401', does: 'refuses the credential' }],
    async gatewayClient() {
      if (options.gatewayFault) return fail(options.gatewayFault)
      if (port === undefined) return fail({ code: 'EQ_GATEWAY_DOWN', stateDir: STATE_DIR })
      return ok({
        record: { ...RECORD, port },
        url: `http://127.0.0.1:${port}`,
        turn: turn('gateway'),
        health: async () => ok({ version: '0.1.0', uptimeMs: 60_000, ready: true }),
      })
    },
    async startGateway(asked: GatewayOptions) {
      starts.push(asked)
      const fault = startFaults.shift()
      if (fault) return fail(fault)
      port = asked.port === 0 ? 40_123 : (asked.port ?? RECORD.port)
      return ok({
        record: { ...RECORD, port },
        url: `http://127.0.0.1:${port}`,
        stop: async () => void (stops += 1),
      })
    },
    ...options.parts,
  }
  // What the talking commands never touch is not there.
  return { ...(parts as unknown as App), turns, starts, stops: () => stops }
}

function fakeSettings(raw: LoadedSettings['raw']): Pick<App['settings'], 'read' | 'path'> {
  const path = `${STATE_DIR}/equabot.json`
  return {
    path: () => path,
    read: async () => ok({ settings: DEFAULT_SETTINGS, path, exists: true, migrated: [], raw }),
  }
}

function fakeSessions(
  options: FakeAppOptions,
): Pick<App['sessions'], 'list' | 'read' | 'transcript' | 'remove'> {
  const heads = new Map((options.sessions ?? []).map((entry) => [entry.id, entry]))
  return {
    list: async () =>
      ok({
        heads: [...heads.values()].toSorted((one, other) => other.updatedAt - one.updatedAt),
        unreadable: [],
      }),
    read: async (_agent, id) => ok(heads.get(id)),
    transcript: async () => ok(options.transcript ?? []),
    remove: async (_agent, id) => ok(heads.delete(id)),
  }
}

/** Messages as a person or a pipe gives them: text, Ctrl-C, and at last the end. */
export function fakeInput(
  typed: readonly string[],
  seen: { options?: Parameters<OpenChatInput>[0]; closed?: boolean } = {},
): OpenChatInput {
  return (options) => {
    seen.options = options
    const waiting = [...typed]
    return {
      async next(): Promise<Typed> {
        const text = waiting.shift()
        if (text === undefined) return { kind: 'end' }
        return text === 'ctrl-c' ? { kind: 'interrupt' } : { kind: 'message', text }
      },
      async during(work, stop) {
        // Ctrl-C that follows a message comes while its reply streams.
        if (waiting[0] === 'stop') {
          waiting.shift()
          stop()
        }
        return work
      },
      close: () => void (seen.closed = true),
    }
  }
}

export interface Ran {
  readonly exit: number | undefined
  readonly out: string
  readonly err: string
}

/** Runs one command line on a fake app. */
export async function runCommand(
  argv: readonly string[],
  add: (program: Command, context: CommandContext) => void,
  given: {
    readonly app?: App
    readonly terminal?: FakeTerminal
    readonly signal?: AbortSignal
  } = {},
): Promise<Ran> {
  const terminal = given.terminal ?? fakeTerminal()
  let exit: number | undefined
  const context: CommandContext = {
    terminal,
    version: '0.1.0',
    openApp: async () => ok(given.app ?? fakeApp()),
    signal: given.signal ?? new AbortController().signal,
    setExit: (code) => void (exit = code),
  }
  const program = new Command('equabot').exitOverride()
  add(program, context)
  await program.parseAsync([...argv], { from: 'user' })
  return { exit, out: terminal.stdout(), err: terminal.stderr() }
}
