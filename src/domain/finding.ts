/** What doctor finds, as plain data: a stable code and the values. Words stand in `finding-words.ts`, never a secret. */

import type { Fault } from './fault.ts'
import type { FindingCode, FindingFact, GrantPlace } from './finding-fact.ts'
import { DAY_MS } from './time.ts'

/** `error`: something does not work, or a secret is open. `warn`: it will, or may. `info`: worth knowing, nothing wrong. */
export type Severity = 'error' | 'warn' | 'info'

export type Finding = FindingFact & {
  readonly severity: Severity
  /** `doctor --fix` can do something about it. */
  readonly fixable: boolean
}

/** A journal that nobody names goes after this long. */
const ORPHAN_LIFE_MS: number = 30 * DAY_MS

export function finding(fact: FindingFact): Finding {
  return { ...fact, severity: severityOf(fact), fixable: isFixable(fact) }
}

/** Whether doctor's answer is that nothing is wrong. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ severity }) => severity === 'info')
}

/** What makes two findings the same one, in whatever words and numbers. */
export function findingKey(fact: FindingFact): string {
  switch (fact.code) {
    case 'DR_FOREIGN_LOCK':
      return `${fact.code} ${fact.lock.path}`
    case 'DR_GRANT_TWICE':
      return `${fact.code} ${[fact.keep, ...fact.others].map(placeKey).toSorted().join(' ')}`
    case 'DR_GRANT_TWIN':
      return `${fact.code} ${placeKey(fact.place)}`
    default:
      return [
        fact.code,
        'agent' in fact ? fact.agent : '',
        'profile' in fact ? fact.profile : '',
        'provider' in fact ? fact.provider : '',
        'path' in fact ? fact.path : '',
        'field' in fact ? fact.field : '',
        'line' in fact ? fact.line : '',
        'fault' in fact ? faultKey(fact.fault) : '',
        'check' in fact ? fact.check : '',
      ].join(' ')
  }
}

function placeKey({ agent, profile }: GrantPlace): string {
  return `${agent}/${profile}`
}

function faultKey(fault: Fault): string {
  const place = 'place' in fault ? fault.place : ''
  const profile = 'profile' in fault ? fault.profile : ''
  return `${fault.code} ${place} ${profile}`
}

const SEVERITIES: Readonly<Record<FindingCode, Severity>> = {
  DR_STATE_MISSING: 'info',
  DR_STATE_UNWRITABLE: 'error',
  DR_STATE_SHARED: 'error',
  DR_STATE_LARGE: 'info',
  DR_FOLDER_UNREADABLE: 'error',
  DR_FILE_OPEN: 'warn',
  DR_FILE_CLOSED: 'error',
  DR_FILE_OWNER: 'error',
  DR_FILE_KIND: 'error',
  DR_FILE_LINK: 'warn',
  DR_FILE_NAMES: 'error',
  DR_FILE_STRAY: 'warn',
  DR_DISK_FULL: 'error',
  DR_DISK_LOW: 'warn',
  DR_DISK_KIND: 'warn',
  DR_CLOCK_BEHIND: 'warn',
  DR_CLOCK_FUTURE: 'warn',
  DR_BOOK_UNREADABLE: 'error',
  DR_BOOK_ENTRY: 'warn',
  DR_CONFIG_INVALID: 'error',
  DR_CONFIG_OLDER: 'warn',
  DR_CONFIG_SECRET: 'warn',
  DR_ENV_LINE: 'warn',
  DR_AGENT_UNREADABLE: 'error',
  DR_ORDER_UNKNOWN: 'warn',
  DR_CHECK_FAILED: 'error',
  DR_FOREIGN_LOGIN: 'warn',
  DR_FOREIGN_ADOPTION: 'warn',
  DR_FOREIGN_LOCK: 'warn',
  DR_GRANT_TWICE: 'error',
  DR_GRANT_TWIN: 'error',
  DR_GRANT_DEAD: 'error',
  DR_GRANT_WAITING: 'info',
  DR_GRANT_STUCK: 'warn',
  DR_GRANT_RENEWED: 'info',
  DR_GRANT_ORPHAN: 'info',
  DR_GRANT_ASIDE: 'warn',
  DR_ACCESS_ENDED: 'error',
  DR_ACCESS_OWNERS: 'warn',
  DR_ACCESS_ENDING: 'warn',
  DR_ACCESS_REJECTED: 'error',
  DR_SECRET_UNUSABLE: 'error',
  DR_POLICY_REFUSED: 'warn',
  DR_RESTING: 'info',
  DR_CREDENTIAL_NONE: 'warn',
  DR_PROFILE_UNORDERED: 'info',
  DR_PROFILE_MODE: 'info',
  DR_PROFILE_UNUSED: 'info',
}

/** The usual severity of the code, but where the values say otherwise. */
function severityOf(fact: FindingFact): Severity {
  const usual = SEVERITIES[fact.code]
  switch (fact.code) {
    case 'DR_FILE_OPEN':
      return fact.secret ? 'error' : usual
    case 'DR_FILE_LINK':
      return fact.settings && fact.leadsTo !== undefined ? 'info' : usual
    case 'DR_DISK_KIND':
      // Locks and renames hold there; it only ends with its container.
      return fact.kind === 'overlay' ? 'info' : usual
    case 'DR_FOREIGN_LOGIN':
      return fact.fault.code === 'EQ_FOREIGN_KEY_ONLY' ? 'info' : usual
    default:
      return usual
  }
}

function isFixable(fact: FindingFact): boolean {
  switch (fact.code) {
    case 'DR_FILE_STRAY':
    case 'DR_CONFIG_OLDER':
    case 'DR_ORDER_UNKNOWN':
    case 'DR_FOREIGN_LOCK':
    case 'DR_GRANT_TWICE':
    case 'DR_GRANT_TWIN':
      return true
    case 'DR_FILE_OPEN':
    case 'DR_FILE_CLOSED':
      return !fact.linked
    case 'DR_BOOK_UNREADABLE':
      return 'previous' in fact.fault && fact.fault.previous !== undefined
    case 'DR_GRANT_ORPHAN':
      return !fact.unfinished && fact.ageMs > ORPHAN_LIFE_MS
    default:
      return false
  }
}
