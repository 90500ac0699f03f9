/** `GET /v1/usage`: what the holder of a client's key may still use. */

import { ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import { clientJson } from '../wire/client-json.ts'
import { sendJson } from './exchange.ts'
import type { Route } from './routes.ts'

export function clientRoutes({ clients, clock }: Pick<App, 'clients' | 'clock'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/usage',
      async handle(exchange) {
        const { caller } = exchange
        if (caller.kind !== 'client') {
          sendJson(exchange, 200, { admin: true })
          return ok()
        }
        const { client } = caller
        const spent = await clients.spent(client.name)
        sendJson(exchange, 200, clientJson(client, spent, clock.now()))
        return ok()
      },
    },
  ]
}
