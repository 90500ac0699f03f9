/**
 * Reports as plain data for programs: `--json` and the control API say the same.
 *
 * Every member is named here one by one, so nothing that a report holds besides, such as a credential, can get out.
 * Instants are milliseconds since 1970; `words` tell the same fact to a person.
 */

import type { CheckFinding } from '../domain/health.ts'
import type { ListedModel } from '../domain/models.ts'
import { formatModelKey } from '../domain/names.ts'
import type { SessionHead } from '../domain/ports.ts'
import type { ExplainReport, ModelListing, StatusReport } from '../domain/report.ts'
import type { EpochMs } from '../domain/time.ts'
import { credentialCommand, findingFix, findingWords } from '../domain/wording.ts'
import type { CandidateJson, ProviderJson } from './candidate-json.ts'
import { candidateJson, credentialsJson } from './candidate-json.ts'
import type { FaultJson } from './fault-json.ts'
import { faultJson } from './fault-json.ts'

export interface FindingJson {
  readonly provider: string
  readonly profile?: string
  readonly problem: CheckFinding['problem']
  readonly words: string
  /** A command, or where to change what. */
  readonly fix: string
}

export interface StatusJson {
  readonly agent: string
  readonly now: EpochMs
  readonly configPath: string
  readonly configExists: boolean
  readonly bookPath: string
  /** `provider/model`; absent: there is none, and `modelFault` says why. */
  readonly model?: string
  readonly modelBecause?: 'settings' | 'credential' | 'sandbox'
  readonly modelFault?: FaultJson
  readonly fallbacks: readonly string[]
  readonly aliases: readonly { readonly alias: string; readonly model: string }[]
  /** Absent: any model may be used. */
  readonly allowed?: readonly string[]
  readonly providers: readonly ProviderJson[]
  readonly missing: readonly {
    readonly provider: string
    readonly variables: readonly string[]
    /** What to type to give it a credential. */
    readonly command: string
  }[]
  readonly check: {
    readonly exit: 0 | 1 | 2
    readonly findings: readonly FindingJson[]
    /** No login needs the user, and yet a model in use cannot be served at this moment: why not. */
    readonly unserved?: readonly FindingJson[]
    /** Why it could not be told; outranks `exit`. */
    readonly undecided?: FaultJson
  }
  readonly warnWithinMs: number
  readonly bookFault?: FaultJson
  /** What is wrong with logins of other programs. */
  readonly foreign: readonly FaultJson[]
  readonly problems: readonly { readonly field: string; readonly problem: string }[]
  readonly migrated: readonly string[]
}

export interface ExplainJson {
  readonly agent: string
  readonly now: EpochMs
  readonly session?: string
  readonly model: string
  readonly modelBecause: ExplainReport['modelBecause']
  readonly pin?: string
  readonly endpoint: string
  readonly protocol: string
  /** The profile that the next request uses; absent: none can serve. */
  readonly next?: string
  readonly candidates: readonly CandidateJson[]
}

export interface ModelJson {
  /** `provider/model`. */
  readonly key: string
  readonly provider: string
  readonly model: string
  readonly aliases: readonly string[]
  readonly tags: ListedModel['tags']
  readonly name?: string
  /** Tokens. */
  readonly contextWindow?: number
  /** Kinds of input: `text`, `image`. */
  readonly input?: readonly string[]
  /** Some credential would be tried for it now. */
  readonly usable: boolean
}

export interface SessionJson {
  readonly id: string
  readonly agent: string
  readonly createdAt: EpochMs
  readonly updatedAt: EpochMs
  readonly title?: string
  /** `provider/model`; absent: the agent's default. */
  readonly model?: string
  readonly pin?: { readonly profile: string; readonly source: 'user' | 'auto' }
  readonly turns: number
}

/** What `models status --json` prints. */
export function statusJson(report: StatusReport): StatusJson {
  const { chain, now, allowed, bookFault } = report
  const { undecided, unserved } = report.check
  return {
    agent: report.agent,
    now,
    configPath: report.configPath,
    configExists: report.configExists,
    bookPath: report.bookPath,
    ...(chain.ok
      ? { model: formatModelKey(chain.value.primary), modelBecause: chain.value.chosenBy }
      : { modelFault: faultJson(chain.fault, now) }),
    fallbacks: chain.ok ? chain.value.fallbacks.map(formatModelKey) : [],
    aliases: report.aliases.map(({ alias, model }) => ({ alias, model })),
    ...(allowed && { allowed: [...allowed] }),
    providers: credentialsJson(report.providers, now),
    missing: report.missing.map(({ provider, variables }) => ({
      provider,
      variables: [...variables],
      command: credentialCommand(provider),
    })),
    check: {
      exit: report.check.exit,
      findings: report.check.findings.map(findingJson),
      ...(unserved && { unserved: unserved.map(findingJson) }),
      ...(undecided && { undecided: faultJson(undecided, now) }),
    },
    warnWithinMs: report.warnWithinMs,
    ...(bookFault && { bookFault: faultJson(bookFault, now) }),
    foreign: report.foreign.map((fault) => faultJson(fault, report.now)),
    problems: report.problems.map(({ field, problem }) => ({ field, problem })),
    migrated: [...report.migrated],
  }
}

/** What `models auth explain --json` prints. */
export function explainJson(report: ExplainReport): ExplainJson {
  return {
    agent: report.agent,
    now: report.now,
    ...(report.session !== undefined && { session: report.session }),
    model: formatModelKey(report.model),
    modelBecause: report.modelBecause,
    ...(report.pin !== undefined && { pin: report.pin }),
    endpoint: report.endpoint,
    protocol: report.protocol,
    ...(report.next && { next: report.next.profile }),
    candidates: report.candidates.map((entry) => candidateJson(entry, report.now)),
  }
}

/** What `models list --json` prints, for one model. */
export function modelJson({
  provider,
  model,
  aliases,
  tags,
  known,
  usable,
}: ModelListing): ModelJson {
  return {
    key: formatModelKey({ provider, model }),
    provider,
    model,
    aliases: [...aliases],
    tags: [...tags],
    ...(known?.name !== undefined && { name: known.name }),
    ...(known?.contextWindow !== undefined && { contextWindow: known.contextWindow }),
    ...(known?.input && { input: [...known.input] }),
    usable,
  }
}

/** What `sessions list --json` and `sessions show --json` print of a session. */
export function sessionJson(head: SessionHead): SessionJson {
  return {
    id: head.id,
    agent: head.agent,
    createdAt: head.createdAt,
    updatedAt: head.updatedAt,
    ...(head.title !== undefined && { title: head.title }),
    ...(head.model !== undefined && { model: head.model }),
    ...(head.pin && { pin: { profile: head.pin.profile, source: head.pin.source } }),
    turns: head.turns,
  }
}

function findingJson(finding: CheckFinding): FindingJson {
  return {
    provider: finding.provider,
    ...(finding.candidate && { profile: finding.candidate.id }),
    problem: finding.problem,
    words: findingWords(finding),
    fix: findingFix(finding),
  }
}
