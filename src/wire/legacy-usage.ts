/** `usageStats` of older tools in `auth-profiles.json`, as our own kind of state. Parts that make no sense are left out. */

import * as v from 'valibot'

import type { AgentState, FailureReason, ProfileUsage, Rest } from '../domain/cooldown.ts'
import { parseProfileId } from '../domain/names.ts'
import { isRecord } from '../domain/plain-data.ts'
import type { JsonObject } from './decode.ts'
import { decodeOrDrop } from './decode.ts'
import { instantOf } from './instant.ts'

const Count = v.pipe(v.number(), v.integer(), v.minValue(1))
const REASONS: Readonly<Record<string, FailureReason>> = {
  auth: 'auth',
  billing: 'billing',
  rate_limit: 'rate_limit',
  timeout: 'timeout',
  format: 'invalid_request',
}

export function legacyStateFrom(usageStats: unknown): AgentState {
  const profiles = new Map<string, ProfileUsage>()
  if (isRecord(usageStats)) {
    for (const [name, stats] of Object.entries(usageStats)) {
      const id = parseProfileId(name)
      if (id && isRecord(stats)) profiles.set(id, usageFrom(stats))
    }
  }
  return { profiles, models: new Map() }
}

function usageFrom(stats: JsonObject): ProfileUsage {
  const lastUsedAt = instantOf(stats.lastUsed)
  const failures = decodeOrDrop(Count, stats.errorCount)
  const rest = restFrom(stats)
  return {
    ...(lastUsedAt !== undefined && { lastUsedAt }),
    ...(failures !== undefined && { failures }),
    ...(rest && { rest }),
  }
}

/** The longer of the two rests that those tools knew. They did not write down why a cooldown began. */
function restFrom(stats: JsonObject): Rest | undefined {
  const cooldownUntil = instantOf(stats.cooldownUntil) ?? 0
  const disabledUntil = instantOf(stats.disabledUntil) ?? 0
  const until = Math.max(cooldownUntil, disabledUntil)
  if (until === 0) return undefined
  const told = disabledUntil === until ? String(stats.disabledReason) : 'rate_limit'
  return {
    scope: 'profile',
    reason: (Object.hasOwn(REASONS, told) ? REASONS[told] : undefined) ?? 'rate_limit',
    since: instantOf(stats.lastFailureAt) ?? instantOf(stats.lastUsed) ?? 0,
    until,
    source: 'ladder',
  }
}
