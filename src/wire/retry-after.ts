/** How long a provider asks to wait, from wherever it says so. */

import type { UpstreamAnswer } from '../domain/ports.ts'
import type { QuotaWindow } from '../domain/quota.ts'
import { isUsedUp } from '../domain/quota.ts'
import type { EpochMs } from '../domain/time.ts'
import { DAY_MS, SECOND_MS } from '../domain/time.ts'
import type { ErrorBody } from './error-body.ts'
import { decimal, headerText, instantMs, lengthMs } from './limit-text.ts'

type ReplyHeaders = UpstreamAnswer['headers']

/** Longest wait that is believed, ms; longer ones count as this. Money comes back with the month. */
const LONGEST_WAIT_MS: number = 32 * DAY_MS

/** Beyond this a number is a mistake and not a wait, ms. */
const ABSURD_MS: number = 400 * DAY_MS

/**
 * The wait in the headers made for it.
 *
 * @returns ms, at most `LONGEST_WAIT_MS`; undefined when absent, zero, past or absurd
 * @source RFC 9110 10.2.3; `retry-after-ms` is OpenAI's and Azure's
 */
export function retryAfterMs(headers: ReplyHeaders, now: EpochMs): number | undefined {
  const precise = believable(decimal(headerText(headers, 'retry-after-ms')))
  if (precise !== undefined) return precise
  const value = headerText(headers, 'retry-after')
  const seconds = decimal(value)
  return believable(seconds === undefined ? untilInstant(value, now) : seconds * SECOND_MS)
}

/** The wait in the body: an instant, a length, or a sentence of Google's, OpenAI's or Groq's. */
export function bodyWaitMs(body: ErrorBody, now: EpochMs): number | undefined {
  return (
    believable(untilInstant(body.resetsAt, now)) ??
    believable(
      typeof body.resetsIn === 'number' ? body.resetsIn * SECOND_MS : lengthMs(body.resetsIn),
    ) ??
    believable(
      lengthMs(
        /\bplease (?:retry|try again) in ((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)(?![\w.]*\w)/i.exec(
          body.message,
        )?.[1],
      ),
    ) ??
    believable(regainMs(body.message, now))
  )
}

/** The wait until the last of the used-up windows opens again. */
export function windowWaitMs(windows: readonly QuotaWindow[], now: EpochMs): number | undefined {
  const waits = windows
    .filter(isUsedUp)
    .map(({ resetsAt }) => believable(resetsAt === undefined ? undefined : resetsAt - now))
    .filter((wait) => wait !== undefined)
  return waits.length > 0 ? Math.max(...waits) : undefined
}

function believable(ms: number | undefined): number | undefined {
  if (ms === undefined || !(ms > 0) || ms > ABSURD_MS) return undefined
  return Math.min(Math.ceil(ms), LONGEST_WAIT_MS)
}

function untilInstant(value: string | number | undefined, now: EpochMs): number | undefined {
  const at = instantMs(value)
  return at === undefined ? undefined : at - now
}

/** Anthropic's spend limits: "You will regain access on 2026-12-01 at 00:00 UTC." */
function regainMs(message: string, now: EpochMs): number | undefined {
  const [, date, time] =
    /\bregain access on (\d{4}-\d\d-\d\d)(?: at (\d\d:\d\d) UTC)?/i.exec(message) ?? []
  return date === undefined ? undefined : untilInstant(`${date}T${time ?? '00:00'}Z`, now)
}
