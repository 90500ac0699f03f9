/** A secret that somebody repeats, whole or in part, raw or encoded, taken out of their words. */

import type { Secret } from './secret.ts'

/** A run of so many characters of a secret is a part of it and no accident. */
const LEAST = 8

/** The text without any run of eight or more characters of the secret. Mask before a text is cut: a cut hides its end. */
export function maskRuns(text: string, secret: Secret): string {
  const raw = secret.reveal()
  const runs = new Set([...runsOf(raw), ...runsOf(encodeURIComponent(raw))])
  const hidden = Array.from({ length: text.length }, () => false)
  const size = Math.min(LEAST, raw.length)
  for (let start = 0; start + size <= text.length; start += 1) {
    if (runs.has(text.slice(start, start + size))) hidden.fill(true, start, start + size)
  }
  let masked = ''
  for (let place = 0; place < text.length; place += 1) {
    if (!hidden[place]) masked += text[place] ?? ''
    else if (place === 0 || !hidden[place - 1]) masked += '[secret]'
  }
  return masked
}

function runsOf(text: string): readonly string[] {
  const size = Math.min(LEAST, text.length)
  return size === 0
    ? []
    : Array.from({ length: text.length - size + 1 }, (_, start) => text.slice(start, start + size))
}
