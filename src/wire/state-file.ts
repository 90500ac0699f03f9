/** The codec of `auth-state.json`. Losing it loses no login, so whatever is broken in it is left out. */

import * as v from 'valibot'

import type { AgentState, ProfileUsage, Rest } from '../domain/cooldown.ts'
import { EMPTY_STATE, FAILURE_REASONS, REST_SCOPES } from '../domain/cooldown.ts'
import { isRecord } from '../domain/plain-data.ts'
import type { QuotaWindow } from '../domain/quota.ts'
import type { JsonObject } from './decode.ts'
import { decodeOrDrop, parseJson } from './decode.ts'
import { Instant } from './instant.ts'

const Reason = v.picklist(FAILURE_REASONS)
const Count = v.pipe(v.number(), v.integer(), v.minValue(0))
const Amount = v.pipe(v.number(), v.finite(), v.minValue(0))
const RestSchema: v.GenericSchema<unknown, Rest> = v.object({
  scope: v.picklist(REST_SCOPES),
  reason: Reason,
  since: Instant,
  until: Instant,
  source: v.picklist(['provider', 'ladder']),
  step: v.exactOptional(Count),
})
const WindowSchema: v.GenericSchema<unknown, QuotaWindow> = v.object({
  name: v.string(),
  used: v.exactOptional(Amount),
  limit: v.exactOptional(Amount),
  remaining: v.exactOptional(Amount),
  status: v.exactOptional(v.picklist(['allowed', 'warning', 'rejected'])),
  resetsAt: v.exactOptional(Instant),
  seenAt: Instant,
})
const Failure = v.object({ at: Instant, reason: Reason, words: v.string() })
const Refusal = v.object({ at: Instant, words: v.string() })

const VERSION = 1

/** The state that a text holds, as far as it makes sense. Files of older and newer versions are read alike. */
export function parseStateFile(text: string): AgentState {
  const parsed = parseJson(text)
  if (!parsed.ok || !isRecord(parsed.value)) return EMPTY_STATE
  const { version, profiles, models, accounts, providers, ...unknown } = parsed.value
  const others = isNewer(version) ? { version, ...unknown } : unknown
  const ofAccounts = readRests(accounts)
  const ofProviders = readRests(providers)
  return {
    profiles: readMembers(profiles, (raw) => (isRecord(raw) ? usageFrom(raw) : undefined)),
    models: readRests(models),
    ...(ofAccounts.size > 0 && { accounts: ofAccounts }),
    ...(ofProviders.size > 0 && { providers: ofProviders }),
    ...(Object.keys(others).length > 0 && { others }),
  }
}

export function renderStateFile(state: AgentState): string {
  const { profiles, models, accounts, providers, others } = state
  const usages = [...profiles].map(([id, usage]) => [id, renderUsage(usage)] as const)
  const document = {
    version: VERSION,
    ...others,
    profiles: Object.fromEntries(usages),
    models: Object.fromEntries(models),
    ...(accounts?.size && { accounts: Object.fromEntries(accounts) }),
    ...(providers?.size && { providers: Object.fromEntries(providers) }),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

function isNewer(version: unknown): boolean {
  return typeof version === 'number' && version > VERSION
}

function renderUsage({ models, ...usage }: ProfileUsage): JsonObject {
  return { ...usage, ...(models && { models: Object.fromEntries(models) }) }
}

function readRests(members: unknown): ReadonlyMap<string, Rest> {
  return readMembers(members, (raw) => decodeOrDrop(RestSchema, raw))
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
  const failures = decodeOrDrop(Count, raw.failures)
  const grant = decodeOrDrop(v.string(), raw.grant)
  const models = readRests(raw.models)
  const seen: readonly unknown[] = Array.isArray(raw.quota) ? raw.quota : []
  const quota = seen.flatMap((entry) => decodeOrDrop(WindowSchema, entry) ?? [])
  const lastFailure = decodeOrDrop(Failure, raw.lastFailure)
  const refusedPolicy = decodeOrDrop(Refusal, raw.refusedPolicy)
  return {
    ...(fingerprint !== undefined && { fingerprint }),
    ...(grant !== undefined && { grant }),
    ...(lastUsedAt !== undefined && { lastUsedAt }),
    ...(lastGoodAt !== undefined && { lastGoodAt }),
    ...(rest && { rest }),
    ...(models.size > 0 && { models }),
    ...(failures !== undefined && { failures }),
    ...(lastFailure && { lastFailure }),
    ...(refusedPolicy && { refusedPolicy }),
    ...(quota.length > 0 && { quota }),
  }
}
