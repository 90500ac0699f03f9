/** What renewing, borrowing and logging in need of the outside world. Adapters and fakes fill these as they fill `ports.ts`. */

import type { OauthCredential } from './credential.ts'
import type { StoreFault, LoginFault, RenewalFault } from './fault.ts'
import type { ForeignOrigin, ForeignReading } from './foreign.ts'
import type { GrantId, GrantView, Moment, TokenMark, Verdict } from './grant.ts'
import type { AgentId, ProfileId, ProviderId } from './names.ts'
import type { OauthFacts } from './provider.ts'
import type { Result } from './result.ts'
import type { Secret } from './secret.ts'
import type { EpochMs } from './time.ts'

/** The home of another program's login. Looking changes nothing. */
export interface ForeignSource {
  readonly origin: ForeignOrigin
  /** Where the login stands, or would. */
  place(): string
  /**
   * The login as it is now. Cheap when nothing has changed: one stat.
   *
   * @param prompting a person is at a terminal and has asked for this, so the system may ask them for permission
   */
  read(prompting?: boolean): Promise<ForeignReading>
}

/** A login in its owner's home, with the owner held off for as long as it is changed. */
export interface OwnerHold {
  /** As it stands inside the owner's locks. */
  readonly login: OauthCredential
  /** Whether the locks are still ours: the owner may take one that looks forsaken. Ask right before sending. */
  stillHeld(): boolean
  /** Room for the new tokens is made and has reached the disk. */
  reserve(): Promise<Result<void, RenewalTrouble>>
  /**
   * Compare-and-swap: puts the new tokens in if the refresh token there is still `expected`. All else in the file, its
   * mode and its owner stay. Gives false when the owner has another login by now.
   */
  writeBack(expected: TokenMark, next: OauthCredential): Promise<Result<boolean, RenewalTrouble>>
  release(): Promise<void>
}

/** Why a neighbour could not do its part; the owner's login is as it was. */
export interface RenewalTrouble {
  readonly reason: 'owner_busy' | 'owner_unwritable' | 'owner_unreadable'
  readonly words: string
}

/** What a neighbour needs of an owner's home, for owners that keep locks. */
export interface OwnerHome {
  readonly origin: ForeignOrigin
  /** Mark of the refresh token that stands there now. */
  mark(): Promise<TokenMark | undefined>
  /** Takes the owner's own locks, in the owner's order, and keeps them alive. Never takes one from a living holder. */
  hold(): Promise<Result<OwnerHold, RenewalTrouble>>
}

/** Runs an owner's program so that it renews its own login. */
export interface OwnerProgram {
  readonly origin: ForeignOrigin
  /** Resolves when nothing of the program is left. @param patienceMs after this it is ended, ms */
  run(patienceMs: number): Promise<OwnerProgramEnd>
}

export type OwnerProgramEnd =
  | { readonly kind: 'ended'; readonly exit: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'not_started'; readonly errno: string }
  | { readonly kind: 'out_of_patience' }

/** One POST to a token endpoint. */
export interface TokenRequest {
  readonly oauth: Pick<OauthFacts, 'tokenUrl' | 'body'>
  /** The form's fields; those that are secrets are revealed here and nowhere else. */
  readonly fields: Readonly<Record<string, string | Secret>>
  readonly connectTimeoutMs: number
  /** From the first byte that is sent to the last that is read, ms. */
  readonly totalTimeoutMs: number
  /** How long an answer that has begun may pause, ms. */
  readonly stallTimeoutMs: number
}

/** An answer of a token endpoint, as it came. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** At most 192 KiB. */
  readonly body: Uint8Array
  /** False: the connection ended, or time did, before the answer said that it was whole. */
  readonly complete: boolean
}

export type TokenExchange =
  /** Nothing of the request left this machine. */
  | { readonly kind: 'not_sent'; readonly reason: 'network' | 'unsafe_url'; readonly words: string }
  /** `beforeSend` said no. */
  | { readonly kind: 'held_back' }
  | { readonly kind: 'answered'; readonly answer: RawAnswer }
  /** Sent, and not even a status line came back. */
  | { readonly kind: 'lost'; readonly words: string }

export interface TokenEndpoint {
  /**
   * Sends once; nothing is repeated and no redirect is followed.
   *
   * @param beforeSend awaited when the connection stands and before the first byte of the request; false stops it
   */
  redeem(request: TokenRequest, beforeSend: () => Promise<boolean>): Promise<TokenExchange>
}

/** What a token endpoint's answer means. Bodies are judged before status, and words are safe to print. */
export type TokenVerdict =
  | { readonly kind: 'tokens'; readonly tokens: IssuedTokens }
  | { readonly kind: 'rejected'; readonly error: string; readonly words: string }
  | { readonly kind: 'config'; readonly error: string; readonly words: string }
  | {
      readonly kind: 'not_consumed'
      readonly status: number
      readonly words: string
      readonly retryAfterMs?: number
    }
  | { readonly kind: 'ambiguous'; readonly words: string }

export interface IssuedTokens {
  readonly access: Secret
  /** Absent: the old one goes on serving. @source RFC 6749 6 */
  readonly refresh?: Secret
  /** How long the access token serves, ms. */
  readonly lifetimeMs: number
  readonly email?: string
  readonly accountId?: string
}

export type TokenJudge = (answer: RawAnswer, now: EpochMs, sent: Secret) => TokenVerdict

/** What lies in `grants/<id>/`. Everything is on the disk when a call has resolved. */
export interface Journal {
  read(): Promise<Result<JournalPage, StoreFault>>
  /** Makes room for an answer with real bytes, and notes the intent. @faults the disk is full or refuses: nothing may be sent */
  reserve(attempt: Attempt): Promise<Result<void, StoreFault>>
  /** The point of no return: from here on the token may have served. */
  markSent(attempt: Attempt): Promise<Result<void, StoreFault>>
  /** Keeps the bytes of an answer in the room made for it, before anybody looks at them. */
  keepAnswer(attempt: Attempt, answer: RawAnswer, at: Moment): Promise<Result<void, StoreFault>>
  /** Notes that a token has served and must never be sent again. */
  noteSpent(token: TokenMark, at: Moment): Promise<Result<void, StoreFault>>
  putVerdict(verdict: Verdict): Promise<Result<void, StoreFault>>
  /** Sets the kept answer aside where nothing takes it for ours. */
  quarantine(): Promise<Result<void, StoreFault>>
  /** Forgets attempt and answer. */
  clear(): Promise<Result<void, StoreFault>>
}

/** One intent to send one refresh token. */
export interface Attempt {
  readonly id: string
  readonly token: TokenMark
  readonly begun: Moment
  /** How often this token has been sent before without an answer. */
  readonly replays: number
  /** When it was first sent without an answer. */
  readonly lostAt?: EpochMs
}

export interface JournalPage {
  /** `torn`: the slot was being written when everything stopped, which counts as sent. */
  readonly attempt?: { readonly phase: 'reserved' | 'sent'; readonly attempt: Attempt } | 'torn'
  /** The answer to that attempt, whole in its slot. */
  readonly answer?: { readonly attempt: string; readonly at: Moment; readonly answer: RawAnswer }
  /** When a token served, by its mark; the last 256. */
  readonly spent: ReadonlyMap<TokenMark, Moment>
  readonly verdict?: Verdict
}

export interface GrantStore {
  journal(grant: GrantId): Journal
  /** Cheap when nothing has changed. A verdict that cannot be read counts as none. */
  verdict(grant: GrantId): Promise<Verdict | undefined>
  /** Tokens that have served, and when. Cheap when nothing has changed. */
  spent(grant: GrantId): Promise<ReadonlyMap<TokenMark, Moment>>
  /** Ids of all grants that have a folder. */
  list(): Promise<readonly GrantId[]>
  forget(grant: GrantId): Promise<void>
}

/** Now, by a clock that cannot be set as well. */
export type Stopwatch = () => Moment

/** Which login a renewal is for, and which access token is no longer wanted. */
export interface RenewalOrder {
  readonly agent: AgentId
  readonly profile: ProfileId
  readonly grant: GrantId
  readonly unwanted: TokenMark
  /** `use`: a request needs it. `refused`: the provider answered 401 to it. `user`: a person asks for it. */
  readonly urge: 'use' | 'refused' | 'user'
}

/** Starts the process that alone may send a refresh token, or waits for the one that is running. */
export interface RenewalHelper {
  /**
   * Resolves when a helper has done its work for this grant, ours or another's.
   *
   * @param waitMs how long to wait for it, ms; it goes on afterwards
   * @param isDone looks whether what is wanted is there already
   * @param signal ends the waiting; the helper goes on
   * @faults `EQ_RENEWAL_BUSY`, `EQ_RENEWAL_HELPER`
   */
  run(
    order: RenewalOrder,
    waitMs: number,
    isDone: () => Promise<boolean>,
    signal?: AbortSignal,
  ): Promise<Result<void, RenewalFault>>
}

/** The grants behind an agent's profiles: who renews each, and what its last renewal has shown. */
export type GrantViews = ReadonlyMap<ProfileId, GrantView>

/** What the OAuth authorization code flow needs of the world. @source RFC 6749 4.1, RFC 7636, RFC 8252 */
export interface LoginFlow {
  /** @faults `EQ_LOGIN_*` */
  begin(
    provider: ProviderId,
    oauth: OauthFacts,
    options: LoginOptions,
  ): Promise<Result<LoginAttempt, LoginFault>>
  /** Gives what the provider said, when it did not agree. @source RFC 7009 */
  revoke(
    provider: ProviderId,
    oauth: OauthFacts,
    token: Secret,
    hint: 'refresh_token' | 'access_token',
  ): Promise<Result<void, LoginFault>>
}

export interface LoginOptions {
  /** `loopback`: a browser on this machine comes back to us. `paste`: the person brings the answer. */
  readonly redirect: 'loopback' | 'paste'
  readonly timeoutMs: number
  /** Told when the answer is good and the token endpoint is about to be asked. */
  readonly onExchange?: () => void
}

export interface LoginAttempt {
  /** Where the person agrees. Holds no secret of ours. */
  readonly url: string
  /** The answer that the browser brings. Resolves once. */
  readonly arrived?: Promise<Result<string, LoginFault>>
  /**
   * Tokens for the redirect, or for a pasted `code#state` or whole address. An answer that is none, or belongs to another
   * login, leaves the attempt open.
   */
  finish(answer: string): Promise<Result<IssuedTokens, LoginFault>>
  close(): Promise<void>
}

/** What shows a page to the person at this machine. */
export interface Browser {
  /** Whether there is likely a screen with a browser on it. */
  isAtHand(): boolean
  /** Gives whether something was started that shows the page. Never fails: the address is always printed too. */
  open(url: string): Promise<boolean>
}
