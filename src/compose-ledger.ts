/** What the program has for keeping requests, and its helper has not: the ledger, and what is spent by it. */

import type { Home } from './adapters/home.ts'
import { createLedger } from './adapters/ledger.ts'
import { createPrices } from './adapters/prices.ts'
import type { Stores } from './compose-stores.ts'
import type { Ledger } from './domain/ledger.ts'
import { DEFAULT_SETTINGS } from './domain/settings.ts'
import type { SpentNow } from './services/spending.ts'
import { createSpending } from './services/spending.ts'

/** Opens no file before there is something to write or somebody asks. */
export function openLedger(
  home: Home,
  { clock, log, locks, settings }: Stores,
): { readonly ledger: Ledger; readonly spentNow: SpentNow } {
  const ledger = createLedger({
    path: home.ledgerPath,
    clock,
    log,
    locks,
    price: createPrices(),
    async keep() {
      const loaded = await settings.read()
      return (loaded.ok ? loaded.value.settings : DEFAULT_SETTINGS).ledger
    },
  })
  return { ledger, spentNow: createSpending({ ledger, clock }) }
}
