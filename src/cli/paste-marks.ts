/** Asks a terminal to say where a paste begins and ends, so that a line break in it does not end the answer. */

export const PASTE_MARKS_ON = '\u001b[?2004h'
export const PASTE_MARKS_OFF = '\u001b[?2004l'
