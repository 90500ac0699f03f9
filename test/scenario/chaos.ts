/** Runs an experiment of `chaos/` in its small size, as a test. */

import { expect } from 'vitest'
import { runRow } from '../../chaos/rows.mjs'
import { cleanUp } from '../../chaos/stand.mjs'

/** Random choices are the same in every run; `npm run chaos` makes new ones. */
const SEED = 'ci'

/** The figures of an experiment, in which nothing went wrong. */
export async function passes(row: number): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { passed, problems, figures } = await runRow(row, 'ci', SEED)
    expect(problems).toEqual([])
    expect(passed).toBe(true)
    return figures
  } finally {
    await cleanUp()
  }
}
