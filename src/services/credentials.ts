/** A usable credential for a candidate: as it stands, or renewed first. And a better one after a provider's 401. */

import type { OauthCredential } from '../domain/credential.ts'
import { isExpired } from '../domain/credential.ts'
import type { Fault } from '../domain/fault.ts'
import type { AgentId } from '../domain/names.ts'
import type { Clock, Fingerprint } from '../domain/ports.ts'
import { canRenew, freshness } from '../domain/renewal-rules.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Candidate } from '../domain/rotation.ts'
import { SECOND_MS } from '../domain/time.ts'
import type { Renewals } from './renewal.ts'

export interface Credentials {
  /**
   * The candidate with a secret that serves now.
   *
   * @param hasRivals another candidate could serve meanwhile, so a slow renewal is not waited for
   * @param longestMs a renewal is not waited for longer than this either
   * @faults those of renewing
   */
  acquire(
    agent: AgentId,
    candidate: Candidate,
    hasRivals: boolean,
    longestMs?: number,
  ): Promise<Result<Candidate, Fault>>
  /** The candidate with another secret than the one that was refused; undefined when there is none. */
  afterRefusal(
    agent: AgentId,
    candidate: Candidate,
    longestMs?: number,
  ): Promise<Candidate | undefined>
}

export interface CredentialsDeps {
  readonly renewals: Renewals
  readonly clock: Clock
  readonly fingerprint: Fingerprint
}

/** How long a renewal may hold up a request that somebody else could serve, ms. */
const SHORT_WAIT_MS: number = 10 * SECOND_MS
const LONG_WAIT_MS: number = 40 * SECOND_MS

export function createCredentials(deps: CredentialsDeps): Credentials {
  const renewed = (candidate: Candidate, credential: OauthCredential): Candidate => ({
    ...candidate,
    credential,
    fingerprint: deps.fingerprint(credential.access),
  })

  return {
    async acquire(agent, candidate, hasRivals, longestMs = LONG_WAIT_MS) {
      const { credential } = candidate
      if (credential?.type !== 'oauth' || !canRenew(candidate.grant)) return ok(candidate)
      const now = deps.clock.now()
      if (freshness(credential, now) !== 'stale') return ok(candidate)
      const answer = await deps.renewals.renew({
        agent,
        profile: candidate.id,
        unwanted: credential.access,
        urge: 'use',
        waitMs: Math.min(longestMs, hasRivals ? SHORT_WAIT_MS : LONG_WAIT_MS),
      })
      if (answer.ok) return ok(renewed(candidate, answer.value))
      // What still serves for a moment serves this request.
      return isExpired(credential, deps.clock.now()) ? fail(answer.fault) : ok(candidate)
    },

    async afterRefusal(agent, candidate, longestMs = LONG_WAIT_MS) {
      const { credential } = candidate
      if (credential?.type !== 'oauth' || !candidate.grant) return undefined
      const answer = await deps.renewals.renew({
        agent,
        profile: candidate.id,
        unwanted: credential.access,
        urge: 'refused',
        waitMs: Math.min(longestMs, LONG_WAIT_MS),
      })
      if (!answer.ok || answer.value.access.equals(credential.access)) return undefined
      return renewed(candidate, answer.value)
    },
  }
}
