/**
 * Row 1: many processes need the same expired login at the same moment, and its refresh token serves once.
 *
 * The processes have loaded the program and wait at a barrier; then all ask at once. After that the same through
 * the gateway and command lines of the built program. Exactly one send each time, and everybody gets the new token.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { acmeHome, anotherLogin, ASK, isWell, PROFILE, sendsOf } from '../acme.mjs'
import { ask, startGateway } from '../gateway.mjs'
import { randomFrom, wholeBetween } from '../random.mjs'
import { bundleDriver, programs } from '../bundle.mjs'
import { createFindings, run, spread, start } from '../stand.mjs'
import { startTokenServer } from '../token-server.mjs'

export const SIZES = {
  ci: { processes: 40, rounds: 2, commands: 6 },
  full: { processes: 200, rounds: 50, commands: 40 },
}
const SLOWEST_MS = 6000

export async function row1({ processes, rounds, commands }, seed, breakage) {
  const built = await programs(breakage)
  const script = await bundleDriver('renewer', breakage)
  const server = await startTokenServer({ mode: 'strict', latencyMs: 150 })
  const findings = createFindings()
  const barrier = await atTheBarrier(server, { script, built, processes, rounds }, findings)
  const mixed = await throughTheProgram(server, { built, commands, seed }, findings)
  await server.close()
  return {
    row: 1,
    passed: findings.list().length === 0,
    problems: findings.list(),
    figures: { processes, rounds, ...barrier, ...mixed },
  }
}

/** The same processes in every round: each time there is a new login in the book. */
async function atTheBarrier(server, { script, built, processes, rounds }, findings) {
  const home = { ...acmeHome(server), ...built }
  const renewers = Array.from({ length: processes }, () =>
    start(script, [home.helper], { env: home.env }),
  )
  for (const renewer of renewers) {
    if ((await renewer.next()) !== 'ready')
      throw new Error(`a process did not start: ${renewer.errors()}`)
  }
  const slowest = []
  let sends = 0
  for (let round = 0; round < rounds; round += 1) {
    const login = anotherLogin(server, home)
    const startedAt = performance.now()
    for (const renewer of renewers) renewer.say(PROFILE)
    const answers = await Promise.all(renewers.map((renewer) => renewer.next()))
    slowest.push(performance.now() - startedAt)
    const { access } = server.families.current(login.family)
    for (const line of answers) {
      const answer = JSON.parse(line ?? '{"ok":false}')
      if (!answer.ok) findings.add('a process got no token', `round ${round}: ${line}`)
      else if (answer.access !== access)
        findings.add('a process got another token', `round ${round}`)
    }
    sends += checkSends(server, { ...home, family: login.family }, `round ${round}`, findings)
  }
  await Promise.all(renewers.map((renewer) => renewer.kill()))
  home.remove()
  const { median, max } = spread(slowest)
  if (max >= SLOWEST_MS) findings.add('the slowest took too long', `${max} ms`)
  return { sends, 'slowest of a round, median ms': median, 'slowest of all, ms': max }
}

/** As many requests to the gateway as commands, all at about the same moment. */
async function throughTheProgram(server, { built, commands, seed }, findings) {
  const random = randomFrom(seed, 'row 1')
  const home = { ...acmeHome(server), ...built }
  const gateway = await startGateway(home)
  const asked = Array.from({ length: commands }, () => ask(gateway))
  const typed = Array.from({ length: commands }, async (_, index) => {
    await wait(wholeBetween(random, 0, 200))
    const ran = await run(home.program, [...ASK, '--session', `s${index}`], { env: home.env })
    return ran.code === 0 ? 'served' : `${ran.code}: ${ran.out}${ran.err}`
  })
  const ends = await Promise.all([...asked, ...typed])
  for (const end of ends) if (end !== 'served') findings.add('a caller was not served', end)
  const sends = checkSends(server, home, 'through the program', findings)
  if (!isWell(server, home)) findings.add('the book does not hold the new login', 'at the end')
  await gateway.kill('SIGTERM')
  home.remove()
  return { 'callers of the program': ends.length, 'their sends': sends }
}

function checkSends(server, home, when, findings) {
  const sends = sendsOf(server, home)
  if (sends.length !== 1) findings.add('not exactly one send', `${when}: ${sends.length}`)
  if (!server.families.get(home.family).alive) findings.add('logged out', when)
  return sends.length
}
