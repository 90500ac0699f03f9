/** The only place where adapters meet services. Nothing heavy is loaded here: the gateway's face and HTTP come on use. */

import { createBrowser } from './adapters/browser.ts'
import { createCatalogue } from './adapters/catalogue.ts'
import { random, randomWord } from './adapters/chance.ts'
import { createFileCheck } from './adapters/file-check.ts'
import { fingerprint } from './adapters/fingerprint.ts'
import type { Home } from './adapters/home.ts'
import { openHome } from './adapters/home.ts'
import { createRenewalHelper, helperEnvironment } from './adapters/renewal-helper.ts'
import { createLegacyFiles } from './adapters/legacy-files.ts'
import { createSandbox } from './adapters/sandbox.ts'
import { issueSandboxGrant } from './adapters/sandbox/grants.ts'
import { SANDBOX_KEYS } from './adapters/sandbox/keys.ts'
import { createTerminalProgram } from './adapters/terminal-program.ts'
import type { ClosableUpstream } from './adapters/upstream-http.ts'
import { createUpstream } from './adapters/upstream-http.ts'
import { openClients } from './compose-clients.ts'
import { openLedger } from './compose-ledger.ts'
import { marksOfOwners, marksOfSpent, openStores, openWorld } from './compose-stores.ts'
import type { Fault } from './domain/fault.ts'
import type { Clock } from './domain/ports.ts'
import type { LoginFlow } from './domain/renewal-ports.ts'
import { requestId } from './domain/ledger.ts'
import type { Result } from './domain/result.ts'
import { fail, ok } from './domain/result.ts'
import { createAgents } from './services/agents.ts'
import type { App } from './services/app.ts'
import { createBudgetWatch } from './services/budget-watch.ts'
import { createConversation } from './services/conversation.ts'
import { createCooldowns } from './services/cooldowns.ts'
import { createCredentials } from './services/credentials.ts'
import { createCredentialWatch, watchedRenewals } from './services/credential-watch.ts'
import { createCrossings } from './services/crossings.ts'
import { createDispatch } from './services/dispatch.ts'
import { createEvents, logEvents } from './services/events.ts'
import { startGateway } from './services/gateway-life.ts'
import { createKeeper } from './services/keeper.ts'
import { createLessons } from './services/lessons.ts'
import { createLogin } from './services/login.ts'
import { createImports } from './services/import.ts'
import { createModelSettings } from './services/model-settings.ts'
import { createOrders } from './services/order.ts'
import { createProbe } from './services/probe.ts'
import { createRefusals } from './services/refusals.ts'
import { createRenewals } from './services/renewal.ts'
import { createRecordedDispatch } from './services/recording.ts'
import { createReport } from './services/report.ts'
import { watchedSessions } from './services/session-watch.ts'
import { createSetupTokens } from './services/setup-token.ts'
import { createUsage } from './services/usage.ts'
import { createVault } from './services/vault.ts'
import { createResolveWorld } from './services/world.ts'
import { VERSION } from './version.ts'
import { CHAT_CODECS } from './wire/chat-codecs.ts'
import { readQuota } from './wire/rate-headers.ts'
import { probeRequest } from './wire/probe-dialects.ts'
import { hearProbe } from './wire/probe-reply.ts'
import { BEGINNINGS } from './wire/reply-beginning.ts'
import { safeWords } from './wire/safe-words.ts'
import { judgeReply } from './wire/upstream-reply.ts'
import { createUsagePeek } from './wire/usage-peek.ts'

/** Longest model or client name that a record keeps, characters. */
const MOST_KEPT = 120

/**
 * The program on this machine.
 *
 * @param helperScript the script of the process that renews
 * @faults `EQ_HOME_MISSING`
 */
export async function compose(helperScript: string): Promise<Result<App, Fault>> {
  const home = openHome()
  return home.ok ? ok(assemble(home.value, helperScript)) : home
}

function assemble(home: Home, helperScript: string): App {
  const stores = openStores(home)
  const { clock, files, log, settings, profiles, states, gatewayFiles } = stores
  const { ledger, spentNow } = openLedger(home, stores)
  const events = createEvents({ clock, random })
  logEvents(events, log)
  const sessions = watchedSessions(stores.sessions, events.publish)
  const sandbox = createSandbox({ clock })
  const upstream = createUpstream({
    userAgent: `equabot/${VERSION}`,
    proxyVariables: home.variables,
    sandboxOrigin: sandbox.origin,
  })

  const budgets = createBudgetWatch({ publish: events.publish, clock })
  const { loadWorld, foreign, adopt } = openWorld(stores, budgets.watched(spentNow))
  const resolveWorld = createResolveWorld(loadWorld, adopt)
  const watch = createCredentialWatch({ publish: events.publish })
  const ownRenewals = createRenewals({
    loadWorld,
    profiles,
    grants: stores.grants,
    stopwatch: stores.stopwatch,
    adopt,
    helper: createRenewalHelper({
      clock,
      locks: stores.locks,
      script: helperScript,
      environment: helperEnvironment(home),
      random,
    }),
  })
  const renewals = watchedRenewals(ownRenewals, { loadWorld, watch })
  const credentials = createCredentials({ renewals, clock, fingerprint })
  const catalogue = createCatalogue()
  const lessons = createLessons({ states, clock, random })
  const record = {
    ledger,
    clock,
    newId: randomWord,
    safe: (text: string) => safeWords(text, MOST_KEPT),
  }
  const dispatch = createRecordedDispatch({
    dispatch: createDispatch({
      upstream,
      lessons,
      judge: judgeReply,
      beginnings: BEGINNINGS,
      readQuota,
      catalogue,
      loadWorld: resolveWorld,
      random,
      credentials,
      clock,
      log,
      publish: events.publish,
    }),
    ...record,
    watch: createUsagePeek,
  })
  const refused = createRefusals(record)
  const logins = lazyLoginFlow(upstream, clock)
  const vault = createVault({
    grants: stores.grants,
    loadWorld,
    profiles,
    states,
    settings,
    sessions,
    clock,
    fingerprint,
    logins,
    sandboxGrant: (now) => ({ type: 'oauth', ...issueSandboxGrant(now) }),
  })

  const clients = openClients(home, stores, { ledger, loadWorld })
  const report = createReport({
    catalogue,
    checkFiles: createFileCheck({ home, files }),
    loadWorld,
    resolveWorld,
    settings,
    profiles,
    sessions,
  })

  const app: App = {
    version: VERSION,
    pid: process.pid,
    clock,
    log,
    events,
    stateDir: home.stateDir,
    show: home.tildify,
    loadWorld,
    resolveWorld,
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
    foreign,
    login: createLogin({
      loadWorld,
      profiles,
      settings,
      states,
      clock,
      fingerprint,
      logins,
      grants: stores.grants,
    }),
    browser: createBrowser({ variables: home.variables, platform: process.platform }),
    imports: createImports({
      loadWorld,
      legacy: createLegacyFiles({ home, files }),
      profiles,
      settings,
      clock,
      foreignMarks: (prompting) => marksOfOwners(stores.foreign, prompting),
      spentMarks: () => marksOfSpent(stores.grants),
    }),
    orders: createOrders({ loadWorld, profiles }),
    cooldowns: createCooldowns({ loadWorld, states }),
    report,
    modelSettings: createModelSettings({ loadWorld, settings }),
    agents: createAgents({ loadWorld, settings, profiles, sessions }),
    conversation: createConversation({
      loadWorld: resolveWorld,
      dispatch,
      sessions,
      codecs: CHAT_CODECS,
      clock,
      catalogue,
      crossings: createCrossings(events),
      refused,
    }),
    dispatch,
    refused,
    probe: createProbe({
      resolveWorld,
      credentials,
      upstream,
      request: probeRequest,
      hear: hearProbe,
      lessons,
      readQuota,
      settle: () => states.flush(),
      record: (record) => ledger.append({ ...record, id: requestId(clock.now(), randomWord()) }),
      clock,
    }),
    ledger,
    clients,
    async openSetups() {
      const { composeSetups } = await import('./compose-setup.ts')
      return composeSetups({ home, stores, loadWorld, clients, report })
    },
    usage: createUsage({ ledger, settings, spentNow, clock }),
    renewals,
    keeper: createKeeper({
      loadWorld,
      settings,
      adopt,
      renewals,
      watch,
      clock,
      stopwatch: stores.stopwatch,
      log,
      random,
    }),
    gatewayFiles,
    async openDoctor(prompting) {
      const { composeDoctor } = await import('./compose-doctor.ts')
      return composeDoctor({ home, stores, loadWorld, foreign, renewals, prompting })
    },
    startGateway(options) {
      stores.logToStderr(options.logToStderr ?? false)
      budgets.begin()
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
      await ledger.close()
      return states.flush()
    },
  }
  return app
}

/** The login flow, loaded by the first login. */
function lazyLoginFlow(upstream: ClosableUpstream, clock: Clock): LoginFlow {
  let flow: Promise<LoginFlow> | undefined
  const load = (): Promise<LoginFlow> =>
    (flow ??= import('./adapters/oauth-login.ts').then(({ createLoginFlow }) =>
      createLoginFlow({ upstream, locate: (url) => upstream.locate(url), clock }),
    ))
  return {
    begin: async (...given) => (await load()).begin(...given),
    revoke: async (...given) => (await load()).revoke(...given),
  }
}
