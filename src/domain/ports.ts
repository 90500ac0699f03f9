/** What the services need of the outside world. Each is the smallest interface that serves; adapters and fakes fill them. */

import type { AgentState, UpstreamFailure } from './cooldown.ts'
import type { ChatRequest, ReplyEvent, TranscriptEntry, TurnEvent, TurnRequest } from './chat.ts'
import type { OauthCredential } from './credential.ts'
import type { StoreFault, ConfigFault, Fault, LoginFault, RenewalFault } from './fault.ts'
import type { ForeignOrigin, ForeignReading } from './foreign.ts'
import type { GrantId, GrantView, Moment, TokenMark, Verdict } from './grant.ts'
import type { AgentId, ProfileId, ProviderId, SessionId } from './names.ts'
import type { ProfileBook } from './profile.ts'
import type { OauthFacts, Protocol } from './provider.ts'
import type { Result } from './result.ts'
import type { Secret } from './secret.ts'
import type { Settings } from './settings.ts'
import type { EpochMs } from './time.ts'
import type { Environment } from './world.ts'

export interface Clock {
  now(): EpochMs
  /** Resolves after `ms` milliseconds, or as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Something in a file that its owner should look at. It stays in the file untouched. */
export interface FileProblem {
  /** Dotted path in the file, such as `profiles.anthropic:work.expires`, or the file itself. */
  readonly field: string
  readonly problem: string
}

/** What is wrong with `.env` and the settings short of being unreadable. */
export type FileCheck = (settings: LoadedSettings) => Promise<readonly FileProblem[]>

export interface StoredBook {
  readonly book: ProfileBook
  readonly problems: readonly FileProblem[]
  /** Usage that older tools kept in the same file; counts where `auth-state.json` says nothing. */
  readonly legacyState: AgentState
}

export interface ProfileStore {
  /** The book as it is on disk; a file that does not exist is an empty book. Changes nothing. */
  read(agent: AgentId): Promise<Result<StoredBook, StoreFault>>
  /** Runs `change` with the book as it is on disk, lock held throughout; saves the book it returns. Unchanged books are not written. */
  transact<T, F>(
    agent: AgentId,
    change: (book: ProfileBook) => Promise<Result<{ book: ProfileBook; value: T }, F>>,
  ): Promise<Result<T, F | StoreFault>>
  /** Whether a change could be saved now: rights, and room for it on the disk. Changes nothing. */
  probe(agent: AgentId): Promise<Result<void, StoreFault>>
  /** Sets an unreadable file aside and puts the previous good generation in its place. Gives the path of the set-aside file. */
  restorePrevious(agent: AgentId): Promise<Result<{ setAside: string }, StoreFault>>
  path(agent: AgentId): string
  /** Agents that have a folder. */
  agents(): Promise<readonly AgentId[]>
}

/** A program of the user's that needs the terminal for itself. */
export interface TerminalProgram {
  /** Its path, where it is on the PATH. */
  find(program: string): Promise<string | undefined>
  /**
   * Runs it without a shell and waits for its end, however long that takes. Ctrl-C is the program's alone meanwhile.
   *
   * @param path from `find`
   * @param signal asks the program to end
   */
  run(path: string, args: readonly string[], signal: AbortSignal): Promise<ProgramEnd>
}

export type ProgramEnd =
  | { readonly kind: 'ended'; readonly exit: number }
  /** By Ctrl-C, or by the signal. */
  | { readonly kind: 'interrupted' }

export interface StateStore {
  /** A state that cannot be read counts as empty: losing it loses no login. */
  read(agent: AgentId): Promise<AgentState>
  /** Applies the change soon; `flush` waits for it. Changes to one agent are applied in order, to the state as it is on disk. */
  update(agent: AgentId, change: (state: AgentState) => AgentState): void
  flush(): Promise<Result<void, StoreFault>>
}

/** One change to the settings file; `value` undefined removes the key. */
export interface SettingsEdit {
  readonly path: readonly string[]
  readonly value: unknown
}

export interface LoadedSettings {
  readonly settings: Settings
  readonly path: string
  /** Whether there is a file at all. */
  readonly exists: boolean
  /** Older spellings that were read as the new ones and will be written so by the next edit. */
  readonly migrated: readonly string[]
  /** The file as plain data, references unresolved, for `config get`. */
  readonly raw: Readonly<Record<string, unknown>>
}

export interface SettingsStore {
  read(): Promise<Result<LoadedSettings, ConfigFault | StoreFault>>
  /** Applies all edits or none. Comments, order and `${VAR}` references survive; the result is validated before it is written. */
  edit(
    edits: (current: LoadedSettings) => readonly SettingsEdit[],
  ): Promise<Result<LoadedSettings, ConfigFault | StoreFault>>
  path(): string
}

export interface EnvironmentReader {
  /** The named variables that are set somewhere, each with its source. Blank values count as not set. */
  read(
    settings: Settings['env'],
    names: readonly string[],
  ): Promise<Result<Environment, StoreFault>>
}

/** One POST to a provider. */
export interface UpstreamRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Headers whose values are secrets; they are revealed here and nowhere else. */
  readonly secretHeaders: Readonly<Record<string, Secret>>
  readonly body?: Uint8Array | string
  readonly timeouts: Settings['upstream']
}

export interface UpstreamAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** The bytes as they come. A cut stream makes the iteration throw. Abandoning the iteration closes the connection. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface Upstream {
  /** Any HTTP status is an answer; a failure means that none came. Redirects are not followed. */
  send(
    request: UpstreamRequest,
    signal: AbortSignal,
  ): Promise<Result<UpstreamAnswer, UpstreamFailure>>
}

/** Judges an HTTP answer that is not a success. `body` is its beginning, at most 64 KiB. */
export type ReplyJudge = (
  protocol: Protocol,
  status: number,
  headers: UpstreamAnswer['headers'],
  body: string,
  now: EpochMs,
) => UpstreamFailure

/** A provider dialect for chat turns. */
export interface ChatCodec {
  /** Path under the provider's base URL. */
  readonly path: string
  encode(request: ChatRequest): string
  /** Ends with a `stop` event; a stream that ends without its terminator throws. */
  decode(body: AsyncIterable<Uint8Array>): AsyncIterable<ReplyEvent>
}

/** What is known of a model beside its name. */
export interface KnownModel {
  readonly id: string
  readonly name?: string
  /** Tokens. */
  readonly contextWindow?: number
  /** Kinds of input: `text`, `image`. */
  readonly input?: readonly string[]
}

/** Models that a provider is known to have, which may lag behind the provider. */
export type Catalogue = (provider: ProviderId) => Promise<readonly KnownModel[]>

/** A session without its transcript. */
export interface SessionHead {
  readonly id: SessionId
  readonly agent: AgentId
  readonly createdAt: EpochMs
  readonly updatedAt: EpochMs
  /** First words of its first message. */
  readonly title?: string
  /** `provider/model` that was chosen in this session; absent: the agent's default. */
  readonly model?: string
  readonly pin?: { readonly profile: ProfileId; readonly source: 'user' | 'auto' }
  readonly turns: number
  /** Transcript entries before this instant belong to an earlier conversation (`/new`). */
  readonly startedAt?: EpochMs
}

/** The sessions of an agent. */
export interface SessionList {
  /** The one changed last comes first. */
  readonly heads: readonly SessionHead[]
  /** One fault for each session whose file cannot be read. */
  readonly unreadable: readonly StoreFault[]
}

export interface SessionStore {
  list(agent: AgentId): Promise<Result<SessionList, StoreFault>>
  read(agent: AgentId, id: SessionId): Promise<Result<SessionHead | undefined, StoreFault>>
  /** Changes the session as it is on disk and adds to its transcript, both under its lock. */
  update(
    agent: AgentId,
    id: SessionId,
    change: (head: SessionHead | undefined) => SessionHead,
    said?: readonly TranscriptEntry[],
  ): Promise<Result<void, StoreFault>>
  transcript(agent: AgentId, id: SessionId): Promise<Result<readonly TranscriptEntry[], StoreFault>>
  /** Gives whether there was one. */
  remove(agent: AgentId, id: SessionId): Promise<Result<boolean, StoreFault>>
}

export interface Log {
  /** One line; `fields` never hold a secret's text. */
  write(
    level: 'info' | 'warn' | 'error',
    event: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void
}

/** Eight hex digits that tell two secrets apart and give neither away. */
export type Fingerprint = (secret: Secret) => string

/** Facts about the running gateway that other programs of the user may read. */
export interface GatewayRecord {
  readonly pid: number
  readonly port: number
  readonly bind: string
  readonly startedAt: EpochMs
  readonly version: string
}

/** Where the gateway's token comes from. */
export type TokenSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'variable'; readonly name: string }

export interface GatewayFiles {
  /** The gateway's token, made on the first call. `EQUABOT_GATEWAY_TOKEN` wins over the file. */
  token(): Promise<Result<Secret, Fault>>
  tokenSource(): TokenSource
  /** The right to be the one gateway of this state folder; held until `release` or the end of the process. */
  claim(): Promise<
    Result<
      { publish(record: GatewayRecord): Promise<Result<void, Fault>>; release(): Promise<void> },
      Fault
    >
  >
  /** The running gateway, or undefined when none holds the claim. */
  running(): Promise<GatewayRecord | undefined>
}

/** What is asked of a running gateway over its control API. */
export interface GatewayClient {
  readonly record: GatewayRecord
  readonly url: string
  readonly turn: (request: TurnRequest, signal: AbortSignal) => AsyncIterable<TurnEvent>
  readonly health: () => Promise<Result<GatewayHealth, Fault>>
}

export interface GatewayHealth {
  readonly version: string
  readonly uptimeMs: number
  readonly ready: boolean
}

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
  /** Resolves when the program has ended; it is never killed midway. @param patienceMs how long we wait, ms */
  run(
    patienceMs: number,
  ): Promise<{ readonly ended: boolean; readonly exit?: number; readonly words: string }>
}

/** One POST to a token endpoint. */
export interface TokenRequest {
  readonly oauth: Pick<OauthFacts, 'tokenUrl' | 'body'>
  /** The form's fields; those that are secrets are revealed here and nowhere else. */
  readonly fields: Readonly<Record<string, string | Secret>>
  readonly connectTimeoutMs: number
  /** From the first byte that is sent to the last that is read, ms. */
  readonly totalTimeoutMs: number
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

export type TokenJudge = (answer: RawAnswer, now: EpochMs) => TokenVerdict

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
  readonly pid: number
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
   * @faults `EQ_RENEWAL_BUSY`, `EQ_RENEWAL_HELPER`
   */
  run(
    order: RenewalOrder,
    waitMs: number,
    isDone: () => Promise<boolean>,
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
