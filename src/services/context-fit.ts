/** Whether a request that was too long for one model may fit into another. */

import type { ModelKey } from '../domain/names.ts'
import type { Catalogue } from '../domain/ports.ts'
import type { World } from '../domain/world.ts'
import type { Progress } from './attempt.ts'

/** After a request that was too long for a model, only those are tried that are known to hold more. */
export async function mayFit(
  catalogue: Catalogue | undefined,
  { tooSmall, world }: Pick<Progress, 'tooSmall' | 'world'>,
  model: ModelKey,
): Promise<boolean> {
  if (tooSmall.length === 0) return true
  const own = await windowOf(catalogue, world, model)
  const others = await Promise.all(tooSmall.map((other) => windowOf(catalogue, world, other)))
  return others.every((other) => own !== undefined && other !== undefined && own > other)
}

/** Tokens; undefined: not known. */
async function windowOf(
  catalogue: Catalogue | undefined,
  world: World,
  { provider, model }: ModelKey,
): Promise<number | undefined> {
  const configured = world.settings.models.providers.get(provider)?.models ?? []
  const own = configured.find((entry) => entry.id === model)?.contextWindow
  if (own !== undefined) return own
  const known = await catalogue?.(provider)
  return known?.find((entry) => entry.id === model)?.contextWindow
}
