/** What can be seen from outside of a renewal under way: its process, and what it writes into the grant's folder. */
import { closeSync, openSync, readFileSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { sendsOf } from './acme.mjs'

const PATIENCE_MS = 5000

/** The process number of the helper that a caller has started; undefined when it ended without one, or has none for long. */
export async function helperOf({ pid, child }) {
  const deadline = performance.now() + PATIENCE_MS
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
    const found = childrenOf(pid).find((one) => commandOf(one).includes('renew.js'))
    if (found !== undefined) return found
    await turn()
  }
  return undefined
}

/** Direct children of a process, from the list that Linux keeps with each of its threads. */
function childrenOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
      .filter(Boolean)
      .map(Number)
  } catch {
    return []
  }
}

function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

export function isAlive(pid) {
  try {
    // A process that has ended and that nobody has asked about yet is not alive.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Looks into the one grant folder of a home, and at the book beside it. */
export function watchJournal(home, server) {
  const bookNow = () => statSync(home.bookPath, { throwIfNoEntry: false })?.ino
  const bookBefore = bookNow()
  let wasSent = false
  const begins = (name, length) => beginningOf(home, name, length)

  const looks = {
    started: () => true,
    'room made': () => begins('answer', 1) !== '',
    reserved: () => begins('attempt', 200).includes('"reserved"'),
    'marked sent': () => begins('attempt', 200).includes('"sent"'),
    arrived: () => sendsOf(server, home).length > 0,
    answered: () => sendsOf(server, home).some((send) => send.status !== undefined),
    kept: () => /^[0-9a-f]{64}\n\{/.test(begins('answer', 80)),
    stored: () => bookNow() !== bookBefore,
    'spent noted': () => begins('spent', 1) !== '',
    verdict: () => begins('verdict', 1) !== '',
    cleared: () => wasSent && begins('attempt', 200).trim() === '',
  }

  return {
    grant: () => grantOf(home),
    has: (step) => looks[step](),
    /** Resolves as soon as a step can be seen, or the helper has ended. */
    async until(step, helper) {
      for (;;) {
        wasSent ||= looks['marked sent']()
        if (looks[step]() || !isAlive(helper)) return
        await turn()
      }
    },
    verdict() {
      const text = begins('verdict', 8192)
      return text === '' ? undefined : JSON.parse(text)
    },
  }
}

/** The name of the one grant folder. */
function grantOf(home) {
  return readdirSync(join(home.stateDir, 'grants'))[0]
}

/** The first bytes of a file in the grant's folder; nothing when it is not there. */
function beginningOf(home, name, length) {
  try {
    const file = openSync(join(home.stateDir, 'grants', grantOf(home), name), 'r')
    try {
      const bytes = Buffer.alloc(length)
      return bytes.toString('latin1', 0, readSync(file, bytes, 0, length, 0))
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    if (cause.code === 'ENOENT' || cause.code === 'ERR_INVALID_ARG_TYPE') return ''
    throw cause
  }
}
