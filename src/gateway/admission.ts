/** What the holder of a client's key may reach, how often, and for how much. */

import type { Bucket, Caller } from '../domain/client.ts'
import { budgetReached, takeOne } from '../domain/client.ts'
import type { Fault } from '../domain/fault.ts'
import type { ClientName } from '../domain/names.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import type { Route } from './routes.ts'

/** @faults `EQ_CLIENT_ADMIN_ONLY`, `EQ_CLIENT_RATE`, `EQ_CLIENT_BUDGET` */
export type Admit = (
  caller: Caller,
  route: Pick<Route, 'method' | 'path'>,
) => Promise<Result<void, Fault>>

/** The model API under its prefixes, and the knock of a client that wants to know whether anybody is there. */
const FOR_CLIENTS = /^\/(?:(?:(?:anthropic|openai)\/)?v1\/.+)?$/

export function createAdmission({ clients, clock }: Pick<App, 'clients' | 'clock'>): Admit {
  const buckets = new Map<ClientName, Bucket>()

  return async function admit(caller, { method, path }) {
    if (caller.kind !== 'client') return ok()
    const { client } = caller
    const { name, rate, budget } = client
    if (!FOR_CLIENTS.test(path)) return fail({ code: 'EQ_CLIENT_ADMIN_ONLY', client: name })
    // Looking costs nothing: only what goes to a provider counts.
    if (method !== 'POST') return ok()
    if (rate) {
      const taken = takeOne(buckets.get(name), rate, clock.now())
      buckets.set(name, taken.bucket)
      const { waitMs } = taken
      if (waitMs > 0) return fail({ code: 'EQ_CLIENT_RATE', client: name, waitMs })
    }
    const reached = budget && budgetReached(client, await clients.spent(name), clock.now())
    return reached ? fail({ code: 'EQ_CLIENT_BUDGET', client: name, budget: reached }) : ok()
  }
}
