/** How a secret is told apart from another without being shown. */

import { createHash } from 'node:crypto'

import type { Fingerprint } from '../domain/ports.ts'

/** Keeps our digests from being looked up in tables of plain SHA-256, or matched with another program's. */
const PURPOSE = 'equabot secret fingerprint 1\0'

/** Below this many characters a secret may be guessable, and its digest would confirm the guess. */
const SHORTEST_SAFE = 20

/**
 * Eight hex digits of a digest of the secret, or `short` for one that its digest could give away.
 *
 * All short secrets look alike: a digest cannot tell them apart and protect them too.
 */
export const fingerprint: Fingerprint = (secret) =>
  secret.length < SHORTEST_SAFE
    ? 'short'
    : createHash('sha256').update(PURPOSE).update(secret.reveal()).digest('hex').slice(0, 8)
