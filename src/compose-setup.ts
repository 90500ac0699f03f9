/** What points other programs at the gateway. Loaded by the command that does. */

import { createClientKeys } from './adapters/client-store.ts'
import type { Home } from './adapters/home.ts'
import { createProgramConfigs } from './adapters/program-configs.ts'
import type { Stores } from './compose-stores.ts'
import type { Clients } from './services/clients.ts'
import type { Report } from './services/report.ts'
import type { Setups } from './services/setup.ts'
import { createSetups } from './services/setup.ts'
import type { LoadWorld } from './services/world.ts'
import { editProgramConfig } from './wire/program-config.ts'

export function composeSetups(given: {
  readonly home: Home
  readonly stores: Stores
  readonly loadWorld: LoadWorld
  readonly clients: Clients
  readonly report: Report
}): Setups {
  const { home, stores, loadWorld, clients, report } = given
  const { files, clock, settings, gatewayFiles } = stores
  return createSetups({
    clients,
    keys: createClientKeys({ home, files }),
    configs: createProgramConfigs({ home, files, clock }),
    edit: editProgramConfig,
    gatewayFiles,
    settings,
    report,
    loadWorld,
    stateDir: home.stateDir,
    ...(home.gatewayPortOverride !== undefined && { portVariable: home.gatewayPortOverride }),
  })
}
