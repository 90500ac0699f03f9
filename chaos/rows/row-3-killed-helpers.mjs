/**
 * Row 3: the process that renews is killed, as soon as each step of its work can be seen, at random instants,
 * and, where one program may trace another, at each of its system calls that has to do with the login.
 *
 * Then others ask until the login is well or its provider has called it dead. It may be called dead only by its
 * provider, and lost only where the provider gave an answer that nobody had stored: never on a server that repeats it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { acmeHome, PROFILE, RENEW } from '../acme.mjs'
import { judgeLogin, letOthersAsk } from '../after-kill.mjs'
import { helperOf, watchJournal } from '../journal.mjs'
import { randomFrom, someOf, wholeBetween } from '../random.mjs'
import { bundleDriver, programs } from '../bundle.mjs'
import { createFindings, inLanes, start } from '../stand.mjs'
import { callsInto, whyNoTracing } from '../system-calls.mjs'
import { startTokenServer } from '../token-server.mjs'

const STEPS = [
  'started',
  'room made',
  'reserved',
  'marked sent',
  'arrived',
  'answered',
  'kept',
  'stored',
  'spent noted',
  'verdict',
  'cleared',
]
const MODES = ['strict', 'grace', 'idempotent', 'norotate']

export const SIZES = {
  ci: { eachStep: 1, random: 9, traced: 0 },
  full: { eachStep: 40, random: 560, traced: Infinity },
}
const LANES = 2
const LATENCY_MS = 20
/** A helper needs about so long, ms. */
const LIFE_MS = 350

export async function row3(
  { steps = STEPS, eachStep, random: randomKills, traced = 0 },
  seed,
  breakage,
) {
  const plans = [
    ...steps.flatMap((step) => Array.from({ length: eachStep }, () => step)),
    ...Array.from({ length: randomKills }, () => 'random'),
  ]
  const built = await programs(breakage)
  const findings = createFindings()
  const figures = {
    kills: 0,
    'ended before the kill': 0,
    replayed: 0,
    'lost, as nobody had the answer': 0,
  }

  await inLanes(LANES, plans.length, async (index) => {
    const random = randomFrom(seed, 'row 3', index)
    const mode = MODES[index % MODES.length]
    // Half of all on the kind of server where something can be lost.
    const server = await startTokenServer({
      mode: random() < 0.4 ? 'strict' : mode,
      latencyMs: wholeBetween(random, 0, LATENCY_MS),
    })
    try {
      const end = await killOne(server, built, plans[index], random)
      const about = `${plans[index]} on ${server.families.get(end.home.family).mode}, number ${index}`
      figures[end.killed ? 'kills' : 'ended before the kill'] += 1
      judgeLogin(server, end.home, end, about, figures, findings)
      end.home.remove()
    } finally {
      await server.close()
    }
  })
  Object.assign(figures, await killAtCalls(traced, built, seed, figures, findings))
  return {
    row: 3,
    passed: findings.list().length === 0 && figures.kills > 0,
    problems: findings.list(),
    figures: { ...figures, 'false "dead"': findings.count('called dead while it lives') },
  }
}

async function killOne(server, built, plan, random) {
  const home = { ...acmeHome(server, { graceMs: 60_000 }), ...built }
  const caller = start(home.program, RENEW, { env: home.env })
  const helper = await helperOf(caller)
  const journal = watchJournal(home, server)
  let killed = false
  if (helper !== undefined) {
    if (plan === 'random') await wait(random() * LIFE_MS)
    else await journal.until(plan, helper)
    killed = kill(helper)
  }
  await caller.ended
  return { home, killed, ...(await letOthersAsk(server, home, journal)) }
}

const CALLS = 'openat,write,fsync,close,rename,unlink,mkdir,connect,writev'

/** Kills at system calls: those of the grant's folder and the book, and those of the connection. */
async function killAtCalls(limit, built, seed, figures, findings) {
  if (limit === 0) return {}
  const why = whyNoTracing()
  if (why) return { 'system calls': `skipped: ${why}` }
  const script = await bundleDriver('renewer')
  const clean = await renewTraced(script, built, 'strict', [])
  const points = callsInto(clean.home.stateDir, clean.lines)
  points.push({ name: 'connect', nth: 1 }, { name: 'writev', nth: 1 })
  clean.home.remove()
  await clean.server.close()
  const plans = points.flatMap((point) => MODES.map((mode) => ({ ...point, mode })))
  const chosen = someOf(randomFrom(seed, 'row 3, traced'), plans, limit)
  let killed = 0
  await inLanes(LANES, chosen.length, async (index) => {
    const { name, nth, mode } = chosen[index]
    const inject = ['-e', `inject=${name}:signal=SIGKILL:when=${nth}`]
    const { home, server, journal, lines } = await renewTraced(script, built, mode, inject)
    if (lines.some((line) => line.includes('killed by SIGKILL'))) killed += 1
    const end = await letOthersAsk(server, home, journal)
    judgeLogin(server, home, end, `killed at ${name} ${nth} on ${mode}`, figures, findings)
    home.remove()
    await server.close()
  })
  return { 'system calls': points.length, 'kills at a system call': killed }
}

async function renewTraced(script, built, mode, inject) {
  const server = await startTokenServer({ mode })
  const home = { ...acmeHome(server, { graceMs: 60_000 }), ...built }
  const traceFile = join(home.home, 'trace')
  const options = ['-f', '-qq', '-y', '-o', traceFile, '-e', `trace=${CALLS}`, ...inject]
  const helper = join(home.home, 'traced-helper.mjs')
  writeFileSync(helper, helperUnderTrace(built.helper, options))
  const journal = watchJournal(home, server)
  const caller = start(script, [helper], { env: home.env })
  await caller.next()
  caller.say(PROFILE)
  await caller.next()
  await caller.kill()
  return { server, home, journal, lines: readFileSync(traceFile, 'utf8').split('\n') }
}

/** One thread for the disk, so that its calls come in one order. */
function helperUnderTrace(helper, options) {
  return `import { spawnSync } from 'node:child_process'
const args = [...${JSON.stringify(options)}, process.execPath, ${JSON.stringify(helper)}, ...process.argv.slice(2)]
const ended = spawnSync('strace', args, { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } })
process.exit(ended.status ?? 1)
`
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}
