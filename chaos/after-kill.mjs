/** What must hold of a login after the process that renewed it was killed. */
import { setTimeout as wait } from 'node:timers/promises'
import { ASK, isWell, sendsOf } from './acme.mjs'
import { run } from './stand.mjs'

/** Others ask so often before a login counts as stuck. */
const ASKERS = 8
const PAUSE_MS = 700

/** Lets others ask until the login is well, or called dead; gives what there was at the kill, and what came of it. */
export async function letOthersAsk(server, home, journal) {
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
    await wait(PAUSE_MS)
  }
  return { answer, said, verdict: journal.verdict()?.outcome.kind }
}

/**
 * Called dead it may be by its provider alone, and lost only where the provider gave an answer that nobody had stored:
 * never on a server that repeats it.
 */
export function judgeLogin(server, home, { answer, said, verdict }, about, figures, findings) {
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
