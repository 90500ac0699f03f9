/**
 * Text that cannot steer a terminal. Names, mail addresses, providers' words and models' replies come from outside;
 * whatever of them is printed passes through here.
 */

/** Escape sequences with what they carry: CSI, strings (OSC, DCS, SOS, PM, APC) to their end, two-character ones. */
const SEQUENCES =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g

/** Controls but newline and tab, and the marks that reorder text. */
const CONTROLS =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** The styles that `layout.ts` uses, and no others: none of them moves the cursor or hides text. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const OWN_STYLE = /(\u001b\[(?:1|2|22|31|32|33|39)m)/

const PLAIN = /^[\x20-\x7e\n\t]*$/

/** Without escape sequences and control characters; newlines and tabs stay. */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text
  return text.replace(SEQUENCES, '').replace(CONTROLS, '')
}

/** `printable`, on one line. */
export function printableLine(text: string): string {
  return printable(text.replace(/[\r\n\t\u2028\u2029]+/g, ' '))
}

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
