/** Lives through many random worlds and counts. */

import fc from 'fast-check'
import type { Distort } from './truth-gateway.ts'
import type { Truth } from './truth.ts'
import { liveThrough } from './truth.ts'
import { modelWorlds } from './worlds.ts'

export interface Explored extends Truth {
  readonly worlds: number
  /** The first disagreement, in the smallest world that has it. */
  readonly disagreement?: string
}

/** @param seed the same seed gives the same worlds */
export async function exploreTruth(
  worlds: number,
  seed: number,
  distort?: Distort,
): Promise<Explored> {
  const sum = { requests: 0, sends: 0, waits: 0, unserved: 0 }
  const details = await fc.check(
    fc.asyncProperty(modelWorlds, async (world) => {
      const truth = await liveThrough(world, distort)
      sum.requests += truth.requests
      sum.sends += truth.sends
      sum.waits += truth.waits
      sum.unserved += truth.unserved
    }),
    // A control has shown enough with the first world; a real disagreement is worth the time to make it small.
    { numRuns: worlds, seed, endOnFailure: distort !== undefined },
  )
  const { errorInstance: cause, counterexample } = details
  return {
    worlds: details.numRuns,
    ...sum,
    ...(details.failed && {
      disagreement: [
        cause instanceof Error ? cause.message : String(cause),
        fc.stringify(counterexample),
      ].join('\n'),
    }),
  }
}
