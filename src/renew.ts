/**
 * The helper process: `node renew.js <agent> <profile> <grant> <unwanted> <urge>`.
 *
 * It outlives whoever started it, and what is asked of it by signals: between a refresh token that was sent and the
 * answer to it, stopping would lose a login.
 */

import { createClock } from './adapters/clock.ts'
import { HELPER_BUSY, renewForOrder } from './compose-renewal.ts'
import { parseGrantId, parseTokenMark } from './domain/grant.ts'
import { parseAgentId, parseProfileId } from './domain/names.ts'
import type { RenewalOrder } from './domain/renewal-ports.ts'

process.umask(0o077)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) {
  process.on(signal, () => undefined)
}

const URGES = ['use', 'refused', 'user'] as const
/** A disk or an owner's program that hangs must not hold the grant for ever, ms. */
const LONGEST_LIFE_MS = 300_000

function orderFrom([
  agentText = '',
  profileText = '',
  grantText = '',
  mark = '',
  urgeText,
]: readonly string[]): RenewalOrder | undefined {
  const agent = parseAgentId(agentText)
  const profile = parseProfileId(profileText)
  const grant = parseGrantId(grantText)
  const unwanted = parseTokenMark(mark)
  const urge = URGES.find((entry) => entry === urgeText)
  return agent && profile && grant && unwanted && urge
    ? { agent, profile, grant, unwanted, urge }
    : undefined
}

const order = orderFrom(process.argv.slice(2))
if (!order) {
  process.stderr.write(
    'equabot starts this program by itself; see: equabot models auth renew --help\n',
  )
  process.exit(64)
}
void createClock()
  .sleep(LONGEST_LIFE_MS)
  .then(() => process.exit(70))
const ended = await renewForOrder(order)
process.exit(ended.ok ? (ended.value === 'busy' ? HELPER_BUSY : 0) : 1)
