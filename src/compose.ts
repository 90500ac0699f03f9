/** The only place where adapters meet services. Nothing heavy is loaded here: the gateway's face and HTTP come on use. */

import { join } from 'node:path'
import { createCatalogue } from './adapters/catalogue.ts'
import { createClock } from './adapters/clock.ts'
import { createEnvironmentReader } from './adapters/environment.ts'
import { createFileCheck } from './adapters/file-check.ts'
import { createFiles } from './adapters/files.ts'
import { fingerprint } from './adapters/fingerprint.ts'
import { createGatewayFiles } from './adapters/gateway-files.ts'
import type { Home } from './adapters/home.ts'
import { openHome } from './adapters/home.ts'
import { createLegacyFiles } from './adapters/legacy-files.ts'
import { createLocks } from './adapters/lock.ts'
import { createLog, createLogFile, writeToStderr } from './adapters/log.ts'
import { createProfileStore } from './adapters/profile-store.ts'
import { createSandbox } from './adapters/sandbox.ts'
import { issueSandboxGrant } from './adapters/sandbox/grants.ts'
import { SANDBOX_KEYS } from './adapters/sandbox/keys.ts'
import { createSessionStore } from './adapters/sessions.ts'
import { createSettingsStore } from './adapters/settings.ts'
import { createShellEnvironment } from './adapters/shell-env.ts'
import { createStateStore } from './adapters/state-store.ts'
import { createTerminalProgram } from './adapters/terminal-program.ts'
import { createUpstream } from './adapters/upstream-http.ts'
import type { Fault } from './domain/fault.ts'
import { refreshMarks } from './domain/foreign.ts'
import type { Result } from './domain/result.ts'
import { fail, ok } from './domain/result.ts'
import { createAgents } from './services/agents.ts'
import type { App } from './services/app.ts'
import { createConversation } from './services/conversation.ts'
import { createDispatch } from './services/dispatch.ts'
import { startGateway } from './services/gateway-life.ts'
import { createImports } from './services/import.ts'
import { createModelSettings } from './services/model-settings.ts'
import { createOrders } from './services/order.ts'
import { createReport } from './services/report.ts'
import { createSetupTokens } from './services/setup-token.ts'
import { createVault } from './services/vault.ts'
import { createLoadWorld } from './services/world.ts'
import { VERSION } from './version.ts'
import { CHAT_CODECS } from './wire/chat-codecs.ts'
import { judgeReply } from './wire/upstream-reply.ts'

/** The program on this machine. @faults `EQ_HOME_MISSING` */
export async function compose(): Promise<Result<App, Fault>> {
  const home = openHome()
  return home.ok ? ok(assemble(home.value)) : home
}

function assemble(home: Home): App {
  const stores = openStores(home)
  const { clock, files, log, settings, profiles, states, sessions, gatewayFiles } = stores
  const sandbox = createSandbox({ clock })
  const upstream = createUpstream({
    userAgent: `equabot/${VERSION}`,
    proxyVariables: home.variables,
    sandboxOrigin: sandbox.origin,
  })

  const loadWorld = createLoadWorld({
    clock,
    settings,
    environment: stores.environment,
    profiles,
    states,
    fingerprint,
  })
  const dispatch = createDispatch({ upstream, states, judge: judgeReply, clock, log })
  const vault = createVault({
    loadWorld,
    profiles,
    states,
    settings,
    sessions,
    clock,
    fingerprint,
    sandboxGrant: (now) => ({ type: 'oauth', ...issueSandboxGrant(now) }),
  })

  const app: App = {
    version: VERSION,
    clock,
    log,
    stateDir: home.stateDir,
    show: home.tildify,
    loadWorld,
    settings,
    profiles,
    sessions,
    vault,
    setupTokens: createSetupTokens({
      loadWorld,
      programs: createTerminalProgram({ variables: home.variables }),
      vault,
      dispatch,
      codecs: CHAT_CODECS,
      clock,
    }),
    imports: createImports({
      loadWorld,
      legacy: createLegacyFiles({ home, files }),
      profiles,
      settings,
      clock,
      async foreignMarks() {
        const world = await loadWorld()
        return world.ok ? refreshMarks(world.value.foreign) : new Set()
      },
    }),
    orders: createOrders({ loadWorld, profiles }),
    report: createReport({
      catalogue: createCatalogue(),
      checkFiles: createFileCheck({ home, files }),
      loadWorld,
      settings,
      profiles,
      sessions,
    }),
    modelSettings: createModelSettings({ loadWorld, settings }),
    agents: createAgents({ loadWorld, settings, profiles, sessions }),
    conversation: createConversation({ loadWorld, dispatch, sessions, codecs: CHAT_CODECS, clock }),
    dispatch,
    gatewayFiles,
    startGateway(options) {
      stores.logToStderr(options.logToStderr ?? false)
      return startGateway(
        {
          version: VERSION,
          pid: process.pid,
          clock,
          log,
          settings,
          files: gatewayFiles,
          ...(home.gatewayPortOverride !== undefined && { portVariable: home.gatewayPortOverride }),
          face: async () => (await import('./gateway/server.ts')).createGatewayFace(),
        },
        app,
        options,
      )
    },
    async gatewayClient() {
      const record = await gatewayFiles.running()
      if (!record) return fail({ code: 'EQ_GATEWAY_DOWN', stateDir: home.stateDir })
      const token = await gatewayFiles.token()
      if (!token.ok) return token
      const { createGatewayClient } = await import('./adapters/gateway-client.ts')
      return ok(createGatewayClient({ record, token: token.value }))
    },
    sandboxKeys: SANDBOX_KEYS,
    async close() {
      await upstream.close()
      await sandbox.close()
      return states.flush()
    },
  }
  return app
}

/** What stands on this machine's disk and in its environment. */
function openStores(home: Home) {
  const clock = createClock()
  const files = createFiles()
  const locks = createLocks({ clock, dir: home.locksDir })
  const logFile = createLogFile(join(home.logsDir, 'equabot.log'))
  let echo = false
  const log = createLog({
    clock,
    write(line) {
      logFile(line)
      if (echo) writeToStderr(line)
    },
  })
  const settings = createSettingsStore({ home, locks, files })
  const profiles = createProfileStore({ clock, home, locks, files })
  const states = createStateStore({ clock, home, locks, files })
  const sessions = createSessionStore({ home, locks, files })
  const gatewayFiles = createGatewayFiles({ clock, home, locks, files })
  const environment = createEnvironmentReader({
    variables: home.variables,
    envFilePath: home.envFilePath,
    files,
    shell: createShellEnvironment({ variables: home.variables }),
  })
  return {
    clock,
    files,
    log,
    logToStderr: (wanted: boolean) => {
      echo = wanted
    },
    settings,
    profiles,
    states,
    sessions,
    gatewayFiles,
    environment,
  }
}
