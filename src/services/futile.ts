/** Whom it would be futile to ask: what this request has met, and what others were told meanwhile. */

import type { AgentState, Rest } from '../domain/cooldown.ts'
import { restFor, runningRest, sharedRests } from '../domain/cooldown.ts'
import { formatModelKey } from '../domain/names.ts'
import { usageOf } from '../domain/rotation.ts'
import type { EpochMs } from '../domain/time.ts'
import type { World } from '../domain/world.ts'
import type { Progress, Trial } from './attempt.ts'
import type { LoadWorld } from './world.ts'

/** Whether this round has shown already that the candidate cannot serve, be it with this model or with any. */
export function hasFailed(
  { world, attempts, roundFrom }: Progress,
  { candidate, model }: Pick<Trial, 'candidate' | 'model'>,
): boolean {
  const own = attempts.slice(roundFrom).filter(({ profile }) => profile === candidate.id)
  if (own.some((failed) => failed.model === formatModelKey(model))) return true
  const rests = runningRest(usageOf(candidate, world.state)?.rest, world.now) !== undefined
  return rests && own.length > 0
}

/**
 * What one login has met in this request holds for the others of its account, or of its provider; and how long a provider
 * wants a model to be left alone holds for all.
 */
export function restsWithOthers({ state, now }: World, trial: Trial): boolean {
  const rests = restsOfMany(trial, state, now)
  const before = restsOfMany(trial, trial.request.world.state, now)
  // Not by its time alone: another request may have met it in the millisecond in which this one began.
  return rests.some((rest) => !before.some((known) => isSameRest(known, rest)))
}

function restsOfMany(
  { candidate, model }: Trial,
  state: AgentState,
  now: EpochMs,
): readonly Rest[] {
  const ofModel = runningRest(state.models.get(formatModelKey(model)), now)
  const shared = sharedRests(candidate, model.provider, state, now)
  return ofModel?.source === 'provider' ? [...shared, ofModel] : shared
}

function isSameRest(a: Rest, b: Rest): boolean {
  return a.since === b.since && a.until === b.until && a.scope === b.scope
}

/** While this request was busy with others, another one may have been told to leave this candidate alone. */
export async function isToldToWait(
  loadWorld: LoadWorld | undefined,
  { world }: Progress,
  { candidate, model }: Trial,
): Promise<boolean> {
  const loaded = await loadWorld?.(world.agent)
  if (!loaded?.ok) return false
  return restFor(candidate, model, loaded.value.state, loaded.value.now)?.source === 'provider'
}
