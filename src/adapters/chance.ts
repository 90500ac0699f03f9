/** Chance, for spreading things over time; never for secrets. */

/** A number from 0 to 1. */
export function random(): number {
  return Math.random()
}
