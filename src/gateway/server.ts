/** The gateway's HTTP server: where it listens, what it serves, how it stops. */

import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { SECOND_MS } from '../domain/time.ts'
import type { App, GatewayFace } from '../services/app.ts'
import { createAdmission } from './admission.ts'
import { clientRoutes } from './client-routes.ts'
import { createConnections } from './connections.ts'
import { controlRoutes } from './control-routes.ts'
import { createGuard } from './guard.ts'
import { healthRoutes } from './health-routes.ts'
import { createKeyWatch } from './key-watch.ts'
import type { Limits } from './limits.ts'
import { USUAL_LIMITS } from './limits.ts'
import { modelRoutes } from './model-routes.ts'
import { proxyRoutes } from './proxy-routes.ts'
import { createReplies } from './replies.ts'
import type { Route } from './routes.ts'
import type { Gateway } from './serve.ts'
import { serve } from './serve.ts'
import { cutSlowReaders } from './slow-readers.ts'

/** How long a caller may take to read the last event of a reply that was ended, ms. */
const FLUSH_TIMEOUT_MS = SECOND_MS

/** Settings under `gateway` count from the start on; a change needs a restart. */
export function createGatewayFace(limits: Limits = USUAL_LIMITS): GatewayFace {
  return {
    async listen(app, { port, bind, token }) {
      const settings = await app.settings.read()
      if (!settings.ok) return settings
      const { allowedHosts, allowedOrigins, maxBodyBytes, drainTimeoutMs } =
        settings.value.settings.gateway
      const server = createServer({
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        connectionsCheckingInterval: limits.lookMs,
        maxHeaderSize: limits.headerBytes,
      })
      const connections = createConnections(limits)
      server.on('connection', (socket) => connections.take(socket))
      const listening = await listen(server, port, bind)
      if (!listening.ok) return listening

      const replies = createReplies()
      const stopped = new AbortController()
      const gateway: Gateway = {
        app,
        guard: createGuard({
          port: listening.value,
          bind,
          allowedHosts,
          allowedOrigins,
          token,
          app,
        }),
        admit: createAdmission(app),
        keyWatch: createKeyWatch(app, replies, stopped.signal),
        trusts: (socket) => connections.trust(socket),
        routes: gatewayRoutes(app, () => replies.stopping),
        replies,
        maxBodyBytes,
        bodyIdleMs: limits.bodyIdleMs,
      }
      answerRequests(server, gateway)
      void cutSlowReaders(replies, app.clock, limits, stopped.signal)
      let stopping: Promise<void> | undefined
      return ok({
        port: listening.value,
        stop: () =>
          (stopping ??= stop(server, gateway, drainTimeoutMs).finally(() => stopped.abort())),
      })
    },
  }
}

function answerRequests(server: Server, gateway: Gateway): void {
  server.on('request', (request, response) => void serve(gateway, request, response))
  // Whoever asks before it sends its body is answered by the same rules, and asked for it only when they let it pass.
  server.on('checkContinue', (request, response) => void serve(gateway, request, response))
  server.on('upgrade', (_request, socket) => {
    // Node listens to this connection no more, and an error that nobody hears would end the program.
    socket.on('error', () => socket.destroy())
    socket.end('HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
}

/** @param stopping whether the gateway takes no new requests any more */
export function gatewayRoutes(app: App, stopping: () => boolean): readonly Route[] {
  return [
    ...healthRoutes(app, stopping),
    ...proxyRoutes(app),
    ...modelRoutes(app),
    ...clientRoutes(app),
    ...controlRoutes(app),
  ]
}

function listen(server: Server, port: number, bind: string): Promise<Result<number, Fault>> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(fail({ code: 'EQ_GATEWAY_PORT', bind, port, errno: error.code ?? error.name }))
    })
    server.listen(port, bind, () => {
      const address = server.address()
      resolve(ok(typeof address === 'object' && address ? address.port : port))
    })
  })
}

/** Lets running replies end within the drain time, then ends them with an event that says why. */
async function stop(server: Server, gateway: Gateway, drainTimeoutMs: number): Promise<void> {
  const { replies, app } = gateway
  const closed = new Promise((resolve) => server.close(resolve))
  replies.refuseNew()
  await within(app, drainTimeoutMs, replies.ended())
  replies.endAll()
  await within(app, FLUSH_TIMEOUT_MS, replies.ended())
  server.closeAllConnections()
  await closed
}

async function within(app: App, limitMs: number, work: Promise<void>): Promise<void> {
  const timer = new AbortController()
  await Promise.race([work, app.clock.sleep(limitMs, timer.signal)])
  timer.abort()
}
