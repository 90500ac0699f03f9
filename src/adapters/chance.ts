/** Chance, for spreading things over time and telling them apart; never for secrets. */

import { randomBytes } from 'node:crypto'

/** A number from 0 to 1. */
export function random(): number {
  return Math.random()
}

/** Ten letters and digits that nothing else of the same moment has. */
export function randomWord(): string {
  return randomBytes(5).toString('hex')
}
