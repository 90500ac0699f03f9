/**
 * The variables that the user's login shell would set. Its start-up files may print, wait, fail or never end: none of
 * that reaches us.
 */

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, constants, readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'

export interface ShellVariables {
  /** Path of the shell that was asked. */
  readonly shell: string
  readonly variables: ReadonlyMap<string, string>
}

export interface ShellEnvironment {
  /**
   * The login shell's variables; the shell is started once, at the first call, and never again in this process.
   *
   * @param timeoutMs how long the shell may take, ms
   * @returns undefined when the shell gave none in time
   */
  read(timeoutMs: number): Promise<ShellVariables | undefined>
}

export interface ShellEnvironmentDeps {
  /** The process environment: names the shell, and is what the shell starts with. */
  readonly variables: ReadonlyMap<string, string>
  /** The list of programs that are login shells on this machine. */
  readonly shellsPath?: string
}

const FALLBACK_SHELL = '/bin/sh'
const MAX_OUTPUT_BYTES: number = 2 * 1024 * 1024

export function createShellEnvironment(deps: ShellEnvironmentDeps): ShellEnvironment {
  const { variables, shellsPath = '/etc/shells' } = deps
  let captured: Promise<ShellVariables | undefined> | undefined

  async function capture(timeoutMs: number): Promise<ShellVariables | undefined> {
    const named = variables.get('SHELL')
    const isLogin = named !== undefined && (await isLoginShell(named, shellsPath))
    const shell = isLogin ? named : FALLBACK_SHELL
    const output = await printedBy(shell, variables, timeoutMs).catch(() => undefined)
    return output === undefined ? undefined : { shell, variables: variablesIn(output) }
  }

  return {
    read: (timeoutMs) => (captured ??= capture(timeoutMs)),
  }
}

/** A program that the system lists as a shell: `SHELL` alone could name anything. */
async function isLoginShell(path: string, shellsPath: string): Promise<boolean> {
  if (!isAbsolute(path)) return false
  try {
    await access(path, constants.X_OK)
    const lines = (await readFile(shellsPath, 'utf8')).split('\n')
    return lines.some((line) => line.trim() === path)
  } catch {
    return false
  }
}

/** What `env -0` prints in a login shell, told from everything else that is printed by two random marks. */
async function printedBy(
  shell: string,
  variables: ReadonlyMap<string, string>,
  timeoutMs: number,
): Promise<string | undefined> {
  const [begin, end] = [newMark(), newMark()]
  const script = `${printing(begin)}; command env -0; ${printing(end)}`
  const child = spawn(shell, ['-l', '-c', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: Object.fromEntries(variables),
    detached: true,
  })
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => settle(undefined), timeoutMs)

    function settle(output: string | undefined): void {
      clearTimeout(timer)
      if (output === undefined) killGroup(child.pid)
      // What the start-up files left running may hold the pipe open for ever.
      child.stdout.destroy()
      child.unref()
      resolve(output)
    }

    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > MAX_OUTPUT_BYTES) return settle(undefined)
      const output = between(Buffer.concat(chunks).toString('utf8'), begin, end)
      if (output !== undefined) settle(output)
    })
    child.stdout.on('end', () => settle(undefined))
    child.on('error', () => settle(undefined))
  })
}

function newMark(): string {
  return randomBytes(16).toString('hex')
}

/** In two parts, so that a shell that repeats its commands does not print the mark whole. */
function printing(mark: string): string {
  return `printf %s%s ${mark.slice(0, 16)} ${mark.slice(16)}`
}

function between(text: string, begin: string, end: string): string | undefined {
  const start = text.indexOf(begin)
  const stop = text.indexOf(end, start + begin.length)
  return start < 0 || stop < 0 ? undefined : text.slice(start + begin.length, stop)
}

function variablesIn(output: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const entry of output.split('\0')) {
    const equals = entry.indexOf('=')
    if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1))
  }
  return variables
}

/** The shell and everything it started. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    return
  }
}
