/** Completion scripts, made from the command tree, so that they cannot fall behind it. */

import type { Command, Option } from 'commander'
import { quoted } from './shell-word.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

/** One command with what may follow it. */
interface Node {
  /** Words after the program's name; empty for the program itself. */
  readonly path: string
  readonly children: readonly Entry[]
  readonly options: readonly Entry[]
}

interface Entry {
  readonly word: string
  readonly description: string
  /** The option takes a value; these are its choices, or none are known. */
  readonly values?: readonly string[]
}

export function completionScript(program: Command, shell: Shell): string {
  const nodes = walk(program, [])
  switch (shell) {
    case 'bash':
      return bashScript(program.name(), nodes)
    case 'zsh':
      return zshScript(program.name(), nodes)
    case 'fish':
      return fishScript(program.name(), nodes)
    default:
      return shell satisfies never
  }
}

function walk(command: Command, path: readonly string[]): readonly Node[] {
  const { visibleCommands, visibleOptions } = visibleParts(command)
  const node: Node = {
    path: path.join(' '),
    children: [
      ...visibleCommands.map((child) => ({ word: child.name(), description: child.description() })),
      ...command.registeredArguments.flatMap((argument) =>
        (argument.argChoices ?? []).map((word) => ({ word, description: '' })),
      ),
    ],
    options: visibleOptions.flatMap(optionEntries),
  }
  const below = visibleCommands
    .filter((child) => child.name() !== 'help')
    .flatMap((child) => walk(child, [...path, child.name()]))
  return [node, ...below]
}

function visibleParts(command: Command): {
  readonly visibleCommands: readonly Command[]
  readonly visibleOptions: readonly Option[]
} {
  const help = command.createHelp()
  return {
    visibleCommands: help.visibleCommands(command),
    visibleOptions: help.visibleOptions(command),
  }
}

function optionEntries(option: Option): readonly Entry[] {
  const takesValue = option.required || option.optional
  if (option.long === undefined || option.long === null) return []
  return [
    {
      word: option.long,
      description: option.description,
      ...(takesValue && { values: option.argChoices ?? [] }),
    },
  ]
}

/** The options that take a value, each once, with all choices that any command gives it. */
function valuedOptions(nodes: readonly Node[]): ReadonlyMap<string, readonly string[]> {
  const valued = new Map<string, readonly string[]>()
  for (const { options } of nodes) {
    for (const { word, values } of options) {
      if (values) valued.set(word, [...new Set([...(valued.get(word) ?? []), ...values])])
    }
  }
  return valued
}

/** Works in bash 3.2, which macOS has. */
function bashScript(name: string, nodes: readonly Node[]): string {
  const words = nodes.map(({ path, children, options }) => {
    const all = [...children, ...options].map((entry) => entry.word).join(' ')
    return `    ${quoted(path)}) echo ${quoted(all)} ;;`
  })
  const values = [...valuedOptions(nodes)].map(
    ([word, choices]) =>
      `    ${word}) COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$current")); return ;;`,
  )
  return `# Completion of ${name} for bash.
_${name}_words() {
  case "$1" in
${words.join('\n')}
  esac
}

_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word index
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    if [ -n "$(_${name}_words "\${path:+$path }$word")" ]; then path="\${path:+$path }$word"; fi
  done
  COMPREPLY=($(compgen -W "$(_${name}_words "$path")" -- "$current"))
}

complete -o default -F _${name} ${name}`
}

function zshScript(name: string, nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, children, options }) => {
    const rows = [...children, ...options].map(
      ({ word, description }) =>
        `        ${quoted(`${word.replaceAll(':', '\\:')}:${oneLine(description)}`)}`,
    )
    return `    ${quoted(path)})\n      entries=(\n${rows.join('\n')}\n      ) ;;`
  })
  const known = nodes.filter(({ path }) => path !== '').map(({ path }) => quoted(path))
  const values = [...valuedOptions(nodes)].map(([word, choices]) =>
    choices.length > 0
      ? `    ${word}) compadd -- ${choices.map(quoted).join(' ')}; return ;;`
      : `    ${word}) _files; return ;;`,
  )
  return `#compdef ${name}
# Completion of ${name} for zsh.
_${name}() {
  local place="" word
  local -a entries known
  known=(${known.join(' ')})
  case "\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if (( \${known[(Ie)\${place:+$place }$word]} )); then place="\${place:+$place }$word"; fi
  done
  case "$place" in
${cases.join('\n')}
  esac
  _describe -- ${name} entries
}

compdef _${name} ${name}`
}

function fishScript(name: string, nodes: readonly Node[]): string {
  const known = nodes.filter(({ path }) => path !== '').map(({ path }) => quoted(path))
  const rules = nodes.flatMap(({ path, children, options }) => [
    ...children.map(
      ({ word, description }) =>
        `complete -c ${name} -n ${quoted(`__${name}_at ${quotedInside(path)}`)} -f -a ${quoted(word)} -d ${quoted(oneLine(description))}`,
    ),
    ...options.map(({ word, description, values }) => {
      const takes = values ? ` -x${values.length > 0 ? ` -a ${quoted(values.join(' '))}` : ''}` : ''
      return `complete -c ${name} -n ${quoted(`__${name}_at ${quotedInside(path)}`)} -l ${word.slice(2)}${takes} -d ${quoted(oneLine(description))}`
    }),
  ])
  return `# Completion of ${name} for fish.
function __${name}_at
    set -l known ${known.join(' ')}
    set -l place ''
    for word in (commandline -opc)[2..-1]
        set -l longer (string trim -- "$place $word")
        if contains -- "$longer" $known
            set place "$longer"
        end
    end
    test "$place" = "$argv[1]"
end

complete -c ${name} -f
${rules.join('\n')}`
}

/** A description on one line. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}

function quotedInside(text: string): string {
  return `"${text}"`
}
