/** A question whose answer is never shown, not even its length while it is typed. */

import type { ReadStream, WriteStream } from 'node:tty'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { PASTE_MARKS_OFF, PASTE_MARKS_ON } from './paste-marks.ts'

/**
 * Asks on a terminal with echo off.
 *
 * A pasted secret may be wrapped over several lines. The terminal is asked to mark pastes, so that a line break inside
 * one does not end the answer and spill the rest into the shell.
 *
 * @faults `EQ_INTERRUPTED` Ctrl-C, or the signal
 */
export function askHidden(
  input: ReadStream,
  output: WriteStream,
  question: string,
  signal: AbortSignal,
): Promise<Result<string, Fault>> {
  if (signal.aborted) return Promise.resolve(fail({ code: 'EQ_INTERRUPTED' }))
  const typed = createHiddenInput()
  const decoder = new TextDecoder()
  return new Promise((resolve) => {
    const end = (result: Result<string, Fault>): void => {
      input.off('data', listen)
      signal.removeEventListener('abort', interrupt)
      input.setRawMode(false)
      input.pause()
      output.write(`${PASTE_MARKS_OFF}${result.ok ? `${result.value.length} characters` : ''}\n`)
      resolve(result)
    }
    const interrupt = (): void => end(fail({ code: 'EQ_INTERRUPTED' }))
    const listen = (chunk: Buffer): void => {
      const state = typed.feed(decoder.decode(chunk, { stream: true }))
      if (state === 'done') end(ok(typed.text()))
      if (state === 'interrupted') interrupt()
    }
    signal.addEventListener('abort', interrupt)
    input.setRawMode(true)
    output.write(`${PASTE_MARKS_ON}${question}: `)
    input.on('data', listen)
    input.resume()
  })
}

const PASTE_BEGIN = '\u001b[200~'
const PASTE_END = '\u001b[201~'
// oxlint-disable-next-line no-control-regex -- keys such as arrows arrive as escape sequences
const KEY_SEQUENCE = /^\u001b(?:\[[0-?]*[ -/]*[@-~]|O.|[^[O])?/

export interface HiddenInput {
  /** Takes what the terminal sent, in raw mode. */
  feed(chunk: string): 'more' | 'done' | 'interrupted'
  text(): string
}

/** Turns the bytes of a raw terminal into the answer: keys, pastes with or without marks, corrections. */
export function createHiddenInput(): HiddenInput {
  let text = ''
  let pasting = false
  /** The beginning of a mark that was cut by the end of a chunk. */
  let held = ''

  const paste = (rest: string): string => {
    const end = rest.indexOf(PASTE_END)
    if (end >= 0) {
      text += rest.slice(0, end)
      pasting = false
      return rest.slice(end + PASTE_END.length)
    }
    held = cutMark(rest, PASTE_END)
    text += rest.slice(0, rest.length - held.length)
    return ''
  }

  const escape = (rest: string): string => {
    if (rest.startsWith(PASTE_BEGIN)) {
      pasting = true
      return rest.slice(PASTE_BEGIN.length)
    }
    if (rest.length > 1 && PASTE_BEGIN.startsWith(rest)) {
      held = rest
      return ''
    }
    return rest.slice(KEY_SEQUENCE.exec(rest)?.[0].length ?? 1)
  }

  return {
    text: () => text,
    feed(chunk) {
      let rest = held + chunk
      held = ''
      while (rest !== '') {
        if (pasting) {
          rest = paste(rest)
          continue
        }
        const [key = ''] = rest
        if (key === '\u001b') {
          rest = escape(rest)
          continue
        }
        rest = rest.slice(key.length)
        if (key === '\u0003') return 'interrupted'
        if (key === '\u0004') return 'done'
        // A break that more text follows at once is a paste by a terminal that does not mark pastes.
        if ((key === '\r' || key === '\n') && rest.trim() === '') return 'done'
        text = edited(text, key)
      }
      return 'more'
    },
  }
}

function edited(text: string, key: string): string {
  if (key === '\u007f' || key === '\b') return text.slice(0, -1)
  if (key === '\u0015') return ''
  return key === '\r' || key === '\n' || key >= ' ' ? text + key : text
}

/** The end of `text` that may be the beginning of `mark`. */
function cutMark(text: string, mark: string): string {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length -= 1) {
    if (mark.startsWith(text.slice(-length))) return text.slice(-length)
  }
  return ''
}
