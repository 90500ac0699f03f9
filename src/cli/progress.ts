/** What a person at a terminal sees while something takes longer than they expect. Nobody else sees anything. */

import type { Clock } from '../domain/ports.ts'
import { SECOND_MS } from '../domain/time.ts'
import type { Terminal } from './terminal.ts'

/**
 * The line appears after a second, counts the seconds, and is gone at the end.
 *
 * @param work is given a function that changes the words
 */
export async function withProgress<T>(
  clock: Pick<Clock, 'sleep'>,
  terminal: Pick<Terminal, 'err' | 'interactive'>,
  firstWords: string,
  work: (tell: (words: string) => void) => Promise<T>,
): Promise<T> {
  const ended = new AbortController()
  let words = firstWords
  let shown = 0
  const draw = (text: string): void => {
    terminal.err(`\r${text.padEnd(shown)}`)
    shown = text.length
  }
  async function count(): Promise<void> {
    for (let seconds = 1; ; seconds += 1) {
      await clock.sleep(SECOND_MS, ended.signal)
      if (ended.signal.aborted) return
      draw(`${words} ${seconds} s`)
    }
  }
  if (terminal.interactive) void count()
  try {
    return await work((next) => {
      words = next
    })
  } finally {
    ended.abort()
    if (shown > 0) terminal.err(`\r${' '.repeat(shown)}\r`)
  }
}
