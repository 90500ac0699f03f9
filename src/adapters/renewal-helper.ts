/**
 * Starts the process that renews, or waits for the one that is running.
 *
 * The helper is a process of its own, in a session of its own, so that nothing that happens to us can come between a
 * refresh token that was sent and the answer to it. It is told which login it is for; secrets it reads from their home.
 */

import { spawn } from 'node:child_process'

import type { RenewalFault } from '../domain/fault.ts'
import type { Clock } from '../domain/ports.ts'
import type { RenewalHelper, RenewalOrder } from '../domain/renewal-ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { errnoOf } from './files.ts'
import type { Home } from './home.ts'
import type { Locks } from './lock.ts'
import { HOME_AND_NETWORK, passedOn } from './passed-on.ts'

interface Deps {
  readonly clock: Clock
  readonly locks: Pick<Locks, 'tryHold' | 'isHeld'>
  /** The helper's script. */
  readonly script: string
  /** All that the helper sees of our environment. */
  readonly environment: Readonly<Record<string, string>>
  readonly random: () => number
}

/** What a helper needs of the environment, and an owner's program that it runs. No keys. */
const PASSED_ON = [...HOME_AND_NETWORK, 'LANG', 'TZ', 'TMPDIR', 'EQUABOT_FOREIGN_LOGINS']

export function helperEnvironment(
  home: Pick<Home, 'variables' | 'stateDir' | 'configPath'>,
): Readonly<Record<string, string>> {
  return {
    ...passedOn(PASSED_ON, home.variables),
    EQUABOT_STATE_DIR: home.stateDir,
    EQUABOT_CONFIG_PATH: home.configPath,
  }
}

/** Another helper holds the grant. @source sysexits.h EX_TEMPFAIL */
export const HELPER_BUSY = 75

const FIRST_POLL_MS = 25
const LONGEST_POLL_MS = 250

/** The lock that a helper holds for as long as it works on a grant. */
export function grantLock(grant: string): string {
  return `grant-${grant}`
}

export function createRenewalHelper(deps: Deps): RenewalHelper {
  const { clock, locks, random } = deps

  return {
    async run(order, waitMs, isDone, signal) {
      const lock = grantLock(order.grant)
      let pollMs = FIRST_POLL_MS
      for (let waitedMs = 0; ; waitedMs += pollMs) {
        if (await isDone()) return ok()
        // One of all waiting processes starts helpers: two hundred helpers would only queue up.
        const starter = await locks.tryHold(`${lock}.start`)
        if (!starter.ok) return fail(notStarted(order, starter.fault.code))
        if (starter.value) {
          try {
            if (!(await locks.isHeld(lock))) {
              if (await isDone()) return ok()
              const ran = await runHelper(deps, order, waitMs - waitedMs, signal)
              if (ran !== 'busy') return ran
            }
          } finally {
            starter.value.release()
          }
        }
        if (waitedMs >= waitMs || signal?.aborted) return fail(stillBusy(order, waitedMs))
        pollMs = Math.min(LONGEST_POLL_MS, pollMs * 1.3)
        await clock.sleep(pollMs * (0.7 + 0.6 * random()), signal)
      }
    },
  }
}

async function runHelper(
  { clock, script, environment }: Deps,
  order: RenewalOrder,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<Result<void, RenewalFault> | 'busy'> {
  const { agent, profile, grant, unwanted, urge } = order
  const child = spawn(process.execPath, [script, agent, profile, grant, unwanted, urge], {
    detached: true,
    stdio: 'ignore',
    env: environment,
    cwd: '/',
  })
  child.unref()
  const ended = new Promise<number | Error>((resolve) => {
    child.once('error', resolve)
    child.once('exit', (code) => resolve(code ?? -1))
  })
  const giveUp = new AbortController()
  const stopped = signal ? AbortSignal.any([giveUp.signal, signal]) : giveUp.signal
  const late = clock.sleep(Math.max(0, waitMs), stopped).then(() => 'late' as const)
  const end = await Promise.race([ended, late])
  giveUp.abort()
  if (end === 'late') return fail({ ...stillBusy(order, waitMs), ours: true })
  if (end === HELPER_BUSY) return 'busy'
  if (end === 0) return ok()
  return fail(notStarted(order, end instanceof Error ? errnoOf(end) : `it ended with ${end}`))
}

type Busy = Extract<RenewalFault, { code: 'EQ_RENEWAL_BUSY' }>

function stillBusy({ profile }: RenewalOrder, waitedMs: number): Busy {
  return { code: 'EQ_RENEWAL_BUSY', profile, waitedMs }
}

function notStarted({ profile }: RenewalOrder, detail: string): RenewalFault {
  return { code: 'EQ_RENEWAL_HELPER', profile, detail }
}
