/** Why a credential has its place among those that can serve, in a user's words. */

import type { Likeness, ModelMatch } from './model-match.ts'
import type { ProfileId } from './names.ts'
import type { Pin } from './pins.ts'
import type { BudgetReached } from './budget.ts'
import type { PassedOver, Payer, Taken } from './rotation.ts'
import type { QuotaWindow } from './quota.ts'
import { usedShare } from './quota.ts'
import type { Strategy } from './strategy.ts'
import type { EpochMs } from './time.ts'
import { inWords, relative } from './time.ts'
import { dollars } from './wording-ledger.ts'

export function choiceWords(
  why: Exclude<Taken, { code: 'last_resort' }>,
  now: EpochMs | undefined,
): string {
  switch (why.code) {
    case 'pinned':
      return 'pinned in this session'
    case 'kept':
      return 'served this session before; kept for the prompt cache'
    case 'sticky':
      return 'served last (auth.strategy is sticky)'
    case 'agent_order':
      return `place in the agent's order${inOrderWords(why.strategy)}`
    case 'config_order':
      return `place in auth.order of the config${inOrderWords(why.strategy)}`
    case 'kind_order':
      return `no order set: oauth, token, api_key, then keys outside the book; ${WITHIN_KIND[why.strategy]}`
    case 'near_wall':
      return `spared: ${windowWords(why.window, now)}`
    case 'near_budget':
      return `spared: ${budgetReachedWords(why.budget, now)}`
    default:
      return why satisfies never
  }
}

export function passedByChoiceWords(
  why: Extract<PassedOver, { code: 'budget_spent' | 'lane_denied' }>,
  now: EpochMs | undefined,
): string {
  return why.code === 'budget_spent'
    ? budgetReachedWords(why.budget, now)
    : `paid by use, and auth.lanes.crossing is deny: the request was meant for ${why.from.profile} (${why.from.lane})`
}

/** `98 % of its 5h limit is used, which resets in 2 h`. */
export function windowWords(window: QuotaWindow, now: EpochMs | undefined): string {
  const share = usedShare(window)
  const used =
    share === undefined
      ? `its ${window.name} limit is reached`
      : `${Math.round(share * 100)} % of its ${window.name} limit is used`
  return window.resetsAt === undefined
    ? used
    : `${used}, which resets ${relative(window.resetsAt, now)}`
}

/** `its daily budget is used up: $12.50 of $10.00, estimated; the next period begins in 3 h`. */
export function budgetReachedWords(budget: BudgetReached, now: EpochMs | undefined): string {
  const { period, limit, spent, max, unit, until } = budget
  const sums =
    unit === 'usd' ? `${dollars(spent)} of ${dollars(max)}, estimated` : `${spent} of ${max} tokens`
  const kind = limit === 'hard' ? 'is used up' : 'has reached its soft limit'
  return `its ${period} budget ${kind}: ${sums}; the next period begins ${relative(until, now)}`
}

/** How a session is tied. @param bound the profile that the pin comes to by now */
export function pinWords(pin: Pin, bound?: ProfileId): string {
  if (pin.source === 'auto') return `kept on ${pin.profile} for the prompt cache`
  const { email } = pin.account ?? {}
  const account = email === undefined ? '' : ` (${email})`
  const moved = bound && bound !== pin.profile ? `, whose account is ${bound} by now` : ''
  return `pinned to ${pin.profile}${account}${moved}`
}

/** How a model was found that was not named in full. */
export function matchWords({ likeness, score }: ModelMatch): string {
  return ` (found ${LIKENESS_WORDS[likeness]}, score ${score} of 100)`
}

const LIKENESS_WORDS: Readonly<Record<Likeness, string>> = {
  exact: 'by its name',
  alias: 'by its alias',
  prefix: 'by the beginning of its name',
  contains: 'by a part of its name',
  near: 'by a name much like it',
}

/** Said in a chat when a turn begins to cost money by use. */
export function crossingWords({ from, to }: { readonly from: Payer; readonly to: Payer }): string {
  return `Paid by use: ${to.profile} stands in for ${from.profile} (${from.lane}). To forbid that: equabot config set auth.lanes.crossing deny`
}

/** Said before a request waits. */
export function waitWords(profile: ProfileId, until: EpochMs, now: EpochMs): string {
  return `Every credential rests; waiting ${inWords(until - now)} for ${profile}`
}

function inOrderWords(strategy: Strategy): string {
  return strategy === 'spread' ? '; least recently used first (auth.strategy is spread)' : ''
}

const WITHIN_KIND: Readonly<Record<Strategy, string>> = {
  spread: 'least recently used first',
  ordered: 'by name (auth.strategy is ordered)',
  sticky: 'the one that served last first (auth.strategy is sticky)',
}
