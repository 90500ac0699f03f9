/**
 * Row 9: eighteen agents live on one login for a day of simulated time.
 *
 * Their services are the real ones; each agent's are its own, as in a process of its own. Every send must have been
 * needed: the access token that it replaced was at its end, due for the keeper, or no longer accepted. No token may be
 * sent twice, and no request may fail.
 */
import { bundleDriver } from '../bundle.mjs'
import { createFindings, run } from '../stand.mjs'

const HOUR_MS = 3_600_000
const DAYS = [
  { lifetimeMs: HOUR_MS, keeper: false, revocations: 0 },
  { lifetimeMs: HOUR_MS, keeper: true, revocations: 0 },
  { lifetimeMs: 8 * HOUR_MS, keeper: false, revocations: 5 },
  { lifetimeMs: 8 * HOUR_MS, keeper: true, revocations: 5 },
]
const AGENTS = 18

export const SIZES = {
  ci: { repeats: 1, days: DAYS.slice(0, 3) },
  full: { repeats: 10, days: DAYS },
}

export async function row9({ repeats, days }, seed, breakage) {
  const script = await bundleDriver('day-of-agents', breakage)
  const findings = createFindings()
  const figures = { agents: AGENTS, days: 0, requests: 0, sends: 0, 'sends that were needed': 0 }
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const day of days) {
      const options = { ...day, agents: AGENTS, seed: `${seed} ${repeat}` }
      const ran = await run(script, [JSON.stringify(options)])
      if (ran.code !== 0) throw new Error(`the driver failed: ${ran.err}`)
      const end = JSON.parse(ran.out)
      const about = JSON.stringify({ ...day, ...end, failures: end.failures.slice(0, 3) })
      figures.days += 1
      figures.requests += end.requests
      figures.sends += end.sends
      figures['sends that were needed'] += end.sends - end.needless
      if (end.needless > 0) findings.add('a send that was not needed', about)
      if (end.repeated > 0) findings.add('a token was sent twice', about)
      if (!end.alive) findings.add('logged out', about)
      if (end.failures.length > 0) findings.add('a request failed', about)
    }
  }
  return { row: 9, passed: findings.list().length === 0, problems: findings.list(), figures }
}
