/**
 * Row 12: days of outages in simulated time, with the real router, beside an oracle that knows all.
 *
 * `test/model` holds the simulator; the tests live through one day and take parts of the router out.
 */
import { bundleDriver } from '../bundle.mjs'
import { createFindings, inLanes, run } from '../stand.mjs'

const LANES = 2
/** Of all days together: in one day a provider may have been at its wall for most of the time. */
const LOAD = 'the load is at most 1.10 of what was asked'

export const SIZES = { ci: { days: 1 }, full: { days: 30 } }

export async function row12({ days }, seed, breakage) {
  const script = await bundleDriver('simulate', breakage)
  const findings = createFindings()
  const all = []
  await inLanes(LANES, days, async (index) => {
    const options = { seed: `${seed} ${index}` }
    const ran = await run(script, [JSON.stringify(options)])
    if (ran.code !== 0) throw new Error(`the driver failed: ${ran.err}`)
    const day = JSON.parse(ran.out)
    all.push(day)
    for (const rule of day.breaches.filter((broken) => broken !== LOAD)) {
      findings.add(rule, `seed ${options.seed}: ${JSON.stringify({ ...day, breaches: undefined })}`)
    }
  })
  const sum = (name) => all.reduce((total, day) => total + day[name], 0)
  const loads = all
    .flatMap((day) => Object.values(day.byProvider))
    .filter(({ requests }) => requests >= 100)
    .map(({ attempts, requests }) => attempts / requests)
  if (sum('attempts') > sum('requests') * 1.1) findings.add(LOAD, `${sum('attempts')} attempts`)
  const figures = {
    days,
    requests: sum('requests'),
    'somebody could serve': sum('servable'),
    'of those, served': sum('servableServed'),
    'attempts by requests': rounded(sum('attempts') / sum('requests')),
    'attempts by requests, worst day': rounded(Math.max(...all.map((day) => day.amplification))),
    'attempts by requests that were sent, worst day': rounded(
      Math.max(...all.map((day) => day.attemptsPerSent)),
    ),
    'days above 1.10': all.filter((day) => day.amplification > 1.1).length,
    'load of a provider, worst day': rounded(Math.max(...loads)),
    'inside a named wait': sum('insideRetryAfter'),
    'pins of persons left silently': sum('silentSwitches'),
    'stayed with the prompt cache': rounded(sum('kept') / sum('keepable')),
    'lanes crossed': sum('crossings'),
    'lanes crossed silently': sum('silentCrossings'),
  }
  return { row: 12, passed: findings.list().length === 0, problems: findings.list(), figures }
}

function rounded(number) {
  return Math.round(number * 10_000) / 10_000
}
