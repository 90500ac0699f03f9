/**
 * What one success or failure teaches about a profile.
 *
 * What it teaches about those that share something with it, an account or a provider, is `nextRest`.
 */

import type { ProfileUsage, Rest, UpstreamFailure } from './cooldown.ts'
import { blamesProfile, currentUsage, mayFailOver, nextRest, restScope } from './cooldown.ts'
import type { QuotaWindow } from './quota.ts'
import { keptQuota } from './quota.ts'
import type { EpochMs } from './time.ts'
import { DAY_MS } from './time.ts'

/** What is known of an answer beside what it says. */
export interface Circumstances {
  /** The login behind the secret. */
  readonly grant?: string
  /** `provider/model`. */
  readonly model?: string
  /** Whether the account behind the secret is known, so that it can rest as one. */
  readonly accountKnown?: boolean
  /** A number from 0 to 1. */
  readonly random?: number
  /** When the request was sent; absent: now. */
  readonly sentAt?: EpochMs
  readonly quota?: readonly QuotaWindow[]
}

/**
 * The usage after a good answer: what it disproves is forgotten.
 *
 * A rest that began after the request was sent, and rests for other models, are not disproved by it.
 */
export function afterSuccess(
  fingerprint: string,
  now: EpochMs,
  { grant, model, sentAt = now, quota = [] }: Circumstances = {},
  before?: ProfileUsage,
): ProfileUsage {
  const known = currentUsage(before, fingerprint, grant)
  const rest = sinceThen(known?.rest, sentAt)
  const models = [...(known?.models ?? [])].filter(
    ([name, entry]) => name !== model || sinceThen(entry, sentAt),
  )
  const failure = rest && known?.lastFailure
  return {
    fingerprint,
    ...(grant !== undefined && { grant }),
    lastUsedAt: now,
    lastGoodAt: now,
    ...(rest && { rest }),
    ...(rest && known?.failures !== undefined && { failures: known.failures }),
    ...(failure && { lastFailure: failure }),
    ...modelRests(models, now),
    ...quotaAfter(known, quota, now),
  }
}

/**
 * The usage after a failure.
 *
 * An overload rests the model for all keys, and some limits an account or a provider (`nextRest`): they leave the
 * profile alone. Attempts during a rest do not extend it. A failure of the line does not hide an earlier one of the
 * credential.
 */
export function afterFailure(
  before: ProfileUsage | undefined,
  failure: UpstreamFailure,
  fingerprint: string,
  now: EpochMs,
  { grant, model, accountKnown = false, random = 0, quota = [] }: Circumstances = {},
): ProfileUsage {
  const known = currentUsage(before, fingerprint, grant)
  const used: ProfileUsage = {
    ...known,
    fingerprint,
    ...(grant !== undefined && { grant }),
    lastUsedAt: now,
    ...quotaAfter(known, quota, now),
  }
  const base: ProfileUsage = {
    ...used,
    lastFailure: { at: now, reason: failure.reason, words: failure.words },
  }
  if (!blamesProfile(failure.reason)) {
    const blamed = known?.lastFailure && blamesProfile(known.lastFailure.reason)
    return mayFailOver(failure.reason) && !blamed ? base : used
  }
  const failures = known?.lastFailure?.reason === failure.reason ? (known.failures ?? 0) + 1 : 1
  const refused = failure.policyRefused && { refusedPolicy: { at: now, words: failure.words } }
  const blamed: ProfileUsage = { ...base, ...refused, failures }
  const scope = restScope(failure, accountKnown)
  if (scope === 'profile') {
    return { ...blamed, rest: nextRest(known?.rest, failure, scope, now, random) }
  }
  if (scope !== 'model' || model === undefined) return blamed
  const rest = nextRest(known?.models?.get(model), failure, scope, now, random)
  return { ...blamed, ...modelRests([...(known?.models ?? []), [model, rest]], now) }
}

/** A rest unless what was sent at this instant and went well disproves it. */
export function sinceThen(rest: Rest | undefined, sentAt: EpochMs): Rest | undefined {
  return rest && rest.since > sentAt ? rest : undefined
}

/** Rests by name without those that are long over. */
export function recentRests(
  rests: Iterable<readonly [string, Rest]>,
  now: EpochMs,
): ReadonlyMap<string, Rest> {
  return new Map([...rests].filter(([, { until }]) => now - until < DAY_MS))
}

function modelRests(
  rests: Iterable<readonly [string, Rest]>,
  now: EpochMs,
): Pick<ProfileUsage, 'models'> {
  const models = recentRests(rests, now)
  return models.size > 0 ? { models } : {}
}

function quotaAfter(
  known: ProfileUsage | undefined,
  seen: readonly QuotaWindow[],
  now: EpochMs,
): Pick<ProfileUsage, 'quota'> {
  const quota = keptQuota(known?.quota ?? [], seen, now)
  return quota.length > 0 ? { quota } : {}
}
