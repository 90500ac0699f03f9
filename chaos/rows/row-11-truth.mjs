/**
 * Row 11: what `models status` and `models auth explain` say is what the next request meets, in random worlds.
 *
 * `test/model` holds the worlds and the comparison; the tests live through fewer worlds and break the reports on purpose.
 */
import { bundleDriver } from '../bundle.mjs'
import { randomFrom, wholeBetween } from '../random.mjs'
import { createFindings, inLanes, run } from '../stand.mjs'

const LANES = 2
/** So many worlds have one seed. */
const PORTION = 1_000

export const SIZES = { ci: { worlds: 2_000 }, full: { worlds: 50_000 } }

export async function row11({ worlds }, seed, breakage) {
  const script = await bundleDriver('truth', breakage)
  const findings = createFindings()
  const random = randomFrom(seed, 'row 11')
  const seeds = Array.from({ length: Math.ceil(worlds / PORTION) }, () =>
    wholeBetween(random, 1, 2 ** 31),
  )
  const figures = { worlds: 0, requests: 0, sends: 0, 'requests that waited': 0, disagreements: 0 }
  await inLanes(LANES, seeds.length, async (index) => {
    const portion = { worlds: Math.min(PORTION, worlds - index * PORTION), seed: seeds[index] }
    const ran = await run(script, [JSON.stringify(portion)])
    if (ran.code !== 0) throw new Error(`the driver failed: ${ran.err}`)
    const explored = JSON.parse(ran.out)
    figures.worlds += explored.worlds
    figures.requests += explored.requests
    figures.sends += explored.sends
    figures['requests that waited'] += explored.waits
    if (explored.disagreement === undefined) return
    figures.disagreements += 1
    findings.add('what was reported is not so', `seed ${portion.seed}: ${explored.disagreement}`)
  })
  return { row: 11, passed: findings.list().length === 0, problems: findings.list(), figures }
}
