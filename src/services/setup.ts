/** Points other programs at the gateway: what each needs, and its settings changed accordingly. */

import type { Caller, Client } from '../domain/client.ts'
import { mayUse } from '../domain/client.ts'
import type { ClientKeys } from '../domain/client-ports.ts'
import type { Fault } from '../domain/fault.ts'
import { gatewayUrl, parsePort } from '../domain/gateway-address.ts'
import type { ClientName } from '../domain/names.ts'
import { formatModelKey, parseClientName } from '../domain/names.ts'
import type { GatewayFiles, SettingsStore } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type {
  EditProgramConfig,
  OfferedModel,
  ProgramConfigs,
  SetupFacts,
  SetupProgram,
} from '../domain/setup.ts'
import { isConfigured } from '../domain/setup.ts'
import type { Clients } from './clients.ts'
import type { Report } from './report.ts'
import type { LoadWorld } from './world.ts'

export interface SetupPlan extends SetupFacts {
  readonly program: SetupProgram
  /** Whether a gateway answers there now. */
  readonly running: boolean
  /** Whether the client is there, and a copy of its key where programs find it. */
  readonly hasKey: boolean
  /** Its settings file, and what a new one would hold. */
  readonly config?: { readonly path: string; readonly text: string }
}

export interface SetupDone extends SetupPlan {
  readonly madeClient: boolean
  /** Undefined for those without a settings file. */
  readonly written?: { readonly changed: boolean; readonly backup?: string }
}

export interface Setups {
  /** What a program needs. Changes nothing. @faults `EQ_CLIENT_UNKNOWN`, `EQ_GATEWAY_DOWN` where it would listen is not known */
  plan(program: SetupProgram, client?: string): Promise<Result<SetupPlan, Fault>>
  /**
   * The same, done: a key of its own unless a client is named, and its settings changed.
   *
   * @faults `EQ_CLIENT_KEY_ABSENT`, `EQ_SETUP_UNSAFE`
   */
  write(program: SetupProgram, client?: string): Promise<Result<SetupDone, Fault>>
}

export interface SetupDeps {
  readonly clients: Pick<Clients, 'list' | 'show' | 'add'>
  readonly keys: Pick<ClientKeys, 'path'>
  readonly configs: ProgramConfigs
  readonly edit: EditProgramConfig
  readonly gatewayFiles: Pick<GatewayFiles, 'running'>
  readonly settings: SettingsStore
  readonly report: Pick<Report, 'models'>
  readonly loadWorld: LoadWorld
  readonly stateDir: string
  /** `EQUABOT_GATEWAY_PORT` as it was typed. */
  readonly portVariable?: string
}

export function createSetups(deps: SetupDeps): Setups {
  async function plan(
    program: SetupProgram,
    client: string | undefined,
  ): Promise<Result<SetupPlan, Fault>> {
    const holder = await holderOf(deps, program, client)
    if (!holder.ok) return holder
    const where = await addressOf(deps)
    if (!where.ok) return where
    const models = await offered(deps, holder.value.client)
    if (!models.ok) return models
    const { name, hasKey } = holder.value
    const facts: SetupFacts = {
      url: where.value.url,
      client: name,
      keyPath: deps.keys.path(name),
      models: models.value,
    }
    const planned = { program, ...facts, running: where.value.running, hasKey }
    if (!isConfigured(program)) return ok(planned)
    const path = await deps.configs.find(program)
    if (!path.ok) return path
    const text = deps.edit(program, undefined, facts)
    if (!text.ok) return fail({ code: 'EQ_SETUP_UNSAFE', path: path.value, ...text.fault })
    return ok({ ...planned, config: { path: path.value, text: text.value } })
  }

  return {
    plan,

    async write(program, client) {
      const planned = await plan(program, client)
      if (!planned.ok) return planned
      const checked = await checkConfig(deps, planned.value)
      if (!checked.ok) return checked
      const key = await withKey(deps, planned.value)
      if (!key.ok) return key
      const written = await changed(deps, planned.value)
      if (!written.ok) return written
      return ok({
        ...planned.value,
        hasKey: true,
        madeClient: key.value.made,
        ...(written.value && { written: written.value }),
      })
    },
  }
}

interface Holder {
  readonly name: ClientName
  readonly hasKey: boolean
  /** Absent: there is none yet. */
  readonly client?: Client
}

/** Whose key is used: the client that is named, else one that is called like the program. */
async function holderOf(
  { clients }: SetupDeps,
  program: SetupProgram,
  client: string | undefined,
): Promise<Result<Holder, Fault>> {
  if (client !== undefined) {
    const shown = await clients.show(client)
    if (!shown.ok) return shown
    const { keyPath, client: found } = shown.value
    return ok({ name: found.name, hasKey: keyPath !== undefined, client: found })
  }
  const name = parseClientName(program)
  if (!name)
    return fail({ code: 'EQ_INTERNAL', detail: 'a program has a name that no client can have' })
  const listed = await clients.list()
  if (!listed.ok) return listed
  const known = listed.value.clients.find((entry) => entry.client.name === name)
  return ok({ name, hasKey: known?.keyPath !== undefined, ...(known && { client: known.client }) })
}

/** Before a key is made: a file that cannot be changed must not leave a key behind. */
async function checkConfig(deps: SetupDeps, plan: SetupPlan): Promise<Result<void, Fault>> {
  const { config } = plan
  if (!config || !isConfigured(plan.program)) return ok()
  const text = await deps.configs.read(config.path)
  if (!text.ok) return text
  const edited = deps.edit(plan.program, text.value, plan)
  return edited.ok ? ok() : fail({ code: 'EQ_SETUP_UNSAFE', path: config.path, ...edited.fault })
}

async function withKey(
  { clients }: SetupDeps,
  { client, hasKey }: SetupPlan,
): Promise<Result<{ readonly made: boolean }, Fault>> {
  if (hasKey) return ok({ made: false })
  const added = await clients.add(client, {}, { keep: true })
  if (added.ok) return ok({ made: true })
  return added.fault.code === 'EQ_CLIENT_EXISTS'
    ? fail({ code: 'EQ_CLIENT_KEY_ABSENT', client })
    : added
}

async function changed(
  deps: SetupDeps,
  plan: SetupPlan,
): Promise<Result<SetupDone['written'], Fault>> {
  const { config, program } = plan
  if (!config || !isConfigured(program)) return ok(undefined)
  return deps.configs.edit(config.path, (text) => {
    const edited = deps.edit(program, text, plan)
    return edited.ok
      ? edited
      : fail({ code: 'EQ_SETUP_UNSAFE', path: config.path, ...edited.fault })
  })
}

/** Where the gateway is, or will be once it is started. */
async function addressOf(
  deps: SetupDeps,
): Promise<Result<{ readonly url: string; readonly running: boolean }, Fault>> {
  const record = await deps.gatewayFiles.running()
  if (record) return ok({ url: gatewayUrl(record), running: true })
  const loaded = await deps.settings.read()
  if (!loaded.ok) return loaded
  const { bind, port: configured } = loaded.value.settings.gateway
  const port = parsePort(deps.portVariable ?? '') ?? configured
  if (port === 0) return fail({ code: 'EQ_GATEWAY_DOWN', stateDir: deps.stateDir })
  return ok({ url: gatewayUrl({ bind, port }), running: false })
}

/** The models that the client may pick from, each with the protocol of its provider. */
async function offered(
  { report, loadWorld }: SetupDeps,
  client: Client | undefined,
): Promise<Result<readonly OfferedModel[], Fault>> {
  const loaded = await loadWorld(client?.agent)
  if (!loaded.ok) return loaded
  const listed = await report.models(client?.agent ? { agent: client.agent } : {})
  if (!listed.ok) return listed
  const caller: Caller = client ? { kind: 'client', client } : { kind: 'admin' }
  return ok(
    listed.value.flatMap((model) => {
      if (!mayUse(caller, loaded.value, model)) return []
      const protocol = loaded.value.providers.get(model.provider)?.protocol
      const id = formatModelKey(model)
      return protocol ? [{ id, title: model.known?.name ?? id, protocol }] : []
    }),
  )
}
