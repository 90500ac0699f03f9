/** The world after a request has waited: meanwhile a login may have ended, and another may have come. */

import type { Clock } from '../domain/ports.ts'
import type { EpochMs } from '../domain/time.ts'
import type { World } from '../domain/world.ts'
import type { Progress } from './attempt.ts'
import type { LoadWorld } from './world.ts'

export interface SecondLookDeps {
  readonly clock: Clock
  /** Absent: what was known before the wait is all that is known. */
  readonly loadWorld?: LoadWorld
}

/** A new round of the request begins with it. */
export async function lookAgain(deps: SecondLookDeps, progress: Progress): Promise<void> {
  const { world } = progress
  const loaded = await deps.loadWorld?.(world.agent)
  progress.world = loaded?.ok ? loaded.value : later(world, deps.clock.now())
  progress.found = progress.world
  progress.meant = undefined
  progress.roundFrom = progress.attempts.length
}

function later(world: World, now: EpochMs): World {
  const moment = { ...world.moment, at: now, upMs: world.moment.upMs + (now - world.now) }
  return { ...world, now, moment }
}
