/** What `models status`, `models auth explain` and `models auth list` report, as data; the faces lay it out. */

import type { FailureReason } from './cooldown.ts'
import type { CredentialType } from './credential.ts'
import type { Fault, ForeignFault } from './fault.ts'
import type { CheckFinding, Health } from './health.ts'
import type { ListedModel, ModelChain } from './models.ts'
import type { AgentId, ModelKey, ProfileId, ProviderId, SessionId } from './names.ts'
import type { FileProblem, KnownModel } from './ports.ts'
import type { Origin } from './profile.ts'
import type { Lane, Protocol } from './provider.ts'
import type { Result } from './result.ts'
import type { CredentialSource, Ranked } from './rotation.ts'
import type { EpochMs } from './time.ts'

/** One credential with its place, the reason for it, and its four facts. */
export interface CandidateReport {
  readonly profile: ProfileId
  readonly type: CredentialType | 'none'
  readonly fingerprint: string
  readonly lane: Lane
  readonly origin: Origin
  /** Where a borrowed login stands in its owner's home. */
  readonly ownerPlace?: string
  readonly source: CredentialSource
  readonly email?: string
  readonly expiresAt?: EpochMs
  readonly lastUsedAt?: EpochMs
  readonly lastFailure?: {
    readonly at: EpochMs
    readonly reason: FailureReason
    readonly words: string
  }
  readonly health: Health
  /** The verdict of the ranking, as the next request meets it. */
  readonly ranked: Ranked
  /** 1 is tried first; absent: passed over. */
  readonly place?: number
}

export interface ProviderReport {
  readonly provider: ProviderId
  readonly title: string
  readonly endpoint: string
  readonly protocol: Protocol
  /** Serves the default model or a fallback of some agent. */
  readonly inUse: boolean
  /** The first that will be tried; absent: none can serve. */
  readonly effective?: CandidateReport
  readonly candidates: readonly CandidateReport[]
}

/** Everything `models status` shows. */
export interface StatusReport {
  readonly agent: AgentId
  readonly now: EpochMs
  readonly configPath: string
  readonly configExists: boolean
  readonly bookPath: string
  /** The default model and fallbacks, or why there is none. */
  readonly chain: Result<ModelChain, Fault>
  readonly aliases: readonly { readonly alias: string; readonly model: string }[]
  /** Absent: any model may be used. */
  readonly allowed?: readonly string[]
  readonly providers: readonly ProviderReport[]
  /** Providers in use without any credential, with what would give them one. */
  readonly missing: readonly {
    readonly provider: ProviderId
    readonly variables: readonly string[]
  }[]
  readonly check: {
    readonly exit: 0 | 1 | 2
    readonly findings: readonly CheckFinding[]
    /** No login needs the user, and yet a model in use cannot be served at this moment: why not. */
    readonly unserved?: readonly CheckFinding[]
    /** Why some agent could not be judged, such as a book that cannot be read. It outranks `exit`. */
    readonly undecided?: Fault
  }
  readonly warnWithinMs: number
  /** A store that cannot be read: what is shown leaves it out. */
  readonly bookFault?: Fault
  /** Why another program's login could not be taken over, or should not stay as it is. */
  readonly foreign: readonly ForeignFault[]
  /** What in the book, `.env` or settings should be looked at. */
  readonly problems: readonly FileProblem[]
  /** Older spellings in the config that the next edit rewrites. */
  readonly migrated: readonly string[]
}

/** Everything `models auth list` shows. */
export interface CredentialsReport {
  readonly agent: AgentId
  readonly now: EpochMs
  readonly providers: readonly ProviderReport[]
  /** Entries of the book that cannot be read. */
  readonly problems: readonly FileProblem[]
}

/** What the next request would use. */
export interface ExplainReport {
  readonly agent: AgentId
  readonly now: EpochMs
  readonly session?: SessionId
  readonly model: ModelKey
  readonly modelBecause: 'asked' | 'session' | ModelChain['chosenBy']
  readonly pin?: ProfileId
  readonly endpoint: string
  readonly protocol: Protocol
  readonly candidates: readonly CandidateReport[]
  readonly next?: CandidateReport
}

/** A model to pick from. */
export interface ModelListing extends ListedModel {
  /** Absent: the catalogue does not know it. */
  readonly known?: KnownModel
  /** Some credential would be tried for it now. */
  readonly usable: boolean
}
