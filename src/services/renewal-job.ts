/** What a renewal works on and with, and how its steps end. */

import type { OauthCredential } from '../domain/credential.ts'
import type { TokenMark } from '../domain/grant.ts'
import type { Clock } from '../domain/ports.ts'
import type { Journal, Stopwatch, TokenEndpoint, TokenJudge } from '../domain/renewal-ports.ts'
import type { OauthFacts } from '../domain/provider.ts'
import type { Secret } from '../domain/secret.ts'
import type { TokenHome } from './token-home.ts'

export interface RenewalJob {
  readonly home: TokenHome
  readonly journal: Journal
  readonly facts: OauthFacts
  readonly unwanted: TokenMark
  /** `use`: a request needs it. `refused`: the provider answered 401 to it. `user`: a person asks for it. */
  readonly urge: 'use' | 'refused' | 'user'
}

export interface ProtocolDeps {
  readonly clock: Clock
  readonly stopwatch: Stopwatch
  readonly endpoint: TokenEndpoint
  readonly judge: TokenJudge
  /** From 0 to 1. */
  readonly random: () => number
  readonly newId: () => string
  readonly connectTimeoutMs: number
}

/** What came of it; the verdict in the journal says more. */
export type RenewalEnd = 'nothing_to_do' | 'renewed' | 'held_off' | 'failed'

export type Step =
  | { readonly end: RenewalEnd }
  | { readonly end: 'again'; readonly afterMs: number }

/** A login that has a refresh token. */
export type Refreshable = OauthCredential & { readonly refresh: Secret }

export function isRefreshable(login: OauthCredential | undefined): login is Refreshable {
  return login?.refresh !== undefined
}
