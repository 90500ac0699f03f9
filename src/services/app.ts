/** The whole program as its faces see it. Built by `compose.ts`. */

import type { Fault } from '../domain/fault.ts'
import type { Ledger } from '../domain/ledger.ts'
import type {
  Clock,
  GatewayClient,
  GatewayFiles,
  GatewayRecord,
  Log,
  ProfileStore,
  SessionStore,
  SettingsStore,
} from '../domain/ports.ts'
import type { Browser } from '../domain/renewal-ports.ts'
import type { Result } from '../domain/result.ts'
import type { Secret } from '../domain/secret.ts'
import type { Agents } from './agents.ts'
import type { Clients } from './clients.ts'
import type { Conversation } from './conversation.ts'
import type { Cooldowns } from './cooldowns.ts'
import type { Dispatch } from './dispatch.ts'
import type { Doctor } from './doctor.ts'
import type { Events } from './events.ts'
import type { Keeper } from './keeper.ts'
import type { Foreign } from './foreign.ts'
import type { Login } from './login.ts'
import type { Imports } from './import.ts'
import type { ModelSettings } from './model-settings.ts'
import type { Orders } from './order.ts'
import type { Probe } from './probe.ts'
import type { RecordRefusal } from './refusals.ts'
import type { Renewals } from './renewal.ts'
import type { Report } from './report.ts'
import type { Setups } from './setup.ts'
import type { SetupTokens } from './setup-token.ts'
import type { Usage } from './usage.ts'
import type { Vault } from './vault.ts'
import type { LoadWorld } from './world.ts'

export interface App {
  readonly version: string
  /** Of this process. */
  readonly pid: number
  readonly clock: Clock
  readonly log: Log
  /** What happens in this process, and what its keeper notices. */
  readonly events: Events
  readonly stateDir: string
  /** A path as a person wants to see it, `~/…` for those under home. */
  readonly show: (path: string) => string
  readonly loadWorld: LoadWorld
  /** `loadWorld` for choosing a credential: takes over first what other programs hold by now. */
  readonly resolveWorld: LoadWorld
  readonly settings: SettingsStore
  readonly profiles: ProfileStore
  readonly sessions: SessionStore
  readonly vault: Vault
  readonly foreign: Foreign
  readonly setupTokens: SetupTokens
  readonly login: Login
  readonly browser: Browser
  readonly imports: Imports
  readonly orders: Orders
  readonly cooldowns: Cooldowns
  readonly report: Report
  readonly modelSettings: ModelSettings
  readonly agents: Agents
  readonly conversation: Conversation
  readonly dispatch: Dispatch
  /** Records a request that never came to `dispatch`. */
  readonly refused: RecordRefusal
  readonly probe: Probe
  /** What is kept of requests. */
  readonly ledger: Ledger
  readonly usage: Usage
  /** Keys of single programs and people. */
  readonly clients: Clients
  /** Loaded when it is asked for: few commands are. */
  readonly openSetups: () => Promise<Setups>
  readonly renewals: Renewals
  readonly keeper: Keeper
  readonly gatewayFiles: GatewayFiles
  /**
   * Loaded when it is asked for: few commands are.
   *
   * @param prompting a person at a terminal has asked for it, so the system may ask them for permission
   */
  readonly openDoctor: (prompting: boolean) => Promise<Doctor>
  /** Starts the gateway in this process. */
  readonly startGateway: (options: GatewayOptions) => Promise<Result<RunningGateway, Fault>>
  /** The gateway that runs on this state folder, in whichever process. */
  readonly gatewayClient: () => Promise<Result<GatewayClient, Fault>>
  /** Keys of the sandbox provider and what each does. */
  readonly sandboxKeys: readonly { readonly key: string; readonly does: string }[]
  /** Writes what is still pending and lets go of sockets. */
  readonly close: () => Promise<Result<void, Fault>>
}

export interface GatewayOptions {
  /** 0: any free one. Absent: EQUABOT_GATEWAY_PORT, else config. */
  readonly port?: number
  readonly bind?: string
  /** Log lines go to stderr too, beside the log file. */
  readonly logToStderr?: boolean
}

export interface RunningGateway {
  readonly record: GatewayRecord
  readonly url: string
  /** Stops accepting, lets running replies end within the drain time, then resolves. */
  readonly stop: () => Promise<void>
}

/** How a gateway is served; the face gives this to `compose.ts`. */
export interface GatewayFace {
  readonly listen: (
    app: App,
    options: { readonly port: number; readonly bind: string; readonly token: Secret },
  ) => Promise<Result<{ readonly port: number; readonly stop: () => Promise<void> }, Fault>>
}
