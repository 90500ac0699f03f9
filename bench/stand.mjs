/** What the benchmarks measure: programs in processes of their own, with a state folder of their own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const PROGRAM = fileURLToPath(new URL('../dist/equabot.js', import.meta.url))
export const TOKEN = 'bench-gateway-token-0123456789abcdef'

/** A state folder of its own in a HOME of its own; `remove` takes both away. */
export function createHome(files = {}) {
  const home = mkdtempSync(join(tmpdir(), 'equabot-bench-'))
  const state = join(home, 'state')
  for (const [name, content] of Object.entries(files)) {
    const path = join(state, name)
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, JSON.stringify(content), { mode: 0o600 })
  }
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    EQUABOT_STATE_DIR: state,
    EQUABOT_GATEWAY_TOKEN: TOKEN,
  }
  return { state, env, remove: () => rmSync(home, { recursive: true, force: true }) }
}

/** Starts the built gateway and resolves when it has answered its first health request. */
export async function startGateway(home, env = {}) {
  const child = start([PROGRAM, 'gateway', 'run', '--port', '0'], { ...home.env, ...env })
  const { port } = await eventually(child, () =>
    JSON.parse(readFileSync(join(home.state, 'gateway.json'), 'utf8')),
  )
  await eventually(child, () => health(port))
  return { child, port, pid: child.pid }
}

/** Starts one of the small servers of this folder; it prints its port when it listens. */
export async function startServer(file, ...args) {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = start([path, ...args], { PATH: process.env.PATH })
  const [line] = await once(child.stdout, 'data')
  const port = Number(line)
  await eventually(child, () => health(port))
  return { child, port, pid: child.pid }
}

export async function stop({ child }) {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** CPU time that a process has used so far, seconds. */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Memory that a process occupies now, MB. */
export function residentMegabytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) / 1024
}

// Linux reports to user space in this unit on every architecture that Node runs on.
const TICKS_PER_SECOND = 100
const PATIENCE_MS = 30_000

function start(args, env) {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  // A benchmark that fails leaves nothing running.
  process.once('exit', () => child.kill('SIGKILL'))
  child.words = ''
  child.stderr.on('data', (chunk) => (child.words = `${child.words}${chunk}`.slice(-2000)))
  // Drained, so that a program that prints a lot does not wait for a reader.
  child.stdout.on('data', () => undefined)
  return child
}

/** Tries every 2 ms until `attempt` succeeds; fails when the process has ended or patience has. */
async function eventually(child, attempt) {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null
      if (hasEnded || performance.now() > deadline) {
        child.kill('SIGKILL')
        throw new Error(`${child.spawnargs.join(' ')} did not come up\n${child.words}`, {
          cause: error,
        })
      }
    }
    await wait(2)
  }
}

function health(port) {
  return new Promise((resolve, reject) => {
    const path = '/healthz'
    request({ port, path, host: '127.0.0.1', agent: false }, (answer) => {
      answer.resume()
      if (answer.statusCode === 200) resolve()
      else reject(new Error(`/healthz answered ${answer.statusCode}`))
    })
      .on('error', reject)
      .end()
  })
}
