/** Writes requests to a ledger until it is killed, or so many: `node … <path> <mark> [<count>]`. Prints each id first. */

import { createClock } from '../../src/adapters/clock.ts'
import { createLedger } from '../../src/adapters/ledger.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import { requestId } from '../../src/domain/ledger.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { DEFAULT_SETTINGS } from '../../src/domain/settings.ts'

const [, , path = '', mark = '', count = 'Infinity'] = process.argv
const clock = createClock()
const ledger = createLedger({
  path,
  clock,
  log: {
    write: (_level, event, fields) => process.stderr.write(`${event} ${JSON.stringify(fields)}\n`),
  },
  locks: createLocks({ clock, dir: `${path}.locks` }),
  price: async () => undefined,
  keep: async () => DEFAULT_SETTINGS.ledger,
})

for (let index = 0; index < Number(count); index += 1) {
  const at = clock.now()
  const id = requestId(at, `${mark}${index.toString(36).padStart(6, '0')}`)
  ledger.append({
    id,
    at,
    agent: MAIN_AGENT,
    asked: 'opus',
    model: 'anthropic/claude-test',
    outcome: 'served',
    attempts: 1,
    totalMs: 0,
    usage: { inputTokens: 1, outputTokens: 1 },
  })
  process.stdout.write(`${at} ${id}\n`)
  if (count === 'Infinity') await clock.sleep(10)
  else if (index % 50 === 0) await ledger.flush()
}
await ledger.close()
