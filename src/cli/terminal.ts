/** The terminal as commands see it. The real one is made by `createTerminal`; tests give a fake. */

import type { ReadStream, WriteStream } from 'node:tty'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { askHidden } from './hidden-prompt.ts'

export interface Terminal {
  /** A person can be asked: stdin and stderr are terminals. Questions go to stderr, so stdout stays for results. */
  readonly interactive: boolean
  /** False: something is piped in, or stdin is a file. */
  readonly inputIsTerminal: boolean
  /** False: the output goes to a pipe or a file, and nothing is wrapped. */
  readonly outputIsTerminal: boolean
  /** Colour was decided once: a terminal, no NO_COLOR, no --no-color. */
  readonly colour: boolean
  /** Columns; 80 when not a terminal. */
  readonly width: number
  out(text: string): void
  err(text: string): void
  /** All of standard input. @faults `EQ_INTERRUPTED` */
  readInput(): Promise<Result<string, Fault>>
  /** Asks without echo. A pasted text may hold line breaks. @faults `EQ_PROMPT_NO_TTY`, `EQ_INTERRUPTED` */
  askSecret(question: string, instead: string): Promise<Result<string, Fault>>
  /** Asks yes or no, of a person who can be asked. @faults `EQ_INTERRUPTED` */
  confirm(question: string): Promise<Result<boolean, Fault>>
  /** @faults `EQ_PROMPT_NO_TTY`, `EQ_INTERRUPTED` */
  choose(
    question: string,
    options: readonly { readonly value: string; readonly label: string }[],
    instead: string,
  ): Promise<Result<string, Fault>>
}

export interface Streams {
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly stderr: WriteStream
}

/**
 * The terminal of this process.
 *
 * @param options.plain the user gave `--no-color`
 * @param options.signal ends a question as Ctrl-C does
 */
export function createTerminal(
  { stdin, stdout, stderr }: Streams,
  { plain, signal }: { readonly plain: boolean; readonly signal: AbortSignal },
): Terminal {
  // A stream that is not a terminal has no isTTY at all.
  const [inputIsTerminal, outputIsTerminal] = [stdin.isTTY ?? false, stdout.isTTY ?? false]
  const interactive = inputIsTerminal && (stderr.isTTY ?? false)
  const place = { input: stdin, output: stderr, signal }

  return {
    interactive,
    inputIsTerminal,
    outputIsTerminal,
    colour: outputIsTerminal && !plain && stdout.hasColors(),
    width: outputIsTerminal ? Math.max(40, stdout.columns) : 80,

    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),

    async readInput() {
      const chunks: Buffer[] = []
      const stop = (): void => void stdin.destroy()
      signal.addEventListener('abort', stop)
      try {
        for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Buffer))
      } catch (cause) {
        if (!signal.aborted) throw cause
      } finally {
        signal.removeEventListener('abort', stop)
      }
      return signal.aborted
        ? fail({ code: 'EQ_INTERRUPTED' })
        : ok(Buffer.concat(chunks).toString('utf8'))
    },

    askSecret: async (question, instead) =>
      interactive
        ? askHidden(stdin, stderr, question, signal)
        : fail({ code: 'EQ_PROMPT_NO_TTY', instead }),

    async confirm(question) {
      const { confirm, isCancel } = await import('@clack/prompts')
      const answer = await confirm({ ...place, message: question, initialValue: false })
      return isCancel(answer) ? fail({ code: 'EQ_INTERRUPTED' }) : ok(answer)
    },

    async choose(question, options, instead) {
      if (!interactive) return fail({ code: 'EQ_PROMPT_NO_TTY', instead })
      const { select, isCancel } = await import('@clack/prompts')
      const answer = await select<string>({ ...place, message: question, options: [...options] })
      return isCancel(answer) ? fail({ code: 'EQ_INTERRUPTED' }) : ok(answer)
    },
  }
}
