/** What `models status` with 200 profiles costs beyond starting Node. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { alternate, atMost, median, print } from './measure.mjs'
import { createHome, PROGRAM } from './stand.mjs'

const ROUNDS = 21
const PROFILES = 200
const USAGE = fileURLToPath(new URL('usage.cjs', import.meta.url))

export async function benchStartUp() {
  console.log(
    `\nmodels status with ${PROFILES} profiles, against node -e 0 (${ROUNDS} rounds in turn)`,
  )
  const home = createHome({ 'agents/main/agent/auth-profiles.json': bookOf(PROFILES) })
  const sides = {
    node: () => runOnce(['-e', '0'], home.env),
    status: () => runOnce([PROGRAM, 'models', 'status'], home.env),
  }
  try {
    await alternate(2, sides)
    const { node, status } = await alternate(ROUNDS, sides)
    const of = (side, key) => median(side.map((run) => run[key]))
    const wall = of(status, 'wallMs') - of(node, 'wallMs')
    const cpu = of(status, 'cpuMs') - of(node, 'cpuMs')
    const peak = Math.max(...status.map((run) => run.peakMegabytes))
    print(
      'wall, median',
      `+${wall.toFixed(1)} ms on ${of(node, 'wallMs').toFixed(1)} ms`,
      atMost(wall, 80, 'ms more'),
    )
    print('CPU, median', `+${cpu.toFixed(1)} ms on ${of(node, 'cpuMs').toFixed(1)} ms`)
    print('wall, ratio', `${(of(status, 'wallMs') / of(node, 'wallMs')).toFixed(2)} x`)
    print(
      'peak memory',
      `${peak.toFixed(0)} MB (node: ${of(node, 'peakMegabytes').toFixed(0)} MB)`,
      atMost(peak, 90, 'MB'),
    )
  } finally {
    home.remove()
  }
}

function bookOf(count) {
  const profiles = Array.from({ length: count }, (_, index) => {
    const provider = index % 2 === 0 ? 'anthropic' : 'openai'
    const key = `fake-bench-key-${String(index).padStart(4, '0')}`
    return [`${provider}:bench-${index}`, { type: 'api_key', provider, key }]
  })
  return { version: 1, profiles: Object.fromEntries(profiles) }
}

/** Runs a program to its end: how long it took, its CPU time and its memory. */
export async function runOnce(args, env) {
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['--require', USAGE, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let [words, usage] = ['', '']
  child.stdout.resume()
  child.stderr.on('data', (chunk) => (words += chunk))
  child.stdio[3].on('data', (chunk) => (usage += chunk))
  const [code] = await once(child, 'close')
  const wallMs = performance.now() - startedAt
  if (code !== 0) throw new Error(`${args.join(' ')} exited ${code}\n${words}`)
  return { wallMs, ...JSON.parse(usage) }
}
