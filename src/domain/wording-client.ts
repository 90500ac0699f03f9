/** Clients of the gateway in a user's words. */

import type { Client } from './client.ts'
import { formatBudget, formatRate } from './client-terms.ts'
import type { EpochMs } from './time.ts'
import { dateText, relative } from './time.ts'

/** What a key is limited to, one line each; none when it may do all that a key may. */
export function termsWords(client: Client, now: EpochMs): readonly (readonly [string, string])[] {
  const { agent, models, profiles, budget, rate } = client
  return [
    ...(agent === undefined ? [] : [['Agent', agent] as const]),
    ...(models ? [['Models', models.join(', ')] as const] : []),
    ...(profiles ? [['Profiles', profiles.join(', ')] as const] : []),
    ...(budget ? [['Budget', formatBudget(budget)] as const] : []),
    ...(rate ? [['Rate', formatRate(rate)] as const] : []),
    ['Ends', endWords(client, now)] as const,
  ]
}

/** The same as one line of a list. */
export function shortTerms(client: Client): string {
  const { agent, models, profiles, budget, rate } = client
  const terms = [
    ...(agent === undefined ? [] : [`agent ${agent}`]),
    ...(models ? [models.join(' ')] : []),
    ...(profiles ? [profiles.join(' ')] : []),
    ...(budget ? [formatBudget(budget)] : []),
    ...(rate ? [formatRate(rate)] : []),
  ]
  return terms.length === 0 ? 'no limits' : terms.join('; ')
}

export function endWords({ expiresAt }: Client, now: EpochMs): string {
  if (expiresAt === undefined) return 'never by itself'
  return expiresAt <= now
    ? `ended ${relative(expiresAt, now)}`
    : `${relative(expiresAt, now)} (${dateText(expiresAt)})`
}

export function noClientsWords(): string {
  return 'No client has a key of its own yet; make one: equabot clients add laptop'
}

export function keyOnceWords(): string {
  return 'This is shown once: only its digest is kept'
}

export function passedOverClientWords(field: string, problem: string): string {
  return `${field} is ${problem.replace(/^expected /, 'not ')}: its key opens nothing until it is mended`
}
