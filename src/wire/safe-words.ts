/** A provider's message made safe to print: no control over a terminal, nothing that looks like a secret, one line. */

import { withoutSequences } from '../domain/printable.ts'
import { maskSecrets } from '../domain/secret-forms.ts'

/** Longest text that is kept, in characters. */
const LONGEST_WORDS = 300

/** Invisible characters that reorder or hide text; one inside a secret must not save it from being seen. */
const INVISIBLE = /\p{Cf}/gu

/** Control characters and breaks of lines and paragraphs. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/gu

/** @param longest characters that are kept; an ellipsis takes the place of the last one when more was there */
export function safeWords(text: string, longest: number = LONGEST_WORDS): string {
  const printable = withoutSequences(text.slice(0, 8 * longest))
    .replace(INVISIBLE, '')
    .replace(CONTROLS, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const masked = maskSecrets(printable)
  const characters = [...masked]
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : masked
}
