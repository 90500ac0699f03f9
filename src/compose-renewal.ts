/** The helper process put together: what `compose.ts` is to the program. */

import { randomBytes } from 'node:crypto'

import { random } from './adapters/chance.ts'
import { openHome } from './adapters/home.ts'
import { createOwnerProgram } from './adapters/owner-program.ts'
import { grantLock } from './adapters/renewal-helper.ts'
import { createSandbox } from './adapters/sandbox.ts'
import { createTokenEndpoint } from './adapters/token-endpoint.ts'
import { createUpstream } from './adapters/upstream-http.ts'
import { openStores, openWorld, sourcesOf } from './compose-stores.ts'
import type { Fault } from './domain/fault.ts'
import { FOREIGN_ORIGINS } from './domain/foreign.ts'
import type { RenewalOrder } from './domain/renewal-ports.ts'
import type { Result } from './domain/result.ts'
import { fail, ok } from './domain/result.ts'
import type { RenewalEnd } from './services/renewal-job.ts'
import { carryOut } from './services/renewal-work.ts'
import { VERSION } from './version.ts'
import { judgeTokenAnswer } from './wire/token-response.ts'

/**
 * Renews one login under its grant's lock.
 *
 * @returns `busy` when another helper holds the grant
 * @faults those of loading the world and of the lock
 */
export async function renewForOrder(
  order: RenewalOrder,
): Promise<Result<RenewalEnd | 'busy', Fault>> {
  const home = openHome()
  if (!home.ok) return home
  const stores = openStores(home.value)
  const { clock, stopwatch, locks, profiles, grants, log } = stores
  const lock = await locks.tryHold(grantLock(order.grant))
  if (!lock.ok) return fail(lock.fault)
  if (!lock.value) return ok('busy')

  const sandbox = createSandbox({ clock })
  const upstream = createUpstream({
    userAgent: `equabot/${VERSION}`,
    proxyVariables: home.value.variables,
    sandboxOrigin: sandbox.origin,
  })
  const { loadWorld, adopt } = openWorld(stores)
  const end = await carryOut(
    {
      clock,
      stopwatch,
      endpoint: createTokenEndpoint({
        userAgent: `equabot/${VERSION}`,
        exchange: upstream.exchange,
        locate: upstream.locate,
      }),
      judge: judgeTokenAnswer,
      random,
      newId: () => randomBytes(8).toString('hex'),
      connectTimeoutMs: CONNECT_MS,
      loadWorld,
      profiles,
      grants,
      sources: sourcesOf(stores.foreign),
      owners: stores.foreign.claudeCode ? [stores.foreign.claudeCode] : [],
      programs: FOREIGN_ORIGINS.map((origin) =>
        createOwnerProgram({
          origin,
          variables: home.value.variables,
          folder: home.value.stateDir,
        }),
      ),
      adopt,
    },
    order,
  )
  const told = end.ok ? { end: end.value } : { code: end.fault.code }
  const { agent, profile, grant, urge } = order
  log.write('info', 'renewal.ended', { agent, profile, grant, urge, ...told })
  await upstream.close()
  await sandbox.close()
  lock.value.release()
  return end
}

export { HELPER_BUSY } from './adapters/renewal-helper.ts'

/** Longest wait for the token endpoint to take the connection, ms. */
const CONNECT_MS = 8_000
