/** What goes to the screen: nothing that steers the terminal but our own colours. */

import { printable } from '../domain/printable.ts'

/** The styles that `layout.ts` uses, and no others: none of them moves the cursor or hides text. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const OWN_STYLE = /(\u001b\[(?:1|2|22|31|32|33|39)m)/

/** A whole screen: printable but for our own colours. */
export function printableScreen(text: string): string {
  return text
    .split(OWN_STYLE)
    .map((piece, index) => (index % 2 === 1 ? piece : printable(piece)))
    .join('')
}

/** JSON that means the same and holds no character that a terminal obeys; the others are escaped by JSON itself. */
export function printableJson(json: string): string {
  return json.replace(
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
