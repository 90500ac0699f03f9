/** What the request decoders of all protocols give, and the small things that they share. */

import * as v from 'valibot'
import type { Fault } from '../../domain/fault.ts'
import type { NeutralRequest, ReplyWish } from '../../domain/neutral.ts'
import type { Protocol } from '../../domain/provider.ts'
import type { Result } from '../../domain/result.ts'
import type { Notes } from './notes.ts'

export interface DecodedRequest {
  readonly request: NeutralRequest
  readonly wish: ReplyWish
  /** Fields that were left out without harm. */
  readonly dropped: readonly string[]
}

/** @faults `EQ_REQUEST_BODY`, `EQ_REQUEST_UNCARRIED` */
export type DecodeRequest = (body: unknown, target: Protocol) => Result<DecodedRequest, Fault>

export const tokens: v.GenericSchema<unknown, number | null | undefined> = v.nullish(
  v.pipe(v.number(), v.integer(), v.minValue(1)),
)

/** A JSON object whose members are nobody's business here. */
export const anyObject: v.GenericSchema<unknown, Record<string, unknown>> = v.record(
  v.string(),
  v.unknown(),
)

/** Absent where the value is: exact optional properties want no `undefined`. */
export function given<K extends string, T>(
  key: K,
  value: T | null | undefined,
): { readonly [P in K]?: T } {
  return (value === undefined || value === null ? {} : { [key]: value }) as {
    readonly [P in K]?: T
  }
}

/** Longest name of a user that providers take, characters. */
const LONGEST_USER = 64

/** A name that is really a record of another provider's ids is not told to this one. */
export function userName(
  text: string | undefined,
  field: string,
  notes: Notes,
): string | undefined {
  if (text === undefined || text === '') return undefined
  if (text.length <= LONGEST_USER && !text.startsWith('{')) return text
  notes.drop(field)
  return undefined
}

/** Providers differ on how far the temperature goes. */
export function checkTemperature(value: number | null | undefined, notes: Notes): void {
  if (notes.target === 'anthropic-messages' && typeof value === 'number' && value > 1) {
    notes.refuse('temperature')
  }
}

/** More sequences than this are refused by servers of Chat Completions. */
const MOST_STOPS = 4

export function checkStops(stops: readonly string[], field: string, notes: Notes): void {
  if (notes.target === 'openai-chat' && stops.length > MOST_STOPS) notes.refuse(field)
}
