/** Names that nobody can guess and no two things share. */

import { randomBytes } from 'node:crypto'

import type { Ids } from '../domain/ports.ts'

export function createIds(): Ids {
  return { random: () => randomBytes(16).toString('hex') }
}
