/** A provider's message made safe to print: no control over a terminal, nothing that looks like a secret, one line. */

import { maskSecrets } from '../domain/secret-forms.ts'

/** Longest text that is kept, in characters. */
const LONGEST_WORDS = 300

/** Escape sequences of terminals: CSI, OSC and its kin up to their terminator, and two-character ones. */
const TERMINAL_ESCAPES =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]/g

/** Invisible characters that reorder or hide text; one inside a secret must not save it from being seen. */
const INVISIBLE = /\p{Cf}/gu

/** Control characters and breaks of lines and paragraphs. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/gu

/** @param longest characters that are kept; an ellipsis takes the place of the last one when more was there */
export function safeWords(text: string, longest: number = LONGEST_WORDS): string {
  const printable = text
    .slice(0, 8 * longest)
    .replace(TERMINAL_ESCAPES, '')
    .replace(INVISIBLE, '')
    .replace(CONTROLS, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const masked = maskSecrets(printable)
  const characters = [...masked]
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : masked
}
