/** What came of a probe, in a user's words: what it means, and what to type next. */

import { explain } from './explain.ts'
import type { CheckFinding } from './health.ts'
import { formatModelKey } from './names.ts'
import type { ProbeReport, ProbeResult, ProbeStatus } from './probe.ts'
import { SANDBOX } from './provider.ts'
import type { EpochMs } from './time.ts'
import { inWords } from './time.ts'
import { credentialCommand, findingFix, passedOverWords, reasonWords } from './wording.ts'

const STATUS_WORDS: Readonly<Record<Exclude<ProbeStatus, 'skipped'>, string>> = {
  ok: 'it serves',
  auth: reasonWords('auth'),
  permission: reasonWords('permission'),
  policy: 'the provider does not let this credential be used this way',
  billing: reasonWords('billing'),
  rate_limit: 'it is taken, but its rate limit is used up',
  overloaded: reasonWords('overloaded'),
  network: reasonWords('network'),
  timeout: reasonWords('timeout'),
  not_found: reasonWords('not_found'),
  format: reasonWords('invalid_request'),
  server_error: reasonWords('server_error'),
  no_model: 'no model is known to ask it with',
  cancelled: 'stopped before its answer came',
}

/** What a probe came to, in one line without the credential's name. */
export function probeWords(result: ProbeResult, now: EpochMs | undefined): string {
  const { status, passedOver, words, fault, http, retryAfterMs } = result
  if (status === 'skipped') {
    return passedOver ? `not asked: ${passedOverWords(passedOver, now)}` : 'not asked'
  }
  if (fault) return explain(fault, now).message
  if (status === 'network' && http !== undefined) return 'the reply broke off in the middle'
  const said = words === undefined ? '' : `: ${words}`
  const wait = retryAfterMs === undefined ? '' : ` (to be asked again in ${inWords(retryAfterMs)})`
  return `${STATUS_WORDS[status]}${said}${wait}`
}

/** The next command to type or the change to make; empty where there is nothing to do. */
export function probeFix(result: ProbeResult, now: EpochMs | undefined): string {
  const { status, fault, provider, host, http, model, candidate, passedOver } = result
  if (fault) return explain(fault, now).hint
  switch (status) {
    case 'ok':
    case 'cancelled':
      return ''
    case 'skipped':
      return passedOver ? skippedFix(result) : ''
    case 'auth':
      return findingFix({ provider, candidate, problem: 'rejected' })
    case 'policy':
      return `use an API key: ${credentialCommand(provider)}`
    case 'permission':
      return `give its account the right to use ${model ? formatModelKey(model) : 'the model'}, ask for another with --model, or use another key: ${credentialCommand(provider)}`
    case 'billing':
      return 'top up the account at the provider, or raise its limit'
    case 'rate_limit':
    case 'overloaded':
    case 'server_error':
      return `wait, then: ${againCommand(result)}`
    case 'network':
    case 'timeout':
      if (provider === SANDBOX || http !== undefined) return `try again: ${againCommand(result)}`
      return `check the line to ${host}, a proxy, and models.providers.${provider}.baseUrl; then: ${againCommand(result)}`
    case 'not_found':
    case 'format':
    case 'no_model':
      return `name a model that it has: ${againCommand(result)} --model <model>; see: equabot models list --all --provider ${provider}`
    default:
      return status satisfies never
  }
}

/** How the whole came out. */
export function probeSummary({ results }: ProbeReport): string {
  const count = (status: ProbeStatus): number =>
    results.filter((entry) => entry.status === status).length
  const good = count('ok')
  const skipped = count('skipped')
  const cancelled = count('cancelled')
  const asked = results.length - skipped - cancelled
  const parts = [
    `${good} of ${asked} ${good === 1 ? 'serves' : 'serve'}`,
    ...(skipped > 0 ? [`${skipped} not asked`] : []),
    ...(cancelled > 0 ? [`${cancelled} stopped`] : []),
  ]
  return parts.join(', ')
}

export function nothingToProbeWords(): string {
  return 'There is no credential to ask. Add one: equabot models auth add'
}

function againCommand({ candidate }: ProbeResult): string {
  return `equabot models auth probe --profile ${candidate.id}`
}

/** A credential that is left out on purpose needs no mending. */
function skippedFix(result: ProbeResult): string {
  const { provider, candidate, passedOver } = result
  const problem = passedOver && SKIPPED_PROBLEMS[passedOver.code]
  if (problem) return findingFix({ provider, candidate, problem })
  return passedOver?.code === 'not_in_order' ? `ask it by name: ${againCommand(result)}` : ''
}

const SKIPPED_PROBLEMS: Readonly<Record<string, CheckFinding['problem']>> = {
  expired: 'expired',
  awaiting_owner: 'expired',
  awaiting_renewal: 'waiting',
  grant_dead: 'dead',
  policy_refused: 'refused',
  missing_variable: 'missing',
  blank: 'missing',
  placeholder: 'missing',
  malformed: 'missing',
}
