/**
 * Runs an owner's program with the smallest of prompts, so that it renews its own login on the way.
 *
 * It has long enough to exchange its refresh token; when it has not ended by then it is ended, with all that it started:
 * left running it would meet the next one at its own login.
 */

import { spawn } from 'node:child_process'

import type { ForeignOrigin } from '../domain/foreign.ts'
import type { OwnerProgram, OwnerProgramEnd } from '../domain/renewal-ports.ts'
import { SECOND_MS } from '../domain/time.ts'
import { errnoOf } from './files.ts'
import { HOME_AND_NETWORK, passedOn } from './passed-on.ts'

export interface OwnerProgramDeps {
  readonly origin: ForeignOrigin
  /** The process environment; the program gets no more of it than it needs. */
  readonly variables: ReadonlyMap<string, string>
  /** Where it runs; not in a project, whose settings would have a say. */
  readonly folder: string
  /** Instead of its usual name. */
  readonly program?: string
  /** Between the request to end and the end itself, ms. */
  readonly graceMs?: number
}

const PROMPT = 'Reply with the single word ok.'

const COMMANDS: Readonly<
  Record<ForeignOrigin, { readonly program: string; readonly words: readonly string[] }>
> = {
  'claude-code': { program: 'claude', words: ['-p', PROMPT] },
  'codex-cli': {
    program: 'codex',
    words: ['exec', '--skip-git-repo-check', '--sandbox', 'read-only', PROMPT],
  },
}

const GRACE_MS: number = 5 * SECOND_MS

export function createOwnerProgram(deps: OwnerProgramDeps): OwnerProgram {
  return { origin: deps.origin, run: (patienceMs) => run(deps, patienceMs) }
}

async function run(deps: OwnerProgramDeps, patienceMs: number): Promise<OwnerProgramEnd> {
  const command = COMMANDS[deps.origin]
  const child = spawn(deps.program ?? command.program, command.words, {
    cwd: deps.folder,
    // No key and no token: with one of those the program would use that and leave its login alone.
    env: passedOn(HOME_AND_NETWORK, deps.variables),
    stdio: 'ignore',
    // A Ctrl-C at our terminal must not reach it, and it can be ended with all that it started.
    detached: true,
  })
  const ended = new Promise<OwnerProgramEnd>((resolve) => {
    child.once('error', (cause) => resolve({ kind: 'not_started', errno: errnoOf(cause) }))
    child.once('close', (exit, signal) =>
      resolve(exit === null ? { kind: 'killed', signal: signal ?? '' } : { kind: 'ended', exit }),
    )
  })
  const inTime = await within(patienceMs, ended)
  if (inTime || child.pid === undefined) return inTime ?? ended
  signalGroup(child.pid, 'SIGTERM')
  await within(deps.graceMs ?? GRACE_MS, ended)
  // Also when it has gone itself: what it started may have stayed.
  signalGroup(child.pid, 'SIGKILL')
  await ended
  return { kind: 'out_of_patience' }
}

async function within<T>(ms: number, awaited: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  try {
    return await Promise.race([awaited, late])
  } finally {
    clearTimeout(timer)
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // Nobody is left in it.
  }
}
