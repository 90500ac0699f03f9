/** Lives through a day of outages: `node simulate.mjs <options as JSON>`. Prints one line of JSON. */

import { breaches, simulateDay } from '../../test/model/simulator.ts'
import { randomFrom } from '../random.mjs'

interface Options {
  readonly seed: string
}

const options = JSON.parse(process.argv[2] ?? '') as Options
const day = await simulateDay(randomFrom('a day', options.seed))
process.stdout.write(`${JSON.stringify({ ...day, breaches: breaches(day) })}\n`)
