/** A last question before something is gone for good. */

import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Output } from './command.ts'
import type { Terminal } from './terminal.ts'

/** What a command answers when the person said no. */
export const NOT_DONE: Result<Output, Fault> = ok({
  text: 'Nothing was changed',
  json: { changed: false },
  exit: 1,
})

/**
 * Whether to go on: `--yes`, or what the person says.
 *
 * @param undone what is not done without a yes, such as `session monday was not deleted`
 * @faults `EQ_CONFIRM_NEEDED` nobody can be asked and `--yes` was not given; `EQ_INTERRUPTED`
 */
export async function confirmed(
  terminal: Terminal,
  yes: boolean | undefined,
  question: string,
  undone: string,
): Promise<Result<boolean, Fault>> {
  if (yes) return ok(true)
  if (!terminal.interactive) return fail({ code: 'EQ_CONFIRM_NEEDED', what: undone })
  return terminal.confirm(question)
}
