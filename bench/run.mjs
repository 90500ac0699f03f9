/** `npm run bench [-- start-up gateway throughput ledger rank]`; `ledger:50000` takes fewer requests: what Equabot costs, against bare Node in the same run. */
import { build } from '../scripts/build.mjs'
import { installPackages, requireNode } from '../scripts/install.mjs'

requireNode()
installPackages()
if (process.platform !== 'linux') {
  console.error('The benchmarks read CPU time and memory from /proc: they need Linux.')
  process.exit(69)
}
await build({ types: false })
// Every program under test is watched until this one ends.
process.setMaxListeners(0)

const { benchStartUp } = await import('./start-up.mjs')
const { benchGateway } = await import('./gateway.mjs')
const { benchThroughput } = await import('./throughput.mjs')
const { benchLedger } = await import('./ledger.mjs')
const { benchRank } = await import('./rank.mjs')
const benches = {
  'start-up': benchStartUp,
  gateway: benchGateway,
  throughput: benchThroughput,
  ledger: benchLedger,
  rank: benchRank,
}

/** Names, each with its size where one was given: `ledger:50000`. */
const sizes = new Map(
  process.argv.slice(2).map((word) => {
    const [name, size] = word.split(':')
    return [name, size === undefined ? undefined : Number(size)]
  }),
)
const asked = [...sizes.keys()]
const unknown = asked.filter((name) => !Object.hasOwn(benches, name))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; there are: ${Object.keys(benches).join(', ')}`)
  process.exit(64)
}
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length === 0 || asked.includes(name)) await bench(sizes.get(name))
}
