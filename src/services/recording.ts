/**
 * Keeps a record of every request that a dispatch serves or fails to, and tells of errors inside its answers. The bytes of an answer pass untouched and no
 * faster than they are read; what goes wrong with a record never reaches the request.
 */

import type { Fault } from '../domain/fault.ts'
import type { Ledger, RequestRecord, TokenUsage } from '../domain/ledger.ts'
import { requestId } from '../domain/ledger.ts'
import type { ProfileId } from '../domain/names.ts'
import { formatModelKey, providerOf } from '../domain/names.ts'
import type { Clock, UpstreamAnswer } from '../domain/ports.ts'
import type { Lane } from '../domain/provider.ts'
import type { EpochMs } from '../domain/time.ts'
import type { World } from '../domain/world.ts'
import { candidatesFor } from '../domain/world.ts'
import type { Dispatch, DispatchRequest, Served } from './dispatch.ts'

/** What an answer tells of itself while it passes. */
export interface AnswerWatch {
  push(chunk: Uint8Array): void
  seen(): {
    readonly usage?: TokenUsage
    /** Whether the answer has come to its own end; undefined where the body does not tell. */
    readonly whole?: boolean
    /** The provider's own error inside the answer, in the form of an error answer. */
    readonly error?: string
  }
}

export interface RecordingDeps {
  readonly dispatch: Dispatch
  readonly ledger: Pick<Ledger, 'append'>
  readonly clock: Clock
  /** Letters and digits, others each time. */
  readonly newId: () => string
  readonly watch: (headers: UpstreamAnswer['headers']) => AnswerWatch
  /** Text from a caller, made safe to keep. */
  readonly safe: (text: string) => string
}

/** The same dispatch; each request leaves one record when it ends. */
export function createRecordedDispatch(deps: RecordingDeps): Dispatch {
  return async function recordedDispatch(request) {
    const at = deps.clock.now()
    const outcome = await deps.dispatch(request)
    if (!outcome.ok) {
      deps.ledger.append({ ...beginning(deps, request, at), ...failure(request, outcome.fault) })
      return outcome
    }
    const served = outcome.value
    const record = (end: AnswerEnd): void => {
      deps.ledger.append({ ...beginning(deps, request, at), ...success(served), ...end })
    }
    return {
      ok: true,
      value: {
        ...served,
        answer: { ...served.answer, body: tapped(deps, served, request, at, record) },
      },
    }
  }
}

type AnswerEnd = Pick<RequestRecord, 'outcome' | 'usage' | 'firstByteMs'>

/** The body, which tells once how it ended: read to its end, broken off, or no longer wanted. */
function tapped(
  { clock, watch }: RecordingDeps,
  { answer: { body, headers }, lateError }: Served,
  { signal }: DispatchRequest,
  at: EpochMs,
  record: (end: AnswerEnd) => void,
): AsyncIterable<Uint8Array> {
  const peek = watch(headers)
  let firstByteMs: number | undefined
  let isRecorded = false

  function end(how: 'read' | 'broken' | 'left'): void {
    if (isRecorded) return
    isRecorded = true
    signal.removeEventListener('abort', leave)
    const { usage, whole, error } = peek.seen()
    if (error !== undefined) lateError(error)
    record({
      outcome: outcomeOf(how, whole, error !== undefined, signal.aborted),
      ...(usage && { usage }),
      ...(firstByteMs !== undefined && { firstByteMs }),
    })
  }
  // A caller that is gone may never begin to read.
  const leave = (): void => end('left')
  signal.addEventListener('abort', leave)
  if (signal.aborted) leave()

  return {
    async *[Symbol.asyncIterator]() {
      let how: 'read' | 'broken' | 'left' = 'left'
      try {
        for await (const chunk of body) {
          firstByteMs ??= clock.now() - at
          peek.push(chunk)
          yield chunk
        }
        how = 'read'
      } catch (cause) {
        how = 'broken'
        throw cause
      } finally {
        end(how)
      }
    },
  }
}

/** An answer that has come to its own end is whole, whatever happened after it. */
function outcomeOf(
  how: 'read' | 'broken' | 'left',
  whole: boolean | undefined,
  error: boolean,
  isAborted: boolean,
): RequestRecord['outcome'] {
  if (error) return 'cut'
  if (whole) return 'served'
  if (isAborted || how === 'left') return 'cancelled'
  return how === 'read' && whole === undefined ? 'served' : 'cut'
}

function beginning(
  { clock, newId, safe }: RecordingDeps,
  { world, models, asked, session, client }: DispatchRequest,
  at: EpochMs,
): Pick<RequestRecord, 'id' | 'at' | 'agent' | 'session' | 'client' | 'asked' | 'totalMs'> {
  const now = clock.now()
  const [model] = models
  return {
    id: requestId(now, newId()),
    at,
    agent: world.agent,
    ...(session && { session }),
    ...(client !== undefined && { client: safe(client) }),
    asked: safe(asked ?? (model ? formatModelKey(model) : '')),
    // A clock that was set back makes no request shorter than nothing.
    totalMs: Math.max(0, now - at),
  }
}

function success({
  model,
  candidate,
  attempts,
}: Served): Pick<RequestRecord, 'model' | 'profile' | 'lane' | 'reason' | 'attempts'> {
  const reason = attempts.at(-1)?.reason
  return {
    model: formatModelKey(model),
    profile: candidate.id,
    lane: candidate.lane,
    ...(reason && { reason }),
    attempts: attempts.length + 1,
  }
}

function failure(
  { world }: DispatchRequest,
  fault: Fault,
): Pick<RequestRecord, 'outcome' | 'fault' | 'model' | 'profile' | 'lane' | 'reason' | 'attempts'> {
  const attempts =
    fault.code === 'EQ_UPSTREAM_FAILED'
      ? fault.attempts
      : fault.code === 'EQ_UPSTREAM_REJECTED'
        ? [fault.attempt]
        : []
  const last = attempts.at(-1)
  const lane = last && laneOf(world, last.profile)
  return {
    outcome: fault.code === 'EQ_REQUEST_CANCELLED' ? 'cancelled' : 'failed',
    fault: fault.code,
    ...(last && { model: last.model, profile: last.profile, reason: last.reason }),
    ...(lane && { lane }),
    attempts: attempts.length,
  }
}

/** Who would have paid. */
function laneOf(world: World, profile: ProfileId): Lane | undefined {
  const facts = world.providers.get(providerOf(profile))
  const candidates = facts ? candidatesFor(world, facts) : []
  return candidates.find(({ id }) => id === profile)?.lane
}
