/**
 * Row 10: every schedule of misfortunes within bounds, over the real protocol on a simulated disk and network.
 *
 * `test/model` holds the model; the tests explore small bounds and take each safeguard out. Here the bounds are larger.
 */
import { bundleDriver } from '../bundle.mjs'
import { createFindings, inLanes, run } from '../stand.mjs'

const CALM = { kills: 0, powerCuts: 0, losses: 0, logins: 0, restores: 0, fullDisks: 0, helpers: 2 }
const KINDS = ['strict', 'grace', 'idempotent', 'norotate']
const LANES = 2

export const SIZES = {
  ci: { limit: 20_000, misfortunes: [{ kills: 1, losses: 1 }] },
  full: {
    limit: 400_000,
    misfortunes: [
      { kills: 3 },
      { kills: 2, losses: 1 },
      { kills: 1, losses: 2 },
      { losses: 4 },
      { kills: 1, powerCuts: 1, losses: 1 },
      { kills: 2, powerCuts: 1 },
      { kills: 1, logins: 1, losses: 1 },
      { kills: 1, fullDisks: 1, losses: 1 },
      { kills: 1, losses: 1, restores: 1 },
      { kills: 1, helpers: 3 },
    ],
  },
}

export async function row10({ limit, misfortunes }, _seed, breakage) {
  const script = await bundleDriver('explore', breakage)
  const findings = createFindings()
  const figures = { schedules: 0, steps: 0, 'bounds explored to the end': 0, 'cut short': 0 }
  const worlds = misfortunes.flatMap((some) =>
    KINDS.map((kind) => ({ kind, bounds: { ...CALM, ...some }, removed: [], limit })),
  )
  await inLanes(LANES, worlds.length, async (index) => {
    const world = worlds[index]
    const ran = await run(script, [JSON.stringify(world)])
    if (ran.code !== 0) throw new Error(`the driver failed: ${ran.err}`)
    const { schedules, steps, broken } = JSON.parse(ran.out)
    figures.schedules += schedules
    figures.steps += steps
    figures[schedules >= limit ? 'cut short' : 'bounds explored to the end'] += 1
    if (broken) findings.add(broken.rule, `${JSON.stringify(world)}: ${broken.trace.join(' > ')}`)
  })
  return { row: 10, passed: findings.list().length === 0, problems: findings.list(), figures }
}
