/** Instants, lengths and numbers as headers and bodies of providers spell them. */

import type { UpstreamAnswer } from '../domain/ports.ts'
import type { EpochMs } from '../domain/time.ts'
import { isInstant, SECOND_MS, UNITS } from '../domain/time.ts'

type ReplyHeaders = UpstreamAnswer['headers']

/** A number above this is milliseconds since 1970, not seconds. */
const LEAST_EPOCH_MS = 1e11

/** The header's value; the first one where it came several times. */
export function headerText(headers: ReplyHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

export function decimal(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined
}

/** An instant: RFC 3339, an HTTP date, or seconds or milliseconds since 1970. */
export function instantMs(value: string | number | undefined): EpochMs | undefined {
  if (value === undefined) return undefined
  const epoch = typeof value === 'number' ? value : decimal(value)
  const at =
    epoch === undefined
      ? Date.parse(String(value))
      : epoch > LEAST_EPOCH_MS
        ? epoch
        : epoch * SECOND_MS
  return isInstant(at) ? at : undefined
}

/** A length such as `34.07s`, `12ms` or `6m0s`; a bare number is seconds. */
export function lengthMs(value: string | undefined): number | undefined {
  const seconds = decimal(value)
  if (seconds !== undefined) return seconds * SECOND_MS
  if (value === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(value)) return undefined
  return [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0),
    0,
  )
}
