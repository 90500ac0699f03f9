/**
 * The composed program without its command line: renews a login each time it is told to.
 *
 * `node renewer.mjs <helper script> [<clock offset, ms>]` says `ready`, then answers each line, the id of a profile,
 * with one line of JSON. With an offset the wall clock of this process goes wrong by so much.
 */

import { createInterface } from 'node:readline'
import { compose } from '../../src/compose.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { MAIN_AGENT, parseProfileId } from '../../src/domain/names.ts'

const [, , helperScript = '', offset = '0'] = process.argv
const wallClock = Date.now
Date.now = () => wallClock() + Number(offset)

/** Longer than any renewal may take, ms. */
const WAIT_MS = 40_000

async function renew(line: string): Promise<unknown> {
  const profile = parseProfileId(line)
  if (!profile) throw new Error(`no profile: ${line}`)
  const startedAt = performance.now()
  const app = orThrow(await compose(helperScript))
  const renewed = await app.renewals.renew({
    agent: MAIN_AGENT,
    profile,
    urge: 'use',
    waitMs: WAIT_MS,
  })
  const ms = performance.now() - startedAt
  await app.close()
  return renewed.ok
    ? { ok: true, access: renewed.value.access.reveal(), ms }
    : { ok: false, fault: renewed.fault, ms }
}

const warm = orThrow(await compose(helperScript))
await warm.loadWorld(MAIN_AGENT)
await warm.close()
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await renew(line))}\n`)
}
process.exit(0)
