/** A session's tie to one credential: set by a person, or kept by itself for the prompt cache. */

import type { Credential } from './credential.ts'
import type { Fault } from './fault.ts'
import type { ResolvedModel } from './models.ts'
import { pinFor } from './models.ts'
import type { ModelKey, ProfileId } from './names.ts'
import { providerOf } from './names.ts'
import { profilesOf } from './profile.ts'
import type { Result } from './result.ts'
import { fail, ok } from './result.ts'
import type { Candidate } from './rotation.ts'
import type { World } from './world.ts'

/** Whose login it is, as far as its credential says. */
export interface PinAccount {
  readonly accountId?: string
  readonly email?: string
}

export interface Pin {
  readonly profile: ProfileId
  /** `user`: said in the chat, and strict. `auto`: served last, and yields. */
  readonly source: 'user' | 'auto'
  /** Of a user's pin: the pin is to this account, under whichever name its profile has by now. */
  readonly account?: PinAccount
}

/** What a pin means for a request of this model. */
export interface BoundPin {
  /** Nothing else is tried. */
  readonly pin?: ProfileId
  /** Goes first while it can serve. */
  readonly keep?: ProfileId
}

/** A person's pin to a profile of this world. */
export function userPin(world: World, profile: ProfileId): Pin {
  const held = world.book.profiles.get(profile)
  const account = held && accountOf(held.credential)
  return { profile, source: 'user', ...(account && { account }) }
}

/**
 * What the pin comes to: after a new login the profile of its account may bear another name.
 *
 * @faults `EQ_PIN_UNUSABLE` its profile is another account's by now, and no profile is its own's
 */
export function bindPin(
  world: World,
  model: ModelKey,
  pin: Pin | undefined,
): Result<BoundPin, Fault> {
  if (!pin || !pinFor(model, pin.profile)) return ok({})
  if (pin.source === 'auto') return ok({ keep: pin.profile })
  const { profile, account } = pin
  const held = world.book.profiles.get(profile)
  if (!account || (held && isAccounts(held.credential, account) !== false)) {
    return ok({ pin: profile })
  }
  const moved = profilesOf(world.book, model.provider).find(
    ({ credential }) => isAccounts(credential, account) === true,
  )
  if (moved) return ok({ pin: moved.id })
  if (!held) return ok({ pin: profile })
  return fail({
    code: 'EQ_PIN_UNUSABLE',
    profile,
    why: { code: 'other_account', ...(account.email !== undefined && { email: account.email }) },
  })
}

/** What a pin means for a model and those that stand in for it. */
export interface BoundChain extends BoundPin {
  readonly models: readonly ResolvedModel[]
}

/**
 * The models that may serve, and by whom.
 *
 * Where a person has named the credential of the first, no other model stands in for it. A pin to a credential of
 * another model's provider holds when that one stands in.
 *
 * @faults those of `bindPin`, for the first model
 */
export function bindChain(
  world: World,
  models: readonly ResolvedModel[],
  pin: Pin | undefined,
): Result<BoundChain, Fault> {
  const [first] = models
  const bound: Result<BoundPin, Fault> = first ? bindPin(world, first, pin) : ok({})
  if (!bound.ok) return bound
  const held = first?.profile ?? bound.value.pin
  if (first && held !== undefined) return ok({ models: [first], ...bound.value })
  const stranger = models.find((model) => pinFor(model, pin?.profile) !== undefined)
  if (!stranger || stranger === first) return ok({ models, ...bound.value })
  const other = bindPin(world, stranger, pin)
  return other.ok
    ? ok({ models, ...other.value })
    : ok({ models: models.filter(({ provider }) => provider !== stranger.provider) })
}

/**
 * The pin of a session after it was served: whoever served keeps it, so that the prompt cache is found again.
 *
 * A person's pin stays. So does the one there is, where somebody stood in who costs money by use or serves another
 * provider's model: what was a stopgap for one turn is none for the next.
 */
export function pinAfter(
  pin: Pin | undefined,
  served: { readonly candidate: Candidate; readonly crossed?: unknown },
  wanted: ModelKey,
): Pin | undefined {
  const { candidate, crossed } = served
  const stays =
    pin?.source === 'user' ||
    crossed !== undefined ||
    candidate.source.kind === 'none_needed' ||
    providerOf(candidate.id) !== wanted.provider ||
    pin?.profile === candidate.id
  return stays ? pin : { profile: candidate.id, source: 'auto' }
}

function accountOf(credential: Credential): PinAccount | undefined {
  const accountId = credential.type === 'oauth' ? credential.accountId : undefined
  const { email } = credential
  if (accountId === undefined && email === undefined) return undefined
  return { ...(accountId !== undefined && { accountId }), ...(email !== undefined && { email }) }
}

/** Undefined: they do not say enough. */
function isAccounts(credential: Credential, account: PinAccount): boolean | undefined {
  const own = accountOf(credential)
  if (own?.accountId !== undefined && account.accountId !== undefined) {
    return own.accountId === account.accountId
  }
  if (own?.email !== undefined && account.email !== undefined) {
    return own.email.toLowerCase() === account.email.toLowerCase()
  }
  return undefined
}
