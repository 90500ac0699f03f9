/** The experiments by their number. Each is loaded when it is run. */

const ROWS = {
  1: [
    () => import('./rows/row-1-one-send.mjs'),
    'processes that share one expired login send its token once',
  ],
  2: [
    () => import('./rows/row-2-killed-callers.mjs'),
    'callers killed in the middle of a renewal lose nothing',
  ],
  3: [() => import('./rows/row-3-killed-helpers.mjs'), 'renewing processes killed at every step'],
  4: [() => import('./rows/row-4-killed-writers.mjs'), 'writers killed while they save'],
  5: [() => import('./rows/row-5-failing-disk.mjs'), 'every file operation of a save fails'],
  6: [() => import('./rows/row-6-cut-answers.mjs'), 'answers that break off at every byte'],
  7: [
    () => import('./rows/row-7-paused-holders.mjs'),
    'suspended holders of the lock, and wrong clocks',
  ],
  8: [
    () => import('./rows/row-8-neighbours.mjs'),
    'Claude Code and Equabot renew one login in its file',
  ],
  9: [
    () => import('./rows/row-9-agents-of-one-login.mjs'),
    'a day of many agents on one login, in simulated time',
  ],
  10: [
    () => import('./rows/row-10-schedules.mjs'),
    'every schedule of kills, losses and power cuts, over the real protocol',
  ],
  11: [
    () => import('./rows/row-11-truth.mjs'),
    'what is reported is what the next request meets, in random worlds',
  ],
  12: [
    () => import('./rows/row-12-outages.mjs'),
    'days of outages in simulated time, beside an oracle that knows all',
  ],
}

export const ROW_NUMBERS = Object.keys(ROWS).map(Number)

/** What an experiment is about, in a few words. */
export function titleOf(row) {
  return ROWS[row][1]
}

/**
 * Runs one experiment.
 *
 * @param {'ci' | 'full' | object} size or its own numbers
 * @param {{ file: string, from: string, to: string }} [breakage] what is taken out of the program; see `bundle.mjs`
 * @returns {Promise<{ row: number, passed: boolean, problems: string[], figures: object }>}
 */
export async function runRow(row, size, seed, breakage) {
  const module = await ROWS[row][0]()
  return module[`row${row}`](typeof size === 'string' ? module.SIZES[size] : size, seed, breakage)
}
