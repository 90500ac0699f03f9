/** What every command is made of: a result becomes text or JSON on stdout, a fault becomes a message and an exit code. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import { printable } from '../domain/printable.ts'
import type { Result } from '../domain/result.ts'
import type { Telling } from '../domain/telling.ts'
import { tellFault } from '../domain/telling.ts'
import type { App } from '../services/app.ts'
import { faultJson } from '../wire/fault-json.ts'
import { lines } from './layout.ts'
import { printableJson, printableScreen } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** What a command says when it worked. */
export interface Output {
  /** For people; the final newline is added. Empty text prints nothing. */
  readonly text: string
  /** For programs: the same facts as plain data. Never holds a secret. Undefined prints nothing. */
  readonly json: unknown
  /** Not 0 when the answer is "no", such as a failed check. */
  readonly exit?: number
}

/** What commands work with. The app is opened by the first command that needs it. */
export interface CommandContext {
  readonly terminal: Terminal
  readonly version: string
  openApp(): Promise<Result<App, Fault>>
  /** How faults are told once an app is open. */
  readonly telling?: () => Telling | undefined
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal
  /** Told once by `action`; the process ends with it. */
  setExit(code: number): void
}

/** Everything that commander hands to an action: arguments, then options, then the command. */
type Handler = (...given: never[]) => Promise<Result<Output, Fault>>

/** Runs a command's work and prints its result the way the user asked: text, or JSON with `--json`. */
export function action(
  context: CommandContext,
  handler: Handler,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command
    const json = command.optsWithGlobals()['json'] === true
    const result = await handler(...(given as never[]))
    if (result.ok) {
      printOutput(context.terminal, result.value, json)
      context.setExit(result.value.exit ?? 0)
    } else {
      printFault(context, result.fault, json)
    }
  }
}

/** `action` for work that needs the app. */
export function appAction(
  context: CommandContext,
  handler: (app: App, ...given: never[]) => Promise<Result<Output, Fault>>,
): (...given: unknown[]) => Promise<void> {
  return action(context, async (...given) => {
    const opened = await context.openApp()
    return opened.ok ? handler(opened.value, ...given) : opened
  })
}

function printOutput(terminal: Terminal, output: Output, json: boolean): void {
  if (json) {
    if (output.json !== undefined) printData(terminal, output.json)
    return
  }
  const { text } = output
  if (text !== '') terminal.out(`${printableScreen(text)}\n`)
}

/** Errors go to stderr; with `--json` a program finds them on stdout. */
export function printFault(
  context: Pick<CommandContext, 'terminal' | 'setExit' | 'telling'>,
  fault: Fault,
  json: boolean,
): void {
  const telling = context.telling?.()
  const { code, message, hint, exit } = faultJson(fault, telling?.now)
  if (json) {
    printData(context.terminal, { ok: false, error: { code, message, hint } })
  } else {
    const told = telling ? tellFault(fault, telling) : { message, fix: hint }
    context.terminal.err(printable(`${lines(told.message, told.fix)}\n`))
  }
  context.setExit(exit)
}

function printData(terminal: Terminal, data: unknown): void {
  terminal.out(`${printableJson(JSON.stringify(data, null, 2))}\n`)
}
