/** Events in a user's words, and what the chat says of a session's pin and payer. */

import type { Crossing, Happening } from './event.ts'
import type { SessionHead } from './ports.ts'
import type { Lane } from './provider.ts'
import type { EpochMs } from './time.ts'
import { dateText, relative } from './time.ts'
import { reasonWords } from './wording.ts'

/** @param when the instant at which it happened */
export function eventWords(happening: Happening, when: EpochMs): string {
  switch (happening.kind) {
    case 'credential.expiring':
      return `${happening.profile} ends ${at(happening.at, when)}, and nothing renews it`
    case 'credential.expired':
      return `${happening.profile} has expired (${dateText(happening.at)})`
    case 'credential.renewed':
      return happening.until === undefined
        ? `${happening.profile} was renewed`
        : `${happening.profile} was renewed, until ${dateText(happening.until)}`
    case 'credential.renewal_failed':
      return `${happening.profile} could not be renewed (${happening.code}); see equabot models auth explain`
    case 'credential.refused':
      return happening.policy
        ? `${happening.profile} is refused for this use: its provider allows it for other programs only`
        : `${happening.profile} is refused: ${reasonWords(happening.reason)}`
    case 'credential.resting':
      return `${happening.profile} rests ${happening.model === undefined ? RESTING[happening.scope] : `for ${happening.model}`}, ends ${at(happening.until, when)}: ${reasonWords(happening.reason)}`
    case 'credential.recovered':
      return `${happening.profile} serves again`
    case 'lane.crossed':
      return `${crossed(happening)}${happening.session === undefined ? '' : `, in session ${happening.session}`} of agent ${happening.agent}`
    case 'all.resting':
      return `every credential of ${happening.provider} rests for agent ${happening.agent}; the first is back ${at(happening.until, when)}`
    case 'budget.reached':
      return `${happening.profile} has reached ${happening.limit === 'hard' ? 'the end' : 'the warning mark'} of its ${happening.period} budget`
    case 'session.pinned':
      return `session ${happening.session} of agent ${happening.agent} is pinned to ${happening.profile}, ${BY[happening.source]}`
    case 'session.unpinned':
      return `session ${happening.session} of agent ${happening.agent} is no longer pinned to ${happening.profile}`
    default:
      return happening satisfies never
  }
}

const RESTING: Readonly<Record<'model' | 'profile' | 'account' | 'provider', string>> = {
  model: 'for one model',
  profile: 'as a whole',
  account: 'with every credential of its account',
  provider: 'with every credential of its provider',
}

const BY: Readonly<Record<'user' | 'auto', string>> = {
  user: 'by your word',
  auto: 'by itself, to keep the prompt cache',
}

const PAID: Readonly<Record<Lane, string>> = {
  subscription: 'paid by subscription',
  metered: 'paid by use',
  free: 'free',
}

function crossed({ from, to }: Pick<Crossing, 'from' | 'to'>): string {
  return `from ${from.profile} (${PAID[from.lane]}) to ${to.profile} (${PAID[to.lane]})`
}

function at(instant: EpochMs, when: EpochMs): string {
  return `${relative(instant, when)} (${dateText(instant)})`
}

/** What a stream of events says of itself at its beginning. */
export function streamOpenWords(version: string): string {
  return `events of gateway ${version}`
}

/** Why a reader that comes back does not get all it has missed. */
export function lostEventsWords(because: 'restarted' | 'overrun', lost: number): string {
  return because === 'restarted'
    ? 'the gateway was started anew since; what happened before stands in its log'
    : `${lost} events came and went meanwhile; they stand in the log`
}

/** Lines for `/model status`: which credential a session keeps, and when it was last somebody else who paid. */
export function sessionPayerWords(
  pin: SessionHead['pin'],
  crossing: Crossing | undefined,
  now: EpochMs,
): readonly string[] {
  return [
    ...(pin ? [`Pin: ${pin.profile}, ${BY[pin.source]}; remove it: /model unpin`] : []),
    ...(crossing
      ? [`Last change of payer: ${relative(crossing.when, now)}, ${crossed(crossing)}`]
      : []),
  ]
}
