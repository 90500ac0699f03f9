/** The real services over stores in memory, and a terminal that remembers: for the tests of the login commands. */

import type { Host } from '../../src/cli/run.ts'
import { run } from '../../src/cli/run.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import type { AgentState } from '../../src/domain/cooldown.ts'
import type { Fault } from '../../src/domain/fault.ts'
import type { FileProblem, GatewayClient, SessionHead } from '../../src/domain/ports.ts'
import type { ForeignSource } from '../../src/domain/renewal-ports.ts'
import type { ProfileBook } from '../../src/domain/profile.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { createAgents } from '../../src/services/agents.ts'
import type { App } from '../../src/services/app.ts'
import { createForeign } from '../../src/services/foreign.ts'
import { createLogin } from '../../src/services/login.ts'
import { createModelSettings } from '../../src/services/model-settings.ts'
import { createOrders } from '../../src/services/order.ts'
import { createReport } from '../../src/services/report.ts'
import { createVault } from '../../src/services/vault.ts'
import { createLoadWorld } from '../../src/services/world.ts'
import type { FakeLoginFlow, MemoryProfileStore, MemorySettingsStore } from '../../src/testing.ts'
import {
  fakeClock,
  fakeStopwatch,
  fakeLoginFlow,
  memoryEnvironment,
  memoryGrantStore,
  memoryProfileStore,
  memorySessionStore,
  memorySettingsStore,
  memoryStateStore,
  plainFingerprint,
} from '../../src/testing.ts'
import { decodeSettings } from '../settings-from.ts'

export interface LoginMachine {
  readonly books?: Readonly<Record<string, ProfileBook>>
  readonly states?: Readonly<Record<string, AgentState>>
  readonly config?: Readonly<Record<string, unknown>>
  readonly variables?: Readonly<Record<string, string>>
  readonly sessions?: readonly SessionHead[]
  /** Homes of other programs' logins; none unless told. */
  readonly sources?: readonly ForeignSource[]
  readonly logins?: Parameters<typeof fakeLoginFlow>[0]
  /** A browser at hand, which works or does not; absent: none. */
  readonly browser?: 'works' | 'fails'
  /** The unreadable book of `main`. */
  readonly damage?: Extract<Fault, { code: 'EQ_STORE_SYNTAX' }>
  /** The gateway that runs, as far as it is asked. */
  readonly gateway?: Pick<GatewayClient, 'record' | 'url' | 'ask'>
  /** Entries of every book that cannot be read. */
  readonly problems?: readonly FileProblem[]
}

export interface LoginApp {
  readonly app: App
  readonly logins: FakeLoginFlow
  /** Addresses that a browser was given. */
  readonly opened: readonly string[]
  readonly profiles: MemoryProfileStore
  readonly settings: MemorySettingsStore
}

const unused = (): never => {
  throw new Error('no such question in these tests')
}
const UNUSED_CLIENT = { turn: unused, health: unused, events: unused }

export function loginApp(machine: LoginMachine = {}): LoginApp {
  const clock = fakeClock()
  const profiles = withProblems(memoryProfileStore(machine.books), machine.problems ?? [])
  if (machine.damage) profiles.damage('main' as never, machine.damage)
  const settings = memorySettingsStore({ raw: machine.config ?? {}, decode: decodeSettings })
  const states = memoryStateStore(machine.states)
  const sessions = memorySessionStore(machine.sessions)
  const fingerprint = plainFingerprint
  const environment = memoryEnvironment(machine.variables)
  const loadWorld = createLoadWorld({
    clock,
    settings,
    environment,
    profiles,
    states,
    fingerprint,
    grants: memoryGrantStore(),
    stopwatch: fakeStopwatch(clock),
    foreign: async () => [],
  })
  const sandboxGrant = (): never => {
    throw new Error('no sandbox here')
  }
  const logins = fakeLoginFlow(machine.logins)
  const opened: string[] = []
  const parts: Partial<App> = {
    version: '0.1.0',
    clock,
    stateDir: '/state',
    show: (path) => path.replace(/^\/state/, '~/.equabot'),
    loadWorld,
    settings,
    profiles,
    sessions,
    vault: createVault({
      grants: memoryGrantStore(),
      loadWorld,
      profiles,
      states,
      settings,
      sessions,
      clock,
      fingerprint,
      logins,
      sandboxGrant,
    }),
    foreign: createForeign({
      sources: machine.sources ?? [],
      profiles,
      settings,
      clock,
      switchedOff: false,
    }),
    login: createLogin({
      loadWorld,
      profiles,
      settings,
      states,
      clock,
      fingerprint,
      logins,
      grants: memoryGrantStore(),
    }),
    browser: {
      isAtHand: () => machine.browser !== undefined,
      async open(url) {
        opened.push(url)
        return machine.browser === 'works'
      },
    },
    orders: createOrders({ loadWorld, profiles }),
    report: createReport({
      catalogue: async () => [],
      checkFiles: async () => [],
      loadWorld,
      resolveWorld: loadWorld,
      settings,
      profiles,
      sessions,
    }),
    modelSettings: createModelSettings({ loadWorld, settings }),
    agents: createAgents({ loadWorld, settings, profiles, sessions }),
    gatewayClient: async () =>
      machine.gateway
        ? ok({ ...UNUSED_CLIENT, ...machine.gateway })
        : fail({ code: 'EQ_GATEWAY_DOWN', stateDir: '/state' }),
  }
  return { app: parts as App, profiles, settings, logins, opened }
}

function withProblems(
  store: MemoryProfileStore,
  problems: readonly FileProblem[],
): MemoryProfileStore {
  return {
    ...store,
    async read(agent) {
      const stored = await store.read(agent)
      return stored.ok ? ok({ ...stored.value, problems }) : stored
    },
  }
}

export interface Person {
  /** Piped into the command; without it, and without a person, standard input is empty. */
  readonly input?: string
  /** Somebody sits at the terminal and answers so; a missing answer is Ctrl-C. */
  readonly answers?: {
    readonly secret?: string
    readonly yes?: boolean
    readonly choice?: string
  }
  readonly colour?: boolean
  /** Columns of the terminal that the output goes to; absent: the output goes to a pipe. */
  readonly width?: number
}

export interface Ran {
  readonly exit: number
  readonly out: string
  readonly err: string
  /** What the person was asked. */
  readonly asked: readonly string[]
}

/** Runs one command line as `equabot` does. */
export async function ran(
  argv: readonly string[],
  { app }: Pick<LoginApp, 'app'> = loginApp(),
  person: Person = {},
): Promise<Ran> {
  const written = { out: '', err: '' }
  const asked: string[] = []
  const { answers } = person
  const answer = <T>(question: string, instead: string, given: T | undefined): Result<T, Fault> => {
    if (!answers) return fail({ code: 'EQ_PROMPT_NO_TTY', instead })
    asked.push(question)
    return given === undefined ? fail({ code: 'EQ_INTERRUPTED' }) : ok(given)
  }
  const terminal: Terminal = {
    interactive: answers !== undefined,
    inputIsTerminal: answers !== undefined,
    outputIsTerminal: person.width !== undefined,
    colour: person.colour ?? false,
    width: person.width ?? 80,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    readInput: async () => ok(person.input ?? ''),
    askSecret: async (question, instead) => answer(question, instead, answers?.secret),
    confirm: async (question) => answer(question, 'Add --yes', answers?.yes),
    choose: async (question, _options, instead) => answer(question, instead, answers?.choice),
  }
  const host: Host = {
    terminal,
    version: '0.1.0',
    openApp: async () => ok(app),
    signal: new AbortController().signal,
  }
  const exit = await run(argv, host)
  return { exit, ...written, asked }
}

/** A made-up setup-token of the right shape. */
export const FAKE_TOKEN: string = `sk-ant-oat01-${'Fa0Ke1'.repeat(16)}`
/** A made-up API key of the right shape. */
export const FAKE_KEY: string = `sk-ant-api03-${'Fa2Ke3'.repeat(14)}`

export function token(expiresAt?: number): {
  readonly type: 'token'
  readonly token: Secret
  readonly expiresAt?: number
} {
  return {
    type: 'token',
    token: new Secret(FAKE_TOKEN),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}
