import type { Finding } from '../src/domain/finding.ts'
import type { FindingCode, FindingFact } from '../src/domain/finding-fact.ts'
import { finding } from '../src/domain/finding.ts'
import { markOf, newGrantId } from '../src/domain/grant.ts'
import { Secret } from '../src/domain/secret.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../src/domain/time.ts'
import { FAKE_NOW } from '../src/testing.ts'
import { FAULT_SAMPLES } from './fault-samples.ts'
import { agent, profile, provider } from './names-from.ts'

const main = agent('main')
const research = agent('research')
const work = profile('anthropic:work')
const team = profile('openai-codex:team')
const refresh = new Secret('fake-refresh-of-samples')
const token = markOf(refresh)
const grant = newGrantId(provider('openai-codex'), refresh)
const state = '/state'
const book = '/state/agents/main/agent/auth-profiles.json'
const claude = '/home/.claude/.credentials.json'
const ago = (ms: number): number => FAKE_NOW - ms

/** One finding of every code; a new code does not compile until it has its sample. */
const SAMPLES: { readonly [C in FindingCode]: Extract<FindingFact, { readonly code: C }> } = {
  DR_STATE_MISSING: { code: 'DR_STATE_MISSING', path: state },
  DR_STATE_UNWRITABLE: { code: 'DR_STATE_UNWRITABLE', path: state, errno: 'EROFS' },
  DR_STATE_SHARED: { code: 'DR_STATE_SHARED', path: '/home' },
  DR_STATE_LARGE: { code: 'DR_STATE_LARGE', path: state, entries: 20_000 },
  DR_FOLDER_UNREADABLE: {
    code: 'DR_FOLDER_UNREADABLE',
    path: '/state/agents/main',
    errno: 'EACCES',
  },
  DR_FILE_OPEN: {
    code: 'DR_FILE_OPEN',
    path: book,
    kind: 'file',
    mode: 0o644,
    secret: true,
    linked: false,
  },
  DR_FILE_CLOSED: { code: 'DR_FILE_CLOSED', path: book, kind: 'file', mode: 0, linked: false },
  DR_FILE_OWNER: { code: 'DR_FILE_OWNER', path: book },
  DR_FILE_KIND: { code: 'DR_FILE_KIND', path: '/state/gateway-token' },
  DR_FILE_LINK: { code: 'DR_FILE_LINK', path: book, leadsTo: '/elsewhere', settings: false },
  DR_FILE_NAMES: { code: 'DR_FILE_NAMES', path: book, names: 2 },
  DR_FILE_STRAY: {
    code: 'DR_FILE_STRAY',
    path: '/state/equabot.json.0123456789ab.tmp',
    modifiedAt: ago(3 * HOUR_MS),
  },
  DR_DISK_FULL: { code: 'DR_DISK_FULL', path: state, freeBytes: 4_096 },
  DR_DISK_LOW: { code: 'DR_DISK_LOW', path: state, freeBytes: 20 * 1024 * 1024 },
  DR_DISK_KIND: { code: 'DR_DISK_KIND', path: state, kind: 'nfs' },
  DR_CLOCK_BEHIND: { code: 'DR_CLOCK_BEHIND', now: 0 },
  DR_CLOCK_FUTURE: {
    code: 'DR_CLOCK_FUTURE',
    path: book,
    modifiedAt: FAKE_NOW + DAY_MS,
    files: 3,
  },
  DR_BOOK_UNREADABLE: {
    code: 'DR_BOOK_UNREADABLE',
    agent: main,
    fault: { ...FAULT_SAMPLES.EQ_STORE_SYNTAX, agent: main, previous: `${book}.prev` },
  },
  DR_BOOK_ENTRY: {
    code: 'DR_BOOK_ENTRY',
    agent: main,
    path: book,
    field: 'profiles.anthropic:work.key',
    problem: 'expected text',
    restorable: true,
  },
  DR_CONFIG_INVALID: { code: 'DR_CONFIG_INVALID', fault: FAULT_SAMPLES.EQ_CONFIG_FIELD },
  DR_CONFIG_OLDER: {
    code: 'DR_CONFIG_OLDER',
    path: '/state/equabot.json',
    fields: ['auth.profiles.anthropic:claude-cli.mode'],
  },
  DR_CONFIG_SECRET: {
    code: 'DR_CONFIG_SECRET',
    path: '/state/equabot.json',
    field: 'models.providers.groq.apiKey',
  },
  DR_ENV_LINE: {
    code: 'DR_ENV_LINE',
    path: '/state/.env',
    line: 2,
    problem: 'is not of the form NAME=value',
  },
  DR_AGENT_UNREADABLE: {
    code: 'DR_AGENT_UNREADABLE',
    agent: main,
    fault: { code: 'EQ_STORE_UNREADABLE', path: '/state/.env', errno: 'EACCES' },
  },
  DR_ORDER_UNKNOWN: {
    code: 'DR_ORDER_UNKNOWN',
    agent: main,
    provider: provider('anthropic'),
    profiles: [work],
  },
  DR_CHECK_FAILED: { code: 'DR_CHECK_FAILED', check: 'clock', detail: 'RangeError' },
  DR_FOREIGN_LOGIN: { code: 'DR_FOREIGN_LOGIN', fault: FAULT_SAMPLES.EQ_FOREIGN_BLANK },
  DR_FOREIGN_ADOPTION: {
    code: 'DR_FOREIGN_ADOPTION',
    fault: { code: 'EQ_STORE_UNWRITABLE', path: book, errno: 'ENOSPC' },
  },
  DR_FOREIGN_LOCK: {
    code: 'DR_FOREIGN_LOCK',
    lock: {
      origin: 'claude-code',
      path: '/home/.claude/.oauth_refresh.lock',
      modifiedAt: ago(40 * MINUTE_MS),
    },
  },
  DR_GRANT_TWICE: {
    code: 'DR_GRANT_TWICE',
    keep: { agent: main, profile: team, grant, token },
    others: [{ agent: research, profile: team, grant, token }],
  },
  DR_GRANT_TWIN: {
    code: 'DR_GRANT_TWIN',
    place: { agent: main, profile: work, grant, token },
    origin: 'claude-code',
    owner: claude,
  },
  DR_GRANT_DEAD: { code: 'DR_GRANT_DEAD', agent: main, fault: FAULT_SAMPLES.EQ_GRANT_DEAD },
  DR_GRANT_WAITING: {
    code: 'DR_GRANT_WAITING',
    agent: main,
    fault: { ...FAULT_SAMPLES.EQ_RENEWAL_PUT_OFF, againAt: FAKE_NOW + MINUTE_MS },
  },
  DR_GRANT_STUCK: { code: 'DR_GRANT_STUCK', agent: main, fault: FAULT_SAMPLES.EQ_RENEWAL_CONFIG },
  DR_GRANT_RENEWED: { code: 'DR_GRANT_RENEWED', agent: main, profile: team },
  DR_GRANT_ORPHAN: {
    code: 'DR_GRANT_ORPHAN',
    path: `/state/grants/${grant}`,
    grant,
    ageMs: 40 * DAY_MS,
    unfinished: false,
  },
  DR_GRANT_ASIDE: { code: 'DR_GRANT_ASIDE', path: `/state/grants/${grant}/answer.quarantine` },
  DR_ACCESS_ENDED: {
    code: 'DR_ACCESS_ENDED',
    agent: main,
    profile: work,
    type: 'token',
    origin: 'equabot',
    at: ago(DAY_MS),
  },
  DR_ACCESS_OWNERS: {
    code: 'DR_ACCESS_OWNERS',
    agent: main,
    profile: profile('anthropic:claude-cli'),
    origin: 'claude-code',
  },
  DR_ACCESS_ENDING: {
    code: 'DR_ACCESS_ENDING',
    agent: main,
    profile: work,
    type: 'token',
    origin: 'equabot',
    at: FAKE_NOW + 5 * HOUR_MS,
  },
  DR_ACCESS_REJECTED: {
    code: 'DR_ACCESS_REJECTED',
    agent: main,
    profile: work,
    at: ago(HOUR_MS),
    words: 'invalid x-api-key',
  },
  DR_SECRET_UNUSABLE: { code: 'DR_SECRET_UNUSABLE', agent: main, profile: work },
  DR_POLICY_REFUSED: {
    code: 'DR_POLICY_REFUSED',
    agent: main,
    profile: work,
    at: ago(HOUR_MS),
    words: 'This credential is only authorized for use with Claude Code',
  },
  DR_RESTING: {
    code: 'DR_RESTING',
    agent: main,
    profile: work,
    rest: {
      scope: 'profile',
      reason: 'rate_limit',
      since: ago(MINUTE_MS),
      until: FAKE_NOW + 5 * MINUTE_MS,
      source: 'provider',
    },
  },
  DR_CREDENTIAL_NONE: { code: 'DR_CREDENTIAL_NONE' },
  DR_PROFILE_UNORDERED: {
    code: 'DR_PROFILE_UNORDERED',
    agent: main,
    profile: work,
    order: 'agent',
  },
  DR_PROFILE_MODE: {
    code: 'DR_PROFILE_MODE',
    agent: main,
    profile: work,
    mode: 'api_key',
    type: 'token',
  },
  DR_PROFILE_UNUSED: {
    code: 'DR_PROFILE_UNUSED',
    agent: main,
    profile: work,
    since: ago(100 * DAY_MS),
  },
}

export const FINDING_SAMPLES: readonly Finding[] = Object.values(SAMPLES).map(finding)
