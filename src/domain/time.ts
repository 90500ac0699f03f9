/** Instants and durations. The only place where text or seconds become milliseconds. No clock here. */

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number

export const SECOND_MS = 1_000
export const MINUTE_MS: number = 60 * SECOND_MS
export const HOUR_MS: number = 60 * MINUTE_MS
export const DAY_MS: number = 24 * HOUR_MS

/** Largest instant a `Date` can hold, ms. */
const LAST_DATE_MS = 8_640_000_000_000_000

/** What a length of time is counted in, ms. */
export const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
  y: 365 * DAY_MS,
}

/**
 * A duration as a person types it: `365d`, `12h`, `1.5h`, `90m`, `30s`; a bare number counts days.
 *
 * @returns milliseconds, rounded; undefined when the text is not a positive duration
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w|y)?$/i.exec(text.trim())
  if (!match) return undefined
  const unit = UNITS[(match[2] ?? 'd').toLowerCase()]
  const ms = Math.round(Number(match[1]) * (unit ?? DAY_MS))
  return ms > 0 && ms <= LAST_DATE_MS ? ms : undefined
}

/** A time to wait as a person types it: as a duration, but a bare number counts seconds. Undefined when it is none. */
export function parseWait(text: string): number | undefined {
  const trimmed = text.trim()
  return parseDuration(/^[\d.]+$/.test(trimmed) ? `${trimmed}s` : trimmed)
}

/** A length of time in words, in its largest unit, to the nearest: `45 s`, `12 min`, `3 h`, `20 days`. */
export function inWords(ms: number): string {
  const size = Math.abs(ms)
  const seconds = Math.round(size / SECOND_MS)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(size / MINUTE_MS)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.round(size / HOUR_MS)
  if (hours < 48) return `${hours} h`
  return `${Math.round(size / DAY_MS)} days`
}

/** An instant relative to now: `in 3 h`, `20 days ago`, `now`; as a date when now is not known. */
export function relative(at: EpochMs, now: EpochMs | undefined): string {
  if (now === undefined) return `on ${dateText(at)}`
  const ms = at - now
  if (Math.abs(ms) < SECOND_MS) return 'now'
  return ms > 0 ? `in ${inWords(ms)}` : `${inWords(ms)} ago`
}

/** An instant as `2026-11-22 14:03 UTC`. */
export function dateText(at: EpochMs): string {
  if (!isInstant(at)) return 'an impossible date'
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** The day of an instant, by UTC: `2026-11-22`. */
export function dayText(at: EpochMs): string {
  return isInstant(at) ? new Date(at).toISOString().slice(0, 10) : 'an impossible date'
}

/** An instant as part of a file name: `2026-11-22T14-03-05.120Z`. */
export function fileStamp(at: EpochMs): string {
  return new Date(at).toISOString().replaceAll(':', '-')
}

export function isInstant(at: number): boolean {
  return Number.isFinite(at) && Math.abs(at) <= LAST_DATE_MS
}
