/** What the services need of the outside world. Each is the smallest interface that serves; adapters and fakes fill them. */

import type { AgentState, UpstreamFailure } from './cooldown.ts'
import type { ChatRequest, ReplyEvent, TranscriptEntry, TurnEvent, TurnRequest } from './chat.ts'
import type { HeardEvent } from './event.ts'
import type { StoreFault, ConfigFault, Fault, LoginFault } from './fault.ts'
import type { LegacyLogins } from './legacy.ts'
import type { AgentId, ProfileId, ProviderId, SessionId } from './names.ts'
import type { Pin } from './pins.ts'
import type { ProfileBook } from './profile.ts'
import type { Protocol } from './provider.ts'
import type { QuotaWindow } from './quota.ts'
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

/** What is wrong with `.env`, the settings and these books short of being unreadable. */
export type FileCheck = (
  settings: LoadedSettings,
  books: readonly string[],
) => Promise<readonly FileProblem[]>

export interface StoredBook {
  readonly book: ProfileBook
  readonly problems: readonly FileProblem[]
  /** Usage that older tools kept in the same file; counts where `auth-state.json` says nothing. */
  readonly legacyState: AgentState
}

export interface Restored {
  /** Path of the set-aside file. */
  readonly setAside: string
  /** What can be read of it that the book has no more; a damaged file may have held others. */
  readonly lost: readonly ProfileId[]
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
  /** Sets an unreadable file aside and puts the previous good generation in its place. */
  restorePrevious(agent: AgentId): Promise<Result<Restored, StoreFault>>
  /**
   * Copies an agent's file as it is to the same name with this ending, and gives the copy's path; undefined when there
   * is no file. Inside `transact` it is the file that the change is about to replace.
   */
  keepCopy(agent: AgentId, ending: string): Promise<Result<string | undefined, StoreFault>>
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

/** Files of other tools that hold logins. Looking changes nothing. */
export interface LegacyFiles {
  /**
   * The login files at a path: the file itself, or those that a folder is known to hold.
   *
   * @faults `EQ_IMPORT_NOTHING`, `EQ_IMPORT_SELF`, `EQ_STORE_UNREADABLE`
   */
  read(path: string): Promise<Result<readonly LegacyFile[], LoginFault | StoreFault>>
}

export interface LegacyFile {
  readonly path: string
  readonly logins: Result<LegacyLogins, StoreFault>
}

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

/** What the beginning of an answer with a good status says. */
export type Beginning =
  /** Neither a word of a reply nor an error has come yet. */
  | { readonly kind: 'undecided' }
  | { readonly kind: 'reply' }
  /** No reply, in spite of its status; `body` is to be judged as that of an error answer. */
  | { readonly kind: 'error'; readonly body: string }
  /** It has ended before it said anything. */
  | { readonly kind: 'cut' }

/** Looks at one answer's beginning while it comes. */
export interface BeginningWatch {
  push(chunk: Uint8Array): Beginning
  /** The body has ended. Never undecided. */
  end(): Beginning
  /** Whether its parts are waited for, and not only its end. */
  streams(): boolean
}

/** Tells replies from answers that only call themselves good. */
export interface Beginnings {
  watch(headers: UpstreamAnswer['headers']): BeginningWatch
  /**
   * What it means that a body broke off before it said anything.
   *
   * @param cause what its iteration threw; absent: it ended in good order
   */
  broken(cause: unknown, host: string): UpstreamFailure
}

/** What the headers of an answer, good or bad, say about a credential's limits. */
export type QuotaReader = (
  headers: UpstreamAnswer['headers'],
  now: EpochMs,
) => readonly QuotaWindow[]

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
  readonly pin?: Pin
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
  /**
   * What it answers to a GET of its control API, not yet decoded.
   *
   * @param path with its query
   */
  readonly ask: (path: string, signal?: AbortSignal) => Promise<Result<unknown, Fault>>
  /** Its events. Ends when the gateway ends the stream, by an item that says why when it did not end in good order. */
  readonly events: (
    wish: EventsWish,
    signal: AbortSignal,
  ) => AsyncIterable<Result<HeardEvent, Fault>>
}

export interface EventsWish {
  /** Id of the last event that was seen; `0`: all that are kept; absent: only new ones. */
  readonly since?: string
  /** Goes on with what comes; else it ends after what is kept. */
  readonly follow: boolean
}

export interface GatewayHealth {
  readonly version: string
  readonly uptimeMs: number
  readonly ready: boolean
}
