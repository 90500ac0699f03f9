/** Keys for single programs and people: what the holder of one may ask for. Decided here, without any I/O. */

import type { Budget, BudgetUse, Period, Spending } from './budget.ts'
import { usesOfBudget } from './budget.ts'
import type { ClientFault } from './fault-client.ts'
import { findModel } from './models.ts'
import type { AgentId, ClientName, ModelKey, ProfileId } from './names.ts'
import { formatModelKey, parseModelRef, sameModel } from './names.ts'
import type { Result } from './result.ts'
import { fail, ok } from './result.ts'
import type { EpochMs } from './time.ts'
import type { World } from './world.ts'

/** So many requests within so much time. */
export interface Rate {
  readonly requests: number
  readonly perMs: number
}

/** What a key is limited to; what is absent is not limited. */
export interface ClientTerms {
  /** The only agent that it may ask. */
  readonly agent?: AgentId
  /** Models, as `provider/model`, an alias, or a pattern with `*`. */
  readonly models?: readonly string[]
  readonly profiles?: readonly ProfileId[]
  readonly budget?: Budget
  readonly rate?: Rate
  readonly expiresAt?: EpochMs
}

export interface Client extends ClientTerms {
  readonly name: ClientName
  /** SHA-256 of the key, hexadecimal. */
  readonly digest: string
  readonly createdAt: EpochMs
  /** When its key was last replaced by another. */
  readonly rotatedAt?: EpochMs
}

/** Who sends a request: the holder of the gateway's own token, of a client's key, or nobody that was looked at. */
export type Caller =
  | { readonly kind: 'admin' }
  | { readonly kind: 'client'; readonly client: Client }
  | { readonly kind: 'anybody' }

/** @faults `EQ_CLIENT_EXPIRED` */
export function stillHolds({ name, expiresAt }: Client, now: EpochMs): Result<void, ClientFault> {
  return expiresAt !== undefined && expiresAt <= now
    ? fail({ code: 'EQ_CLIENT_EXPIRED', client: name, at: expiresAt })
    : ok()
}

/**
 * The agent that answers: the one that is asked for, or the one that the key is bound to.
 *
 * @faults `EQ_CLIENT_AGENT`
 */
export function agentFor(
  caller: Caller,
  asked: AgentId | undefined,
): Result<AgentId | undefined, ClientFault> {
  const bound = caller.kind === 'client' ? caller.client.agent : undefined
  if (bound === undefined || asked === undefined || asked === bound) return ok(asked ?? bound)
  const client = caller.kind === 'client' ? caller.client.name : undefined
  return client === undefined
    ? ok(asked)
    : fail({ code: 'EQ_CLIENT_AGENT', client, agent: asked, bound })
}

/** The world as the caller may use it. */
export function worldFor(caller: Caller, world: World): World {
  const profiles = caller.kind === 'client' ? caller.client.profiles : undefined
  return profiles ? { ...world, only: new Set(profiles) } : world
}

/** An alias means what it means at the moment; a pattern is compared with `provider/model`, or with the model where it has no `/`. */
export function mayUse(caller: Caller, world: World, model: ModelKey): boolean {
  const models = caller.kind === 'client' ? caller.client.models : undefined
  return models === undefined || models.some((entry) => matches(world, entry, model))
}

/** @faults `EQ_CLIENT_MODEL` */
export function checkModel(
  caller: Caller,
  world: World,
  model: ModelKey,
): Result<void, ClientFault> {
  if (caller.kind !== 'client' || mayUse(caller, world, model)) return ok()
  const { name, models = [] } = caller.client
  return fail({
    code: 'EQ_CLIENT_MODEL',
    client: name,
    model: formatModelKey(model),
    allowed: models,
  })
}

/** The limit of its budget that a client has reached, the one that lasts longest. */
export function budgetReached(
  { budget }: Pick<Client, 'budget'>,
  spent: Readonly<Record<Period, Spending>> | undefined,
  now: EpochMs,
): BudgetUse | undefined {
  if (!budget) return undefined
  return usesOfBudget(budget, spent, now)
    .filter((use) => use.spent >= use.max)
    .toSorted((a, b) => b.until - a.until)[0]
}

/** How many requests a client has left at an instant. */
export interface Bucket {
  readonly left: number
  readonly at: EpochMs
}

/**
 * Takes one request out of a bucket that fills itself evenly and holds as many as come in one period.
 *
 * @param bucket undefined: full
 * @returns `waitMs` above 0: it was empty, and one will be there after so long
 */
export function takeOne(
  bucket: Bucket | undefined,
  { requests, perMs }: Rate,
  now: EpochMs,
): { readonly bucket: Bucket; readonly waitMs: number } {
  // A clock that was set back fills nothing.
  const passedMs = bucket ? Math.max(0, now - bucket.at) : 0
  const left = bucket ? Math.min(requests, bucket.left + (passedMs * requests) / perMs) : requests
  // Sums of parts may fall short of one by next to nothing.
  if (left >= 1 - 1e-9) return { bucket: { left: Math.max(0, left - 1), at: now }, waitMs: 0 }
  const waitMs = Math.max(1, Math.ceil(((1 - left) * perMs) / requests))
  return { bucket: { left, at: now }, waitMs }
}

function matches(world: World, entry: string, model: ModelKey): boolean {
  if (entry.includes('*')) {
    const text = entry.includes('/') ? formatModelKey(model) : model.model
    return fits(entry, text)
  }
  const ref = parseModelRef(entry)
  const found = ref && findModel(world, ref)
  return found?.ok === true && sameModel(found.value, model)
}

/** Without backtracking, whatever the pattern is. */
function fits(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split('*')
  const last = rest.pop() ?? ''
  const lower = text.toLowerCase()
  if (!lower.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = lower.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return lower.length - last.length >= at && lower.endsWith(last)
}
