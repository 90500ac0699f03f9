/** What every experiment stands on: homes of its own, programs in processes of their own, and nothing left behind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** A folder in memory, where the system has one. */
export const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const leftovers = new Set()
const running = new Set()

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of leftovers) rmSync(folder, { recursive: true, force: true })
})

/** Ends what still runs and removes every folder; a run that is cut short does so as well. */
export async function cleanUp() {
  const ends = [...running].map((child) => once(child, 'close'))
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(ends)
  for (const folder of leftovers) removeFolder(folder)
}

/** This folder goes with the rest at the end. */
export function leaveBehind(folder) {
  leftovers.add(folder)
}

function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
  leftovers.delete(folder)
}

/**
 * A HOME of its own with these files; data is written as JSON.
 *
 * @param parent where it is made; `MEMORY` for experiments that need no disk, only files
 */
export function createHome(files = {}, parent = tmpdir()) {
  const home = mkdtempSync(join(realpathSync(parent), 'equabot-chaos-'))
  leftovers.add(home)
  for (const [name, content] of Object.entries(files)) writeFile(join(home, name), content)
  return {
    home,
    stateDir: join(home, '.equabot'),
    bookPath: join(home, BOOK),
    env: { PATH: process.env.PATH, HOME: home, NO_COLOR: '1' },
    remove: () => removeFolder(home),
  }
}

/** The book of the main agent, from a home. */
export const BOOK = '.equabot/agents/main/agent/auth-profiles.json'
export const SETTINGS = '.equabot/equabot.json'

export function writeFile(path, content) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), {
    mode: 0o600,
  })
}

/**
 * Starts a script in a process of its own.
 *
 * @returns the process; `next` resolves with its next line (undefined at its end), `lines` are those nobody took
 */
export function start(script, args = [], { env = { PATH: process.env.PATH }, detached } = {}) {
  const child = spawn(process.execPath, [script, ...args], {
    env,
    detached,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.add(child)
  child.stdin.on('error', () => undefined)
  const lines = []
  const waiting = []
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (errors = `${errors}${text}`.slice(-8000)))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const taker = waiting.shift()
    if (taker) taker(line)
    else lines.push(line)
  })
  let over = false
  const ended = once(child, 'close').then(([code, signal]) => {
    over = true
    running.delete(child)
    for (const taker of waiting) taker(undefined)
    return { code, signal }
  })
  return {
    child,
    pid: child.pid,
    lines,
    ended,
    errors: () => errors,
    next() {
      const line = lines.shift()
      if (line !== undefined) return Promise.resolve(line)
      return over ? Promise.resolve(undefined) : new Promise((resolve) => waiting.push(resolve))
    },
    say: (text) => child.stdin.write(`${text}\n`),
    kill(signal = 'SIGKILL') {
      child.kill(signal)
      return ended
    },
  }
}

/** Runs a script to its end. */
export async function run(script, args, { input = '', ...options } = {}) {
  const started = start(script, args, options)
  started.child.stdin.end(input)
  const { code, signal } = await started.ended
  return { code, signal, out: started.lines.join('\n'), err: started.errors() }
}

/** Does `job` for 0, 1, … `count - 1`, so many at a time; each lane tells its number. */
export async function inLanes(lanes, count, job) {
  let next = 0
  const lane = async (number) => {
    while (next < count) {
      const index = next
      next += 1
      await job(index, number)
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, (_, number) => lane(number)))
}

/** Collects what went wrong; the first of each kind is told, all are counted. */
export function createFindings() {
  const problems = new Map()
  return {
    add(kind, detail) {
      const known = problems.get(kind)
      if (known) known.count += 1
      else problems.set(kind, { count: 1, first: detail })
    },
    count: (kind) => problems.get(kind)?.count ?? 0,
    list: () =>
      [...problems].map(([kind, { count, first }]) => `${kind} × ${count}; first: ${first}`),
  }
}

/** Biggest, middle and 99th of these numbers, in whole units. */
export function spread(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (share) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  return { median: at(0.5), p99: at(0.99), max: at(1) }
}
