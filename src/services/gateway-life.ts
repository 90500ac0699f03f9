/** The gateway's life: one per state folder, from the claim to the release. */

import type { Fault } from '../domain/fault.ts'
import { gatewayUrl, HIGHEST_PORT, parsePort } from '../domain/gateway-address.ts'
import type { Clock, GatewayFiles, Log, SettingsStore } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { App, GatewayFace, GatewayOptions, RunningGateway } from './app.ts'

export interface GatewayLifeDeps {
  readonly version: string
  readonly pid: number
  readonly clock: Clock
  readonly log: Log
  readonly settings: SettingsStore
  readonly files: GatewayFiles
  /** `EQUABOT_GATEWAY_PORT` as it was typed. */
  readonly portVariable?: string
  /** Loaded when a gateway is started, not before. */
  readonly face: () => Promise<GatewayFace>
}

/**
 * Claims the state folder, listens, and tells where.
 *
 * @faults `EQ_GATEWAY_RUNNING`, `EQ_GATEWAY_PORT`, `EQ_USAGE` for a bad port, those of settings and token; nothing is
 *   left behind then
 */
export async function startGateway(
  deps: GatewayLifeDeps,
  app: App,
  options: GatewayOptions,
): Promise<Result<RunningGateway, Fault>> {
  const settings = await deps.settings.read()
  if (!settings.ok) return settings
  const port = wantedPort(options.port, deps.portVariable, settings.value.settings.gateway.port)
  if (!port.ok) return port
  const bind = options.bind ?? settings.value.settings.gateway.bind
  const claim = await deps.files.claim()
  if (!claim.ok) return claim

  const listening = await listen(deps, app, { port: port.value, bind })
  if (!listening.ok) {
    await claim.value.release()
    return listening
  }
  const record = {
    pid: deps.pid,
    port: listening.value.port,
    bind,
    startedAt: deps.clock.now(),
    version: deps.version,
  }
  const published = await claim.value.publish(record)
  if (!published.ok) {
    await listening.value.stop()
    await claim.value.release()
    return published
  }
  deps.log.write('info', 'gateway.started', { ...record })
  const beating = new AbortController()
  void app.keeper.run(beating.signal)
  return ok({
    record,
    url: gatewayUrl(record),
    async stop() {
      beating.abort()
      await listening.value.stop()
      await claim.value.release()
      deps.log.write('info', 'gateway.stopped', { pid: record.pid })
    },
  })
}

async function listen(
  deps: GatewayLifeDeps,
  app: App,
  where: { readonly port: number; readonly bind: string },
): Promise<Result<{ readonly port: number; readonly stop: () => Promise<void> }, Fault>> {
  const token = await deps.files.token()
  if (!token.ok) return token
  const face = await deps.face()
  return face.listen(app, { ...where, token: token.value })
}

function wantedPort(
  flag: number | undefined,
  variable: string | undefined,
  configured: number,
): Result<number, Fault> {
  if (flag !== undefined) return ok(flag)
  if (variable === undefined) return ok(configured)
  const port = parsePort(variable)
  return port === undefined
    ? fail({ code: 'EQ_USAGE', detail: `EQUABOT_GATEWAY_PORT must be 0 to ${HIGHEST_PORT}` })
    : ok(port)
}
