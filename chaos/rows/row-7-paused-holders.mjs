/**
 * Row 7: the process that renews is suspended for a while, or killed while it holds the lock; clocks are ten years off.
 *
 * Nobody may send a token that a suspended process may have sent, and when it goes on the login must be well. After a
 * kill the next one must have the lock at once. A wrong clock may not make anybody send twice.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { acmeHome, anotherLogin, ASK, isWell, PROFILE, RENEW, sendsOf } from '../acme.mjs'
import { helperOf, watchJournal } from '../journal.mjs'
import { randomFrom } from '../random.mjs'
import { bundleDriver, programs } from '../bundle.mjs'
import { createFindings, createHome, inLanes, run, spread, start } from '../stand.mjs'
import { startTokenServer } from '../token-server.mjs'

export const SIZES = {
  ci: { suspended: 9, longestPauseMs: 1200, killed: 9, clocks: 2 },
  full: { suspended: 220, longestPauseMs: 12_000, killed: 240, clocks: 40 },
}
const LANES = 4
/** When a holder is suspended. */
const STEPS = ['random', 'reserved', 'marked sent', 'arrived', 'kept']
const LONGEST_LATENCY_MS = 200
/** A helper needs about so long, ms. */
const LIFE_MS = 250
/** The first pause after a renewal that was not sent, and a bit, ms. */
const COME_AGAIN_MS = 2600
const NEXT_CALLER_MS = 100
const TEN_YEARS_MS = 10 * 365 * 24 * 3_600_000
const OFFSETS = [0, TEN_YEARS_MS, -TEN_YEARS_MS]

export async function row7({ killed, clocks, ...suspensions }, seed, breakage) {
  const built = await programs(breakage)
  const more = { built, breakage, seed }
  const server = await startTokenServer({ mode: 'strict', latencyMs: 20 })
  const findings = createFindings()
  const figures = {
    ...(await suspendHolders(server, suspensions, more, findings)),
    ...(await killHolders(server, killed, more, findings)),
    ...(await setClocks(server, clocks, more, findings)),
  }
  await server.close()
  return {
    row: 7,
    passed: findings.list().length === 0,
    problems: findings.list(),
    figures: { ...figures, 'double sends': findings.count('sent twice') },
  }
}

function checkSends(server, home, about, findings) {
  const generations = sendsOf(server, home).map((send) => send.generation)
  if (new Set(generations).size < generations.length)
    findings.add('sent twice', `${about}: ${generations}`)
  if (!server.families.get(home.family).alive) findings.add('logged out', about)
  return generations.length
}

async function suspendHolders(server, suspensions, { built, seed }, findings) {
  const { suspended, steps = STEPS, shortestPauseMs = 0, longestPauseMs } = suspensions
  const figures = {
    suspended: 0,
    'suspended before the send': 0,
    'told to come again': 0,
    'longest pause, ms': 0,
  }
  await inLanes(LANES, suspended, async (index) => {
    const random = randomFrom(seed, 'row 7, suspended', index)
    const about = `suspension ${index}`
    const pauseMs = shortestPauseMs + random() * (longestPauseMs - shortestPauseMs)
    const home = { ...acmeHome(server), ...built }
    server.fault({ delayMs: random() * LONGEST_LATENCY_MS })
    const caller = start(home.program, RENEW, { env: home.env })
    const helper = await helperOf(caller)
    const step = steps[index % steps.length]
    if (step === 'random') await wait(random() * LIFE_MS)
    else if (helper !== undefined) await watchJournal(home, server).until(step, helper)
    if (signal(helper, 'SIGSTOP')) {
      figures.suspended += 1
      figures['longest pause, ms'] = Math.max(figures['longest pause, ms'], Math.round(pauseMs))
      if (sendsOf(server, home).length === 0) figures['suspended before the send'] += 1
    }
    const second = run(home.program, ASK, { env: home.env })
    await wait(pauseMs)
    checkSends(server, home, about, findings)
    signal(helper, 'SIGCONT')
    await caller.ended
    const { code, err } = await second
    if (code !== 0) {
      // One that was paused for long before it sent does not send, and says when it is tried again.
      figures['told to come again'] += 1
      await wait(COME_AGAIN_MS)
      const again = await run(home.program, ASK, { env: home.env })
      if (again.code !== 0) findings.add('nobody was served', `${about}: ${err}${again.err}`)
    }
    await server.settled()
    checkSends(server, home, about, findings)
    if (!isWell(server, home)) findings.add('the login is not well', about)
    home.remove()
  })
  return figures
}

/** Kills helpers that wait for their answer, and times how soon somebody else has the lock. */
async function killHolders(server, count, { built, breakage, seed }, findings) {
  const waiter = start(await bundleDriver('lock-waiter', breakage))
  await waiter.next()
  const waits = []
  const lateness = []
  for (let index = 0; index < count; index += 1) {
    const random = randomFrom(seed, 'row 7, killed', index)
    const home = { ...acmeHome(server), ...built }
    server.fault({ delayMs: 2000, processFirst: false })
    const caller = start(home.program, RENEW, { env: home.env })
    const helper = await helperOf(caller)
    const journal = watchJournal(home, server)
    await journal.until('arrived', helper)
    waiter.say(`${home.stateDir} ${journal.grant()}`)
    const first = await waiter.next()
    if (first !== 'waiting') findings.add('the lock was not held', `kill ${index}: ${first}`)
    await wait(random() * 100)
    const killedAt = Number(process.hrtime.bigint()) / 1e6
    signal(helper, 'SIGKILL')
    const [hadAt, latenessMs] = ((await waiter.next()) ?? '').split(' ').map(Number)
    const waitedMs = hadAt - killedAt
    waits.push(waitedMs)
    lateness.push(latenessMs)
    if (!(waitedMs - latenessMs < NEXT_CALLER_MS)) {
      const about = `kill ${index}: ${waitedMs} ms, of which the machine was late ${latenessMs} ms`
      findings.add('the next caller waited too long', about)
    }
    await caller.ended
    home.remove()
  }
  await waiter.kill()
  const { median, max } = spread(waits)
  return {
    killed: waits.length,
    'the next has the lock after, median ms': median,
    'at most, ms': max,
    'the machine itself was late, at most ms': spread(lateness).max,
  }
}

/** Processes whose clocks are right, ten years ahead and ten years behind, at one login, with helpers of the same kind. */
async function setClocks(server, rounds, { built, breakage }, findings) {
  const script = await bundleDriver('renewer', breakage)
  const folder = createHome()
  const home = { ...acmeHome(server), ...built }
  const renewers = OFFSETS.flatMap((offset, number) => {
    const helper = join(folder.home, `helper-${number}.mjs`)
    writeFileSync(helper, helperWithClock(built.helper, offset))
    return [1, 2].map(() => start(script, [helper, String(offset)], { env: home.env }))
  })
  for (const renewer of renewers) await renewer.next()
  let sends = 0
  for (let round = 0; round < rounds; round += 1) {
    const login = anotherLogin(server, home)
    for (let time = 0; time < 3; time += 1) {
      for (const renewer of renewers) renewer.say(PROFILE)
      const answers = await Promise.all(renewers.map((renewer) => renewer.next()))
      for (const line of answers) {
        if (!JSON.parse(line ?? '{"ok":false}').ok)
          findings.add('a process got no token', `clocks, round ${round}: ${line}`)
      }
    }
    await server.settled()
    const count = checkSends(
      server,
      { ...home, family: login.family },
      `clocks, round ${round}`,
      findings,
    )
    // Everything happens within a minute, in which there is one renewal whatever a clock says.
    if (count !== 1) findings.add('not exactly one send', `clocks, round ${round}: ${count}`)
    sends += count
  }
  await Promise.all(renewers.map((renewer) => renewer.kill()))
  home.remove()
  folder.remove()
  return { 'rounds with wrong clocks': rounds, 'their sends': sends }
}

function helperWithClock(helper, offset) {
  return `const wallClock = Date.now\nDate.now = () => wallClock() + ${offset}\nawait import(${JSON.stringify(helper)})\n`
}

function signal(pid, name) {
  try {
    process.kill(pid, name)
    return true
  } catch {
    return false
  }
}
