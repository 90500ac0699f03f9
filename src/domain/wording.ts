/** Facts of the domain in a user's words. With `explain.ts`, the only place for prose. */

import type { FailureReason, Rest } from './cooldown.ts'
import { explainUnread, leftOutBecause, OWNER_NAMES, takeInAgain } from './explain-foreign.ts'
import { loginAgain, ownersHint, unansweredWords } from './explain-renewal.ts'
import type { FailedAttempt, LostPin } from './fault.ts'
import { FOREIGN_PROFILES } from './foreign.ts'
import type { RenewalOutcome, RenewalWay } from './grant.ts'
import type { Access, CheckFinding, Grant, Policy } from './health.ts'
import type { ProfileId } from './names.ts'
import { providerOf } from './names.ts'
import type { Origin } from './profile.ts'
import { SANDBOX } from './provider.ts'
import type { ProviderFacts, SetupTokenFacts } from './provider.ts'
import type { ExplainReport } from './report.ts'
import type {
  Candidate,
  CredentialSource,
  PassedOver,
  Ranked,
  Taken,
  VariableSource,
} from './rotation.ts'
import type { EpochMs } from './time.ts'
import { DAY_MS, dateText, dayText, inWords, relative } from './time.ts'
import { choiceWords, passedByChoiceWords } from './wording-choice.ts'

const REASONS: Readonly<Record<FailureReason, string>> = {
  auth: 'the provider did not accept the credential',
  permission: 'the provider does not permit this',
  billing: 'no credit, or a spending limit',
  rate_limit: 'rate limit',
  overloaded: 'the provider is overloaded',
  timeout: 'no answer in time',
  network: 'could not be reached',
  server_error: 'the provider had an internal error',
  invalid_request: 'the provider did not accept the request',
  not_found: 'the provider does not know this model',
  content_policy: 'refused by the content policy',
  context_overflow: 'the conversation is too long for the model',
  conflict: 'conflict',
  cancelled: 'cancelled',
}

export function reasonWords(reason: FailureReason): string {
  return REASONS[reason]
}

export function verdictWords(entry: Ranked, now: EpochMs | undefined): string {
  return entry.taken ? takenWords(entry.why, now) : passedOverWords(entry.why, now)
}

/** Why the first one serves; `rivals` counts those that would be tried after it. */
export function effectiveWords(
  why: { readonly code: string; readonly words: string },
  rivals: number,
): string {
  return rivals === 0 && why.code === 'kind_order' ? 'nothing else can serve' : why.words
}

function takenWords(why: Taken, now: EpochMs | undefined): string {
  return why.code === 'last_resort'
    ? `last resort: ${restWords(why.rest, now)}`
    : choiceWords(why, now)
}

export function passedOverWords(why: PassedOver | LostPin, now: EpochMs | undefined): string {
  switch (why.code) {
    case 'gone':
      return 'there is no such profile any more'
    case 'other_account':
      return `it belongs to another account by now${why.email === undefined ? '' : `, and none is ${why.email}'s`}`
    case 'another_pinned':
      return `this session is pinned to ${why.pin}`
    case 'not_in_order':
      return why.order === 'agent' ? "not in the agent's order" : 'not in auth.order of the config'
    case 'not_for_client':
      return 'the key of the caller may not use it'
    case 'mode_mismatch':
      return `config expects mode ${why.mode}, the credential is ${why.type}`
    case 'left_out':
      return `${leftOutBecause(why.origin, why.by)}. ${takeInAgain(why.origin, why.by)}`
    case 'missing_variable':
      return `the config refers to ${why.variable}, which is not set`
    case 'blank':
      return 'the stored secret is empty'
    case 'placeholder':
      return 'it is a placeholder, not a secret'
    case 'malformed':
      return 'it holds blanks or characters that no secret has'
    case 'expired':
      return `expired ${relative(why.at, now)} (${dateText(why.at)})`
    case 'awaiting_renewal':
      return why.outcome
        ? `access expired ${relative(why.at, now)}; ${outcomeWords(why.outcome, now)}; ${againWords(why.againAt, now)}`
        : `access expired ${relative(why.at, now)}; it must be renewed first`
    case 'awaiting_owner':
      return `access expired ${relative(why.at, now)}, waiting for ${OWNER_NAMES[why.owner]}`
    case 'grant_dead':
      return `the login has ended: ${outcomeWords(why.outcome, now)}`
    case 'policy_refused':
      return `the provider refuses this use: ${why.words}`
    case 'resting':
      return restWords(why.rest, now)
    case 'budget_spent':
    case 'lane_denied':
      return passedByChoiceWords(why, now)
    default:
      return why satisfies never
  }
}

export function restWords(rest: Rest, now: EpochMs | undefined): string {
  const said = rest.source === 'provider' ? 'as the provider asked' : 'our own guess'
  const end =
    now === undefined ? `until ${dateText(rest.until)}` : `for ${inWords(rest.until - now)} more`
  const whom = scopeWords(rest)
  return `rests ${end} (${REASONS[rest.reason]}${whom}; ${said})`
}

/** Whom a rest concerns, where that is not the credential alone. */
function scopeWords({ scope, reason }: Rest): string {
  switch (scope) {
    case 'profile':
      return ''
    case 'model':
      return reason === 'overloaded' ? ', the model for everybody' : ', this model only'
    case 'account':
      return ', its whole account'
    case 'provider':
      return ', the whole provider'
    default:
      return scope satisfies never
  }
}

export function accessWords(access: Access, now: EpochMs | undefined): string {
  switch (access.state) {
    case 'usable':
      return usableWords(access, now)
    case 'expired':
      return `expired ${relative(access.at, now)} (${dateText(access.at)})`
    case 'rejected':
      return `rejected ${relative(access.at, now)}: ${access.words}`
    case 'missing':
      return access.variable === undefined
        ? 'empty, a placeholder, or not a secret'
        : `${access.variable} is not set`
    default:
      return access satisfies never
  }
}

function usableWords(
  { until, issuedAt }: Extract<Access, { state: 'usable' }>,
  now: EpochMs | undefined,
): string {
  const issued = issuedAt === undefined ? '' : `, issued ${dayText(issuedAt)}`
  const end =
    until === undefined ? 'no end known' : `ends ${relative(until, now)} (${dateText(until)})`
  return `usable${issued}, ${end}`
}

export function grantWords(grant: Grant, now: EpochMs | undefined): string {
  const proven =
    grant.provenAt === undefined
      ? 'no good answer yet'
      : `last good answer ${relative(grant.provenAt, now)}`
  switch (grant.state) {
    case 'static':
      return `static (nothing renews it), ${proven}`
    case 'renewable':
      return `renewable, ${proven}`
    case 'borrowed':
      return `borrowed from ${OWNER_NAMES[grant.owner]}: ${WAY_WORDS[grant.way]}, ${proven}`
    case 'left_out':
      return `left out: ${leftOutBecause(grant.owner, grant.by)}, ${proven}`
    case 'unsettled':
      return `not settled ${relative(grant.at, now)}: ${outcomeWords(grant.outcome, now)}; ${againWords(grant.againAt, now)}, ${proven}`
    case 'dead':
      return `dead ${relative(grant.at, now)}: ${outcomeWords(grant.outcome, now)}, ${proven}`
    case 'none_needed':
      return `no credential needed, ${proven}`
    default:
      return grant satisfies never
  }
}

const WAY_WORDS: Readonly<Record<RenewalWay, string>> = {
  ours: 'renewed here',
  neighbour: "renewed here, under its owner's locks",
  owner: "renewed by running its owner's program",
  never: 'renewed by its owner alone',
  none: 'its owner has no refresh token',
}

/** What the last renewal came to. */
function outcomeWords(outcome: RenewalOutcome, now: EpochMs | undefined): string {
  switch (outcome.kind) {
    case 'renewed':
      return 'renewed'
    case 'not_sent':
      return `renewal not sent (${outcome.words})`
    case 'not_consumed':
      return `the provider put the renewal off (HTTP ${outcome.status}${outcome.words === '' ? '' : `, ${outcome.words}`})`
    case 'config':
      return `the provider does not accept the renewal request (${outcome.error})`
    case 'rejected':
      return outcome.lostAt === undefined
        ? `the provider refused to renew it (${outcome.error})`
        : `an answer of ${dateText(outcome.lostAt)} was lost, and now the provider refuses (${outcome.error})`
    case 'ambiguous':
      return `a renewal was sent ${relative(outcome.lostAt, now)} and ${unansweredWords(outcome)}`
    case 'quarantined':
      return `the provider answered for another account (${outcome.got})`
    case 'kept':
      return `renewed, and not yet stored (${outcome.words})`
    case 'spent':
      return `its refresh token served already ${relative(outcome.spentAt, now)}; this is a copy of an older state`
    default:
      return outcome satisfies never
  }
}

function againWords(againAt: EpochMs | undefined, now: EpochMs | undefined): string {
  if (againAt === undefined) return 'not tried again by itself'
  return now !== undefined && againAt <= now
    ? 'tried again at the next use'
    : `tried again ${relative(againAt, now)}`
}

export function policyWords(policy: Policy, now: EpochMs | undefined): string {
  switch (policy.state) {
    case 'unknown':
      return 'not yet seen'
    case 'allowed':
      return `allowed, seen ${relative(policy.at, now)}`
    case 'refused':
      return `refused ${relative(policy.at, now)}: ${policy.words}`
    default:
      return policy satisfies never
  }
}

/** Where a credential stands: `ANTHROPIC_API_KEY from ~/.equabot/.env, line 3`. */
export function sourceWords(source: CredentialSource, shown: (path: string) => string): string {
  switch (source.kind) {
    case 'store':
      return shown(source.path)
    case 'variable':
      return `${source.variable} from ${variableSourceWords(source.from, shown)}`
    case 'config':
      return `${source.field} in the config`
    case 'none_needed':
      return 'no credential needed'
    default:
      return source satisfies never
  }
}

/** The home of a borrowed login: `the login of Claude Code in ~/.claude/.credentials.json`. */
export function borrowedWords(owner: Origin, place: string): string {
  return `the login of ${OWNER_NAMES[owner]} in ${place}`
}

export function renewedOnUseWords(): string {
  return 'renewed at the next use'
}

function variableSourceWords(from: VariableSource, shown: (path: string) => string): string {
  switch (from.kind) {
    case 'process':
      return 'the environment of this process'
    case 'env_file':
      return `${shown(from.path)}, line ${from.line}`
    case 'config':
      return `${from.field} in the config`
    case 'shell':
      return `the login shell ${from.shell}`
    default:
      return from satisfies never
  }
}

export function findingWords(finding: CheckFinding): string {
  const who = finding.candidate?.id ?? finding.provider
  switch (finding.problem) {
    case 'none':
      return who === SANDBOX
        ? 'no credential of any provider; the sandbox stands in'
        : `${who}: no credential`
    case 'expired':
      return `${who}: expired`
    case 'dead':
      return `${who}: the login has ended`
    case 'rejected':
      return `${who}: the provider rejected it`
    case 'refused':
      return `${who}: the provider refuses this use`
    case 'missing':
      return `${who}: empty, a placeholder, or its variable is not set`
    case 'expiring':
      return `${who}: ends soon`
    case 'waiting':
      return `${who}: expired, and its renewal is tried again later`
    case 'resting':
      return `${who}: rests`
    default:
      return finding.problem satisfies never
  }
}

/** Why a model in use cannot be served at this moment, though no login needs its user. */
export function unservedWords(provider: string, findings: readonly string[]): string {
  return `no login needs you, but ${provider} is hardly served at this moment (${findings.join('; ')})`
}

/** The command that gives this provider a credential. Where the sandbox stands in, it is any provider's that lacks. */
export function credentialCommand(provider: string): string {
  return provider === SANDBOX
    ? 'equabot models auth add'
    : `equabot models auth paste-token --provider ${provider}`
}

/** What a chat says when the first choice did not serve: who failed and why, and when someone else now pays. */
export function failoverWords(
  attempts: readonly FailedAttempt[],
  served: Candidate,
): readonly string[] {
  // Access that was refused and renewed is nothing that a person must know of.
  const others = attempts.filter(({ profile }) => profile !== served.id)
  const failed = others.map((attempt) =>
    attempt.fault
      ? attempt.words
      : `${attempt.profile} could not serve: ${reasonWords(attempt.reason)}`,
  )
  if (failed.length === 0) return []
  const paid = served.lane === 'metered' ? ' (paid by use)' : ''
  return [`${failed.join('; ')}. Answered by ${served.id}${paid}`]
}

/**
 * Why this is the model.
 *
 * @param notStored a login of another program is there, and could not be taken over
 */
export function becauseWords(
  because: ExplainReport['modelBecause'],
  notStored: boolean = false,
): string {
  switch (because) {
    case 'asked':
      return 'named in the command'
    case 'session':
      return 'chosen in this session'
    case 'settings':
      return 'set in the config'
    case 'credential':
      return 'none is set; the own default of the first provider that is set up'
    case 'sandbox':
      if (notStored)
        return 'none is set and the only login there is could not be stored (see below), so the built-in sandbox answers'
      return 'none is set and no real provider is set up, so the built-in sandbox answers'
    default:
      return because satisfies never
  }
}

/** What puts a finding right: a command, or where to change what. */
export function findingFix({ provider, candidate, problem }: CheckFinding): string {
  if (problem === 'resting') return 'wait, or add a credential: equabot models auth add'
  if (candidate?.source.kind === 'store') return storedFix(candidate, problem)
  if (candidate?.missingVariable !== undefined) return `set ${candidate.missingVariable}`
  if (candidate?.source.kind === 'variable') return `replace ${candidate.source.variable}`
  if (candidate?.source.kind === 'config') return `change ${candidate.source.field} in the config`
  return credentialCommand(provider)
}

/** A new login of the same kind; where the provider refuses the use itself, only a key of another kind helps. */
function storedFix(candidate: Candidate, problem: CheckFinding['problem']): string {
  const { id, origin, credential, grant } = candidate
  const unread = candidate.unread
  // What its owner's home needs comes before what the login would.
  if (unread && unread.code !== 'EQ_FOREIGN_NOT_STORED' && problem !== 'refused')
    return explainUnread(unread).hint
  if (problem === 'waiting') return `equabot models auth renew ${id}`
  if (problem === 'expired' && grant?.way === 'never') return ownersHint(origin)
  const command = credentialCommand(providerOf(id))
  if (problem !== 'refused' && grant?.verdict?.outcome.kind === 'config')
    return `check models.providers.${providerOf(id)}.oauth in the config`
  if (origin !== 'equabot') return problem === 'refused' ? command : loginAgain(id, origin)
  if (credential?.type === 'oauth' && problem !== 'refused') return loginAgain(id, origin)
  const isSetupToken = credential?.type === 'token' && credential.issuedAt !== undefined
  const isClaudeCli = id === FOREIGN_PROFILES['claude-code']
  if (problem === 'refused' || (!isSetupToken && !isClaudeCli))
    return `${command} --profile-id ${id}`
  return `equabot models auth setup-token${isClaudeCli ? '' : ` --profile-id ${id}`}`
}

/** How to come by a setup-token without running its program here. */
export function setupTokenByHandWords(facts: SetupTokenFacts, profile: ProfileId): string {
  const paste = credentialCommand(providerOf(profile))
  const days = Math.round(facts.lifetimeMs / DAY_MS)
  return `Run ${[facts.program, ...facts.args].join(' ')} on any machine that has it, then pipe its token in here: ${paste} --profile-id ${profile} --expires-in ${days}d < file. Or use an API key: ${paste}`
}

export function openToOthersWords(path: string, mode: number): string {
  return `other users of this machine may read it (mode ${mode.toString(8)}). Run: chmod 600 ${path}`
}

/** An entry of the book that cannot be read. @param problem such as `expected text` */
export function leftOutWords(problem: string): string {
  return `${problem}. The entry is left out, and kept as it is; mend it in the file`
}

export function olderSpellingWords(): string {
  return 'has an older spelling, read as the new one; the next change of the config renews it'
}

export function literalSecretWords(): string {
  return 'holds a secret itself. Put the secret into .env and write ${NAME} here'
}

/** Where a provider's requests go. */
export function endpointWords(facts: ProviderFacts): string {
  return facts.keyless === 'sandbox' ? 'inside Equabot' : facts.baseUrl
}

/** How long a session is. */
export function turnsWords(turns: number): string {
  return turns === 1 ? '1 turn' : `${turns} turns`
}
