/** A provider's credentials as plain data: each with its place, the reason for it, and its four facts. */

import type { Rest } from '../domain/cooldown.ts'
import type { Access, Grant, Health, Policy, Quota, Summary } from '../domain/health.ts'
import type { CandidateReport, ProviderReport } from '../domain/report.ts'
import type { CredentialSource, VariableSource } from '../domain/rotation.ts'
import type { QuotaWindow } from '../domain/quota.ts'
import type { EpochMs } from '../domain/time.ts'
import { relative } from '../domain/time.ts'
import {
  accessWords,
  grantWords,
  policyWords,
  sourceWords,
  verdictWords,
} from '../domain/wording.ts'
import { quotaWords, windowWords } from '../domain/wording-quota.ts'
import type { ProbeResultJson } from './probe-json.ts'

interface RestJson {
  readonly model: string
  readonly reason: string
  readonly until: EpochMs
  readonly source: Rest['source']
}

export interface HealthJson {
  readonly summary: Summary
  readonly access: {
    readonly state: Access['state']
    readonly until?: EpochMs
    readonly issuedAt?: EpochMs
    readonly at?: EpochMs
    readonly words: string
  }
  readonly grant: {
    readonly state: Grant['state']
    readonly provenAt?: EpochMs
    /** Whose grant it is, and who renews it, where it is borrowed. */
    readonly owner?: string
    readonly way?: string
    /** What the last renewal came to, where that was not new access. */
    readonly outcome?: string
    readonly at?: EpochMs
    readonly againAt?: EpochMs
    readonly words: string
  }
  readonly quota: {
    readonly state: Quota['state']
    readonly reason?: string
    readonly until?: EpochMs
    readonly source?: 'provider' | 'ladder'
    readonly scope?: Rest['scope']
    readonly windows: readonly (QuotaWindow & { readonly words: string })[]
    /** Models that it may not use now. */
    readonly models: readonly RestJson[]
    readonly words: string
  }
  readonly policy: {
    readonly state: Policy['state']
    readonly at?: EpochMs
    readonly words: string
  }
}

export interface SourceJson {
  readonly kind: CredentialSource['kind']
  /** The agent whose book holds it. */
  readonly agent?: string
  readonly path?: string
  readonly line?: number
  readonly variable?: string
  /** Where the variable is set; `process`: in the environment of whoever made this report. */
  readonly from?: VariableSource['kind']
  readonly field?: string
  readonly words: string
}

export interface CandidateJson {
  readonly profile: string
  readonly type: CandidateReport['type']
  /** Tells two secrets apart and gives neither away. */
  readonly fingerprint: string
  readonly lane: string
  readonly origin: CandidateReport['origin']
  /** Where a borrowed login stands in its owner's home. */
  readonly ownerPlace?: string
  readonly source: SourceJson
  readonly email?: string
  readonly expiresAt?: EpochMs
  readonly expiresWords?: string
  readonly lastUsedAt?: EpochMs
  readonly lastFailure?: { readonly at: EpochMs; readonly reason: string; readonly words: string }
  readonly health: HealthJson
  /** Whether a request may use it now. */
  readonly taken: boolean
  /** 1 is tried first; absent: passed over. */
  readonly place?: number
  /** Why it has this place, or none. */
  readonly why: { readonly code: string; readonly words: string }
  /** Only of `models status --probe`. */
  readonly probe?: ProbeResultJson
}

export interface ProviderJson {
  readonly provider: string
  readonly title: string
  readonly endpoint: string
  readonly protocol: string
  readonly inUse: boolean
  /** The profile that is tried first; absent: none can serve. */
  readonly effective?: string
  readonly candidates: readonly CandidateJson[]
}

/**
 * What `models auth list --json` prints.
 *
 * @param now for ages in the words; they are dates when it is left out
 */
export function credentialsJson(
  reports: readonly ProviderReport[],
  now?: EpochMs,
): readonly ProviderJson[] {
  return reports.map((report) => ({
    provider: report.provider,
    title: report.title,
    endpoint: report.endpoint,
    protocol: report.protocol,
    inUse: report.inUse,
    ...(report.effective && { effective: report.effective.profile }),
    candidates: report.candidates.map((entry) => candidateJson(entry, now)),
  }))
}

export function candidateJson(report: CandidateReport, now: EpochMs | undefined): CandidateJson {
  const { expiresAt, lastFailure, ranked } = report
  return {
    profile: report.profile,
    type: report.type,
    fingerprint: report.fingerprint,
    lane: report.lane,
    origin: report.origin,
    ...(report.ownerPlace !== undefined && { ownerPlace: report.ownerPlace }),
    source: sourceJson(report.source),
    ...(report.email !== undefined && { email: report.email }),
    ...(expiresAt !== undefined && { expiresAt, expiresWords: relative(expiresAt, now) }),
    ...(report.lastUsedAt !== undefined && { lastUsedAt: report.lastUsedAt }),
    ...(lastFailure && {
      lastFailure: { at: lastFailure.at, reason: lastFailure.reason, words: lastFailure.words },
    }),
    health: healthJson(report.health, now),
    taken: ranked.taken,
    ...(report.place !== undefined && { place: report.place }),
    why: { code: ranked.why.code, words: verdictWords(ranked, now) },
  }
}

function healthJson(health: Health, now: EpochMs | undefined): HealthJson {
  const { access, grant, quota, policy } = health
  return {
    summary: health.summary,
    access: {
      state: access.state,
      ...('until' in access && access.until !== undefined && { until: access.until }),
      ...('issuedAt' in access && access.issuedAt !== undefined && { issuedAt: access.issuedAt }),
      ...('at' in access && { at: access.at }),
      words: accessWords(access, now),
    },
    grant: {
      state: grant.state,
      ...(grant.provenAt !== undefined && { provenAt: grant.provenAt }),
      ...('owner' in grant && { owner: grant.owner }),
      ...('way' in grant && { way: grant.way }),
      ...('outcome' in grant && { outcome: grant.outcome.kind, at: grant.at }),
      ...('againAt' in grant && { againAt: grant.againAt }),
      words: grantWords(grant, now),
    },
    quota: {
      state: quota.state,
      ...(quota.state === 'resting' && {
        reason: quota.rest.reason,
        until: quota.rest.until,
        source: quota.rest.source,
        scope: quota.rest.scope,
      }),
      windows: quota.windows.map((window) => ({ ...window, words: windowWords(window, now) })),
      models: quota.models.map(({ model, rest: { reason, until, source } }) => ({
        model,
        reason,
        until,
        source,
      })),
      words: quotaWords(quota, now),
    },
    policy: {
      state: policy.state,
      ...('at' in policy && { at: policy.at }),
      words: policyWords(policy, now),
    },
  }
}

function sourceJson(source: CredentialSource): SourceJson {
  const words = sourceWords(source, (path) => path)
  switch (source.kind) {
    case 'store':
      return { kind: source.kind, agent: source.agent, path: source.path, words }
    case 'variable':
      return {
        kind: source.kind,
        variable: source.variable,
        from: source.from.kind,
        ...(source.from.kind === 'env_file' && { path: source.from.path, line: source.from.line }),
        ...(source.from.kind === 'config' && { field: source.from.field }),
        words,
      }
    case 'config':
      return { kind: source.kind, field: source.field, words }
    case 'none_needed':
      return { kind: source.kind, words }
    default:
      return source satisfies never
  }
}
