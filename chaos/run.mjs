/** `npm run chaos`: what breaks when processes are killed, disks fail and answers break off; against its own servers. */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { build } from '../scripts/build.mjs'
import { installPackages, requireNode } from '../scripts/install.mjs'
import { ROW_NUMBERS, runRow, titleOf } from './rows.mjs'
import { cleanUp } from './stand.mjs'

const HELP = `Usage: npm run chaos [-- options]

Runs experiments against the built program, its own login servers and temporary folders.
Nothing leaves this machine, and no login of yours is read.

Options:
  --row <numbers>   only these, such as 4 or 1,2,7
  --size <size>     full (hours of mishaps in minutes), or ci (a sample)   [full]
  --seed <text>     repeats the random choices of an earlier run           [a new one]
  --json            one line of JSON for each experiment, and nothing else
  --help            this text

Exit: 0 all passed · 1 one failed · 64 wrong usage · 69 not on this system

Experiments:
${ROW_NUMBERS.map((row) => `  ${String(row).padStart(2)}  ${titleOf(row)}`).join('\n')}`

function usage(words) {
  console.error(`${words}\nSee: npm run chaos -- --help`)
  process.exit(64)
}

function wordsFrom() {
  try {
    return parseArgs({
      options: {
        row: { type: 'string' },
        size: { type: 'string', default: 'full' },
        seed: { type: 'string', default: randomBytes(4).toString('hex') },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (cause) {
    return usage(cause.message)
  }
}

const { row, size, seed, json, help } = wordsFrom()
if (help) {
  console.log(HELP)
  process.exit(0)
}
const asked = row === undefined ? ROW_NUMBERS : row.split(',').map(Number)
const unknown = asked.filter((number) => !ROW_NUMBERS.includes(number))
if (unknown.length > 0) usage(`There is no such row; there are: ${ROW_NUMBERS.join(', ')}`)
if (size !== 'ci' && size !== 'full') usage(`There is no size "${size}"; there are: ci, full`)
if (process.platform !== 'linux') {
  console.error('The experiments find processes by /proc: they need Linux.')
  process.exit(69)
}

requireNode()
installPackages()
await build({ types: false })
// Every program under test is watched until this one ends.
process.setMaxListeners(0)
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

const say = json ? () => undefined : console.log
say(`seed ${seed}, size ${size}`)
let failed = 0
for (const number of asked) {
  say(`\n${number}  ${titleOf(number)}`)
  const startedAt = performance.now()
  const { passed, problems, figures } = await attempt(number)
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10
  if (!passed) failed += 1
  if (json)
    console.log(JSON.stringify({ row: number, size, seed, seconds, passed, problems, figures }))
  for (const line of tableOf({ ...figures, seconds })) say(`   ${line}`)
  for (const problem of problems) say(`   ${problem}`)
  say(`   ${passed ? 'passed' : 'FAILED'}`)
}
say(failed === 0 ? '\nall passed' : `\n${failed} of ${asked.length} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function attempt(number) {
  try {
    return await runRow(number, size, seed)
  } catch (cause) {
    return { passed: false, problems: [`it broke off: ${cause.stack}`], figures: {} }
  } finally {
    await cleanUp()
  }
}

function tableOf(figures) {
  const width = Math.max(...Object.keys(figures).map((name) => name.length))
  return Object.entries(figures).map(([name, figure]) => {
    const text = typeof figure === 'object' ? JSON.stringify(figure) : String(figure)
    return `${name.padEnd(width)}  ${text}`
  })
}
