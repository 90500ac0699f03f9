/**
 * The macOS Keychain, read through the system's own `security` program.
 *
 * Reading an item may make the system ask the person for permission. So it is read only when a person at a terminal has
 * asked for it, never by a daemon, and a refusal is remembered until they ask again.
 */

import { execFile } from 'node:child_process'
import * as v from 'valibot'

import type { ForeignFault } from '../domain/fault.ts'
import type { Clock } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'
import { SECOND_MS } from '../domain/time.ts'
import { decodeOrDrop, parseJson } from '../wire/decode.ts'
import type { ForeignPlace } from '../wire/foreign-text.ts'
import { Instant } from '../wire/instant.ts'
import { errnoOf } from './files.ts'
import type { Files } from './files.ts'

export interface Keychain {
  /**
   * The item's text; undefined when there is no such item, or nobody may be asked and none was refused before.
   *
   * @param prompting a person at a terminal has asked for this
   * @faults `EQ_KEYCHAIN_LOCKED`, `EQ_KEYCHAIN_DENIED`, `EQ_KEYCHAIN_SILENT`, `EQ_KEYCHAIN_FAILED`
   */
  read(item: KeychainItem, prompting: boolean): Promise<Result<Secret | undefined, ForeignFault>>
}

export interface KeychainItem extends ForeignPlace {
  readonly service: string
  readonly account: string
}

export interface KeychainDeps {
  /** The process environment; `security` gets no more of it than it needs. */
  readonly variables: ReadonlyMap<string, string>
  readonly files: Pick<Files, 'read' | 'write' | 'remove'>
  readonly clock: Clock
  /** Where refusals are remembered. */
  readonly refusalsPath: string
  readonly platform?: string
  readonly program?: string
  readonly timeoutMs?: number
}

/** Exit codes of `security`: the low byte of the status that the system gives. */
const NO_SUCH_ITEM = 44
const LOCKED = 36
/** Authorisation failed; the person pressed "Deny". */
const DENIALS: readonly number[] = [51, 128]
const NO_PROGRAM = 127
const MAX_OUTPUT_BYTES: number = 1024 * 1024
const PASSED_ON: readonly string[] = ['HOME', 'USER', 'LOGNAME', 'PATH']

const Refusals = v.record(v.string(), Instant)

export function createKeychain(deps: KeychainDeps): Keychain {
  const { files, refusalsPath, timeoutMs = 3 * SECOND_MS } = deps
  const platform = deps.platform ?? process.platform

  async function refusals(): Promise<ReadonlyMap<string, number>> {
    const file = await files.read(refusalsPath)
    const parsed = file.ok && file.value ? parseJson(file.value.text) : undefined
    const known = parsed?.ok ? decodeOrDrop(Refusals, parsed.value) : undefined
    return new Map(Object.entries(known ?? {}))
  }

  async function remember(service: string, at: number | undefined): Promise<void> {
    const before = await refusals()
    if (before.get(service) === at) return
    const after = new Map(before)
    if (at === undefined) after.delete(service)
    else after.set(service, at)
    // Forgetting a refusal, or failing to note one, costs a question at most.
    if (after.size === 0) await files.remove(refusalsPath)
    else await files.write(refusalsPath, `${JSON.stringify(Object.fromEntries(after))}\n`)
  }

  return {
    async read(item, prompting) {
      if (platform !== 'darwin') return ok(undefined)
      const { origin, place, service } = item
      if (!prompting) {
        return (await refusals()).has(service)
          ? fail({ code: 'EQ_KEYCHAIN_DENIED', origin, place, remembered: true })
          : ok(undefined)
      }
      const ran = await runSecurity(deps, item, timeoutMs)
      switch (ran.kind) {
        case 'silent':
          return fail({ code: 'EQ_KEYCHAIN_SILENT', origin, place, waitedMs: timeoutMs })
        case 'printed':
          await remember(service, undefined)
          return ok(ran.text)
        case 'ended':
          break
        default:
          return ran satisfies never
      }
      if (ran.exit === NO_SUCH_ITEM) return ok(undefined)
      if (ran.exit === LOCKED) return fail({ code: 'EQ_KEYCHAIN_LOCKED', origin, place })
      if (!DENIALS.includes(ran.exit)) {
        return fail({ code: 'EQ_KEYCHAIN_FAILED', origin, place, exit: ran.exit })
      }
      await remember(service, deps.clock.now())
      return fail({ code: 'EQ_KEYCHAIN_DENIED', origin, place, remembered: false })
    },
  }
}

type Ran =
  | { readonly kind: 'printed'; readonly text: Secret }
  | { readonly kind: 'ended'; readonly exit: number }
  | { readonly kind: 'silent' }

function runSecurity(
  { variables, program = '/usr/bin/security' }: KeychainDeps,
  { account, service }: KeychainItem,
  timeoutMs: number,
): Promise<Ran> {
  const passedOn = PASSED_ON.flatMap((name) => {
    const value = variables.get(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return new Promise((resolve) => {
    const child = execFile(
      program,
      ['find-generic-password', '-a', account, '-w', '-s', service],
      {
        env: Object.fromEntries(passedOn),
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
        encoding: 'utf8',
      },
      (error, printed) => {
        if (!error) resolve({ kind: 'printed', text: new Secret(itemText(printed)) })
        else if (error.killed === true && typeof error.code !== 'string')
          resolve({ kind: 'silent' })
        else resolve({ kind: 'ended', exit: exitOf(error) })
      },
    )
    child.stdin?.end()
  })
}

function exitOf(error: Error & { readonly code?: unknown }): number {
  if (typeof error.code === 'number') return error.code
  return errnoOf(error) === 'ENOENT' ? NO_PROGRAM : 1
}

/** `security` prints what is not plain text as hex digits. */
function itemText(printed: string): string {
  const text = printed.trim()
  return /^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex').toString('utf8') : text
}
