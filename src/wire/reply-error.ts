/** The error that stands where a reply was expected: in the body of an answer that calls itself good, or in its stream. */

import { isRecord, valueAt } from '../domain/plain-data.ts'

/**
 * The error in one event or body, in the form of an error answer; undefined: it holds none.
 *
 * @param text from which `value` was parsed
 */
export function errorWithin(value: unknown, text: string): string | undefined {
  // OpenAI's Responses put it beside what was answered until then.
  const failed = valueAt(value, ['response', 'error'])
  if (isError(failed)) return JSON.stringify({ error: failed })
  const root: unknown = Array.isArray(value) ? value[0] : value
  if (!isRecord(root)) return undefined
  const isNamed = root['type'] === 'error' || root['type'] === 'response.failed'
  return isNamed || isError(root['error']) || isError(errorOfChoice(root)) ? text : undefined
}

/** OpenRouter's, once a reply has begun. */
function errorOfChoice({ choices }: Readonly<Record<string, unknown>>): unknown {
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined
  return isRecord(first) ? first['error'] : undefined
}

/** Servers that fill in every field say so with nothing in it. */
function isError(value: unknown): boolean {
  return isRecord(value) ? Object.keys(value).length > 0 : typeof value === 'string' && value !== ''
}
