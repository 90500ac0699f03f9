/** What choosing costs: `rank()` with 10 and with 10,000 profiles, and the same question asked again. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { alternate, atMost, median, print } from './measure.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const FEW = 10
const MANY = 10_000
const ROUNDS = 21
/** One call with few takes less than the clock can tell. */
const REPEATS = 1_000

export async function benchRank() {
  console.log(`\nrank() with ${FEW} and with ${MANY} profiles (${ROUNDS} rounds in turn)`)
  const { rank, rankFor, candidatesFor, aWorld, aProfile } = await choosing()
  const side = (count) => {
    const world = aWorld({
      profiles: Array.from({ length: count }, (_, index) =>
        aProfile(`anthropic:bench-${String(index).padStart(5, '0')}`),
      ),
    })
    const facts = world.providers.get('anthropic')
    const model = { provider: 'anthropic', model: 'bench' }
    const { state, now } = world
    const input = { candidates: candidatesFor(world, facts), model, state, now }
    rankFor(world, model)
    return {
      fresh: () => rank(input),
      whole: () => rankFor({ ...world, book: { ...world.book } }, model),
      again: () => rankFor(world, model),
    }
  }
  const few = side(FEW)
  const many = side(MANY)
  const sides = {
    few: () => timed(few.fresh, REPEATS),
    many: () => timed(many.fresh, REPEATS / (MANY / FEW)),
    whole: () => timed(many.whole, 1),
    again: () => timed(many.again, REPEATS),
  }
  await alternate(5, sides)
  const of = await alternate(ROUNDS, sides)
  const [fewMs, manyMs] = [median(of.few), median(of.many)]
  const growth = manyMs / MANY / (fewMs / FEW)
  print(`${FEW} profiles, median`, micro(fewMs))
  print(`${MANY} profiles, median`, `${manyMs.toFixed(2)} ms`)
  print('growth per profile', `${growth.toFixed(2)} x`, atMost(growth, 1, 'x, as linear has'))
  print(`${MANY} profiles with their candidates, median`, `${median(of.whole).toFixed(2)} ms`)
  const againMs = median(of.again)
  print(`${MANY} profiles, asked again, median`, micro(againMs), atMost(againMs, 1, 'ms'))
}

function micro(ms) {
  return `${(ms * 1_000).toFixed(2)} µs`
}

/** CPU time of one call, ms: what else the machine does is not counted. */
function timed(call, repeats) {
  const before = process.cpuUsage()
  for (let time = 0; time < repeats; time += 1) call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000 / repeats
}

/** The part of the program that chooses, bundled by itself. */
async function choosing() {
  const scratch = join(ROOT, '.scratch')
  mkdirSync(scratch, { recursive: true })
  const folder = mkdtempSync(join(scratch, 'bench-'))
  const outfile = join(folder, 'choosing.mjs')
  try {
    await build({
      stdin: {
        contents: `
          export { rank } from './src/domain/rotation.ts'
          export { candidatesFor, rankFor } from './src/domain/world.ts'
          export { aProfile, aWorld } from './src/testing.ts'`,
        resolveDir: ROOT,
        loader: 'ts',
      },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    })
    return await import(pathToFileURL(outfile).href)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
