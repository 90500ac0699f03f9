/** A place in `equabot.json` as a person types it: `gateway.port`, `models.providers["my.host"].baseUrl`. */

import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'

/** One step: `.name`, `."na.me"`, `["na.me"]`, `['na.me']` or `[0]`; the first one has no dot. */
const STEP =
  /\.?"((?:[^"\\]|\\.)*)"|\.?'((?:[^'\\]|\\.)*)'|\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]|\[(\d+)\]|\.?([^.[\]"']+)/y
const BARE = /^[^.[\]"'\s]+$/

/** @faults `EQ_USAGE` */
export function parseConfigPath(text: string): Result<readonly string[], Fault> {
  const typed = text.trim()
  const steps: string[] = []
  let at = 0
  while (at < typed.length) {
    STEP.lastIndex = at
    const match = STEP.exec(typed)
    const begins = match !== null && match[0].startsWith('.')
    if (!match || begins !== (at > 0 && !match[0].startsWith('['))) break
    const [, ...forms] = match
    const quoted = forms.slice(0, 4).find((form) => form !== undefined)
    steps.push(quoted?.replace(/\\(.)/g, '$1') ?? forms[4] ?? forms[5] ?? '')
    at = STEP.lastIndex
  }
  if (at === typed.length && steps.length > 0) return ok(steps)
  const detail = `"${typed.slice(0, 80)}" is not a place in the config. Write it like gateway.port; a name with dots goes in quotes: models.providers["my.host"].baseUrl`
  return fail({ code: 'EQ_USAGE', detail, command: 'equabot config' })
}

export function formatConfigPath(steps: readonly string[]): string {
  return steps
    .map((step, index) => {
      if (!BARE.test(step)) return `[${JSON.stringify(step)}]`
      return index === 0 ? step : `.${step}`
    })
    .join('')
}

/** The value at a place in plain data; undefined when there is none. */
export function valueAt(data: unknown, steps: readonly string[]): unknown {
  let value = data
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = Object.entries(value).find(([name]) => name === step)?.[1]
  }
  return value
}

/** The data with another value at a place; what does not lead there stays the same. */
export function withValueAt(data: unknown, steps: readonly string[], value: unknown): unknown {
  const [step, ...rest] = steps
  if (step === undefined) return value
  if (Array.isArray(data)) {
    return data.map((entry: unknown, index) =>
      `${index}` === step ? withValueAt(entry, rest, value) : entry,
    )
  }
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(
    Object.entries(data).map(([name, entry]: [string, unknown]) => [
      name,
      name === step ? withValueAt(entry, rest, value) : entry,
    ]),
  )
}
