/** The answers of the control API as schemas: what the OpenAPI document says, and what tests hold the answers against. */

import * as v from 'valibot'
import type { TranscriptEntry } from '../domain/chat.ts'
import { REST_SCOPES } from '../domain/cooldown.ts'
import type { CandidateJson, HealthJson, ProviderJson, SourceJson } from './candidate-json.ts'
import type { ExplainJson, ModelJson, SessionJson, StatusJson } from './report-json.ts'
import { FAULT } from './turn-events.ts'

export interface AgentJson {
  readonly id: string
  readonly name?: string
  readonly isDefault: boolean
  readonly model?: string
  readonly fallbacks: readonly string[]
  readonly ownProfiles: number
  readonly inheritedProfiles: number
  readonly sessions: number
  readonly bookPath: string
}

/** One line of a transcript, as in the session's file. */
export type TranscriptJson = Omit<TranscriptEntry, 'profile'> & { readonly profile?: string }

const WHEN = v.number()
const STATE_AND_WORDS = { words: v.string() }

const REST_SOURCE = v.picklist(['provider', 'ladder'])
const QUOTA_WINDOW = v.object({
  name: v.string(),
  used: v.exactOptional(v.number()),
  limit: v.exactOptional(v.number()),
  remaining: v.exactOptional(v.number()),
  status: v.exactOptional(v.picklist(['allowed', 'warning', 'rejected'])),
  resetsAt: v.exactOptional(WHEN),
  seenAt: WHEN,
  ...STATE_AND_WORDS,
})

const HEALTH: v.GenericSchema<unknown, HealthJson> = v.object({
  summary: v.picklist([
    'ok',
    'static',
    'expiring',
    'expired',
    'missing',
    'cooldown',
    'disabled',
    'refused',
  ]),
  access: v.object({
    state: v.picklist(['usable', 'expired', 'rejected', 'missing']),
    until: v.exactOptional(WHEN),
    issuedAt: v.exactOptional(WHEN),
    at: v.exactOptional(WHEN),
    ...STATE_AND_WORDS,
  }),
  grant: v.object({
    state: v.picklist([
      'static',
      'renewable',
      'borrowed',
      'left_out',
      'unsettled',
      'dead',
      'none_needed',
    ]),
    provenAt: v.exactOptional(WHEN),
    owner: v.exactOptional(v.string()),
    way: v.exactOptional(v.string()),
    outcome: v.exactOptional(v.string()),
    at: v.exactOptional(WHEN),
    againAt: v.exactOptional(WHEN),
    ...STATE_AND_WORDS,
  }),
  quota: v.object({
    state: v.picklist(['unknown', 'known', 'resting']),
    reason: v.exactOptional(v.string()),
    until: v.exactOptional(WHEN),
    source: v.exactOptional(REST_SOURCE),
    scope: v.exactOptional(v.picklist(REST_SCOPES)),
    windows: v.array(QUOTA_WINDOW),
    models: v.array(
      v.object({ model: v.string(), reason: v.string(), until: WHEN, source: REST_SOURCE }),
    ),
    ...STATE_AND_WORDS,
  }),
  policy: v.object({
    state: v.picklist(['unknown', 'allowed', 'refused']),
    at: v.exactOptional(WHEN),
    ...STATE_AND_WORDS,
  }),
})

const SOURCE: v.GenericSchema<unknown, SourceJson> = v.object({
  kind: v.picklist(['store', 'variable', 'config', 'none_needed']),
  agent: v.exactOptional(v.string()),
  path: v.exactOptional(v.string()),
  line: v.exactOptional(v.number()),
  variable: v.exactOptional(v.string()),
  from: v.exactOptional(v.picklist(['process', 'env_file', 'config', 'shell'])),
  field: v.exactOptional(v.string()),
  words: v.string(),
})

const CANDIDATE: v.GenericSchema<unknown, CandidateJson> = v.object({
  profile: v.string(),
  type: v.picklist(['api_key', 'token', 'oauth', 'none']),
  fingerprint: v.string(),
  lane: v.string(),
  origin: v.picklist(['equabot', 'claude-code', 'codex-cli']),
  ownerPlace: v.exactOptional(v.string()),
  source: SOURCE,
  email: v.exactOptional(v.string()),
  expiresAt: v.exactOptional(WHEN),
  expiresWords: v.exactOptional(v.string()),
  lastUsedAt: v.exactOptional(WHEN),
  lastFailure: v.exactOptional(v.object({ at: WHEN, reason: v.string(), words: v.string() })),
  health: HEALTH,
  taken: v.boolean(),
  place: v.exactOptional(v.number()),
  why: v.object({ code: v.string(), words: v.string() }),
})

const PROVIDER: v.GenericSchema<unknown, ProviderJson> = v.object({
  provider: v.string(),
  title: v.string(),
  endpoint: v.string(),
  protocol: v.string(),
  inUse: v.boolean(),
  effective: v.exactOptional(v.string()),
  candidates: v.array(CANDIDATE),
})

const FINDING = v.object({
  provider: v.string(),
  profile: v.exactOptional(v.string()),
  problem: v.picklist([
    'none',
    'expired',
    'dead',
    'rejected',
    'refused',
    'missing',
    'expiring',
    'waiting',
    'resting',
  ]),
  words: v.string(),
  fix: v.string(),
})

export const STATUS: v.GenericSchema<unknown, StatusJson> = v.object({
  agent: v.string(),
  now: WHEN,
  configPath: v.string(),
  configExists: v.boolean(),
  bookPath: v.string(),
  model: v.exactOptional(v.string()),
  modelBecause: v.exactOptional(v.picklist(['settings', 'credential', 'sandbox'])),
  modelFault: v.exactOptional(FAULT),
  fallbacks: v.array(v.string()),
  aliases: v.array(v.object({ alias: v.string(), model: v.string() })),
  allowed: v.exactOptional(v.array(v.string())),
  providers: v.array(PROVIDER),
  missing: v.array(
    v.object({ provider: v.string(), variables: v.array(v.string()), command: v.string() }),
  ),
  check: v.object({
    exit: v.picklist([0, 1, 2]),
    findings: v.array(FINDING),
    unserved: v.exactOptional(v.array(FINDING)),
    undecided: v.exactOptional(FAULT),
  }),
  warnWithinMs: v.number(),
  bookFault: v.exactOptional(FAULT),
  foreign: v.array(FAULT),
  problems: v.array(v.object({ field: v.string(), problem: v.string() })),
  migrated: v.array(v.string()),
})

export const EXPLAIN: v.GenericSchema<unknown, ExplainJson> = v.object({
  agent: v.string(),
  now: WHEN,
  session: v.exactOptional(v.string()),
  model: v.string(),
  modelBecause: v.picklist(['asked', 'session', 'settings', 'credential', 'sandbox']),
  pin: v.exactOptional(v.string()),
  endpoint: v.string(),
  protocol: v.string(),
  next: v.exactOptional(v.string()),
  candidates: v.array(CANDIDATE),
})

const MODEL: v.GenericSchema<unknown, ModelJson> = v.object({
  key: v.string(),
  provider: v.string(),
  model: v.string(),
  aliases: v.array(v.string()),
  tags: v.array(v.picklist(['default', 'fallback', 'configured', 'provider-default'])),
  name: v.exactOptional(v.string()),
  contextWindow: v.exactOptional(v.number()),
  input: v.exactOptional(v.array(v.string())),
  usable: v.boolean(),
})

const SESSION: v.GenericSchema<unknown, SessionJson> = v.object({
  id: v.string(),
  agent: v.string(),
  createdAt: WHEN,
  updatedAt: WHEN,
  title: v.exactOptional(v.string()),
  model: v.exactOptional(v.string()),
  pin: v.exactOptional(v.object({ profile: v.string(), source: v.picklist(['user', 'auto']) })),
  turns: v.number(),
})

const TRANSCRIPT: v.GenericSchema<unknown, TranscriptJson> = v.object({
  at: WHEN,
  role: v.picklist(['user', 'assistant']),
  text: v.string(),
  model: v.exactOptional(v.string()),
  profile: v.exactOptional(v.string()),
  usage: v.exactOptional(v.object({ inputTokens: v.number(), outputTokens: v.number() })),
  partial: v.exactOptional(v.boolean()),
})

const AGENT: v.GenericSchema<unknown, AgentJson> = v.object({
  id: v.string(),
  name: v.exactOptional(v.string()),
  isDefault: v.boolean(),
  model: v.exactOptional(v.string()),
  fallbacks: v.array(v.string()),
  ownProfiles: v.number(),
  inheritedProfiles: v.number(),
  sessions: v.number(),
  bookPath: v.string(),
})

export const MODELS: v.GenericSchema<unknown, { readonly models: readonly ModelJson[] }> = v.object(
  { models: v.array(MODEL) },
)
export const SESSIONS: v.GenericSchema<unknown, { readonly sessions: readonly SessionJson[] }> =
  v.object({ sessions: v.array(SESSION) })
export const ONE_SESSION: v.GenericSchema<
  unknown,
  { readonly session: SessionJson; readonly transcript: readonly TranscriptJson[] }
> = v.object({ session: SESSION, transcript: v.array(TRANSCRIPT) })
export const AGENTS: v.GenericSchema<unknown, { readonly agents: readonly AgentJson[] }> = v.object(
  { agents: v.array(AGENT) },
)
export const DELETED: v.GenericSchema<unknown, { readonly deleted: string }> = v.object({
  deleted: v.string(),
})
export const ERROR: v.GenericSchema<unknown, { readonly error: v.InferOutput<typeof FAULT> }> =
  v.object({ error: FAULT })
