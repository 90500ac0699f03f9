/**
 * What the headers of any answer, good or bad, say about a credential's limits. Nobody asks a provider for them.
 *
 * @source Anthropic's rate-limit page for keys; for plans, what Claude Code and Codex read of their own providers'
 * answers; OpenAI's, Groq's and OpenRouter's rate-limit pages
 */

import type { QuotaReader, UpstreamAnswer } from '../domain/ports.ts'
import type { QuotaWindow } from '../domain/quota.ts'
import type { EpochMs } from '../domain/time.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../domain/time.ts'
import { decimal, headerText, instantMs, lengthMs } from './limit-text.ts'

type ReplyHeaders = UpstreamAnswer['headers']

/** More windows than this no provider has; a hostile one must not fill the state file. */
const MOST_WINDOWS = 12
/** Beyond this an end is a mistake, ms. */
const ABSURD_MS: number = 400 * DAY_MS

const COUNTED =
  /^(?:anthropic-ratelimit-(?!unified-)([a-z][a-z-]{0,30})-(?:limit|remaining|reset))$/
const PLAN =
  /^anthropic-ratelimit-unified-(\d+[mhd](?:_[a-z0-9]{1,20})?)-(?:status|utilization|reset)$/
const LIKE_OPENAI = /^x-ratelimit-(?:limit|remaining|reset)-([a-z][a-z-]{0,30})$/

/** The windows that these headers tell of; none when they tell of none. A value that makes no sense is left out. */
export const readQuota: QuotaReader = (headers, now) =>
  [
    ...windowsNamed(headers, COUNTED, (name) => countedWindow(headers, name, now)),
    ...planWindows(headers, now),
    ...windowsNamed(headers, LIKE_OPENAI, (name) => openaiWindow(headers, `-${name}`, name, now)),
    ...openaiWindow(headers, '', 'requests', now),
    ...codexWindow(headers, 'primary', now),
    ...codexWindow(headers, 'secondary', now),
  ].slice(0, MOST_WINDOWS)

function windowsNamed(
  headers: ReplyHeaders,
  pattern: RegExp,
  read: (name: string) => readonly QuotaWindow[],
): readonly QuotaWindow[] {
  const names = Object.keys(headers).flatMap((name) => pattern.exec(name)?.[1] ?? [])
  return [...new Set(names)].flatMap(read)
}

function countedWindow(headers: ReplyHeaders, name: string, now: EpochMs): readonly QuotaWindow[] {
  const at = (part: string) => headerText(headers, `anthropic-ratelimit-${name}-${part}`)
  const resetsAt = believable(instantMs(at('reset')), now)
  return counted(name, at('limit'), at('remaining'), resetsAt, now)
}

/** The windows of a subscription; where only their common verdict is told, that. */
function planWindows(headers: ReplyHeaders, now: EpochMs): readonly QuotaWindow[] {
  const windows = windowsNamed(headers, PLAN, (name) => planWindow(headers, name, name, now))
  const whole = planWindow(headers, undefined, claimedName(headers), now)
  const rejected = (given: readonly QuotaWindow[]): boolean =>
    given.some(({ status }) => status === 'rejected')
  return windows.length === 0 || (rejected(whole) && !rejected(windows))
    ? [...windows.filter(({ name }) => name !== whole[0]?.name), ...whole]
    : windows
}

/** Which window the common verdict is about. */
function claimedName(headers: ReplyHeaders): string {
  const claim = headerText(headers, 'anthropic-ratelimit-unified-representative-claim')
  return claim === 'five_hour' ? '5h' : claim === 'seven_day' ? '7d' : 'plan'
}

function planWindow(
  headers: ReplyHeaders,
  part: string | undefined,
  name: string,
  now: EpochMs,
): readonly QuotaWindow[] {
  const prefix = `anthropic-ratelimit-unified-${part === undefined ? '' : `${part}-`}`
  const status = STATUSES.get(headerText(headers, `${prefix}status`) ?? '')
  const used = share(decimal(headerText(headers, `${prefix}utilization`)))
  const resetsAt = believable(instantMs(headerText(headers, `${prefix}reset`)), now)
  if (status === undefined && used === undefined) return []
  return [window({ name, used, status, resetsAt, seenAt: now })]
}

const STATUSES: ReadonlyMap<string, NonNullable<QuotaWindow['status']>> = new Map([
  ['allowed', 'allowed'],
  ['allowed_warning', 'warning'],
  ['rejected', 'rejected'],
])

/** Its reset is a length with OpenAI and those that copy it, an instant with OpenRouter. */
function openaiWindow(
  headers: ReplyHeaders,
  ending: string,
  name: string,
  now: EpochMs,
): readonly QuotaWindow[] {
  const at = (part: string) => headerText(headers, `x-ratelimit-${part}${ending}`)
  const reset = at('reset')
  const number = decimal(reset)
  const length =
    number === undefined || number < ABSURD_MS / SECOND_MS ? lengthMs(reset) : undefined
  const end = length === undefined ? instantMs(reset) : now + length
  return counted(name, at('limit'), at('remaining'), believable(end, now), now)
}

function codexWindow(
  headers: ReplyHeaders,
  which: 'primary' | 'secondary',
  now: EpochMs,
): readonly QuotaWindow[] {
  const at = (part: string) => headerText(headers, `x-codex-${which}-${part}`)
  const percent = decimal(at('used-percent'))
  const used = percent === undefined ? undefined : share(percent / 100)
  const minutes = decimal(at('window-minutes'))
  if (used === undefined || minutes === 0) return []
  const after = decimal(at('reset-after-seconds'))
  const end = after === undefined ? instantMs(at('reset-at')) : now + after * SECOND_MS
  return [
    window({
      name: lengthName(minutes) ?? (which === 'primary' ? '5h' : '7d'),
      used,
      status: used >= 1 ? 'rejected' : undefined,
      resetsAt: believable(end, now),
      seenAt: now,
    }),
  ]
}

/** `5h`, `7d`; an odd minute or two is rounding on the provider's side. */
function lengthName(minutes: number | undefined): string | undefined {
  if (minutes === undefined || minutes < 1) return undefined
  const hours = Math.round((minutes * MINUTE_MS) / (60 * MINUTE_MS))
  if (hours < 1) return `${minutes}m`
  return hours % 24 === 0 ? `${hours / 24}d` : `${hours}h`
}

/** A limit that is counted. `-1` and a limit of 0 stand for "not told". */
function counted(
  name: string,
  limitText: string | undefined,
  remainingText: string | undefined,
  resetsAt: EpochMs | undefined,
  now: EpochMs,
): readonly QuotaWindow[] {
  const limit = positive(decimal(limitText))
  const left = decimal(remainingText)
  const remaining = left === undefined || left < 0 ? undefined : left
  if (remaining === undefined) return []
  const used = limit === undefined ? undefined : share(1 - remaining / limit)
  return [window({ name, used, limit, remaining, resetsAt, seenAt: now })]
}

/** Without the members that are not told. */
function window(
  told: {
    readonly [Key in keyof QuotaWindow]: QuotaWindow[Key] | undefined
  } & Pick<QuotaWindow, 'name' | 'seenAt'>,
): QuotaWindow {
  const { name, used, limit, remaining, status, resetsAt, seenAt } = told
  return {
    name,
    ...(used !== undefined && { used }),
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && { remaining }),
    ...(status !== undefined && { status }),
    ...(resetsAt !== undefined && { resetsAt }),
    seenAt,
  }
}

function share(value: number | undefined): number | undefined {
  if (value === undefined || value < 0) return undefined
  return Math.min(1, Math.round(value * 10_000) / 10_000)
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined
}

function believable(at: EpochMs | undefined, now: EpochMs): EpochMs | undefined {
  return at !== undefined && at > 0 && at - now < ABSURD_MS ? Math.ceil(at) : undefined
}
