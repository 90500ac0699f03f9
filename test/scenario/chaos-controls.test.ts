/** Each experiment notices when the safeguard that it is about has been taken out of the program. */

import { expect, it, onTestFinished } from 'vitest'
import type { Breakage } from '../../chaos/rows.mjs'
import { runRow } from '../../chaos/rows.mjs'
import { cleanUp } from '../../chaos/stand.mjs'

const LONG_MS = 180_000

interface Control {
  readonly removed: string
  readonly row: number
  readonly size: Readonly<Record<string, unknown>>
  readonly breakage: Breakage
  readonly noticed: RegExp
}

const CONTROLS: readonly Control[] = [
  {
    removed: 'the lock among processes',
    row: 1,
    size: { processes: 12, rounds: 1, commands: 1 },
    breakage: {
      file: 'src/adapters/lock.ts',
      from: 'while (!addon.value.tryLock(fd)) {',
      to: 'while (Number.isNaN(fd)) {',
    },
    noticed: /not exactly one send|got no token|a caller was not served/,
  },
  {
    removed: 'the session of its own that the renewing process has',
    row: 2,
    size: { kills: 24 },
    breakage: {
      file: 'src/adapters/renewal-helper.ts',
      from: 'detached: true',
      to: 'detached: false',
    },
    noticed: /a lost token/,
  },
  {
    removed: 'the note before the send',
    row: 3,
    size: { steps: ['kept'], eachStep: 8, random: 0 },
    breakage: {
      file: 'src/services/renewal-protocol.ts',
      from: 'const marked = await job.journal.markSent(attempt)',
      to: 'const marked = { ok: true }',
    },
    noticed: /the answer was stored/,
  },
  {
    removed: 'the rename',
    row: 4,
    size: { kills: 80 },
    breakage: {
      file: 'src/adapters/durable-file.ts',
      from: 'await system.rename(temporary, path)',
      to: `
        const place = await system.open(path, O_WRONLY | O_CREAT | constants.O_TRUNC, 0o600)
        await place.write(data.subarray(0, data.length / 2))
        for (let times = 0; times < 5; times += 1) await place.sync()
        await place.write(data.subarray(data.length / 2))
        await place.close()
        await system.unlink(temporary)`,
    },
    noticed: /unreadable/,
  },
  {
    removed: 'the word about a failed save',
    row: 5,
    size: { traced: 0 },
    breakage: {
      file: 'src/adapters/durable-file.ts',
      from: '.catch(() => undefined)\n    throw cause',
      to: '.catch(() => undefined)\n    return',
    },
    noticed: /in the book, \d acknowledged/,
  },
  {
    removed: 'the doubt about an answer that broke off',
    row: 6,
    size: { cases: 40 },
    breakage: {
      file: 'src/wire/token-response.ts',
      from: 'if (!body) return ambiguous(',
      to: "if (!body) return { kind: 'rejected', error: 'broken', words: '' }\n    if (!body) return ambiguous(",
    },
    noticed: /wrong verdict/,
  },
  {
    removed: 'the lock that a suspended process holds',
    row: 7,
    size: {
      suspended: 4,
      steps: ['marked sent', 'arrived'],
      shortestPauseMs: 4000,
      longestPauseMs: 4000,
      killed: 0,
      clocks: 0,
    },
    breakage: {
      file: 'src/adapters/lock.ts',
      from: 'while (!addon.value.tryLock(fd)) {',
      to: 'while (Number.isNaN(fd)) {',
    },
    noticed: /sent twice/,
  },
  {
    removed: "the respect for its owner's locks",
    row: 8,
    size: { eachStep: 0, random: 8, holds: [1500] },
    breakage: {
      file: 'src/adapters/owner-locks.ts',
      from: 'if (isRetry || !isLeftByUs(path, deps.ledger)) {',
      to: 'if (isRetry) {',
    },
    noticed: /logged out|its owner could not do its part/,
  },
  {
    removed: 'the lock among agents',
    row: 9,
    size: { repeats: 1, days: [{ lifetimeMs: 3_600_000, keeper: false, revocations: 0 }] },
    breakage: {
      file: 'chaos/drivers/day-of-agents.ts',
      from: 'if (!held.has(order.grant)) {',
      to: 'if (held) {',
    },
    noticed: /a token was sent twice/,
  },
]

it.each(CONTROLS)(
  'row $row notices that $removed is gone',
  { timeout: LONG_MS },
  async ({ row, size, breakage, noticed }) => {
    onTestFinished(cleanUp)
    const { passed, problems } = await runRow(row, size, 'controls', breakage)
    expect(passed).toBe(false)
    expect(problems.join('\n')).toMatch(noticed)
  },
)
