/** What the last outcome of a renewal is to a person who asks about the login. */

import type { RenewalFault } from '../../domain/fault.ts'
import type { Verdict } from '../../domain/grant.ts'
import { holdMs } from '../../domain/grant.ts'
import type { HeldProfile } from '../../domain/profile.ts'
import type { World } from '../../domain/world.ts'

/** @returns undefined when nothing is wrong with it */
export function verdictFault(
  { id: profile, origin }: HeldProfile,
  verdict: Verdict,
  world: Pick<World, 'now' | 'moment'>,
): RenewalFault | undefined {
  const { outcome, moment } = verdict
  const waitMs = holdMs(verdict, world.moment)
  const again = Number.isFinite(waitMs) ? { againAt: world.now + waitMs } : {}
  switch (outcome.kind) {
    case 'renewed':
      return undefined
    case 'rejected': {
      const { kind: _, ...said } = outcome
      return { code: 'EQ_GRANT_DEAD', profile, origin, at: moment.at, ...said }
    }
    case 'spent':
      return { code: 'EQ_GRANT_SPENT', profile, origin, spentAt: outcome.spentAt }
    case 'not_sent': {
      const { reason, words } = outcome
      return { code: 'EQ_RENEWAL_NOT_SENT', profile, reason, words, ...again }
    }
    case 'not_consumed': {
      const { status, words } = outcome
      return { code: 'EQ_RENEWAL_PUT_OFF', profile, status, words, ...again }
    }
    case 'config': {
      const { error, words } = outcome
      return { code: 'EQ_RENEWAL_CONFIG', profile, error, words }
    }
    case 'ambiguous': {
      const { words, lostAt } = outcome
      return { code: 'EQ_RENEWAL_LOST', profile, words, lostAt, ...again }
    }
    case 'quarantined': {
      const { expected, got } = outcome
      return { code: 'EQ_RENEWAL_ACCOUNT', profile, expected, got }
    }
    case 'kept':
      return { code: 'EQ_RENEWAL_KEPT', profile, words: outcome.words }
    default:
      return outcome satisfies never
  }
}
