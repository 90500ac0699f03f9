/** Who may serve a request, whom it means first, and for whom it is worth waiting. */

import type { FailureReason } from '../domain/cooldown.ts'
import type { Fault } from '../domain/fault.ts'
import type { ResolvedModel } from '../domain/models.ts'
import { pinFor } from '../domain/models.ts'
import type { ProfileId, ProviderId } from '../domain/names.ts'
import { formatModelKey, providerOf } from '../domain/names.ts'
import type { Payer, Ranked } from '../domain/rotation.ts'
import type { EpochMs } from '../domain/time.ts'
import { meantFor, rankFor } from '../domain/world.ts'
import type { Progress } from './attempt.ts'
import { hostOf } from './hearing.ts'
import type { DispatchRequest } from './dispatch.ts'
import { hasFailed } from './futile.ts'

/** One request never costs more tries than this, however many profiles there are. */
export const MOST_ATTEMPTS = 5

/** All rest; the first of them is waited for. */
export interface Wait {
  readonly provider: ProviderId
  readonly profile: ProfileId
  readonly until: EpochMs
}

/** The candidates for one of the models, as they stand now. */
export function rankTurn(
  progress: Progress,
  request: DispatchRequest,
  model: ResolvedModel,
  index: number,
): readonly Ranked[] {
  const meant = index === 0 ? undefined : meantBy(request, progress)
  return rankFor(progress.world, model, pinOf(request, model), {
    ...(request.keep && { keep: request.keep }),
    ...(meant && { meant }),
  })
}

/** So often a provider may fail by itself before one of the models that stand in is asked. */
const MOST_OWN_FAILURES = 2
/** What is no credential's fault. */
const OWN_FAILURES: ReadonlySet<FailureReason> = new Set(['server_error', 'timeout', 'network'])

/**
 * Whether a model that stands in is asked before this candidate, though the candidate's turn has come.
 *
 * A request has only so many tries. What a provider fails by itself is not its credentials' fault, so a third one is not
 * asked at once; and of those that rest by our own guess one is enough while somebody stands ready who is well.
 */
export function looksElsewhere(
  progress: Progress,
  request: DispatchRequest,
  { candidate, why }: Ranked,
  { model, index }: { readonly model: ResolvedModel; readonly index: number },
): boolean {
  const sent = progress.attempts
    .slice(progress.roundFrom)
    .filter(({ fault, profile }) => !fault && providerOf(profile) === providerOf(candidate.id))
  const name = formatModelKey(model)
  const own = sent.filter(({ reason }) => OWN_FAILURES.has(reason))
  const overloads = sent.filter((failed) => failed.reason === 'overloaded' && failed.model === name)
  const isOut = own.length >= MOST_OWN_FAILURES
  const isFutile =
    overloads.length >= MOST_OWN_FAILURES || (why.code === 'last_resort' && sent.length > 0)
  if (!isOut && !isFutile) return false
  return request.models.some(
    (other, place) =>
      place > index &&
      !(isOut && other.provider === model.provider) &&
      isReady(progress, request, other, place),
  )
}

/** Whether somebody who is well could serve this model and has not been asked. */
function isReady(
  progress: Progress,
  request: DispatchRequest,
  model: ResolvedModel,
  index: number,
): boolean {
  const facts = progress.world.providers.get(model.provider)
  if (!facts || progress.unreachable.has(hostOf(facts))) return false
  if (!request.encode(facts, model).ok) return false
  return rankTurn(progress, request, model, index).some(
    ({ candidate, taken, why }) =>
      taken && why.code !== 'last_resort' && !hasFailed(progress, { candidate, model }),
  )
}

export function pinOf({ pin }: DispatchRequest, model: ResolvedModel): ProfileId | undefined {
  return model.profile ?? pinFor(model, pin)
}

/** Whom the request means first: it is asked for by few requests, and then once. After a wait it is a new question. */
export function meantBy(
  request: Pick<DispatchRequest, 'models' | 'pin'>,
  progress: Progress,
): Payer | undefined {
  for (const model of progress.meant ? [] : request.models) {
    const pin = model.profile ?? pinFor(model, request.pin)
    progress.meant = meantFor(progress.found, model, pin)
    if (progress.meant) break
  }
  return progress.meant
}

/**
 * The first to be rested, where nobody else is left and the provider has said when. Undefined: waiting is no remedy.
 *
 * @param fitting those of the models that the request may still be sent to
 */
export function waitAfter(
  progress: Progress,
  request: DispatchRequest,
  fitting: readonly ResolvedModel[],
  fault: Fault,
): Wait | undefined {
  const { attempts, heldBack, unreachable } = progress
  if (heldBack || fault.code === 'EQ_UPSTREAM_REJECTED') return undefined
  if (attempts.length >= MOST_ATTEMPTS) return undefined
  let first: Wait | undefined
  for (const [index, model] of request.models.entries()) {
    const facts = progress.world.providers.get(model.provider)
    if (!facts || unreachable.has(hostOf(facts))) continue
    if (!fitting.includes(model)) continue
    if (!request.encode(facts, model).ok) continue
    for (const { candidate, why } of rankTurn(progress, request, model, index)) {
      if (why.code !== 'resting' || (first && first.until <= why.rest.until)) continue
      first = { provider: facts.id, profile: candidate.id, until: why.rest.until }
    }
  }
  return first
}
