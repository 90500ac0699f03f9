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

const PLAIN = /^[\x20-\x7e\n\t]*$/

/** Without escape sequences, also those that are cut off. Other control characters stay. */
export function withoutSequences(text: string): string {
  return text.replace(SEQUENCES, '')
}

/** Without escape sequences and control characters; newlines and tabs stay. */
export function printable(text: string): string {
  return PLAIN.test(text) ? text : withoutSequences(text).replace(CONTROLS, '')
}

/** `printable`, on one line. */
export function printableLine(text: string): string {
  return printable(text.replace(/[\r\n\t\u2028\u2029]+/g, ' '))
}
