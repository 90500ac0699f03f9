/** Lives through random worlds: `node truth.mjs <options as JSON>`. Prints one line of JSON. */

import { exploreTruth } from '../../test/model/explore-truth.ts'

interface Options {
  readonly worlds: number
  readonly seed: number
}

const options = JSON.parse(process.argv[2] ?? '') as Options
const explored = await exploreTruth(options.worlds, options.seed)
process.stdout.write(`${JSON.stringify(explored)}\n`)
