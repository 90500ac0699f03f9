/** A day's troubles of several providers, at random from a seed, and what each profile's plan allows. */

import type { ProfileId, ProviderId } from '../../src/domain/names.ts'
import { providerOf } from '../../src/domain/names.ts'
import type { EpochMs } from '../../src/domain/time.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts'
import { profile, provider } from '../names-from.ts'

export type Random = () => number

export const WORK: ProfileId = profile('anthropic:work')
export const HOME: ProfileId = profile('anthropic:home')
export const SPARE: ProfileId = profile('anthropic:spare')
export const KEY: ProfileId = profile('anthropic:key')
export const ACME_ONE: ProfileId = profile('acme:one')
export const ACME_TWO: ProfileId = profile('acme:two')
export const BACKUP: ProfileId = profile('backup:only')
export const PROFILES: readonly ProfileId[] = [WORK, HOME, SPARE, KEY, ACME_ONE, ACME_TWO, BACKUP]

export const LARGE = 'anthropic/claude-large'
export const SMALL = 'anthropic/claude-small'
export const CHAIN: readonly string[] = [LARGE, SMALL, 'acme/m', 'backup/m']

export type Kind =
  /** Too many requests, and for how long. */
  | 'limit_told'
  /** Too many requests, and no word about how long. */
  | 'limit'
  | 'overloaded'
  /** Nothing listens at its host. */
  | 'down'
  /** Its host cannot be found. */
  | 'no_name'
  | 'revoked'
  | 'no_money'
  /** No first byte comes. */
  | 'hangs'
  | 'broken'

/** From when to when something is wrong, and with what. */
export interface Trouble {
  readonly kind: Kind
  readonly from: EpochMs
  readonly until: EpochMs
  /** Absent: with every profile of its provider. */
  readonly profile?: ProfileId
  readonly provider: ProviderId
  /** `provider/model`; absent: with every model. */
  readonly model?: string
}

/** How much a subscription serves before its window begins anew. */
export interface Plan {
  readonly profile: ProfileId
  readonly windowMs: number
  /** When a window began; others begin `windowMs` later. */
  readonly beganAt: EpochMs
  readonly requests: number
}

export interface Day {
  readonly from: EpochMs
  readonly until: EpochMs
  readonly troubles: readonly Trouble[]
  readonly plans: readonly Plan[]
}

const ANTHROPIC = provider('anthropic')

/** Twenty-four hours from an instant. */
export function dayOfTroubles(from: EpochMs, random: Random): Day {
  const until = from + DAY_MS
  const between = (least: number, most: number): number => least + random() * (most - least)
  /** So many of a kind, at random instants. */
  const some = (
    count: number,
    longest: readonly [number, number],
    trouble: Omit<Trouble, 'from' | 'until' | 'provider'> & { readonly provider?: ProviderId },
  ): readonly Trouble[] =>
    Array.from({ length: count }, () => {
      const begin = between(from, until - HOUR_MS)
      const owner = trouble.profile ? providerOf(trouble.profile) : ANTHROPIC
      return { provider: owner, ...trouble, from: begin, until: begin + between(...longest) }
    })
  const minutes = (least: number, most: number): readonly [number, number] => [
    least * MINUTE_MS,
    most * MINUTE_MS,
  ]
  const midnight = Math.ceil((from + 1) / DAY_MS) * DAY_MS
  return {
    from,
    until,
    troubles: [
      ...PROFILES.flatMap((id) => [
        ...some(6, minutes(0.5, 6), { kind: 'limit_told', profile: id }),
        ...some(4, minutes(0.1, 2), { kind: 'limit', profile: id }),
      ]),
      ...some(5, minutes(1, 8), { kind: 'overloaded', model: LARGE }),
      ...some(2, minutes(1, 5), { kind: 'overloaded', model: SMALL }),
      ...some(2, minutes(4, 15), { kind: 'down', provider: provider('acme') }),
      ...some(2, minutes(4, 15), { kind: 'no_name', provider: provider('backup') }),
      ...some(1, minutes(3, 8), { kind: 'no_name', provider: ANTHROPIC }),
      ...some(2, minutes(1, 4), { kind: 'broken', provider: ANTHROPIC }),
      ...some(2, minutes(2, 6), { kind: 'broken', provider: provider('acme') }),
      ...some(1, minutes(1, 3), { kind: 'hangs', profile: HOME }),
      ...some(1, minutes(1, 3), { kind: 'hangs', provider: provider('acme') }),
      { kind: 'revoked', provider: ANTHROPIC, profile: SPARE, from: between(from, until), until },
      {
        kind: 'no_money',
        provider: ANTHROPIC,
        profile: KEY,
        from: between(from + HOUR_MS, midnight - HOUR_MS),
        until: midnight,
      },
    ],
    plans: [WORK, HOME, SPARE].map((id) => ({
      profile: id,
      windowMs: 5 * HOUR_MS,
      beganAt: from - between(0, 5 * HOUR_MS),
      requests: Math.round(between(400, 900)),
    })),
  }
}

/** What is wrong with this profile for this model now. */
export function troubleAt(
  { troubles }: Day,
  id: ProfileId,
  model: string,
  now: EpochMs,
): Trouble | undefined {
  return troubles.find(
    (trouble) =>
      trouble.from <= now &&
      now < trouble.until &&
      trouble.provider === providerOf(id) &&
      (trouble.profile === undefined || trouble.profile === id) &&
      (trouble.model === undefined || trouble.model === model),
  )
}

/** Longest wait that a provider names at once, ms: after it, it names another. */
export const LONGEST_TOLD_MS: number = 90 * SECOND_MS
