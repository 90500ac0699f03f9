/** Where everything of this user stands. The only place that sees the process environment; nothing is made or read here. */

import { isAbsolute, join, resolve, sep } from 'node:path'

import type { StoreFault } from '../domain/fault.ts'
import type { AgentId } from '../domain/names.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'

export interface Home {
  /** The folder of the user, where the environment says so. */
  readonly userDir?: string
  readonly stateDir: string
  readonly configPath: string
  readonly envFilePath: string
  readonly agentsDir: string
  readonly locksDir: string
  readonly grantsDir: string
  readonly logsDir: string
  readonly ledgerPath: string
  readonly gatewayTokenPath: string
  readonly gatewayRecordPath: string
  readonly clientsPath: string
  /** Copies of keys for programs of this user, one file each. */
  readonly clientKeysDir: string
  /** `EQUABOT_GATEWAY_TOKEN`, which wins over the token file. */
  readonly gatewayTokenOverride?: Secret
  /** `EQUABOT_GATEWAY_PORT` as it was typed; whoever uses it checks it. */
  readonly gatewayPortOverride?: string
  /** The process environment as it was at the start. */
  readonly variables: ReadonlyMap<string, string>
  bookPath(agent: AgentId): string
  statePath(agent: AgentId): string
  sessionsDir(agent: AgentId): string
  /** A path as a person writes it: `~/.equabot/equabot.json`. */
  tildify(path: string): string
}

/**
 * The places of the user who runs the program.
 *
 * @faults `EQ_HOME_MISSING` neither `EQUABOT_STATE_DIR` nor `HOME` says where the state folder is
 */
export function openHome(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Result<Home, StoreFault> {
  const variables = new Map<string, string>()
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined) variables.set(name, value)
  }
  const userDir = userDirOf(variables)
  const stateDir =
    pathFrom(variables.get('EQUABOT_STATE_DIR'), userDir) ?? (userDir && join(userDir, '.equabot'))
  if (!stateDir) return fail({ code: 'EQ_HOME_MISSING' })

  const configPath = pathFrom(variables.get('EQUABOT_CONFIG_PATH'), userDir)
  const token = filled(variables.get('EQUABOT_GATEWAY_TOKEN'))
  const port = filled(variables.get('EQUABOT_GATEWAY_PORT'))
  const agentsDir = join(stateDir, 'agents')
  return ok({
    ...(userDir !== undefined && { userDir }),
    stateDir,
    configPath: configPath ?? join(stateDir, 'equabot.json'),
    envFilePath: join(stateDir, '.env'),
    agentsDir,
    locksDir: join(stateDir, 'locks'),
    grantsDir: join(stateDir, 'grants'),
    logsDir: join(stateDir, 'logs'),
    ledgerPath: join(stateDir, 'ledger.sqlite'),
    gatewayTokenPath: join(stateDir, 'gateway-token'),
    gatewayRecordPath: join(stateDir, 'gateway.json'),
    clientsPath: join(stateDir, 'clients.json'),
    clientKeysDir: join(stateDir, 'client-keys'),
    ...(token !== undefined && { gatewayTokenOverride: new Secret(token) }),
    ...(port !== undefined && { gatewayPortOverride: port }),
    variables,
    bookPath: (agent) => join(agentsDir, agent, 'agent', 'auth-profiles.json'),
    statePath: (agent) => join(agentsDir, agent, 'agent', 'auth-state.json'),
    sessionsDir: (agent) => join(agentsDir, agent, 'sessions'),
    tildify: (path) => tildify(path, userDir),
  })
}

function userDirOf(variables: ReadonlyMap<string, string>): string | undefined {
  const name = process.platform === 'win32' ? 'USERPROFILE' : 'HOME'
  const dir = filled(variables.get(name))
  return dir !== undefined && isAbsolute(dir) ? resolve(dir) : undefined
}

/** Service files pass variables on as they stand, so a leading `~` reaches us unexpanded. */
function pathFrom(text: string | undefined, userDir: string | undefined): string | undefined {
  const path = filled(text)
  if (path === undefined) return undefined
  const inUserDir = userDir !== undefined && (path === '~' || path.startsWith('~/'))
  return inUserDir ? resolve(userDir, `.${path.slice(1)}`) : resolve(path)
}

function filled(text: string | undefined): string | undefined {
  const trimmed = text?.trim()
  return trimmed === '' ? undefined : trimmed
}

function tildify(path: string, userDir: string | undefined): string {
  if (userDir === undefined || userDir === sep) return path
  if (path === userDir) return '~'
  return path.startsWith(userDir + sep) ? `~${path.slice(userDir.length)}` : path
}
