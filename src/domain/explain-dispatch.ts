/** Why a request was not served, in a user's words: who was tried, who was passed over, what to do and when. */

import { blamesProfile } from './cooldown.ts'
import { loginAgain, ownersHint, waitingHint } from './explain-renewal.ts'
import type { Explanation } from './explanation.ts'
import type { DispatchFault, FailedAttempt, Fault, Untried } from './fault.ts'
import { FOREIGN_PROFILES } from './foreign.ts'
import type { ProfileId } from './names.ts'
import { providerOf } from './names.ts'
import type { Origin } from './profile.ts'
import type { PassedOver } from './rotation.ts'
import { RETRY_SHARE } from './retry-budget.ts'
import type { EpochMs } from './time.ts'
import { dateText } from './time.ts'
import { credentialCommand, passedOverWords, reasonWords } from './wording.ts'
import { isReserved } from './world.ts'

/** @param explain for the faults that stand inside this one */
export function explainDispatch(
  fault: DispatchFault,
  now: EpochMs | undefined,
  explain: (fault: Fault, now?: EpochMs) => Explanation,
): Explanation {
  switch (fault.code) {
    case 'EQ_CREDENTIAL_NONE': {
      const tried = fault.passedOver.map(
        ({ profile, why }) => `${profile}: ${passedOverWords(why, now)}`,
      )
      const variable = fault.variables[0]
      const waiting = waitingOne(fault)
      return {
        message: [`No usable credential for ${fault.provider}`, ...tried].join('; '),
        hint:
          waiting?.hint ??
          barredHint(fault.passedOver) ??
          `Run: ${credentialCommand(fault.provider)}${variable === undefined ? '' : `, or set ${variable}`}`,
        exit: waiting?.passes ? 75 : 1,
        http: waiting?.passes ? 503 : 403,
      }
    }
    case 'EQ_CREDENTIAL_RESTING': {
      const why = fault.passedOver.map(
        (entry) => `${entry.profile}: ${passedOverWords(entry.why, now)}`,
      )
      return {
        message: [
          `Every credential for ${fault.provider} rests until ${dateText(fault.until)}`,
          ...why,
        ].join('; '),
        hint:
          barredHint(fault.passedOver) ??
          'Wait, choose another model, or add a credential: equabot models auth add',
        exit: 75,
        http: restStatus(fault.passedOver.map((entry) => entry.why)),
      }
    }
    case 'EQ_PIN_UNUSABLE':
      return {
        message: `This session is pinned to ${fault.profile}, which cannot serve: ${passedOverWords(fault.why, now)}`,
        hint: `${pinHint(fault.profile, fault.why)}, or take the pin off: /model unpin`,
        exit: fault.why.code === 'resting' ? 75 : 1,
        http: fault.why.code === 'resting' ? restStatus([fault.why]) : 403,
      }
    case 'EQ_UPSTREAM_REJECTED':
      return {
        message: `${fault.attempt.model} by ${fault.attempt.profile}: ${fault.attempt.words}`,
        hint: REJECTED_HINTS[fault.attempt.reason] ?? '',
        exit: 1,
        http: clientStatus(fault.attempt),
      }
    case 'EQ_UPSTREAM_FAILED': {
      const last = fault.attempts.at(-1)
      const lines = [
        ...fault.attempts.map(attemptWords),
        ...(fault.barred ?? []).map(
          ({ profile, why }) => `${profile}: ${passedOverWords(why, now)}`,
        ),
        ...(fault.heldBack ? [heldBackWords(fault.heldBack)] : []),
      ]
      if (fault.untried) return stoppedEarly(fault.attempts, fault.untried, lines)
      const own = last?.fault && explain(last.fault, now)
      const hint = own?.hint ?? (last && failedHint(last))
      return {
        message: `Nobody could serve this request: ${lines.join('; ')}`,
        hint: barredHint(fault.barred ?? []) ?? hint ?? 'See: equabot models status',
        exit: own?.exit ?? (last ? (FAILED_EXITS[last.reason] ?? 1) : 1),
        http: tellingStatus(fault.attempts),
      }
    }
    case 'EQ_UPSTREAM_CUT':
      return {
        message: `The reply of ${fault.model} by ${fault.profile} broke off: ${fault.detail}`,
        hint: 'Send the message again',
        exit: 69,
        http: 502,
      }
    case 'EQ_REQUEST_CANCELLED':
      return { message: 'Stopped', hint: '', exit: 130, http: 499 }
    case 'EQ_SESSION_BUSY':
      return {
        message: `Session ${fault.session} is busy with another message`,
        hint: 'Wait for its reply, or use another --session',
        exit: 75,
        http: 409,
      }
    default:
      return fault satisfies never
  }
}

const FAILED_EXITS: Readonly<Partial<Record<FailedAttempt['reason'], number>>> = {
  network: 69,
  timeout: 69,
}

/** Nobody rests for what is not the credential's doing, unless the whole model does. */
function restsNow({ reason, fault }: FailedAttempt): boolean {
  return fault !== undefined || blamesProfile(reason) || reason === 'overloaded'
}

/** There are others who may serve. */
function stoppedEarly(
  attempts: readonly FailedAttempt[],
  untried: readonly Untried[],
  lines: readonly string[],
): Explanation {
  const asked = new Set(attempts.map(({ profile, model }) => `${profile} ${model}`))
  const models = new Set([...attempts, ...untried].map(({ model }) => model))
  const left = untried.map(({ profile, model }) =>
    models.size > 1 ? `${profile} with ${model}` : profile,
  )
  return {
    message: `This request stopped after ${asked.size} of ${asked.size + untried.length}: ${lines.join('; ')}; not tried: ${left.join(', ')}`,
    hint: attempts.every(restsNow)
      ? 'Send it again: the next request goes on with those that were not tried'
      : `Send it again, or name one that was not tried, as in --model ${untried[0]?.model}@${untried[0]?.profile}`,
    exit: 75,
    http: 503,
  }
}

/**
 * What brings the first credential that waits for its renewal back; undefined: none does.
 *
 * `passes`: it comes back without the user, so that the same request may serve later.
 */
function waitingOne({
  passedOver,
}: Extract<DispatchFault, { code: 'EQ_CREDENTIAL_NONE' }>):
  | { readonly hint: string; readonly passes: boolean }
  | undefined {
  for (const { profile, why } of passedOver) {
    if (why.code === 'awaiting_owner') return { hint: ownersHint(why.owner), passes: false }
    if (why.code === 'awaiting_renewal') {
      const passes = why.againAt !== undefined
      return { hint: waitingHint(profile, passes), passes }
    }
  }
  return undefined
}

/** What lifts a limit that the user has set. Undefined: none stood in the way. */
function barredHint(
  passedOver: readonly { readonly profile: ProfileId; readonly why: PassedOver }[],
): string | undefined {
  for (const { profile, why } of passedOver) {
    if (why.code === 'lane_denied') {
      return `To let ${profile} serve, paid by use: equabot config set auth.lanes.crossing announce`
    }
    if (why.code === 'budget_spent') {
      return `Wait for the next period, or raise auth.profiles.${profile}.budget.${why.budget.period} in the config`
    }
  }
  return undefined
}

function heldBackWords(provider: string): string {
  return `${provider} was not asked again: it has failed so many requests in the last minute that further attempts would exceed ${RETRY_SHARE * 100} % of its load`
}

/** What brings the credential of a pin back. */
function pinHint(
  profile: ProfileId,
  why: Extract<DispatchFault, { code: 'EQ_PIN_UNUSABLE' }>['why'],
): string {
  const provider = providerOf(profile)
  const paste = `${credentialCommand(provider)} --profile-id ${profile}`
  switch (why.code) {
    case 'gone':
    case 'other_account':
    case 'expired':
      return `Give it a credential again: ${originOf(profile) === 'equabot' ? paste : loginAgain(profile, originOf(profile))}`
    case 'grant_dead':
      return `Log in again: ${loginAgain(profile, originOf(profile))}`
    case 'awaiting_renewal':
      return waitingHint(profile, why.againAt !== undefined)
    case 'awaiting_owner':
      return ownersHint(why.owner)
    case 'resting':
      return 'Wait'
    case 'policy_refused':
      return `Use an API key: ${credentialCommand(provider)}`
    case 'budget_spent':
      return `Raise auth.profiles.${profile}.budget.${why.budget.period} in the config`
    case 'missing_variable':
      return `Set ${why.variable}`
    case 'blank':
    case 'placeholder':
    case 'malformed':
      return `Paste it again: ${paste}`
    default:
      return 'See: equabot models status'
  }
}

/** Whose login a profile of this name is. */
function originOf(profile: ProfileId): Origin {
  if (profile === FOREIGN_PROFILES['claude-code']) return 'claude-code'
  return profile === FOREIGN_PROFILES['codex-cli'] ? 'codex-cli' : 'equabot'
}

/** A limit of the account's, or a provider that cannot serve anybody now. */
function restStatus(whys: readonly PassedOver[]): number {
  const reasons = whys.flatMap((why) => (why.code === 'resting' ? [why.rest.reason] : []))
  return reasons.every((reason) => reason === 'rate_limit' || reason === 'billing') ? 429 : 503
}

/** One candidate's failure in a line: who, where, why, in the provider's words. */
export function attemptWords(attempt: FailedAttempt): string {
  if (attempt.fault) return attempt.words
  const status = attempt.status === undefined ? '' : ` (HTTP ${attempt.status})`
  return `${attempt.profile} at ${attempt.host}: ${reasonWords(attempt.reason)}${status}: ${attempt.words}`
}

const REJECTED_HINTS: Readonly<Partial<Record<FailedAttempt['reason'], string>>> = {
  not_found: 'See which models there are: equabot models list',
  context_overflow: 'Start afresh with /new, or choose a model with a larger context',
  invalid_request: 'Mend the request; another credential would get the same answer',
}

function failedHint(last: FailedAttempt): string {
  const provider = last.profile.slice(0, last.profile.indexOf(':'))
  switch (last.reason) {
    case 'auth':
      if (last.login) return `Log in again: ${loginAgain(last.profile, last.login)}`
      return isReserved(last.profile)
        ? `Give it a new credential: ${credentialCommand(provider)}`
        : `Give it a new credential: ${credentialCommand(provider)} --profile-id ${last.profile}`
    case 'permission':
      return `Use an API key: ${credentialCommand(provider)}`
    case 'billing':
      return 'Top up the account at the provider, or add another credential'
    case 'network':
    case 'timeout':
      return `Check the line to ${last.host}, a proxy, and models.providers.${provider}.baseUrl`
    default:
      return 'Try again later, or choose another model; see: equabot models status'
  }
}

/** The status that tells the caller most: a limit that ends beats a door that stays shut. */
function tellingStatus(attempts: readonly FailedAttempt[]): number {
  const order: readonly FailedAttempt['reason'][] = [
    'rate_limit',
    'overloaded',
    'server_error',
    'timeout',
    'network',
    'billing',
    'permission',
    'auth',
  ]
  for (const reason of order) {
    const attempt = attempts.find((entry) => entry.reason === reason)
    if (attempt) return clientStatus(attempt)
  }
  return 502
}

/** An upstream's 401 is never relayed: it would tell the caller that its own login is bad. */
function clientStatus(attempt: FailedAttempt): number {
  switch (attempt.reason) {
    case 'auth':
    case 'permission':
      return 403
    case 'billing':
      return 402
    case 'rate_limit':
      return 429
    case 'overloaded':
      return 529
    case 'timeout':
      return 504
    case 'network':
    case 'server_error':
      return 502
    default:
      return isCallersFault(attempt.status) ? attempt.status : 400
  }
}

function isCallersFault(status: number | undefined): status is number {
  return status !== undefined && status >= 402 && status < 500
}
