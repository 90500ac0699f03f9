/**
 * Row 2: whoever asked for a renewal is killed in the middle of it, with everything in its process group.
 *
 * The caller is a command line or, every fourth time, a gateway with a request under way. Afterwards somebody else
 * asks: they must be served, the login must be alive, and its token must have been sent exactly once.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { acmeHome, ASK, isWell, RENEW, sendsOf } from '../acme.mjs'
import { ask, startGateway } from '../gateway.mjs'
import { helperOf, watchJournal } from '../journal.mjs'
import { randomFrom, wholeBetween } from '../random.mjs'
import { programs } from '../bundle.mjs'
import { createFindings, inLanes, run, spread, start } from '../stand.mjs'
import { startTokenServer } from '../token-server.mjs'

export const SIZES = { ci: { kills: 50 }, full: { kills: 1000 } }
const LANES = 3
/** A command needs about so long from its start to its end, ms. */
const LIFE_MS = 500
const LONGEST_LATENCY_MS = 200

export async function row2({ kills }, seed, breakage) {
  const built = await programs(breakage)
  const server = await startTokenServer({ mode: 'strict' })
  const findings = createFindings()
  const figures = { kills: 0, 'killed before the send': 0, 'killed after it': 0, 'lost tokens': 0 }
  const waits = []

  await inLanes(LANES, kills, async (index) => {
    const random = randomFrom(seed, 'row 2', index)
    const home = { ...acmeHome(server), ...built }
    const about = `kill ${index}`
    server.fault({ delayMs: wholeBetween(random, 0, LONGEST_LATENCY_MS) })
    const instant = INSTANTS[index % INSTANTS.length](random)
    await (index % 4 === 3 ? killGateway : killCommand)(server, home, instant)
    figures.kills += 1
    figures[sendsOf(server, home).length > 0 ? 'killed after it' : 'killed before the send'] += 1

    const startedAt = performance.now()
    const next = await run(home.program, ASK, { env: home.env })
    waits.push(performance.now() - startedAt)
    await server.settled()
    if (next.code !== 0) findings.add('the next caller was not served', `${about}: ${next.err}`)
    const { length } = sendsOf(server, home)
    if (length !== 1) findings.add('not exactly one send', `${about}: ${length}`)
    if (!isWell(server, home)) {
      figures['lost tokens'] += 1
      findings.add('a lost token', about)
    }
    home.remove()
  })
  await server.close()
  return {
    row: 2,
    passed: findings.list().length === 0,
    problems: findings.list(),
    figures: { ...figures, 'the next caller is served after, ms': spread(waits) },
  }
}

async function killCommand(server, home, instant) {
  const caller = start(home.program, RENEW, { env: home.env, detached: true })
  await instant(server, home, caller)
  await killGroup(caller)
}

async function killGateway(server, home, instant) {
  const gateway = await startGateway(home, { detached: true })
  const asked = ask(gateway)
  await instant(server, home, gateway)
  await killGroup(gateway)
  await asked
}

/** When the kill comes: at any time, from the start of the process that renews on, or from the arrival of the send on. */
const INSTANTS = [
  (random) =>
    (_, __, { ended }) =>
      Promise.race([wait(random() * LIFE_MS), ended]),
  (random) => async (_, __, caller) => {
    await helperOf(caller)
    await wait(random() * LIFE_MS)
  },
  (random) => async (server, home, caller) => {
    const helper = await helperOf(caller)
    if (helper !== undefined) await watchJournal(home, server).until('arrived', helper)
    await wait(random() * LONGEST_LATENCY_MS)
  },
]

/** As a terminal that closes, or a service manager, would. */
async function killGroup({ pid, child, ended }) {
  try {
    if (child.exitCode === null) process.kill(-pid, 'SIGKILL')
  } catch (cause) {
    if (cause.code !== 'ESRCH') throw cause
  }
  await ended
}
