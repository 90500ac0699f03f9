/** Why access could not be renewed: which of the cases it was, what happens next and when, what the user can do. */

import { leftOutBecause, OWNER_LOGIN, OWNER_NAMES, takeInAgain } from './explain-foreign.ts'
import type { Explanation } from './explanation.ts'
import { say } from './explanation.ts'
import type { RenewalFault } from './fault.ts'
import { FOREIGN_PROFILES } from './foreign.ts'
import type { ProfileId } from './names.ts'
import { providerOf } from './names.ts'
import type { Origin } from './profile.ts'
import type { EpochMs } from './time.ts'
import { dateText, inWords, relative } from './time.ts'

export function explainRenewal(fault: RenewalFault, now: EpochMs | undefined): Explanation {
  const { profile } = fault
  switch (fault.code) {
    case 'EQ_GRANT_DEAD':
      return say(
        fault.lostAt === undefined
          ? `${profile}: the provider ended this login (${said(fault)})`
          : `${profile}: the provider renewed this login at ${dateText(fault.lostAt)}, that answer was lost on the way, and now it refuses (${said(fault)})`,
        `Log in again: ${loginAgain(profile, fault.origin)}`,
        1,
        403,
      )
    case 'EQ_GRANT_SPENT':
      return say(
        `${profile}: its refresh token was already exchanged on ${dateText(fault.spentAt)}; the file is a copy of an older state, and the token is not sent`,
        `Put the newer file back, or log in again: ${loginAgain(profile, fault.origin)}`,
        1,
        403,
      )
    case 'EQ_GRANT_NONE':
      if (fault.type) return nothingRenews(profile, fault.type)
      return say(
        `${profile}: access has ended and there is nothing to renew it with`,
        `Log in again: ${loginAgain(profile, fault.origin)}`,
        1,
        403,
      )
    case 'EQ_RENEWAL_NOT_SENT':
      return say(
        `${profile} was not renewed: ${fault.words}. Nothing was sent, the login is as it was. ${next(fault.againAt, now)}`,
        notSentHint(fault),
        fault.reason === 'network' ? 69 : 75,
        503,
      )
    case 'EQ_RENEWAL_PUT_OFF':
      return say(
        `${profile} was not renewed: the provider answered ${fault.status} (${fault.words}), which says nothing about the login. ${next(fault.againAt, now)}`,
        'Wait; see: equabot models status',
        75,
        503,
      )
    case 'EQ_RENEWAL_CONFIG':
      return say(
        `${profile} was not renewed: the provider does not accept the request itself (${fault.error}: ${fault.words}). The login is as it was`,
        `Check models.providers.${providerOf(profile)}.oauth in the config; then: equabot models auth renew ${profile}`,
        78,
        503,
      )
    case 'EQ_RENEWAL_LOST':
      return say(
        `${profile}: a renewal was sent at ${dateText(fault.lostAt)} and ${unansweredWords(fault)}. The login is kept. ${next(fault.againAt, now)}`,
        fault.asked ? 'Wait; see: equabot models status' : waitingHint(profile, true),
        75,
        503,
      )
    case 'EQ_RENEWAL_ACCOUNT':
      return say(
        `${profile} belongs to ${fault.expected}, but the provider answered for ${fault.got}. The answer is kept aside, the login is as it was`,
        'Please report it. See: equabot doctor',
        1,
        503,
      )
    case 'EQ_RENEWAL_KEPT':
      return say(
        `${profile} was renewed, but the new login could not be stored yet: ${fault.words}. It is safe in the journal and is put in place by the next try`,
        'Mend that, then: equabot models status',
        75,
        503,
      )
    case 'EQ_RENEWAL_BUSY':
      return say(
        fault.ours
          ? `${profile}: its renewal has not ended within ${inWords(fault.waitedMs)}, and goes on by itself`
          : `${profile} is being renewed by another process for more than ${inWords(fault.waitedMs)}`,
        'Try again in a moment',
        75,
        503,
      )
    case 'EQ_RENEWAL_GOES_ON':
      return say(
        `Stopped waiting. The renewal of ${profile} goes on by itself: what was sent must not be left without its answer`,
        'equabot models status',
        130,
        503,
      )
    case 'EQ_RENEWAL_OWNERS':
      if (fault.usableUntil !== undefined) {
        return say(
          `${profile} was not renewed: its access serves until ${dateText(fault.usableUntil)}, and ${OWNER_NAMES[fault.origin]} alone renews its login`,
          ownersHint(fault.origin),
          1,
          503,
        )
      }
      return say(
        `${profile}: access expired, waiting for ${OWNER_NAMES[fault.origin]} to renew its login`,
        ownersHint(fault.origin),
        75,
        503,
      )
    case 'EQ_RENEWAL_LEFT_OUT':
      return say(
        `${profile} was not renewed: ${leftOutBecause(fault.origin, fault.by)}`,
        takeInAgain(fault.origin, fault.by),
        78,
        503,
      )
    case 'EQ_RENEWAL_HELPER':
      return say(
        `${profile} was not renewed: the renewing process could not be started (${fault.detail})`,
        'Try again; if this stays, reinstall Equabot',
        70,
        503,
      )
    default:
      return fault satisfies never
  }
}

function nothingRenews(profile: ProfileId, type: 'api_key' | 'token'): Explanation {
  const what = type === 'api_key' ? 'an API key' : 'a token without a login behind it'
  return {
    message: `${profile} is ${what}; nothing renews it, and it serves as long as its provider takes it`,
    hint: `To put another in its place: equabot models auth paste-token --provider ${providerOf(profile)} --profile-id ${profile}`,
    exit: 64,
    http: 400,
  }
}

/** The command that makes this login anew. */
export function loginAgain(profile: ProfileId, origin: Origin): string {
  return origin === 'equabot'
    ? `${OWNER_LOGIN.equabot} --provider ${providerOf(profile)} --profile-id ${profile}`
    : OWNER_LOGIN[origin]
}

/** Why nothing is known of a renewal that was sent. */
export function unansweredWords({
  answered,
  words,
}: {
  readonly answered?: true
  readonly words: string
}): string {
  return answered
    ? `its answer could not be used (${words})`
    : `its answer did not arrive (${words})`
}

function said(verdict: { readonly error: string; readonly words: string }): string {
  return verdict.words === '' ? verdict.error : `${verdict.error}: ${verdict.words}`
}

function next(againAt: EpochMs | undefined, now: EpochMs | undefined): string {
  if (againAt === undefined) return 'It is not tried again by itself'
  return now !== undefined && againAt <= now
    ? 'It is tried again at the next use'
    : `It is tried again ${relative(againAt, now)}`
}

/** What helps where the owner alone renews its login, and has not. */
export function ownersHint(origin: Origin): string {
  return OWNERS_HINTS[origin]
}

/** What helps where access waits for its next renewal. @param isTimed it is tried again by itself */
export function waitingHint(profile: ProfileId, isTimed: boolean): string {
  const command = `equabot models auth renew ${profile}`
  return isTimed ? `Wait, or ask at once: ${command}` : `Try it again: ${command}`
}

const OWNERS_HINTS: Readonly<Record<Origin, string>> = {
  equabot: 'See: equabot models status',
  'claude-code':
    'Run claude once, or let Equabot renew it: equabot config set auth.foreign.claudeCode.renew neighbour',
  'codex-cli':
    'Run codex once, or let Equabot run it: equabot config set auth.foreign.codexCli.renew owner',
}

type NotSent = Extract<RenewalFault, { code: 'EQ_RENEWAL_NOT_SENT' }>

function notSentHint({ profile, reason }: NotSent): string {
  if (reason !== 'owner_program') return NOT_SENT_HINTS[reason]
  return profile === FOREIGN_PROFILES['codex-cli']
    ? 'Run codex once and log in there, or leave the login to it: equabot config set auth.foreign.codexCli.renew never'
    : 'Run claude once and log in there, or let Equabot renew it: equabot config set auth.foreign.claudeCode.renew neighbour'
}

const NOT_SENT_HINTS: Readonly<Record<Exclude<NotSent['reason'], 'owner_program'>, string>> = {
  storage: 'Make room or mend the rights of the state folder: equabot doctor',
  network: 'Check the line, a proxy, and the time of this machine',
  slept: 'Nothing to do: it is tried again',
  owner_busy: 'If its owner is not running: equabot doctor --fix',
  owner_unwritable: "Mend the rights of its owner's folder: equabot doctor",
  owner_unreadable: 'See: equabot models auth sync',
  owners_token:
    "Log in anew for a login of Equabot's own, or log this copy out and use the owner's: equabot models auth sync",
  unsafe_url: 'Use https in models.providers.<id>.oauth.tokenUrl',
}
