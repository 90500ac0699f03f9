/** How a secret is told apart from another without being shown. */

import { createHash } from 'node:crypto'

import type { Fingerprint } from '../domain/ports.ts'
import type { Secret } from '../domain/secret.ts'

/** Keeps our digests from being looked up in tables of plain SHA-256, or matched with another program's. */
const PURPOSE = 'equabot secret fingerprint 1\0'

/** Below this many characters a secret may be guessable, and its digest would confirm the guess. */
const SHORTEST_SAFE = 20

/** A book's secrets are asked for again and again; each is digested once. */
const digests = new WeakMap<Secret, string>()

/**
 * Eight hex digits of a digest of the secret, or `short` for one that its digest could give away.
 *
 * All short secrets look alike: a digest cannot tell them apart and protect them too.
 */
export const fingerprint: Fingerprint = (secret) => {
  if (secret.length < SHORTEST_SAFE) return 'short'
  const known = digests.get(secret)
  if (known !== undefined) return known
  const digest = createHash('sha256').update(PURPOSE).update(secret.reveal()).digest('hex')
  const short = digest.slice(0, 8)
  digests.set(secret, short)
  return short
}
