/** Limits of a client's key as they were typed on the command line. */

import type { ClientTerms } from '../domain/client.ts'
import { parseBudget, parseRate } from '../domain/client-terms.ts'
import type { Fault } from '../domain/fault.ts'
import { parseProfileId } from '../domain/names.ts'
import { printableLine } from '../domain/printable.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { EpochMs } from '../domain/time.ts'
import { DAY_MS, dayText, isInstant, parseDuration } from '../domain/time.ts'
import { typedAgent } from './typed-names.ts'

export interface TermOptions {
  readonly agent?: string
  readonly models?: string
  readonly profiles?: string
  readonly budget?: string
  readonly rate?: string
  readonly expires?: string
}

/** @faults `EQ_USAGE`, `EQ_NAME_INVALID` */
export function typedTerms(options: TermOptions, now: EpochMs): Result<ClientTerms, Fault> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const profiles = typedList(options.profiles).map((text) => ({ text, id: parseProfileId(text) }))
  const unnamed = profiles.find(({ id }) => id === undefined)
  if (unnamed) return fail({ code: 'EQ_NAME_INVALID', what: 'profile', text: unnamed.text })
  const budget = options.budget === undefined ? undefined : parseBudget(options.budget)
  if (options.budget !== undefined && !budget) {
    return wrong('--budget', '5usd/day, 2000000tokens/month, or both with a comma', options.budget)
  }
  const rate = options.rate === undefined ? undefined : parseRate(options.rate)
  if (options.rate !== undefined && !rate) {
    return wrong('--rate', '60/min, 10/s or 5000/day', options.rate)
  }
  const expiresAt = typedEnd(options.expires, now)
  if (!expiresAt.ok) return expiresAt
  const models = typedList(options.models)
  return ok({
    ...(agent.value && { agent: agent.value }),
    ...(models.length > 0 && { models }),
    ...(profiles.length > 0 && { profiles: profiles.flatMap(({ id }) => id ?? []) }),
    ...(budget && { budget }),
    ...(rate && { rate }),
    ...(expiresAt.value !== undefined && { expiresAt: expiresAt.value }),
  })
}

/** A day lasts to its end, by UTC. @faults `EQ_USAGE` */
export function typedEnd(
  text: string | undefined,
  now: EpochMs,
): Result<EpochMs | undefined, Fault> {
  if (text === undefined) return ok(undefined)
  const trimmed = text.trim()
  const end = /^\d{4}-\d{2}-\d{2}$/.test(trimmed)
    ? Date.parse(`${trimmed}T00:00:00Z`) + DAY_MS
    : now + (parseDuration(trimmed) ?? Number.NaN)
  // 2026-02-30 would be taken for the second of March.
  const isDay = !trimmed.includes('-') || (isInstant(end) && dayText(end - DAY_MS) === trimmed)
  return isInstant(end) && isDay && end > now
    ? ok(end)
    : wrong('--expires', 'a length of time such as 30d or a day to come such as 2026-12-31', text)
}

function typedList(text: string | undefined): readonly string[] {
  const parts = (text ?? '').split(',').map((part) => part.trim())
  return [...new Set(parts.filter((part) => part !== ''))]
}

function wrong(option: string, what: string, text: string): Result<never, Fault> {
  const detail = `${option} takes ${what}, not "${printableLine(text)}"`
  return fail({ code: 'EQ_USAGE', detail, command: 'equabot clients add' })
}
