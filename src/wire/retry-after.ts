/** How long a provider asks to wait, from wherever it says so. */

import type { UpstreamAnswer } from '../domain/ports.ts'
import type { EpochMs } from '../domain/time.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../domain/time.ts'
import type { ErrorBody } from './error-body.ts'

type ReplyHeaders = UpstreamAnswer['headers']

/** Longest wait that is believed, ms; longer ones count as this. */
const LONGEST_WAIT_MS: number = DAY_MS

/** Beyond this a number is a mistake and not a wait, ms. */
const ABSURD_MS: number = 400 * DAY_MS

/** Windows of Anthropic's limits for API keys and for subscriptions, and of OpenAI's. */
const ANTHROPIC_WINDOWS = ['requests', 'tokens', 'input-tokens', 'output-tokens']
const ANTHROPIC_PLAN_WINDOWS = ['unified', 'unified-5h', 'unified-7d']
const OPENAI_WINDOWS = ['requests', 'tokens']

/**
 * The wait in the headers made for it.
 *
 * @returns ms, at most `LONGEST_WAIT_MS`; undefined when absent, zero, past or absurd
 * @source RFC 9110 10.2.3; `retry-after-ms` is OpenAI's and Azure's
 */
export function retryAfterMs(headers: ReplyHeaders, now: EpochMs): number | undefined {
  const precise = believable(decimal(one(headers, 'retry-after-ms')))
  if (precise !== undefined) return precise
  const value = one(headers, 'retry-after')
  const seconds = decimal(value)
  return believable(seconds === undefined ? untilInstant(value, now) : seconds * SECOND_MS)
}

/** The wait in the body: an instant, a length, or Google's sentence. */
export function bodyWaitMs(body: ErrorBody, now: EpochMs): number | undefined {
  return (
    believable(untilInstant(body.resetsAt, now)) ??
    believable(
      typeof body.resetsIn === 'number' ? body.resetsIn * SECOND_MS : lengthMs(body.resetsIn),
    ) ??
    believable(
      lengthMs(/\bplease retry in ([\d.]+(?:ms|s|m|h))(?![\w.]*\w)/i.exec(body.message)?.[1]),
    ) ??
    believable(regainMs(body.message, now))
  )
}

/** The wait until the last of the used-up windows opens again. */
export function windowWaitMs(headers: ReplyHeaders, now: EpochMs): number | undefined {
  const waits = [
    ...ANTHROPIC_WINDOWS.filter((window) =>
      isZero(one(headers, `anthropic-ratelimit-${window}-remaining`)),
    ).map((window) => untilInstant(one(headers, `anthropic-ratelimit-${window}-reset`), now)),
    ...ANTHROPIC_PLAN_WINDOWS.filter(
      (window) => one(headers, `anthropic-ratelimit-${window}-status`) === 'rejected',
    ).map((window) => untilInstant(one(headers, `anthropic-ratelimit-${window}-reset`), now)),
    ...OPENAI_WINDOWS.filter((window) =>
      isZero(one(headers, `x-ratelimit-remaining-${window}`)),
    ).map((window) => lengthMs(one(headers, `x-ratelimit-reset-${window}`))),
  ]
  const open = waits.map(believable).filter((wait) => wait !== undefined)
  return open.length > 0 ? Math.max(...open) : undefined
}

function believable(ms: number | undefined): number | undefined {
  if (ms === undefined || !(ms > 0) || ms > ABSURD_MS) return undefined
  return Math.min(Math.ceil(ms), LONGEST_WAIT_MS)
}

/** Until an instant: RFC 3339, an HTTP date, or seconds or milliseconds since 1970. */
function untilInstant(value: string | number | undefined, now: EpochMs): number | undefined {
  if (value === undefined) return undefined
  const epoch = typeof value === 'number' ? value : decimal(value)
  if (epoch !== undefined) return (epoch > 1e11 ? epoch : epoch * SECOND_MS) - now
  const instant = Date.parse(String(value))
  return Number.isNaN(instant) ? undefined : instant - now
}

/** A length such as `34.07s`, `12ms` or `6m0s`; a bare number is seconds. */
function lengthMs(value: string | undefined): number | undefined {
  const seconds = decimal(value)
  if (seconds !== undefined) return seconds * SECOND_MS
  if (value === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(value)) return undefined
  const units: Readonly<Record<string, number>> = {
    ms: 1,
    s: SECOND_MS,
    m: MINUTE_MS,
    h: HOUR_MS,
    d: DAY_MS,
  }
  return [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0),
    0,
  )
}

/** Anthropic's spend limits: "You will regain access on 2026-12-01 at 00:00 UTC." */
function regainMs(message: string, now: EpochMs): number | undefined {
  const [, date, time] =
    /\bregain access on (\d{4}-\d\d-\d\d)(?: at (\d\d:\d\d) UTC)?/i.exec(message) ?? []
  return date === undefined ? undefined : untilInstant(`${date}T${time ?? '00:00'}Z`, now)
}

function decimal(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined
}

function isZero(value: string | undefined): boolean {
  const left = decimal(value)
  return left !== undefined && left <= 0
}

function one(headers: ReplyHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}
