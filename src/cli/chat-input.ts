/** Where the messages of a chat come from: a person at a prompt, or the lines of standard input. */

import { stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline'
import type { Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { PASTE_MARKS_OFF, PASTE_MARKS_ON } from './paste-marks.ts'

export type Typed =
  | { readonly kind: 'message'; readonly text: string }
  /** Ctrl-C at an empty prompt. */
  | { readonly kind: 'interrupt' }
  /** Ctrl-D, or the end of the input. */
  | { readonly kind: 'end' }

export interface ChatInput {
  next(): Promise<Typed>
  /** While `work` runs, Ctrl-C calls `stop`, and what is typed waits unseen for the next prompt. */
  during<T>(work: Promise<T>, stop: () => void): Promise<T>
  /** Gives the terminal back. */
  close(): void
}

export interface PromptOptions {
  readonly prompt: string
  /** Earlier messages for the arrow keys, oldest first. */
  readonly history: readonly string[]
}

export interface InputOptions {
  /** Absent: nobody is there to be prompted; each line of the input is a message. */
  readonly person?: PromptOptions
  /** Ends the input. */
  readonly signal: AbortSignal
}

export type OpenChatInput = (options: InputOptions) => ChatInput

/** The input of this process. */
export const openChatInput: OpenChatInput = ({ person, signal }) =>
  person
    ? createPromptInput(stdin, stdout, { ...person, signal })
    : createLineInput(stdin, { signal })

/** Each line is one message. */
export function createLineInput(
  input: NodeJS.ReadableStream,
  { signal }: { readonly signal: AbortSignal },
): ChatInput {
  const arrivals = createArrivals()
  const readline = createInterface({ input, terminal: false, signal })
  endOnError(input, readline)
  readline.on('line', (text) => arrivals.put({ kind: 'message', text }))
  readline.on('close', () => arrivals.put({ kind: 'end' }))
  return {
    next: arrivals.take,
    during: (work) => work,
    close: () => readline.close(),
  }
}

type Screen = NodeJS.WritableStream & { readonly columns?: number }

/** A prompt with line editing. A pasted text of several lines is one message; Ctrl-C clears a line that is begun. */
export function createPromptInput(
  input: NodeJS.ReadableStream,
  output: Screen,
  { prompt, history, signal }: PromptOptions & { readonly signal: AbortSignal },
): ChatInput {
  const arrivals = createArrivals()
  const echo = createEcho(output)
  let stop: (() => void) | undefined
  let pasting = false
  let prompted = false
  const above: string[] = []
  const readline = createInterface({
    input,
    output: echo.stream,
    prompt,
    history: history.toReversed(),
    historySize: 1_000,
    removeHistoryDuplicates: true,
    terminal: true,
    signal,
  })

  endOnError(input, readline)
  input.on('keypress', (_text: unknown, key?: { readonly name?: string }) => {
    if (key?.name === 'paste-start') pasting = true
    if (key?.name === 'paste-end') pasting = false
  })
  readline.on('line', (line) => {
    above.push(line)
    if (pasting) return
    prompted = false
    echo.mute(true)
    arrivals.put({ kind: 'message', text: above.splice(0).join('\n') })
  })
  readline.on('SIGINT', () => {
    if (stop) return stop()
    const begun = [...above.splice(0), readline.line].join('') !== ''
    readline.write(null, { ctrl: true, name: 'e' })
    output.write('^C\n')
    echo.mute(true)
    readline.write(null, { ctrl: true, name: 'u' })
    echo.mute(false)
    prompted = begun
    if (begun) readline.prompt()
    else arrivals.put({ kind: 'interrupt' })
  })
  readline.on('close', () => {
    echo.close()
    output.write(prompted ? `\n${PASTE_MARKS_OFF}` : PASTE_MARKS_OFF)
    arrivals.put({ kind: 'end' })
  })
  output.write(PASTE_MARKS_ON)

  return {
    next() {
      const early = arrivals.first()
      if (!early) {
        echo.mute(false)
        prompted = true
        readline.prompt(true)
      } else if (early.kind === 'message') {
        output.write(`${prompt}${early.text}\n`)
      }
      return arrivals.take()
    },
    async during(work, onInterrupt) {
      stop = onInterrupt
      try {
        return await work
      } finally {
        stop = undefined
      }
    },
    close: () => readline.close(),
  }
}

/** An input that cannot be read is at its end. Newer versions of Node tell it through the interface too. */
function endOnError(input: NodeJS.ReadableStream, readline: Interface): void {
  for (const emitter of [input, readline]) emitter.on('error', () => readline.close())
}

interface Arrivals {
  put(typed: Typed): void
  /** Has arrived and was not taken yet. */
  first(): Typed | undefined
  take(): Promise<Typed>
}

/** A queue with one reader. The end stays in it. */
function createArrivals(): Arrivals {
  const waiting: Typed[] = []
  let reader: ((typed: Typed) => void) | undefined
  const shift = (): Typed | undefined => (waiting[0]?.kind === 'end' ? waiting[0] : waiting.shift())
  return {
    put(typed) {
      waiting.push(typed)
      if (!reader) return
      const wake = reader
      reader = undefined
      wake(shift() ?? typed)
    },
    first: () => waiting[0],
    take() {
      const typed = shift()
      return typed ? Promise.resolve(typed) : new Promise((wake) => (reader = wake))
    },
  }
}

interface Echo {
  readonly stream: Writable
  mute(silent: boolean): void
  close(): void
}

/** What readline draws on: the screen, or nothing while a reply streams there. */
function createEcho(screen: Screen): Echo {
  let muted = false
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!muted) screen.write(chunk)
      done()
    },
  })
  // A muted line never wraps: readline would later move up by its rows and wipe the end of the reply.
  Object.defineProperty(stream, 'columns', {
    get: () => (muted ? Number.POSITIVE_INFINITY : screen.columns),
  })
  const resized = (): boolean => stream.emit('resize')
  screen.on('resize', resized)
  return {
    stream,
    mute: (silent) => void (muted = silent),
    close: () => void screen.off('resize', resized),
  }
}
