/** The providers of a day: they answer as the script says, count what they are sent, and remember what they have told. */

import type { UpstreamFailure } from '../../src/domain/cooldown.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import { providerOf } from '../../src/domain/names.ts'
import type { Clock, UpstreamAnswer, UpstreamRequest } from '../../src/domain/ports.ts'
import type { EpochMs } from '../../src/domain/time.ts'
import { MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts'
import { aReply, anError, planHeaders } from './answers.ts'
import type { Day, Plan, Random, Trouble } from './outages.ts'
import { LONGEST_TOLD_MS, troubleAt } from './outages.ts'

export interface Providers {
  answer(request: UpstreamRequest): Promise<UpstreamAnswer | UpstreamFailure>
  /** Whether this profile would serve this model if it were asked now. */
  serves(profile: ProfileId, model: string): boolean
  /** Whether so much of its plan is used that a careful router spares it. */
  isNearWall(profile: ProfileId): boolean
  readonly counts: Counts
}

export interface Counts {
  sends: number
  /** Sent to a profile inside the wait that its provider had named to us. */
  tooEarly: number
  readonly byProvider: Map<string, number>
}

interface Deps {
  readonly day: Day
  readonly clock: Clock
  readonly random: Random
  readonly ownerOf: (request: UpstreamRequest) => ProfileId
  readonly firstByteMs: number
}

/** From here on a plan is nearly used up. */
const NEARLY = 0.98

export function createProviders({ day, clock, random, ownerOf, firstByteMs }: Deps): Providers {
  const counts: Counts = { sends: 0, tooEarly: 0, byProvider: new Map() }
  const used = new Map<string, number>()
  /** By profile, or by `provider/model` where all are told. */
  const told = new Map<string, { readonly at: EpochMs; readonly until: EpochMs }>()

  function windowOf(
    id: ProfileId,
  ): (Plan & { readonly key: string; resetsAt: EpochMs }) | undefined {
    const plan = day.plans.find((entry) => entry.profile === id)
    if (!plan) return undefined
    const index = Math.floor((clock.now() - plan.beganAt) / plan.windowMs)
    const resetsAt = plan.beganAt + (index + 1) * plan.windowMs
    // It stands in the headers in whole seconds.
    return { ...plan, key: `${id} ${index}`, resetsAt: Math.ceil(resetsAt / SECOND_MS) * SECOND_MS }
  }
  function share(id: ProfileId): number {
    const window = windowOf(id)
    return window ? (used.get(window.key) ?? 0) / window.requests : 0
  }
  const isTold = (key: string): boolean => (told.get(key)?.until ?? 0) > clock.now()
  /** Nobody can know an answer in the very millisecond in which it leaves. */
  const isTooEarly = (key: string): boolean => isTold(key) && (told.get(key)?.at ?? 0) < clock.now()
  function note(key: string, until: EpochMs): void {
    const before = told.get(key)
    if (!isTold(key) || !before) told.set(key, { at: clock.now(), until })
    else told.set(key, { at: before.at, until: Math.max(before.until, until) })
  }

  /** The wait until the trouble is over, in whole seconds, as far as it is told at once. */
  function tell(key: string, until: EpochMs, longestMs: number = LONGEST_TOLD_MS): string {
    const ms = Math.min(until - clock.now(), longestMs)
    const seconds = Math.max(1, Math.ceil(ms / SECOND_MS))
    note(key, clock.now() + seconds * SECOND_MS)
    return String(seconds)
  }

  function inTrouble(
    id: ProfileId,
    model: string,
    trouble: Trouble,
  ): UpstreamAnswer | UpstreamFailure {
    switch (trouble.kind) {
      case 'limit_told':
        return anError(429, 'rate_limit_error', 'Too many requests', {
          'retry-after': tell(id, trouble.until),
        })
      case 'limit':
        return anError(429, 'rate_limit_error', 'Too many requests')
      case 'overloaded':
        return anError(529, 'overloaded_error', 'Overloaded', {
          ...(random() < 0.5 && { 'retry-after': tell(model, trouble.until, MINUTE_MS) }),
        })
      case 'down':
        return { reason: 'network', words: 'nothing answers there', unreachable: true }
      case 'no_name':
        return { reason: 'network', words: 'could not find the host', unreachable: true }
      case 'revoked':
        return anError(401, 'authentication_error', 'invalid x-api-key')
      case 'no_money':
        return anError(400, 'invalid_request_error', 'Your credit balance is too low to go on')
      case 'hangs':
        return { reason: 'timeout', words: 'took too long to answer' }
      case 'broken':
        return anError(500, 'api_error', 'Internal server error')
      default:
        return trouble.kind satisfies never
    }
  }

  function delayMs(trouble: Trouble | undefined): number {
    if (trouble?.kind === 'hangs') return firstByteMs
    if (trouble?.kind === 'no_name') return 40
    if (trouble) return 20 + random() * 200
    return 300 + random() * random() * 4 * SECOND_MS
  }

  return {
    counts,
    async answer(request) {
      const id = ownerOf(request)
      const model = `${providerOf(id)}/${modelOf(request)}`
      counts.sends += 1
      counts.byProvider.set(providerOf(id), (counts.byProvider.get(providerOf(id)) ?? 0) + 1)
      if (isTooEarly(id) || isTooEarly(model)) counts.tooEarly += 1
      const trouble = troubleAt(day, id, model, clock.now())
      const window = windowOf(id)
      const count = window && (used.get(window.key) ?? 0)
      const isOver = window !== undefined && count !== undefined && count >= window.requests
      if (!trouble && !isOver && window) used.set(window.key, (count ?? 0) + 1)
      await clock.sleep(delayMs(trouble))
      if (trouble) return inTrouble(id, model, trouble)
      if (isOver) {
        note(id, window.resetsAt)
        return anError(429, 'rate_limit_error', 'Usage limit', planHeaders(1, window.resetsAt))
      }
      return aReply(window ? planHeaders(Math.min(0.999, share(id)), window.resetsAt) : {})
    },
    serves: (id, model) =>
      !troubleAt(day, id, model, clock.now()) && share(id) < 1 && !isTold(id) && !isTold(model),
    isNearWall: (id) => share(id) >= NEARLY,
  }
}

function modelOf({ body }: UpstreamRequest): string {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
  const { model } = JSON.parse(text) as { readonly model: string }
  return model
}
