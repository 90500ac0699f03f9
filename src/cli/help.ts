/** What stands under a command's help: lines to copy, and what they do. */

import type { Command } from 'commander'

/** A command line and, if it needs one, a remark. */
export type Example = readonly [line: string, remark?: string]

const given = new WeakMap<Command, readonly Example[]>()

/** Adds examples to a command's help. */
export function examples(command: Command, lines: readonly Example[]): Command {
  const width = Math.max(...lines.map(([line]) => line.length))
  const rows = lines.map(([line, remark]) =>
    remark === undefined ? `  ${line}` : `  ${line.padEnd(width)}  # ${remark}`,
  )
  given.set(command, lines)
  return command.addHelpText('after', `\nExamples:\n${rows.join('\n')}`)
}

/** Gives each group that has no examples of its own the first one of each of its commands. */
export function addGroupExamples(command: Command): void {
  for (const child of command.commands) addGroupExamples(child)
  if (command.commands.length === 0 || given.has(command)) return
  examples(
    command,
    command.commands.flatMap((child) => given.get(child)?.slice(0, 1) ?? []),
  )
}
