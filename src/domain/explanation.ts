/** What a fault is to a user: words, the next step, an exit code, an HTTP status. */

export interface Explanation {
  readonly message: string
  /** The next command to type, or the change to make; empty when there is nothing to do. */
  readonly hint: string
  /** Exit code of a command; docs/architecture.md lists them. */
  readonly exit: number
  /** HTTP status of a gateway answer. */
  readonly http: number
}

export function say(message: string, hint: string, exit: number, http: number): Explanation {
  return { message, hint, exit, http }
}
