/** The snapshot of known models that ships with the program. `scripts/catalogue.mjs` renews it. */

import type { ProviderId } from '../domain/names.ts'
import type { Catalogue, KnownModel } from '../domain/ports.ts'

export function createCatalogue(): Catalogue {
  return async function catalogue(provider: ProviderId): Promise<readonly KnownModel[]> {
    const { default: snapshot } = await import('./catalogue.json', { with: { type: 'json' } })
    const models = new Map<string, readonly KnownModel[]>(Object.entries(snapshot))
    return models.get(provider) ?? []
  }
}
