/**
 * Tells what an answer has changed in the standing of a credential, and of those that rest with it; what is as it was is
 * not told again, nor is what another request has told since this one began.
 */

import { accountKeys } from '../domain/account.ts'
import type { AgentState, Rest, UpstreamFailure } from '../domain/cooldown.ts'
import { blamesProfile, runningRest } from '../domain/cooldown.ts'
import type { Publish } from '../domain/event.ts'
import type { ModelKey, ProfileId } from '../domain/names.ts'
import { formatModelKey } from '../domain/names.ts'
import type { Candidate } from '../domain/rotation.ts'
import { usageOf } from '../domain/rotation.ts'
import type { EpochMs } from '../domain/time.ts'

/** What one answer has changed. */
export interface Change {
  readonly candidate: Candidate
  readonly model: ModelKey
  /** What was known until this answer. */
  readonly before: AgentState
  readonly after: AgentState
  /** When the world of its request was read: what was told later may not be known there. */
  readonly seenAt: EpochMs
}

export interface CredentialHappenings {
  /** @param now when the answer came */
  success(change: Change, now: EpochMs): void
  failure(change: Change, failure: UpstreamFailure): void
}

/** So many rests are remembered. */
const MOST_REMEMBERED = 10_000

export function createCredentialHappenings(publish: Publish): CredentialHappenings {
  const told = new Map<string, { readonly rest: Rest; readonly profile: ProfileId }>()
  const recovered = new Map<ProfileId, EpochMs>()

  function isNews(key: string, rest: Rest, seenAt: EpochMs): boolean {
    const last = told.get(key)?.rest
    if (!last || last.since < seenAt || !runningRest(last, rest.since)) return true
    return last.source === 'ladder' && rest.source === 'provider'
  }

  function tellRests({ candidate, model, before, after, seenAt }: Change): void {
    const earlier = restsAbout(candidate, model, before)
    const said = new Set<string>()
    for (const [key, rest] of restsAbout(candidate, model, after)) {
      if (rest.until === earlier.get(key)?.until || !isNews(key, rest, seenAt)) continue
      if (told.size >= MOST_REMEMBERED) told.clear()
      told.set(key, { rest, profile: candidate.id })
      recovered.delete(candidate.id)
      const { scope, reason, until } = rest
      // An account may go by several names.
      const news = `${scope} ${until}`
      if (said.has(news)) continue
      said.add(news)
      publish({
        kind: 'credential.resting',
        profile: candidate.id,
        scope,
        ...(scope === 'model' && { model: formatModelKey(model) }),
        reason,
        until,
      })
    }
  }

  return {
    success({ candidate, model, before, after, seenAt }, now) {
      const later = restsAbout(candidate, model, after)
      const back = new Set<ProfileId>()
      for (const key of restsAbout(candidate, model, before).keys()) {
        if (later.has(key)) continue
        // A rest that is shared is over for whomever it was told of.
        back.add(told.get(key)?.profile ?? candidate.id)
        told.delete(key)
      }
      const failure = usageOf(candidate, before)?.lastFailure
      if (failure && blamesProfile(failure.reason)) back.add(candidate.id)
      for (const profile of back) {
        if ((recovered.get(profile) ?? -Infinity) >= seenAt) continue
        recovered.set(profile, now)
        publish({ kind: 'credential.recovered', profile })
      }
    },

    failure(change, { reason, policyRefused }) {
      const { candidate, before } = change
      const isRefused = policyRefused === true || reason === 'auth' || reason === 'permission'
      if (isRefused && usageOf(candidate, before)?.lastFailure?.reason !== reason) {
        publish({
          kind: 'credential.refused',
          profile: candidate.id,
          reason,
          ...(policyRefused && { policy: true }),
        })
      }
      tellRests(change)
    },
  }
}

/** Every rest that keeps this credential from this model, by what rests. */
function restsAbout(
  candidate: Candidate,
  model: ModelKey,
  state: AgentState,
): ReadonlyMap<string, Rest> {
  const { id } = candidate
  const name = formatModelKey(model)
  const usage = usageOf(candidate, state)
  const all: readonly (readonly [string, Rest | undefined])[] = [
    [`profile ${id}`, usage?.rest],
    [`profile ${id} ${name}`, usage?.models?.get(name)],
    [`model ${name}`, state.models.get(name)],
    ...accountKeys(candidate).map((key) => [`account ${key}`, state.accounts?.get(key)] as const),
    [`provider ${model.provider}`, state.providers?.get(model.provider)],
  ]
  return new Map(all.flatMap(([key, rest]) => (rest ? [[key, rest] as const] : [])))
}
