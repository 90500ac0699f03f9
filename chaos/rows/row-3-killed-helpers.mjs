/**
 * Row 3: the process that renews is killed, as soon as each step of its work can be seen, and at random instants.
 *
 * Then others ask until the login is well or its provider has called it dead. It may be called dead only by its
 * provider, and lost only where the provider gave an answer that nobody had stored: never on a server that repeats it.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { acmeHome, ASK, isWell, RENEW, sendsOf } from '../acme.mjs'
import { helperOf, watchJournal } from '../journal.mjs'
import { oneOf, randomFrom, wholeBetween } from '../random.mjs'
import { programs } from '../bundle.mjs'
import { createFindings, inLanes, run, start } from '../stand.mjs'
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

export const SIZES = { ci: { eachStep: 1, random: 9 }, full: { eachStep: 40, random: 560 } }
const LANES = 2
const LATENCY_MS = 20
/** A helper needs about so long, ms. */
const LIFE_MS = 350
/** Others ask so often before a login counts as stuck. */
const ASKERS = 8

export async function row3({ steps = STEPS, eachStep, random: randomKills }, seed, breakage) {
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
      judge(server, end, about, figures, findings)
      end.home.remove()
    } finally {
      await server.close()
    }
  })
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
  await server.settled()
  const answer = {
    given: wasGiven(server, home),
    stored: journal.has('kept') || journal.has('stored'),
  }
  const said = []
  for (let asker = 0; asker < ASKERS; asker += 1) {
    const ran = await run(home.program, ASK, { env: home.env })
    await server.settled()
    said.push(`${ran.code} ${ran.err.split('\n')[0]}`)
    if (ran.code === 0 || journal.verdict()?.outcome.kind === 'rejected') break
    await wait(500 + oneOf(random, [0, 500]))
  }
  return { home, killed, answer, said, verdict: journal.verdict()?.outcome.kind }
}

function judge(server, { home, answer, said, verdict }, about, figures, findings) {
  const { alive, mode } = server.families.get(home.family)
  const sends = sendsOf(server, home)
  if (sends.length > 1) figures.replayed += 1
  const detail = `${about}: ${JSON.stringify({ verdict, answer, said, sends: sends.map((send) => send.outcome) })}`
  if (verdict === 'rejected' && alive) findings.add('called dead while it lives', detail)
  if (alive && !isWell(server, home)) findings.add('it did not recover', detail)
  if (alive) return
  if (mode !== 'strict') findings.add('lost on a server that repeats its answer', detail)
  else if (!answer.given) findings.add('lost, and nothing had been given', detail)
  else if (answer.stored) findings.add('lost, and the answer was stored', detail)
  else figures['lost, as nobody had the answer'] += 1
  if (verdict !== 'rejected') findings.add('lost, and not told', detail)
}

/** Whether the server had let the token serve when everything was quiet after the kill. */
function wasGiven(server, home) {
  return sendsOf(server, home).some((send) => send.outcome === 'rotated')
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}
