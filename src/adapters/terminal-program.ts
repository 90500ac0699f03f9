/**
 * Runs a program of the user's in the terminal of this process. No shell has a part in it, and the program gets only
 * the variables that a terminal program needs: none that holds a credential of ours.
 */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { constants as modes } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'

import type { ProgramEnd, TerminalProgram } from '../domain/ports.ts'
import { NETWORK } from './passed-on.ts'

export interface TerminalProgramDeps {
  /** The environment of this process. */
  readonly variables: ReadonlyMap<string, string>
  /** What the program has as its standard input, output and error; by default this process's own. */
  readonly stdio?: readonly [number | 'ignore', number | 'ignore', number | 'ignore']
}

/** Exit code of a shell for a program that cannot be executed. */
const NOT_EXECUTABLE = 126
const INTERRUPTED: number = 128 + constants.signals.SIGINT

export function createTerminalProgram(deps: TerminalProgramDeps): TerminalProgram {
  // Its screen goes where our questions go, so that our standard output keeps to results.
  const { variables, stdio = [0, 2, 2] } = deps
  return {
    find: (program) => findOnPath(program, variables.get('PATH') ?? ''),
    run(path, args, signal) {
      if (signal.aborted) return Promise.resolve({ kind: 'interrupted' })
      return withoutInterrupts((wasInterrupted) => {
        const child = spawn(path, [...args], {
          stdio: [...stdio],
          env: Object.fromEntries([...variables].filter(([name]) => isPassedOn(name))),
        })
        return endOf(child, signal, wasInterrupted)
      })
    },
  }
}

/** Only absolute folders count: another one would depend on where the user happens to stand. */
async function findOnPath(program: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder)) continue
    const candidate = join(folder, program)
    if (await isExecutable(candidate)) return candidate
  }
  return undefined
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, modes.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/**
 * A terminal sends Ctrl-C to every program in its foreground, so to us too. While another program has the terminal
 * this must not end us: it is that program's to answer.
 */
async function withoutInterrupts<T>(
  run: (wasInterrupted: () => boolean) => Promise<T>,
): Promise<T> {
  let interrupted = false
  const listeners = process.listeners('SIGINT')
  const note = (): void => {
    interrupted = true
  }
  process.on('SIGINT', note)
  for (const listener of listeners) process.off('SIGINT', listener)
  try {
    return await run(() => interrupted)
  } finally {
    for (const listener of listeners) process.on('SIGINT', listener)
    process.off('SIGINT', note)
  }
}

function endOf(
  child: ChildProcess,
  signal: AbortSignal,
  wasInterrupted: () => boolean,
): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const stop = (): void => void child.kill('SIGTERM')
    signal.addEventListener('abort', stop, { once: true })
    const end = (exit: number): void => {
      signal.removeEventListener('abort', stop)
      const isInterrupted = exit === INTERRUPTED || (exit !== 0 && wasInterrupted())
      resolve(isInterrupted || signal.aborted ? { kind: 'interrupted' } : { kind: 'ended', exit })
    }
    child.on('error', () => end(NOT_EXECUTABLE))
    child.on('exit', (code, killedBy) => {
      end(code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]))
    })
  })
}

/** What a terminal program needs: itself, the person's place, the screen, the language, the way to the network. */
const PASSED_ON: ReadonlySet<string> = new Set([
  'HOME',
  'PATH',
  'PWD',
  'USER',
  'LOGNAME',
  'SHELL',
  'TMPDIR',
  'TZ',
  'TERM',
  'TERMINFO',
  'TERM_PROGRAM',
  'COLORTERM',
  'NO_COLOR',
  'TMUX',
  'STY',
  'LANG',
  'LANGUAGE',
  'BROWSER',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'DBUS_SESSION_BUS_ADDRESS',
  'WSL_DISTRO_NAME',
  'WSL_INTEROP',
  'SSH_AUTH_SOCK',
  'SSH_CLIENT',
  'SSH_CONNECTION',
  'SSH_TTY',
  'CLAUDE_CONFIG_DIR',
  'CLAUDE_SECURESTORAGE_CONFIG_DIR',
  ...NETWORK,
])

function isPassedOn(name: string): boolean {
  return PASSED_ON.has(name) || /^(?:LC|XDG)_[A-Z_]+$/.test(name)
}
