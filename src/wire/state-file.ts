/** The codec of `auth-state.json`. Losing it loses no login, so whatever is broken in it is left out. */

import * as v from 'valibot'

import type { AgentState, ProfileUsage, Rest } from '../domain/cooldown.ts'
import { EMPTY_STATE, FAILURE_REASONS } from '../domain/cooldown.ts'
import { isRecord } from '../domain/plain-data.ts'
import type { JsonObject } from './decode.ts'
import { decodeOrDrop, parseJson } from './decode.ts'
import { Instant } from './instant.ts'

const Reason = v.picklist(FAILURE_REASONS)
const RestSchema: v.GenericSchema<unknown, Rest> = v.object({
  scope: v.picklist(['profile', 'model']),
  reason: Reason,
  since: Instant,
  until: Instant,
  source: v.picklist(['provider', 'ladder']),
})
const Failure = v.object({ at: Instant, reason: Reason, words: v.string() })
const Refusal = v.object({ at: Instant, words: v.string() })

/** The state that a text holds, as far as it makes sense. */
export function parseStateFile(text: string): AgentState {
  const parsed = parseJson(text)
  if (!parsed.ok || !isRecord(parsed.value)) return EMPTY_STATE
  const { profiles, models } = parsed.value
  return {
    profiles: readMembers(profiles, (raw) => (isRecord(raw) ? usageFrom(raw) : undefined)),
    models: readMembers(models, (raw) => decodeOrDrop(RestSchema, raw)),
  }
}

export function renderStateFile(state: AgentState): string {
  const document = {
    version: 1,
    profiles: Object.fromEntries(state.profiles),
    models: Object.fromEntries(state.models),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

function readMembers<T>(
  members: unknown,
  read: (raw: unknown) => T | undefined,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>()
  for (const [name, raw] of isRecord(members) ? Object.entries(members) : []) {
    const value = read(raw)
    if (value !== undefined) found.set(name, value)
  }
  return found
}

function usageFrom(raw: JsonObject): ProfileUsage {
  const fingerprint = decodeOrDrop(v.string(), raw.fingerprint)
  const lastUsedAt = decodeOrDrop(Instant, raw.lastUsedAt)
  const lastGoodAt = decodeOrDrop(Instant, raw.lastGoodAt)
  const rest = decodeOrDrop(RestSchema, raw.rest)
  const failures = decodeOrDrop(v.pipe(v.number(), v.integer(), v.minValue(0)), raw.failures)
  const lastFailure = decodeOrDrop(Failure, raw.lastFailure)
  const refusedPolicy = decodeOrDrop(Refusal, raw.refusedPolicy)
  return {
    ...(fingerprint !== undefined && { fingerprint }),
    ...(lastUsedAt !== undefined && { lastUsedAt }),
    ...(lastGoodAt !== undefined && { lastGoodAt }),
    ...(rest && { rest }),
    ...(failures !== undefined && { failures }),
    ...(lastFailure && { lastFailure }),
    ...(refusedPolicy && { refusedPolicy }),
  }
}
