/** Makes system calls of a running program fail, by strace. Linux, and only where one program may trace another. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** Why it cannot be done here; undefined: it can. */
export function whyNoTracing() {
  const probe = spawnSync('strace', [
    '-f',
    '-e',
    'trace=none',
    '-e',
    'inject=none:error=EIO',
    process.execPath,
    '-e',
    '0',
  ])
  if (probe.error) return 'strace is not installed'
  return probe.status === 0 ? undefined : 'strace may not trace programs here'
}

/** Resolves when the main thread has had nothing to do for a while: the program waits for us. */
export async function waitsForInput(pid) {
  let before = ''
  for (let same = 0; same < 12;) {
    await wait(4)
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const now =
      /^State:\s+(\S)/m.exec(status)[1] + /^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)[1]
    same = now === before ? same + 1 : 0
    before = now
  }
}

/** Traces every thread of a program, with these options; gives the lines of the trace when the program has ended. */
export async function trace(pid, options, outFile) {
  const strace = spawn('strace', ['-f', '-y', '-o', outFile, ...options, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(strace, 'close')
  let words = ''
  await new Promise((resolve, reject) => {
    strace.stderr.on('data', (text) => {
      words += text
      if (words.includes(`Process ${pid} attached`)) resolve()
    })
    strace.once('close', () => reject(new Error(`strace: ${words}`)))
  })
  return async () => {
    await ended
    return readFileSync(outFile, 'utf8').split('\n')
  }
}

/**
 * Which calls of one thread concern a folder: their names and ordinals, as strace counts them when it injects.
 *
 * @param {string[]} lines of a trace with `-f -y`
 */
export function callsInto(folder, lines) {
  const counts = new Map()
  const calls = []
  for (const line of lines) {
    const [, thread, name, rest] = /^(\d+) +(\w+)\((.*)/.exec(line) ?? []
    if (name === undefined) continue
    const key = `${thread} ${name}`
    const nth = (counts.get(key) ?? 0) + 1
    counts.set(key, nth)
    if (rest.includes(folder)) calls.push({ name, nth })
  }
  const unique = new Map(calls.map((call) => [`${call.name} ${call.nth}`, call]))
  return [...unique.values()]
}
