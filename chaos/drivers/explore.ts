/** Explores the schedules of one kind of server within one set of bounds: `node explore.mjs <options as JSON>`. Prints one line of JSON. */

import type { Bounds, Removed } from '../../test/model/renewal-model.ts'
import { explore } from '../../test/model/renewal-model.ts'
import type { ServerKind } from '../../test/model/token-oracle.ts'

interface Options {
  readonly kind: ServerKind
  readonly bounds: Bounds
  readonly removed: readonly Removed[]
  readonly limit: number
}

const options = JSON.parse(process.argv[2] ?? '') as Options
const explored = await explore(options.kind, options.bounds, options.removed, options.limit)
process.stdout.write(`${JSON.stringify(explored)}\n`)
