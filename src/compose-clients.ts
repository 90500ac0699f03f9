/** Keys of the gateway's callers. */

import { createClientKeys, createClientStore } from './adapters/client-store.ts'
import type { Home } from './adapters/home.ts'
import type { Stores } from './compose-stores.ts'
import type { Ledger } from './domain/ledger.ts'
import type { Clients } from './services/clients.ts'
import { createClients } from './services/clients.ts'
import type { LoadWorld } from './services/world.ts'

export function openClients(
  home: Home,
  { files, locks, clock }: Pick<Stores, 'files' | 'locks' | 'clock'>,
  { ledger, loadWorld }: { readonly ledger: Ledger; readonly loadWorld: LoadWorld },
): Clients {
  return createClients({
    store: createClientStore({ home, locks, files }),
    keys: createClientKeys({ home, files }),
    ledger,
    loadWorld,
    clock,
  })
}
