/** `usageStats` of older tools in `auth-profiles.json`, as our own kind of state. Parts that make no sense are left out. */

import type { AgentState, FailureReason, ProfileUsage, Rest } from '../domain/cooldown.ts'
import { parseProfileId } from '../domain/names.ts'
import { isInstant } from '../domain/time.ts'
import type { JsonObject } from './decode.ts'
import { isJsonObject } from './decode.ts'

const REASONS: Readonly<Record<string, FailureReason>> = {
  auth: 'auth',
  billing: 'billing',
  rate_limit: 'rate_limit',
  timeout: 'timeout',
  format: 'invalid_request',
}

export function legacyStateFrom(usageStats: unknown): AgentState {
  const profiles = new Map<string, ProfileUsage>()
  if (isJsonObject(usageStats)) {
    for (const [name, stats] of Object.entries(usageStats)) {
      const id = parseProfileId(name)
      if (id && isJsonObject(stats)) profiles.set(id, usageFrom(stats))
    }
  }
  return { profiles, models: new Map() }
}

function usageFrom(stats: JsonObject): ProfileUsage {
  const lastUsedAt = positiveFrom(stats.lastUsed)
  const failures = positiveFrom(stats.errorCount)
  const rest = restFrom(stats)
  return {
    ...(lastUsedAt !== undefined && { lastUsedAt }),
    ...(failures !== undefined && { failures }),
    ...(rest && { rest }),
  }
}

/** The longer of the two rests that those tools knew. They did not write down why a cooldown began. */
function restFrom(stats: JsonObject): Rest | undefined {
  const cooldownUntil = positiveFrom(stats.cooldownUntil) ?? 0
  const disabledUntil = positiveFrom(stats.disabledUntil) ?? 0
  const until = Math.max(cooldownUntil, disabledUntil)
  if (until === 0) return undefined
  const told = disabledUntil === until ? String(stats.disabledReason) : 'rate_limit'
  return {
    scope: 'profile',
    reason: (Object.hasOwn(REASONS, told) ? REASONS[told] : undefined) ?? 'rate_limit',
    since: positiveFrom(stats.lastFailureAt) ?? positiveFrom(stats.lastUsed) ?? 0,
    until,
    source: 'ladder',
  }
}

function positiveFrom(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && isInstant(value) ? value : undefined
}
