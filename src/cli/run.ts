/** Runs one command line. Whatever happens becomes an exit code; nothing is thrown out of here. */

import type { Command } from 'commander'
import { CommanderError } from 'commander'
import type { Fault } from '../domain/fault.ts'
import { nearestOf } from '../domain/nearest.ts'
import { safeWords } from '../wire/safe-words.ts'
import type { App } from '../services/app.ts'
import type { CommandContext } from './command.ts'
import { printFault } from './command.ts'
import { createProgram } from './program.ts'

/** What a run needs of the process it is in. */
export type Host = Omit<CommandContext, 'setExit' | 'telling'>

const USAGE_EXIT = 64

/**
 * @param argv what was typed after the program's name
 * @returns the exit code
 */
export async function run(argv: readonly string[], host: Host): Promise<number> {
  let exit = 0
  let app: App | undefined
  const json = argv.includes('--json')
  const context: CommandContext = {
    ...host,
    async openApp() {
      const opened = await host.openApp()
      if (opened.ok) app = opened.value
      return opened
    },
    telling: () => app && { show: app.show, now: app.clock.now() },
    setExit(code) {
      exit = code
    },
  }
  const program = createProgram(context)
  if (argv[0] === 'help') {
    showHelp(program, argv.slice(1), context, json)
    return exit
  }
  let failing = program
  for (const command of commandsOf(program)) {
    command.exitOverride((error) => {
      failing = command
      throw error
    })
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (cause) {
    if (!(cause instanceof CommanderError)) {
      // Nothing of the app is asked any more: the fault may be its own.
      const { terminal, setExit } = context
      printFault(
        { terminal, setExit },
        { code: 'EQ_INTERNAL', detail: safeWords(String(cause)) },
        json,
      )
    } else if (cause.code === 'commander.help') {
      // A group without a command has shown its help, but it did nothing.
      context.setExit(USAGE_EXIT)
    } else if (cause.exitCode !== 0) {
      printFault(context, usageFault(cause, failing, argv), json)
    }
  }
  return exit
}

/** `help models auth`: the help of that command. */
function showHelp(
  program: Command,
  words: readonly string[],
  context: CommandContext,
  json: boolean,
): void {
  let command = program
  for (const word of words) {
    const next = command.commands.find((entry) => entry.name() === word)
    if (!next) {
      printFault(context, unknownCommand(word, command), json)
      return
    }
    command = next
  }
  command.outputHelp()
}

function commandsOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(commandsOf)]
}

function usageFault(cause: CommanderError, failing: Command, argv: readonly string[]): Fault {
  const stray = strayWord(cause, failing, argv)
  if (stray !== undefined) return unknownCommand(stray.word, stray.parent)
  const words = cause.message
    .replace(/^error: /, '')
    .replace(/\n\((.*)\)$/, '. $1')
    // A value may be a secret that somebody wrongly gave as an argument.
    .replace(/^(unknown option '[^'=]*)=.*'/s, "$1'")
  return { code: 'EQ_USAGE', detail: sentence(safeWords(words)), command: pathOf(failing) }
}

/** A word that was meant as a command: it fell to the group itself, or to the command that the group runs by default. */
function strayWord(
  { code }: CommanderError,
  failing: Command,
  argv: readonly string[],
): { readonly word: string; readonly parent: Command } | undefined {
  const [word] = failing.args
  if (word === undefined) return undefined
  if (code === 'commander.unknownCommand') return { word, parent: failing }
  if (code !== 'commander.excessArguments') return undefined
  if (failing.commands.length > 0) return { word, parent: failing }
  const { parent } = failing
  return parent === null || argv.includes(failing.name()) ? undefined : { word, parent }
}

function unknownCommand(word: string, parent: Command): Fault {
  const nearest = nearestOf(
    word,
    parent.commands.map((command) => command.name()),
  )
  const meant = nearest === undefined ? '' : `. Did you mean ${pathOf(parent)} ${nearest}?`
  const detail = `There is no command "${pathOf(parent)} ${safeWords(word, 40)}"${meant}`
  return { code: 'EQ_USAGE', detail, command: pathOf(parent) }
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
