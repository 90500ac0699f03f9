/** Whether the gateway lives and takes requests: for service managers, load balancers and clients that knock first. */

import { ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import { sendJson } from './exchange.ts'
import type { Route } from './routes.ts'

/** @param stopping whether the gateway takes no new requests any more */
export function healthRoutes(
  app: Pick<App, 'clock' | 'version'>,
  stopping: () => boolean,
): readonly Route[] {
  const startedAt = app.clock.now()
  return [
    {
      method: 'GET',
      path: '/healthz',
      open: true,
      async handle(exchange) {
        const uptimeMs = app.clock.now() - startedAt
        sendJson(exchange, 200, { version: app.version, uptimeMs, ready: !stopping() })
        return ok()
      },
    },
    {
      method: 'GET',
      path: '/readyz',
      open: true,
      async handle(exchange) {
        sendJson(exchange, stopping() ? 503 : 200, { ready: !stopping() })
        return ok()
      },
    },
    {
      method: 'HEAD',
      path: '/',
      async handle({ response }) {
        response.writeHead(200).end()
        return ok()
      },
    },
  ]
}
