/**
 * Runs an owner's program with the smallest of prompts, so that it renews its own login on the way.
 *
 * It is never killed: a program that is ended while it exchanges its refresh token may lose its login.
 */

import { spawn } from 'node:child_process'

import type { ForeignOrigin } from '../domain/foreign.ts'
import type { OwnerProgram } from '../domain/renewal-ports.ts'
import { errnoOf } from './files.ts'

export interface OwnerProgramDeps {
  readonly origin: ForeignOrigin
  /** The process environment; the program gets no more of it than it needs. */
  readonly variables: ReadonlyMap<string, string>
  /** Where it runs; not in a project, whose settings would have a say. */
  readonly folder: string
  /** Instead of its usual name. */
  readonly program?: string
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

/** No key and no token: with one of those the program would use that and leave its login alone. */
const PASSED_ON: readonly string[] = [
  'HOME',
  'USER',
  'LOGNAME',
  'USERPROFILE',
  'SystemRoot',
  'PATH',
  'CLAUDE_CONFIG_DIR',
  'CLAUDE_SECURESTORAGE_CONFIG_DIR',
  'CODEX_HOME',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
]

type Ended = Awaited<ReturnType<OwnerProgram['run']>>

export function createOwnerProgram(deps: OwnerProgramDeps): OwnerProgram {
  let running: Promise<Ended> | undefined

  return {
    origin: deps.origin,
    async run(patienceMs) {
      // One at a time: who comes meanwhile wants the same outcome.
      running ??= start(deps).finally(() => {
        running = undefined
      })
      return withPatience(running, patienceMs)
    },
  }
}

function start({ origin, variables, folder, program }: OwnerProgramDeps): Promise<Ended> {
  const command = COMMANDS[origin]
  const passedOn = PASSED_ON.flatMap((name) => {
    const value = variables.get(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return new Promise((resolve) => {
    const child = spawn(program ?? command.program, command.words, {
      cwd: folder,
      env: Object.fromEntries(passedOn),
      stdio: 'ignore',
      // A Ctrl-C at our terminal must not reach it.
      detached: true,
    })
    child.once('error', (cause) => resolve({ ended: true, words: errnoOf(cause) }))
    child.once('close', (exit, signal) =>
      resolve({ ended: true, ...(exit !== null && { exit }), words: signal ?? '' }),
    )
    child.unref()
  })
}

function withPatience(running: Promise<Ended>, patienceMs: number): Promise<Ended> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ ended: false, words: '' }), patienceMs)
    void running.then((ended) => {
      clearTimeout(timer)
      resolve(ended)
    })
  })
}
